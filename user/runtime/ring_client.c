#include "user/runtime/ring_client.h"

_Thread_local struct ring_client ring_client_current;

enum status ring_client_init(struct ring_client *ring, struct ring_page *page)
{
	TRY(ring_check(page));
	ring->page = page;
	ring->next_ticket = RING_CLIENT_FIRST_TICKET;
	return STATUS_OK;
}

static bool is_wanted(uint64_t wanted, uint64_t user_data)
{
	return wanted == RING_CLIENT_ANY ? user_data < RING_CLIENT_FIRST_TICKET : user_data == wanted;
}

static struct ring_completion *completion_at(struct ring_page *page, uint32_t index)
{
	return &page->completion[index % RING_CQ_ENTRIES];
}

/*
 * Take the oldest completion that is wanted out of the queue. Those before it move up by one place: between cq_head and
 * cq_tail the queue is the program's. WOULD_BLOCK: it is not there. BUSY: nor is there room for it.
 */
enum status ring_client_take(struct ring_client *ring, uint64_t wanted, struct ring_completion *completion)
{
	struct ring_page *page = ring->page;
	const uint32_t head = page->header.cq_head;
	const uint32_t waiting = ring_completed(page);

	for (uint32_t i = 0; i < waiting; i++) {
		if (!is_wanted(wanted, completion_at(page, head + i)->user_data))
			continue;
		*completion = *completion_at(page, head + i);
		for (uint32_t j = i; j > 0; j--)
			*completion_at(page, head + j) = *completion_at(page, head + j - 1);
		/* Release: the queue is as it shall be before the kernel sees the slot as free. */
		ring_store_release(&page->header.cq_head, head + 1);
		return STATUS_OK;
	}
	return waiting < RING_CQ_ENTRIES ? STATUS_WOULD_BLOCK : STATUS_BUSY;
}

enum status ring_client_wait(struct ring_client *ring, uint64_t user_data, struct ring_completion *completion)
{
	enum status status;

	while ((status = ring_client_take(ring, user_data, completion)) == STATUS_WOULD_BLOCK)
		TRY(ring_client_enter(ring_completed(ring->page) + 1, CAP_ENTER_FOREVER));
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
