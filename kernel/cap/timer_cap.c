/* Timer: abi/timer_abi.h. */
#include "abi/timer_abi.h"

#include "kernel/arch/x86_64/clock.h"
#include "kernel/cap/call.h"
#include "lib/check.h"

static enum status now(struct call *call)
{
	call->value = clock_now_ns();
	return STATUS_OK;
}

static enum status sleep(struct call *call)
{
	uint64_t start = clock_now_ns();
	uint64_t nanoseconds = call->argument[0];
	struct operation *operation;

	/* No sleep is for ever: it would be nobody's to complete. */
	return call_open(call, OPERATION_SLEEP,
			 nanoseconds >= OPERATION_FOREVER - start ? OPERATION_FOREVER - 1 : start + nanoseconds,
			 &operation);
}

static call_handler_t *const handlers[] = { [TIMER_NOW] = now, [TIMER_SLEEP] = sleep };

_Static_assert(COUNT_OF(handlers) == TIMER_OPERATION_COUNT, "a handler for each operation");

const struct call_table timer_calls = { handlers, COUNT_OF(handlers) };
