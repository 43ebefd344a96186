/*
 * lib/frame_bitmap: for every number of frames up to 2^32 and every state that keeps the invariant, without bound.
 *
 * - The free count is the sum of the blocks' counts, a block's count is how many bits of its words are set, and its bit
 *   in the tree of blocks says whether that is 512: kept by each change.
 * - An allocation gives a frame that was free and is used afterwards, changes no other, and fails only if none is free.
 */
#define TREES_FROM_OUTSIDE
#include "proofs/wp/wp_bit_tree_facts.h"

#include "lib/frame_bitmap.h"

/*@ axiomatic Sums { // over the counts of the first n blocks: all together, and how many of them are 512
      logic integer sum{L}(uint16_t *count, integer n) reads count[0 .. n - 1];
      axiom sum_none{L}: \forall uint16_t *count; sum(count, 0) == 0;
      axiom sum_next{L}: \forall uint16_t *count, integer n; 1 <= n ==>
	sum(count, n) == sum(count, n - 1) + count[n - 1];
      logic integer whole{L}(uint16_t *count, integer n) reads count[0 .. n - 1];
      axiom whole_none{L}: \forall uint16_t *count; whole(count, 0) == 0;
      axiom whole_next{L}: \forall uint16_t *count, integer n; 1 <= n ==>
	whole(count, n) == whole(count, n - 1) + (count[n - 1] == 512 ? 1 : 0);
    } */

/*@ logic integer blocks{L}(struct frame_bitmap *m) = (m->frames - 1) / 512 + 1;
    predicate tree_stands{L}(struct bit_tree *t) = tree_fits(t) && in_a_row(t);
    predicate sized{L}(struct frame_bitmap *m) = \valid(m) && 1 <= m->frames <= 0x100000000 &&
      m->frame.bits == m->frames && m->block.bits == blocks(m) && \valid(m->block_free + (0 .. blocks(m) - 1));
    predicate apart{L}(struct frame_bitmap *m) =
      \separated(m, m->frame.level[0] + (0 .. words(&m->frame) - 1)) &&
      \separated(m, m->block.level[0] + (0 .. words(&m->block) - 1)) &&
      \separated(m->frame.level[0] + (0 .. words(&m->frame) - 1), m->block.level[0] + (0 .. words(&m->block) - 1)) &&
      \separated(m, m->block_free + (0 .. blocks(m) - 1)) &&
      \separated(m->frame.level[0] + (0 .. words(&m->frame) - 1), m->block_free + (0 .. blocks(m) - 1)) &&
      \separated(m->block.level[0] + (0 .. words(&m->block) - 1), m->block_free + (0 .. blocks(m) - 1));
    predicate stands{L}(struct frame_bitmap *m) = sized(m) && apart(m) && tree_stands(&m->frame) &&
      tree_stands(&m->block);

    predicate counted_but{L}(struct frame_bitmap *m, integer but) = \forall integer b;
      0 <= b < blocks(m) && b != but ==> m->block_free[b] == ones_of(&m->frame, b);
    predicate told_whole{L}(struct frame_bitmap *m) = \forall integer b; 0 <= b < blocks(m) ==>
      (has(&m->block, b) <==> m->block_free[b] == 512);
    predicate summed{L}(struct frame_bitmap *m, integer free) = // so many frames are free
      free == sum(m->block_free, blocks(m)) && m->free_blocks == whole(m->block_free, blocks(m));
    predicate fits{L}(struct frame_bitmap *m) =
      stands(m) && counted_but(m, -1) && told_whole(m) && summed(m, m->free_frames);

    predicate is_free{L}(struct frame_bitmap *m, integer n) = 0 <= n < m->frames && has(&m->frame, n);
    predicate same_place{A, B}(struct frame_bitmap *m) = \at(m->frames, A) == \at(m->frames, B) &&
      \at(m->block_free, A) == \at(m->block_free, B) && same_shape{A, B}(\at(&m->frame, A)) &&
      same_shape{A, B}(\at(&m->block, A)); */

