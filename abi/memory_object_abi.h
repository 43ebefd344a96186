/*
 * MemoryObject: a fixed number of zeroed frames that can be mapped. Each hold charges the holder's frame_grant_pages
 * with all its pages, each live mapping with the mapped pages. RING_RELEASE gives up the hold.
 */
#ifndef CAPOS_ABI_MEMORY_OBJECT_ABI_H
#define CAPOS_ABI_MEMORY_OBJECT_ABI_H

#include <stdint.h>

enum memory_object_operation {
	MEMORY_OBJECT_INFO = 0,    /* (buffer, bytes): struct memory_object_info; value: pages */
	MEMORY_OBJECT_MAP = 1,     /* (hint, offset, length, protection, flags) -> address; bytes, whole pages */
	MEMORY_OBJECT_UNMAP = 2,   /* (address, length); every page must be a mapping of this object */
	MEMORY_OBJECT_PROTECT = 3, /* (address, length, protection); the same */
	/*
	 * (offset, length, flags): a result capability to the same object that can do less. It sees the pages of
	 * [offset, offset + length) only, its own offset 0 being the first of them; with MEMORY_OBJECT_READ_ONLY it
	 * never maps or protects to writable. A narrower one of a narrower one is within both. It is charged as its
	 * source is.
	 */
	MEMORY_OBJECT_RESTRICT = 4,
	MEMORY_OBJECT_OPERATION_COUNT
};

#define MEMORY_OBJECT_FIXED 1u /* map at the hint or fail */

#define MEMORY_OBJECT_READ_ONLY 1u /* RESTRICT: never writable */

#define MEMORY_OBJECT_INFO_READ_ONLY 0x100u

struct memory_object_info {
	uint64_t page_count;
	uint64_t size;         /* bytes */
	uint64_t mapped_pages; /* live borrowed pages of this object, in all address spaces */
	uint32_t holds;        /* capabilities that name it, in all processes */
	uint32_t flags; /* FRAME_ALLOCATOR_CONTIGUOUS if the frames are side by side, MEMORY_OBJECT_INFO_READ_ONLY */
};

_Static_assert(sizeof(struct memory_object_info) == 32, "layout");

#endif
