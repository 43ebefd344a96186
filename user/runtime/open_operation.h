/*
 * Operations that are handed over without waiting for them, for a thread that waits for several things at once: a
 * server that receives calls, sleeps and waits for a process in one loop.
 *
 *   open_operation_begin, the arguments, open_operation_finish      once for each operation; no system call
 *   open_operation_next                                             whichever of them completes next
 *   open_operation_cancel                                           one that is no longer wanted
 *
 * The typed clients' functions named *_submit do the first line. user_data is the caller's, below
 * RING_CLIENT_FIRST_TICKET. Buffers belong to the kernel until the completion was taken. A thread may have
 * RING_SQ_ENTRIES operations open that complete later. Calls that wait (typed clients, mutex, print) may come in
 * between: the completions that they meet stay in the queue for open_operation_next.
 *
 * All of it concerns the calling thread's ring alone.
 */
#ifndef CAPOS_USER_RUNTIME_OPEN_OPERATION_H
#define CAPOS_USER_RUNTIME_OPEN_OPERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/handle.h"
#include "abi/ring_abi.h"
#include "abi/status.h"
#include "user/runtime/ring_client.h"

/* What an operation is called and on what it works; `operation` means something for RING_CALL alone. */
struct open_operation_head {
	enum ring_opcode opcode;
	uint16_t operation;
	handle_t capability;
};

/* A slot of a full queue: the kernel takes what it can. BUSY: nothing, since completions must be taken first. */
enum status open_operation_make_room(struct ring_submission **slot);

/*
 * The slot with everything but the arguments filled in; open_operation_finish must follow, with no other operation in
 * between. WOULD_BLOCK, BUSY: the queue is full, and the kernel takes nothing before completions are taken.
 */
static inline enum status open_operation_begin(struct open_operation_head head, uint64_t user_data,
					       struct ring_submission **slot)
{
	struct ring_client *ring = &ring_client_current;

	if (UNLIKELY(ring_submit_slot(ring->page, slot) != STATUS_OK))
		TRY(open_operation_make_room(slot));
	ring_fill(*slot, head.opcode, head.operation, head.capability, user_data);
	return STATUS_OK;
}

/* Hand the slot over. The kernel takes it when the thread enters it next, for whatever reason. */
static inline void open_operation_finish(void)
{
	ring_publish(ring_client_current.page);
}

/* A user_data of the runtime's own, for an operation that open_operation_wait waits for. */
static inline uint64_t open_operation_ticket(void)
{
	return ring_client_current.next_ticket++;
}

/*
 * The next completion of an operation with the caller's user_data, in the order in which they came. timeout_ns 0 looks,
 * CAP_ENTER_FOREVER waits without end. TIMED_OUT: none came in the time, which begins anew when something else
 * completes. WOULD_BLOCK: without a timeout, and nothing is open that could complete.
 */
enum status open_operation_next(uint64_t timeout_ns, struct ring_completion *completion);

/* The oldest completion, if it is the one of that user_data or ticket: after an entry for it, it most often is. */
static inline bool open_operation_take_oldest(uint64_t user_data, struct ring_completion *completion)
{
	struct ring_page *page = ring_client_current.page;
	const struct ring_completion *oldest = &page->completion[page->header.cq_head % RING_CQ_ENTRIES];

	if (UNLIKELY(ring_completed(page) == 0 || oldest->user_data != user_data))
		return false;
	*completion = *oldest;
	/* Release: the reads above are done before the kernel sees the slot as free. */
	ring_store_release(&page->header.cq_head, page->header.cq_head + 1);
	return true;
}

/* The completion of the operation with that user_data or ticket, and no other. Times and statuses as above. */
enum status open_operation_wait(uint64_t user_data, uint64_t timeout_ns, struct ring_completion *completion);

/*
 * End the operation with that user_data or ticket: its completion, CANCELLED, waits to be taken, and its buffers are
 * the caller's again. Of several with one user_data, one. NOT_FOUND: none is open; one that was has completed, and its
 * completion waits with what came of it. BUSY: as for ring_client_wait; the operation may be open or not.
 */
enum status open_operation_cancel(uint64_t user_data);

#endif
