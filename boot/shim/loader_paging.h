/*
 * The page tables that the kernel starts on. Tables come from one pool below 4 GiB, where the loader reaches physical
 * memory one to one. The upper half is shared with the loader's own root as it grows, so what the loader writes through
 * the direct map is written through the very mappings it hands over.
 */
#ifndef CAPOS_SHIM_LOADER_PAGING_H
#define CAPOS_SHIM_LOADER_PAGING_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/memory_map.h"

#define LOADER_PAGING_WRITE (UINT64_C(1) << 1)
#define LOADER_PAGING_NO_EXECUTE (UINT64_C(1) << 63)

struct loader_paging {
	uint64_t root;      /* physical address of the PML4 */
	uint64_t next, end; /* unused part of the pool, physical addresses */
};

struct loader_mapping {
	uint64_t virtual, physical, bytes; /* whole pages */
	uint64_t flags;                    /* LOADER_PAGING_* */
	bool large;                        /* 2 MiB pages where they fit */
};

/* A pool of that many frames suffices for the direct map of `map` and an image of `image_bytes`. */
uint64_t loader_paging_frames(const struct memory_map *map, uint64_t image_bytes);

void loader_paging_init(struct loader_paging *paging, uint64_t pool, uint64_t frames);

void loader_paging_map(struct loader_paging *paging, struct loader_mapping mapping);

/*
 * Map memory at `direct_map` + its physical address: what base revision 3 promises and no more. Revision 2 promises
 * more, but a kernel that is to run on both may not use it.
 */
void loader_paging_map_memory(struct loader_paging *paging, const struct memory_map *map, uint64_t direct_map);

/* Give the loader's own root the upper half as it is now. */
void loader_paging_share(const struct loader_paging *paging);

#endif
