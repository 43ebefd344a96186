/*
 * Search for a gap, from the end of areas.map down or from its start up, by candidates. Down: the highest aligned place
 * is looked through from its low end; the first used page found rules out every candidate that holds it, so the next
 * one ends there. Up is the mirror image: the lowest place, looked through from its high end. Empty spans of any level
 * are passed in one step, and so are full leaf tables.
 *
 * For each class of sizes the space remembers how deep its last search went until it succeeded, and starts the next one
 * there; a release before that takes it back. It is only a hint: a search that finds nothing behind it looks once more
 * from the beginning. Where nothing small is free, nothing large is either: the hint of a class is never less deep than
 * that of a smaller one.
 */
#include "kernel/arch/x86_64/interrupt_window.h"
#include "kernel/mem/page_walk.h"
#include "lib/check.h"

#define STEP_CANDIDATES 64u /* between two interrupt windows */

static unsigned gap_class(uint64_t pages)
{
	unsigned class = (63u - (unsigned)__builtin_clzll(pages)) / 2;

	return class < GAP_CLASSES ? class : GAP_CLASSES - 1;
}

void page_gap_reset(struct address_space *space)
{
	for (unsigned i = 0; i < GAP_CLASSES; i++)
		space->gap_hint[i] = (struct gap_hint){ 0, 1 };
}

/* ---- whether a range is used, and the first run of used pages in it ---- */

/* Where the run of used entries begins that ends with this one, which covers `address`, in its leaf table. */
static uint64_t first_of_used(const pte_t *entry, uint64_t address)
{
	unsigned index = pte_index(address, 1);

	if (page_table_used(page_table_info(entry)) == PTE_ENTRIES)
		return address - index * PAGE_SIZE;
	for (; index > 0 && !pte_is_empty(entry[-1]); index--, entry--)
		address -= PAGE_SIZE;
	return address;
}

/* Whether the entries of one stride are all empty. */
static inline bool stride_is_empty(const pte_t *entry)
{
	uint64_t some = 0;

	UNROLLED
	for (unsigned k = 0; k < PAGE_STRIDE; k++)
		some |= pte_bits(entry[k]);
	return some == 0;
}

/* In a leaf table: whether one of `count` entries, of which the first covers `address`, is used. */
static inline bool leaf_is_used(const pte_t *entry, uint64_t count, uint64_t address, uint64_t *used)
{
	uint64_t i = 0;

	while (i + PAGE_STRIDE <= count && stride_is_empty(&entry[i]))
		i += PAGE_STRIDE;
	for (; i < count; i++) {
		if (LIKELY(pte_is_empty(entry[i])))
			continue;
		*used = first_of_used(&entry[i], address + i * PAGE_SIZE);
		return true;
	}
	return false;
}

/* The same below a table of a level above 1. An entry that is no table, and not empty, rules out its whole span. */
static bool table_is_used(const pte_t *table, unsigned level, struct uaddr_range range, uint64_t *used)
{
	uint64_t span = pte_span(level);
	uint64_t start = uaddr_to_u64(range.start);
	uint64_t end = uaddr_to_u64(range.end);

	for (const pte_t *entry = &table[pte_index(start, level)]; start < end; entry++) {
		uint64_t next = (start & ~(span - 1)) + span;
		uint64_t part_end = next < end ? next : end;
		struct uaddr_range part = { uaddr_from_u64(start), uaddr_from_u64(part_end) };

		if (pte_is_present(*entry)) {
			const pte_t *below = page_table_of(*entry);

			if (level == 2 ? leaf_is_used(&below[pte_index(start, 1)], uaddr_range_pages(part), start, used)
				       : table_is_used(below, level - 1, part, used))
				return true;
		} else if (!pte_is_empty(*entry)) {
			*used = start & ~(span - 1);
			return true;
		}
		start = next;
	}
	return false;
}

static inline bool is_used(const struct page_walk *walk, uint64_t *used)
{
	uint64_t start = uaddr_to_u64(walk->range.start);
	const pte_t *entry = walk->path[walk->level];

	switch (walk->landing) {
	case PAGE_LANDING_RUN:
		return leaf_is_used(entry, uaddr_range_pages(walk->range), start, used);
	case PAGE_LANDING_UNIFORM:
		*used = start & ~(pte_span(walk->level) - 1);
		return !pte_is_empty(*entry);
	case PAGE_LANDING_WIDE:
		return table_is_used(entry - pte_index(start, walk->level), walk->level, walk->range, used);
	}
	return true;
}

bool page_gap_is_used(const struct page_walk *walk)
{
	uint64_t used;

	return is_used(walk, &used);
}

/* ---- the mirror image: the last run of used pages, of which `used` is the end ---- */

