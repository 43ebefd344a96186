/*
 * The operations on pages that lie below one entry of level 2, from where the way down has landed to the end: plan,
 * ledgers and promise, either of which may refuse, split, publish, merge, flush, frames and ledgers back. All of it is
 * done, or nothing has changed. Any entries, any run, any limits. Tables of 4 entries, strides of 2; the root is the
 * parent.
 *
 * options each: --unwind 7 -DCAPOS_HOST -DCAPOS_DEBUG --object-bits 12 --no-checks
 * options each: --unwindset walk_table:1,walk_table.2:1
 */
#include "proofs/cbmc/one_table.h"

struct ledger nondet_ledger(void);

static struct account account;
static struct ledger ledger_had[LEDGER_COUNT];
static struct frame_info info_had[SMALL_TABLES];
static uint32_t place; /* of the leaf table, or the uniform entry, in its parent */
static uint64_t promised;
static bool is_scarce, is_flushed;

/* ---- the machine ---- */

enum status frame_promise(uint64_t count)
{
	is_scarce = nondet_bool();
	promised = is_scarce ? 0 : count;
	return is_scarce ? STATUS_OUT_OF_MEMORY : STATUS_OK;
}

uint64_t address_space_changed(struct address_space *changed)
{
	PROVE(changed == &space);
	return space.residency;
}

void tlb_flush(uint64_t cpu_mask, struct uaddr_range range)
{
	PROVE(cpu_mask == space.residency && uaddr_to_u64(range.start) == uaddr_to_u64(walk.range.start));
	is_flushed = !walk.must_flush || uaddr_to_u64(range.end) == uaddr_to_u64(walk.range.end);
}

/* Nothing is free before all that was present has been flushed, or the way down to a table. */
void frame_gather_free(struct frame_gather *gather)
{
	PROVE(gather == &walk.gather);
	PROVE(is_flushed || (walk.tables_given == 0 && !(in_run() && pte_is_present(had[LEAF][ghost]))));
}

void page_gap_opened(struct address_space *opened, struct uaddr_range range)
{
	PROVE(opened == &space && uaddr_range_pages(range) == end - begin);
}

void task_pages_gone(struct address_space *from, struct uaddr_range range)
{
	PROVE(from == &space && uaddr_range_pages(range) == end - begin);
}

void interrupt_window_open(void)
{
}

void spinlock_wait(const struct spinlock *lock, uint16_t ticket)
{
	(void)lock;
	(void)ticket;
	PROVE(false && "a lock is taken that is held");
	ASSUME(false);
}

/* ---- where a walk has landed ---- */

static void account_any(void)
{
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++) {
		ledger_had[kind] = nondet_ledger();
		ASSUME(ledger_is_valid(&ledger_had[kind]));
		account.ledger.of[kind] = ledger_had[kind];
	}
	/* What is there was paid for. */
	ASSUME(ledger_had[LEDGER_VIRTUAL_RESERVATION].used >= PTE_ENTRIES);
	ASSUME(ledger_had[LEDGER_FRAME_GRANT].used >= PTE_ENTRIES);
	ASSUME(ledger_had[LEDGER_PAGE_TABLE].used >= SMALL_TABLES);
	for (uint32_t i = 0; i < SMALL_TABLES; i++)
		info_had[i] = infos[i];
	space.account = &account;
	space.residency = nondet_u64();
	space.parked = nondet_u64();
}

static void land(uint32_t protection, enum page_landing landing, unsigned level)
{
	const uint64_t start = place * pte_span(2);

	walk = (struct page_walk){ .space = &space, .kind = PAGE_ANONYMOUS, .protection = protection };
	walk.range = uaddr_range_make(start + begin * PAGE_SIZE, start + end * PAGE_SIZE);
	walk.common = UINT64_MAX;
	walk.gather = FRAME_GATHER_EMPTY;
	walk.landing = landing;
	walk.level = level;
	walk.path[1] = &small_table[LEAF][begin];
	walk.path[2] = &small_table[PARENT][place];
}

