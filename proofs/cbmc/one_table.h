/*
 * One leaf table and its parent, with any entries and the counters that they should have; the code that changes them;
 * and a machine that has frames for it.
 */
#ifndef CAPOS_PROOFS_CBMC_ONE_TABLE_H
#define CAPOS_PROOFS_CBMC_ONE_TABLE_H

#include "proofs/cbmc/small_tables.h"

#include "kernel/mem/account.c"
#include "kernel/mem/anonymous.c"
#include "kernel/mem/page_walk.c"
#include "lib/ledger.c"
#include "proofs/cbmc/cbmc_support.h"

#define PARENT 0u
#define LEAF 1u
#define FIRST_PAGE 2u /* frame of the first entry's page, before */
#define FIRST_NEW (FIRST_PAGE + PTE_ENTRIES)
#define FRAMES (FIRST_NEW + PTE_ENTRIES)

static struct frame_info infos[FRAMES];
struct frame_info *frame_table = infos;
pte_t small_table[SMALL_TABLES][PTE_ENTRIES];

static struct address_space space;
static struct page_walk walk;
static struct page_run run;
static pte_t had[SMALL_TABLES][PTE_ENTRIES];
static uint32_t begin, end; /* the run, of the leaf table */
static uint32_t ghost;      /* an entry */
static uint32_t tables_taken, pages_taken;

/* ---- the machine ---- */

frame_t frame_take(enum frame_use use, const void *owner)
{
	PROVE(use == FRAME_TABLE && owner == &space && tables_taken == 0);
	tables_taken++;
	infos[LEAF] = (struct frame_info){ frame_owner_word(use, owner), 0, 0 };
	return frame_from_u64(LEAF);
}

void page_fill64(void *page, uint64_t word)
{
	pte_t *entry = page;

	for (uint32_t i = 0; i < PTE_ENTRIES; i++)
		entry[i] = pte_toggle(pte_uniform(PAGE_EMPTY), word);
}

frame_t frame_take_zeroed(enum frame_use use, const void *owner)
{
	const frame_t frame = frame_take(use, owner);

	page_fill64(direct_map_of_frame(frame), 0);
	return frame;
}

void frame_take_batch(uint32_t count, enum frame_use use, const void *owner, uint32_t number[])
{
	PROVE(use == FRAME_ANONYMOUS && owner == &space && count <= FRAME_BATCH && count <= PTE_ENTRIES - pages_taken);
	for (uint32_t i = 0; i < count; i++)
		number[i] = FIRST_NEW + pages_taken++;
}

/* ---- any tables ---- */

/* What may stand at level 1; what has a frame has the one of its place. */
static pte_t any_page(uint32_t index)
{
	const enum page_kind kind = (enum page_kind)(nondet_u8() % PAGE_KIND_COUNT);
	const uint32_t protection = nondet_u32();
	pte_t entry;

	ASSUME(protection_check(protection) == STATUS_OK);
	if (kind == PAGE_LAZY)
		return pte_lazy(protection, nondet_bool());
	if (kind == PAGE_EMPTY || kind == PAGE_RESERVED || kind == PAGE_GUARD)
		return pte_uniform(kind);
	entry = pte_page(frame_from_u64(FIRST_PAGE + index), kind, protection);
	if (pte_is_present(entry)) /* the CPU's marks */
		entry = pte_toggle(entry, nondet_u64() & (PTE_ACCESSED | PTE_DIRTY));
	return entry;
}

/* What may stand above: a table of another frame, or an entry that is uniform. */
static pte_t any_upper(void)
{
	const enum page_kind kind = (enum page_kind)(nondet_u8() % PAGE_KIND_COUNT);

	if (nondet_bool())
		return pte_user_table(frame_from_u64(FRAMES));
	ASSUME(kind == PAGE_EMPTY || kind == PAGE_RESERVED || kind == PAGE_GUARD);
	return pte_uniform(kind);
}

/* Its counters as they should be. */
static uint32_t right_count(uint32_t table)
{
	uint32_t used = 0, reserved = 0, guards = 0;

	for (uint32_t i = 0; i < PTE_ENTRIES; i++) {
		used += !pte_is_empty(small_table[table][i]);
		reserved += pte_kind(small_table[table][i]) == PAGE_RESERVED;
		guards += pte_equal(small_table[table][i], pte_uniform(PAGE_GUARD));
	}
	return used | guards << PAGE_GUARDS_SHIFT | reserved << PAGE_RESERVED_SHIFT;
}

/* Each group with an entry that is neither empty nor a guard is noted, and perhaps others. */
static bool groups_are_right(uint32_t table)
{
	const pte_t entry = small_table[table][ghost];

	return pte_is_empty(entry) || pte_equal(entry, pte_uniform(PAGE_GUARD)) ||
	       (page_table_groups(&infos[table]) >> ghost / PAGE_GROUP & 1) != 0;
}

static void prove_counters(uint32_t table)
{
	PROVE(infos[table].count == right_count(table));
	PROVE(groups_are_right(table));
}

/* The counters of both, and what was there. Then a run of the leaf table. */
static void count_all(void)
{
	for (uint32_t table = 0; table < SMALL_TABLES; table++) {
		infos[table] =
			(struct frame_info){ frame_owner_word(FRAME_TABLE, &space), right_count(table), nondet_u32() };
		for (uint32_t i = 0; i < PTE_ENTRIES; i++)
			had[table][i] = small_table[table][i];
	}
	ghost = nondet_u32();
	ASSUME(ghost < PTE_ENTRIES && groups_are_right(PARENT) && groups_are_right(LEAF));
}

static void leaf_any(uint32_t protection)
{
	for (uint32_t i = 0; i < PTE_ENTRIES; i++) {
		small_table[PARENT][i] = any_upper();
		small_table[LEAF][i] = any_page(i);
	}
	count_all();
	begin = nondet_u32();
	end = nondet_u32();
	ASSUME(begin < end && end <= PTE_ENTRIES);
	run = (struct page_run){ &small_table[LEAF][begin], end - begin, &infos[LEAF] };
	walk = (struct page_walk){ .space = &space, .kind = PAGE_ANONYMOUS, .protection = protection };
	walk.common = UINT64_MAX;
	walk.gather = FRAME_GATHER_EMPTY;
}

/* ---- what a run has ---- */

static bool is_lazy(pte_t entry)
{
	return pte_kind(entry) == PAGE_LAZY && pte_kind_when_touched(entry) == PAGE_ANONYMOUS;
}

struct tally {
	uint64_t reserved, framed, lazy, empty, others;
};

static struct tally tally_of_run(void)
{
	struct tally tally = { 0 };

	for (uint32_t i = 0; i < PTE_ENTRIES; i++) {
		if (i < begin || i >= end)
			continue;
		tally.reserved += pte_kind(had[LEAF][i]) == PAGE_RESERVED;
		tally.framed += pte_kind(had[LEAF][i]) == PAGE_ANONYMOUS;
		tally.lazy += is_lazy(had[LEAF][i]);
		tally.empty += pte_is_empty(had[LEAF][i]);
	}
	tally.others = end - begin - tally.reserved - tally.framed - tally.lazy;
	return tally;
}

static bool in_run(void)
{
	return ghost >= begin && ghost < end;
}

static pte_t now(void)
{
	return small_table[LEAF][ghost];
}

#endif
