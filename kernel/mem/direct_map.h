/*
 * The direct map: all RAM at one kernel virtual address, supervisor, not executable, and read-only where kernel text
 * and rodata lie. Before paging_init() it is the loader's map (or the PVH entry's). Host tests point it at an arena.
 */
#ifndef CAPOS_KERNEL_MEM_DIRECT_MAP_H
#define CAPOS_KERNEL_MEM_DIRECT_MAP_H

#include <stdint.h>

#include "lib/address.h"

#define DIRECT_MAP_START UINT64_C(0xffff800000000000)

extern uint64_t direct_map_base; /* in frame.c; set once by main before the first use, then by paging_init */

static inline void *direct_map_of_paddr(paddr_t address)
{
	return (void *)(uintptr_t)(direct_map_base + paddr_to_u64(address));
}

static inline void *direct_map_of_frame(frame_t frame)
{
	return direct_map_of_paddr(paddr_from_frame(frame));
}

/* The frame behind a pointer that one of the two above made. */
static inline frame_t direct_map_frame(const void *pointer)
{
	return frame_from_paddr(paddr_from_u64((uint64_t)(uintptr_t)pointer - direct_map_base));
}

#endif
