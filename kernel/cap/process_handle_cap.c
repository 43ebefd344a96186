/* ProcessHandle: abi/process_abi.h. The dispatcher holds a use of the process during each call. */
#include "abi/process_abi.h"
#include "kernel/cap/call.h"
#include "kernel/task/process_end.h"
#include "lib/check.h"

#define KILLED_CODE 137 /* as a shell would say of signal 9 */

static enum status wait(struct call *call)
{
	struct operation *operation;

	GUARD(call->argument[1] == 0 || call->argument[1] >= sizeof(struct process_exit), STATUS_TOO_LONG);
	TRY(call_open(call, OPERATION_PROCESS_WAIT, OPERATION_FOREVER, &operation));
	operation->buffer = call->argument[0];
	operation->bytes = call->argument[1];
	process_end_wait(call->hold.object, operation);
	return STATUS_OK;
}

static enum status kill(struct call *call)
{
	struct process_exit exit = { .code = KILLED_CODE, .end = PROCESS_KILLED };

	process_end_begin(call->hold.object, &exit);
	return STATUS_OK;
}

static enum status statistics(struct call *call)
{
	struct process *process = call->hold.object;
	struct process_statistics result = { .process_id = process->id };

	process_read_statistics(process, &result.memory);
	result.run_ns = process_run_ns(process);
	spinlock_acquire(&process->lock);
	result.threads = process->live;
	result.ended = process->ended;
	spinlock_release(&process->lock);
	return call_write_result(call, call->argument[0], call->argument[1], &result, sizeof(result));
}

static call_handler_t *const handlers[] = {
	[PROCESS_HANDLE_WAIT] = wait,
	[PROCESS_HANDLE_KILL] = kill,
	[PROCESS_HANDLE_STATISTICS] = statistics,
};

_Static_assert(COUNT_OF(handlers) == PROCESS_HANDLE_OPERATION_COUNT, "a handler for each operation");

const struct call_table process_handle_calls = { handlers, COUNT_OF(handlers) };