/* In a leaf table, which is there because it is neither all empty nor all reserved. */
static void land_on_run(uint32_t protection)
{
	leaf_any(protection);
	place = nondet_u32();
	ASSUME(place < PTE_ENTRIES);
	small_table[PARENT][place] = pte_user_table(frame_from_u64(LEAF));
	count_all();
	ASSUME(!page_table_is_uniform(&infos[LEAF]));
	account_any();
	land(protection, PAGE_LANDING_RUN, 1);
}

/* On an entry of level 2 that is no table. had[LEAF] is what it says of each page. */
static void land_on_uniform(uint32_t protection)
{
	leaf_any(protection);
	place = nondet_u32();
	ASSUME(place < PTE_ENTRIES && !pte_is_present(small_table[PARENT][place]));
	for (uint32_t i = 0; i < PTE_ENTRIES; i++)
		small_table[LEAF][i] = small_table[PARENT][place];
	count_all();
	account_any();
	land(protection, PAGE_LANDING_UNIFORM, 2);
}

/* ---- afterwards ---- */

/* What the tables say of the page that stands for all. */
static pte_t page_now(void)
{
	const pte_t upper = small_table[PARENT][place];

	return pte_is_present(upper) ? now() : upper;
}

static void prove_refused(void)
{
	PROVE(pte_equal(small_table[PARENT][ghost], had[PARENT][ghost]));
	PROVE(pte_equal(now(), had[LEAF][ghost]));
	for (uint32_t i = 0; i < SMALL_TABLES; i++)
		PROVE(infos[i].count == info_had[i].count && infos[i].link == info_had[i].link);
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		PROVE(account.ledger.of[kind].used == ledger_had[kind].used &&
		      account.ledger.of[kind].peak == ledger_had[kind].peak);
	PROVE(tables_taken == 0 && pages_taken == 0 && walk.gather.count == 0);
	PROVE(!spinlock_is_held(&account.lock));
}

static uint64_t gained(enum ledger_kind kind)
{
	return account.ledger.of[kind].used - ledger_had[kind].used;
}

/* `reserved` and `granted`: how many pages more there are of each, now; perhaps less than none. */
static void prove_done(uint64_t reserved, uint64_t granted)
{
	const bool had_table = pte_is_present(had[PARENT][place]),
		   has_table = pte_is_present(small_table[PARENT][place]);

	PROVE(gained(LEDGER_VIRTUAL_RESERVATION) == reserved);
	PROVE(gained(LEDGER_FRAME_GRANT) == granted);
	PROVE(gained(LEDGER_PAGE_TABLE) == (uint64_t)has_table - (uint64_t)had_table);
	PROVE(gained(LEDGER_IMAGE) == 0 && gained(LEDGER_CAP_SLOTS) == 0 && gained(LEDGER_KERNEL_OBJECT) == 0);
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		PROVE(ledger_is_valid(&account.ledger.of[kind]));
	PROVE(promised == (uint64_t)tables_taken + pages_taken);
	PROVE(ghost == place || pte_equal(small_table[PARENT][ghost], had[PARENT][ghost]));
	PROVE(in_run() || pte_equal(page_now(), had[LEAF][ghost]));
	PROVE(!has_table || !page_table_is_uniform(&infos[LEAF]));
	PROVE(!spinlock_is_held(&account.lock));
	prove_counters(PARENT);
	if (has_table)
		prove_counters(LEAF);
}

static uint32_t any_protection(void)
{
	const uint32_t protection = nondet_u32();

	ASSUME(protection_check(protection) == STATUS_OK);
	return protection;
}

static void prove_commit(uint32_t protection)
{
	const struct tally tally = tally_of_run();
	const enum status status = commit_locked(&walk);

	PROVE((status == STATUS_NOT_RESERVED) == (tally.others != 0));
	if (status != STATUS_OK) {
		prove_refused();
		return;
	}
	prove_done(0, tally.reserved);
	if (in_run()) {
		PROVE(pte_kind(page_now()) == PAGE_ANONYMOUS);
		PROVE(pte_kind(had[LEAF][ghost]) != PAGE_ANONYMOUS || pte_equal(page_now(), had[LEAF][ghost]));
		PROVE(pte_kind(had[LEAF][ghost]) != PAGE_RESERVED || pte_protection(page_now()) == protection);
	}
}

