/* links: kernel/mem/heap.c kernel/mem/frame.c kernel/mem/shortage.c kernel/mem/address_space.c
   kernel/mem/address_space_audit.c kernel/mem/page_walk.c kernel/mem/page_gap.c kernel/mem/memory_object.c
   kernel/mem/account.c */
/* The kernel heap: every size, what must panic, and no memory in each place where some is wanted. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "kernel/mem/frame.h"
#include "kernel/mem/heap.h"
#include "lib/check.h"
#include "tests/host/host_support.h"
#include "tests/host/machine.h"

#define FRAMES 2048u
#define BLOCKS 3000u

struct block {
	uint8_t *bytes;
	uint64_t size;
	uint8_t fill;
};

static struct block blocks[BLOCKS];

static uint8_t *allocate(uint64_t size)
{
	void *block = NULL;

	CHECK(heap_allocate(size, &block) == STATUS_OK);
	return block;
}

static void assert_filled(const struct block *block)
{
	for (uint64_t i = 0; i < block->size; i++)
		assert_int_equal(block->bytes[i], block->fill);
}

static void assert_empty_heap(void)
{
	struct heap_statistics statistics;

	heap_statistics_read(&statistics);
	assert_int_equal(statistics.frames, 0);
	assert_int_equal(statistics.blocks, 0);
	assert_int_equal(statistics.bytes, 0);
	assert_true(heap_is_valid());
}

/* All sizes live at once: zeroed, aligned, and none overlaps another. */
static void test_sizes(void **state)
{
	struct heap_statistics statistics;

	(void)state;
	machine_start(FRAMES);
	for (uint64_t size = 1; size <= HEAP_MAX_BYTES; size++) {
		static const uint8_t zeros[HEAP_MAX_BYTES];

		blocks[size] = (struct block){ allocate(size), size, (uint8_t)(size % 255 + 1) };
		assert_int_equal((uintptr_t)blocks[size].bytes % 16, 0);
		assert_memory_equal(blocks[size].bytes, zeros, size);
		memset(blocks[size].bytes, blocks[size].fill, size);
	}
	assert_true(heap_is_valid());
	heap_statistics_read(&statistics);
	assert_int_equal(statistics.blocks, HEAP_MAX_BYTES);
	assert_true(statistics.bytes >= HEAP_MAX_BYTES * (HEAP_MAX_BYTES + 1) / 2);
	assert_int_equal(frame_free_count(), machine_frames() - statistics.frames);
	for (uint64_t size = 1; size <= HEAP_MAX_BYTES; size++) {
		assert_filled(&blocks[size]);
		heap_free(blocks[size].bytes, size);
	}
	assert_empty_heap();
	machine_stop();
}

static void test_bad_sizes(void **state)
{
	void *block;

	(void)state;
	machine_start(FRAMES);
	assert_int_equal(heap_allocate(0, &block), STATUS_BAD_ARGUMENT);
	assert_int_equal(heap_allocate(HEAP_MAX_BYTES + 1, &block), STATUS_BAD_ARGUMENT);
	assert_int_equal(heap_allocate(UINT64_MAX, &block), STATUS_BAD_ARGUMENT);
	assert_empty_heap();
	machine_stop();
}

/* A refused promise of frames: each allocation that needs one fails and changes nothing; the next works. */
static void test_refused_promise(void **state)
{
	static const uint64_t sizes[] = { 1, 32, 33, 100, 200, 400, 800, HEAP_MAX_BYTES };

	(void)state;
	machine_start(FRAMES);
	for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
		void *block;

		(void)machine_refuse_promise(0);
		if (heap_allocate(sizes[i], &block) == STATUS_OK) {
			assert_false(machine_refuse_promise(UINT64_MAX)); /* a size of the same class came before */
			heap_free(block, sizes[i]);
			continue;
		}
		assert_true(machine_refuse_promise(UINT64_MAX));
		assert_int_equal(heap_allocate(sizes[i], &block), STATUS_OK);
		heap_free(block, sizes[i]);
		assert_empty_heap();
	}
	machine_stop();
}

static void test_until_full(void **state)
{
	uint64_t count = 0;
	void *block;

	(void)state;
	machine_start(600);
	while (heap_allocate(HEAP_MAX_BYTES, &block) == STATUS_OK)
		blocks[count++].bytes = block;
	assert_int_equal(heap_allocate(HEAP_MAX_BYTES, &block), STATUS_OUT_OF_MEMORY);
	assert_int_equal(frame_free_count(), 0);
	assert_true(heap_is_valid());
	heap_free(blocks[0].bytes, HEAP_MAX_BYTES);
	assert_int_equal(heap_allocate(1, &block), STATUS_OK);
	heap_free(block, 1);
	for (uint64_t i = 1; i < count; i++)
		heap_free(blocks[i].bytes, HEAP_MAX_BYTES);
	assert_empty_heap();
	machine_stop();
}

