/*
 * What lib/frame_bitmap costs on this host, in nanoseconds, beside a plain next-fit bitmap in the same run. Times of
 * one machine mean little; the ratio is the result.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/check.h"
#include "lib/frame_bitmap.h"

#define FRAMES (UINT64_C(1) << 28) /* 1 TiB */
#define WORDS (FRAMES / BITS_PER_WORD)
#define HELD 1024u
#define BATCH 64u

void check_failed(const char *expression, const char *file, int line)
{
	(void)fprintf(stderr, "%s:%d: check failed: %s\n", file, line, expression);
	abort();
}

/* ---- next-fit: a bitmap, set = free, and the word at which the last search ended ---- */

struct next_fit {
	uint64_t *word;
	uint64_t hint;
};

static uint64_t next_fit_allocate(struct next_fit *fit)
{
	for (uint64_t n = 0; n < WORDS; n++) {
		const uint64_t index = (fit->hint + n) % WORDS;
		const uint64_t word = fit->word[index];

		if (word != 0) {
			fit->word[index] = bits_without_lowest(word);
			fit->hint = index;
			return index * BITS_PER_WORD + bits_lowest(word);
		}
	}
	return FRAMES;
}

static void next_fit_free(struct next_fit *fit, uint64_t frame)
{
	fit->word[frame / BITS_PER_WORD] |= bits_one((uint32_t)(frame % BITS_PER_WORD));
}

static bool block_is_free(const uint64_t *word)
{
	uint64_t all = UINT64_MAX;

	for (uint32_t i = 0; i < FRAMES_PER_BLOCK / BITS_PER_WORD; i++)
		all &= word[i];
	return all == UINT64_MAX;
}

/* The first wholly free block, FRAMES if there is none. */
static uint64_t next_fit_find_block(const struct next_fit *fit)
{
	for (uint64_t index = 0; index < WORDS; index += FRAMES_PER_BLOCK / BITS_PER_WORD) {
		if (block_is_free(fit->word + index))
			return index * BITS_PER_WORD;
	}
	return FRAMES;
}

/* ---- both, in the same state ---- */

struct bench {
	struct frame_bitmap bitmap;
	struct next_fit fit;
	uint64_t random;
};

static double now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static uint64_t random_u64(struct bench *bench)
{
	bench->random ^= bench->random << 13;
	bench->random ^= bench->random >> 7;
	bench->random ^= bench->random << 17;
	return bench->random;
}

static void report(const char *what, double ours, double theirs)
{
	(void)printf("%-44s %12.1f %14.1f %12.2f\n", what, ours, theirs, theirs / ours);
}

/* Word by word: free the frames of `mask` that are used, take those that are not in it. */
static void fill_word(struct bench *bench, uint64_t index, uint64_t mask)
{
	uint32_t frames[BITS_PER_WORD], count = 0;

	CHECK(bit_tree_word(&bench->bitmap.frame, index) == 0);
	for (uint64_t rest = mask; rest != 0; rest = bits_without_lowest(rest))
		frames[count++] = (uint32_t)(index * BITS_PER_WORD + bits_lowest(rest));
	CHECK(frame_bitmap_free_batch(&bench->bitmap, frames, count) == STATUS_OK);
	bench->fit.word[index] = mask;
}

static void reset(struct bench *bench, void *storage)
{
	CHECK(frame_bitmap_init(&bench->bitmap, FRAMES, storage) == STATUS_OK);
	for (uint64_t index = 0; index < WORDS; index++)
		bench->fit.word[index] = 0;
	bench->fit.hint = 0;
}

/* Memory half in use at random; the oldest of 1024 held frames is freed and another one taken. */
static double pair_ours(struct bench *bench, uint64_t rounds)
{
	uint64_t held[HELD], near = 0;
	double start;
	frame_t frame;

	for (uint32_t i = 0; i < HELD; i++) {
		CHECK(frame_bitmap_allocate(&bench->bitmap, near, &frame) == STATUS_OK);
		held[i] = near = frame_to_u64(frame);
	}
	start = now_ns();
	for (uint64_t n = 0; n < rounds; n++) {
		const uint64_t old = held[n % HELD];

		CHECK(frame_bitmap_free(&bench->bitmap, frame_range_make(old, old + 1)) == STATUS_OK);
		CHECK(frame_bitmap_allocate(&bench->bitmap, near, &frame) == STATUS_OK);
		held[n % HELD] = near = frame_to_u64(frame);
	}
	return (now_ns() - start) / (double)rounds;
}

static double pair_theirs(struct bench *bench, uint64_t rounds)
{
	uint64_t held[HELD];
	double start;

	for (uint32_t i = 0; i < HELD; i++)
		held[i] = next_fit_allocate(&bench->fit);
	start = now_ns();
	for (uint64_t n = 0; n < rounds; n++) {
		next_fit_free(&bench->fit, held[n % HELD]);
		held[n % HELD] = next_fit_allocate(&bench->fit);
	}
	return (now_ns() - start) / (double)rounds;
}

/* Batches of 64 for a per-CPU stack, given back in the order in which they came; per frame. */
static double batch_ours(struct bench *bench, uint64_t rounds)
{
	uint32_t frames[BATCH];
	uint64_t near = 0, done = 0;
	const double start = now_ns();

	for (uint64_t n = 0; n < rounds; n++) {
		const uint32_t got = frame_bitmap_allocate_batch(&bench->bitmap, near, BATCH, frames);

		near = frames[got - 1] + 1;
		CHECK(frame_bitmap_free_batch(&bench->bitmap, frames, got) == STATUS_OK);
		done += got;
	}
	return (now_ns() - start) / (double)done;
}

