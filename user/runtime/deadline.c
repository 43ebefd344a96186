#include "user/runtime/deadline.h"

#include "user/runtime/capset_client.h"
#include "user/runtime/park_client.h"
#include "user/runtime/timer_client.h"

/* 0: the program was given no clock. */
static uint64_t now(void)
{
	struct timer_client timer;
	uint64_t nanoseconds;

	if (capset_client_find("timer", INTERFACE_TIMER, &timer.handle) != STATUS_OK)
		return 0;
	return timer_client_now(timer, &nanoseconds) == STATUS_OK ? nanoseconds : 0;
}

struct deadline deadline_after(uint64_t timeout_ns)
{
	struct deadline deadline = { timeout_ns, 0 };
	uint64_t start;

	if (timeout_ns == PARK_FOREVER)
		return deadline;
	start = now();
	if (start != 0 && __builtin_add_overflow(start, timeout_ns, &deadline.end_ns))
		deadline.end_ns = UINT64_MAX;
	return deadline;
}

uint64_t deadline_left(const struct deadline *deadline)
{
	uint64_t time;

	if (deadline->end_ns == 0)
		return deadline->timeout_ns;
	time = now();
	return time < deadline->end_ns ? deadline->end_ns - time : 0;
}
