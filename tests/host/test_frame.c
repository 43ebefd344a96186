/* links: kernel/mem/frame.c kernel/mem/shortage.c kernel/mem/address_space.c kernel/mem/address_space_audit.c
   kernel/mem/page_walk.c kernel/mem/page_gap.c kernel/mem/memory_object.c kernel/mem/heap.c kernel/mem/account.c */
/* The frame allocator: promises, stacks of several CPUs, runs, and what must panic. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/mem/frame.h"
#include "lib/check.h"
#include "lib/frame_bitmap.h"
#include "tests/host/host_support.h"
#include "tests/host/machine.h"

#define FRAMES 8192u
#define LARGE (3 * FRAME_RUN_STEP) /* of which several steps look at */

static uint64_t owners[4] __attribute__((aligned(16)));
static frame_t held[FRAMES];

static void take_all(void)
{
	uint64_t count = frame_free_count();

	assert_int_equal(frame_promise(count), STATUS_OK);
	for (uint64_t i = 0; i < count; i++)
		held[i] = frame_take(FRAME_KERNEL, owners);
}

static void free_all(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		frame_free(held[i], FRAME_KERNEL, owners);
}

/* Every frame but those that are no RAM, the allocator's own and frame 0 is given out, once. */
static void test_takes_each_frame_once(void **state)
{
	static bool seen[FRAMES];
	uint64_t storage = (frame_storage_bytes(FRAMES) + PAGE_SIZE - 1) / PAGE_SIZE;

	(void)state;
	machine_start(FRAMES);
	assert_int_equal(machine_frames(), FRAMES - 1 - (MACHINE_HOLE_END - MACHINE_HOLE_START) - storage);
	take_all();
	memset(seen, 0, sizeof(seen));
	for (uint64_t i = 0; i < machine_frames(); i++) {
		uint64_t number = frame_to_u64(held[i]);

		assert_true(number > 0 && number < FRAMES && !seen[number]);
		assert_true(number < MACHINE_HOLE_START || number >= MACHINE_HOLE_END + storage);
		seen[number] = true;
	}
	assert_int_equal(frame_promise(1), STATUS_OUT_OF_MEMORY);
	assert_int_equal(frame_promise(0), STATUS_OK);
	assert_true(frame_is_valid());
	free_all(machine_frames());
	machine_stop();
}

static void test_promises(void **state)
{
	uint64_t all;
	frame_t frame;

	(void)state;
	machine_start(FRAMES);
	all = machine_frames();
	assert_int_equal(frame_promise(all + 1), STATUS_OUT_OF_MEMORY);
	assert_int_equal(frame_promise(UINT64_MAX), STATUS_OUT_OF_MEMORY);
	assert_int_equal(frame_promise(all - 2), STATUS_OK);
	assert_int_equal(frame_free_count(), 2);
	assert_int_equal(frame_promise(3), STATUS_OUT_OF_MEMORY);
	assert_int_equal(frame_allocate(FRAME_HEAP, owners, &frame), STATUS_OK);
	assert_int_equal(frame_allocate(FRAME_HEAP, owners, &frame), STATUS_OK);
	assert_int_equal(frame_allocate(FRAME_HEAP, owners, &frame), STATUS_OUT_OF_MEMORY);
	held[0] = frame_take(FRAME_KERNEL, owners); /* of the large promise */
	frame_promise_return(all - 3);
	assert_int_equal(frame_free_count(), all - 3);
	assert_true(frame_is_valid());
	frame_free(held[0], FRAME_KERNEL, owners);
	for (uint64_t number = 1; number < FRAMES; number++)
		if (frame_use_of(frame_info_of(frame_from_u64(number))) == FRAME_HEAP)
			frame_free(frame_from_u64(number), FRAME_HEAP, owners);
	machine_stop();
}

/* What another CPU keeps on its stack counts as free, and is found. */
static void test_other_stacks(void **state)
{
	(void)state;
	machine_start(FRAMES);
	for (uint32_t cpu = 0; cpu < MACHINE_CPUS; cpu++) {
		machine_run_on(cpu);
		assert_int_equal(frame_promise(100), STATUS_OK);
		for (uint32_t i = 0; i < 100; i++)
			held[i] = frame_take(FRAME_KERNEL, owners);
		free_all(100);
		assert_true(frame_stack_depth(cpu) >= 100);
	}
	for (uint32_t cpu = 0; cpu < MACHINE_CPUS; cpu++) {
		uint32_t other = (cpu + 1) % MACHINE_CPUS;

		machine_run_on(cpu);
		take_all();
		assert_int_equal(frame_stack_depth(other), 0);
		assert_true(frame_is_valid());
		machine_run_on(other); /* where they now pile up */
		free_all(machine_frames());
		assert_true(frame_stack_depth(other) > 0);
	}
	frame_drain_stacks();
	for (uint32_t cpu = 0; cpu < MACHINE_CPUS; cpu++)
		assert_int_equal(frame_stack_depth(cpu), 0);
	machine_stop();
}

