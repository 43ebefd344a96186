/*
 * kernel/task/transfer over the table, the plan and the ledgers that the kernel links: any two tables of SLOTS slots
 * that cannot grow, any list of up to ITEMS descriptors, any limits. A slot that is arbitrary stands for each. What
 * stands behind a capability is counted by the stubs below. Pointers and bounds are not looked at here: the table's are
 * by WP (proofs/wp/wp_cap_table.c).
 *
 * links: kernel/task/transfer.c kernel/task/process_capability.c kernel/mem/account.c
 * links: lib/cap_table.c lib/ledger.c
 * options each: --unwind 3 -DCAPOS_HOST --no-checks --external-sat-solver cadical
 * options each: --unwindset side_any.0:7,prove_ledgers_untouched.0:7,account_cancel.0:7
 * options each: --unwindset account_refund.0:7,account_refund$link1.0:7
 * options each: --unwindset account_charge_and_promise.0:7,account_charge_and_promise$link1.0:7
 * options each: --unwindset account_charge_and_promise.1:7,account_charge_and_promise$link1.1:7
 */
#include "kernel/task/transfer.h"

#include "kernel/arch/x86_64/interrupt_window.h"
#include "kernel/mem/frame.h"
#include "proofs/cbmc/cbmc_support.h"

#define SLOTS 2u
#ifndef ITEMS
#define ITEMS 2u
#endif

struct cap_slot nondet_slot(void);
struct ledger nondet_ledger(void);

/* ---- what stands behind a capability ---- */

static uint64_t uses, holds; /* of all objects together */
static uint32_t cost;        /* of each */

void hold_charge(const struct cap_hold *hold, struct charge *charge)
{
	charge_add(charge, LEDGER_CAP_SLOTS, 1);
	charge_add(charge, LEDGER_KERNEL_OBJECT, hold_is_counted(hold) ? cost : 0);
}

void hold_add(const struct cap_hold *hold)
{
	PROVE(hold_is_counted(hold));
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
	PROVE(count == 0 && "a table that cannot grow is promised a page");
	return nondet_bool() ? STATUS_OK : STATUS_OUT_OF_MEMORY;
}

/* What cannot be: tables do not grow here. */
frame_t frame_take_zeroed(enum frame_use use, const void *owner)
{
	(void)use;
	(void)owner;
	PROVE(false && "a table that cannot grow takes a page");
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

/* What it has, and what it had. */
struct side {
	struct process *process;
	struct cap_slot *slot; /* [SLOTS] */
	struct cap_slot *had;
	struct cap_slot **directory;
	struct cap_table table;
	struct ledger ledger[LEDGER_COUNT];
	uint32_t promised_slots;
};

static struct process sender_process, receiver_process;
static struct cap_slot sender_slot[SLOTS], sender_had[SLOTS], receiver_slot[SLOTS], receiver_had[SLOTS];
static struct cap_slot *sender_directory[1] = { sender_slot }, *receiver_directory[1] = { receiver_slot };
static struct side sender = { &sender_process, sender_slot, sender_had, sender_directory, { 0 }, { { 0 } }, 0 };
static struct side receiver = {
	&receiver_process, receiver_slot, receiver_had, receiver_directory, { 0 }, { { 0 } }, 0
};
static struct transfer_item item[ITEMS];

/* A valid table with as many pages as it can have, though only SLOTS of its ids are looked at; free slots in order. */
static void table_any(struct side *side)
{
	struct cap_table *table = &side->table;

	*table = (struct cap_table){ .page = side->directory, .pages = CAP_TABLE_PAGES, .slots = SLOTS };
	for (uint32_t i = SLOTS; i-- > 0;) {
		struct cap_slot slot = nondet_slot();

		ASSUME(slot.hold.interface < INTERFACE_COUNT && slot.state <= CAP_SLOT_RETIRED);
		ASSUME(slot.state == CAP_SLOT_FREE || slot.state == CAP_SLOT_RETIRED || slot.generation != 0);
		ASSUME(slot.state != CAP_SLOT_FREE || slot.generation != UINT16_MAX);
		table->retired += slot.state == CAP_SLOT_RETIRED;
		table->used += slot.state != CAP_SLOT_FREE && slot.state != CAP_SLOT_RETIRED;
		if (slot.state == CAP_SLOT_FREE) {
			slot.next_free = (uint16_t)table->free_head;
			table->free_head = i + 1;
		}
		side->slot[i] = side->had[i] = slot;
	}
	side->process->caps = *table;
}

static void side_any(struct side *side, uint64_t id)
{
	table_any(side);
	side->promised_slots = nondet_u32();
	ASSUME(side->promised_slots <= SLOTS - side->table.used - side->table.retired);
	side->process->promised_slots = side->promised_slots;
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++) {
		side->ledger[kind] = nondet_ledger();
		ASSUME(ledger_is_valid(&side->ledger[kind]));
		side->process->account.ledger.of[kind] = side->ledger[kind];
	}
	/* What it holds it has paid for. */
	ASSUME(side->ledger[LEDGER_CAP_SLOTS].used >= SLOTS);
	ASSUME(side->ledger[LEDGER_KERNEL_OBJECT].used >= SLOTS * (uint64_t)cost);
	side->process->id = id;
}

