/*
 * Walk over a range of one address space, level by level, twice: first to plan (count what the change needs, refuse
 * what it may not do), then to publish, which cannot fail. Both walks meet the same entries, because the space stays
 * locked, and both begin where one descent has landed: at the lowest table that covers the range.
 *
 * Runs at level 1 go to `leaf`. An entry above level 1 that is no table is uniform (empty, reserved or guard for its
 * whole span) and is met as the depth says:
 *   WALK_SHALLOW  `span` gets it if the range covers it whole; else it is split and met again below
 *   WALK_DEEP     it is always split, down to level 1 (pages with frames live only there); the plan tells `span` first
 *   WALK_TOP      `span` gets the part that the range covers; it is never split
 */
#ifndef CAPOS_KERNEL_MEM_PAGE_WALK_H
#define CAPOS_KERNEL_MEM_PAGE_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "kernel/mem/address_space.h"
#include "kernel/mem/frame.h"
#include "lib/check.h"

/* Consecutive entries of one table. */
struct page_run {
	pte_t *entry;
	uint64_t count;
	struct frame_info *table; /* counters of the table */
};

/* Of a run, the entries in whole strides. */
static inline uint64_t page_run_strides(const struct page_run *run)
{
	return run->count & ~(uint64_t)(PAGE_STRIDE - 1);
}

static inline void page_run_fill(const struct page_run *run, pte_t value)
{
	pte_t *entry = run->entry;
	const pte_t *whole = entry + page_run_strides(run);
	pte_t *end = entry + run->count;

	for (; entry != whole; entry += PAGE_STRIDE) {
		UNROLLED
		for (unsigned k = 0; k < PAGE_STRIDE; k++)
			entry[k] = value;
	}
	for (; entry != end; entry++)
		*entry = value;
}

enum walk_depth {
	WALK_SHALLOW,
	WALK_DEEP,
	WALK_TOP,
};

struct page_walk;

struct page_visitor {
	enum walk_depth depth;
	enum status (*leaf)(struct page_walk *walk, const struct page_run *run);
	/* One uniform entry; `part` is what the range covers of it. */
	enum status (*span)(struct page_walk *walk, const struct page_run *run, struct uaddr_range part);
};

struct memory_object;

/* What the descent to a range has met. */
enum page_landing {
	PAGE_LANDING_RUN,     /* level 1: entries of one leaf table */
	PAGE_LANDING_UNIFORM, /* above: one entry, which is no table and covers the range */
	PAGE_LANDING_WIDE,    /* above: several entries of a table */
};

struct page_walk {
	struct address_space *space;
	struct uaddr_range range;
	enum page_landing landing;
	unsigned level;              /* of the table that the descent has landed in */
	pte_t *path[PTE_LEVELS + 1]; /* from there up: the entry of each level that covers the start of the range */

	/* what the operation is about */
	enum page_kind kind;          /* for new pages */
	uint32_t protection;          /* for new or changed pages */
	struct memory_object *object; /* borrowed pages */
	uint64_t object_page;         /* of the object, for the next page of the range; or the first that may be met */
	uint64_t object_pages;        /* how many may be met */

	/* found by the plan */
	uint64_t tables; /* tables that publish takes */
	uint64_t pages;  /* committed ones that go, or those that gain a frame: such a publish counts them down */
	uint64_t lazy;   /* that have no frame yet, of an anonymous range */
	uint64_t common; /* bits that are set in the entries of all pages of the range */
	uint64_t some;   /* protect: bits that are set in some of them */

	/* between plan and the end of publish: frames that were taken and have no entry yet */
	uint32_t held;
	uint32_t frame[FRAME_BATCH];

	/* left behind by publish */
	struct frame_gather gather; /* frames to free after the flush */
	uint64_t tables_given;      /* of them tables */
	bool must_flush;            /* translations that were present have changed */

	/* of the wide walks alone: what they are about */
	const struct page_visitor *visitor;
	bool publishes;
};

/*
 * What frame_info.count says of a page table: how many of its entries are in use, and how many of these are guards and
 * are reserved. Each is at most PTE_ENTRIES.
 *
 *   31        20 19        10 9          0
 *   |  reserved |   guards   |    used   |
 */
#define PAGE_GUARDS_SHIFT 10
#define PAGE_RESERVED_SHIFT 20
#define PAGE_COUNT_MASK UINT32_C(0x3ff)

static inline uint32_t page_table_used(const struct frame_info *table)
{
	return table->count & PAGE_COUNT_MASK;
}

