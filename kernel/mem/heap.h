/*
 * Kernel heap: size classes on frames. An allocation can fail, everywhere, with OUT_OF_MEMORY; the caller names the
 * size again when it frees, and a wrong size or a second free panics. Debug builds put redzones around each block and
 * poison what is free.
 *
 * Locks: its own, taken under no other; those of frames are taken under it.
 */
#ifndef CAPOS_KERNEL_MEM_HEAP_H
#define CAPOS_KERNEL_MEM_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"

#define HEAP_MAX_BYTES 1024u /* of one block; what is larger takes whole frames */

/* A zeroed block of `bytes` (1 .. HEAP_MAX_BYTES), 16-byte aligned. OUT_OF_MEMORY; BAD_ARGUMENT for another size. */
enum status heap_allocate(uint64_t bytes, void **block);

void heap_free(void *block, uint64_t bytes);

struct heap_statistics {
	uint64_t frames;
	uint64_t blocks;
	uint64_t bytes; /* as asked for, rounded to the class */
};

void heap_statistics_read(struct heap_statistics *statistics);

/* For a recount from what lies on the heap: `count` more blocks of that size. Frames are not recounted. */
void heap_recount(struct heap_statistics *recount, uint64_t count, uint64_t bytes);

/* Lists and counters of every slab with free cells, and in debug builds the poison of those. */
bool heap_is_valid(void);

#endif
