/* links: kernel/mem/kernel_stack.c kernel/mem/frame.c kernel/mem/shortage.c kernel/mem/address_space.c
   kernel/mem/address_space_audit.c kernel/mem/page_walk.c kernel/mem/page_gap.c kernel/mem/memory_object.c
   kernel/mem/heap.c kernel/mem/account.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "kernel/arch/x86_64/tlb.h"
#include "kernel/mem/frame.h"
#include "kernel/mem/kernel_stack.h"
#include "kernel/mem/paging.h"
#include "lib/check.h"
#include "tests/host/host_support.h"
#include "tests/host/machine.h"

#define SLOT_PAGES (KERNEL_STACK_PAGES + 1u)
#define FRAMES 2000u
#define LIVE_MAX 100u

/* ---- the stack window ---- */

static frame_t window[KERNEL_STACK_SLOTS * SLOT_PAGES]; /* 0: not mapped */
static uint64_t mapped, flushes;
static uint64_t refuse_map; /* mapping number so many from now fails; UINT64_MAX: none does */

static bool making_tables;
static uint64_t tables[COUNT_OF(window) / PAGES_PER_2MIB + 1]; /* mappings so far in what one page table spans */

static frame_t *entry_of(uint64_t address)
{
	uint64_t page = (address - STACK_WINDOW_START) >> PAGE_SHIFT;

	CHECK(page < COUNT_OF(window) && (making_tables || page % SLOT_PAGES != 0)); /* never a guard page */
	return &window[page];
}

enum status paging_map_page(uint64_t address, frame_t frame)
{
	frame_t *entry = entry_of(address);

	GUARD(refuse_map-- != 0, STATUS_OUT_OF_MEMORY);
	CHECK(frame_to_u64(*entry) == 0);
	*entry = frame;
	tables[(address - STACK_WINDOW_START) / (PAGES_PER_2MIB * PAGE_SIZE)]++;
	mapped++;
	return STATUS_OK;
}

frame_t paging_unmap_page(uint64_t address)
{
	frame_t *entry = entry_of(address);
	frame_t frame = *entry;

	CHECK(frame_to_u64(frame) != 0);
	*entry = frame_from_u64(0);
	mapped--;
	return frame;
}

/* Before it nothing of the range is free again. */
void tlb_flush_kernel(vaddr_t start, vaddr_t end)
{
	CHECK(vaddr_to_u64(start) < vaddr_to_u64(end));
	flushes++;
}

/* ---- stacks ---- */

struct world {
	uint64_t top[KERNEL_STACK_SLOTS];
	uint32_t live;
};

static void world_start(struct world *world, uint64_t frames)
{
	machine_start(frames);
	memset(window, 0, sizeof(window));
	mapped = 0;
	flushes = 0;
	refuse_map = UINT64_MAX;
	world->live = 0;
}

/* Every frame is free, a live stack's, or a cached one's; all that is mapped is one of the latter two. */
static void expect_whole(const struct world *world)
{
	const uint64_t frames = (world->live + kernel_stack_cached()) * KERNEL_STACK_PAGES;

	assert_true(kernel_stack_is_valid());
	assert_true(kernel_stack_cached() <= KERNEL_STACK_CACHE);
	assert_int_equal(mapped, frames);
	assert_int_equal(machine_frames() - frame_free_count(), frames);
}

/* All of a stack that is in use is mapped, and nothing below it. */
static void expect_stack(uint64_t top)
{
	const uint64_t page = (top - STACK_WINDOW_START) >> PAGE_SHIFT;

	assert_int_equal(top % 16, 0);
	assert_int_equal(page % SLOT_PAGES, 0);
	for (uint64_t i = 1; i <= KERNEL_STACK_PAGES; i++)
		assert_int_not_equal(frame_to_u64(window[page - i]), 0);
	assert_int_equal(frame_to_u64(window[page - SLOT_PAGES]), 0);
}

static enum status begin(struct world *world)
{
	uint64_t top;

	TRY(kernel_stack_create(&top));
	expect_stack(top);
	for (uint32_t i = 0; i < world->live; i++)
		assert_int_not_equal(world->top[i], top);
	world->top[world->live++] = top;
	return STATUS_OK;
}

static void end(struct world *world, uint64_t which)
{
	kernel_stack_destroy(world->top[which]);
	world->top[which] = world->top[--world->live];
}

static void world_stop(struct world *world)
{
	while (world->live > 0)
		end(world, world->live - 1);
	expect_whole(world);
	(void)kernel_stack_trim();
	assert_int_equal(mapped, 0);
	machine_stop(); /* every frame has come back */
}

/* Begin, end, trim, at random; some mappings fail. */
static void test_model(void **state)
{
	static struct world world;
	struct host_random random;
	uint64_t refused = 0;

	(void)state;
	host_random_init(&random, __func__, 1);
	world_start(&world, FRAMES);
	for (uint64_t round = host_rounds(200000); round > 0; round--) {
		const uint64_t cached = kernel_stack_cached();

		refuse_map =
			host_random_once_in(&random, 8) ? host_random_below(&random, KERNEL_STACK_PAGES) : UINT64_MAX;
		if (host_random_once_in(&random, 200)) {
			assert_int_equal(kernel_stack_trim(), cached * KERNEL_STACK_PAGES);
			assert_int_equal(kernel_stack_cached(), 0);
		} else if (world.live > 0 && (world.live == LIVE_MAX || host_random_once_in(&random, 2))) {
			end(&world, host_random_below(&random, world.live));
		} else {
			const enum status status = begin(&world);

			assert_true(status == STATUS_OK || (status == STATUS_OUT_OF_MEMORY && cached == 0));
			refused += status != STATUS_OK;
		}
		if (round % 16 == 0)
			expect_whole(&world);
	}
	assert_true(refused > 0);
	world_stop(&world);
}