static inline uint32_t page_table_guards(const struct frame_info *table)
{
	return table->count >> PAGE_GUARDS_SHIFT & PAGE_COUNT_MASK;
}

static inline uint32_t page_table_reserved(const struct frame_info *table)
{
	return table->count >> PAGE_RESERVED_SHIFT;
}

static inline bool page_table_is_uniform(const struct frame_info *table)
{
	return page_table_used(table) == 0 || page_table_reserved(table) == PTE_ENTRIES;
}

static inline void page_table_adjust(struct frame_info *table, int32_t used, int32_t reserved)
{
	table->count += (uint32_t)used + ((uint32_t)reserved << PAGE_RESERVED_SHIFT);
}

static inline void page_table_adjust_guards(struct frame_info *table, int32_t guards)
{
	table->count += (uint32_t)guards << PAGE_GUARDS_SHIFT;
}

/*
 * A group of PAGE_GROUP entries has one bit in frame_info.link of its table: without it, none of them is anything but
 * empty or a guard. With it, some may be, so a bit is only ever added as long as the table stands.
 */
#define PAGE_GROUPS_ALL (UINT32_MAX >> (32 - PTE_ENTRIES / PAGE_GROUP))
_Static_assert(PTE_ENTRIES / PAGE_GROUP <= 32, "a bit for each group");

static inline uint32_t page_table_groups(const struct frame_info *table)
{
	return table->link;
}

/* `count` entries, of the table that the first of them stands in, are neither empty nor guards from now on. */
static inline void page_table_note(struct frame_info *table, const pte_t *first, uint64_t count)
{
	uint64_t index = (uintptr_t)first / sizeof(*first) % PTE_ENTRIES;
	uint64_t last = (index + count - 1) / PAGE_GROUP;

	table->link |= (UINT32_MAX << index / PAGE_GROUP) & (UINT32_MAX >> (31 - last));
}

/* The same of one entry. */
static inline void page_table_note_entry(struct frame_info *table, const pte_t *entry)
{
	table->link |= UINT32_C(1) << (uintptr_t)entry / sizeof(*entry) % PTE_ENTRIES / PAGE_GROUP;
}

/* All entries of a run, which were empty, are in use and no guards. */
static inline void page_run_added(const struct page_run *run, uint64_t reserved)
{
	page_table_adjust(run->table, (int32_t)run->count, (int32_t)reserved);
	page_table_note(run->table, run->entry, run->count);
}

static inline pte_t *page_table_of(pte_t entry)
{
	return direct_map_of_frame(pte_present_frame(entry));
}

/* Counters of the table that an entry stands in. */
static inline struct frame_info *page_table_info(const pte_t *entry)
{
	return frame_info_of(direct_map_frame(entry));
}

/* Begin: the descent, and each field that plan, publish and finish read. Locked, and until the end. */
void page_walk_begin(struct page_walk *walk, struct address_space *space, struct uaddr_range range);

/* Whether the uniform entry that the walk has landed on is to become a table. */
static inline bool page_walk_splits(const struct page_walk *walk, enum walk_depth depth)
{
	return depth == WALK_DEEP || (depth == WALK_SHALLOW && uaddr_range_bytes(walk->range) != pte_span(walk->level));
}

/* The range in the table that the walk has landed in: a run of pages, or one uniform entry. */
static inline struct page_run page_walk_run(const struct page_walk *walk)
{
	pte_t *entry = walk->path[walk->level];
	bool is_leaf = walk->landing == PAGE_LANDING_RUN;

	return (struct page_run){ entry, is_leaf ? uaddr_range_pages(walk->range) : 1, page_table_info(entry) };
}

/* As page_walk_tables_below, by a look at each level. */
uint64_t page_walk_count_below(unsigned level, struct uaddr_range part, enum walk_depth depth);

/*
 * Tables that a walk takes to split one uniform entry of `level` for `part` of its span. Deep: every table below that
 * the part touches. Shallow: only tables that it covers in part. Inline: most parts lie in one leaf table, or are all
 * of it.
 */
static inline uint64_t page_walk_tables_below(unsigned level, struct uaddr_range part, enum walk_depth depth)
{
	uint64_t start = uaddr_to_u64(part.start);
	uint64_t end = uaddr_to_u64(part.end);

	if (LIKELY((start ^ (end - 1)) < pte_span(2)))
		return level - 1 - (depth == WALK_SHALLOW && end - start == pte_span(2));
	return page_walk_count_below(level, part, depth);
}

/* Make tables, as planned, of the entry that the walk has landed on and of those below it. */
void page_walk_split(struct page_walk *walk, enum walk_depth depth);

