#include "lib/frame_bitmap.h"

#include "lib/check.h"

static uint64_t blocks_of_frames(uint64_t frames)
{
	return frames / FRAMES_PER_BLOCK + (frames % FRAMES_PER_BLOCK != 0);
}

size_t frame_bitmap_storage_bytes(uint64_t frames)
{
	const uint64_t blocks = blocks_of_frames(frames);

	if (frames == 0 || frames > FRAME_BITMAP_MAX_FRAMES)
		return 0;
	return (size_t)(bit_tree_words(frames) * sizeof(uint64_t) + bit_tree_words(blocks) * sizeof(uint64_t) +
			blocks * sizeof(uint16_t));
}

static void counts_zero(uint16_t *count, uint64_t blocks)
{
	for (uint64_t i = 0; i < blocks; i++)
		count[i] = 0;
}

enum status frame_bitmap_init(struct frame_bitmap *bitmap, uint64_t frames, void *storage)
{
	const uint64_t blocks = blocks_of_frames(frames);
	uint64_t *frame_words = storage;

	GUARD(frames != 0 && frames <= FRAME_BITMAP_MAX_FRAMES, STATUS_BAD_ARGUMENT);
	*bitmap = (struct frame_bitmap){ .frames = frames };
	bit_tree_init(&bitmap->frame, frames, frame_words);
	bit_tree_init(&bitmap->block, blocks, frame_words + bit_tree_words(frames));
	bitmap->block_free = (uint16_t *)(void *)(frame_words + bit_tree_words(frames) + bit_tree_words(blocks));
	counts_zero(bitmap->block_free, blocks);
	return STATUS_OK;
}

/* All frames of a block are free now. */
static inline void block_mark(struct frame_bitmap *bitmap, uint64_t block)
{
	bitmap->free_blocks++;
	/*@ assert same_row{Pre, Here}(&bitmap->frame); */
	/*@ assert same_row{Pre, Here}(&bitmap->block); */
	/*@ assert same_but{Pre, Here}(&bitmap->block, block); */
	bit_tree_set(&bitmap->block, block);
	/*@ assert bitmap->free_blocks == \at(bitmap->free_blocks, Pre) + 1; */
	/*@ assert same_but{Pre, Here}(&bitmap->block, block); */
	/*@ assert same_row{Pre, Here}(&bitmap->frame); */
	/*@ assert tree_stands(&bitmap->frame); */
	/*@ assert tree_stands(&bitmap->block); */
	/*@ assert words(&bitmap->frame) == \at(words(&bitmap->frame), Pre); */
	/*@ assert words(&bitmap->block) == \at(words(&bitmap->block), Pre); */
	/*@ assert sized(bitmap); */
	/*@ assert apart(bitmap); */
}

/* Not all frames of a block are free any more. */
static inline void block_unmark(struct frame_bitmap *bitmap, uint64_t block)
{
	bitmap->free_blocks--;
	/*@ assert same_row{Pre, Here}(&bitmap->frame); */
	/*@ assert same_row{Pre, Here}(&bitmap->block); */
	/*@ assert same_but{Pre, Here}(&bitmap->block, block); */
	bit_tree_clear(&bitmap->block, block);
	/*@ assert bitmap->free_blocks == \at(bitmap->free_blocks, Pre) - 1; */
	/*@ assert same_but{Pre, Here}(&bitmap->block, block); */
	/*@ assert same_row{Pre, Here}(&bitmap->frame); */
	/*@ assert tree_stands(&bitmap->frame); */
	/*@ assert tree_stands(&bitmap->block); */
	/*@ assert words(&bitmap->frame) == \at(words(&bitmap->frame), Pre); */
	/*@ assert words(&bitmap->block) == \at(words(&bitmap->block), Pre); */
	/*@ assert sized(bitmap); */
	/*@ assert apart(bitmap); */
}

