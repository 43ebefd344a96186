#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/frame_bitmap.h"
#include "tests/host/host_support.h"

#define BATCH 100u
#define NOWHERE UINT64_MAX

/* A bitmap and, beside it, one byte a frame. */
struct world {
	struct frame_bitmap bitmap;
	void *storage;
	uint8_t *is_free;
	uint64_t free;
	bool draining; /* the random steps take more than they give */
};

static struct world world_make(uint64_t frames)
{
	const size_t bytes = frame_bitmap_storage_bytes(frames);
	struct world world = { .storage = malloc(bytes), .is_free = calloc(1, frames) };

	assert_non_null(world.storage);
	assert_non_null(world.is_free);
	memset(world.storage, 0xa5, bytes);
	assert_int_equal(frame_bitmap_init(&world.bitmap, frames, world.storage), STATUS_OK);
	assert_true(frame_bitmap_is_valid(&world.bitmap));
	return world;
}

/* Every frame's state, the counts, the invariant. */
static void world_check(const struct world *world)
{
	for (uint64_t f = 0; f < world->bitmap.frames; f++) {
		if (frame_bitmap_is_free(&world->bitmap, frame_from_u64(f)) != (world->is_free[f] != 0))
			fail_msg("frame %llu", (unsigned long long)f);
	}
	assert_int_equal(world->bitmap.free_frames, world->free);
	assert_true(frame_bitmap_is_valid(&world->bitmap));
}

static void world_end(struct world *world)
{
	world_check(world);
	free(world->storage);
	free(world->is_free);
}

static void model_put(struct world *world, uint64_t first, uint64_t end, bool is_free)
{
	memset(world->is_free + first, is_free, end - first);
	world->free = is_free ? world->free + (end - first) : world->free - (end - first);
}

static bool model_all(const struct world *world, uint64_t first, uint64_t end, uint8_t value)
{
	return first == end || memchr(world->is_free + first, !value, end - first) == NULL;
}

static uint64_t model_next(const struct world *world, uint64_t from)
{
	const uint64_t frames = world->bitmap.frames;
	const uint8_t *at = from < frames ? memchr(world->is_free + from, 1, frames - from) : NULL;

	return at == NULL ? NOWHERE : (uint64_t)(at - world->is_free);
}

/* What allocate must give for that `near`. */
static uint64_t model_near(const struct world *world, uint64_t near)
{
	const uint64_t after = model_next(world, near - near % 64);

	return after == NOWHERE ? model_next(world, 0) : after;
}

static bool model_has_run(const struct world *world, uint64_t count, uint64_t align)
{
	uint64_t length = 0;

	for (uint64_t f = world->bitmap.frames; f-- > 0;) {
		length = world->is_free[f] ? length + 1 : 0;
		if (length >= count && f % align == 0)
			return true;
	}
	return false;
}

static void free_all(struct world *world)
{
	assert_int_equal(frame_bitmap_free(&world->bitmap, frame_range_make(0, world->bitmap.frames)), STATUS_OK);
	model_put(world, 0, world->bitmap.frames, true);
}

static void test_storage(void **state)
{
	struct frame_bitmap bitmap;
	uint64_t word;

	(void)state;
	assert_int_equal(frame_bitmap_storage_bytes(0), 0);
	assert_int_equal(frame_bitmap_storage_bytes(FRAME_BITMAP_MAX_FRAMES + 1), 0);
	assert_int_equal(frame_bitmap_storage_bytes(UINT64_MAX), 0);
	assert_int_equal(frame_bitmap_storage_bytes(1), 8 + 8 + 2);
	assert_int_equal(frame_bitmap_storage_bytes(65), 3 * 8 + 8 + 2);
	/* 1 TiB: at most 0.14 bytes a frame. */
	assert_true(frame_bitmap_storage_bytes(UINT64_C(1) << 28) < ((UINT64_C(1) << 28) * 14) / 100);
	assert_int_equal(frame_bitmap_init(&bitmap, 0, &word), STATUS_BAD_ARGUMENT);
	assert_int_equal(frame_bitmap_init(&bitmap, FRAME_BITMAP_MAX_FRAMES + 1, &word), STATUS_BAD_ARGUMENT);
}

