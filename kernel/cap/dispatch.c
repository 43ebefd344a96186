#include "kernel/cap/dispatch.h"

#include <stddef.h>

#include "kernel/cap/call.h"
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

static inline enum status call_object(struct call *call, handle_t capability, uint16_t operation)
{
	const struct call_table *calls;
	enum status status = STATUS_UNSUPPORTED;

	TRY(process_use_capability(call->process, capability, &call->hold));
	calls = calls_of_interface[call->hold.interface];
	if (LIKELY(operation < calls->count))
		status = calls->handler[operation](call);
	if (call->hold.interface == INTERFACE_MEMORY_OBJECT)
		process_end_use(&call->hold);
	return status;
}

/* `first` is the submission's first word: opcode, flags, operation, capability. */
static inline enum status carry_out(struct call *call, uint64_t first)
{
	GUARD((uint8_t)(first >> 8) == 0, STATUS_UNSUPPORTED);
	GUARD((uint8_t)first < RING_OPCODE_COUNT, STATUS_UNSUPPORTED);
	switch ((enum ring_opcode)(uint8_t)first) {
	case RING_NOP:
		return STATUS_OK;
	case RING_CALL:
		return call_object(call, (handle_t)(first >> 32), (uint16_t)(first >> 16));
	case RING_RELEASE:
		return process_release_capability(call->process, (handle_t)(first >> 32));
	case RING_RECEIVE:
	case RING_RETURN:
	case RING_PARK:
	case RING_UNPARK:
	case RING_OPCODE_COUNT:
		return STATUS_UNSUPPORTED;
	}
	return STATUS_UNSUPPORTED;
}

/* One submission; false if it completes later. */
static inline bool carry_out_slot(struct thread *thread, const struct ring_submission *slot,
				  struct ring_completion *answer)
{
	struct call call;
	enum status status;

	call.process = thread->process;
	call.thread = thread;
	call.user_data = ring_load_word(slot, 1);
	call.argument[0] = ring_load_word(slot, 2);
	call.argument[1] = ring_load_word(slot, 3);
	call.argument[2] = ring_load_word(slot, 4);
	call.argument[3] = ring_load_word(slot, 5);
	call.argument[4] = ring_load_word(slot, 6);
	call.argument[5] = ring_load_word(slot, 7);
	call.value = 0;
	call.is_open = false;
	call.capability = HANDLE_NONE;
	call.interface = INTERFACE_NONE;
	status = carry_out(&call, ring_load_word(slot, 0));
	thread->refused += status != STATUS_OK;
	if (call.is_open)
		return false;
	ring_store_word(answer, 0, call.user_data);
	ring_store_word(answer, 1, (uint64_t)(call.capability != HANDLE_NONE) << 32 | (uint32_t) - (int32_t)status);
	ring_store_word(answer, 2, call.value);
	ring_store_word(answer, 3, (uint64_t)call.interface << 32 | call.capability);
	return true;
}

_Static_assert(COMPLETION_HAS_CAPABILITY == 1, "the flag is the truth value above");

uint32_t dispatch_queue(struct thread *thread, uint32_t pending, uint32_t waiting)
{
	struct ring_page *ring = thread->ring;
	struct ring_kernel state = thread->ring_state;

	for (; pending != 0 && waiting + thread->open_count < RING_CQ_ENTRIES; pending--) {
		const struct ring_submission *slot = &ring->submission[state.sq_head++ % RING_SQ_ENTRIES];
		struct ring_completion *answer = &ring->completion[state.cq_tail % RING_CQ_ENTRIES];

		if (!carry_out_slot(thread, slot, answer))
			continue; /* it is open: thread->open_count sets its place in the queue aside */
		state.cq_tail++;
		waiting++;
	}
	thread->submissions += state.sq_head - thread->ring_state.sq_head;
	thread->ring_state = state;
	ring_kernel_publish(&state, ring);
	return waiting;
}
