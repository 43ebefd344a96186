/* The search for a run of frames in bounded steps: what it finds at the end of a step, and how often it comes back. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "lib/frame_bitmap.h"

#define FRAMES (3 * FRAME_RUN_STEP)

static void free_one(struct frame_bitmap *bitmap, uint64_t number)
{
	assert_int_equal(frame_bitmap_free(bitmap, frame_range_make(number, number + 1)), STATUS_OK);
}

/* Every other frame is free, and then one run: none is found in as many steps as there are, and then the one. */
static void check_steps(uint64_t start, uint64_t count)
{
	void *storage = malloc(frame_bitmap_storage_bytes(FRAMES));
	struct frame_run run = { .count = count, .align = 1 };
	struct frame_bitmap bitmap;
	uint32_t steps = 1;
	frame_t frame;

	assert_non_null(storage);
	assert_int_equal(frame_bitmap_init(&bitmap, FRAMES, storage), STATUS_OK);
	for (uint64_t number = 0; number < FRAMES; number += 2)
		free_one(&bitmap, number);
	for (; frame_bitmap_allocate_run_step(&bitmap, &run, &frame) == STATUS_WOULD_BLOCK; steps++)
		;
	assert_in_range(steps, 3, 5);
	assert_int_equal(frame_bitmap_allocate_run(&bitmap, count, 1, &frame), STATUS_NO_CONTIGUOUS_RUN);
	for (uint64_t number = start | 1; number < start + count; number += 2)
		free_one(&bitmap, number);
	assert_int_equal(frame_bitmap_allocate_run(&bitmap, count, 1, &frame), STATUS_OK);
	assert_int_equal(frame_to_u64(frame), start / 2 * 2);
	assert_true(frame_bitmap_is_valid(&bitmap));
	free(storage);
}

/* Over the end of a step, before it and behind it. */
static void test_steps(void **state)
{
	static const uint64_t counts[] = { 3, 64, 65, 300, 700 };

	(void)state;
	for (uint32_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		check_steps(FRAME_RUN_STEP - 65, counts[i]);
		check_steps(FRAME_RUN_STEP - 1, counts[i]);
		check_steps(FRAME_RUN_STEP, counts[i]);
		check_steps(FRAME_RUN_STEP + 1, counts[i]);
		check_steps(2 * FRAME_RUN_STEP - 300, counts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