static void test_free_refuses(void **state)
{
	struct world world = world_make(1000);

	(void)state;
	assert_int_equal(frame_bitmap_free(&world.bitmap, frame_range_make(5, 5)), STATUS_BAD_ARGUMENT);
	assert_int_equal(frame_bitmap_free(&world.bitmap, frame_range_make(6, 5)), STATUS_BAD_ARGUMENT);
	assert_int_equal(frame_bitmap_free(&world.bitmap, frame_range_make(0, 1001)), STATUS_BAD_ARGUMENT);
	assert_int_equal(frame_bitmap_free(&world.bitmap, frame_range_make(1000, 1001)), STATUS_BAD_ARGUMENT);
	assert_int_equal(frame_bitmap_free(&world.bitmap, frame_range_make(0, UINT64_MAX)), STATUS_BAD_ARGUMENT);
	assert_int_equal(frame_bitmap_free(&world.bitmap, frame_range_make(700, 701)), STATUS_OK);
	model_put(&world, 700, 701, true);
	/* Double free, with the free frame first, last and in the middle. */
	assert_int_equal(frame_bitmap_free(&world.bitmap, frame_range_make(700, 701)), STATUS_BAD_ARGUMENT);
	assert_int_equal(frame_bitmap_free(&world.bitmap, frame_range_make(700, 900)), STATUS_BAD_ARGUMENT);
	assert_int_equal(frame_bitmap_free(&world.bitmap, frame_range_make(0, 701)), STATUS_BAD_ARGUMENT);
	assert_int_equal(frame_bitmap_free(&world.bitmap, frame_range_make(0, 1000)), STATUS_BAD_ARGUMENT);
	world_check(&world);
	assert_int_equal(frame_bitmap_free(&world.bitmap, frame_range_make(701, 1000)), STATUS_OK);
	assert_int_equal(frame_bitmap_free(&world.bitmap, frame_range_make(0, 700)), STATUS_OK);
	model_put(&world, 701, 1000, true);
	model_put(&world, 0, 700, true);
	world_end(&world);
}

static void test_reserve_refuses(void **state)
{
	struct world world = world_make(1000);

	(void)state;
	assert_int_equal(frame_bitmap_reserve(&world.bitmap, frame_range_make(0, 1)), STATUS_BAD_ARGUMENT);
	free_all(&world);
	assert_int_equal(frame_bitmap_reserve(&world.bitmap, frame_range_make(5, 5)), STATUS_BAD_ARGUMENT);
	assert_int_equal(frame_bitmap_reserve(&world.bitmap, frame_range_make(6, 5)), STATUS_BAD_ARGUMENT);
	assert_int_equal(frame_bitmap_reserve(&world.bitmap, frame_range_make(999, 1001)), STATUS_BAD_ARGUMENT);
	assert_int_equal(frame_bitmap_reserve(&world.bitmap, frame_range_make(1000, UINT64_MAX)), STATUS_BAD_ARGUMENT);
	assert_int_equal(frame_bitmap_reserve(&world.bitmap, frame_range_make(700, 701)), STATUS_OK);
	model_put(&world, 700, 701, false);
	assert_int_equal(frame_bitmap_reserve(&world.bitmap, frame_range_make(700, 701)), STATUS_BAD_ARGUMENT);
	assert_int_equal(frame_bitmap_reserve(&world.bitmap, frame_range_make(0, 1000)), STATUS_BAD_ARGUMENT);
	assert_int_equal(frame_bitmap_reserve(&world.bitmap, frame_range_make(600, 701)), STATUS_BAD_ARGUMENT);
	assert_int_equal(frame_bitmap_reserve(&world.bitmap, frame_range_make(700, 800)), STATUS_BAD_ARGUMENT);
	world_end(&world);
}

