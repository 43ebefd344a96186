/*
 * Pages on demand. A lazy page (PAGE_LAZY) is charged in full when it is made, with the tables above it, and gets a
 * zeroed frame when somebody first touches it: the program, by a page fault, or the kernel that copies for it. The
 * first thread's stack grows the same way: a touch in areas.stack, below its lowest page, makes all pages from there up
 * lazy image pages, which is when they are charged.
 *
 * A touch decides everything first, charges, promises and then publishes, and changes nothing if it is refused. Nothing
 * is flushed: what it makes present was not.
 */
#ifndef CAPOS_KERNEL_MEM_DEMAND_H
#define CAPOS_KERNEL_MEM_DEMAND_H

#include <stdint.h>

#include "abi/status.h"
#include "kernel/mem/address_space.h"
#include "kernel/mem/page_walk.h"
#include "lib/range.h"

/*
 * For page faults: make an access possible that needs these PROTECTION_* bits (not 0). Any address. Takes the space's
 * lock and opens interrupt windows. OK: it is possible now, or was already. BUFFER_FAULT: it is not allowed there.
 * STACK_OVERFLOW: nor there, and it is areas.guard. OUT_OF_MEMORY: no frame is left. OVER_IMAGE, OVER_PAGE_TABLE: the
 * stack cannot grow that far.
 */
enum status address_space_touch(struct address_space *space, uint64_t address, uint32_t needed);

/* The same for all pages of a range of whole pages, all or nothing; areas.guard is BUFFER_FAULT. Locked. */
enum status demand_supply(struct address_space *space, struct uaddr_range range, uint32_t needed);

/*
 * Lazy pages in the walk's range, which was found to be empty, with walk->protection: anonymous or image, as walk->kind
 * says. OVER_VIRTUAL_RESERVATION and OVER_FRAME_GRANT, or OVER_IMAGE; OVER_PAGE_TABLE, OUT_OF_MEMORY. Locked.
 */
enum status demand_create(struct page_walk *walk);

/* anonymous_commit_lazy of the walk's range. Locked. */
enum status demand_commit(struct page_walk *walk);

#endif