/* `count` frames of a block, at least one, were used and are free now. */
static inline void block_give(struct frame_bitmap *bitmap, uint64_t block, uint32_t count)
{
	const uint32_t now = bitmap->block_free[block] + count;

	bitmap->block_free[block] = (uint16_t)now;
	/*@ assert bitmap->block_free[block] == \at(bitmap->block_free[block], Pre) + count; */
	/*@ assert \forall integer b; 0 <= b < blocks(bitmap) && b != block ==>
	      bitmap->block_free[b] == \at(bitmap->block_free[b], Pre); */
	/*@ ghost
	    /@ loop invariant 0 <= i <= blocks(bitmap);
	       loop invariant block < i ==> sum(bitmap->block_free, i) == sum{Pre}(bitmap->block_free, i) + count;
	       loop invariant block < i ==> whole(bitmap->block_free, i) == whole{Pre}(bitmap->block_free, i)
		 + (now == 512 ? 1 : 0);
	       loop invariant i <= block ==> sum(bitmap->block_free, i) == sum{Pre}(bitmap->block_free, i) &&
		 whole(bitmap->block_free, i) == whole{Pre}(bitmap->block_free, i);
	       loop invariant 0 <= whole(bitmap->block_free, i) <= i && 0 <= sum(bitmap->block_free, i);
	       loop assigns i;
	       loop variant blocks(bitmap) - i; @/
	    for (uint64_t i = 0; i <= (bitmap->frames - 1) / FRAMES_PER_BLOCK; i++)
		    ;
	*/
	/*@ assert stands(bitmap); */
	if (now == FRAMES_PER_BLOCK)
		block_mark(bitmap, block);
	/*@ assert same_bits{Pre, Here}(&bitmap->frame); */
	/*@ assert \forall integer b; 0 <= b < blocks(bitmap) && b != block ==>
	      bitmap->block_free[b] == \at(bitmap->block_free[b], Pre); */
	/*@ assert sum(bitmap->block_free, blocks(bitmap)) ==
	      \at(sum(bitmap->block_free, blocks(bitmap)), Pre) + count; */
}

/* `count` frames of a block, at least one, were free and are used now. */
static inline void block_take(struct frame_bitmap *bitmap, uint64_t block, uint32_t count)
{
	const uint32_t old = bitmap->block_free[block];

	bitmap->block_free[block] = (uint16_t)(old - count);
	/*@ assert bitmap->block_free[block] == \at(bitmap->block_free[block], Pre) - count; */
	/*@ assert old == \at(bitmap->block_free[block], Pre) && bitmap->block_free[block] != 512; */
	/*@ assert \forall integer b; 0 <= b < blocks(bitmap) && b != block ==>
	      bitmap->block_free[b] == \at(bitmap->block_free[b], Pre); */
	/*@ ghost
	    /@ loop invariant 0 <= i <= blocks(bitmap);
	       loop invariant block < i ==> sum(bitmap->block_free, i) == sum{Pre}(bitmap->block_free, i) - count;
	       loop invariant block < i ==> whole(bitmap->block_free, i) == whole{Pre}(bitmap->block_free, i)
		 - (old == 512 ? 1 : 0);
	       loop invariant i <= block ==> sum(bitmap->block_free, i) == sum{Pre}(bitmap->block_free, i) &&
		 whole(bitmap->block_free, i) == whole{Pre}(bitmap->block_free, i);
	       loop invariant 0 <= whole(bitmap->block_free, i) <= i && 0 <= sum(bitmap->block_free, i);
	       loop assigns i;
	       loop variant blocks(bitmap) - i; @/
	    for (uint64_t i = 0; i <= (bitmap->frames - 1) / FRAMES_PER_BLOCK; i++)
		    ;
	*/
	/*@ assert stands(bitmap); */
	/*@ assert old != 512 ==> !has(&bitmap->block, block); */
	if (old == FRAMES_PER_BLOCK)
		block_unmark(bitmap, block);
	/*@ assert !has(&bitmap->block, block); */
	/*@ assert same_bits{Pre, Here}(&bitmap->frame); */
	/*@ assert \forall integer b; 0 <= b < blocks(bitmap) && b != block ==>
	      bitmap->block_free[b] == \at(bitmap->block_free[b], Pre); */
	/*@ assert sum(bitmap->block_free, blocks(bitmap)) ==
	      \at(sum(bitmap->block_free, blocks(bitmap)), Pre) - count; */
}