static void test_allocate_refuses(void **state)
{
	struct world world = world_make(130);
	uint32_t batch[4];
	frame_t frame;

	(void)state;
	assert_int_equal(frame_bitmap_allocate(&world.bitmap, 0, &frame), STATUS_OUT_OF_MEMORY);
	assert_int_equal(frame_bitmap_allocate(&world.bitmap, UINT64_MAX, &frame), STATUS_OUT_OF_MEMORY);
	assert_int_equal(frame_bitmap_allocate_batch(&world.bitmap, 0, 4, batch), 0);
	assert_int_equal(frame_bitmap_allocate_run(&world.bitmap, 0, 1, &frame), STATUS_BAD_ARGUMENT);
	assert_int_equal(frame_bitmap_allocate_run(&world.bitmap, 1, 0, &frame), STATUS_BAD_ARGUMENT);
	assert_int_equal(frame_bitmap_allocate_run(&world.bitmap, 1, 3, &frame), STATUS_BAD_ARGUMENT);
	assert_int_equal(frame_bitmap_allocate_run(&world.bitmap, 1, UINT64_MAX, &frame), STATUS_BAD_ARGUMENT);
	assert_int_equal(frame_bitmap_allocate_run(&world.bitmap, 1, 1, &frame), STATUS_OUT_OF_MEMORY);
	free_all(&world);
	assert_int_equal(frame_bitmap_allocate_batch(&world.bitmap, 0, 0, batch), 0);
	assert_int_equal(frame_bitmap_allocate_run(&world.bitmap, 131, 1, &frame), STATUS_OUT_OF_MEMORY);
	assert_int_equal(frame_bitmap_allocate_run(&world.bitmap, UINT64_MAX, 1, &frame), STATUS_OUT_OF_MEMORY);
	assert_int_equal(frame_bitmap_reserve(&world.bitmap, frame_range_make(64, 65)), STATUS_OK);
	model_put(&world, 64, 65, false);
	assert_int_equal(frame_bitmap_allocate_run(&world.bitmap, 66, 1, &frame), STATUS_NO_CONTIGUOUS_RUN);
	assert_int_equal(frame_bitmap_allocate_run(&world.bitmap, 3, 128, &frame), STATUS_OK);
	assert_int_equal(frame_to_u64(frame), 0);
	model_put(&world, 0, 3, false);
	assert_int_equal(frame_bitmap_allocate_run(&world.bitmap, 3, 128, &frame), STATUS_NO_CONTIGUOUS_RUN);
	assert_int_equal(frame_bitmap_allocate_run(&world.bitmap, 65, 1, &frame), STATUS_OK);
	assert_int_equal(frame_to_u64(frame), 65);
	model_put(&world, 65, 130, false);
	assert_false(frame_bitmap_is_free(&world.bitmap, frame_from_u64(130)));
	assert_false(frame_bitmap_is_free(&world.bitmap, frame_from_u64(UINT64_MAX)));
	world_end(&world);
}

/* A bad frame in a batch: those before it are freed, nothing else. */
static void test_free_batch_refuses(void **state)
{
	static const uint32_t bad[] = { 3, 129, 130, 191, UINT32_MAX };

	(void)state;
	for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		for (uint32_t place = 0; place < 4; place++) {
			struct world world = world_make(130);
			uint32_t batch[4] = { 5, 6, 80, 4 };

			assert_int_equal(frame_bitmap_free(&world.bitmap, frame_range_make(3, 4)), STATUS_OK);
			assert_int_equal(frame_bitmap_free(&world.bitmap, frame_range_make(129, 130)), STATUS_OK);
			model_put(&world, 3, 4, true);
			model_put(&world, 129, 130, true);
			batch[place] = bad[i];
			assert_int_equal(frame_bitmap_free_batch(&world.bitmap, batch, 4), STATUS_BAD_ARGUMENT);
			for (uint32_t j = 0; j < place; j++)
				model_put(&world, batch[j], batch[j] + 1, true);
			world_end(&world);
		}
	}
}

