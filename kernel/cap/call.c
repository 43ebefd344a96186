#include "kernel/cap/call.h"

#include "kernel/mem/user_access.h"
#include "kernel/task/process_capability.h"
#include "lib/check.h"

enum status call_write_result(struct call *call, uint64_t buffer, uint64_t bytes, const void *result, uint64_t size)
{
	GUARD(bytes >= size, STATUS_TOO_LONG);
	return user_access_write(&call->process->space, buffer, size, result);
}

enum status call_add_result(struct call *call, struct cap_hold *hold)
{
	enum status status;

	hold_add(hold);
	status = process_capability_add(call->process, hold, call->process->id, &call->capability);
	if (status != STATUS_OK) {
		hold_drop(hold);
		return status;
	}
	call->interface = hold->interface;
	return STATUS_OK;
}

enum status call_abandon(struct call *call, struct operation *operation, enum status status)
{
	operation_abandon(operation);
	call->is_open = false;
	return status;
}
