#include "kernel/mem/page_placement.h"

#include "kernel/mem/page_walk.h"
#include "lib/check.h"

static uint64_t placement_align(uint64_t bytes)
{
	uint64_t align = PAGE_SIZE;

	for (unsigned level = 2; level <= 3; level++) /* 512 GiB alignment would leave too few places */
		if (bytes >= pte_span(level))
			align = pte_span(level);
	return align;
}

static bool range_is_empty(struct address_space *space, struct uaddr_range range)
{
	uint64_t address = uaddr_to_u64(range.start);

	while (address < uaddr_to_u64(range.end)) {
		unsigned level;
		pte_t entry = address_space_entry(space, address, &level);

		if (!pte_is_empty(entry))
			return false;
		address = (address & ~(pte_span(level) - 1)) + pte_span(level);
	}
	return true;
}

/* The best aligned gap; a worse aligned one rather than none. */
static enum status find_gap(struct address_space *space, uint64_t length, struct uaddr_range *range)
{
	enum status status = STATUS_NO_SPACE;

	for (uint64_t align = placement_align(length); status != STATUS_OK && align >= PAGE_SIZE; align >>= 9)
		status = page_gap_find(space, length >> PAGE_SHIFT, align, range);
	return status;
}

/* What a placement looks at: its own range, or all there is to choose from. */
static struct uaddr_range range_to_lock(const struct placement *placement, struct uaddr_range range)
{
	if (placement->fixed)
		return range;
	return (struct uaddr_range){ uaddr_from_u64(USER_START), uaddr_from_u64(USER_LIMIT) };
}

enum status page_placement_lock(struct address_space *space, const struct placement *placement,
				struct uaddr_range *range)
{
	uint64_t hint = placement->hint & ~(PAGE_SIZE - 1);
	enum status status;
	uint64_t pages;

	if (placement->fixed) {
		TRY(uaddr_range_of_pages(placement->hint, placement->length, range));
		address_space_lock(space, range_to_lock(placement, *range));
		return STATUS_OK;
	}
	TRY(page_count_of_length(placement->length, &pages));
	*range = (struct uaddr_range){ uaddr_from_u64(0), uaddr_from_u64(0) };
	address_space_lock(space, range_to_lock(placement, *range));
	if (hint != 0 && uaddr_range_of_pages(hint, placement->length, range) == STATUS_OK &&
	    range_is_empty(space, *range))
		return STATUS_OK;
	status = find_gap(space, placement->length, range);
	if (status != STATUS_OK)
		page_placement_unlock(space, placement, *range);
	return status;
}

void page_placement_unlock(struct address_space *space, const struct placement *placement, struct uaddr_range range)
{
	address_space_unlock(space, range_to_lock(placement, range));
}