/* The same frame twice in one batch, next to each other and apart. */
static void test_free_batch_twice(void **state)
{
	const uint32_t beside[] = { 9, 8, 8 }, apart[] = { 9, 70, 9, 8 };
	struct world world = world_make(130);

	(void)state;
	assert_int_equal(frame_bitmap_free_batch(&world.bitmap, beside, 0), STATUS_OK);
	assert_int_equal(frame_bitmap_free_batch(&world.bitmap, beside, 3), STATUS_BAD_ARGUMENT);
	model_put(&world, 8, 10, true);
	world_check(&world);
	assert_int_equal(frame_bitmap_reserve(&world.bitmap, frame_range_make(8, 10)), STATUS_OK);
	model_put(&world, 8, 10, false);
	assert_int_equal(frame_bitmap_free_batch(&world.bitmap, apart, 4), STATUS_BAD_ARGUMENT);
	model_put(&world, 9, 10, true);
	model_put(&world, 70, 71, true);
	world_end(&world);
}

/* Allocation gives out every frame there is, and only then fails. */
static void test_exhaustion(void **state)
{
	struct world world = world_make(4097);
	uint32_t batch[BATCH], got;
	frame_t frame;

	(void)state;
	free_all(&world);
	for (uint64_t i = 0; i < 4097; i++) {
		assert_int_equal(frame_bitmap_allocate(&world.bitmap, i * 17, &frame), STATUS_OK);
		assert_true(world.is_free[frame_to_u64(frame)]);
		model_put(&world, frame_to_u64(frame), frame_to_u64(frame) + 1, false);
	}
	assert_int_equal(frame_bitmap_allocate(&world.bitmap, 0, &frame), STATUS_OUT_OF_MEMORY);
	world_check(&world);
	free_all(&world);
	while ((got = frame_bitmap_allocate_batch(&world.bitmap, 2000, BATCH, batch)) != 0) {
		for (uint32_t i = 0; i < got; i++) {
			assert_true(world.is_free[batch[i]]);
			model_put(&world, batch[i], batch[i] + 1, false);
		}
	}
	assert_int_equal(world.free, 0);
	world_end(&world);
}

static uint64_t any_near(struct world *world, struct host_random *random)
{
	return host_random_once_in(random, 16) ? host_random_u64(random)
					       : host_random_below(random, world->bitmap.frames + 70);
}

static void step_allocate(struct world *world, struct host_random *random)
{
	const uint64_t near = any_near(world, random), wanted = model_near(world, near);
	frame_t frame = frame_from_u64(NOWHERE);

	assert_int_equal(frame_bitmap_allocate(&world->bitmap, near, &frame),
			 wanted == NOWHERE ? STATUS_OUT_OF_MEMORY : STATUS_OK);
	assert_int_equal(frame_to_u64(frame), wanted);
	if (wanted != NOWHERE)
		model_put(world, wanted, wanted + 1, false);
}

static void step_allocate_batch(struct world *world, struct host_random *random)
{
	const uint64_t near = any_near(world, random);
	const uint32_t max = (uint32_t)host_random_below(random, BATCH + 1);
	uint64_t wanted = model_near(world, near);
	uint32_t batch[BATCH];
	const uint32_t got = frame_bitmap_allocate_batch(&world->bitmap, near, max, batch);

	assert_true(got <= max);
	for (uint32_t i = 0; i < got; i++) {
		assert_int_equal(batch[i], wanted);
		model_put(world, wanted, wanted + 1, false);
		wanted = model_next(world, wanted);
	}
	if (got < max)
		assert_int_equal(wanted, NOWHERE);
}

static uint64_t any_count(const struct world *world, struct host_random *random)
{
	static const uint64_t most[] = { 4, 64, 130, 1100, 5000 };
	const uint64_t wish = 1 + host_random_below(random, most[host_random_below(random, 5)]);

	return wish < world->bitmap.frames ? wish : 1 + host_random_below(random, world->bitmap.frames);
}

/* Whether a run had to be found is asked of the model now and then only: it looks at every frame. */
static void step_allocate_run(struct world *world, struct host_random *random)
{
	const uint64_t count = any_count(world, random);
	const uint64_t align = UINT64_C(1) << host_random_below(random, host_random_once_in(random, 4) ? 64 : 10);
	const bool ask =
		world->bitmap.frames < 5000 ? host_random_once_in(random, 4) : host_random_once_in(random, 512);
	const bool exists = ask && model_has_run(world, count, align);
	frame_t frame;
	const enum status status = frame_bitmap_allocate_run(&world->bitmap, count, align, &frame);

	if (ask)
		assert_int_equal(status == STATUS_OK, exists);
	if (status == STATUS_OK) {
		const uint64_t first = frame_to_u64(frame);

		assert_int_equal(first % align, 0);
		assert_true(first < world->bitmap.frames && count <= world->bitmap.frames - first);
		assert_true(model_all(world, first, first + count, true));
		model_put(world, first, first + count, false);
	} else {
		assert_int_equal(status, count > world->free ? STATUS_OUT_OF_MEMORY : STATUS_NO_CONTIGUOUS_RUN);
	}
}