static void test_zeroed(void **state)
{
	static const uint8_t zeros[PAGE_SIZE];

	(void)state;
	machine_start(FRAMES);
	for (uint32_t round = 0; round < 3; round++) {
		assert_int_equal(frame_promise(200), STATUS_OK);
		for (uint32_t i = 0; i < 200; i++) {
			held[i] = frame_take_zeroed(FRAME_KERNEL, owners);
			assert_memory_equal(direct_map_of_frame(held[i]), zeros, PAGE_SIZE);
			memset(direct_map_of_frame(held[i]), 0xff, PAGE_SIZE);
		}
		free_all(200);
	}
	machine_stop();
}

/* Batches of every size, over stacks that run empty on the way: each frame its owner's, and zero. */
static void test_batch(void **state)
{
	static const uint8_t zeros[PAGE_SIZE];
	uint32_t number[FRAME_BATCH];

	(void)state;
	machine_start(FRAMES);
	for (uint32_t round = 0; round < 3; round++) {
		uint32_t taken = 0;

		assert_int_equal(frame_promise(FRAME_BATCH * (FRAME_BATCH + 1) / 2), STATUS_OK);
		for (uint32_t count = 1; count <= FRAME_BATCH; count++) {
			frame_take_batch(count, FRAME_KERNEL, owners, number);
			for (uint32_t i = 0; i < count; i++) {
				held[taken] = frame_from_u64(number[i]);
				assert_int_equal(frame_info_of(held[taken])->owner,
						 frame_owner_word(FRAME_KERNEL, owners));
				assert_memory_equal(direct_map_of_frame(held[taken]), zeros, PAGE_SIZE);
				memset(direct_map_of_frame(held[taken++]), 0xff, PAGE_SIZE);
			}
		}
		free_all(taken);
		assert_true(frame_is_valid());
	}
	machine_stop();
}

/* Frames that a gather gives back, page tables that are zero among them, are found zero again. */
static void test_gather(void **state)
{
	struct frame_gather gather = FRAME_GATHER_EMPTY;

	(void)state;
	machine_start(FRAMES);
	frame_gather_free(&gather);
	assert_int_equal(frame_promise(2000), STATUS_OK);
	for (uint32_t i = 0; i < 2000; i++) {
		enum frame_use use = i % 3 == 0 ? FRAME_TABLE : FRAME_ANONYMOUS;
		frame_t frame = frame_take_zeroed(use, owners);

		if (i % 2 == 0) {
			memset(direct_map_of_frame(frame), 1, PAGE_SIZE);
			frame_info_of(frame)->count = 1;
		}
		frame_gather_add(&gather, frame, frame_info_of(frame));
	}
	assert_int_equal(gather.count, 2000);
	frame_gather_free(&gather);
	assert_int_equal(gather.count, 0);
	assert_true(frame_is_valid()); /* looks into those that are said to be zero */
	machine_stop();
}

static void test_runs(void **state)
{
	frame_t first;
	uint64_t blocks = 0;

	(void)state;
	machine_start(FRAMES);
	assert_int_equal(frame_promise(machine_frames()), STATUS_OK);
	while (frame_take_run(512, 512, FRAME_OBJECT, owners, &first) == STATUS_OK) {
		assert_int_equal(frame_to_u64(first) % 512, 0);
		for (uint64_t i = 0; i < 512; i++)
			assert_int_equal(frame_info_of(frame_plus(first, i))->owner,
					 frame_owner_word(FRAME_OBJECT, owners));
		held[blocks++] = first;
	}
	assert_int_equal(blocks, FRAMES / 512 - 1); /* the lowest has the hole */
	assert_int_equal(frame_take_run(512, 1, FRAME_OBJECT, owners, &first), STATUS_NO_CONTIGUOUS_RUN);
	frame_promise_return(machine_frames() - blocks * 512);
	assert_true(frame_is_valid());
	while (blocks-- > 0)
		for (uint64_t i = 0; i < 512; i++)
			frame_free(frame_plus(held[blocks], i), FRAME_OBJECT, owners);
	machine_stop();
}

