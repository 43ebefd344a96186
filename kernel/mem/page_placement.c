#include "kernel/mem/page_placement.h"

#include "lib/check.h"

/* The largest span that so many bytes fill; 512 GiB would leave too few places. */
static uint64_t placement_align(uint64_t bytes)
{
	if (LIKELY(bytes < pte_span(2)))
		return PAGE_SIZE;
	return bytes < pte_span(3) ? pte_span(2) : pte_span(3);
}

/* Begin a walk of the range that the caller wishes for: OCCUPIED. */
static enum status take_range(struct page_walk *walk, struct address_space *space, struct uaddr_range range)
{
	page_walk_begin(walk, space, range);
	GUARD(!page_gap_is_used(walk), STATUS_OCCUPIED);
	return STATUS_OK;
}

/* The best aligned gap; a worse aligned one rather than none. */
static enum status find_gap(struct page_walk *walk, struct address_space *space, uint64_t length)
{
	enum status status;
	uint64_t align = placement_align(length);

	do {
		status = page_gap_find(walk, space, length >> PAGE_SHIFT, align);
		align >>= 9;
	} while (status != STATUS_OK && align >= PAGE_SIZE);
	return status;
}

/* A wish that cannot be had is no reason to refuse. */
static enum status take_hint_or_gap(struct page_walk *walk, struct address_space *space,
				    const struct placement *placement)
{
	uint64_t hint = placement->hint & ~(PAGE_SIZE - 1);
	struct uaddr_range range;

	if (hint != 0 && uaddr_range_of_pages(hint, placement->length, &range) == STATUS_OK &&
	    take_range(walk, space, range) == STATUS_OK)
		return STATUS_OK;
	return find_gap(walk, space, placement->length);
}

enum status page_placement_lock(struct address_space *space, const struct placement *placement, struct page_walk *walk)
{
	struct uaddr_range range = { uaddr_from_u64(0), uaddr_from_u64(0) };
	enum status status;
	uint64_t pages;

	if (placement->fixed)
		TRY(uaddr_range_of_pages(placement->hint, placement->length, &range));
	else
		TRY(page_count_of_length(placement->length, &pages));
	address_space_lock(space, page_placement_scope(placement, range));
	if (placement->fixed)
		status = take_range(walk, space, range);
	else
		status = take_hint_or_gap(walk, space, placement);
	if (UNLIKELY(status != STATUS_OK))
		address_space_unlock(space, page_placement_scope(placement, range));
	return status;
}