/* Frames of [first, end), not empty, that lie in the same block as `first`. */
static uint32_t count_in_block(uint64_t first, uint64_t end)
{
	const uint64_t to_edge = FRAMES_PER_BLOCK - first % FRAMES_PER_BLOCK;

	return (uint32_t)(end - first < to_edge ? end - first : to_edge);
}

static void blocks_give(struct frame_bitmap *bitmap, uint64_t first, uint64_t end)
{
	while (first < end) {
		const uint32_t count = count_in_block(first, end);

		block_give(bitmap, first / FRAMES_PER_BLOCK, count);
		first += count;
	}
}

static void blocks_take(struct frame_bitmap *bitmap, uint64_t first, uint64_t end)
{
	while (first < end) {
		const uint32_t count = count_in_block(first, end);

		block_take(bitmap, first / FRAMES_PER_BLOCK, count);
		first += count;
	}
}

/* Make [first, end), all of it free, used. */
static void take_range(struct frame_bitmap *bitmap, uint64_t first, uint64_t end)
{
	bit_tree_clear_range(&bitmap->frame, first, end);
	blocks_take(bitmap, first, end);
	bitmap->free_frames -= end - first;
}

/* Not empty, and all of its frames exist. */
static bool range_exists(const struct frame_bitmap *bitmap, struct frame_range range)
{
	return frame_to_u64(range.start) < frame_to_u64(range.end) && frame_to_u64(range.end) <= bitmap->frames;
}

/* One search whatever the length: no frame is free if the next free one lies behind. */
static bool range_is_used(const struct frame_bitmap *bitmap, uint64_t first, uint64_t end)
{
	uint64_t next;

	return !bit_tree_find(&bitmap->frame, first, &next) || next >= end;
}

/* A range within one word, most often a single frame. */
static enum status free_in_word(struct frame_bitmap *bitmap, uint64_t first, uint64_t end)
{
	const uint64_t index = first / BITS_PER_WORD, word = bit_tree_word(&bitmap->frame, index);
	const uint64_t mask = bits_of_range(index, first, end);

	GUARD((word & mask) == 0, STATUS_BAD_ARGUMENT);
	bit_tree_write_word(&bitmap->frame, index, word | mask);
	block_give(bitmap, first / FRAMES_PER_BLOCK, (uint32_t)(end - first));
	bitmap->free_frames += end - first;
	return STATUS_OK;
}

enum status frame_bitmap_free(struct frame_bitmap *bitmap, struct frame_range range)
{
	const uint64_t first = frame_to_u64(range.start), end = frame_to_u64(range.end);

	GUARD(range_exists(bitmap, range), STATUS_BAD_ARGUMENT);
	if (first / BITS_PER_WORD == (end - 1) / BITS_PER_WORD)
		return free_in_word(bitmap, first, end);
	GUARD(range_is_used(bitmap, first, end), STATUS_BAD_ARGUMENT);
	bit_tree_set_range(&bitmap->frame, first, end);
	blocks_give(bitmap, first, end);
	bitmap->free_frames += end - first;
	return STATUS_OK;
}

enum status frame_bitmap_reserve(struct frame_bitmap *bitmap, struct frame_range range)
{
	const uint64_t first = frame_to_u64(range.start), end = frame_to_u64(range.end);

