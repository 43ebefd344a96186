/* SystemControl: abi/system_control_abi.h. */
#include "abi/system_control_abi.h"

#include "kernel/arch/x86_64/halt.h"
#include "kernel/arch/x86_64/log.h"
#include "kernel/cap/call.h"
#include "kernel/cap/supervisor.h"
#include "kernel/mem/frame.h"
#include "kernel/mem/user_access.h"
#include "lib/check.h"

#define HALT_MAX_CODE 63u

static enum status halt(struct call *call)
{
	GUARD(call->argument[0] <= HALT_MAX_CODE, STATUS_BAD_ARGUMENT);
	log_line("halted by process %llu %s with code %llu", (unsigned long long)call->process->id, call->process->name,
		 (unsigned long long)call->argument[0]);
	machine_halt((uint32_t)call->argument[0]);
}

static enum status run_next(struct call *call)
{
	char command[SYSTEM_CONTROL_COMMAND_BYTES] = { 0 };

	GUARD(call->argument[1] != 0, STATUS_ZERO_LENGTH);
	GUARD(call->argument[1] < sizeof(command), STATUS_TOO_LONG);
	TRY(user_access_read(&call->process->space, call->argument[0], call->argument[1], command));
	return supervisor_set_next(command);
}

static enum status last_exit(struct call *call)
{
	struct last_exit result;

	TRY(supervisor_last_exit(&result));
	return call_write_result(call, call->argument[0], call->argument[1], &result, sizeof(result));
}

static call_handler_t *const handlers[] = {
	[SYSTEM_CONTROL_HALT] = halt,
	[SYSTEM_CONTROL_RUN_NEXT] = run_next,
	[SYSTEM_CONTROL_LAST_EXIT] = last_exit,
};

_Static_assert(COUNT_OF(handlers) == SYSTEM_CONTROL_OPERATION_COUNT, "a handler for each operation");

const struct call_table system_control_calls = { handlers, COUNT_OF(handlers) };
