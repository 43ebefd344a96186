#include "kernel/arch/x86_64/trap.h"

#include <stddef.h>

#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/fixup.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/lock_watch.h"
#include "kernel/arch/x86_64/log.h"
#include "kernel/arch/x86_64/offsets.h"
#include "kernel/arch/x86_64/panic.h"
#include "kernel/arch/x86_64/probe.h"
#include "kernel/arch/x86_64/serial.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/arch/x86_64/time_limit.h"
#include "kernel/arch/x86_64/tlb.h"

_Static_assert(sizeof(struct trap_frame) == TRAP_FRAME_BYTES, "offsets.h");
_Static_assert(offsetof(struct trap_frame, vector) == TRAP_FRAME_REGISTER_BYTES, "offsets.h");
_Static_assert(offsetof(struct trap_frame, cs) == TRAP_FRAME_CODE_SEGMENT, "offsets.h");
_Static_assert(offsetof(struct trap_frame, cs) - offsetof(struct trap_frame, vector) == TRAP_STUB_CODE_SEGMENT,
	       "offsets.h");
_Static_assert(TRAP_DEBUG == VECTOR_DEBUG && TRAP_NMI == VECTOR_NMI && TRAP_DOUBLE_FAULT == VECTOR_DOUBLE_FAULT &&
		       TRAP_MACHINE_CHECK == VECTOR_MACHINE_CHECK &&
		       TRAP_GENERAL_PROTECTION == VECTOR_GENERAL_PROTECTION,
	       "offsets.h");

/* Interrupt gate (SDM vol. 3, 6.14.1), two words. */
struct gate {
	uint64_t low, high;
};

#define GATE_INTERRUPT (UINT64_C(0xe) << 40)
#define GATE_RING3 (UINT64_C(3) << 45) /* a program may raise it by INT */
#define GATE_PRESENT (UINT64_C(1) << 47)

#define VECTORS 256u
#define FLAG_INTERRUPTS UINT64_C(0x200)

static struct gate gates[VECTORS] __attribute__((aligned(16)));

/* trap_entry.S */
extern const char trap_stubs[];

/* syscall_entry.S */
extern const char syscall_entry[];
void trap_dispatch(struct trap_frame *frame);

static const char *const names[TRAP_EXCEPTIONS] = {
	[TRAP_DIVIDE_ERROR] = "divide error",
	[TRAP_DEBUG] = "debug",
	[TRAP_NMI] = "non-maskable interrupt",
	[TRAP_BREAKPOINT] = "breakpoint",
	[TRAP_OVERFLOW] = "overflow",
	[TRAP_BOUND] = "bound",
	[TRAP_INVALID_OPCODE] = "invalid opcode",
	[TRAP_NO_FPU] = "no fpu",
	[TRAP_DOUBLE_FAULT] = "double fault",
	[TRAP_INVALID_TSS] = "invalid task state",
	[TRAP_SEGMENT_NOT_PRESENT] = "segment not present",
	[TRAP_STACK] = "stack fault",
	[TRAP_GENERAL_PROTECTION] = "general protection",
	[TRAP_PAGE_FAULT] = "page fault",
	[TRAP_X87] = "x87 error",
	[TRAP_ALIGNMENT] = "alignment check",
	[TRAP_MACHINE_CHECK] = "machine check",
	[TRAP_SIMD] = "simd error",
	[TRAP_VIRTUALIZATION] = "virtualization",
	[TRAP_CONTROL_PROTECTION] = "control protection",
};

const char *trap_name(uint64_t vector)
{
	if (vector >= TRAP_EXCEPTIONS)
		return "interrupt";
	return names[vector] ? names[vector] : "exception";
}

static struct gate gate_make(uint64_t entry, enum interrupt_stack stack, uint64_t ring)
{
	return (struct gate){
		.low = (entry & 0xffff) | (uint64_t)SELECTOR_KERNEL_CODE << 16 | (uint64_t)stack << 32 |
		       GATE_INTERRUPT | ring | GATE_PRESENT | (entry >> 16 & 0xffff) << 48,
		.high = entry >> 32,
	};
}

static enum interrupt_stack vector_stack(uint32_t vector)
{
	if (vector == TRAP_DOUBLE_FAULT)
		return INTERRUPT_STACK_DOUBLE_FAULT;
	if (vector == TRAP_NMI)
		return INTERRUPT_STACK_NMI;
	if (vector == TRAP_MACHINE_CHECK)
		return INTERRUPT_STACK_MACHINE_CHECK;
	if (vector == TRAP_DEBUG)
		return INTERRUPT_STACK_DEBUG;
	return INTERRUPT_STACK_NONE;
}

/* The frame of a program's debug exception has been moved to its thread's stack (trap_entry.S). */
static bool is_on_own_stack(const struct trap_frame *frame)
{
	if (frame->vector == TRAP_DEBUG && trap_is_from_user(frame))
		return false;
	return vector_stack((uint32_t)frame->vector) != INTERRUPT_STACK_NONE;
}

