/* ThreadControl: abi/thread_control_abi.h, for the process that it is bound to. */
#include "abi/thread_control_abi.h"

#include "kernel/cap/call.h"
#include "kernel/task/fault_handler.h"
#include "kernel/task/process_end.h"
#include "kernel/task/process_thread.h"
#include "kernel/task/scheduler.h"
#include "lib/check.h"

static enum status create(struct call *call)
{
	struct thread_start start = {
		.entry = call->argument[0],
		.stack = call->argument[1],
		.tls = call->argument[2],
		.argument = call->argument[3],
		.priority = (uint32_t)call->argument[4],
	};
	struct thread *thread;

	GUARD(call->argument[4] < THREAD_PRIORITIES, STATUS_BAD_ARGUMENT);
	TRY(process_thread_create(call->process, &start, &thread, &call->value));
	scheduler_add(thread);
	return STATUS_OK;
}

/* The dispatcher holds nothing for this interface, so nothing is left behind. */
static enum status leave(struct call *call)
{
	process_end_thread((int64_t)call->argument[0]);
}

static enum status wait(struct call *call)
{
	struct operation *operation;
	enum status status;

	GUARD(call->argument[2] == 0 || call->argument[2] >= sizeof(struct thread_exit), STATUS_TOO_LONG);
	TRY(call_open(call, OPERATION_THREAD_WAIT, OPERATION_FOREVER, &operation));
	operation->buffer = call->argument[1];
	operation->bytes = call->argument[2];
	status = process_thread_wait(call->argument[0], operation);
	return status == STATUS_OK ? STATUS_OK : call_abandon(call, operation, status);
}

static enum status self(struct call *call)
{
	call->value = process_thread_id(call->process, call->thread);
	return STATUS_OK;
}

static enum status set_priority(struct call *call)
{
	return process_thread_set_priority(call->process, call->argument[0], call->argument[1]);
}

static enum status yield(struct call *call)
{
	(void)call;
	scheduler_yield();
	return STATUS_OK;
}

static enum status set_fault_handler(struct call *call)
{
	return fault_handler_set(call->process, call->argument[0]);
}

static enum status fault_wait(struct call *call)
{
	struct operation *operation;
	enum status status;

	GUARD(call->argument[1] == 0 || call->argument[1] >= sizeof(struct thread_fault), STATUS_TOO_LONG);
	TRY(call_open(call, OPERATION_FAULT_WAIT, OPERATION_FOREVER, &operation));
	operation->buffer = call->argument[0];
	operation->bytes = call->argument[1];
	status = fault_handler_wait(operation);
	return status == STATUS_OK ? STATUS_OK : call_abandon(call, operation, status);
}

static enum status fault_resume(struct call *call)
{
	GUARD(call->argument[1] < THREAD_FAULT_ACTION_COUNT, STATUS_BAD_ARGUMENT);
	return fault_handler_resume(call->process, call->argument[0], (enum thread_fault_action)call->argument[1]);
}

static call_handler_t *const handlers[] = {
	[THREAD_CONTROL_CREATE] = create,
	[THREAD_CONTROL_EXIT] = leave,
	[THREAD_CONTROL_WAIT] = wait,
	[THREAD_CONTROL_SELF] = self,
	[THREAD_CONTROL_SET_PRIORITY] = set_priority,
	[THREAD_CONTROL_YIELD] = yield,
	[THREAD_CONTROL_SET_FAULT_HANDLER] = set_fault_handler,
	[THREAD_CONTROL_FAULT_WAIT] = fault_wait,
	[THREAD_CONTROL_FAULT_RESUME] = fault_resume,
};

_Static_assert(COUNT_OF(handlers) == THREAD_CONTROL_OPERATION_COUNT, "a handler for each operation");

const struct call_table thread_control_calls = { handlers, COUNT_OF(handlers) };
