#include "kernel/mem/account.h"

#include "kernel/mem/frame.h"
#include "lib/check.h"

/* The next ledger of a set of kinds, taken out of it. */
static uint32_t take_kind(uint32_t *kinds)
{
	uint32_t kind = (uint32_t)__builtin_ctz(*kinds);

	*kinds &= *kinds - 1;
	return kind;
}

/* Take the kinds of `done` back. Locked. */
static void cancel_kinds(struct account *account, const struct charge *charge, uint32_t done)
{
	while (done != 0) {
		uint32_t kind = take_kind(&done);

		resource_ledger_cancel(&account->ledger, (enum ledger_kind)kind, charge->amount[kind]);
	}
}

enum status account_charge_and_promise(struct account *account, const struct charge *charge, uint64_t frames)
{
	enum status status = STATUS_OK;
	uint32_t left = charge->kinds;

	spinlock_acquire(&account->lock);
	while (left != 0) {
		uint32_t rest = left;
		uint32_t kind = take_kind(&rest);

		status = resource_ledger_charge(&account->ledger, (enum ledger_kind)kind, charge->amount[kind]);
		if (UNLIKELY(status != STATUS_OK))
			break;
		left = rest;
	}
	if (status == STATUS_OK && frames != 0)
		status = frame_promise(frames);
	if (UNLIKELY(status != STATUS_OK))
		cancel_kinds(account, charge, charge->kinds & ~left);
	spinlock_release(&account->lock);
	return status;
}

void account_cancel(struct account *account, const struct charge *charge)
{
	spinlock_acquire(&account->lock);
	cancel_kinds(account, charge, charge->kinds);
	spinlock_release(&account->lock);
}

void account_refund(struct account *account, const struct charge *charge)
{
	spinlock_acquire(&account->lock);
	for (uint32_t kinds = charge->kinds; kinds != 0;) {
		uint32_t kind = take_kind(&kinds);

		resource_ledger_refund(&account->ledger, (enum ledger_kind)kind, charge->amount[kind]);
	}
	spinlock_release(&account->lock);
}

enum status account_charge_one(struct account *account, enum ledger_kind kind, uint64_t amount)
{
	enum status status;

	spinlock_acquire(&account->lock);
	status = resource_ledger_charge(&account->ledger, kind, amount);
	spinlock_release(&account->lock);
	return status;
}

void account_refund_one(struct account *account, enum ledger_kind kind, uint64_t amount)
{
	spinlock_acquire(&account->lock);
	resource_ledger_refund(&account->ledger, kind, amount);
	spinlock_release(&account->lock);
}

void account_read(struct account *account, struct resource_ledger *copy)
{
	spinlock_acquire(&account->lock);
	*copy = account->ledger;
	spinlock_release(&account->lock);
}
