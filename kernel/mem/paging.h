/*
 * The kernel's own half of every address space. Built once, by the boot CPU; the upper 256 entries of its root are
 * copied into every address space and never change afterwards, because each window below has its level-3 table from the
 * start.
 *
 *   ffff8000_00000000  direct map: all RAM; RW NX, but R NX where kernel text and rodata lie
 *   ffffc000_00000000  device window: MMIO, uncached, RW NX
 *   ffffc800_00000000  temporary window: one mapping at a time, R NX
 *   ffffd000_00000000  kernel stacks, RW NX, a guard page below each
 *   ffffffff_80000000  image: text RX, rodata R NX, data and bss RW NX
 *
 * Promise (paging_check): no entry has U; exactly the text pages are executable; no page is writable and executable; no
 * alias of text or rodata is writable; all pages are global; no guard of a stack is mapped.
 */
#ifndef CAPOS_KERNEL_MEM_PAGING_H
#define CAPOS_KERNEL_MEM_PAGING_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "kernel/arch/x86_64/pte.h"
#include "kernel/boot/boot_info.h"

#define DEVICE_WINDOW_START UINT64_C(0xffffc00000000000)
#define TEMPORARY_WINDOW_START UINT64_C(0xffffc80000000000)
#define STACK_WINDOW_START UINT64_C(0xffffd00000000000)

/* Build the tables from boot_memory, load CR3, move the direct map. Boot CPU, interrupts off. OUT_OF_MEMORY. */
enum status paging_init(const struct boot_info *info);

/* The kernel's root, for the upper half of new address spaces. */
const pte_t *paging_root_table(void);

/* Load the kernel's root on this CPU: no user half. */
void paging_load_kernel_root(void);

/*
 * A root for starting CPUs: the kernel half, and the page at `page` mapped to itself, executable. Frames below 4 GiB,
 * borrowed from boot_memory: before boot_memory_reclaim every CPU must have loaded another root. One that perhaps never
 * does makes it stay for good. OUT_OF_MEMORY.
 */
enum status paging_make_start_root(paddr_t page, paddr_t *root);
void paging_keep_start_root(paddr_t root);

/* Map MMIO for good, uncached; any alignment. From boot_memory (before frame_init) or frames: OUT_OF_MEMORY. */
enum status paging_map_device(paddr_t address, uint64_t bytes, volatile void **pointer);

/* Map any physical bytes read-only until the next call. NULL if they are too many (1 MiB) or memory ran out. */
const void *paging_map_temporary(paddr_t address, uint64_t bytes);

/*
 * Map or unmap one frame in a window that paging_init made, for kernel_stack.c: OUT_OF_MEMORY for a table. After
 * unmapping the caller flushes. The tables stay.
 */
enum status paging_map_page(uint64_t address, frame_t frame);
frame_t paging_unmap_page(uint64_t address);

/* From now on tables come from the frame allocator; how many did. */
void paging_use_frames(void);
uint64_t paging_table_frames(void);

#endif
