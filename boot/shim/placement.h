/*
 * Where things go: whole frames taken from the top of usable memory, each taking written into the memory map that the
 * kernel will see. Never given: memory that still holds the kernel file or package as the loader below us left them.
 * Every taking is filled with a pattern once memory can be reached, so that nothing is zero by accident.
 */
#ifndef CAPOS_SHIM_PLACEMENT_H
#define CAPOS_SHIM_PLACEMENT_H

#include <stdint.h>

#include "boot/shim/boot_source.h"

#define PLACEMENT_ANYWHERE UINT64_MAX
#define PLACEMENT_PATTERN UINT64_C(0xa5a5a5a5a5a5a5a5)

struct placement {
	struct memory_map *handed_over; /* what the kernel will see */
	struct memory_map busy;         /* the same, and what must not be overwritten yet */
};

struct placement_wish {
	uint64_t frames;
	uint64_t alignment; /* in frames, a power of two; with 1 the place is an odd frame number on purpose */
	uint64_t below;     /* physical address, or PLACEMENT_ANYWHERE */
	enum memory_kind kind;
};

void placement_init(struct placement *placement, struct memory_map *handed_over);

/* The bytes stay as they are until the end. */
void placement_avoid(struct placement *placement, struct byte_span span);

/* Physical address of the first byte. Refuses to boot if there is no room. */
uint64_t placement_take(struct placement *placement, struct placement_wish wish);

void placement_fill(void *memory, uint64_t bytes);

#endif
