#include "kernel/mem/account.h"

enum status account_charge(struct account *account, const struct charge *charge)
{
	enum status status = STATUS_OK;

	spinlock_acquire(&account->lock);
	for (uint32_t kind = 0; kind < LEDGER_COUNT && status == STATUS_OK; kind++) {
		const struct ledger *ledger = &account->ledger.of[kind];

		if (charge->amount[kind] > ledger->limit - ledger->used)
			status = ledger_refusal((enum ledger_kind)kind);
	}
	for (uint32_t kind = 0; kind < LEDGER_COUNT && status == STATUS_OK; kind++)
		if (charge->amount[kind] != 0)
			status = resource_ledger_charge(&account->ledger, (enum ledger_kind)kind, charge->amount[kind]);
	spinlock_release(&account->lock);
	return status;
}

void account_refund(struct account *account, const struct charge *charge)
{
	spinlock_acquire(&account->lock);
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		if (charge->amount[kind] != 0)
			resource_ledger_refund(&account->ledger, (enum ledger_kind)kind, charge->amount[kind]);
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
