/*
 * User-address bounds, and whether a range is accessible to the program, for callers that already keep the page table
 * stable: user_access.c, under the space's lock. It gives no data: a caller that lets go of the table afterwards must
 * not rely on the answer.
 */
#ifndef CAPOS_KERNEL_MEM_VALIDATE_H
#define CAPOS_KERNEL_MEM_VALIDATE_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "kernel/mem/address_space.h"

/* The same as validate_page, by the page table; the space remembers what is found. */
enum status validate_page_anew(struct address_space *space, uint64_t address, bool writable, frame_t *frame);

/*
 * The frame behind an address if the program may read (or write) there: BUFFER_FAULT. Locked. Inline: most buffers lie
 * in the page that the space has seen last.
 */
static inline enum status validate_page(struct address_space *space, uint64_t address, bool writable, frame_t *frame)
{
	if (UNLIKELY(!seen_page_is(&space->seen, address, writable)))
		return validate_page_anew(space, address, writable, frame);
	*frame = space->seen.frame;
	return STATUS_OK;
}

/* Every page of [start, start + bytes): RANGE_WRAPS, NOT_USER_ADDRESS, BUFFER_FAULT. 0 bytes are fine. Locked. */
enum status validate_range(struct address_space *space, uint64_t start, uint64_t bytes, bool writable);

#endif