/* A range somewhere, given back or taken: done if all of it is in the other state, else nothing. */
static void step_range(struct world *world, struct host_random *random, bool give)
{
	const uint64_t first = host_random_below(random, world->bitmap.frames);
	uint64_t end = first + any_count(world, random);
	const bool cut = host_random_once_in(random, 2); /* to what can succeed */
	bool possible;

	if (cut || end > world->bitmap.frames) {
		const uint8_t *at;

		end = end < world->bitmap.frames ? end : world->bitmap.frames;
		at = memchr(world->is_free + first, give, end - first);
		end = at == NULL || at == world->is_free + first ? end : (uint64_t)(at - world->is_free);
	}
	possible = model_all(world, first, end, !give);
	if (give)
		assert_int_equal(frame_bitmap_free(&world->bitmap, frame_range_make(first, end)),
				 possible ? STATUS_OK : STATUS_BAD_ARGUMENT);
	else
		assert_int_equal(frame_bitmap_reserve(&world->bitmap, frame_range_make(first, end)),
				 possible ? STATUS_OK : STATUS_BAD_ARGUMENT);
	if (possible)
		model_put(world, first, end, give);
}

/* Used frames near each other, in any order, now and then with one that is not to be freed. */
static void step_free_batch(struct world *world, struct host_random *random)
{
	const uint64_t base = host_random_below(random, world->bitmap.frames);
	uint32_t batch[BATCH], count = 0, good = 0;
	bool is_bad = false;

	for (uint32_t i = 0; i < BATCH && !is_bad; i++) {
		const uint64_t f = base + host_random_below(random, 1 + 2 * i);

		is_bad = f >= world->bitmap.frames || world->is_free[f];
		if (is_bad && !host_random_once_in(random, 50)) {
			is_bad = false;
			continue;
		}
		batch[count++] = (uint32_t)f;
		if (!is_bad) {
			model_put(world, f, f + 1, true);
			good++;
		}
	}
	assert_int_equal(frame_bitmap_free_batch(&world->bitmap, batch, count),
			 good == count ? STATUS_OK : STATUS_BAD_ARGUMENT);
}

static void step(struct world *world, struct host_random *random)
{
	const uint64_t what = host_random_below(random, 8);

	if (host_random_once_in(random, 5000))
		world->draining = !world->draining;
	if (what < 2) {
		step_range(world, random, !world->draining || host_random_once_in(random, 3));
	} else if (what < 4 && !world->draining) {
		step_free_batch(world, random);
	} else if (what == 4) {
		step_allocate_run(world, random);
	} else if (what == 5) {
		step_allocate_batch(world, random);
	} else {
		step_allocate(world, random);
	}
	assert_int_equal(world->bitmap.free_frames, world->free);
}

static void test_model(void **state)
{
	static const uint64_t sizes[] = { 1, 63, 64, 65, 4097, (1u << 18) + 13 };
	struct host_random random;

	(void)state;
	host_random_init(&random, __func__, 42);
	for (uint32_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct world world = world_make(sizes[i]);
		const uint64_t often = sizes[i] < 5000 ? 64 : 4096;

		if (i % 2 == 0)
			free_all(&world);
		for (uint64_t round = host_rounds(1000000); round > 0; round--) {
			step(&world, &random);
			if (round % often == 0)
				assert_true(frame_bitmap_is_valid(&world.bitmap));
			if (round % 65536 == 0)
				world_check(&world);
		}
		world_end(&world);
	}
}

