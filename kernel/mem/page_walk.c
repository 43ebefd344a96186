#include "kernel/mem/page_walk.h"

#include "kernel/arch/x86_64/interrupt_window.h"
#include "kernel/arch/x86_64/page_zero.h"
#include "kernel/arch/x86_64/tlb.h"
#include "lib/check.h"

/* Work between two interrupt windows: one whole leaf table. */
#define STEP_ENTRIES PTE_ENTRIES

uint64_t page_walk_count_below(unsigned level, struct uaddr_range part, enum walk_depth depth)
{
	uint64_t start = uaddr_to_u64(part.start);
	uint64_t end = uaddr_to_u64(part.end);
	uint64_t tables = 1;

	for (unsigned k = 2; k < level; k++) {
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

/* A table for an entry that is reserved or a guard. */
static __attribute__((noinline)) frame_t make_filled_table(struct address_space *space, const pte_t *entry)
{
	const uint32_t reserved = pte_kind(*entry) == PAGE_RESERVED ? PTE_ENTRIES : 0;
	const uint32_t guards = PTE_ENTRIES - reserved;
	frame_t frame = frame_take(FRAME_TABLE, space);
	struct frame_info *parent = page_table_info(entry);
	struct frame_info *table = frame_info_of(frame);

	page_fill64(direct_map_of_frame(frame), pte_bits(*entry));
	page_table_adjust(table, PTE_ENTRIES, (int32_t)reserved);
	page_table_adjust_guards(table, (int32_t)guards);
	table->link = reserved != 0 ? PAGE_GROUPS_ALL : 0;
	page_table_adjust(parent, 0, -(int32_t)(reserved / PTE_ENTRIES));
	page_table_adjust_guards(parent, -(int32_t)(guards / PTE_ENTRIES));
	return frame;
}

/* Replace a uniform entry by a table that says the same. The table is promised and charged. */
static inline void split_entry(struct address_space *space, pte_t *entry)
{
	struct frame_info *parent = page_table_info(entry);
	frame_t frame;

	if (LIKELY(pte_is_empty(*entry))) {
		frame = frame_take_zeroed(FRAME_TABLE, space);
		page_table_adjust(parent, 1, 0);
	} else {
		frame = make_filled_table(space, entry);
	}
	page_table_note_entry(parent, entry);
	*entry = pte_user_table(frame);
}

/*
 * Give a table back that has become uniform, and say in its parent's entry what it said. False if it has not: then no
 * table above it has changed either.
 */
static inline bool collapse_entry(struct page_walk *walk, pte_t *entry)
{
	frame_t frame = pte_present_frame(*entry);
	struct frame_info *table = frame_info_of(frame);
	struct frame_info *parent = page_table_info(entry);

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

/* ---- where a walk begins ---- */

/* Bits in which the first and the last address of the range differ: below a level's span, one of its entries has both.
 */
static uint64_t bits_across(const struct page_walk *walk)
{
	return uaddr_to_u64(walk->range.start) ^ (uaddr_to_u64(walk->range.end) - 1);
}

static void descend(struct page_walk *walk)
{
	uint64_t start = uaddr_to_u64(walk->range.start);
	uint64_t across = bits_across(walk);
	pte_t *table = walk->space->root_table;

	UNROLLED
	for (unsigned level = PTE_LEVELS; level > 1; level--) {
		pte_t *entry = &table[pte_index(start, level)];

		walk->path[level] = entry;
		if (across >= pte_span(level)) {
			walk->level = level;
			walk->landing = PAGE_LANDING_WIDE;
			return;
		}
		if (!pte_is_present(*entry)) {
			walk->level = level;
			walk->landing = PAGE_LANDING_UNIFORM;
			return;
		}
		table = page_table_of(*entry);
	}
	walk->path[1] = &table[pte_index(start, 1)];
	walk->level = 1;
	walk->landing = PAGE_LANDING_RUN;
}

void page_walk_begin(struct page_walk *walk, struct address_space *space, struct uaddr_range range)
{
	walk->space = space;
	walk->range = range;
	walk->tables = 0;
	walk->pages = 0;
	walk->lazy = 0;
	walk->held = 0;
	walk->common = UINT64_MAX;
	walk->gather = FRAME_GATHER_EMPTY;
	walk->tables_given = 0;
	walk->must_flush = false;
	descend(walk);
}

void page_walk_split(struct page_walk *walk, enum walk_depth depth)
{
	uint64_t start = uaddr_to_u64(walk->range.start);
	uint64_t across = bits_across(walk);

	do {
		pte_t *entry = walk->path[walk->level];
		unsigned below = walk->level - 1;

		split_entry(walk->space, entry);
		walk->path[below] = &page_table_of(*entry)[pte_index(start, below)];
		walk->level = below;
		if (below == 1)
			walk->landing = PAGE_LANDING_RUN;
		else if (across >= pte_span(below))
			walk->landing = PAGE_LANDING_WIDE;
	} while (walk->landing == PAGE_LANDING_UNIFORM && page_walk_splits(walk, depth));
}

/* ---- several entries of a table above level 1 ---- */

static enum status walk_table(struct page_walk *walk, pte_t *table, unsigned level, struct uaddr_range range);

static enum status walk_entry(struct page_walk *walk, pte_t *entry, unsigned level, struct uaddr_range part)
{
	enum walk_depth depth = walk->visitor->depth;
	bool splits = depth == WALK_DEEP || (depth == WALK_SHALLOW && uaddr_range_bytes(part) != pte_span(level));
	struct page_run run = { entry, 1, page_table_info(entry) };

	if (!pte_is_present(*entry)) {
		if (!walk->publishes || !splits)
			TRY(walk->visitor->span(walk, &run, part));
		if (!walk->publishes && splits)
			walk->tables += page_walk_tables_below(level, part, depth);
		if (!walk->publishes || !splits)
			return STATUS_OK;
		split_entry(walk->space, entry);
	}
	TRY(walk_table(walk, page_table_of(*entry), level - 1, part));
	if (walk->publishes)
		(void)collapse_entry(walk, entry);
	return STATUS_OK;
}

/* The part of `range` below this table, which covers at most one table's span. */
static enum status walk_table(struct page_walk *walk, pte_t *table, unsigned level, struct uaddr_range range)
{
	uint64_t address = uaddr_to_u64(range.start);
	uint64_t end = uaddr_to_u64(range.end);
	uint64_t span = pte_span(level);
	pte_t *entry = &table[pte_index(address, level)];

	if (level == 1) {
		struct page_run run = { entry, (end - address) >> PAGE_SHIFT, page_table_info(entry) };

		TRY(walk->visitor->leaf(walk, &run));
		if (run.count == STEP_ENTRIES)
			interrupt_window_open();
		return STATUS_OK;
	}
	for (; address < end; entry++) {
		uint64_t next = (address & ~(span - 1)) + span;
		struct uaddr_range part = { uaddr_from_u64(address), uaddr_from_u64(next < end ? next : end) };

		TRY(walk_entry(walk, entry, level, part));
		address = next;
	}
	return STATUS_OK;
}

/* The table that the walk has landed in. */
static pte_t *landing_table(const struct page_walk *walk)
{
	return walk->path[walk->level] - pte_index(uaddr_to_u64(walk->range.start), walk->level);
}

enum status page_walk_plan_wide(struct page_walk *walk, const struct page_visitor *visitor)
{
	walk->visitor = visitor;
	walk->publishes = false;
	return walk_table(walk, landing_table(walk), walk->level, walk->range);
}

void page_walk_publish_wide(struct page_walk *walk, const struct page_visitor *visitor)
{
	walk->visitor = visitor;
	walk->publishes = true;
	CHECK(walk_table(walk, landing_table(walk), walk->level, walk->range) == STATUS_OK);
}

/* ---- after the walk ---- */

void page_walk_collapse(struct page_walk *walk)
{
	for (unsigned level = walk->level + 1; level <= PTE_LEVELS; level++)
		if (!collapse_entry(walk, walk->path[level]))
			return;
}

void page_walk_flush(const struct page_walk *walk)
{
	struct uaddr_range flush = walk->range;

	if (!walk->must_flush) /* INVLPG of any page drops the cached upper levels: SDM vol. 3A, 4.10.4.1 */
		flush.end = uaddr_from_u64(uaddr_to_u64(flush.start) + PAGE_SIZE);
	tlb_flush(address_space_changed(walk->space), flush);
}

bool page_walk_run_is_reserved(const struct page_run *run)
{
	const pte_t *entry = run->entry;
	const pte_t *whole = entry + page_run_strides(run);
	const pte_t *end = entry + run->count;
	uint64_t all = pte_bits(pte_uniform(PAGE_RESERVED));

	for (; entry != whole; entry += PAGE_STRIDE) {
		UNROLLED
		for (unsigned k = 0; k < PAGE_STRIDE; k++)
			all &= pte_bits(entry[k]);
	}
	for (; entry != end; entry++)
		all &= pte_bits(*entry);
	return all != 0;
}
