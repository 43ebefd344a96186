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

	TRY(call_open(call, OPERATION_SLEEP, &operation));
	operation->deadline = nanoseconds >= UINT64_MAX - start ? UINT64_MAX - 1 : start + nanoseconds;
	return STATUS_OK;
}

static call_handler_t *const handlers[] = { [TIMER_NOW] = now, [TIMER_SLEEP] = sleep };

_Static_assert(COUNT_OF(handlers) == TIMER_OPERATION_COUNT, "a handler for each operation");

const struct call_table timer_calls = { handlers, COUNT_OF(handlers) };
