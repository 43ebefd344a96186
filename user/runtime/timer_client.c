#include "user/runtime/timer_client.h"

#include "user/runtime/ring_client.h"

enum status timer_client_now(struct timer_client client, uint64_t *nanoseconds)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, TIMER_NOW, &slot));
	return ring_client_finish(nanoseconds);
}

enum status timer_client_sleep(struct timer_client client, uint64_t nanoseconds)
{
	struct ring_submission request = {
		.opcode = RING_CALL, .operation = TIMER_SLEEP, .capability = client.handle, .argument = { nanoseconds }
	};

	return ring_client_call_plain(&request);
}