static uint64_t end_of_used(const pte_t *entry, uint64_t address)
{
	unsigned index = pte_index(address, 1);

	if (page_table_used(page_table_info(entry)) == PTE_ENTRIES)
		return address + (PTE_ENTRIES - index) * PAGE_SIZE;
	for (; index < PTE_ENTRIES && !pte_is_empty(*entry); index++, entry++)
		address += PAGE_SIZE;
	return address;
}

static inline bool leaf_is_used_at_last(const pte_t *entry, uint64_t count, uint64_t address, uint64_t *used)
{
	while (count >= PAGE_STRIDE && stride_is_empty(&entry[count - PAGE_STRIDE]))
		count -= PAGE_STRIDE;
	for (; count > 0; count--) {
		if (LIKELY(pte_is_empty(entry[count - 1])))
			continue;
		*used = end_of_used(&entry[count - 1], address + (count - 1) * PAGE_SIZE);
		return true;
	}
	return false;
}

static bool table_is_used_at_last(const pte_t *table, unsigned level, struct uaddr_range range, uint64_t *used)
{
	uint64_t span = pte_span(level);
	uint64_t start = uaddr_to_u64(range.start);
	uint64_t end = uaddr_to_u64(range.end);

	while (start < end) {
		const pte_t *entry = &table[pte_index(end - 1, level)];
		uint64_t from = (end - 1) & ~(span - 1);
		uint64_t part_start = from > start ? from : start;
		struct uaddr_range part = { uaddr_from_u64(part_start), uaddr_from_u64(end) };

		if (pte_is_present(*entry)) {
			const pte_t *below = page_table_of(*entry);

			if (level == 2 ? leaf_is_used_at_last(&below[pte_index(part_start, 1)], uaddr_range_pages(part),
							      part_start, used)
				       : table_is_used_at_last(below, level - 1, part, used))
				return true;
		} else if (!pte_is_empty(*entry)) {
			*used = from + span;
			return true;
		}
		end = part_start;
	}
	return false;
}

static inline bool is_used_at_last(const struct page_walk *walk, uint64_t *used)
{
	uint64_t start = uaddr_to_u64(walk->range.start);
	const pte_t *entry = walk->path[walk->level];

	switch (walk->landing) {
	case PAGE_LANDING_RUN:
		return leaf_is_used_at_last(entry, uaddr_range_pages(walk->range), start, used);
	case PAGE_LANDING_UNIFORM:
		*used = (start & ~(pte_span(walk->level) - 1)) + pte_span(walk->level);
		return !pte_is_empty(*entry);
	case PAGE_LANDING_WIDE:
		return table_is_used_at_last(entry - pte_index(start, walk->level), walk->level, walk->range, used);
	}
	return true;
}

/* ---- candidates ---- */

static uint64_t align_down(uint64_t address, uint64_t align)
{
	return address & ~(align - 1);
}

static uint64_t align_up(uint64_t address, uint64_t align)
{
	return (address + align - 1) & ~(align - 1);
}

/* Begin a walk of the highest aligned range that ends at or below `top`: NO_SPACE. */
static inline enum status begin_below(struct page_walk *walk, struct address_space *space, uint64_t top, uint64_t bytes,
				      uint64_t align)
{
	const uint64_t lowest = uaddr_to_u64(space->areas.map.start);
	uint64_t start = align_down(top - bytes, align);

	GUARD(top >= lowest + bytes && start >= lowest, STATUS_NO_SPACE);
	if (UNLIKELY(start < BOOTSTRAP_END && start + bytes > BOOTSTRAP_START)) {
		GUARD(BOOTSTRAP_START >= lowest + bytes, STATUS_NO_SPACE);
		start = align_down(BOOTSTRAP_START - bytes, align);
		GUARD(start >= lowest, STATUS_NO_SPACE);
	}
	page_walk_begin(walk, space, uaddr_range_make(start, start + bytes));
	return STATUS_OK;
}

/* Begin a walk of the lowest aligned range that starts at or above `bottom`: NO_SPACE. */
static inline enum status begin_above(struct page_walk *walk, struct address_space *space, uint64_t bottom,
				      uint64_t bytes, uint64_t align)
{
	const uint64_t end = uaddr_to_u64(space->areas.map.end);
	uint64_t start = align_up(bottom, align);

	if (UNLIKELY(start < BOOTSTRAP_END && start + bytes > BOOTSTRAP_START))
		start = align_up(BOOTSTRAP_END, align);
	GUARD(start <= end && bytes <= end - start, STATUS_NO_SPACE);
	page_walk_begin(walk, space, uaddr_range_make(start, start + bytes));
	return STATUS_OK;
}

