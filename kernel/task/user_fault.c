#include "kernel/task/user_fault.h"

#include "kernel/arch/x86_64/instruction_operand.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/log.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/mem/user_access.h"
#include "kernel/task/process_end.h"
#include "lib/check.h"
#include "lib/fault_name.h"

/* No operand is larger. One that begins so near below the hole is on no page: if it is refused, it is for the hole. */
#define OPERAND_BYTES 64u

/* What the access that faulted needs. */
static uint32_t protection_needed(uint64_t error)
{
	if ((error & PAGE_FAULT_FETCH) != 0)
		return PROTECTION_EXECUTE;
	return (error & PAGE_FAULT_WRITE) != 0 ? PROTECTION_WRITE : PROTECTION_READ;
}

/*
 * NONE: the access is allowed now. Another thread has committed or protected the page since, or this CPU had an older
 * translation than the one that a change under way gives it.
 */
static enum user_fault_kind kind_of_page_fault(struct address_space *space, uint64_t address, uint64_t error)
{
	struct virtual_memory_region region;

	if (address >= UINT64_C(1) << 47)
		return USER_FAULT_KERNEL_ADDRESS;
	if (address_space_query(space, address, &region) != STATUS_OK)
		return USER_FAULT_UNRESERVED;
	switch ((enum page_kind)region.kind) {
	case PAGE_EMPTY:
		return USER_FAULT_UNRESERVED;
	case PAGE_RESERVED:
	case PAGE_LAZY:
		return USER_FAULT_UNCOMMITTED;
	case PAGE_GUARD:
		return USER_FAULT_GUARD;
	case PAGE_ANONYMOUS:
	case PAGE_BORROWED:
	case PAGE_IMAGE:
	case PAGE_BOOTSTRAP:
	case PAGE_KIND_COUNT:
		break;
	}
	if (region.protection == PROTECTION_NONE)
		return USER_FAULT_NO_ACCESS;
	/* An access of its own by the processor, for an instruction that is not the program's: it would fault for ever.
	 */
	if ((error & (PAGE_FAULT_PRESENT | PAGE_FAULT_USER)) == PAGE_FAULT_PRESENT)
		return USER_FAULT_PRIVILEGED;
	if ((region.protection & protection_needed(error)) != 0 && (error & PAGE_FAULT_RESERVED) == 0)
		return USER_FAULT_NONE;
	return (error & PAGE_FAULT_FETCH) != 0 ? USER_FAULT_NO_EXECUTE : USER_FAULT_READ_ONLY;
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
	struct user_fault fault = { USER_FAULT_EXCEPTION, frame->vector, frame->rip, frame->rip };

	if (frame->vector == TRAP_PAGE_FAULT) {
		fault.address = address;
		fault.kind = kind_of_page_fault(&process->space, address, frame->error);
	} else if (frame->vector == TRAP_GENERAL_PROTECTION || frame->vector == TRAP_STACK) {
		explain_protection_fault(&process->space, frame, &fault);
	}
	return fault;
}

void task_user_trap(struct trap_frame *frame, uint64_t fault_address)
{
	struct process *process = thread_current()->process;
	struct user_fault fault = classify(process, frame, fault_address);
	struct process_exit exit = {
		.code = 128 + (int64_t)frame->vector,
		.end = PROCESS_FAULTED,
		.fault_kind = fault.kind,
		.fault_address = fault.address,
		.fault_rip = fault.rip,
	};

	if (fault.kind == USER_FAULT_NONE) {
		invlpg(fault_address);
		return; /* to try again */
	}
	log_line("fault: process %llu %s: %s at 0x%llx rip 0x%llx (%s, error 0x%llx)", (unsigned long long)process->id,
		 process->name, fault_name(fault.kind), (unsigned long long)fault.address,
		 (unsigned long long)frame->rip, trap_name(frame->vector), (unsigned long long)frame->error);
	process_end_begin(process, &exit);
	process_end_thread(exit.code);
}