/*@ assigns \nothing;
    ensures \result.raw == number; */
static inline frame_t frame_from_u64(uint64_t number);

/*@ assigns \nothing;
    ensures \result == frame.raw; */
static inline uint64_t frame_to_u64(frame_t frame);

/*@ requires stands(bitmap) && block < blocks(bitmap) && bitmap->free_blocks < blocks(bitmap);
    assigns bitmap->free_blocks, bitmap->block.level[0][0 .. words(&bitmap->block) - 1];
    ensures place: same_place{Pre, Post}(bitmap);
    ensures stands: stands(bitmap);
    ensures frames: same_bits{Pre, Post}(&bitmap->frame);
    ensures counted: bitmap->free_blocks == \old(bitmap->free_blocks) + 1;
    ensures others: same_but{Pre, Post}(&bitmap->block, block);
    ensures marked: has(&bitmap->block, block); */
static inline void block_mark(struct frame_bitmap *bitmap, uint64_t block);

/*@ requires stands(bitmap) && block < blocks(bitmap) && 0 < bitmap->free_blocks;
    assigns bitmap->free_blocks, bitmap->block.level[0][0 .. words(&bitmap->block) - 1];
    ensures place: same_place{Pre, Post}(bitmap);
    ensures stands: stands(bitmap);
    ensures frames: same_bits{Pre, Post}(&bitmap->frame);
    ensures counted: bitmap->free_blocks == \old(bitmap->free_blocks) - 1;
    ensures others: same_but{Pre, Post}(&bitmap->block, block);
    ensures unmarked: !has(&bitmap->block, block); */
static inline void block_unmark(struct frame_bitmap *bitmap, uint64_t block);

/*@ requires stands(bitmap) && told_whole(bitmap) && block < blocks(bitmap) && counted_but(bitmap, block);
    requires summed(bitmap, sum(bitmap->block_free, blocks(bitmap)));
    requires 1 <= count && bitmap->block_free[block] + count == ones_of(&bitmap->frame, block);
    assigns bitmap->block_free[block], bitmap->free_blocks, bitmap->block.level[0][0 .. words(&bitmap->block) - 1];
    ensures place: same_place{Pre, Post}(bitmap);
    ensures stands: stands(bitmap);
    ensures frames: same_bits{Pre, Post}(&bitmap->frame);
    ensures counted: counted_but(bitmap, -1);
    ensures told: told_whole(bitmap);
    ensures summed: summed(bitmap, \old(sum(bitmap->block_free, blocks(bitmap))) + count); */
static inline void block_give(struct frame_bitmap *bitmap, uint64_t block, uint32_t count);

/*@ requires stands(bitmap) && told_whole(bitmap) && block < blocks(bitmap) && counted_but(bitmap, block);
    requires summed(bitmap, sum(bitmap->block_free, blocks(bitmap)));
    requires 1 <= count && bitmap->block_free[block] == ones_of(&bitmap->frame, block) + count <= 512;
    assigns bitmap->block_free[block], bitmap->free_blocks, bitmap->block.level[0][0 .. words(&bitmap->block) - 1];
    ensures place: same_place{Pre, Post}(bitmap);
    ensures stands: stands(bitmap);
    ensures frames: same_bits{Pre, Post}(&bitmap->frame);
    ensures counted: counted_but(bitmap, -1);
    ensures told: told_whole(bitmap);
    ensures summed: summed(bitmap, \old(sum(bitmap->block_free, blocks(bitmap))) - count);
    ensures least: 0 <= sum(bitmap->block_free, blocks(bitmap)); */
static inline void block_take(struct frame_bitmap *bitmap, uint64_t block, uint32_t count);

