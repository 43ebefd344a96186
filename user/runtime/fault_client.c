#include "user/runtime/fault_client.h"

#include "user/runtime/open_operation.h"
#include "user/runtime/ring_client.h"

enum status fault_client_set_handler(struct thread_client client, uint64_t thread_id)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, THREAD_CONTROL_SET_FAULT_HANDLER, &slot));
	slot->argument[0] = thread_id;
	return ring_client_finish_plain();
}

enum status fault_client_wait(struct thread_client client, struct thread_fault *fault)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, THREAD_CONTROL_FAULT_WAIT, &slot));
	slot->argument[0] = (uint64_t)fault;
	slot->argument[1] = sizeof(*fault);
	return ring_client_finish_plain();
}

enum status fault_client_wait_submit(struct thread_client client, struct thread_fault *fault, uint64_t user_data)
{
	const struct open_operation_head head = { RING_CALL, THREAD_CONTROL_FAULT_WAIT, client.handle };
	struct ring_submission *slot;

	TRY(open_operation_begin(head, user_data, &slot));
	slot->argument[0] = (uint64_t)fault;
	slot->argument[1] = sizeof(*fault);
	open_operation_finish();
	return STATUS_OK;
}

enum status fault_client_resume(struct thread_client client, uint64_t thread_id, enum thread_fault_action action)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, THREAD_CONTROL_FAULT_RESUME, &slot));
	slot->argument[0] = thread_id;
	slot->argument[1] = action;
	return ring_client_finish_plain();
}

/* Both are handed over before the kernel is entered; it comes back when both are done. */
enum status fault_client_resume_and_wait(struct thread_client client, uint64_t thread_id, struct thread_fault *fault)
{
	const struct open_operation_head head = { RING_CALL, THREAD_CONTROL_FAULT_RESUME, client.handle };
	const uint64_t resumed = open_operation_ticket(), told = open_operation_ticket();
	struct ring_client *ring = &ring_client_current;
	struct ring_completion completion;
	struct ring_submission *slot;

	TRY(open_operation_begin(head, resumed, &slot));
	slot->argument[0] = thread_id;
	slot->argument[1] = THREAD_FAULT_RETRY;
	open_operation_finish();
	TRY(fault_client_wait_submit(client, fault, told));
	if (ring_completed(ring->page) + 2 <= RING_CQ_ENTRIES)
		TRY(ring_client_enter(ring_completed(ring->page) + 2, CAP_ENTER_FOREVER));
	TRY(ring_client_wait(ring, told, &completion));
	TRY(ring_client_status(&completion));
	TRY(ring_client_wait(ring, resumed, &completion));
	return ring_client_status(&completion);
}