/* A run is found even if some of its frames lie on stacks, and refused if one is taken. */
static void test_run_over_stacks(void **state)
{
	uint64_t largest = 0;
	frame_t first;

	(void)state;
	machine_start(FRAMES);
	take_all();
	for (uint64_t i = 0; i < machine_frames(); i++)
		if (frame_to_u64(held[i]) >= FRAMES / 2) {
			machine_run_on((uint32_t)(i % MACHINE_CPUS));
			frame_free(held[i], FRAME_KERNEL, owners);
			largest++;
		}
	assert_int_equal(frame_promise(largest), STATUS_OK);
	assert_int_equal(frame_take_run(largest, 512, FRAME_OBJECT, owners, &first), STATUS_OK);
	assert_int_equal(frame_to_u64(first), FRAMES / 2);
	for (uint64_t i = 0; i < largest; i++)
		frame_free(frame_plus(first, i), FRAME_OBJECT, owners);
	assert_int_equal(frame_promise(1), STATUS_OK);
	first = frame_take(FRAME_HEAP, owners);
	assert_int_equal(frame_promise(largest - 1), STATUS_OK);
	assert_int_equal(frame_take_run(largest, 1, FRAME_OBJECT, owners, &held[0]), STATUS_NO_CONTIGUOUS_RUN);
	frame_promise_return(largest - 1);
	frame_free(first, FRAME_HEAP, owners);
	assert_true(frame_is_valid());
	for (uint64_t number = 1; number < FRAMES / 2; number++)
		if (frame_info_of(frame_from_u64(number))->owner == frame_owner_word(FRAME_KERNEL, owners))
			frame_free(frame_from_u64(number), FRAME_KERNEL, owners);
	machine_stop();
}

/* A search that fails looks at all frames, twice, and at each stack: none of it in one piece. */
static void test_windows_of_a_search(void **state)
{
	static frame_t taken[LARGE];
	uint64_t count = 0, windows;
	frame_t first;

	(void)state;
	machine_start(LARGE);
	while (frame_promise(1) == STATUS_OK)
		taken[count++] = frame_take(FRAME_KERNEL, owners);
	for (uint64_t i = 0; i < count; i++)
		if (frame_to_u64(taken[i]) % 2 == 0)
			frame_free(taken[i], FRAME_KERNEL, owners);
	assert_int_equal(frame_promise(2), STATUS_OK);
	windows = machine_windows;
	assert_int_equal(frame_take_run(2, 1, FRAME_OBJECT, owners, &first), STATUS_NO_CONTIGUOUS_RUN);
	assert_in_range(machine_windows - windows, 2 * (LARGE / FRAME_RUN_STEP - 1) + CPU_MAX, 1000);
	frame_promise_return(2);
	for (uint64_t i = 0; i < count; i++)
		if (frame_to_u64(taken[i]) % 2 != 0)
			frame_free(taken[i], FRAME_KERNEL, owners);
	assert_true(frame_is_valid());
	machine_stop();
}

/* ---- what must panic ---- */

enum fault {
	FREE_TWICE,
	WRONG_OWNER,
	WRONG_USE,
	NEVER_TAKEN,
	FRAME_ZERO,
	IN_THE_HOLE,
	OWN_STORAGE,
	BEYOND_MEMORY,
	GATHER_FREE,
};

static void do_fault(void *argument)
{
	struct frame_gather gather = FRAME_GATHER_EMPTY;
	frame_t frame;

	CHECK(frame_promise(1) == STATUS_OK);
	frame = frame_take(FRAME_HEAP, owners);
	switch (*(enum fault *)argument) {
	case FREE_TWICE:
		frame_free(frame, FRAME_HEAP, owners);
		frame_free(frame, FRAME_HEAP, owners);
		break;
	case WRONG_OWNER:
		frame_free(frame, FRAME_HEAP, owners + 2);
		break;
	case WRONG_USE:
		frame_free(frame, FRAME_TABLE, owners);
		break;
	case NEVER_TAKEN:
		frame_free(frame_from_u64(FRAMES - 1), FRAME_FREE, NULL);
		break;
	case FRAME_ZERO:
		frame_free(frame_from_u64(0), FRAME_UNUSABLE, NULL);
		break;
	case IN_THE_HOLE:
		frame_free(frame_from_u64(MACHINE_HOLE_START), FRAME_UNUSABLE, NULL);
		break;
	case OWN_STORAGE:
		frame_free(frame_from_u64(MACHINE_HOLE_END), FRAME_HEAP, NULL);
		break;
	case BEYOND_MEMORY:
		frame_free(frame_from_u64(FRAMES), FRAME_HEAP, owners);
		break;
	case GATHER_FREE:
		frame_free(frame, FRAME_HEAP, owners);
		frame_gather_add(&gather, frame, frame_info_of(frame));
		frame_gather_free(&gather);
		break;
	}
}