	GUARD(range_exists(bitmap, range), STATUS_BAD_ARGUMENT);
	GUARD(bit_tree_find_clear(&bitmap->frame, first, end) == end, STATUS_BAD_ARGUMENT);
	take_range(bitmap, first, end);
	return STATUS_OK;
}

/* The bit of a free frame alone. */
static inline void frame_unmark(struct frame_bitmap *bitmap, uint64_t number)
{
	bit_tree_clear(&bitmap->frame, number);
	/*@ assert same_row{Pre, Here}(&bitmap->block); */
	/*@ assert tree_stands(&bitmap->frame); */
	/*@ assert tree_stands(&bitmap->block); */
	/*@ assert words(&bitmap->frame) == \at(words(&bitmap->frame), Pre); */
	/*@ assert words(&bitmap->block) == \at(words(&bitmap->block), Pre); */
	/*@ assert sized(bitmap); */
	/*@ assert apart(bitmap); */
	/*@ assert same_but_word{Pre, Here}(&bitmap->frame, number / 64); */
	/*@ assert \forall integer n; 0 <= n && n / 64 == number / 64 && n != number ==>
	      (has{Pre}(&bitmap->frame, n) <==> has(&bitmap->frame, n)); */
	/*@ assert \forall integer b; 0 <= b < 64 && b != number % 64 ==>
	      (bit(\at(bitmap->frame.level[0][number / 64], Pre), b) <==>
	      bit(bitmap->frame.level[0][number / 64], b)); */
	/*@ assert bit(\at(bitmap->frame.level[0][number / 64], Pre), number % 64); */
	/*@ assert more(\at(bitmap->frame.level[0][number / 64], Pre), bitmap->frame.level[0][number / 64], number % 64,
	      number % 64 + 1); */
}

/* How many frames are free, and nothing else. */
static inline void count_free(struct frame_bitmap *bitmap, uint64_t free)
{
	bitmap->free_frames = free;
	/*@ assert same_row{Pre, Here}(&bitmap->frame); */
	/*@ assert same_row{Pre, Here}(&bitmap->block); */
	/*@ assert tree_stands(&bitmap->frame); */
	/*@ assert tree_stands(&bitmap->block); */
	/*@ assert words(&bitmap->frame) == \at(words(&bitmap->frame), Pre); */
	/*@ assert words(&bitmap->block) == \at(words(&bitmap->block), Pre); */
	/*@ assert sized(bitmap); */
	/*@ assert apart(bitmap); */
	/*@ assert same_bits{Pre, Here}(&bitmap->frame); */
	/*@ assert same_bits{Pre, Here}(&bitmap->block); */
	/*@ assert counted_but(bitmap, -1); */
	/*@ assert told_whole(bitmap); */
}

/* A free frame is used now. */
static inline void take_one(struct frame_bitmap *bitmap, uint64_t number)
{
	frame_unmark(bitmap, number);
	/*@ assert words(&bitmap->frame) == \at(words(&bitmap->frame), Pre); */
	/*@ assert words(&bitmap->block) == \at(words(&bitmap->block), Pre); */
	/*@ assert bitmap->block.level[0] == \at(bitmap->block.level[0], Pre); */
	/*@ assert counted_but(bitmap, number / 512); */
	/*@ assert bitmap->block_free[number / 512] == ones_of(&bitmap->frame, number / 512) + 1; */
	/*@ assert \at(ones_of(&bitmap->frame, number / 512), Pre) <= 512; */
	/*@ assert same_but{Pre, Here}(&bitmap->frame, number) && !has(&bitmap->frame, number); */
	block_take(bitmap, number / FRAMES_PER_BLOCK, 1);
	/*@ assert same_but{Pre, Here}(&bitmap->frame, number) && !has(&bitmap->frame, number); */
	/*@ assert 0 <= sum(bitmap->block_free, blocks(bitmap)) == bitmap->free_frames - 1; */
	count_free(bitmap, bitmap->free_frames - 1);
	/*@ assert same_but{Pre, Here}(&bitmap->frame, number) && !has(&bitmap->frame, number); */
}

