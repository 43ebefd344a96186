#include "kernel/mem/page_walk.h"

#include <stddef.h>

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
		page_fill64(direct_map_of_frame(frame), entry->raw);
	}
	frame_info_of(frame)->count = used | reserved << 16;
	page_table_adjust(parent, kind == PAGE_EMPTY, -(kind == PAGE_RESERVED));
	*entry = pte_user_table(frame);
}

/* Give a table back that has become uniform, and say in its parent's entry what it said. */
static void collapse_entry(struct page_walk *walk, pte_t *entry, struct frame_info *parent)
{
	frame_t frame = pte_frame(*entry);
	struct frame_info *table = frame_info_of(frame);

	if (page_table_used(table) == 0) {
		*entry = pte_uniform(PAGE_EMPTY);
		page_table_adjust(parent, -1, 0);
	} else if (page_table_reserved(table) == PTE_ENTRIES) {
		*entry = pte_uniform(PAGE_RESERVED);
		page_table_adjust(parent, 0, 1);
	} else {
		return;
	}
	frame_gather_add(&walk->gather, frame, table);
	walk->tables_given++;
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
		collapse_entry(walk, entry, run->table);
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

/* The level-1 table that covers an address, or NULL if there is none yet. */
static pte_t *find_leaf_table(const struct address_space *space, uint64_t address)
{
	pte_t *table = space->root_table;

	for (unsigned level = PTE_LEVELS; level > 1; level--) {
		pte_t entry = table[pte_index(address, level)];

		if (!pte_is_present(entry))
			return NULL;
		table = page_table_of(entry);
	}
	return table;
}

/* From the root down, for the general case. */
static enum status walk_from_root(struct page_walk *walk)
{
	return walk_table(walk, walk->space->root_table, frame_info_of(walk->space->root), PTE_LEVELS, walk->range);
}

static enum status leaf_nothing(struct page_walk *walk, const struct page_run *run)
{
	(void)walk;
	(void)run;
	return STATUS_OK;
}

static enum status span_nothing(struct page_walk *walk, const struct page_run *run, struct uaddr_range part)
{
	(void)part;
	return leaf_nothing(walk, run);
}

static const struct page_visitor collapse_only = { WALK_TOP, leaf_nothing, span_nothing };

/* Most ranges lie below one leaf table that is there: meet it without climbing. */
static enum status walk_range(struct page_walk *walk)
{
	uint64_t start = uaddr_to_u64(walk->range.start);
	uint64_t end = uaddr_to_u64(walk->range.end);
	struct page_run run;

	if (!walk->publishes)
		walk->leaf = (start ^ (end - 1)) < pte_span(2) ? find_leaf_table(walk->space, start) : NULL;
	if (walk->leaf == NULL)
		return walk_from_root(walk);
	run = (struct page_run){ &walk->leaf[pte_index(start, 1)], (uint32_t)((end - start) >> PAGE_SHIFT), 1, start,
				 frame_info_of(direct_map_frame(walk->leaf)) };
	TRY(walk->visitor->leaf(walk, &run));
	if (walk->publishes && (page_table_used(run.table) == 0 || page_table_reserved(run.table) == PTE_ENTRIES)) {
		walk->visitor = &collapse_only;
		TRY(walk_from_root(walk));
	}
	return STATUS_OK;
}

enum status page_walk_plan(struct page_walk *walk, const struct page_visitor *visitor)
{
	walk->visitor = visitor;
	walk->publishes = false;
	return walk_range(walk);
}

void page_walk_publish(struct page_walk *walk, const struct page_visitor *visitor)
{
	walk->visitor = visitor;
	walk->publishes = true;
	CHECK(walk_range(walk) == STATUS_OK);
}

void page_walk_finish(struct page_walk *walk)
{
	struct uaddr_range flush = walk->range;
	uint64_t tables = walk->tables_given;

	if (walk->must_flush || tables != 0) {
		if (!walk->must_flush) /* INVLPG of any page drops the cached upper levels: SDM vol. 3A, 4.10.4.1 */
			flush.end = uaddr_from_u64(uaddr_to_u64(flush.start) + PAGE_SIZE);
		tlb_flush(__atomic_load_n(&walk->space->residency, __ATOMIC_SEQ_CST), flush);
	}
	frame_gather_free(&walk->gather);
	if (tables != 0)
		account_refund_one(walk->space->account, LEDGER_PAGE_TABLE, tables);
}
