/*
 * The break: the end of a process's heap, which begins at areas.heap.start, in bytes. The pages up to it are anonymous,
 * lazy when they are new, readable and writable; the program owes and owns them like any others of its reservations.
 */
#ifndef CAPOS_KERNEL_MEM_HEAP_BREAK_H
#define CAPOS_KERNEL_MEM_HEAP_BREAK_H

#include <stdint.h>

#include "abi/status.h"
#include "kernel/mem/address_space.h"

/*
 * Move the break to `address`, or nowhere (0), and say where it is then. A failed call changes nothing. UNSUPPORTED:
 * the space has no heap. BAD_ARGUMENT: below the heap. HEAP_MEETS_MAPPING: past its end, or a page in the way is not
 * empty. NOT_RESERVED: it would give back a page that the program has unmapped, or put something else in place of.
 * OVER_VIRTUAL_RESERVATION, OVER_FRAME_GRANT, OVER_PAGE_TABLE, OUT_OF_MEMORY.
 */
enum status heap_break_move(struct address_space *space, uint64_t address, uint64_t *heap_break);

#endif