/*@ requires stands(bitmap) && \valid(number) && \separated(number, bitmap) &&
      \separated(number, bitmap->frame.level[0] + (0 .. words(&bitmap->frame) - 1));
    assigns *number;
    ensures free: \result == true ==> *number < bitmap->frames && is_free(bitmap, *number);
    ensures none: \result == false ==> \forall integer n; !is_free{Pre}(bitmap, n); */
static inline bool find_near(const struct frame_bitmap *bitmap, uint64_t near, uint64_t *number);

/*@ requires stands(bitmap) && number < bitmap->frames && has(&bitmap->frame, number);
    assigns bitmap->frame.level[0][0 .. words(&bitmap->frame) - 1];
    ensures place: same_place{Pre, Post}(bitmap);
    ensures stands: stands(bitmap);
    ensures blocks: same_bits{Pre, Post}(&bitmap->block);
    ensures others: same_but{Pre, Post}(&bitmap->frame, number);
    ensures used: !has(&bitmap->frame, number);
    ensures elsewhere: \forall integer b; 0 <= b && b != number / 512 ==>
      ones_of(&bitmap->frame, b) == \old(ones_of(&bitmap->frame, b));
    ensures less: ones_of(&bitmap->frame, number / 512) == \old(ones_of(&bitmap->frame, number / 512)) - 1; */
static inline void frame_unmark(struct frame_bitmap *bitmap, uint64_t number);

/*@ requires stands(bitmap) && counted_but(bitmap, -1) && told_whole(bitmap);
    assigns bitmap->free_frames;
    ensures stands: stands(bitmap);
    ensures counted: counted_but(bitmap, -1);
    ensures told: told_whole(bitmap);
    ensures frames: same_bits{Pre, Post}(&bitmap->frame);
    ensures free: bitmap->free_frames == free; */
static inline void count_free(struct frame_bitmap *bitmap, uint64_t free);

/*@ requires fits(bitmap) && is_free(bitmap, number);
    assigns bitmap->frame.level[0][0 .. words(&bitmap->frame) - 1],
      bitmap->block.level[0][0 .. words(&bitmap->block) - 1], bitmap->block_free[number / 512], bitmap->free_blocks,
   bitmap->free_frames; ensures place: same_place{Pre, Post}(bitmap); ensures fits: fits(bitmap); ensures used:
   !has(&bitmap->frame, number); ensures others: same_but{Pre, Post}(&bitmap->frame, number); ensures count:
   bitmap->free_frames == \old(bitmap->free_frames) - 1; */
static inline void take_one(struct frame_bitmap *bitmap, uint64_t number);

/*@ requires fits(bitmap) && \valid(frame) && \separated(frame, bitmap) &&
      \separated(frame, bitmap->frame.level[0] + (0 .. words(&bitmap->frame) - 1)) &&
      \separated(frame, bitmap->block.level[0] + (0 .. words(&bitmap->block) - 1)) &&
      \separated(frame, bitmap->block_free + (0 .. blocks(bitmap) - 1));
    ensures place: same_place{Pre, Post}(bitmap);
    ensures fits: fits(bitmap);
    ensures full: \result == STATUS_OUT_OF_MEMORY <==> \forall integer n; !is_free{Pre}(bitmap, n);
    ensures was: \result == STATUS_OK ==> is_free{Pre}(bitmap, frame->raw) && !is_free(bitmap, frame->raw);
    ensures others: \result == STATUS_OK ==> same_but{Pre, Post}(&bitmap->frame, frame->raw);
    ensures count: \result == STATUS_OK ==> bitmap->free_frames == \old(bitmap->free_frames) - 1;
    ensures closed: \result == STATUS_OK || \result == STATUS_OUT_OF_MEMORY; */
enum status frame_bitmap_allocate(struct frame_bitmap *bitmap, uint64_t near, frame_t *frame);

/*@ requires stands(bitmap);
    assigns \nothing;
    ensures \result == true <==> is_free(bitmap, frame.raw); */
bool frame_bitmap_is_free(const struct frame_bitmap *bitmap, frame_t frame);

#include "lib/frame_bitmap.c"
