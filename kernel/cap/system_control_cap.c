/* SystemControl: abi/system_control_abi.h. */
#include "abi/system_control_abi.h"

#include "kernel/arch/x86_64/halt.h"
#include "kernel/arch/x86_64/log.h"
#include "kernel/cap/call.h"
#include "lib/check.h"

#define HALT_MAX_CODE 63u

static enum status halt(struct call *call)
{
	GUARD(call->argument[0] <= HALT_MAX_CODE, STATUS_BAD_ARGUMENT);
	log_line("halted by process %llu %s with code %llu", (unsigned long long)call->process->id, call->process->name,
		 (unsigned long long)call->argument[0]);
	machine_halt((uint32_t)call->argument[0]);
}

static call_handler_t *const handlers[] = { [SYSTEM_CONTROL_HALT] = halt };

_Static_assert(COUNT_OF(handlers) == SYSTEM_CONTROL_OPERATION_COUNT, "a handler for each operation");

const struct call_table system_control_calls = { handlers, COUNT_OF(handlers) };
