#include "kernel/mem/page_walk.h"

#include "kernel/arch/x86_64/interrupt_window.h"
#include "kernel/arch/x86_64/page_zero.h"
#include "kernel/arch/x86_64/tlb.h"
#include "lib/check.h"

/* Work between two interrupt windows: one whole leaf table. */
#define STEP_ENTRIES PTE_ENTRIES

/*
 * Tables that a walk takes to split one uniform entry of `level` for `part` of its span. Deep: every table below that
 * the part touches. Shallow: only tables that it covers in part.
 */
static uint64_t tables_below(unsigned level, struct uaddr_range part, enum walk_depth depth)
{
	uint64_t start = uaddr_to_u64(part.start);
	uint64_t end = uaddr_to_u64(part.end);
	uint64_t tables = 0;

	for (unsigned k = 2; k <= level; k++) {
		uint64_t span = pte_span(k);
		bool head = (start & (span - 1)) != 0;
		bool tail = (end & (span - 1)) != 0;
		uint64_t touched = (end - 1) / span - start / span + 1;

		if (depth == WALK_DEEP)
			tables += touched;
		else if (touched == 1)
			tables += head || tail;
		else
			tables += (uint64_t)head + (uint64_t)tail;
	}
	return tables;
}

/* Replace a uniform entry by a table that says the same. The table is promised and charged. */
static void split_entry(struct page_walk *walk, pte_t *entry, struct frame_info *parent)
{
	enum page_kind kind = pte_kind(*entry);
	uint32_t used = kind != PAGE_EMPTY ? PTE_ENTRIES : 0;
	uint32_t reserved = kind == PAGE_RESERVED ? PTE_ENTRIES : 0;
	frame_t frame;

	if (kind == PAGE_EMPTY) {
		frame = frame_take_zeroed(FRAME_TABLE, walk->space);
	} else {
		frame = frame_take(FRAME_TABLE, walk->space);
		page_fill64(direct_map_of_frame(frame), pte_bits(*entry));
	}
	frame_info_of(frame)->count = used | reserved << 16;
	page_table_adjust(parent, kind == PAGE_EMPTY, -(kind == PAGE_RESERVED));
	*entry = pte_user_table(frame);
}

/*
 * Give a table back that has become uniform, and say in its parent's entry what it said. False if it has not: then no
 * table above it has changed either.
 */
static bool collapse_entry(struct page_walk *walk, pte_t *entry, struct frame_info *parent)
{
	frame_t frame = pte_frame(*entry);
	struct frame_info *table = frame_info_of(frame);

	if (LIKELY(!page_table_is_uniform(table)))
		return false;
	if (page_table_used(table) == 0) {
		*entry = pte_uniform(PAGE_EMPTY);
		page_table_adjust(parent, -1, 0);
	} else {
		*entry = pte_uniform(PAGE_RESERVED);
		page_table_adjust(parent, 0, 1);
	}
	frame_gather_add(&walk->gather, frame, table);
	walk->tables_given++;
	return true;
}

static enum status walk_table(struct page_walk *walk, pte_t *table, struct frame_info *info, unsigned level,
			      struct uaddr_range range);

static enum status walk_entry(struct page_walk *walk, const struct page_run *run, struct uaddr_range part)
{
	enum walk_depth depth = walk->visitor->depth;
	bool whole = uaddr_range_bytes(part) == pte_span(run->level);
	pte_t *entry = run->entry;

	if (!pte_is_present(*entry)) {
		if (!walk->publishes) {
			TRY(walk->visitor->span(walk, run, part));
			if (depth == WALK_DEEP || (depth == WALK_SHALLOW && !whole))
				walk->tables += tables_below(run->level, part, depth);
			return STATUS_OK;
		}
		if (depth == WALK_TOP || (depth == WALK_SHALLOW && whole))
			return walk->visitor->span(walk, run, part);
		split_entry(walk, entry, run->table);
	}
	TRY(walk_table(walk, page_table_of(*entry), frame_info_of(pte_frame(*entry)), run->level - 1, part));
	if (walk->publishes)
		(void)collapse_entry(walk, entry, run->table);
	return STATUS_OK;
}

/* The part of `range` below this table, which covers at most one table's span. */
static enum status walk_table(struct page_walk *walk, pte_t *table, struct frame_info *info, unsigned level,
			      struct uaddr_range range)
{
	uint64_t address = uaddr_to_u64(range.start);
	uint64_t end = uaddr_to_u64(range.end);
	uint64_t span = pte_span(level);
	struct page_run run = { &table[pte_index(address, level)], 1, level, address, info };