static struct transfer any_transfer(struct side *from, struct side *to)
{
	struct transfer transfer = { from->process, to->process, nondet_u32(), item, STATUS_OK };

	ASSUME(transfer.count <= ITEMS);
	for (uint32_t i = 0; i < ITEMS; i++) {
		item[i].source = nondet_u32();
		item[i].kind = nondet_bool() ? TRANSFER_KIND_COPY : TRANSFER_KIND_MOVE;
	}
	uses = holds = 0;
	return transfer;
}

static bool slot_is_same(const struct cap_slot *a, const struct cap_slot *b)
{
	return a->state == b->state && a->generation == b->generation && a->hold.object == b->hold.object &&
	       a->hold.badge == b->hold.badge && a->hold.interface == b->hold.interface &&
	       a->hold.mode == b->hold.mode && a->hold.origin_low == b->hold.origin_low &&
	       a->hold.origin_high == b->hold.origin_high;
}

static void prove_ledgers_untouched(const struct side *side)
{
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++) {
		const struct ledger *now = &side->process->account.ledger.of[kind], *then = &side->ledger[kind];

		PROVE(now->used == then->used && now->limit == then->limit && now->peak == then->peak);
	}
}

/* All that it has, in an arbitrary slot and in every ledger, is as it was. */
static void prove_untouched(const struct side *side)
{
	const uint32_t slot = nondet_u32();
	const struct process *now = side->process;

	ASSUME(slot < SLOTS);
	PROVE(slot_is_same(&side->slot[slot], &side->had[slot]));
	PROVE(now->caps.used == side->table.used && now->caps.retired == side->table.retired);
	PROVE(now->promised_slots == side->promised_slots && now->promised_pages == 0);
	PROVE(!spinlock_is_held(&now->cap_lock) && !spinlock_is_held(&now->account.lock));
	prove_ledgers_untouched(side);
}

/* Whichever check fails for whichever descriptor: the whole fails, and nothing has moved or been charged. */
PROOF(transfer_refused)
{
	cost = nondet_u32();
	side_any(&sender, 1);
	side_any(&receiver, 2);

	struct transfer transfer = any_transfer(&sender, &receiver);

	ASSUME(transfer_prepare(&transfer) != STATUS_OK);
	transfer_finish(&transfer);
	prove_untouched(&sender);
	prove_untouched(&receiver);
	PROVE(uses == 0 && holds == 0);
}

/* A process that serves itself. */
PROOF(transfer_to_self_refused)
{
	cost = nondet_u32();
	side_any(&sender, 1);

	struct transfer transfer = any_transfer(&sender, &sender);

	ASSUME(transfer_prepare(&transfer) != STATUS_OK);
	transfer_finish(&transfer);
	prove_untouched(&sender);
	PROVE(uses == 0 && holds == 0);
}

/* Whether a descriptor moves that capability; another may have copied it before. */
static bool moves(uint32_t count, handle_t source)
{
	bool found = false;

	for (uint32_t i = 0; i < ITEMS; i++)
		found = found || (i < count && item[i].source == source && item[i].kind == TRANSFER_KIND_MOVE);
	return found;
}

/* Each arrives as it was sent; what is moved is gone from the sender, what is copied is there still. */
PROOF(transfer_committed)
{
	const uint32_t one = nondet_u32();
	const struct cap_hold *arrived;
	uint32_t copies = 0;

	cost = nondet_u32();
	side_any(&sender, 1);
	side_any(&receiver, 2);

	struct transfer transfer = any_transfer(&sender, &receiver);

	ASSUME(transfer_prepare(&transfer) == STATUS_OK && one < transfer.count);
	for (uint32_t i = 0; i < transfer.count; i++)
		copies += item[i].kind == TRANSFER_KIND_COPY;

	const struct cap_slot *had = &sender.had[cap_table_index(item[one].source) % SLOTS];

	PROVE(cap_table_index(item[one].source) < SLOTS && had->state == CAP_SLOT_LIVE);
	PROVE(had->generation == cap_table_generation(item[one].source));
	PROVE(had->hold.mode == TRANSFER_COPY ||
	      (item[one].kind == TRANSFER_KIND_MOVE && had->hold.mode != TRANSFER_NONE));
	transfer_commit(&transfer);
	transfer_finish(&transfer);
	PROVE(cap_table_find(&receiver.process->caps, item[one].target, &arrived) == STATUS_OK);
	PROVE(arrived->object == had->hold.object && arrived->badge == had->hold.badge);
	PROVE(arrived->interface == had->hold.interface && arrived->mode == had->hold.mode);
	PROVE(cap_hold_origin(arrived) == 1);
	PROVE((cap_table_find(&sender.process->caps, item[one].source, &arrived) == STATUS_OK) ==
	      !moves(transfer.count, item[one].source));
	PROVE(uses == 0 && holds <= copies);
	PROVE(sender.process->caps.used + receiver.process->caps.used ==
	      sender.table.used + receiver.table.used + copies);
}
