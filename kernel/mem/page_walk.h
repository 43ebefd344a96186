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
#include <stdint.h>

#include "abi/status.h"
#include "kernel/mem/address_space.h"
#include "kernel/mem/frame.h"

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

struct page_walk {
	struct address_space *space;
	struct uaddr_range range;
	const struct page_visitor *visitor;
	bool publishes;
	pte_t *leaf; /* the one leaf table that covers the range, if the plan found it so */

	/* what the operation is about */
	enum page_kind kind;          /* for new pages */
	uint32_t protection;          /* for new or changed pages */
	struct memory_object *object; /* borrowed pages */
	uint64_t object_page;         /* of the object, for the next page of the range */

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

static inline void page_table_adjust(struct frame_info *table, int32_t used, int32_t reserved)
{
	table->count += (uint32_t)used + ((uint32_t)reserved << 16);
}

static inline pte_t *page_table_of(pte_t entry)
{
	return direct_map_of_frame(pte_frame(entry));
}

/* Meet every entry of walk->range. Plan: the first refusal, nothing changed. Publish: must succeed (CHECK). Locked. */
enum status page_walk_plan(struct page_walk *walk, const struct page_visitor *visitor);
void page_walk_publish(struct page_walk *walk, const struct page_visitor *visitor);

/* After publish: flush what must be, free what was gathered, refund the tables. Locked. */
void page_walk_finish(struct page_walk *walk);

/*
 * A gap of that many pages, its start a multiple of `align` bytes, as high as possible below ADDRESS_SPACE_MAP_TOP:
 * NO_SPACE. Locked.
 */
enum status page_gap_find(struct address_space *space, uint64_t pages, uint64_t align, struct uaddr_range *range);

/* Forget hints that a range which became empty makes wrong. Locked. */
void page_gap_opened(struct address_space *space, struct uaddr_range range);
void page_gap_reset(struct address_space *space);

#endif