/* The lowest free frame at or after the word of `near`, else the lowest of all. */
static inline bool find_near(const struct frame_bitmap *bitmap, uint64_t near, uint64_t *number)
{
	const uint64_t index = near / BITS_PER_WORD;

	/* Nearly always there is one in the word itself. */
	if (near < bitmap->frames && bit_tree_word(&bitmap->frame, index) != 0) {
		const uint64_t lowest = index * BITS_PER_WORD + bits_lowest(bit_tree_word(&bitmap->frame, index));

		/*@ assert lowest / 64 == index && has(&bitmap->frame, lowest); */
		/*@ assert lowest < bitmap->frames; */
		*number = lowest;
		/*@ assert same_row{Pre, Here}(&bitmap->frame); */
		return true;
	}
	if (bit_tree_find(&bitmap->frame, index * BITS_PER_WORD, number))
		return true;
	/*@ assert same_row{Pre, Here}(&bitmap->frame); */
	return bit_tree_find(&bitmap->frame, 0, number);
}

enum status frame_bitmap_allocate(struct frame_bitmap *bitmap, uint64_t near, frame_t *frame)
{
	uint64_t number;

	GUARD(find_near(bitmap, near, &number), STATUS_OUT_OF_MEMORY);
	*frame = frame_from_u64(number);
	/*@ assert same_row{Pre, Here}(&bitmap->frame); */
	/*@ assert same_row{Pre, Here}(&bitmap->block); */
	/*@ assert tree_stands(&bitmap->frame); */
	/*@ assert tree_stands(&bitmap->block); */
	/*@ assert words(&bitmap->frame) == \at(words(&bitmap->frame), Pre); */
	/*@ assert words(&bitmap->block) == \at(words(&bitmap->block), Pre); */
	/*@ assert sized(bitmap); */
	/*@ assert apart(bitmap); */
	/*@ assert same_bits{Pre, Here}(&bitmap->frame); */
	/*@ assert same_bits{Pre, Here}(&bitmap->block); */
	/*@ assert counted_but(bitmap, -1); */
	/*@ assert told_whole(bitmap); */
	/*@ assert summed(bitmap, bitmap->free_frames); */
	/*@ assert is_free{Pre}(bitmap, number) && is_free(bitmap, number); */
	take_one(bitmap, number);
	/*@ assert frame->raw == number; */
	/*@ assert same_but{Pre, Here}(&bitmap->frame, number); */
	return STATUS_OK;
}

/* Up to `max` of the set bits of a word, as numbers from `base` on; *rest keeps those that were not taken. */
static uint32_t list_bits(uint64_t word, uint32_t base, uint32_t max, uint32_t *frames, uint64_t *rest)
{
	uint32_t count = 0;

	while (word != 0 && count < max) {
		frames[count] = base + bits_lowest(word);
		word = bits_without_lowest(word);
		count++;
	}
	*rest = word;
	return count;
}

/* Up to `max` frames, at least one, of a word that is not zero. */
static uint32_t take_from_word(struct frame_bitmap *bitmap, uint64_t index, uint32_t max, uint32_t *frames)
{
	const uint64_t base = index * BITS_PER_WORD;
	uint64_t rest;
	const uint32_t count = list_bits(bit_tree_word(&bitmap->frame, index), (uint32_t)base, max, frames, &rest);

	bit_tree_write_word(&bitmap->frame, index, rest);
	block_take(bitmap, base / FRAMES_PER_BLOCK, count);
	return count;
}

uint32_t frame_bitmap_allocate_batch(struct frame_bitmap *bitmap, uint64_t near, uint32_t max, uint32_t *frames)
{
	uint32_t taken = 0;
	uint64_t number;

	if (max == 0 || !find_near(bitmap, near, &number))
		return 0;
	do {
		taken += take_from_word(bitmap, number / BITS_PER_WORD, max - taken, frames + taken);
	} while (taken < max && bit_tree_find(&bitmap->frame, number, &number));
	bitmap->free_frames -= taken;
	return taken;
}