static void test_faults(void **state)
{
	(void)state;
	machine_start(FRAMES);
	for (enum fault fault = FREE_TWICE; fault <= GATHER_FREE; fault++)
		assert_true(
			machine_check_fails(do_fault, &fault, fault == BEYOND_MEMORY ? "frame_table_count" : "owner"));
	machine_stop();
}

/* ---- at random ---- */

static void test_random(void **state)
{
	struct host_random random;
	uint64_t count = 0;

	(void)state;
	host_random_init(&random, __func__, 4);
	machine_start(FRAMES);
	for (uint64_t i = 0; i < host_rounds(1000000); i++) {
		machine_run_on((uint32_t)host_random_below(&random, MACHINE_CPUS));
		if (host_random_below(&random, FRAMES) >= count) {
			if (frame_promise(1) == STATUS_OK)
				held[count++] = frame_take(FRAME_KERNEL, owners);
			else
				assert_int_equal(count, machine_frames());
		} else {
			uint64_t victim = host_random_below(&random, count);

			frame_free(held[victim], FRAME_KERNEL, owners);
			held[victim] = held[--count];
		}
		if (host_random_once_in(&random, 1000))
			frame_drain_stacks();
		if (host_random_once_in(&random, 2000))
			assert_true(frame_is_valid());
		assert_int_equal(frame_free_count(), machine_frames() - count);
	}
	free_all(count);
	machine_stop();
}

/* ---- two CPUs at once ---- */

#define HAMMER_FRAMES 3000u

struct hammer {
	uint32_t cpu;
	uint64_t rounds, refused;
	frame_t frame[HAMMER_FRAMES];
};

static void give_back(struct hammer *hammer, uint64_t count)
{
	struct frame_gather gather = FRAME_GATHER_EMPTY;

	for (uint64_t i = 0; i < count; i++) {
		uint64_t *words = direct_map_of_frame(hammer->frame[i]);

		CHECK(words[0] == frame_to_u64(hammer->frame[i]) + hammer->cpu); /* nobody else wrote here */
		if (i % 2 == 0) {
			frame_free(hammer->frame[i], FRAME_TABLE, &owners[hammer->cpu * 2]);
			continue;
		}
		words[0] = words[511] = 0; /* as a page table that has become empty */
		frame_gather_add(&gather, hammer->frame[i], frame_info_of(hammer->frame[i]));
	}
	frame_gather_free(&gather);
}

/* Both together want more than there is, so that promises fail and stacks are drained. */
static void *hammer_run(void *argument)
{
	struct hammer *hammer = argument;
	struct host_random random = { .state = hammer->cpu };

	machine_run_on(hammer->cpu);
	for (uint64_t i = 0; i < hammer->rounds; i++) {
		uint64_t count = 1 + host_random_below(&random, host_random_once_in(&random, 4) ? HAMMER_FRAMES : 16);

		if (frame_promise(count) != STATUS_OK) {
			hammer->refused++;
			continue;
		}
		for (uint64_t k = 0; k < count; k++) {
			frame_t frame = frame_take_zeroed(FRAME_TABLE, &owners[hammer->cpu * 2]);
			uint64_t *words = direct_map_of_frame(frame);

			CHECK(words[0] == 0 && words[511] == 0);
			words[0] = words[511] = frame_to_u64(frame) + hammer->cpu;
			hammer->frame[k] = frame;
		}
		give_back(hammer, count);
		if (host_random_once_in(&random, 4))
			frame_drain_stacks();
	}
	return NULL;
}

static void test_two_threads(void **state)
{
	static struct hammer hammers[2];
	pthread_t threads[2];

	(void)state;
	machine_start(5000);
	for (uint32_t i = 0; i < 2; i++) {
		hammers[i] = (struct hammer){ .cpu = i, .rounds = host_rounds(20000) };
		assert_int_equal(pthread_create(&threads[i], NULL, hammer_run, &hammers[i]), 0);
	}
	for (uint32_t i = 0; i < 2; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	print_message("promises refused: %u and %u\n", (unsigned)hammers[0].refused, (unsigned)hammers[1].refused);
	machine_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_takes_each_frame_once),
		cmocka_unit_test(test_promises),
		cmocka_unit_test(test_other_stacks),
		cmocka_unit_test(test_zeroed),
		cmocka_unit_test(test_batch),
		cmocka_unit_test(test_gather),
		cmocka_unit_test(test_runs),
		cmocka_unit_test(test_run_over_stacks),
		cmocka_unit_test(test_windows_of_a_search),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_two_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