static void test_random(void **state)
{
	struct host_random random;

	(void)state;
	host_random_init(&random, __func__, 5);
	memset(blocks, 0, sizeof(blocks));
	machine_start(FRAMES);
	for (uint64_t i = 0; i < host_rounds(1000000); i++) {
		struct block *block = &blocks[host_random_below(&random, BLOCKS)];
		uint64_t size = 1 + host_random_below(&random, HEAP_MAX_BYTES >> host_random_below(&random, 7));
		void *bytes;

		if (block->bytes != NULL) {
			assert_filled(block);
			heap_free(block->bytes, block->size);
			block->bytes = NULL;
		} else if (heap_allocate(size, &bytes) == STATUS_OK) {
			*block = (struct block){ bytes, size, (uint8_t)(i % 255 + 1) };
			memset(block->bytes, block->fill, size);
		} else {
			assert_int_equal(frame_free_count(), 0);
		}
		if (host_random_once_in(&random, 500))
			assert_true(heap_is_valid());
	}
	for (uint32_t i = 0; i < BLOCKS; i++)
		if (blocks[i].bytes != NULL)
			heap_free(blocks[i].bytes, blocks[i].size);
	assert_empty_heap();
	machine_stop();
}

/* ---- what must panic ---- */

#define SIZE 40u

static void write_below(void *argument)
{
	uint8_t *bytes = allocate(SIZE);

	(void)argument;
	bytes[-1] = 0;
	heap_free(bytes, SIZE);
}

static void write_above(void *argument)
{
	uint8_t *bytes = allocate(SIZE);

	(void)argument;
	bytes[SIZE] = 0;
	heap_free(bytes, SIZE);
}

/* Within the room of the cell, but not as asked for. */
static void free_as_smaller(void *argument)
{
	(void)argument;
	heap_free(allocate(SIZE), SIZE - 1);
}

static void free_as_other_class(void *argument)
{
	(void)argument;
	heap_free(allocate(SIZE), 500);
}

static void free_nothing(void *argument)
{
	(void)argument;
	heap_free(allocate(SIZE), 0);
}

static void free_twice(void *argument)
{
	uint8_t *other = allocate(SIZE); /* keeps the slab */
	uint8_t *bytes = allocate(SIZE);

	(void)argument;
	heap_free(bytes, SIZE);
	heap_free(bytes, SIZE);
	heap_free(other, SIZE);
}

static void free_twice_with_slab(void *argument)
{
	uint8_t *bytes = allocate(SIZE);

	(void)argument;
	heap_free(bytes, SIZE);
	heap_free(bytes, SIZE);
}

static void free_inside(void *argument)
{
	(void)argument;
	heap_free(allocate(SIZE) + 16, SIZE);
}

static void write_after_free(void *argument)
{
	uint8_t *other = allocate(SIZE);
	uint8_t *bytes = allocate(SIZE);

	(void)argument;
	heap_free(bytes, SIZE);
	bytes[3] = 1;
	(void)allocate(SIZE);
	heap_free(other, SIZE);
}

static void test_faults(void **state)
{
	static const struct {
		void (*act)(void *argument);
		const char *expression;
	} faults[] = {
		{ write_below, "redzones_hold" },       { write_above, "redzones_hold" },
		{ free_as_smaller, "redzones_hold" },   { free_as_other_class, "cell_bytes" },
		{ free_nothing, "bytes > 0" },          { free_twice, "handed_out" },
		{ free_twice_with_slab, "SLAB_MAGIC" }, { free_inside, "cell == cell_of" },
		{ write_after_free, "poison_holds" },
	};

	(void)state;
	machine_start(FRAMES);
	for (uint32_t i = 0; i < COUNT_OF(faults); i++) {
		print_message("fault %u: %s\n", i, faults[i].expression);
		assert_true(machine_check_fails(faults[i].act, NULL, faults[i].expression));
	}
	machine_stop();
}

/* The header promises that the validity check sees poison and redzones too. */
static void test_validity_sees_poison(void **state)
{
	uint8_t *other;
	uint8_t *bytes;

	(void)state;
	machine_start(FRAMES);
	other = allocate(SIZE);
	bytes = allocate(SIZE);
	heap_free(bytes, SIZE);
	assert_true(heap_is_valid());
	bytes[3] ^= 1;
	assert_false(heap_is_valid());
	bytes[3] ^= 1;
	assert_true(heap_is_valid());
	heap_free(other, SIZE);
	assert_empty_heap();
	machine_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_bad_sizes),
		cmocka_unit_test(test_refused_promise),
		cmocka_unit_test(test_until_full),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_validity_sees_poison),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
