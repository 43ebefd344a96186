/*
 * Memory before there is a frame allocator: whole pages cut off a usable range of the memory map, for the kernel's own
 * page tables, the bitmap and the frame table. What is cut off becomes MEMORY_KERNEL_IMAGE in the kernel's own copy of
 * the map, so frame_init never hands it out. Boot CPU only.
 */
#ifndef CAPOS_KERNEL_MEM_BOOT_MEMORY_H
#define CAPOS_KERNEL_MEM_BOOT_MEMORY_H

#include <stdint.h>

#include "abi/status.h"
#include "lib/address.h"
#include "lib/memory_map.h"

/* Start from the loader's map. Pages come from below physical address `limit` until boot_memory_raise_limit. */
void boot_memory_init(const struct memory_map *map, uint64_t limit);

/* The direct map now reaches everything. */
void boot_memory_raise_limit(void);

/* `pages` side by side, not zeroed: OUT_OF_MEMORY. From the end of the highest usable range that has room. */
enum status boot_memory_take(uint64_t pages, paddr_t *address);

/*
 * The same, until boot_memory_reclaim: for what is needed no longer than the loader's memory is. Or for good after all,
 * if that turns out to be wrong.
 */
enum status boot_memory_borrow(uint64_t pages, paddr_t *address);
void boot_memory_keep(paddr_t address, uint64_t pages);

/* The map as it is now. */
const struct memory_map *boot_memory_map(void);

/* What the loader no longer needs, and what was borrowed, becomes usable. */
void boot_memory_reclaim(void);

#endif
