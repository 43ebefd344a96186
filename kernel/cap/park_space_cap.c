/* ParkSpace: abi/park_space_abi.h. PARK and UNPARK are opcodes of the ring; there are no other operations. */
#include "abi/park_space_abi.h"

#include <stddef.h>

#include "kernel/arch/x86_64/clock.h"
#include "kernel/cap/call.h"
#include "kernel/task/park.h"
#include "lib/check.h"

enum status park_space_cap_park(struct call *call)
{
	uint64_t timeout = call->argument[2];
	uint64_t now = timeout == UINT64_MAX ? 0 : clock_now_ns();
	uint64_t deadline = timeout > UINT64_MAX - now ? UINT64_MAX : now + timeout;
	struct operation *operation;
	enum status status;

	GUARD(call->argument[1] <= UINT32_MAX, STATUS_BAD_ARGUMENT);
	TRY(call_open(call, OPERATION_PARK, deadline, &operation));
	status = park_wait(operation, call->argument[0], (uint32_t)call->argument[1]);
	return status == STATUS_OK ? STATUS_OK : call_abandon(call, operation, status);
}

enum status park_space_cap_unpark(struct call *call)
{
	return park_wake(call->process, call->argument[0], call->argument[1], &call->value);
}

const struct call_table park_space_calls = { NULL, 0 };
