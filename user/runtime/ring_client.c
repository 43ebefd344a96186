#include "user/runtime/ring_client.h"

#include <stdbool.h>

_Thread_local struct ring_client ring_client_current;

enum status ring_client_init(struct ring_client *ring, struct ring_page *page)
{
	TRY(ring_check(page));
	ring->page = page;
	ring->next_ticket = RING_CLIENT_FIRST_TICKET;
	ring->set_aside = 0;
	return STATUS_OK;
}

static bool is_wanted(uint64_t wanted, uint64_t user_data)
{
	return wanted == RING_CLIENT_ANY ? user_data < RING_CLIENT_FIRST_TICKET : user_data == wanted;
}

static bool take_from_aside(struct ring_client *ring, uint64_t wanted, struct ring_completion *completion)
{
	for (uint32_t i = 0; i < ring->set_aside; i++) {
		if (!is_wanted(wanted, ring->aside[i].user_data))
			continue;
		*completion = ring->aside[i];
		/* The others keep their order: it is the order in which they completed. */
		for (uint32_t j = i + 1; j < ring->set_aside; j++)
			ring->aside[j - 1] = ring->aside[j];
		ring->set_aside--;
		return true;
	}
	return false;
}

/* Take completions off the queue up to the wanted one. WOULD_BLOCK: the queue is empty and it was not there. */
static enum status take_from_queue(struct ring_client *ring, uint64_t wanted, struct ring_completion *completion)
{
	struct ring_completion next;

	while (ring->set_aside < RING_CQ_ENTRIES) {
		TRY(ring_take(ring->page, &next));
		if (is_wanted(wanted, next.user_data)) {
			*completion = next;
			return STATUS_OK;
		}
		ring->aside[ring->set_aside++] = next;
	}
	return STATUS_BUSY;
}

enum status ring_client_take(struct ring_client *ring, uint64_t wanted, struct ring_completion *completion)
{
	if (take_from_aside(ring, wanted, completion))
		return STATUS_OK;
	return take_from_queue(ring, wanted, completion);
}

enum status ring_client_wait(struct ring_client *ring, uint64_t user_data, struct ring_completion *completion)
{
	enum status status;

	while ((status = ring_client_take(ring, user_data, completion)) == STATUS_WOULD_BLOCK)
		TRY(ring_client_enter(1, CAP_ENTER_FOREVER));
	return status;
}

enum status ring_client_make_room(struct ring_client *ring, struct ring_submission **slot)
{
	TRY(ring_client_enter(0, 0));
	return ring_submit_slot(ring->page, slot);
}

enum status ring_client_wait_value(struct ring_client *ring, uint64_t user_data, uint64_t *value)
{
	struct ring_completion completion;

	TRY(ring_client_wait(ring, user_data, &completion));
	*value = completion.value;
	return ring_client_status(&completion);
}

enum status ring_client_call(const struct ring_submission *request, struct ring_completion *completion)
{
	struct ring_client *ring = &ring_client_current;
	uint64_t ticket = ring->next_ticket++;
	struct ring_submission *slot;

	if (ring_submit_slot(ring->page, &slot) != STATUS_OK)
		TRY(ring_client_make_room(ring, &slot));
	*slot = *request;
	slot->user_data = ticket;
	ring_publish(ring->page);
	TRY(ring_client_enter(1, CAP_ENTER_FOREVER));
	TRY(ring_client_wait(ring, ticket, completion));
	return ring_client_status(completion);
}

enum status ring_client_call_plain(const struct ring_submission *request)
{
	struct ring_completion completion;

	return ring_client_call(request, &completion);
}

enum status ring_client_release(handle_t capability)
{
	struct ring_submission request = { .opcode = RING_RELEASE, .capability = capability };

	return ring_client_call_plain(&request);
}
