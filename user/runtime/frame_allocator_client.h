/*
 * FrameAllocator: zeroed physical memory as a MemoryObject capability. The hold is charged to frame_grant_pages; give
 * it up with ring_client_release().
 */
#ifndef CAPOS_USER_RUNTIME_FRAME_ALLOCATOR_CLIENT_H
#define CAPOS_USER_RUNTIME_FRAME_ALLOCATOR_CLIENT_H

#include <stdint.h>

#include "abi/frame_allocator_abi.h"
#include "abi/handle.h"
#include "abi/status.h"
#include "user/runtime/memory_object_client.h"

struct frame_allocator_client {
	handle_t handle;
};

/* flags: FRAME_ALLOCATOR_*. ZERO_LENGTH, UNSUPPORTED (flag), OVER_FRAME_GRANT, OVER_CAP_SLOTS, OVER_KERNEL_OBJECT,
 * OUT_OF_MEMORY, NO_CONTIGUOUS_RUN. */
enum status frame_allocator_client_allocate(struct frame_allocator_client client, uint64_t pages, uint32_t flags,
					    struct memory_object_client *object);

#endif
