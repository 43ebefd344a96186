#include "user/runtime/thread_client.h"

#include "user/runtime/mutex.h"
#include "user/runtime/open_operation.h"
#include "user/runtime/ring_client.h"

enum status thread_client_create(struct thread_client client, const struct thread_begin *begin, uint64_t *thread_id)
{
	struct ring_submission *slot;

	/* Before there is a second thread. If it is refused, locks cost a little more than they must from here on. */
	mutex_threads = true;
	TRY(ring_client_begin(client.handle, THREAD_CONTROL_CREATE, &slot));
	slot->argument[0] = begin->entry;
	slot->argument[1] = begin->stack;
	slot->argument[2] = begin->tls;
	slot->argument[3] = begin->argument;
	slot->argument[4] = begin->priority;
	return ring_client_finish(thread_id);
}

enum status thread_client_exit(struct thread_client client, int64_t code)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, THREAD_CONTROL_EXIT, &slot));
	slot->argument[0] = (uint64_t)code;
	return ring_client_finish_plain();
}

enum status thread_client_wait(struct thread_client client, uint64_t thread_id, struct thread_exit *exit)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, THREAD_CONTROL_WAIT, &slot));
	slot->argument[0] = thread_id;
	slot->argument[1] = (uint64_t)exit;
	slot->argument[2] = sizeof(*exit);
	return ring_client_finish_plain();
}

enum status thread_client_wait_submit(struct thread_client client, uint64_t thread_id, struct thread_exit *exit,
				      uint64_t user_data)
{
	const struct open_operation_head head = { RING_CALL, THREAD_CONTROL_WAIT, client.handle };
	struct ring_submission *slot;

	TRY(open_operation_begin(head, user_data, &slot));
	slot->argument[0] = thread_id;
	slot->argument[1] = (uint64_t)exit;
	slot->argument[2] = sizeof(*exit);
	open_operation_finish();
	return STATUS_OK;
}

enum status thread_client_self(struct thread_client client, uint64_t *thread_id)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, THREAD_CONTROL_SELF, &slot));
	return ring_client_finish(thread_id);
}

enum status thread_client_set_priority(struct thread_client client, uint64_t thread_id, uint32_t priority)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, THREAD_CONTROL_SET_PRIORITY, &slot));
	slot->argument[0] = thread_id;
	slot->argument[1] = priority;
	return ring_client_finish_plain();
}

enum status thread_client_yield(struct thread_client client)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, THREAD_CONTROL_YIELD, &slot));
	return ring_client_finish_plain();
}
