/*
 * Search for a gap, from the top down, by candidates: the highest aligned place is looked through from its low end; the
 * first used page found rules out every candidate that holds it, so the next one ends there. Empty spans of any level
 * are passed in one step, and so are full leaf tables.
 *
 * For each class of sizes the space remembers where its last search succeeded, and starts the next one there; a release
 * above raises it. It is only a hint: a search that finds nothing below it looks once more from the top. Where nothing
 * small is free, nothing large is either: the hint of a class never lies above that of a smaller one.
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
		space->gap_hint[i] = (struct gap_hint){ ADDRESS_SPACE_MAP_TOP, 1 };
}

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

bool page_gap_is_used(const struct page_walk *walk, uint64_t *used)
{
	return is_used(walk, used);
}

static uint64_t align_down(uint64_t address, uint64_t align)
{
	return address & ~(align - 1);
}

/* Begin a walk of the highest aligned range that ends at or below `top`: NO_SPACE. */
static inline enum status begin_candidate(struct page_walk *walk, struct address_space *space, uint64_t top,
					  uint64_t bytes, uint64_t align)
{
	uint64_t start = align_down(top - bytes, align);

	GUARD(top >= USER_START + bytes && start >= USER_START, STATUS_NO_SPACE);
	if (UNLIKELY(start < BOOTSTRAP_END && start + bytes > BOOTSTRAP_START)) {
		GUARD(BOOTSTRAP_START >= USER_START + bytes, STATUS_NO_SPACE);
		start = align_down(BOOTSTRAP_START - bytes, align);
		GUARD(start >= USER_START, STATUS_NO_SPACE);
	}
	page_walk_begin(walk, space, (struct uaddr_range){ uaddr_from_u64(start), uaddr_from_u64(start + bytes) });
	return STATUS_OK;
}

/* Begin a walk of the highest aligned gap that ends at or below `top`: NO_SPACE. */
static enum status search_below(struct page_walk *walk, struct address_space *space, uint64_t top, uint64_t bytes,
				uint64_t align)
{
	uint64_t candidates = 0;

	do {
		if (candidates++ % STEP_CANDIDATES == STEP_CANDIDATES - 1)
			interrupt_window_open();
		TRY(begin_candidate(walk, space, top, bytes, align));
	} while (is_used(walk, &top));
	return STATUS_OK;
}

/* Searches of this class and of smaller ones begin at `address` or above. */
static inline void raise_hints(struct address_space *space, unsigned class, uint64_t address)
{
	for (unsigned i = class + 1; i > 0 && space->gap_hint[i - 1].address < address; i--)
		space->gap_hint[i - 1].address = address;
}

/* Searches of this class and of larger ones begin at `address` or below. */
static inline void lower_hints(struct address_space *space, unsigned class, uint64_t address)
{
	for (unsigned i = class; i < GAP_CLASSES && space->gap_hint[i].address > address; i++)
		space->gap_hint[i].address = address;
}

/* Begin a walk of the highest aligned gap of all, and let searches of its size begin there: NO_SPACE. */
static enum status search_all(struct page_walk *walk, struct address_space *space, uint64_t pages, uint64_t align)
{
	unsigned class = gap_class(pages);

	TRY(search_below(walk, space, ADDRESS_SPACE_MAP_TOP, pages << PAGE_SHIFT, align));
	raise_hints(space, class, uaddr_to_u64(walk->range.end));
	lower_hints(space, class, uaddr_to_u64(walk->range.end));
	space->gap_hint[class].pages = pages;
	return STATUS_OK;
}

enum status page_gap_find(struct page_walk *walk, struct address_space *space, uint64_t pages, uint64_t align)
{
	unsigned class = gap_class(pages);
	struct gap_hint *hint = &space->gap_hint[class];
	uint64_t bytes = pages << PAGE_SHIFT;
	uint64_t used = hint->address;

	if (UNLIKELY(pages < hint->pages))
		return search_all(walk, space, pages, align);
	if (begin_candidate(walk, space, used, bytes, align) != STATUS_OK || is_used(walk, &used))
		if (search_below(walk, space, used, bytes, align) != STATUS_OK)
			return search_all(walk, space, pages, align);
	if (pages == hint->pages || hint->address == ADDRESS_SPACE_MAP_TOP) {
		lower_hints(space, class, uaddr_to_u64(walk->range.end));
		hint->pages = pages;
	}
	return STATUS_OK;
}

void page_gap_opened(struct address_space *space, struct uaddr_range range)
{
	uint64_t end = uaddr_to_u64(range.end);

	/* what it merged with is left for a search that finds nothing below */
	raise_hints(space, gap_class(uaddr_range_pages(range)),
		    end < ADDRESS_SPACE_MAP_TOP ? end : ADDRESS_SPACE_MAP_TOP);
}