/* PAGE_LANDING_WIDE. */
enum status page_walk_plan_wide(struct page_walk *walk, const struct page_visitor *visitor);
void page_walk_publish_wide(struct page_walk *walk, const struct page_visitor *visitor);

/* Tables that have become uniform, from the one that the walk has landed in upwards, go back to their parents. */
void page_walk_collapse(struct page_walk *walk);

/* Whether all of a run is reserved. Its table has no entries but reserved and empty ones, so that an AND tells. */
bool page_walk_run_is_reserved(const struct page_run *run);

/* For plans of new pages, in a range that was found to be empty. */
static inline enum status page_walk_leaf_empty(struct page_walk *walk, const struct page_run *run)
{
	(void)walk;
	for (uint64_t i = 0; i < run->count; i++)
		ASSERT(pte_is_empty(run->entry[i]));
	return STATUS_OK;
}

static inline enum status page_walk_span_empty(struct page_walk *walk, const struct page_run *run,
					       struct uaddr_range part)
{
	(void)walk;
	(void)part;
	ASSERT(pte_is_empty(*run->entry));
	return STATUS_OK;
}

/*
 * Meet every entry of walk->range. Plan: the first refusal, nothing changed. Publish: must succeed (CHECK).
 *
 * Inline, so that for ranges that lie below one leaf table, or one uniform entry, the visitor's functions become part
 * of the operation.
 */
static inline enum status page_walk_plan(struct page_walk *walk, const struct page_visitor *visitor)
{
	struct page_run run;

	if (UNLIKELY(walk->landing == PAGE_LANDING_WIDE))
		return page_walk_plan_wide(walk, visitor);
	run = page_walk_run(walk);
	if (walk->landing == PAGE_LANDING_RUN)
		return visitor->leaf(walk, &run);
	TRY(visitor->span(walk, &run, walk->range));
	if (page_walk_splits(walk, visitor->depth))
		walk->tables = page_walk_tables_below(walk->level, walk->range, visitor->depth);
	return STATUS_OK;
}

static inline void page_walk_publish(struct page_walk *walk, const struct page_visitor *visitor)
{
	struct page_run run;

	if (walk->landing == PAGE_LANDING_UNIFORM && walk->tables != 0)
		page_walk_split(walk, visitor->depth);
	run = page_walk_run(walk);
	if (LIKELY(walk->landing == PAGE_LANDING_RUN))
		CHECK(visitor->leaf(walk, &run) == STATUS_OK);
	else if (walk->landing == PAGE_LANDING_UNIFORM)
		CHECK(visitor->span(walk, &run, walk->range) == STATUS_OK);
	else
		page_walk_publish_wide(walk, visitor);
	if (UNLIKELY(page_table_is_uniform(run.table)))
		page_walk_collapse(walk);
}

/* Forget the translations of the range, and the way down to tables that were given back. */
void page_walk_flush(const struct page_walk *walk);

/* After publish: flush what must be, and free what was gathered. */
static inline void page_walk_settle(struct page_walk *walk)
{
	ASSERT(walk->held == 0);
	if (walk->must_flush || walk->tables_given != 0)
		page_walk_flush(walk);
	if (walk->gather.count != 0)
		frame_gather_free(&walk->gather);
	address_space_audit_operation(walk->space, walk->range);
}

/* The same for an operation that gives nothing back but tables; it pays these back. */
static inline void page_walk_finish(struct page_walk *walk)
{
	page_walk_settle(walk);
	if (UNLIKELY(walk->tables_given != 0))
		account_refund_one(walk->space->account, LEDGER_PAGE_TABLE, walk->tables_given);
}

/* The same for one that gives back more: `refund`, and the tables. */
static inline void page_walk_finish_refund(struct page_walk *walk, struct charge *refund)
{
	page_walk_settle(walk);
	charge_add(refund, LEDGER_PAGE_TABLE, walk->tables_given);
	account_refund(walk->space->account, refund);
}

/*
 * Begin a walk of a gap of that many pages in areas.map, its start a multiple of `align` bytes, near where mappings
 * begin: NO_SPACE only if there is none. Locked.
 */
enum status page_gap_find(struct page_walk *walk, struct address_space *space, uint64_t pages, uint64_t align);

/* Whether some page of the walk's range is not empty. Locked. */
bool page_gap_is_used(const struct page_walk *walk);

/* A range has become empty: searches should see it. Locked. */
void page_gap_opened(struct address_space *space, struct uaddr_range range);
void page_gap_reset(struct address_space *space);

#endif