/* Begin a walk of the first aligned gap behind `edge`: NO_SPACE. */
static enum status search_behind(struct page_walk *walk, struct address_space *space, uint64_t edge, uint64_t bytes,
				 uint64_t align)
{
	uint64_t candidates = 0;
	bool is_gap;

	do {
		if (candidates++ % STEP_CANDIDATES == STEP_CANDIDATES - 1)
			interrupt_window_open();
		if (space->areas.map_upward) {
			TRY(begin_above(walk, space, edge, bytes, align));
			is_gap = !is_used_at_last(walk, &edge);
		} else {
			TRY(begin_below(walk, space, edge, bytes, align));
			is_gap = !is_used(walk, &edge);
		}
	} while (!is_gap);
	return STATUS_OK;
}

/* ---- hints ---- */

/* How deep a range begins, seen from where searches do; 0 if it lies before that. */
static inline uint64_t depth_of(const struct address_space *space, struct uaddr_range range)
{
	const struct uaddr_range *map = &space->areas.map;
	uint64_t depth = uaddr_to_u64(map->end) - uaddr_to_u64(range.end);

	if (UNLIKELY(space->areas.map_upward))
		depth = uaddr_to_u64(range.start) - uaddr_to_u64(map->start);
	return (int64_t)depth > 0 ? depth : 0;
}

/* Searches of this class and of smaller ones begin no deeper than this. */
static inline void raise_hints(struct address_space *space, unsigned class, uint64_t depth)
{
	for (unsigned i = class + 1; i > 0 && space->gap_hint[i - 1].depth > depth; i--)
		space->gap_hint[i - 1].depth = depth;
}

/* Searches of this class and of larger ones begin at least so deep. */
static inline void lower_hints(struct address_space *space, unsigned class, uint64_t depth)
{
	for (unsigned i = class; i < GAP_CLASSES && space->gap_hint[i].depth < depth; i++)
		space->gap_hint[i].depth = depth;
}

/* Begin a walk of the first aligned gap of all, and let searches of its size begin there: NO_SPACE. */
static enum status search_all(struct page_walk *walk, struct address_space *space, uint64_t pages, uint64_t align)
{
	const struct uaddr_range *map = &space->areas.map;
	uint64_t edge = uaddr_to_u64(space->areas.map_upward ? map->start : map->end);
	unsigned class = gap_class(pages);

	TRY(search_behind(walk, space, edge, pages << PAGE_SHIFT, align));
	raise_hints(space, class, depth_of(space, walk->range));
	lower_hints(space, class, depth_of(space, walk->range));
	space->gap_hint[class].pages = pages;
	return STATUS_OK;
}

/* A gap was found by its hint. */
static inline void remember(struct address_space *space, uint64_t pages, uint64_t depth)
{
	unsigned class = gap_class(pages);
	struct gap_hint *hint = &space->gap_hint[class];

	if (pages != hint->pages && hint->depth != 0)
		return;
	lower_hints(space, class, depth);
	hint->pages = pages;
}

/* The two directions, each with its first candidate in plain sight. */
static enum status find_above(struct page_walk *walk, struct address_space *space, uint64_t pages, uint64_t align)
{
	const uint64_t start = uaddr_to_u64(space->areas.map.start);
	const uint64_t bytes = pages << PAGE_SHIFT;
	uint64_t edge = start + space->gap_hint[gap_class(pages)].depth;

	if (begin_above(walk, space, edge, bytes, align) != STATUS_OK || is_used_at_last(walk, &edge))
		if (search_behind(walk, space, edge, bytes, align) != STATUS_OK)
			return search_all(walk, space, pages, align);
	remember(space, pages, uaddr_to_u64(walk->range.start) - start);
	return STATUS_OK;
}

static inline enum status find_below(struct page_walk *walk, struct address_space *space, uint64_t pages,
				     uint64_t align)
{
	const uint64_t end = uaddr_to_u64(space->areas.map.end);
	const uint64_t bytes = pages << PAGE_SHIFT;
	uint64_t edge = end - space->gap_hint[gap_class(pages)].depth;

	if (begin_below(walk, space, edge, bytes, align) != STATUS_OK || is_used(walk, &edge))
		if (search_behind(walk, space, edge, bytes, align) != STATUS_OK)
			return search_all(walk, space, pages, align);
	remember(space, pages, end - uaddr_to_u64(walk->range.end));
	return STATUS_OK;
}

enum status page_gap_find(struct page_walk *walk, struct address_space *space, uint64_t pages, uint64_t align)
{
	if (UNLIKELY(pages < space->gap_hint[gap_class(pages)].pages))
		return search_all(walk, space, pages, align);
	if (space->areas.map_upward)
		return find_above(walk, space, pages, align);
	return find_below(walk, space, pages, align);
}

void page_gap_opened(struct address_space *space, struct uaddr_range range)
{
	/* what it merged with is left for a search that finds nothing behind */
	raise_hints(space, gap_class(uaddr_range_pages(range)), depth_of(space, range));
}