/* How many of `frames`, from the first on, are one of the `size` frames from `base` on and used; *word has them set
 * too. */
static uint32_t gather_word(const uint32_t *frames, uint32_t count, uint32_t base, uint32_t size, uint64_t *word)
{
	uint64_t free = *word;
	uint32_t n = 0;

	while (n < count) {
		const uint32_t bit = frames[n] - base; /* one below `base` wraps to far above `size` */

		if (bit >= size || bits_test(free, bit))
			break;
		free |= bits_one(bit);
		n++;
	}
	*word = free;
	return n;
}

/* Give back as many as lie in one word with the first. 0: the first does not exist or is free. */
static uint32_t give_to_word(struct frame_bitmap *bitmap, const uint32_t *frames, uint32_t count)
{
	const uint64_t index = frames[0] / BITS_PER_WORD, base = index * BITS_PER_WORD;
	uint64_t word, size;
	uint32_t given;

	if (frames[0] >= bitmap->frames)
		return 0;
	size = bitmap->frames - base < BITS_PER_WORD ? bitmap->frames - base : BITS_PER_WORD;
	word = bit_tree_word(&bitmap->frame, index);
	given = gather_word(frames, count, (uint32_t)base, (uint32_t)size, &word);
	if (given == 0)
		return 0;
	bit_tree_write_word(&bitmap->frame, index, word);
	block_give(bitmap, base / FRAMES_PER_BLOCK, given);
	bitmap->free_frames += given;
	return given;
}

enum status frame_bitmap_free_batch(struct frame_bitmap *bitmap, const uint32_t *frames, uint32_t count)
{
	uint32_t done = 0;

	while (done < count) {
		const uint32_t given = give_to_word(bitmap, frames + done, count - done);

		GUARD(given != 0, STATUS_BAD_ARGUMENT);
		done += given;
	}
	return STATUS_OK;
}

/* Whether [first, end), perhaps empty, exists and is free. */
static bool is_free_range(const struct frame_bitmap *bitmap, uint64_t first, uint64_t end)
{
	return first == end || (end <= bitmap->frames && bit_tree_find_clear(&bitmap->frame, first, end) == end);
}

/*
 * A run of at least a block, on a block boundary: whole blocks through their tree, then what is left over. All blocks
 * are one step: those of 1 TiB are 8192 words.
 */
static bool find_block_run(const struct frame_bitmap *bitmap, uint64_t count, uint64_t align, uint64_t *first)
{
	const uint64_t rest = count % FRAMES_PER_BLOCK;
	struct bit_run run = { count / FRAMES_PER_BLOCK, align / FRAMES_PER_BLOCK, 0 };
	uint64_t block;

	while (bit_tree_find_run(&bitmap->block, &run, bitmap->block.bits, &block)) {
		const uint64_t end = (block + run.count) * FRAMES_PER_BLOCK;

		if (is_free_range(bitmap, end, end + rest)) {
			*first = block * FRAMES_PER_BLOCK;
			return true;
		}
		run.from = block + 1;
	}
	return false;
}

/* Any run among the frames that one step looks at. WOULD_BLOCK, NO_CONTIGUOUS_RUN. */
static enum status find_in_step(const struct frame_bitmap *bitmap, struct frame_run *search, uint64_t *first)
{
	struct bit_run run = { search->count, search->align, search->from };
	/* word by word */
	const uint64_t until = (search->from / BITS_PER_WORD) * BITS_PER_WORD + FRAME_RUN_STEP;

	if (bit_tree_find_run(&bitmap->frame, &run, until, first))
		return STATUS_OK;
	search->from = run.from;
	return run.from < bitmap->frames ? STATUS_WOULD_BLOCK : STATUS_NO_CONTIGUOUS_RUN;
}