static double batch_theirs(struct bench *bench, uint64_t rounds)
{
	uint64_t frames[BATCH];
	const double start = now_ns();

	for (uint64_t n = 0; n < rounds; n++) {
		for (uint32_t i = 0; i < BATCH; i++)
			frames[i] = next_fit_allocate(&bench->fit);
		for (uint32_t i = 0; i < BATCH; i++)
			next_fit_free(&bench->fit, frames[i]);
	}
	return (now_ns() - start) / (double)(rounds * BATCH);
}

static void bench_half_used(struct bench *bench, void *storage)
{
	double ours, theirs;

	reset(bench, storage);
	for (uint64_t index = 0; index < WORDS; index++)
		fill_word(bench, index, random_u64(bench));
	ours = pair_ours(bench, 20000000);
	theirs = pair_theirs(bench, 20000000);
	report("free + allocate, half used at random", ours, theirs);
	ours = batch_ours(bench, 1000000);
	theirs = batch_theirs(bench, 200000);
	report("the same by batches of 64, per frame", ours, theirs);
}

static void bench_empty(struct bench *bench, void *storage)
{
	double ours, theirs;

	reset(bench, storage);
	for (uint64_t index = 0; index < WORDS; index++)
		fill_word(bench, index, UINT64_MAX);
	ours = pair_ours(bench, 20000000);
	theirs = pair_theirs(bench, 20000000);
	report("free + allocate, nothing else in use", ours, theirs);
	ours = batch_ours(bench, 1000000);
	theirs = batch_theirs(bench, 200000);
	report("the same by batches of 64, per frame", ours, theirs);
}

static void bench_last_frame(struct bench *bench, void *storage)
{
	const struct frame_range last = frame_range_make(FRAMES - 1, FRAMES);
	const uint64_t rounds = 5000000, few = 200;
	double start, ours;
	frame_t frame;

	reset(bench, storage);
	fill_word(bench, WORDS - 1, bits_one(BITS_PER_WORD - 1));
	start = now_ns();
	for (uint64_t n = 0; n < rounds; n++) {
		CHECK(frame_bitmap_allocate(&bench->bitmap, 0, &frame) == STATUS_OK);
		CHECK(frame_bitmap_free(&bench->bitmap, last) == STATUS_OK);
	}
	ours = (now_ns() - start) / (double)rounds;
	start = now_ns();
	for (uint64_t n = 0; n < few; n++) {
		bench->fit.hint = 0;
		next_fit_free(&bench->fit, next_fit_allocate(&bench->fit));
	}
	report("allocate + free of the last free frame", ours, (now_ns() - start) / (double)few);
}

/* One frame of each block in use. */
static void bench_no_block(struct bench *bench, void *storage)
{
	const uint64_t rounds = 10000000, few = 200;
	uint64_t found = 0;
	double start, ours;
	frame_t frame;

	reset(bench, storage);
	for (uint64_t index = 0; index < WORDS; index++)
		fill_word(bench, index, index % 8 == 3 ? UINT64_MAX - 1 : UINT64_MAX);
	start = now_ns();
	for (uint64_t n = 0; n < rounds; n++)
		CHECK(frame_bitmap_allocate_run(&bench->bitmap, 512, 512, &frame) == STATUS_NO_CONTIGUOUS_RUN);
	ours = (now_ns() - start) / (double)rounds;
	start = now_ns();
	for (uint64_t n = 0; n < few; n++)
		found += next_fit_find_block(&bench->fit) != FRAMES;
	CHECK(found == 0);
	report("search for 2 MiB that fails", ours, (now_ns() - start) / (double)few);
}

/* Every other frame in use: no two side by side, and no summary says so. The word scan's worst case. */
static void bench_no_pair(struct bench *bench, void *storage)
{
	const uint64_t few = 10;
	frame_t frame;
	double start;

	reset(bench, storage);
	for (uint64_t index = 0; index < WORDS; index++)
		fill_word(bench, index, UINT64_C(0x5555555555555555));
	start = now_ns();
	for (uint64_t n = 0; n < few; n++)
		CHECK(frame_bitmap_allocate_run(&bench->bitmap, 2, 1, &frame) == STATUS_NO_CONTIGUOUS_RUN);
	(void)printf("%-44s %12.1f\n", "search for 2 frames, every other one in use", (now_ns() - start) / (double)few);
}

int main(void)
{
	struct bench bench = { .random = UINT64_C(0x243f6a8885a308d3) };
	void *storage = malloc(frame_bitmap_storage_bytes(FRAMES));

	bench.fit.word = malloc(WORDS * sizeof(uint64_t));
	CHECK(storage != NULL && bench.fit.word != NULL);
	(void)printf("1 TiB, %" PRIu64 " frames, %.3f bytes of storage a frame\n", FRAMES,
		     (double)frame_bitmap_storage_bytes(FRAMES) / (double)FRAMES);
	(void)printf("%-44s %12s %14s %12s\n", "nanoseconds", "frame_bitmap", "next-fit", "times");
	bench_empty(&bench, storage);
	bench_half_used(&bench, storage);
	bench_last_frame(&bench, storage);
	bench_no_block(&bench, storage);
	bench_no_pair(&bench, storage);
	free(bench.fit.word);
	free(storage);
	return 0;
}
