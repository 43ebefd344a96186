/*
 * Capabilities from one process's table to another's: all of a list, or none.
 *
 * transfer_prepare decides and charges: the sender's slots that move stop resolving, copies are held by a use, the
 * receiver has paid and its slots are reserved. transfer_commit publishes, which cannot fail; transfer_abort leaves no
 * trace but a page that the receiver's table may have grown by: it is for a receiver that is then discarded with its
 * table (spawn.c). An endpoint prepares when nothing else can fail any more. Both processes live on meanwhile. Two
 * tables are never locked together.
 *
 * What was copied, or was to be, is held by a use until transfer_finish. That one may be an object's last, if all who
 * hold it release it meanwhile, and then ends the object: so transfer_finish is called without a lock, once after each
 * transfer_prepare, whatever came of it. The other three may be called with an endpoint's lock held.
 */
#ifndef CAPOS_KERNEL_TASK_TRANSFER_H
#define CAPOS_KERNEL_TASK_TRANSFER_H

#include <stdbool.h>

#include "abi/capset.h"
#include "abi/status.h"
#include "abi/transfer_abi.h"
#include "kernel/task/process_capability.h"

struct transfer_item {
	handle_t source;
	enum transfer_kind kind;
	struct cap_hold hold;
	handle_t target;
	bool is_used; /* a use of the hold's object is to be ended */
};

struct transfer {
	struct process *from, *to;
	uint32_t count;
	struct transfer_item *item; /* [count]; source and kind filled in by the caller */
	enum status refusal;        /* after RECEIVER_LIMIT: of which ledger, or OUT_OF_MEMORY */
};

/*
 * NO_SUCH_CAPABILITY, NOT_TRANSFERABLE (the hold's mode forbids it, or the sender's end it could not survive);
 * RECEIVER_LIMIT: the receiver's ledgers, its table, or memory for it. Then nothing has changed.
 */
enum status transfer_prepare(struct transfer *transfer);

/* item[].target names each in the receiver's table. */
void transfer_commit(struct transfer *transfer);
void transfer_abort(struct transfer *transfer);

/* No locks. It may take long, in bounded steps. */
void transfer_finish_items(struct transfer *transfer);

static inline void transfer_finish(struct transfer *transfer)
{
	if (transfer->count != 0)
		transfer_finish_items(transfer);
}

#endif
