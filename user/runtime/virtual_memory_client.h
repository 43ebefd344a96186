/*
 * VirtualMemory: anonymous memory of the program's own address space, as allocators and language runtimes want it:
 * reserve, commit, decommit, protect, release. Semantics and units are in abi/virtual_memory_abi.h: bytes, whole pages;
 * a failed call changes nothing. Addresses are pointers here because they are the caller's own.
 *
 * Each answers, besides what is written at it: ZERO_LENGTH, MISALIGNED, RANGE_WRAPS, NOT_USER_ADDRESS, BOOTSTRAP_RANGE
 * for the range; NO_SUCH_CAPABILITY for the client.
 */
#ifndef CAPOS_USER_RUNTIME_VIRTUAL_MEMORY_CLIENT_H
#define CAPOS_USER_RUNTIME_VIRTUAL_MEMORY_CLIENT_H

#include <stdint.h>

#include "abi/handle.h"
#include "abi/status.h"
#include "abi/virtual_memory_abi.h"

struct virtual_memory_client {
	handle_t handle;
};

/* Reserve and commit, with VIRTUAL_MEMORY_LAZY among the flags as below. BAD_PROTECTION, UNSUPPORTED (flag), OCCUPIED
 * (fixed), NO_SPACE, OVER_* of three ledgers, OUT_OF_MEMORY. */
enum status virtual_memory_client_map(struct virtual_memory_client client, const void *hint, uint64_t length,
				      uint32_t protection, uint32_t flags, void **address);

/* Address space only; no frame. UNSUPPORTED (flag), OCCUPIED (fixed), NO_SPACE, OVER_VIRTUAL_RESERVATION,
 * OVER_PAGE_TABLE, OUT_OF_MEMORY. */
enum status virtual_memory_client_reserve(struct virtual_memory_client client, const void *hint, uint64_t length,
					  uint32_t flags, void **address);

/* Zeroed frames for the pages that have none; the others keep data and protection. NOT_RESERVED, BAD_PROTECTION,
 * OVER_FRAME_GRANT, OVER_PAGE_TABLE, OUT_OF_MEMORY. */
enum status virtual_memory_client_commit(struct virtual_memory_client client, const void *address, uint64_t length,
					 uint32_t protection);

/* The same without frames: what is not committed yet gets each page's when it is touched. The same statuses. */
enum status virtual_memory_client_commit_lazy(struct virtual_memory_client client, const void *address, uint64_t length,
					      uint32_t protection);

/* Give the frames back, keep the reservation. NOT_RESERVED. */
enum status virtual_memory_client_decommit(struct virtual_memory_client client, const void *address, uint64_t length);

/* NOT_RESERVED, NOT_COMMITTED, BAD_PROTECTION. */
enum status virtual_memory_client_protect(struct virtual_memory_client client, const void *address, uint64_t length,
					  uint32_t protection);

/* Give frames and reservation back. NOT_RESERVED. */
enum status virtual_memory_client_unmap(struct virtual_memory_client client, const void *address, uint64_t length);

/*
 * End the heap at `address`, any byte, or only ask (NULL); *end is where it ends then. What is new is zero, and lazy.
 * UNSUPPORTED (no heap), BAD_ARGUMENT (below the heap), HEAP_MEETS_MAPPING, NOT_RESERVED (a page that would go is no
 * longer the heap's), OVER_* of three ledgers, OUT_OF_MEMORY.
 */
enum status virtual_memory_client_break(struct virtual_memory_client client, const void *address, void **end);

/* What lies at an address of the user half, and how far it reaches. NOT_USER_ADDRESS. */
enum status virtual_memory_client_query(struct virtual_memory_client client, const void *address,
					struct virtual_memory_region *region);

/* The process's ledgers and the machine's frames. */
enum status virtual_memory_client_statistics(struct virtual_memory_client client, struct memory_statistics *statistics);

#endif
