/* SystemControl: abi/system_control_abi.h. */
#include "abi/system_control_abi.h"

#include "kernel/arch/x86_64/halt.h"
#include "kernel/arch/x86_64/log.h"
#include "kernel/cap/call.h"
#include "kernel/mem/kernel_stack.h"
#include "kernel/mem/shortage.h"
#include "lib/check.h"

#define HALT_MAX_CODE 63u

static enum status halt(struct call *call)
{
	GUARD(call->argument[0] <= HALT_MAX_CODE, STATUS_BAD_ARGUMENT);
	log_line("halted by process %llu %s with code %llu", (unsigned long long)call->process->id, call->process->name,
		 (unsigned long long)call->argument[0]);
	machine_halt((uint32_t)call->argument[0]);
}

/* Memory runs out where a test wants it (kernel/mem/shortage.h). */
#ifdef CAPOS_FAULTS
static enum status shortage(struct call *call)
{
	const struct shortage_order order = {
		.places = (uint32_t)call->argument[0],
		.first = call->argument[1],
		.period = call->argument[2],
		.note = call->argument[3],
	};
	struct shortage_report report;

	GUARD((call->argument[0] & ~(uint64_t)SHORTAGE_EVERYWHERE) == 0, STATUS_BAD_ARGUMENT);
	(void)kernel_stack_trim(); /* what lies idle would hide the first of what is refused */
	shortage_begin(&order, &report);
	return call_write_result(call, call->argument[4], call->argument[5], &report, sizeof(report));
}
#else
static enum status shortage(struct call *call)
{
	(void)call;
	return STATUS_UNSUPPORTED;
}
#endif

static call_handler_t *const handlers[] = {
	[SYSTEM_CONTROL_HALT] = halt,
	[SYSTEM_CONTROL_SHORTAGE] = shortage,
};

_Static_assert(COUNT_OF(handlers) == SYSTEM_CONTROL_OPERATION_COUNT, "a handler for each operation");

const struct call_table system_control_calls = { handlers, COUNT_OF(handlers) };
