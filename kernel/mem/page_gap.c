/*
 * Search for a gap, from the top down. A class of sizes keeps the highest address below which a gap of its smallest
 * size may still end; releases raise it again. A search that finds nothing below the hint looks once more from the top.
 */
#include "kernel/mem/page_walk.h"
#include "lib/check.h"

static unsigned gap_class(uint64_t pages)
{
	unsigned class = (63u - (unsigned)__builtin_clzll(pages)) / 2;

	return class < GAP_CLASSES ? class : GAP_CLASSES - 1;
}

static uint64_t gap_class_bytes(unsigned class)
{
	return UINT64_C(1) << (PAGE_SHIFT + 2 * class);
}

void page_gap_reset(struct address_space *space)
{
	for (unsigned i = 0; i < GAP_CLASSES; i++)
		space->gap_hint[i] = ADDRESS_SPACE_MAP_TOP;
}

/* The entry that covers the byte below `address`, and where its span begins. A full leaf table counts as one entry. */
static pte_t entry_below(const struct address_space *space, uint64_t address, uint64_t *span_start)
{
	const pte_t *table = space->root_table;
	uint64_t last = address - 1;

	for (unsigned level = PTE_LEVELS;; level--) {
		pte_t entry = table[pte_index(last, level)];

		if (level == 1 || !pte_is_present(entry) ||
		    (level == 2 && page_table_used(frame_info_of(pte_frame(entry))) == PTE_ENTRIES)) {
			*span_start = last & ~(pte_span(level) - 1);
			return entry;
		}
		table = page_table_of(entry);
	}
}

/* The same upwards, in empty space only: where the empty run that begins at `address` ends, looking at few entries. */
static uint64_t empty_until(const struct address_space *space, uint64_t address)
{
	for (unsigned looked = 0; looked < 64 && address < ADDRESS_SPACE_MAP_TOP; looked++) {
		unsigned level;
		pte_t entry = address_space_entry(space, address, &level);

		if (!pte_is_empty(entry))
			return address;
		address = (address & ~(pte_span(level) - 1)) + pte_span(level);
	}
	return ADDRESS_SPACE_MAP_TOP;
}

void page_gap_opened(struct address_space *space, struct uaddr_range range)
{
	uint64_t end = empty_until(space, uaddr_to_u64(range.end));

	for (unsigned i = 0; i < GAP_CLASSES; i++)
		if (space->gap_hint[i] < end)
			space->gap_hint[i] = end < ADDRESS_SPACE_MAP_TOP ? end : ADDRESS_SPACE_MAP_TOP;
}

/* Search below `top`; *first_run is the end of the highest run of at least `least` bytes that was seen. */
static enum status search_below(const struct address_space *space, uint64_t top, uint64_t bytes, uint64_t align,
				uint64_t least, uint64_t *first_run, uint64_t *start)
{
	uint64_t run_end = top;
	uint64_t position = top;
	bool seen = false;

	while (position > USER_START) {
		uint64_t span_start;
		pte_t entry = entry_below(space, position, &span_start);

		if (!pte_is_empty(entry)) {
			run_end = span_start;
			position = span_start;
			continue;
		}
		position = span_start > USER_START ? span_start : USER_START;
		if (!seen && run_end - position >= least) {
			*first_run = run_end;
			seen = true;
		}
		if (run_end < USER_START + bytes)
			continue;
		*start = (run_end - bytes) & ~(align - 1);
		if (*start >= position && *start >= USER_START &&
		    (*start >= BOOTSTRAP_END || *start + bytes <= BOOTSTRAP_START))
			return STATUS_OK;
	}
	return STATUS_NO_SPACE;
}

enum status page_gap_find(struct address_space *space, uint64_t pages, uint64_t align, struct uaddr_range *range)
{
	unsigned class = gap_class(pages);
	uint64_t bytes = pages << PAGE_SHIFT;
	uint64_t *hint = &space->gap_hint[class];
	uint64_t first_run = *hint;
	uint64_t start;

	if (search_below(space, *hint, bytes, align, gap_class_bytes(class), &first_run, &start) != STATUS_OK) {
		first_run = ADDRESS_SPACE_MAP_TOP;
		TRY(search_below(space, ADDRESS_SPACE_MAP_TOP, bytes, align, gap_class_bytes(class), &first_run,
				 &start));
	}
	*hint = first_run;
	*range = (struct uaddr_range){ uaddr_from_u64(start), uaddr_from_u64(start + bytes) };
	return STATUS_OK;
}
