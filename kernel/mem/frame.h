/*
 * The machine's physical frames: the bitmap of lib/frame_bitmap as the truth, a small stack of free frames per CPU in
 * front of it, and one frame_info per frame that says whose it is.
 *
 * An operation first promises itself the frames it will need (frame_promise), which is all that can fail; then it takes
 * them one by one, which cannot. So there is nothing to undo. Allocation fails only if no frame is free anywhere: what
 * other CPUs keep on their stacks counts as free and is taken back when needed.
 *
 * Promise (frame_is_valid): free frames = bits in the bitmap + frames on stacks = available + promised; each frame is
 * FREE exactly if it is in one of these two; frame 0, the kernel image, the bitmap and the frame table are never free.
 * Freeing a frame that is free, or that has another use than the caller says, panics in every build.
 *
 * Locks: one per stack (innermost but one), one for the bitmap (innermost). Callers may
 * hold what lock_order.c allows.
 */
#ifndef CAPOS_KERNEL_MEM_FRAME_H
#define CAPOS_KERNEL_MEM_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "kernel/mem/direct_map.h"
#include "lib/address.h"
#include "lib/memory_map.h"

/* What a frame is used for: the low four bits of frame_info.owner. */
enum frame_use {
	FRAME_UNUSABLE = 0, /* no RAM, firmware's, or bad */
	FRAME_FREE,         /* in the bitmap or on a stack */
	FRAME_KERNEL,       /* image, bitmap, frame table, kernel page tables, stacks */
	FRAME_PACKAGE,      /* boot package */
	FRAME_HEAP,         /* kernel heap */
	FRAME_CAP_TABLE,    /* slots and directory; owner: the process's table */
	FRAME_TABLE,        /* user page table; owner: the address space */
	FRAME_ANONYMOUS,    /* committed page; owner: the address space */
	FRAME_IMAGE,        /* ELF, stack, TLS page; owner: the address space */
	FRAME_BOOTSTRAP,    /* ring or CapSet; owner: the address space */
	FRAME_OBJECT,       /* page of a memory object; owner: the object */
	FRAME_OBJECT_INDEX, /* frame index of a memory object; owner: the object */
	FRAME_TASK,         /* struct process or struct thread */
	FRAME_USE_COUNT
};

_Static_assert(FRAME_USE_COUNT <= 16, "the use has four bits");

struct frame_info {
	uint64_t owner; /* pointer to the owner (16-byte aligned) | enum frame_use */
	uint32_t count; /* TABLE: its entries by kind (page_walk.h); OBJECT: live mappings */
	uint32_t link;  /* next frame of a gather list, by whoever holds the frame; TABLE until then: groups in use */
};

_Static_assert(sizeof(struct frame_info) == 16, "0.4 % of RAM");

#define FRAME_LINK_END UINT32_MAX

extern struct frame_info *frame_table; /* by frame number; use frame_info_of */
extern uint64_t frame_table_count;

static inline struct frame_info *frame_info_of(frame_t frame)
{
	return &frame_table[frame_to_u64(frame)];
}

static inline uint64_t frame_owner_word(enum frame_use use, const void *owner)
{
	return (uint64_t)(uintptr_t)owner | (uint64_t)use;
}

static inline enum frame_use frame_use_of(const struct frame_info *info)
{
	return (enum frame_use)(info->owner & 15);
}

/* Bytes of bookkeeping (frame table and bitmap) for a machine whose RAM ends before frame `frames`. */
uint64_t frame_storage_bytes(uint64_t frames);

/*
 * Take over the machine: every USABLE frame of the map becomes free, all others are marked by their kind. `storage` has
 * frame_storage_bytes(end of RAM) bytes, page-aligned, and is not usable in the map. Once, at boot. MEMORY_MAP_EMPTY.
 */
enum status frame_init(const struct memory_map *map, void *storage);

/* Set `count` frames aside for the caller. OUT_OF_MEMORY if fewer are free in the whole system. 0 is fine. */
enum status frame_promise(uint64_t count);

/* Give back part of a promise that was not taken. */
void frame_promise_return(uint64_t count);

/* Take one promised frame. Cannot fail. Contents are whatever they were: zero it before anyone else can see it. */
frame_t frame_take(enum frame_use use, const void *owner);

/* The same, zeroed. */
frame_t frame_take_zeroed(enum frame_use use, const void *owner);

/* The same for `count` frames at once, at most FRAME_BATCH: their numbers in number[]. */
#define FRAME_BATCH 16u
void frame_take_batch(uint32_t count, enum frame_use use, const void *owner, uint32_t number[]);

/*
 * Take `count` promised frames side by side, the first aligned to `align` frames. NO_CONTIGUOUS_RUN: then the promise
 * is still the caller's. Contents not zeroed.
 */
enum status frame_take_run(uint64_t count, uint64_t align, enum frame_use use, const void *owner, frame_t *first);

/* Promise and take one frame, zeroed: OUT_OF_MEMORY. */
enum status frame_allocate(enum frame_use use, const void *owner, frame_t *frame);

/* Give a frame back. `use` and `owner` must be what it was taken for: else panic. No CPU may still translate to it. */
void frame_free(frame_t frame, enum frame_use use, const void *owner);

/*
 * Frames that wait for a TLB flush before they may be reused. Adding costs a store; nothing is allocated. A gather is
 * on the stack of one operation.
 */
struct frame_gather {
	uint64_t count;
	uint32_t head;
};

#define FRAME_GATHER_EMPTY ((struct frame_gather){ 0, FRAME_LINK_END })

static inline void frame_gather_add(struct frame_gather *gather, frame_t frame, struct frame_info *info)
{
	info->link = gather->head;
	gather->head = (uint32_t)frame_to_u64(frame);
	gather->count++;
}

/* Free all gathered frames, after the flush. Panics on a frame that is already free. */
void frame_gather_free(struct frame_gather *gather);

/* Numbers for people. */
struct frame_statistics {
	uint64_t total;          /* frames of RAM: free, or somebody's */
	uint64_t free;           /* of them free now */
	uint64_t stacked;        /* of the free ones on per-CPU stacks */
	uint64_t free_blocks;    /* wholly free 2 MiB blocks in the bitmap */
	uint64_t kernel_at_boot; /* FRAME_KERNEL when frame_init was done: image, loader's, boot_memory */
};

void frame_statistics_read(struct frame_statistics *statistics);
uint64_t frame_free_count(void);
uint32_t frame_stack_depth(uint32_t cpu);

/* All stacks back into the bitmap. */
void frame_drain_stacks(void);

/* Slow: looks at every frame. */
bool frame_is_valid(void);

/* Count of frames of each use; slow. counts[FRAME_USE_COUNT]. */
void frame_count_uses(uint64_t counts[FRAME_USE_COUNT]);

#endif