/* Each count at each alignment over memory broken up at random, found exactly if it is there. */
static void test_runs(void **state)
{
	static const uint64_t counts[] = { 1,   2,   5,   63,  64,  65,  127,  128,  129,  511,  512,
					   513, 575, 576, 700, 767, 768, 1023, 1024, 1025, 1536, 2000 };
	struct host_random random;

	(void)state;
	host_random_init(&random, __func__, 43);
	for (uint64_t round = host_rounds(200); round > 0; round--) {
		struct world world = world_make(1 + host_random_below(&random, 9000));
		const uint64_t holes = host_random_below(&random, 40);
		frame_t frame;

		free_all(&world);
		for (uint64_t hole = 0; hole < holes; hole++)
			step_range(&world, &random, false);
		for (uint32_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
			for (uint32_t shift = 0; shift < 64; shift += shift < 14 ? 1 : 7) {
				const uint64_t align = UINT64_C(1) << shift;
				const bool exists = model_has_run(&world, counts[i], align);
				uint64_t first;

				assert_int_equal(frame_bitmap_allocate_run(&world.bitmap, counts[i], align, &frame),
						 exists                   ? STATUS_OK
						 : counts[i] > world.free ? STATUS_OUT_OF_MEMORY
									  : STATUS_NO_CONTIGUOUS_RUN);
				if (!exists)
					continue;
				first = frame_to_u64(frame);
				assert_int_equal(first % align, 0);
				assert_true(model_all(&world, first, first + counts[i], true));
				assert_int_equal(
					frame_bitmap_free(&world.bitmap, frame_range_make(first, first + counts[i])),
					STATUS_OK);
			}
		}
		world_end(&world);
	}
}

/* Blocks are counted, whatever way they come and go. */
static void test_blocks(void **state)
{
	struct world world = world_make(5 * FRAMES_PER_BLOCK + 100);
	uint32_t batch[FRAMES_PER_BLOCK];
	frame_t frame;

	(void)state;
	free_all(&world);
	assert_int_equal(world.bitmap.free_blocks, 5);
	assert_int_equal(frame_bitmap_allocate(&world.bitmap, 512, &frame), STATUS_OK);
	assert_int_equal(frame_to_u64(frame), 512);
	assert_int_equal(world.bitmap.free_blocks, 4);
	assert_int_equal(frame_bitmap_free(&world.bitmap, frame_range_make(512, 513)), STATUS_OK);
	assert_int_equal(world.bitmap.free_blocks, 5);
	assert_int_equal(frame_bitmap_allocate_batch(&world.bitmap, 1024, FRAMES_PER_BLOCK, batch), FRAMES_PER_BLOCK);
	assert_int_equal(world.bitmap.free_blocks, 4);
	assert_int_equal(frame_bitmap_free_batch(&world.bitmap, batch, FRAMES_PER_BLOCK), STATUS_OK);
	assert_int_equal(world.bitmap.free_blocks, 5);
	/* A refused free of a frame in a whole block leaves the block counted once. */
	assert_int_equal(frame_bitmap_free_batch(&world.bitmap, batch, 1), STATUS_BAD_ARGUMENT);
	assert_int_equal(world.bitmap.free_blocks, 5);
	assert_int_equal(frame_bitmap_reserve(&world.bitmap, frame_range_make(511, 1025)), STATUS_OK);
	assert_int_equal(world.bitmap.free_blocks, 2);
	assert_int_equal(frame_bitmap_allocate_run(&world.bitmap, 1024, 512, &frame), STATUS_OK);
	assert_int_equal(frame_to_u64(frame), 3 * FRAMES_PER_BLOCK);
	assert_int_equal(world.bitmap.free_blocks, 0);
	assert_int_equal(frame_bitmap_free(&world.bitmap, frame_range_make(511, 1025)), STATUS_OK);
	assert_int_equal(frame_bitmap_free(&world.bitmap, frame_range_make(1536, 2560)), STATUS_OK);
	world_end(&world);
}

