/*
 * Search for a gap, from the top down, by candidates: the highest aligned place is looked through from its low end; the
 * first used page found rules out every candidate that holds it, so the next one ends there. Empty spans of any level
 * are passed in one step, and so are full leaf tables.
 *
 * For each class of sizes the space remembers where its last search succeeded, and starts the next one there; a release
 * above raises it. It is only a hint: a search that finds nothing below it looks once more from the top.
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

/* Entries that end in use, downwards from `index`: the first of them. */
static unsigned first_of_used(const pte_t *table, unsigned index)
{
	while (index > 0 && !pte_is_empty(table[index - 1]))
		index--;
	return index;
}

/* Whether an entry rules out its whole span: uniform and not empty, or a full leaf table. */
static bool is_full(pte_t entry, unsigned level)
{
	if (pte_is_empty(entry))
		return false;
	return level == 1 || !pte_is_present(entry) ||
	       (level == 2 && page_table_used(frame_info_of(pte_frame(entry))) == PTE_ENTRIES);
}

/*
 * The lowest used page of [start, end) below this table, and then the start of the used run that it belongs to within
 * its leaf table. False if all is empty.
 */
static bool find_used_below(const pte_t *table, unsigned level, uint64_t start, uint64_t end, uint64_t *used)
{
	uint64_t span = pte_span(level);
	uint64_t address = start & ~(span - 1);

	for (unsigned index = pte_index(start, level); address < end; index++, address += span) {
		pte_t entry = table[index];
		uint64_t from = address > start ? address : start;
		uint64_t to = address + span < end ? address + span : end;

		if (pte_is_empty(entry))
			continue;
		if (is_full(entry, level)) {
			*used = level == 1 ? address - (index - first_of_used(table, index)) * span : address;
			return true;
		}
		if (find_used_below(page_table_of(entry), level - 1, from, to, used))
			return true;
	}
	return false;
}

/* The same below the root: straight down to the lowest table that covers the range, which most often ends at once. */
static bool find_used(const struct address_space *space, uint64_t start, uint64_t end, uint64_t *used)
{
	const pte_t *table = space->root_table;
	uint64_t across = start ^ (end - 1);
	unsigned level = PTE_LEVELS;

	for (; level > 1 && across < pte_span(level); level--) {
		pte_t entry = table[pte_index(start, level)];

		if (pte_is_empty(entry))
			return false;
		if (is_full(entry, level))
			break;
		table = page_table_of(entry);
	}
	return find_used_below(table, level, start, end, used);
}

static uint64_t align_down(uint64_t address, uint64_t align)
{
	return address & ~(align - 1);
}

/* The highest aligned gap that ends at or below `top`. */
static enum status search_below(const struct address_space *space, uint64_t top, uint64_t bytes, uint64_t align,
				uint64_t *start)
{
	uint64_t used = top;

	for (uint64_t candidates = 1;; candidates++) {
		if (candidates % STEP_CANDIDATES == 0)
			interrupt_window_open();
		GUARD(used >= USER_START + bytes, STATUS_NO_SPACE);
		*start = align_down(used - bytes, align);
		GUARD(*start >= USER_START, STATUS_NO_SPACE);
		if (BOOTSTRAP_END > *start && BOOTSTRAP_START < *start + bytes) {
			used = BOOTSTRAP_START;
			continue;
		}
		if (!find_used(space, *start, *start + bytes, &used))
			return STATUS_OK;
	}
}

enum status page_gap_find(struct address_space *space, uint64_t pages, uint64_t align, struct uaddr_range *range)
{
	struct gap_hint *hint = &space->gap_hint[gap_class(pages)];
	uint64_t bytes = pages << PAGE_SHIFT;
	uint64_t top = pages >= hint->pages ? hint->address : ADDRESS_SPACE_MAP_TOP;
	uint64_t start;

	if (search_below(space, top, bytes, align, &start) != STATUS_OK)
		TRY(search_below(space, ADDRESS_SPACE_MAP_TOP, bytes, align, &start));
	if (pages <= hint->pages || top == ADDRESS_SPACE_MAP_TOP)
		*hint = (struct gap_hint){ start + bytes, pages };
	*range = (struct uaddr_range){ uaddr_from_u64(start), uaddr_from_u64(start + bytes) };
	return STATUS_OK;
}

void page_gap_opened(struct address_space *space, struct uaddr_range range)
{
	unsigned class = gap_class(uaddr_range_pages(range));
	uint64_t end = uaddr_to_u64(range.end);

	if (end > ADDRESS_SPACE_MAP_TOP)
		end = ADDRESS_SPACE_MAP_TOP;
	for (unsigned i = 0; i <= class; i++) /* what it merged with is left for a search that finds nothing below */
		if (space->gap_hint[i].address < end)
			space->gap_hint[i].address = end;
}
