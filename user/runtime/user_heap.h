/*
 * A program's heap on VirtualMemory: reserves address space in large regions, commits frames in small steps as they are
 * needed, gives frames back when much is free, and gives everything back at user_heap_trim() once nothing is in use.
 *
 * Up to USER_HEAP_SMALL_MAX bytes an object shares a page ("slab") with others of its size class; anything larger is a
 * run of whole pages. Each page has a descriptor at the start of its region, away from the objects, so that writing
 * past an object does not reach it. Addresses are 16-byte aligned, runs page-aligned.
 *
 * A free or resize of an address that is not an object in use (double free, middle of an object, not of this heap)
 * ends the program with a message: program_abort().
 *
 * Any thread may use it; a mutex of its own keeps them apart. Invariant (user_heap_is_valid): runs tile each region up
 * to its `fresh` page; free runs are in the bin of their length, and no two are neighbours; live bits agree with the
 * counts; pages counted = pages marked committed + pages of descriptors.
 */
#ifndef CAPOS_USER_RUNTIME_USER_HEAP_H
#define CAPOS_USER_RUNTIME_USER_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "user/runtime/mutex.h"
#include "user/runtime/virtual_memory_client.h"

#define USER_HEAP_REGIONS 64u
#define USER_HEAP_BINS 32u /* free runs of 2^n .. 2^(n+1) - 1 pages */
#define USER_HEAP_CLASSES 23u
#define USER_HEAP_SMALL_MAX 2048u
#define USER_HEAP_CACHED_PAGES 64u /* free pages that may stay committed */

struct heap_page; /* descriptor of one page: heap_run.h */

/* One reservation: descriptors in front, then the pages that they describe. */
struct heap_region {
	struct heap_page *page;    /* descriptors, one a page */
	unsigned char *base;       /* page 0 */
	uint32_t pages;            /* described; 0: this entry of the table is unused */
	uint32_t fresh;            /* pages from here on were never handed out */
	uint32_t descriptor_pages; /* reserved for the descriptors */
	uint32_t descriptors_committed;
	uint32_t used; /* pages in slabs and runs */
};

struct user_heap_statistics {
	uint64_t pages;      /* committed now, descriptors included */
	uint64_t peak_pages; /* the most that ever were */
	uint64_t objects;    /* in use */
	uint64_t bytes;      /* that they occupy, rounding included */
	uint64_t regions;
};

struct user_heap {
	struct virtual_memory_client memory;
	struct mutex lock; /* of all below */
	struct user_heap_statistics statistics;
	uint64_t cached; /* of the committed pages: in free runs */
	struct heap_region region[USER_HEAP_REGIONS];
	struct heap_page *bin[USER_HEAP_BINS];
	struct heap_page *partial[USER_HEAP_CLASSES]; /* slabs with room */
};

/* An empty heap. Takes nothing yet. */
void user_heap_init(struct user_heap *heap, struct virtual_memory_client memory);

/*
 * `bytes` of uninitialised memory (0 gives a smallest object). OUT_OF_MEMORY, OVER_FRAME_GRANT,
 * OVER_VIRTUAL_RESERVATION, OVER_PAGE_TABLE, NO_SPACE: the heap is as it was, apart from pages it could give back.
 */
enum status user_heap_allocate(struct user_heap *heap, size_t bytes, void **object);

/* The same, zeroed. TOO_LONG: count * bytes passes 2^64. */
enum status user_heap_allocate_zeroed(struct user_heap *heap, size_t count, size_t bytes, void **object);

/*
 * Make *object `bytes` long, in place or by moving it; what fits is kept. *object may start as NULL: allocate. On a
 * refusal *object stays as it was.
 */
enum status user_heap_resize(struct user_heap *heap, size_t bytes, void **object);

/* NULL is fine and does nothing. */
void user_heap_free(struct user_heap *heap, void *object);

/* Give back every page and region that no object needs. */
void user_heap_trim(struct user_heap *heap);

/* No other thread may use the heap in the meantime. */
bool user_heap_is_valid(const struct user_heap *heap);

#endif
