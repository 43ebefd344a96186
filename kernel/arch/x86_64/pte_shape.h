/*
 * The shape of page tables: numbers that the code of user spaces takes from here alone, so that a proof can be of that
 * code over smaller tables (proofs/cbmc/small_tables.h stands in for this file).
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_PTE_SHAPE_H
#define CAPOS_KERNEL_ARCH_X86_64_PTE_SHAPE_H

/* 4-level paging: SDM vol. 3A, section 4.5. */
#define PTE_LEVELS 4u
#define PTE_INDEX_BITS 9

/* Entries that a loop takes at a time where one costs only an instruction or two. */
#define PAGE_STRIDE 8u

/* Entries that share a bit of what a table notes (page_walk.h). */
#define PAGE_GROUP 16u

#endif