/* Threads that come and go, a few at a time, map and flush nothing. */
static void test_cache_saves(void **state)
{
	static struct world world;

	(void)state;
	world_start(&world, FRAMES);
	for (uint32_t round = 0; round < 100; round++) {
		const uint64_t free_frames = frame_free_count() + kernel_stack_cached() * KERNEL_STACK_PAGES;

		refuse_map = round == 0 ? UINT64_MAX : 0;
		for (uint32_t i = 0; i < KERNEL_STACK_CACHE; i++)
			assert_int_equal(begin(&world), STATUS_OK);
		while (world.live > 0)
			end(&world, world.live - 1);
		assert_int_equal(frame_free_count() + kernel_stack_cached() * KERNEL_STACK_PAGES, free_frames);
		expect_whole(&world);
	}
	assert_int_equal(flushes, 0);
	refuse_map = UINT64_MAX;
	for (uint32_t i = 0; i < KERNEL_STACK_CACHE + 3; i++)
		assert_int_equal(begin(&world), STATUS_OK);
	world_stop(&world);
	assert_int_equal(flushes, 3 + KERNEL_STACK_CACHE); /* three found the cache full, and then it was trimmed */
}

/* What the cache keeps is there for who would be refused otherwise. */
static void test_trim_gives(void **state)
{
	static frame_t taken[FRAMES];
	static struct world world;
	uint64_t count = 0;
	frame_t frame;

	(void)state;
	world_start(&world, FRAMES);
	for (uint32_t i = 0; i < KERNEL_STACK_CACHE; i++)
		assert_int_equal(begin(&world), STATUS_OK);
	while (frame_allocate(FRAME_HEAP, NULL, &frame) == STATUS_OK)
		taken[count++] = frame;
	assert_int_equal(begin(&world), STATUS_OUT_OF_MEMORY);
	end(&world, 0);
	assert_int_equal(frame_free_count(), 0);
	assert_int_equal(begin(&world), STATUS_OK); /* the cache's own */
	end(&world, 0);
	assert_int_equal(frame_allocate(FRAME_HEAP, NULL, &frame), STATUS_OUT_OF_MEMORY);
	assert_int_equal(kernel_stack_trim(), KERNEL_STACK_PAGES);
	assert_int_equal(frame_allocate(FRAME_HEAP, NULL, &taken[count++]), STATUS_OK);
	while (count > 0)
		frame_free(taken[--count], FRAME_HEAP, NULL);
	world_stop(&world);
}

/* Every slot is good for one stack, the lowest free one first; then it is OUT_OF_MEMORY though frames are left. */
static void test_all_slots(void **state)
{
	static struct world world;
	uint64_t top;

	(void)state;
	world_start(&world, KERNEL_STACK_SLOTS * KERNEL_STACK_PAGES + 1000);
	for (uint32_t i = 0; i < KERNEL_STACK_SLOTS; i++) {
		assert_int_equal(kernel_stack_create(&top), STATUS_OK);
		assert_int_equal(top, STACK_WINDOW_START + (i + 1) * KERNEL_STACK_SLOT_BYTES);
		world.top[world.live++] = top;
	}
	assert_true(frame_free_count() > KERNEL_STACK_PAGES);
	assert_int_equal(kernel_stack_create(&top), STATUS_OUT_OF_MEMORY);
	expect_whole(&world);
	for (uint32_t i = 0; i < KERNEL_STACK_SLOTS; i += 1000) {
		const uint64_t was = world.top[i];

		kernel_stack_destroy(was);
		(void)kernel_stack_trim();
		assert_int_equal(kernel_stack_create(&top), STATUS_OK);
		assert_int_equal(top, was);
	}
	world_stop(&world);
}

/*
 * So many stacks as the RAM is worth, between a least number and all, each in a table that was made at the start. Last,
 * since a limit is for good.
 */
static void test_limits(void **state)
{
	static const struct {
		uint64_t frames;
		uint32_t limit;
	} machines[] = { { KERNEL_STACK_SLOTS * 16 + 4096, KERNEL_STACK_SLOTS }, { 8192, 0 }, { 1000, 128 } };
	static struct world world;
	struct frame_statistics statistics;
	uint64_t top;

	(void)state;
	for (uint32_t i = 0; i < COUNT_OF(machines); i++) {
		world_start(&world, machines[i].frames);
		memset(tables, 0, sizeof(tables));
		frame_statistics_read(&statistics);
		making_tables = true;
		refuse_map = 1;
		assert_int_equal(kernel_stack_init(), STATUS_OUT_OF_MEMORY);
		refuse_map = UINT64_MAX;
		assert_int_equal(kernel_stack_init(), STATUS_OK);
		making_tables = false;
		expect_whole(&world);
		assert_int_equal(kernel_stack_limit(),
				 machines[i].limit != 0 ? machines[i].limit : statistics.total / 16);
		for (uint64_t page = 0; page < kernel_stack_limit() * SLOT_PAGES; page++)
			assert_int_not_equal(tables[page / PAGES_PER_2MIB], 0);
		world_stop(&world);
	}
	world_start(&world, FRAMES);
	for (uint32_t i = 0; i < kernel_stack_limit(); i++)
		assert_int_equal(begin(&world), STATUS_OK);
	assert_true(frame_free_count() > KERNEL_STACK_PAGES);
	assert_int_equal(kernel_stack_create(&top), STATUS_OUT_OF_MEMORY);
	expect_whole(&world);
	world_stop(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),     cmocka_unit_test(test_cache_saves), cmocka_unit_test(test_trim_gives),
		cmocka_unit_test(test_all_slots), cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