void trap_init(void)
{
	for (uint32_t vector = 0; vector < VECTORS; vector++) {
		uint64_t entry = (uint64_t)trap_stubs + (uint64_t)vector * TRAP_STUB_BYTES;
		uint64_t ring = vector == TRAP_BREAKPOINT ? GATE_RING3 : 0;
		gates[vector] = gate_make(entry, vector_stack(vector), ring);
	}
}

void trap_load(void)
{
	struct descriptor_pointer pointer = { .limit = sizeof(gates) - 1, .base = (uint64_t)gates };

	lidt(&pointer);
}

/* No GS here: the frame may be that of trap_return_user, with the program's base loaded. */
static bool apply_fixup(struct trap_frame *frame)
{
	for (const struct fixup *fixup = fixup_table_start; fixup < fixup_table_end; fixup++) {
		if (fixup->fault == frame->rip) {
			frame->rip = fixup->resume;
			return true;
		}
	}
	return false;
}

/*
 * A press of the NMI button on a machine that hangs shows where each CPU is. The line may wait for the log's lock, but
 * not for ever.
 */
static void non_maskable_interrupt(const struct trap_frame *frame)
{
	struct cpu *cpu = cpu_current();

	cpu->nmis++;
	log_line("nmi: cpu %u rip 0x%lx", cpu->index, frame->rip);
}

/*
 * A program that traces itself has traced SYSCALL. Processors see that the flag is masked by then, and say nothing;
 * where one does not (Bochs 2.7), the exception comes before the first instruction of the kernel, with the program's
 * stack and GS base. To go on is right: the flag comes back with SYSRET, and so does the exception.
 */
static bool is_trace_of_system_call(const struct trap_frame *frame)
{
	return frame->vector == TRAP_DEBUG && frame->rip == (uint64_t)syscall_entry;
}

/* Another CPU's panic stops this one by an NMI. */
static void exception_on_own_stack(struct trap_frame *frame)
{
	if (frame->vector == TRAP_NMI)
		panic_stop_if_on();
	if (probe_ends(frame) || is_trace_of_system_call(frame))
		return;
	if (frame->vector != TRAP_NMI)
		panic_trap(frame);
	non_maskable_interrupt(frame);
}

static void exception(struct trap_frame *frame)
{
	uint64_t fault_address = frame->vector == TRAP_PAGE_FAULT ? cr2_read() : 0;

	if (is_on_own_stack(frame))
		exception_on_own_stack(frame);
	else if (trap_is_from_user(frame))
		task_user_trap(frame, fault_address);
	else if (!apply_fixup(frame) && !probe_ends(frame))
		panic_trap(frame);
}

/* They end only when they are done, so that they do not nest. */
static void interrupt(const struct trap_frame *frame)
{
	struct cpu *cpu = cpu_current();

	cpu->interrupts++;
	switch (frame->vector) {
	case TRAP_TIMER:
		__atomic_fetch_or(&cpu->attention, CPU_ATTENTION_TIMER, __ATOMIC_RELAXED);
		apic_end();
		break;
	case TRAP_RESCHEDULE:
		apic_end(); /* the sender has written the attention word */
		break;
	case TRAP_SHOOTDOWN:
		tlb_poll();
		apic_end();
		break;
	case TRAP_CALL:
		smp_answer();
		apic_end();
		break;
	case TRAP_SERIAL:
		if (serial_interrupt())
			__atomic_fetch_or(&cpu->attention, CPU_ATTENTION_INPUT, __ATOMIC_RELAXED);
		apic_end();
		break;
	default:
		/* Spurious ones, of the APIC (its own vector) or the masked PIC, are not in service: no end. */
		break;
	}
}

/*
 * Whether the way back is to ring 3 on the thread's own kernel stack, the only one that a thread may be left on. Looks
 * at the frame alone: GS may be the program's (apply_fixup).
 */
static bool returns_to_program(const struct trap_frame *frame)
{
	return trap_is_from_user(frame) && !is_on_own_stack(frame);
}

/* Back to where interrupts are on: a program, or a place of the kernel where they may come. */
static void leave(const struct trap_frame *frame)
{
	if (trap_is_from_user(frame))
		lock_watch_none_held();
	time_limit_interrupts_on();
}

/*
 * A thread may come back from both calls on another CPU than it came in on, whose GS, TSS and loaded segments are then
 * right for it: so the word is looked up anew, and trap_entry.S uses nothing but the frame after this.
 */
void trap_dispatch(struct trap_frame *frame)
{
	const bool interrupts_were_on = (frame->rflags & FLAG_INTERRUPTS) != 0;

	if (interrupts_were_on)
		time_limit_interrupts_off();
	if (frame->vector < TRAP_EXCEPTIONS)
		exception(frame);
	else
		interrupt(frame);
	if (returns_to_program(frame) && __atomic_load_n(&cpu_current()->attention, __ATOMIC_RELAXED) != 0)
		task_before_user();
	if (interrupts_were_on)
		leave(frame);
}
