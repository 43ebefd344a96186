/*
 * The only place where a program's address becomes bytes: checked and copied under the address space's lock, through
 * the direct map, with the page's permissions read in the same walk. So what is copied was accessible to the program at
 * that moment, whatever its other threads do. All or nothing for writes: a buffer is checked whole before the first
 * byte.
 *
 * Lazy pages of a buffer get their frames, and the stack grows, as if the program had touched them (demand.h): each
 * call may also answer OUT_OF_MEMORY, OVER_IMAGE or OVER_PAGE_TABLE for that.
 */
#ifndef CAPOS_KERNEL_MEM_USER_ACCESS_H
#define CAPOS_KERNEL_MEM_USER_ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "kernel/mem/address_space.h"

/* Copy in. RANGE_WRAPS, NOT_USER_ADDRESS, BUFFER_FAULT (some page not readable by the program). 0 bytes is fine. */
enum status user_access_read(struct address_space *space, uint64_t from, uint64_t bytes, void *to);

/* Copy out. The same, for writing. */
enum status user_access_write(struct address_space *space, uint64_t to, uint64_t bytes, const void *from);

/* Where bytes can be written to as long as the space stays locked. */
struct user_place {
	struct address_space *space;
	struct uaddr_range range;
	frame_t frame; /* if it lies in one page */
};

/*
 * user_access_write in two steps, for those who must know that the copy succeeds before they go on, and lock the space
 * for both: find answers as the write would, and supplies what is lazy as it would, so it locks accounts and frames;
 * put cannot fail. At least 1 byte.
 */
enum status user_access_find(struct address_space *space, uint64_t to, uint64_t bytes, struct user_place *place);
void user_access_put(const struct user_place *place, const void *from);

/*
 * The 32-bit word at a user address that is a multiple of 4, of an anonymous or image page: NOT_PRIVATE, BUFFER_FAULT.
 * Locked.
 */
enum status user_access_read_private_word(struct address_space *space, uint64_t address, uint32_t *word);

/*
 * Whether the same would succeed now: for operations in parts that must refuse a bad buffer before the first part, and
 * for those that must not lose input to one. What is lazy of it has frames afterwards. The copy checks again.
 */
enum status user_access_check(struct address_space *space, uint64_t start, uint64_t bytes, bool writable);

#endif
