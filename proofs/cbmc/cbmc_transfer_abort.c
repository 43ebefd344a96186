/*
 * kernel/task/transfer: what is prepared and then aborted, over the table, the plan and the ledgers that the kernel
 * links. One capability, from the only slot of the sender's table to the only slot of the receiver's; any hold, cost,
 * generation and limits. What stands behind it is counted by the stubs below.
 *
 * links: kernel/task/transfer.c kernel/task/process_capability.c kernel/mem/account.c
 * links: lib/cap_table.c lib/ledger.c
 * options each: --unwind 8 -DCAPOS_HOST --no-checks --external-sat-solver cadical
 */
#include "kernel/task/transfer.h"

#include "kernel/arch/x86_64/interrupt_window.h"
#include "kernel/mem/frame.h"
#include "proofs/cbmc/cbmc_support.h"

struct cap_hold nondet_hold(void);
struct ledger nondet_ledger(void);

/* ---- what stands behind a capability ---- */

static uint64_t uses, holds;
static uint64_t cost; /* not 0, so that a charge is of the same ledgers in every case */

void hold_charge(const struct cap_hold *hold, struct charge *charge)
{
	(void)hold;
	charge->kinds |= 1u << LEDGER_CAP_SLOTS | 1u << LEDGER_KERNEL_OBJECT;
	charge->amount[LEDGER_CAP_SLOTS] += 1;
	charge->amount[LEDGER_KERNEL_OBJECT] += cost;
}

void hold_add(const struct cap_hold *hold)
{
	(void)hold;
	holds++;
}

void hold_drop(const struct cap_hold *hold)
{
	(void)hold;
	holds--;
}

void hold_use(const struct cap_hold *hold)
{
	PROVE(hold_is_counted(hold));
	uses++;
}

void hold_end_use_counted(const struct cap_hold *hold)
{
	PROVE(hold_is_counted(hold));
	uses--;
}

/* ---- the machine ---- */

enum status frame_promise(uint64_t count)
{
	PROVE(count == 0 && "a table with room is promised a page");
	return STATUS_OK;
}

frame_t frame_take_zeroed(enum frame_use use, const void *owner)
{
	(void)use;
	(void)owner;
	PROVE(false && "a table with room takes a page");
	ASSUME(false);
	return frame_from_u64(0);
}

void spinlock_wait(const struct spinlock *lock, uint16_t ticket)
{
	(void)lock;
	(void)ticket;
	PROVE(false && "a lock is taken that is held");
	ASSUME(false);
}

/* ---- two processes ---- */

static struct process from, to;
static struct cap_slot from_slot, from_had, to_slot;
static struct cap_slot *from_directory[1] = { &from_slot }, *to_directory[1] = { &to_slot };
static struct ledger from_ledger[LEDGER_COUNT], to_ledger[LEDGER_COUNT];

static void ledgers_any(struct account *account, struct ledger ledger[])
{
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++) {
		ledger[kind] = nondet_ledger();
		ASSUME(ledger_is_valid(&ledger[kind]));
		account->ledger.of[kind] = ledger[kind];
	}
}

static void prove_ledgers(const struct account *account, const struct ledger ledger[])
{
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++) {
		const struct ledger *now = &account->ledger.of[kind], *then = &ledger[kind];

		PROVE(now->used == then->used && now->limit == then->limit && now->peak == then->peak);
	}
	PROVE(!spinlock_is_held(&account->lock));
}

static void processes_any(void)
{
	from_slot = (struct cap_slot){ .hold = nondet_hold(), .generation = nondet_u16(), .state = CAP_SLOT_LIVE };
	to_slot = (struct cap_slot){ .generation = nondet_u16(), .state = CAP_SLOT_FREE };
	ASSUME(from_slot.hold.interface < INTERFACE_COUNT && from_slot.generation >= 1);
	ASSUME(to_slot.generation < UINT16_MAX);
	from_had = from_slot;
	from.caps = (struct cap_table){ .page = from_directory, .pages = 1, .slots = 1, .used = 1 };
	to.caps = (struct cap_table){ .page = to_directory, .pages = 1, .slots = 1, .free_head = 1 };
	from.id = 1;
	to.id = 2;
	cost = nondet_u64();
	ASSUME(cost != 0);
	ledgers_any(&from.account, from_ledger);
	ledgers_any(&to.account, to_ledger);
}

static void prove_sender(void)
{
	const struct cap_hold *now = &from_slot.hold, *then = &from_had.hold;

	PROVE(from_slot.state == CAP_SLOT_LIVE && from_slot.generation == from_had.generation);
	PROVE(now->object == then->object && now->badge == then->badge && now->interface == then->interface);
	PROVE(now->mode == then->mode && cap_hold_origin(now) == cap_hold_origin(then));
	PROVE(from.caps.used == 1 && from.caps.retired == 0 && from.caps.free_head == 0);
	PROVE(!spinlock_is_held(&from.cap_lock));
	prove_ledgers(&from.account, from_ledger);
}

/* Its slot is free again, but for the one generation that is used up. */
static void prove_receiver(uint16_t generation)
{
	const bool last = generation == UINT16_MAX;

	PROVE(to_slot.generation == generation && to_slot.state == (last ? CAP_SLOT_RETIRED : CAP_SLOT_FREE));
	PROVE(to.caps.used == 0 && to.caps.retired == last && to.caps.free_head == !last);
	PROVE(last || to_slot.next_free == 0);
	PROVE(to.promised_slots == 0 && to.promised_pages == 0 && !spinlock_is_held(&to.cap_lock));
	prove_ledgers(&to.account, to_ledger);
}

PROOF(transfer_aborted)
{
	const struct cap_hold *found;

	processes_any();

	const uint16_t generation = (uint16_t)(to_slot.generation + 1);
	struct transfer_item item = { .source = (handle_t)from_slot.generation * (HANDLE_INDEX_MASK + 1) };
	struct transfer transfer = { &from, &to, 1, &item, STATUS_OK };

	item.kind = nondet_bool() ? TRANSFER_KIND_COPY : TRANSFER_KIND_MOVE;
	ASSUME(transfer_prepare(&transfer) == STATUS_OK);
	transfer_abort(&transfer);
	transfer_finish(&transfer);
	prove_sender();
	prove_receiver(generation);
	PROVE(cap_table_find(&to.caps, item.target, &found) == STATUS_NO_SUCH_CAPABILITY);
	PROVE(uses == 0 && holds == 0);
}
