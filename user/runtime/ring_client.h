/*
 * The thread's end of its capability ring (abi/ring_abi.h). Each thread has its own and touches no other: nothing here
 * locks.
 *
 * Two ways to use it. ring_client_call() does one operation and waits for its completion; the typed clients stand on
 * it. Or by hand, for batches and for operations that take long, with the program side of lib/ring.h on `page`:
 * ring_submit_slot, fill it, ring_publish, ring_client_enter, ring_take. All of these are inline.
 *
 * The two mix in any order, print() included: waiting takes the completion that is waited for out of the queue,
 * wherever it stands, and leaves all others there, in their order. So none is ever anywhere but in the queue, and
 * ring_take and ring_client_wait find it. user_data of the caller's own submissions must stay below
 * RING_CLIENT_FIRST_TICKET, so that nobody else waits for it.
 *
 * Who leaves RING_CQ_ENTRIES completions of its own in the queue, or as many operations open as that has places left,
 * leaves no room for a call: BUSY. What was submitted then stays in the queue of submissions, and completes, with a
 * user_data from RING_CLIENT_FIRST_TICKET on, once there is room.
 */
#ifndef CAPOS_USER_RUNTIME_RING_CLIENT_H
#define CAPOS_USER_RUNTIME_RING_CLIENT_H

#include <stdint.h>

#include "abi/ring_abi.h"
#include "abi/status.h"
#include "lib/ring.h"
#include "user/runtime/system_call.h"

#define RING_CLIENT_FIRST_TICKET (UINT64_C(1) << 63)

struct ring_client {
	struct ring_page *page;
	uint64_t next_ticket; /* user_data of the next ring_client_call */
};

/* Of the thread that runs. */
extern _Thread_local struct ring_client ring_client_current __attribute__((tls_model("local-exec")));

/* Take hold of the thread's ring: UNSUPPORTED if it is of another version or size than lib/ring.h knows. */
enum status ring_client_init(struct ring_client *ring, struct ring_page *page);

/*
 * Let the kernel take what was published and wait until `min_complete` completions are there or the time is over
 * (CAP_ENTER_FOREVER: no end); ring_completed() says how many are. BAD_ARGUMENT: indices or `min_complete` are none
 * that a ring can have.
 */
static inline enum status ring_client_enter(uint32_t min_complete, uint64_t timeout_ns)
{
	int64_t result = system_call_cap_enter(min_complete, timeout_ns);

	return result < 0 ? (enum status) - result : STATUS_OK;
}

/* A slot after the kernel has taken what the queue held: WOULD_BLOCK if it took nothing. */
enum status ring_client_make_room(struct ring_client *ring, struct ring_submission **slot);

/* ring_client_wait for the result word alone. */
enum status ring_client_wait_value(struct ring_client *ring, uint64_t user_data, uint64_t *value);

/* What a completion of a kernel object says. */
static inline enum status ring_client_status(const struct ring_completion *completion)
{
	return completion->result < 0 ? (enum status) - completion->result : STATUS_OK;
}

/* For ring_client_take: any completion whose user_data is the caller's own. */
#define RING_CLIENT_ANY UINT64_MAX

/*
 * The completion with that user_data, or RING_CLIENT_ANY, if it is there, the oldest. WOULD_BLOCK:
 * it is not. BUSY: as for ring_client_wait.
 */
enum status ring_client_take(struct ring_client *ring, uint64_t wanted, struct ring_completion *completion);

/*
 * Wait for the completion with that user_data, of an operation that was submitted, entering as often as needed. BUSY:
 * the queue is full of others; take one, then wait again.
 */
enum status ring_client_wait(struct ring_client *ring, uint64_t user_data, struct ring_completion *completion);

/*
 * Submit one operation on the current thread's ring and wait for it; user_data is filled in here. Returns what the
 * operation answered; the completion is good for every answer that the kernel gave to it.
 */
enum status ring_client_call(const struct ring_submission *request, struct ring_completion *completion);

/* The same for a caller that wants only the answer. */
enum status ring_client_call_plain(const struct ring_submission *request);

/*
 * A call on a kernel object in two steps, for the typed clients: begin gives the slot with everything but the arguments
 * filled in; the caller writes those that the operation has; finish hands it over and waits. Between the two nothing
 * else may be submitted. The short way is inline: a call costs little more than its system call.
 */
static inline enum status ring_client_begin(handle_t capability, uint16_t operation, struct ring_submission **slot)
{
	struct ring_client *ring = &ring_client_current;

	if (UNLIKELY(ring_submit_slot(ring->page, slot) != STATUS_OK))
		TRY(ring_client_make_room(ring, slot));
	ring_fill(*slot, RING_CALL, operation, capability, ring->next_ticket);
	return STATUS_OK;
}

/* `value` gets the result word; it means something only if the answer is OK. */
static inline enum status ring_client_finish(uint64_t *value)
{
	struct ring_client *ring = &ring_client_current;
	struct ring_page *page = ring->page;
	const struct ring_completion *completion = &page->completion[page->header.cq_head % RING_CQ_ENTRIES];
	uint64_t ticket = ring->next_ticket++;
	int32_t result;

	ring_publish(page);
	TRY(ring_client_enter(1, CAP_ENTER_FOREVER));
	if (UNLIKELY(ring_completed(page) == 0 || completion->user_data != ticket))
		return ring_client_wait_value(ring, ticket, value);
	result = completion->result;
	*value = completion->value;
	/* Release: the reads above are done before the kernel sees the slot as free. */
	ring_store_release(&page->header.cq_head, page->header.cq_head + 1);
	return result < 0 ? (enum status) - result : STATUS_OK;
}

/* The same for a caller that wants only the answer. */
static inline enum status ring_client_finish_plain(void)
{
	uint64_t ignored;

	return ring_client_finish(&ignored);
}

/* Give up a capability, whatever it is: NO_SUCH_CAPABILITY. */
enum status ring_client_release(handle_t capability);

#endif