/* Only the last frame of a very large memory is free; and a run that begins in the last whole block. */
static void check_huge(uint64_t frames)
{
	struct frame_bitmap bitmap;
	void *storage = malloc(frame_bitmap_storage_bytes(frames));
	uint32_t batch[2];
	frame_t frame;

	if (storage == NULL)
		skip();
	assert_int_equal(frame_bitmap_init(&bitmap, frames, storage), STATUS_OK);
	assert_int_equal(frame_bitmap_free(&bitmap, frame_range_make(frames - 1, frames)), STATUS_OK);
	assert_int_equal(frame_bitmap_allocate(&bitmap, 0, &frame), STATUS_OK);
	assert_int_equal(frame_to_u64(frame), frames - 1);
	assert_int_equal(frame_bitmap_allocate(&bitmap, 0, &frame), STATUS_OUT_OF_MEMORY);
	assert_int_equal(frame_bitmap_free(&bitmap, frame_range_make(0, frames)), STATUS_OK);
	assert_int_equal(bitmap.free_blocks, frames / FRAMES_PER_BLOCK);
	assert_true(frame_bitmap_is_valid(&bitmap));
	assert_int_equal(frame_bitmap_allocate_run(&bitmap, frames, UINT64_C(1) << 40, &frame), STATUS_OK);
	assert_int_equal(frame_to_u64(frame), 0);
	assert_int_equal(bitmap.free_frames, 0);
	assert_int_equal(frame_bitmap_free(&bitmap, frame_range_make(frames - 700, frames)), STATUS_OK);
	assert_int_equal(frame_bitmap_allocate_run(&bitmap, 512, 512, &frame), STATUS_OK);
	assert_int_equal(frame_to_u64(frame), frames - 512);
	assert_int_equal(frame_bitmap_allocate_batch(&bitmap, frames - 600, 2, batch), 2);
	assert_int_equal(batch[0], (frames - 600) / 64 * 64);
	assert_int_equal(frame_bitmap_free_batch(&bitmap, batch, 2), STATUS_OK);
	assert_int_equal(frame_bitmap_reserve(&bitmap, frame_range_make(frames - 700, frames - 512)), STATUS_OK);
	assert_true(frame_bitmap_is_valid(&bitmap));
	assert_int_equal(bitmap.free_frames, 0);
	free(storage);
}

static void test_1_tib(void **state)
{
	(void)state;
	check_huge(UINT64_C(1) << 28);
}

/* 0.6 GB of storage: not under the slow tools. */
static void test_16_tib(void **state)
{
	(void)state;
	if (host_rounds(2) < 2)
		skip();
	check_huge(FRAME_BITMAP_MAX_FRAMES);
}

static void test_is_valid_sees(void **state)
{
	struct world world = world_make(1000);

	(void)state;
	free_all(&world);
	world.bitmap.free_frames--;
	assert_false(frame_bitmap_is_valid(&world.bitmap));
	world.bitmap.free_frames++;
	world.bitmap.free_blocks++;
	assert_false(frame_bitmap_is_valid(&world.bitmap));
	world.bitmap.free_blocks--;
	world.bitmap.block_free[1]--;
	assert_false(frame_bitmap_is_valid(&world.bitmap));
	world.bitmap.block_free[1]++;
	bit_tree_set(&world.bitmap.block, 1);
	assert_false(frame_bitmap_is_valid(&world.bitmap));
	bit_tree_clear(&world.bitmap.block, 1);
	bit_tree_clear(&world.bitmap.frame, 77);
	assert_false(frame_bitmap_is_valid(&world.bitmap));
	bit_tree_set(&world.bitmap.frame, 77);
	world.bitmap.frames--;
	assert_false(frame_bitmap_is_valid(&world.bitmap));
	world.bitmap.frames = 0;
	assert_false(frame_bitmap_is_valid(&world.bitmap));
	world.bitmap.frames = 1000;
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_storage),
		cmocka_unit_test(test_free_refuses),
		cmocka_unit_test(test_reserve_refuses),
		cmocka_unit_test(test_allocate_refuses),
		cmocka_unit_test(test_free_batch_refuses),
		cmocka_unit_test(test_free_batch_twice),
		cmocka_unit_test(test_exhaustion),
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_1_tib),
		cmocka_unit_test(test_16_tib),
		cmocka_unit_test(test_is_valid_sees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