PROOF(page_change_commit)
{
	const uint32_t protection = any_protection();

	land_on_run(protection);
	prove_commit(protection);
}

PROOF(page_change_commit_splits)
{
	const uint32_t protection = any_protection();

	land_on_uniform(protection);
	prove_commit(protection);
}

PROOF(page_change_decommit)
{
	land_on_run(PROTECTION_NONE);

	const struct tally tally = tally_of_run();
	const enum status status = decommit_locked(&walk);

	PROVE(status == (tally.others == 0 ? STATUS_OK : STATUS_NOT_RESERVED));
	if (status != STATUS_OK) {
		prove_refused();
		return;
	}
	prove_done(0, 0 - (tally.framed + tally.lazy));
	PROVE(!in_run() || pte_equal(page_now(), pte_uniform(PAGE_RESERVED)));
	PROVE(walk.gather.count == tally.framed + walk.tables_given);
}

static void prove_unmap(bool has_run)
{
	const struct tally tally = tally_of_run();
	const enum status status = unmap_locked(&walk);

	PROVE((status == STATUS_NOT_RESERVED) == (tally.others != 0));
	PROVE(status == STATUS_OK || tally.others != 0 || !has_run);
	if (status != STATUS_OK) {
		prove_refused();
		return;
	}
	prove_done(0 - (uint64_t)(end - begin), 0 - (tally.framed + tally.lazy));
	PROVE(!in_run() || pte_is_empty(page_now()));
	PROVE(walk.gather.count == tally.framed + walk.tables_given);
}

PROOF(page_change_unmap)
{
	land_on_run(PROTECTION_NONE);
	prove_unmap(true);
}

/* A hole in a reservation takes a table, which may be refused; the whole of it does not. */
PROOF(page_change_unmap_splits)
{
	land_on_uniform(PROTECTION_NONE);
	prove_unmap(end - begin == PTE_ENTRIES);
}

PROOF(page_change_protect)
{
	const uint32_t protection = any_protection();

	land_on_run(protection);

	const struct tally tally = tally_of_run();
	const enum status status = protect_locked(&walk);

	PROVE((status == STATUS_OK) == (tally.others == 0 && tally.reserved == 0));
	if (status != STATUS_OK) {
		prove_refused();
		return;
	}
	prove_done(0, 0);
	PROVE(is_flushed);
	PROVE(!in_run() ||
	      (pte_kind(page_now()) == pte_kind(had[LEAF][ghost]) && pte_protection(page_now()) == protection));
}

/* New pages where all is empty: reserved, or committed at once. */
static void prove_create(bool commits, uint32_t protection)
{
	struct charge charge = { .kinds = 0 };
	const uint64_t pages = end - begin;
	enum status status;

	ASSUME(tally_of_run().empty == pages);
	charge_add(&charge, LEDGER_VIRTUAL_RESERVATION, pages);
	if (commits) {
		charge_add(&charge, LEDGER_FRAME_GRANT, pages);
		status = anonymous_create(&walk, &anonymous_plan_empty_deep, &anonymous_publish_fill, &charge, pages);
	} else {
		status = anonymous_create(&walk, &anonymous_plan_empty_shallow, &publish_reserved, &charge, 0);
	}
	if (status != STATUS_OK) {
		prove_refused();
		return;
	}
	prove_done(pages, commits ? pages : 0);
	if (in_run())
		PROVE(commits ? pte_kind(page_now()) == PAGE_ANONYMOUS && pte_protection(page_now()) == protection
			      : pte_equal(page_now(), pte_uniform(PAGE_RESERVED)));
}

PROOF(page_change_reserve)
{
	land_on_run(PROTECTION_NONE);
	prove_create(false, PROTECTION_NONE);
}

PROOF(page_change_reserve_splits)
{
	land_on_uniform(PROTECTION_NONE);
	prove_create(false, PROTECTION_NONE);
}

PROOF(page_change_map)
{
	const uint32_t protection = any_protection();

	land_on_run(protection);
	prove_create(true, protection);
}

PROOF(page_change_map_splits)
{
	const uint32_t protection = any_protection();

	land_on_uniform(protection);
	prove_create(true, protection);
}
