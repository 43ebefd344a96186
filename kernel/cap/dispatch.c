#include "kernel/cap/dispatch.h"

#include <stddef.h>

#include "kernel/arch/x86_64/interrupt_window.h"
#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/cap/call.h"
#include "kernel/mem/kernel_stack.h"
#include "kernel/mem/shortage.h"
#include "kernel/task/process_capability.h"
#include "kernel/task/process_end.h"
#include "kernel/task/scheduler.h"
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
	[INTERFACE_PROCESS_SPAWNER] = &process_spawner_calls,
	[INTERFACE_PROCESS_HANDLE] = &process_handle_calls,
	[INTERFACE_THREAD_CONTROL] = &thread_control_calls,
	[INTERFACE_PARK_SPACE] = &park_space_calls,
	[INTERFACE_ENDPOINT_FACTORY] = &endpoint_factory_calls,
	[INTERFACE_ENDPOINT] = &endpoint_calls,
	[INTERFACE_ENDPOINT_CLIENT] = NULL, /* every operation number is a method of its owner's */
};

static inline enum status call_object(struct call *call, uint64_t first)
{
	const struct call_table *calls;
	enum status status = STATUS_UNSUPPORTED;

	TRY(process_capability_use(call->process, ring_first_capability(first), &call->hold));
	calls = calls_of_interface[call->hold.interface];
	if (UNLIKELY(calls == NULL)) {
		call->accepts = ring_first_accepts(first);
		status = endpoint_cap_call(call);
	} else if (LIKELY(call->operation < calls->count) && LIKELY(ring_first_accepts(first) == 0)) {
		status = calls->handler[call->operation](call);
	}
	hold_end_use(&call->hold);
	return status;
}

/* An opcode that is for one interface alone. */
static enum status call_interface(struct call *call, handle_t capability, enum interface_id interface,
				  call_handler_t *handler)
{
	enum status status;

	TRY(process_capability_use_interface(call->process, capability, interface, &call->hold));
	status = handler(call);
	hold_end_use(&call->hold);
	return status;
}

/* `first` is the submission's first word. */
static inline enum status carry_out(struct call *call, uint64_t first)
{
	const handle_t capability = ring_first_capability(first);

	GUARD(ring_first_opcode(first) < RING_OPCODE_COUNT, STATUS_UNSUPPORTED);
	GUARD(ring_first_opcode(first) == RING_CALL || ring_first_accepts(first) == 0, STATUS_UNSUPPORTED);
	call->operation = ring_first_operation(first);
	switch ((enum ring_opcode)ring_first_opcode(first)) {
	case RING_NOP:
		return STATUS_OK;
	case RING_CALL:
		return call_object(call, first);
	case RING_RELEASE:
		scheduler_keep_running(); /* it may take long */
		return process_capability_release(call->process, capability);
	case RING_RECEIVE:
		return call_interface(call, capability, INTERFACE_ENDPOINT, endpoint_cap_receive);
	case RING_RETURN:
		return call_interface(call, capability, INTERFACE_ENDPOINT, endpoint_cap_return);
	case RING_PARK:
		return call_interface(call, capability, INTERFACE_PARK_SPACE, park_space_cap_park);
	case RING_UNPARK:
		return call_interface(call, capability, INTERFACE_PARK_SPACE, park_space_cap_unpark);
	case RING_CANCEL:
		return operation_cancel(call->thread, call->argument[0]);
	case RING_OPCODE_COUNT:
		return STATUS_UNSUPPORTED;
	}
	return STATUS_UNSUPPORTED;
}

/* The oldest submission. What completes later has its place in the queue set aside by thread->open_count. */
static inline void carry_out_next(struct thread *thread)
{
	struct ring_kernel *state = &thread->ring_state;
	const uint64_t place = ring_kernel_first(state);
	bool may_repeat = true;
	struct call call;
	enum status status;
	uint64_t first;

	call.process = thread->process;
	call.thread = thread;
	call.user_data = ring_read_user_data(thread->ring, place);
	ring_read_arguments(thread->ring, place, call.argument);
	call.value = 0;
	call.is_open = false;
	call.capability = HANDLE_NONE;
	call.interface = INTERFACE_NONE;
	first = ring_read_first(thread->ring, place);
	ring_kernel_advance(state);
	/* A call that failed has changed nothing: once more, if frames lay idle. */
	while ((status = carry_out(&call, first)) == STATUS_OUT_OF_MEMORY && may_repeat && kernel_stack_trim() != 0)
		may_repeat = false;
	shortage_tell(status);
	if (call.is_open)
		return;
	thread->refused += status != STATUS_OK;
	ring_kernel_write(state, thread->ring,
			  &(struct ring_completion){
				  .user_data = call.user_data,
				  .result = -(int32_t)status,
				  .flags = call.capability != HANDLE_NONE,
				  .value = call.value,
				  .capability = call.capability,
				  .interface = call.interface,
			  });
}

_Static_assert(COMPLETION_HAS_CAPABILITY == 1, "the flag is the truth value above");

/*
 * Between two submissions: others may want the CPU, or the end of the process. Whom the last one handed over to waits
 * for this thread to sleep, which a long batch would delay: any other CPU may have it then.
 */
static inline void attend(const struct thread *thread)
{
	if (LIKELY(cpu_current()->attention == 0 && !process_end_is_asked(thread->process)))
		return;
	scheduler_keep_running();
	task_before_user();
}

uint64_t dispatch_queue(struct thread *thread, uint64_t pending, uint64_t waiting)
{
	const uint64_t taken = thread->ring_state.cq_tail - waiting; /* by the program */

	while (pending != 0 && waiting + thread->open_count < RING_CQ_ENTRIES) {
		carry_out_next(thread);
		waiting = thread->ring_state.cq_tail - taken;
		if (--pending == 0)
			break;
		interrupt_window_open();
		attend(thread);
	}
	ring_kernel_publish(&thread->ring_state, thread->ring);
	return waiting;
}
