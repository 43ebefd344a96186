/*
 * The heap's lower half: runs of whole pages, and when they have frames. For user_heap.c alone.
 *
 * States of a run, and who moves between them:
 *   (beyond `fresh`) --heap_run_allocate--> in use
 *   in use --heap_run_free--> FREE, joined with its neighbours
 *   FREE --heap_run_allocate, heap_run_extend--> in use
 *   FREE, the whole of its region --heap_run_trim, or heap_run_free if it is not the only region--> unmapped
 * Pages in use are committed; pages of a FREE run may be. Not more than USER_HEAP_CACHED_PAGES of those stay so.
 */
#ifndef CAPOS_USER_RUNTIME_HEAP_RUN_H
#define CAPOS_USER_RUNTIME_HEAP_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "user/runtime/user_heap.h"

#define HEAP_PAGE_LIVE_WORDS 4u /* 256 objects of 16 bytes */

enum heap_page_kind {
	HEAP_PAGE_INSIDE = 0, /* not the first page of a run (nor the last, of a free one) */
	HEAP_PAGE_SLAB = 1,
	HEAP_PAGE_RUN = 2,
	HEAP_PAGE_FREE = 3, /* first and last page of a free run */
};

struct heap_page {
	uint8_t kind;                        /* enum heap_page_kind */
	uint8_t size_class;                  /* SLAB */
	uint8_t committed;                   /* has a frame */
	uint8_t region;                      /* index into user_heap.region */
	uint32_t run;                        /* pages of the run; first page, and last of a free one */
	uint32_t index;                      /* page number in the region */
	uint32_t count;                      /* SLAB: objects in use; FREE, first page: committed pages of the run */
	struct heap_page *next, *previous;   /* SLAB: with room; FREE, first page: in the bin */
	uint64_t live[HEAP_PAGE_LIVE_WORDS]; /* SLAB: objects in use */
};

_Static_assert(sizeof(struct heap_page) == 64, "64 descriptors a page");

/* Doubly linked lists of descriptors, as bins and slabs use them. */
void heap_run_link(struct heap_page **list, struct heap_page *page);
void heap_run_unlink(struct heap_page **list, struct heap_page *page);

/* `pages` committed pages with unknown content; kind is RUN. The refusals of user_heap_allocate. */
enum status heap_run_allocate(struct user_heap *heap, uint32_t pages, struct heap_page **first);

/* Make a run of kind RUN longer where it stands: NO_SPACE if what follows is in use, or the refusals of a commit. */
enum status heap_run_extend(struct user_heap *heap, struct heap_page *first, uint32_t pages);

/* Free the pages of a run of kind RUN from `pages` on. */
void heap_run_shrink(struct user_heap *heap, struct heap_page *first, uint32_t pages);

void heap_run_free(struct user_heap *heap, struct heap_page *first);

/* Decommit all free runs and unmap all regions with nothing in use. */
void heap_run_trim(struct user_heap *heap);

/* The descriptor of the page that holds `address`; false: not an address of this heap. */
bool heap_run_find(const struct user_heap *heap, const void *address, struct heap_page **page);

unsigned char *heap_run_address(const struct user_heap *heap, const struct heap_page *page);

bool heap_run_is_valid(const struct user_heap *heap);

#endif
