#include "kernel/debug/protection_stacks.h"

#include <stdbool.h>

#include "abi/memory_layout.h"
#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/probe.h"
#include "kernel/arch/x86_64/probe_step.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/debug/protection_report.h"
#include "lib/check.h"

#define UNMAPPED UINT64_C(0x10000) /* in the user half, where the kernel's root has nothing */
#define HOLE UINT64_C(0x0000900000000000)

#define ANY NEEDS_NOTHING

struct stack_case {
	struct expectation expected;
	void (*step)(uint64_t argument);
	uint64_t argument;
	enum interrupt_stack stack;
};

/* clang-format off */
static const struct stack_case cases[] = {
	{ { "ist-double-fault", ANY, OUTCOME_EXCEPTION(TRAP_DOUBLE_FAULT), {}, {} },
		probe_step_push, UNMAPPED, INTERRUPT_STACK_DOUBLE_FAULT },
	{ { "ist-double-fault-in-the-hole", ANY, OUTCOME_EXCEPTION(TRAP_DOUBLE_FAULT), {}, {} },
		probe_step_push, HOLE, INTERRUPT_STACK_DOUBLE_FAULT },
	{ { "ist-nmi", ANY, OUTCOME_EXCEPTION(TRAP_NMI), {}, {} },
		probe_step_call_nmi_gate, 0, INTERRUPT_STACK_NMI },
	{ { "ist-machine-check", ANY, OUTCOME_EXCEPTION(TRAP_MACHINE_CHECK), {}, {} },
		probe_step_call_machine_check_gate, 0, INTERRUPT_STACK_MACHINE_CHECK },
	{ { "no-ist-invalid-opcode", ANY, OUTCOME_EXCEPTION(TRAP_INVALID_OPCODE), {}, {} },
		probe_step_undefined, 0, INTERRUPT_STACK_NONE },
	{ { "no-ist-page-fault", ANY, OUTCOME_PAGE_FAULT(0), {}, {} },
		probe_step_read, UNMAPPED, INTERRUPT_STACK_NONE },
	{ { "no-ist-breakpoint", ANY, OUTCOME_EXCEPTION(TRAP_BREAKPOINT), {}, {} },
		probe_step_breakpoint, 0, INTERRUPT_STACK_NONE },
	{ { "no-ist-divide", ANY, OUTCOME_EXCEPTION(TRAP_DIVIDE_ERROR), {}, {} },
		probe_step_divide_by_zero, 0, INTERRUPT_STACK_NONE },
	{ { "ist-debug", ANY, OUTCOME_EXCEPTION(TRAP_DEBUG), {}, {} },
		probe_step_trace, 0, INTERRUPT_STACK_DEBUG },
};
/* clang-format on */

/* A stack of its own begins anew each time; else the frame lies a little below where we are. */
static bool is_on(enum interrupt_stack stack, uint64_t frame)
{
	uint64_t here = (uint64_t)__builtin_frame_address(0);

	if (stack == INTERRUPT_STACK_NONE)
		return here - frame < PAGE_SIZE;
	return frame + sizeof(struct trap_frame) == cpu_current()->task_state.ist[stack - 1];
}

static void run(const struct stack_case *at)
{
	struct outcome seen = { OUTCOME_ALLOWED, 0, 0 };
	struct probe_fault fault;

	if (!probe_call(at->step, at->argument, &fault))
		seen = (struct outcome){ is_on(at->stack, fault.frame) ? OUTCOME_FAULT : OUTCOME_WRONG_STACK,
					 (uint32_t)fault.vector, (uint32_t)fault.error };
	protection_report_seen(&at->expected, seen);
}

void protection_stacks_run(void)
{
	for (uint32_t i = 0; i < COUNT_OF(cases); i++)
		if (protection_report_can_ask(&cases[i].expected))
			run(&cases[i]);
}
