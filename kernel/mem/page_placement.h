/*
 * Choosing the place of a new range: what the caller wishes, what is free, and the lock over both until it is mapped.
 */
#ifndef CAPOS_KERNEL_MEM_PAGE_PLACEMENT_H
#define CAPOS_KERNEL_MEM_PAGE_PLACEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "kernel/mem/address_space.h"
#include "kernel/mem/page_walk.h"

/* Where a new range goes. */
struct placement {
	uint64_t hint;   /* byte address; 0: no wish */
	uint64_t length; /* bytes */
	bool fixed;      /* at the hint, or OCCUPIED */
};

/*
 * An empty range for a placement. On STATUS_OK the space is locked and the walk of the range begun: the caller maps it
 * and calls page_placement_unlock. FIXED: all of uaddr_range_of_pages, OCCUPIED. Else ZERO_LENGTH, MISALIGNED,
 * NOT_USER_ADDRESS for the length, NO_SPACE. Ranges of 2 MiB or more begin at a multiple of the largest span they fill,
 * if there is such a place.
 */
enum status page_placement_lock(struct address_space *space, const struct placement *placement, struct page_walk *walk);

/* What a placement looks at, and so locks: its own range, or all there is to choose from. */
static inline struct uaddr_range page_placement_scope(const struct placement *placement, struct uaddr_range range)
{
	if (placement->fixed)
		return range;
	return (struct uaddr_range){ uaddr_from_u64(USER_START), uaddr_from_u64(USER_LIMIT) };
}

static inline void page_placement_unlock(const struct page_walk *walk, const struct placement *placement)
{
	address_space_unlock(walk->space, page_placement_scope(placement, walk->range));
}

#endif
