/*
 * Exceptions of ring 3 (trap.h): what happened, from the page table and the instruction; then a page that was promised
 * comes, or the program's handler is asked, or the process ends.
 */
#include "kernel/arch/x86_64/instruction_operand.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/mem/demand.h"
#include "kernel/mem/kernel_stack.h"
#include "kernel/mem/shortage.h"
#include "kernel/mem/user_access.h"
#include "kernel/task/fault_handler.h"
#include "kernel/task/process_end.h"
#include "lib/check.h"

/* No operand is larger. One that begins so near below the hole is on no page: if it is refused, it is for the hole. */
#define OPERAND_BYTES 64u

/* What the access that faulted needs. */
static uint32_t protection_needed(uint64_t error)
{
	if ((error & PAGE_FAULT_FETCH) != 0)
		return PROTECTION_EXECUTE;
	return (error & PAGE_FAULT_WRITE) != 0 ? PROTECTION_WRITE : PROTECTION_READ;
}

/* An access of its own by the processor, for an instruction that is not the program's: it would fault for ever. */
static bool is_of_processor(uint64_t error)
{
	return (error & (PAGE_FAULT_PRESENT | PAGE_FAULT_USER)) == PAGE_FAULT_PRESENT;
}

/*
 * Why the access is not allowed. NONE: it is by now. Another thread has committed or protected the page since, or this
 * CPU had an older translation than the one that a change under way gives it.
 */
static enum user_fault_kind kind_of_refusal(struct address_space *space, uint64_t address, uint32_t needed)
{
	struct virtual_memory_region region;

	if (address_space_query(space, address, &region) != STATUS_OK)
		return USER_FAULT_UNRESERVED;
	switch ((enum page_kind)region.kind) {
	case PAGE_EMPTY:
		return USER_FAULT_UNRESERVED;
	case PAGE_RESERVED:
		return USER_FAULT_UNCOMMITTED;
	case PAGE_GUARD:
		return USER_FAULT_GUARD;
	case PAGE_LAZY:
	case PAGE_ANONYMOUS:
	case PAGE_BORROWED:
	case PAGE_IMAGE:
	case PAGE_BOOTSTRAP:
	case PAGE_KIND_COUNT:
		break;
	}
	if (region.protection == PROTECTION_NONE)
		return USER_FAULT_NO_ACCESS;
	if ((region.protection & needed) != 0)
		return USER_FAULT_NONE;
	return needed == PROTECTION_EXECUTE ? USER_FAULT_NO_EXECUTE : USER_FAULT_READ_ONLY;
}

/* A page that was promised comes now, once more if frames lay idle. */
static enum status touch(struct address_space *space, uint64_t address, uint32_t needed)
{
	enum status status = address_space_touch(space, address, needed);

	if (status == STATUS_OUT_OF_MEMORY && kernel_stack_trim() != 0)
		status = address_space_touch(space, address, needed);
	shortage_tell(status);
	return status;
}

static enum user_fault_kind kind_of_page_fault(struct address_space *space, const struct user_fault *fault)
{
	enum status status;

	if (fault->address >= UINT64_C(1) << 47)
		return USER_FAULT_KERNEL_ADDRESS;
	if (is_of_processor(fault->error) || (fault->error & PAGE_FAULT_RESERVED) != 0)
		return USER_FAULT_PRIVILEGED;
	status = touch(space, fault->address, fault->access);
	if (status == STATUS_OK)
		return USER_FAULT_NONE;
	if (status == STATUS_STACK_OVERFLOW)
		return USER_FAULT_STACK_OVERFLOW;
	if (status == STATUS_OUT_OF_MEMORY)
		return USER_FAULT_OUT_OF_MEMORY;
	if (status == STATUS_OVER_IMAGE || status == STATUS_OVER_PAGE_TABLE)
		return USER_FAULT_STACK_QUOTA;
	return kind_of_refusal(space, fault->address, fault->access);
}

/* Of 48 bits: all above are as the highest of them. */
static bool is_canonical(uint64_t address)
{
	return address + (UINT64_C(1) << 47) < UINT64_C(1) << 48;
}

/*
 * The address for whose sake an instruction was refused, if there is one that is not canonical: its own (a jump that
 * some processors finish first), that of its memory operand, or the target that it names.
 */
static bool find_bad_address(struct address_space *space, const struct trap_frame *frame, uint64_t *address)
{
	uint8_t code[INSTRUCTION_BYTES] = { 0 };
	struct instruction_branch branch;

	*address = frame->rip;
	if (!is_canonical(*address))
		return true;
	for (uint32_t bytes = INSTRUCTION_BYTES; bytes > 0; bytes--) /* the page may end before the 15th byte */
		if (user_access_read(space, frame->rip, bytes, code) == STATUS_OK)
			break;
	if (instruction_operand_address(code, frame, address) &&
	    !(is_canonical(*address) && is_canonical(*address + OPERAND_BYTES - 1)))
		return true;
	if (!instruction_operand_branch(code, frame, &branch))
		return false;
	*address = branch.value;
	if (branch.is_in_memory && user_access_read(space, branch.value, sizeof(*address), address) != STATUS_OK)
		return false;
	return !is_canonical(*address);
}

/* #GP and #SS carry no address: find out whether one is the reason. */
static void explain_protection_fault(struct address_space *space, const struct trap_frame *frame,
				     struct user_fault *fault)
{
	uint64_t address;

	fault->kind = USER_FAULT_PRIVILEGED;
	if (!find_bad_address(space, frame, &address))
		return;
	fault->kind = USER_FAULT_NON_CANONICAL;
	fault->address = address;
}

static struct user_fault classify(struct process *process, const struct trap_frame *frame, uint64_t address)
{
	struct user_fault fault = {
		.kind = USER_FAULT_EXCEPTION,
		.address = frame->rip,
		.rip = frame->rip,
		.vector = frame->vector,
		.error = frame->error,
	};

	if (frame->vector == TRAP_PAGE_FAULT) {
		fault.address = address;
		fault.access = protection_needed(frame->error);
		fault.kind = kind_of_page_fault(&process->space, &fault);
	} else if (frame->vector == TRAP_GENERAL_PROTECTION || frame->vector == TRAP_STACK) {
		explain_protection_fault(&process->space, frame, &fault);
	}
	return fault;
}

void task_user_trap(struct trap_frame *frame, uint64_t fault_address)
{
	struct process *process = thread_current()->process;
	const struct user_fault fault = classify(process, frame, fault_address);
	const struct process_exit exit = user_fault_exit(&fault);

	if (fault.kind == USER_FAULT_NONE) {
		invlpg(fault_address);
		return; /* to try again */
	}
	if (fault_handler_ask(&fault))
		return;
	process_end_if_asked(); /* then it ends for another reason */
	user_fault_log(process, &fault);
	process_end_begin(process, &exit);
	process_end_thread(exit.code);
}
