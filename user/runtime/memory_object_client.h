/*
 * MemoryObject: a fixed number of frames that can be mapped, here and (through other holders) elsewhere. Bytes, whole
 * pages. ring_client_release(client.handle) gives up the hold; live mappings keep the frames.
 */
#ifndef CAPOS_USER_RUNTIME_MEMORY_OBJECT_CLIENT_H
#define CAPOS_USER_RUNTIME_MEMORY_OBJECT_CLIENT_H

#include <stdint.h>

#include "abi/handle.h"
#include "abi/memory_object_abi.h"
#include "abi/status.h"

struct memory_object_client {
	handle_t handle;
};

/* What to map where. */
struct memory_object_window {
	const void *hint; /* the address itself with MEMORY_OBJECT_FIXED */
	uint64_t offset;  /* into the object */
	uint64_t length;
	uint32_t protection; /* PROTECTION_* */
	uint32_t flags;      /* MEMORY_OBJECT_* */
};

enum status memory_object_client_info(struct memory_object_client client, struct memory_object_info *info);

/* Range refusals, BAD_PROTECTION, UNSUPPORTED (flag), BEYOND_OBJECT, OCCUPIED (fixed), NO_SPACE, OVER_FRAME_GRANT,
 * OVER_PAGE_TABLE, OUT_OF_MEMORY. */
enum status memory_object_client_map(struct memory_object_client client, const struct memory_object_window *window,
				     void **address);

/* Range refusals, NOT_BORROWED, OTHER_OBJECT. */
enum status memory_object_client_unmap(struct memory_object_client client, const void *address, uint64_t length);

/* Range refusals, BAD_PROTECTION, NOT_BORROWED, OTHER_OBJECT. */
enum status memory_object_client_protect(struct memory_object_client client, const void *address, uint64_t length,
					 uint32_t protection);

/* What a narrower capability lets see: bytes, whole pages, of what the wider one lets see. */
struct memory_object_part {
	uint64_t offset, length;
	uint32_t flags; /* 0 or MEMORY_OBJECT_READ_ONLY */
};

/* A capability to part of the object, or to reading it, charged as a hold of its own. ZERO_LENGTH, MISALIGNED,
 * BEYOND_OBJECT, UNSUPPORTED (flag), OVER_FRAME_GRANT, OVER_CAP_SLOTS, OVER_KERNEL_OBJECT, OUT_OF_MEMORY. */
enum status memory_object_client_restrict(struct memory_object_client client, const struct memory_object_part *part,
					  struct memory_object_client *narrower);

#endif
