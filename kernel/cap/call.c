#include "kernel/cap/call.h"

#include "kernel/mem/user_access.h"
#include "lib/check.h"

enum status call_write_result(struct call *call, uint64_t buffer, uint64_t bytes, const void *result, uint64_t size)
{
	GUARD(bytes >= size, STATUS_TOO_LONG);
	return user_access_write(&call->process->space, buffer, size, result);
}
