#include "user/runtime/open_operation.h"

enum status open_operation_make_room(struct ring_submission **slot)
{
	struct ring_client *ring = &ring_client_current;
	struct ring_completion none;
	enum status status = ring_client_make_room(ring, slot);

	if (status != STATUS_WOULD_BLOCK)
		return status;
	/* Nothing has this ticket: all that waits in the queue is set aside. */
	GUARD(ring_client_take(ring, open_operation_ticket(), &none) == STATUS_WOULD_BLOCK, STATUS_BUSY);
	return ring_client_make_room(ring, slot);
}

static enum status wait_for(uint64_t wanted, uint64_t timeout_ns, struct ring_completion *completion)
{
	struct ring_client *ring = &ring_client_current;
	enum status status;

	while ((status = ring_client_take(ring, wanted, completion)) == STATUS_WOULD_BLOCK) {
		TRY(ring_client_enter(1, timeout_ns));
		if (ring_completed(ring->page) == 0)
			return timeout_ns == CAP_ENTER_FOREVER ? STATUS_WOULD_BLOCK : STATUS_TIMED_OUT;
	}
	return status;
}

enum status open_operation_next(uint64_t timeout_ns, struct ring_completion *completion)
{
	return wait_for(RING_CLIENT_ANY, timeout_ns, completion);
}

enum status open_operation_wait(uint64_t user_data, uint64_t timeout_ns, struct ring_completion *completion)
{
	return wait_for(user_data, timeout_ns, completion);
}
