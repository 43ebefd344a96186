/*
 * FrameAllocator: physical memory, given out as memory objects; never as a physical address.
 */
#ifndef CAPOS_ABI_FRAME_ALLOCATOR_ABI_H
#define CAPOS_ABI_FRAME_ALLOCATOR_ABI_H

enum frame_allocator_operation {
	/* (pages, flags) -> value: index of the result capability (0); transfer record: the new MemoryObject */
	FRAME_ALLOCATOR_ALLOCATE = 0,
	FRAME_ALLOCATOR_OPERATION_COUNT
};

#define FRAME_ALLOCATOR_CONTIGUOUS 1u /* physically side by side */
#define FRAME_ALLOCATOR_ALIGN_2MIB 2u /* and the first frame on a 2 MiB boundary; implies CONTIGUOUS */

#endif
