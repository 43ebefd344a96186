/*
 * Borrowed pages: mappings of a memory object's frames in an address space. Each is charged to frame_grant_pages for as
 * long as it lives, and keeps its frame alive. The caller holds a use of the object (memory_object_use).
 */
#ifndef CAPOS_KERNEL_MEM_BORROWED_H
#define CAPOS_KERNEL_MEM_BORROWED_H

#include <stdint.h>

#include "abi/status.h"
#include "kernel/mem/address_space.h"
#include "kernel/mem/memory_object.h"
#include "kernel/mem/page_placement.h"

/*
 * Map pages [first_page, first_page + length) of the object: BEYOND_OBJECT, all of page_placement_lock, OCCUPIED,
 * OVER_FRAME_GRANT, OVER_PAGE_TABLE, OUT_OF_MEMORY.
 */
enum status borrowed_map(struct address_space *space, struct memory_object *object, const struct placement *placement,
			 uint64_t first_page, uint32_t protection, struct uaddr_range *range);

/*
 * Every page must be a mapping of this object, and of the pages that the window shows: NOT_BORROWED, OTHER_OBJECT,
 * NOT_PERMITTED.
 */
enum status borrowed_unmap(struct address_space *space, struct memory_object *object,
			   const struct memory_window *window, struct uaddr_range range);
enum status borrowed_protect(struct address_space *space, struct memory_object *object,
			     const struct memory_window *window, struct uaddr_range range, uint32_t protection);

#endif