/* For a run of a block or more that need not stand on a block boundary, one that does is quicker to find. */
static enum status find_run(const struct frame_bitmap *bitmap, struct frame_run *run, uint64_t *first)
{
	const uint64_t align = run->align < FRAMES_PER_BLOCK ? FRAMES_PER_BLOCK : run->align;

	if (run->count < FRAMES_PER_BLOCK || run->blocks_are_done)
		return find_in_step(bitmap, run, first);
	if (find_block_run(bitmap, run->count, align, first))
		return STATUS_OK;
	run->blocks_are_done = true;
	return run->align < FRAMES_PER_BLOCK ? STATUS_WOULD_BLOCK : STATUS_NO_CONTIGUOUS_RUN;
}

enum status frame_bitmap_allocate_run_step(struct frame_bitmap *bitmap, struct frame_run *run, frame_t *first)
{
	uint64_t number;

	GUARD(run->count != 0 && bits_is_power_of_two(run->align), STATUS_BAD_ARGUMENT);
	GUARD(run->count <= bitmap->free_frames, STATUS_OUT_OF_MEMORY);
	TRY(find_run(bitmap, run, &number));
	take_range(bitmap, number, number + run->count);
	*first = frame_from_u64(number);
	return STATUS_OK;
}

enum status frame_bitmap_allocate_run(struct frame_bitmap *bitmap, uint64_t count, uint64_t align, frame_t *first)
{
	struct frame_run run = { .count = count, .align = align };
	enum status status;

	do {
		status = frame_bitmap_allocate_run_step(bitmap, &run, first);
	} while (status == STATUS_WOULD_BLOCK);
	return status;
}

bool frame_bitmap_is_free(const struct frame_bitmap *bitmap, frame_t frame)
{
	return frame_to_u64(frame) < bitmap->frames && bit_tree_test(&bitmap->frame, frame_to_u64(frame));
}

/* Set bits of words [first, end). */
static uint32_t count_words(const struct frame_bitmap *bitmap, uint64_t first, uint64_t end)
{
	uint32_t count = 0;

	for (uint64_t i = first; i < end; i++)
		count += bits_count(bit_tree_word(&bitmap->frame, i));
	return count;
}

/* Set bits of a block, counted. */
static uint32_t count_block(const struct frame_bitmap *bitmap, uint64_t block)
{
	const uint64_t words_per_block = FRAMES_PER_BLOCK / BITS_PER_WORD;
	const uint64_t words = (bitmap->frames - 1) / BITS_PER_WORD + 1;
	const uint64_t first = block * words_per_block;

	return count_words(bitmap, first, words - first < words_per_block ? words : first + words_per_block);
}

/* Each block's count and its bit in the block tree agree with its frames, and the totals with both. */
static bool counts_are_valid(const struct frame_bitmap *bitmap)
{
	uint64_t frames = 0, blocks = 0;

	for (uint64_t block = 0; block < blocks_of_frames(bitmap->frames); block++) {
		const uint32_t count = count_block(bitmap, block);
		const bool whole = count == FRAMES_PER_BLOCK;

		if (bitmap->block_free[block] != count || bit_tree_test(&bitmap->block, block) != whole)
			return false;
		frames += count;
		blocks += whole;
	}
	return frames == bitmap->free_frames && blocks == bitmap->free_blocks;
}

bool frame_bitmap_is_valid(const struct frame_bitmap *bitmap)
{
	if (bitmap->frames == 0 || bitmap->frames > FRAME_BITMAP_MAX_FRAMES)
		return false;
	if (bitmap->frame.bits != bitmap->frames || bitmap->block.bits != blocks_of_frames(bitmap->frames))
		return false;
	return bit_tree_is_valid(&bitmap->frame) && bit_tree_is_valid(&bitmap->block) && counts_are_valid(bitmap);
}