	if (level == 1) {
		run.count = (uint32_t)((end - address) >> PAGE_SHIFT);
		TRY(walk->visitor->leaf(walk, &run));
		if (run.count == STEP_ENTRIES)
			interrupt_window_open();
		return STATUS_OK;
	}
	while (address < end) {
		uint64_t next = (address & ~(span - 1)) + span;
		struct uaddr_range part = { uaddr_from_u64(address), uaddr_from_u64(next < end ? next : end) };

		run.address = address & ~(span - 1);
		TRY(walk_entry(walk, &run, part));
		run.entry++;
		address = next;
	}
	return STATUS_OK;
}

static void descend(struct page_walk *walk)
{
	struct page_descent *descent = &walk->descent;
	uint64_t start = uaddr_to_u64(walk->range.start);
	uint64_t across = start ^ (uaddr_to_u64(walk->range.end) - 1);
	struct frame_info *info = frame_info_of(walk->space->root);
	pte_t *table = walk->space->root_table;
	unsigned level;

	for (level = PTE_LEVELS; level > 1 && across < pte_span(level); level--) {
		pte_t *entry = &table[pte_index(start, level)];

		if (!pte_is_present(*entry))
			break;
		descent->above[level].entry = entry;
		descent->above[level].table = info;
		table = page_table_of(*entry);
		info = frame_info_of(pte_frame(*entry));
	}
	descent->table = table;
	descent->info = info;
	descent->level = level;
}

static void collapse_upwards(struct page_walk *walk)
{
	for (unsigned level = walk->descent.level + 1; level <= PTE_LEVELS; level++)
		if (!collapse_entry(walk, walk->descent.above[level].entry, walk->descent.above[level].table))
			return;
}

static enum status walk_from_descent(struct page_walk *walk)
{
	struct page_descent *descent = &walk->descent;
	uint64_t start = uaddr_to_u64(walk->range.start);
	uint64_t across = start ^ (uaddr_to_u64(walk->range.end) - 1);
	struct page_run run;

	if (descent->level == 1 || across >= pte_span(descent->level))
		return walk_table(walk, descent->table, descent->info, descent->level, walk->range);
	/* one entry covers the range, and it was no table when the walk was planned */
	run.entry = &descent->table[pte_index(start, descent->level)];
	run.count = 1;
	run.level = descent->level;
	run.address = start & ~(pte_span(descent->level) - 1);
	run.table = descent->info;
	return walk_entry(walk, &run, walk->range);
}

enum status page_walk_plan_general(struct page_walk *walk, const struct page_visitor *visitor)
{
	walk->visitor = visitor;
	descend(walk);
	return walk_from_descent(walk);
}

void page_walk_publish_general(struct page_walk *walk, const struct page_visitor *visitor)
{
	walk->visitor = visitor;
	CHECK(walk_from_descent(walk) == STATUS_OK);
	collapse_upwards(walk);
}

void page_walk_collapse(struct page_walk *walk)
{
	descend(walk);
	collapse_upwards(walk);
}

enum status page_walk_leaf_empty(struct page_walk *walk, const struct page_run *run)
{
	walk->pages += run->count;
	if (page_table_used(run->table) == 0)
		return STATUS_OK;
	for (uint32_t i = 0; i < run->count; i++)
		GUARD(pte_is_empty(run->entry[i]), STATUS_OCCUPIED);
	return STATUS_OK;
}

enum status page_walk_span_empty(struct page_walk *walk, const struct page_run *run, struct uaddr_range part)
{
	walk->pages += uaddr_range_pages(part);
	GUARD(pte_is_empty(*run->entry), STATUS_OCCUPIED);
	return STATUS_OK;
}

void page_walk_finish(struct page_walk *walk)
{
	struct uaddr_range flush = walk->range;
	uint64_t tables = walk->tables_given;

	if (walk->must_flush || tables != 0) {
		if (!walk->must_flush) /* INVLPG of any page drops the cached upper levels: SDM vol. 3A, 4.10.4.1 */
			flush.end = uaddr_from_u64(uaddr_to_u64(flush.start) + PAGE_SIZE);
		tlb_flush(address_space_changed(walk->space), flush);
	}
	frame_gather_free(&walk->gather);
	if (tables != 0)
		account_refund_one(walk->space->account, LEDGER_PAGE_TABLE, tables);
}
