/*
 * Anonymous memory, and the pages of a process's image: the changes that VirtualMemory and the program loader make.
 *
 * Each call decides everything first, charges, promises frames and tables, and then publishes, which cannot fail. Each
 * takes the space's lock. Ranges come from uaddr_range_of_pages, protections have passed protection_check. Any call
 * that changes tables may answer OVER_PAGE_TABLE or OUT_OF_MEMORY.
 */
#ifndef CAPOS_KERNEL_MEM_ANONYMOUS_H
#define CAPOS_KERNEL_MEM_ANONYMOUS_H

#include <stdint.h>

#include "abi/status.h"
#include "kernel/mem/address_space.h"
#include "kernel/mem/page_placement.h"

/* Reserve: virtual_reservation_pages. OCCUPIED (fixed), OVER_VIRTUAL_RESERVATION. */
enum status anonymous_reserve(struct address_space *space, const struct placement *placement,
			      struct uaddr_range *range);

/* Reserve and commit in one: both ledgers or nothing. */
enum status anonymous_map(struct address_space *space, const struct placement *placement, uint32_t protection,
			  struct uaddr_range *range);

/* The same without frames: each page gets one when it is first touched. Both ledgers are charged at once. */
enum status anonymous_map_lazy(struct address_space *space, const struct placement *placement, uint32_t protection,
			       struct uaddr_range *range);

/*
 * Give frames to the pages that have none; the others keep data and protection, and lazy ones their protection.
 * NOT_RESERVED, OVER_FRAME_GRANT.
 */
enum status anonymous_commit(struct address_space *space, struct uaddr_range range, uint32_t protection);

/* Make the pages lazy that are not committed; the others stay as they are. The same. */
enum status anonymous_commit_lazy(struct address_space *space, struct uaddr_range range, uint32_t protection);

/* Take the frames back; the reservation stays. Pages that are not committed are fine. NOT_RESERVED. */
enum status anonymous_decommit(struct address_space *space, struct uaddr_range range);

/* NOT_RESERVED; NOT_COMMITTED if some page is only reserved. Lazy pages are committed. */
enum status anonymous_protect(struct address_space *space, struct uaddr_range range, uint32_t protection);

/* Give reservation and frames back. NOT_RESERVED. */
enum status anonymous_unmap(struct address_space *space, struct uaddr_range range);

/*
 * For the loader, not for programs: pages of kind IMAGE or BOOTSTRAP with zeroed frames, charged to LEDGER_IMAGE.
 * `range` may lie in the bootstrap window. OCCUPIED, OVER_IMAGE.
 */
enum status anonymous_map_image(struct address_space *space, struct uaddr_range range, enum page_kind kind,
				uint32_t protection);

/* For the loader: the same for IMAGE pages that get their frames at the first touch. Not in the window. */
enum status anonymous_map_image_lazy(struct address_space *space, struct uaddr_range range, uint32_t protection);

/*
 * For the loader: the first thread's stack, where `areas` say. Its highest pages, `committed_pages` of them (at least
 * one), have frames, READ and WRITE; what lies below them, down to the guard's start, is guard pages. Those of the
 * stack become lazy image pages when it grows (demand.h), if these are the space's areas. OCCUPIED, OVER_IMAGE.
 */
enum status anonymous_map_stack(struct address_space *space, const struct space_areas *areas, uint64_t committed_pages);

/* For the loader: guard pages without frames; uncharged but for tables. OCCUPIED. */
enum status anonymous_map_guard(struct address_space *space, struct uaddr_range range);

#endif
