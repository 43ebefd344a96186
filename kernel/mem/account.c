#include "kernel/mem/account.h"

void account_cancel(struct account *account, const struct charge *charge)
{
	spinlock_acquire(&account->lock);
	for (uint32_t kinds = charge->kinds; kinds != 0; kinds &= kinds - 1) {
		uint32_t kind = (uint32_t)__builtin_ctz(kinds);

		resource_ledger_cancel(&account->ledger, (enum ledger_kind)kind, charge->amount[kind]);
	}
	spinlock_release(&account->lock);
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
