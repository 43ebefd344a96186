#include "kernel/cap/dispatch.h"

#include <stddef.h>

#include "kernel/cap/call.h"
#include "kernel/mem/user_access.h"
#include "lib/check.h"

static const struct call_table *const calls_of_interface[INTERFACE_COUNT] = {
	[INTERFACE_NONE] = NULL,
	[INTERFACE_FRAME_ALLOCATOR] = &frame_alloc_calls,
	[INTERFACE_VIRTUAL_MEMORY] = &virtual_memory_calls,
	[INTERFACE_MEMORY_OBJECT] = &memory_object_calls,
	[INTERFACE_CONSOLE] = &console_calls,
	[INTERFACE_TIMER] = &timer_calls,
	[INTERFACE_BOOT_PACKAGE] = &boot_package_calls,
	[INTERFACE_INSPECTOR] = &inspector_calls,
	[INTERFACE_SYSTEM_CONTROL] = &system_control_calls,
};

enum status call_write_result(struct call *call, uint64_t buffer, uint64_t bytes, const void *result, uint64_t size)
{
	GUARD(bytes >= size, STATUS_TOO_LONG);
	return user_access_write(&call->process->space, buffer, size, result);
}

static enum status call_object(struct thread *thread, const struct ring_submission *submission,
			       struct ring_completion *completion, bool *is_open)
{
	struct process *process = thread->process;
	const struct call_table *calls;
	struct cap_hold hold;
	enum status status;
	struct call call = {
		.process = process,
		.thread = thread,
		.hold = &hold,
		.argument = submission->argument,
		.user_data = submission->user_data,
	};

	TRY(process_use_capability(process, submission->capability, &hold));
	calls = calls_of_interface[hold.interface];
	status = STATUS_UNSUPPORTED;
	if (submission->operation < calls->count)
		status = calls->handler[submission->operation](&call);
	process_end_use(&hold);
	*is_open = call.is_open;
	completion->value = call.value;
	if (call.capability != HANDLE_NONE) {
		completion->flags = COMPLETION_HAS_CAPABILITY;
		completion->capability = call.capability;
		completion->interface = call.interface;
	}
	return status;
}

static enum status carry_out(struct thread *thread, const struct ring_submission *submission,
			     struct ring_completion *completion, bool *is_open)
{
	GUARD(submission->flags == 0, STATUS_UNSUPPORTED);
	GUARD(submission->opcode < RING_OPCODE_COUNT, STATUS_UNSUPPORTED);
	switch ((enum ring_opcode)submission->opcode) {
	case RING_NOP:
		return STATUS_OK;
	case RING_CALL:
		return call_object(thread, submission, completion, is_open);
	case RING_RELEASE:
		return process_release_capability(thread->process, submission->capability);
	case RING_RECEIVE:
	case RING_RETURN:
	case RING_PARK:
	case RING_UNPARK:
	case RING_OPCODE_COUNT:
		return STATUS_UNSUPPORTED;
	}
	return STATUS_UNSUPPORTED;
}

bool dispatch_submission(struct thread *thread, const struct ring_submission *submission,
			 struct ring_completion *completion)
{
	bool is_open = false;
	enum status status;

	*completion = (struct ring_completion){ .user_data = submission->user_data };
	status = carry_out(thread, submission, completion, &is_open);
	completion->result = -(int32_t)status;
	thread->refused += status != STATUS_OK;
	return !is_open;
}
