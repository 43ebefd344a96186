/*
 * Physical frame bitmap: the truth about which frames are free, 1 bit a frame, set = free.
 *
 * Above the bits stands a 64-ary tree of summaries (bit set: some bit below is set), so that the worst find is bounded
 * at every size; beside it a free count per 2 MiB block and a tree of wholly free blocks, so that 2 MiB runs are found
 * without a scan. No locks, no globals, no allocation: the caller gives the storage and serialises.
 *
 * Invariant (frame_bitmap_is_valid): summaries agree with the words below them, block counts with the bits, free_frames
 * with both; no bit at or above `frames` is set.
 */
#ifndef CAPOS_LIB_FRAME_BITMAP_H
#define CAPOS_LIB_FRAME_BITMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "lib/bit_tree.h"
#include "lib/range.h"

#define FRAME_BITMAP_MAX_FRAMES (UINT64_C(1) << 32) /* 16 TiB: a frame number fits 32 bits elsewhere */
#define FRAMES_PER_BLOCK 512u                       /* 2 MiB */

struct frame_bitmap {
	uint64_t frames;       /* numbers 0 .. frames - 1 exist */
	uint64_t free_frames;  /* set bits */
	uint64_t free_blocks;  /* blocks with 512 free frames */
	struct bit_tree frame; /* free frames */
	struct bit_tree block; /* wholly free blocks */
	uint16_t *block_free;  /* free frames per block */
};

/* Bytes of storage (8-byte aligned) for that many frames. 0 if frames is 0 or above FRAME_BITMAP_MAX_FRAMES. */
size_t frame_bitmap_storage_bytes(uint64_t frames);

/* All frames used. `storage` has frame_bitmap_storage_bytes(frames) bytes, need not be zero. BAD_ARGUMENT as above. */
enum status frame_bitmap_init(struct frame_bitmap *bitmap, uint64_t frames, void *storage);

/* Make used frames free, all or nothing. BAD_ARGUMENT: out of range, empty, or some frame is free already (double
 * free). */
enum status frame_bitmap_free(struct frame_bitmap *bitmap, struct frame_range range);

/* One frame: the lowest free one at or after the word of `near` if there is one, else the lowest. OUT_OF_MEMORY. */
enum status frame_bitmap_allocate(struct frame_bitmap *bitmap, uint64_t near, frame_t *frame);

/*
 * Up to `max` frames at once, for a per-CPU stack: takes whole words, touches each summary once. Returns how many;
 * 0 only if no frame is free (or max is 0); fewer than max also if the next free ones lie below `near`. Numbers go to
 * frames[] in ascending order.
 */
uint32_t frame_bitmap_allocate_batch(struct frame_bitmap *bitmap, uint64_t near, uint32_t max, uint32_t *frames);

/* Free `count` frames named one by one, as a stack gives them back. BAD_ARGUMENT at the first that is free or out of
 * range; those before it are then free (the caller panics: a double free is the kernel's own fault). */
enum status frame_bitmap_free_batch(struct frame_bitmap *bitmap, const uint32_t *frames, uint32_t count);

/*
 * `count` frames side by side, the first a multiple of `align` (a power of two). OUT_OF_MEMORY: fewer than count are
 * free; NO_CONTIGUOUS_RUN: no such run; BAD_ARGUMENT: count 0 or align no power of two. From 512 frames on the block
 * tree is asked first, so such a run stands on a block boundary if it can. For less, and when that fails for an
 * alignment under 512, the words are looked at one by one, with gaps skipped: some 20 ms if 1 TiB is badly broken up.
 */
enum status frame_bitmap_allocate_run(struct frame_bitmap *bitmap, uint64_t count, uint64_t align, frame_t *first);

/*
 * The same in bounded steps, for who must not hold others up: WOULD_BLOCK, none was found yet, ask again. Others may
 * use the bitmap between two steps; what they free behind the place that a step has come to is not looked at again.
 * A step looks at FRAME_RUN_STEP frames, 64 a word, or all blocks, 32768 frames a word; and at the frames of one run.
 */
#define FRAME_RUN_STEP 32768u

struct frame_run {
	uint64_t count, align;
	uint64_t from;        /* 0 at first */
	bool blocks_are_done; /* false at first */
};

enum status frame_bitmap_allocate_run_step(struct frame_bitmap *bitmap, struct frame_run *run, frame_t *first);

/* Make exactly these frames used, all or nothing. BAD_ARGUMENT: empty, out of range, or some frame is used already. */
enum status frame_bitmap_reserve(struct frame_bitmap *bitmap, struct frame_range range);

bool frame_bitmap_is_free(const struct frame_bitmap *bitmap, frame_t frame);

bool frame_bitmap_is_valid(const struct frame_bitmap *bitmap);

#endif
