/*
 * A process's resource ledger with its lock. A floor below processes: spaces, objects and tables get it as a parameter.
 */
#ifndef CAPOS_KERNEL_MEM_ACCOUNT_H
#define CAPOS_KERNEL_MEM_ACCOUNT_H

#include "abi/status.h"
#include "kernel/arch/x86_64/spinlock.h"
#include "kernel/mem/frame.h"
#include "lib/check.h"
#include "lib/ledger.h"

struct account {
	struct spinlock lock;
	struct resource_ledger ledger; /* lock */
};

/* What one operation takes or gives back, of all ledgers at once. */
struct charge {
	uint32_t kinds; /* bit per enum ledger_kind whose amount is not 0 */
	uint64_t amount[LEDGER_COUNT];
};

/* Add to what a charge takes of one ledger. */
static inline void charge_add(struct charge *charge, enum ledger_kind kind, uint64_t amount)
{
	charge->amount[kind] += amount;
	charge->kinds |= (uint32_t)(amount != 0) << kind;
}

/*
 * Charge, and promise frames, as one step, all or nothing: the OVER_ status of the first ledger that refuses, or
 * OUT_OF_MEMORY. A refusal has changed nothing, not even a peak. Locks that may be held: lock_order.c.
 *
 * Here and in account_refund each ledger is looked at by a constant index, so that of a caller whose charge is in plain
 * sight nothing is left but its own ledgers.
 */
static inline enum status account_charge_and_promise(struct account *account, const struct charge *charge,
						     uint64_t frames)
{
	enum status status = STATUS_OK;

	spinlock_acquire(&account->lock);
	UNROLLED
	for (uint32_t kind = 0; kind < LEDGER_COUNT && status == STATUS_OK; kind++)
		if (UNLIKELY(!resource_ledger_has_room(&account->ledger, (enum ledger_kind)kind, charge->amount[kind])))
			status = ledger_refusal((enum ledger_kind)kind);
	if (status == STATUS_OK && frames != 0)
		status = frame_promise(frames);
	if (LIKELY(status == STATUS_OK)) {
		UNROLLED
		for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
			account->ledger.of[kind].used += charge->amount[kind];
	}
	spinlock_release(&account->lock);
	return status;
}

/* Give back. */
static inline void account_refund(struct account *account, const struct charge *charge)
{
	spinlock_acquire(&account->lock);
	UNROLLED
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		if (charge->amount[kind] != 0)
			resource_ledger_refund(&account->ledger, (enum ledger_kind)kind, charge->amount[kind]);
	spinlock_release(&account->lock);
}

/* Take a charge back as if it had never been: for an operation that failed after it. Peaks go back too. */
void account_cancel(struct account *account, const struct charge *charge);

/* One ledger only. */
void account_refund_one(struct account *account, enum ledger_kind kind, uint64_t amount);

void account_read(struct account *account, struct resource_ledger *copy);

#endif
