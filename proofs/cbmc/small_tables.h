/*
 * Instead of kernel/arch/x86_64/pte_shape.h and kernel/mem/direct_map.h, for proofs about page tables: included before
 * anything else, so that these two are taken for included already. There are two levels of tables of 4 entries, and
 * they lie in an array, where an address is a pointer to a prover too. The way there and back is as direct_map.h says.
 */
#ifndef CAPOS_PROOFS_CBMC_SMALL_TABLES_H
#define CAPOS_PROOFS_CBMC_SMALL_TABLES_H

#include <stddef.h>
#include <stdint.h>

#ifndef __CPROVER__
size_t __CPROVER_POINTER_OFFSET(const void *pointer);
#endif

/* ---- instead of pte_shape.h ---- */

#define CAPOS_KERNEL_ARCH_X86_64_PTE_SHAPE_H

#define PTE_LEVELS 2u
#define PTE_INDEX_BITS 2
#define PAGE_STRIDE 2u
#define PAGE_GROUP 2u

#include "kernel/arch/x86_64/pte.h"

/* ---- instead of direct_map.h: frames [0, SMALL_TABLES) are tables, and what others hold is not looked at ---- */

#define CAPOS_KERNEL_MEM_DIRECT_MAP_H

#define SMALL_TABLES 2u

extern pte_t small_table[SMALL_TABLES][PTE_ENTRIES];

static inline void *direct_map_of_frame(frame_t frame)
{
	return small_table[frame_to_u64(frame)];
}

static inline void *direct_map_of_paddr(paddr_t address)
{
	return direct_map_of_frame(frame_from_paddr(address));
}

static inline frame_t direct_map_frame(const void *pointer)
{
	return frame_from_u64(__CPROVER_POINTER_OFFSET(pointer) / sizeof(small_table[0]));
}

#endif
