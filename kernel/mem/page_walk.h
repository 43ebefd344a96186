/*
 * Walk over a range of one address space, level by level, twice: first to plan (count what the change needs, refuse
 * what it may not do), then to publish, which cannot fail. Both walks meet the same entries, because the space stays
 * locked.
 *
 * Runs at level 1 go to `leaf`. An entry above level 1 that is no table is uniform (empty, reserved or guard for its
 * whole span) and is met as the depth says: WALK_SHALLOW  `span` gets it if the range covers it whole; else it is split
 * and met again below WALK_DEEP     it is always split, down to level 1 (pages with frames live only there); the plan
 * tells `span` first WALK_TOP      `span` gets the part that the range covers; it is never split
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
	uint32_t count;
	unsigned level;
	uint64_t address;         /* that the first entry covers */
	struct frame_info *table; /* counters of the table */
};

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

/* The lowest table that covers a whole range, and the way down to it. */
struct page_descent {
	pte_t *table;
	struct frame_info *info;
	unsigned level;
	struct {
		pte_t *entry; /* that led down from this level */
		struct frame_info *table;
	} above[PTE_LEVELS + 1]; /* by level, above `level` */
};

struct page_walk {
	struct address_space *space;
	struct uaddr_range range;
	const struct page_visitor *visitor;
	bool publishes;
	struct page_run run;         /* the whole range, if one leaf table covers it; entry is NULL otherwise */
	struct page_descent descent; /* else: where both walks begin; made by the plan */

	/* what the operation is about */
	enum page_kind kind;          /* for new pages */
	uint32_t protection;          /* for new or changed pages */
	struct memory_object *object; /* borrowed pages */
	uint64_t object_page;         /* of the object, for the next page of the range; or the first that may be met */
	uint64_t object_pages;        /* how many may be met */

	/* found by the plan */
	uint64_t tables;  /* tables that publish takes */
	uint64_t pages;   /* pages that gain, or lose, a frame or a mapping */
	bool all_present; /* protect: every page of the range is present */

	/* left behind by publish */
	struct frame_gather gather; /* frames to free after the flush */
	uint64_t tables_given;      /* of them tables */
	bool must_flush;            /* translations that were present have changed */
};

static inline uint32_t page_table_used(const struct frame_info *table)
{
	return table->count & 0xffff;
}

static inline uint32_t page_table_reserved(const struct frame_info *table)
{
	return table->count >> 16;
}

static inline bool page_table_is_uniform(const struct frame_info *table)
{
	return page_table_used(table) == 0 || page_table_reserved(table) == PTE_ENTRIES;
}

static inline void page_table_adjust(struct frame_info *table, int32_t used, int32_t reserved)
{
	table->count += (uint32_t)used + ((uint32_t)reserved << 16);
}

static inline pte_t *page_table_of(pte_t entry)
{
	return direct_map_of_frame(pte_frame(entry));
}

/* Begin: each field that plan, publish and finish read. Not an initialiser for the whole struct, which costs more. */
static inline void page_walk_begin(struct page_walk *walk, struct address_space *space, struct uaddr_range range)
{
	walk->space = space;
	walk->range = range;
	walk->tables = 0;
	walk->pages = 0;
	walk->gather = FRAME_GATHER_EMPTY;
	walk->tables_given = 0;
	walk->must_flush = false;
}

/* The level-1 table that covers an address, or NULL if there is none. Locked. */
static inline pte_t *page_walk_leaf_table(const struct address_space *space, uint64_t address)
{
	pte_t entry = space->root_table[pte_index(address, 4)];

	if (!pte_is_present(entry))
		return NULL;
	entry = page_table_of(entry)[pte_index(address, 3)];
	if (!pte_is_present(entry))
		return NULL;
	entry = page_table_of(entry)[pte_index(address, 2)];
	return pte_is_present(entry) ? page_table_of(entry) : NULL;
}

/* The general case of the two below. */
enum status page_walk_plan_general(struct page_walk *walk, const struct page_visitor *visitor);
void page_walk_publish_general(struct page_walk *walk, const struct page_visitor *visitor);

/* For plans of new pages: all entries of the range are empty, else OCCUPIED; counted in walk->pages. */
enum status page_walk_leaf_empty(struct page_walk *walk, const struct page_run *run);
enum status page_walk_span_empty(struct page_walk *walk, const struct page_run *run, struct uaddr_range part);

/* A leaf table that has become uniform goes back to its parent. */
void page_walk_collapse(struct page_walk *walk);

/*
 * Meet every entry of walk->range. Plan: the first refusal, nothing changed. Publish: must succeed (CHECK). Locked.
 *
 * Most ranges lie below one leaf table that is there already; these are met without a walk, and inline, so that the
 * visitor's leaf function becomes part of the operation.
 */
static inline enum status page_walk_plan(struct page_walk *walk, const struct page_visitor *visitor)
{
	uint64_t start = uaddr_to_u64(walk->range.start);
	uint64_t last = uaddr_to_u64(walk->range.end) - 1;
	pte_t *table = (start ^ last) < pte_span(2) ? page_walk_leaf_table(walk->space, start) : NULL;

	walk->publishes = false;
	walk->run.entry = NULL;
	if (table == NULL)
		return page_walk_plan_general(walk, visitor);
	walk->run.entry = &table[pte_index(start, 1)];
	walk->run.count = (uint32_t)((last - start) >> PAGE_SHIFT) + 1;
	walk->run.level = 1;
	walk->run.address = start;
	walk->run.table = frame_info_of(direct_map_frame(table));
	return visitor->leaf(walk, &walk->run);
}

static inline void page_walk_publish(struct page_walk *walk, const struct page_visitor *visitor)
{
	walk->publishes = true;
	if (UNLIKELY(walk->run.entry == NULL)) {
		page_walk_publish_general(walk, visitor);
		return;
	}
	CHECK(visitor->leaf(walk, &walk->run) == STATUS_OK);
	if (UNLIKELY(page_table_is_uniform(walk->run.table)))
		page_walk_collapse(walk);
}

/* After publish: flush what must be, free what was gathered, refund the tables. Locked. */
void page_walk_finish(struct page_walk *walk);

/*
 * A gap of that many pages, its start a multiple of `align` bytes, high below ADDRESS_SPACE_MAP_TOP: NO_SPACE only if
 * there is none. Locked.
 */
enum status page_gap_find(struct address_space *space, uint64_t pages, uint64_t align, struct uaddr_range *range);

/* A range has become empty: searches should see it. Locked. */
void page_gap_opened(struct address_space *space, struct uaddr_range range);
void page_gap_reset(struct address_space *space);

#endif
