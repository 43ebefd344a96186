#include "user/runtime/open_operation.h"

enum status open_operation_make_room(struct ring_submission **slot)
{
	enum status status = ring_client_make_room(&ring_client_current, slot);

	/* The kernel took nothing, since completions that nobody took fill the other queue. */
	return status == STATUS_WOULD_BLOCK ? STATUS_BUSY : status;
}

static enum status wait_for(uint64_t wanted, uint64_t timeout_ns, struct ring_completion *completion)
{
	struct ring_client *ring = &ring_client_current;
	enum status status;

	while ((status = ring_client_take(ring, wanted, completion)) == STATUS_WOULD_BLOCK) {
		uint32_t before = ring_completed(ring->page);

		TRY(ring_client_enter(before + 1, timeout_ns));
		if (ring_completed(ring->page) == before)
			return timeout_ns == CAP_ENTER_FOREVER ? STATUS_WOULD_BLOCK : STATUS_TIMED_OUT;
	}
	return status;
}

enum status open_operation_next(uint64_t timeout_ns, struct ring_completion *completion)
{
	return wait_for(RING_CLIENT_ANY, timeout_ns, completion);
}

enum status open_operation_cancel(uint64_t user_data)
{
	const struct ring_submission request = { .opcode = RING_CANCEL, .argument = { user_data } };

	return ring_client_call_plain(&request);
}

enum status open_operation_wait(uint64_t user_data, uint64_t timeout_ns, struct ring_completion *completion)
{
	return wait_for(user_data, timeout_ns, completion);
}
