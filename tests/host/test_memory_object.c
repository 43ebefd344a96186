/* links: kernel/mem/memory_object.c kernel/mem/borrowed.c kernel/mem/address_space.c kernel/mem/address_space_audit.c
   kernel/mem/anonymous.c kernel/mem/anonymous_image.c kernel/mem/demand.c kernel/mem/page_placement.c
   kernel/mem/page_walk.c kernel/mem/page_gap.c kernel/mem/heap.c kernel/mem/frame.c kernel/mem/shortage.c
   kernel/mem/account.c */
/* Memory objects: the life of holds, uses and mappings in every order, and where the frames are. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "abi/frame_allocator_abi.h"
#include "kernel/mem/anonymous.h"
#include "kernel/mem/borrowed.h"
#include "kernel/mem/heap.h"
#include "lib/check.h"
#include "tests/host/host_support.h"
#include "tests/host/machine.h"

#define FRAMES 8192u
#define READ_WRITE (PROTECTION_READ | PROTECTION_WRITE)
#define SPACES 2u

static const struct memory_window everything = { 0, MEMORY_OBJECT_MAX_PAGES, false };
static struct account account[SPACES];
static struct address_space space[SPACES];

static void begin(uint64_t frames)
{
	machine_start(frames);
	for (uint32_t i = 0; i < SPACES; i++) {
		machine_account(&account[i], UINT64_C(1) << 40);
		assert_int_equal(address_space_create(&space[i], &account[i], machine_kernel_root()), STATUS_OK);
		machine_load(i, &space[i]);
	}
}

static void destroy_space(uint32_t i)
{
	machine_load(i, NULL);
	address_space_destroy(&space[i]);
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		assert_int_equal(account[i].ledger.of[kind].used, 0);
}

static void end(void)
{
	for (uint32_t i = 0; i < SPACES; i++)
		destroy_space(i);
	assert_true(heap_is_valid());
	machine_stop();
}

static struct memory_object *create(uint64_t pages, uint64_t flags)
{
	struct memory_object *object = NULL;

	assert_int_equal(memory_object_create(pages, flags, &object), STATUS_OK);
	assert_true(memory_object_is_valid(object));
	return object;
}

static struct uaddr_range map(uint32_t which, struct memory_object *object, uint64_t first, uint64_t pages)
{
	struct placement placement = { 0, pages * PAGE_SIZE, false };
	struct uaddr_range range;

	assert_int_equal(borrowed_map(&space[which], object, &placement, first, READ_WRITE, &range), STATUS_OK);
	for (uint64_t page = 0; page < pages && page < 16; page++)
		machine_touch(&space[which], uaddr_to_u64(range.start) + page * PAGE_SIZE);
	return range;
}

static uint64_t frames_of_use(enum frame_use use)
{
	uint64_t counts[FRAME_USE_COUNT];

	frame_count_uses(counts);
	return counts[use];
}

/* ---- where the frames are ---- */

static const struct {
	uint64_t pages, index_frames;
} depths[] = { { 1, 0 }, { 2, 1 }, { 511, 1 }, { 512, 1 }, { 513, 3 }, { 1024, 3 }, { 1025, 4 }, { 5000, 11 } };

static void test_scattered(void **state)
{
	(void)state;
	begin(FRAMES);
	for (uint32_t i = 0; i < COUNT_OF(depths); i++) {
		static const uint8_t zeros[PAGE_SIZE];
		uint64_t pages = depths[i].pages;
		uint64_t free_before = frame_free_count();
		struct memory_object *object = create(pages, 0);
		uint64_t in_heap = frames_of_use(FRAME_HEAP);

		assert_int_equal(object->pages, pages);
		assert_int_equal(object->index_frames, depths[i].index_frames);
		assert_int_equal(memory_object_kernel_bytes(pages, 0),
				 sizeof(struct memory_object) + depths[i].index_frames * PAGE_SIZE);
		assert_int_equal(frames_of_use(FRAME_OBJECT), pages);
		assert_int_equal(frames_of_use(FRAME_OBJECT_INDEX), depths[i].index_frames);
		assert_int_equal(frame_free_count(), free_before - pages - depths[i].index_frames - in_heap);
		for (uint64_t page = 0; page < pages; page++) {
			frame_t frame = memory_object_frame(object, page);
			uint64_t *word = direct_map_of_frame(frame);

			assert_ptr_equal(memory_object_of_frame(frame), object);
			assert_memory_equal(word, zeros, PAGE_SIZE); /* and not met before */
			*word = page + 1;
		}
		memory_object_drop_hold(object);
		assert_int_equal(frame_free_count(), free_before);
	}
	end();
}

/* Three levels of index: more than 1 GiB of frames that nobody writes to. */
static void test_deepest(void **state)
{
	const uint64_t pages = UINT64_C(512) * 512 + 1;
	struct memory_object *object;
	struct uaddr_range range;

	(void)state;
	if (host_rounds(100) < 50)
		skip();
	begin(300000);
	object = create(pages, 0);
	assert_int_equal(object->index_frames, 513 + 2 + 1);
	assert_int_equal(frames_of_use(FRAME_OBJECT_INDEX), 513 + 2 + 1);
	assert_int_equal(frames_of_use(FRAME_OBJECT), pages);
	memory_object_use(object);
	range = map(0, object, pages - 700, 700);
	assert_true(memory_object_is_valid(object));
	memory_object_drop_hold(object);
	assert_int_equal(frames_of_use(FRAME_OBJECT), pages); /* the use keeps them */
	memory_object_end_use(object);
	assert_int_equal(frames_of_use(FRAME_OBJECT), 700);
	assert_int_equal(frames_of_use(FRAME_OBJECT_INDEX), 0);
	assert_true(memory_object_is_valid(object));
	assert_int_equal(uaddr_range_pages(range), 700);
	end();
}

static void test_contiguous(void **state)
{
	static const uint64_t flags[] = { FRAME_ALLOCATOR_CONTIGUOUS, FRAME_ALLOCATOR_ALIGN_2MIB,
					  FRAME_ALLOCATOR_CONTIGUOUS | FRAME_ALLOCATOR_ALIGN_2MIB };
	static const uint64_t pages[] = { 1, 3, 512, 700 };

	(void)state;
	begin(FRAMES);
	for (uint32_t i = 0; i < COUNT_OF(flags) * COUNT_OF(pages); i++) {
		uint64_t count = pages[i % COUNT_OF(pages)];
		uint64_t how = flags[i / COUNT_OF(pages)];
		struct memory_object *object = create(count, how);
		uint64_t first = frame_to_u64(memory_object_frame(object, 0));

		assert_int_equal(object->index_frames, 0);
		if ((how & FRAME_ALLOCATOR_ALIGN_2MIB) != 0)
			assert_int_equal(first % PAGES_PER_2MIB, 0);
		for (uint64_t page = 0; page < count; page++)
			assert_int_equal(frame_to_u64(memory_object_frame(object, page)), first + page);
		memory_object_drop_hold(object);
	}
	end();
}

static void test_refusals(void **state)
{
	struct memory_object *object;

	(void)state;
	begin(FRAMES);
	assert_int_equal(memory_object_create(0, 0, &object), STATUS_ZERO_LENGTH);
	assert_int_equal(memory_object_create(1, 4, &object), STATUS_UNSUPPORTED);
	assert_int_equal(memory_object_create(1, UINT64_MAX, &object), STATUS_UNSUPPORTED);
	assert_int_equal(memory_object_create(MEMORY_OBJECT_MAX_PAGES + 1, 0, &object), STATUS_TOO_LONG);
	assert_int_equal(memory_object_create(UINT64_MAX, 1, &object), STATUS_TOO_LONG);
	assert_int_equal(memory_object_create(MEMORY_OBJECT_MAX_PAGES, 0, &object), STATUS_OUT_OF_MEMORY);
	assert_int_equal(memory_object_create(FRAMES, 1, &object), STATUS_OUT_OF_MEMORY);
	assert_int_equal(memory_object_create(frame_free_count() - 1, 1, &object), STATUS_NO_CONTIGUOUS_RUN);
	for (uint64_t k = 0; k < 2; k++) { /* the frames, then the heap's */
		(void)machine_refuse_promise(k);
		assert_int_equal(memory_object_create(600, 0, &object), STATUS_OUT_OF_MEMORY);
		assert_true(machine_refuse_promise(UINT64_MAX));
		assert_int_equal(frames_of_use(FRAME_HEAP), 0);
	}
	end();
}

/* ---- lives ---- */

/* The last hold frees what nobody maps; the rest goes page by page. */
static void test_last_hold(void **state)
{
	struct memory_object *object;
	struct uaddr_range range;

	(void)state;
	begin(FRAMES);
	object = create(600, 0);
	memory_object_use(object);
	range = map(0, object, 500, 50);
	(void)map(0, object, 520, 10);
	(void)map(1, object, 540, 20);
	assert_int_equal(object->mappings, 80);
	memory_object_add_hold(object);
	memory_object_drop_hold(object);
	assert_int_equal(frames_of_use(FRAME_OBJECT), 600);
	memory_object_drop_hold(object);
	memory_object_end_use(object);
	assert_int_equal(frames_of_use(FRAME_OBJECT), 60); /* 500 .. 559 */
	assert_int_equal(frames_of_use(FRAME_OBJECT_INDEX), 0);
	assert_true(memory_object_is_valid(object));
	destroy_space(0);
	assert_int_equal(uaddr_range_pages(range), 50);
	assert_int_equal(frames_of_use(FRAME_OBJECT), 20);
	assert_true(memory_object_is_valid(object));
	destroy_space(1);
	assert_int_equal(frames_of_use(FRAME_OBJECT), 0);
	assert_int_equal(frames_of_use(FRAME_HEAP), 0);
	machine_stop();
}

/* What an event of an object's life may be. */
enum event {
	DROP_HOLD,
	UNMAP_FIRST,    /* by its holder */
	DESTROY_SECOND, /* a space that maps some */
	END_USE,
	EVENT_COUNT
};

/* One order of events: between any two, exactly what can be reached exists. */
static void live_through(const enum event order[EVENT_COUNT], uint64_t flags)
{
	bool done[EVENT_COUNT] = { false };
	struct memory_object *object;
	struct uaddr_range first;

	begin(FRAMES);
	object = create(30, flags);
	memory_object_use(object);
	first = map(0, object, 5, 10);
	(void)map(1, object, 10, 10);
	for (uint32_t i = 0; i < EVENT_COUNT; i++) {
		uint64_t mapped;

		if (order[i] == DROP_HOLD)
			memory_object_drop_hold(object);
		else if (order[i] == END_USE)
			memory_object_end_use(object);
		else if (order[i] == DESTROY_SECOND)
			destroy_space(1);
		else if (done[DROP_HOLD] && done[END_USE]) /* no holder is left: only the end of the space can do it */
			destroy_space(0);
		else
			assert_int_equal(borrowed_unmap(&space[0], object, &everything, first), STATUS_OK);
		done[order[i]] = true;
		assert_true(machine_translations_hold());
		mapped = 15; /* two mappings of 10 that share 5 */
		if (done[UNMAP_FIRST] || done[DESTROY_SECOND])
			mapped = done[UNMAP_FIRST] && done[DESTROY_SECOND] ? 0 : 10;
		assert_int_equal(frames_of_use(FRAME_OBJECT), done[DROP_HOLD] && done[END_USE] ? mapped : 30);
		if (i + 1 < EVENT_COUNT)
			assert_true(memory_object_is_valid(object));
	}
	assert_int_equal(frames_of_use(FRAME_HEAP), 0);
	if (space[0].account->ledger.of[LEDGER_PAGE_TABLE].used != 0)
		destroy_space(0);
	machine_stop();
}

static void test_every_order(void **state)
{
	(void)state;
	for (uint32_t code = 0; code < 256; code++) {
		enum event order[EVENT_COUNT];
		uint32_t seen = 0;

		for (uint32_t i = 0; i < EVENT_COUNT; i++) {
			order[i] = (enum event)(code >> 2 * i & 3);
			seen |= 1u << order[i];
		}
		if (seen != 15)
			continue;
		live_through(order, 0);
		live_through(order, FRAME_ALLOCATOR_CONTIGUOUS);
	}
}

/* Two spaces see each other's bytes; each has its own protection; what one unmaps the other keeps. */
static void test_shared(void **state)
{
	struct memory_object *object;
	struct uaddr_range range[SPACES];
	unsigned level;
	pte_t entry[SPACES];

	(void)state;
	begin(FRAMES);
	object = create(20, 0);
	memory_object_use(object);
	for (uint32_t i = 0; i < SPACES; i++)
		range[i] = map(i, object, 0, 20);
	assert_int_equal(borrowed_protect(&space[1], object, &everything, range[1], PROTECTION_READ), STATUS_OK);
	assert_true(machine_translations_hold());
	for (uint32_t i = 0; i < SPACES; i++)
		entry[i] = address_space_entry(&space[i], uaddr_to_u64(range[i].start) + 7 * PAGE_SIZE, &level);
	assert_true(frame_equal(pte_frame(entry[0]), pte_frame(entry[1])));
	assert_int_equal(pte_protection(entry[0]), READ_WRITE);
	assert_int_equal(pte_protection(entry[1]), PROTECTION_READ);
	assert_int_equal(account[0].ledger.of[LEDGER_FRAME_GRANT].used, 20);
	assert_int_equal(account[1].ledger.of[LEDGER_FRAME_GRANT].used, 20);
	assert_int_equal(borrowed_unmap(&space[0], object, &everything, range[0]), STATUS_OK);
	assert_int_equal(account[0].ledger.of[LEDGER_FRAME_GRANT].used, 0);
	assert_int_equal(object->mappings, 20);
	assert_true(address_space_is_valid(&space[1], machine_kernel_root()));
	memory_object_drop_hold(object);
	memory_object_end_use(object);
	end();
}

/* ---- steps ---- */

#define LARGE (3 * UINT64_C(512) + 5)

static struct memory_object *watched;
static uint32_t windows, ends_at; /* how many were opened; at which one a space ends */

static void look_at_lock(void)
{
	assert_false(spinlock_is_held(&watched->lock));
	windows++;
}

/* Others get the lock after each leaf table that is mapped or unmapped. */
static void test_lock_between_steps(void **state)
{
	const uint64_t flags[] = { 0, FRAME_ALLOCATOR_CONTIGUOUS };

	(void)state;
	for (uint32_t i = 0; i < COUNT_OF(flags); i++) {
		struct uaddr_range range;

		begin(FRAMES);
		watched = create(LARGE, flags[i]);
		memory_object_use(watched);
		windows = 0;
		machine_on_window(look_at_lock);
		range = map(0, watched, 0, LARGE);
		assert_true(windows >= LARGE / 512);
		windows = 0;
		assert_int_equal(borrowed_unmap(&space[0], watched, &everything, range), STATUS_OK);
		assert_true(windows >= LARGE / 512);
		machine_on_window(NULL);
		assert_int_equal(watched->mappings, 0);
		memory_object_drop_hold(watched);
		memory_object_end_use(watched);
		end();
	}
}

static void end_a_space(void)
{
	look_at_lock();
	if (windows != ends_at)
		return;
	machine_on_window(NULL);
	destroy_space(0);
	machine_on_window(end_a_space);
}

/*
 * The frames of an object go in steps, and between two of them a space ends that maps all of it: what the steps have
 * passed goes with the mapping, the rest with the steps. Another space keeps its pages.
 */
static void end_between_steps(uint32_t window, uint64_t flags)
{
	begin(FRAMES);
	watched = create(LARGE, flags);
	memory_object_use(watched);
	(void)map(0, watched, 0, LARGE);
	(void)map(1, watched, 510, 5);
	memory_object_drop_hold(watched);
	assert_int_equal(frames_of_use(FRAME_OBJECT), LARGE);
	windows = 0;
	ends_at = window;
	machine_on_window(end_a_space);
	memory_object_end_use(watched);
	machine_on_window(NULL);
	assert_true(windows >= window);
	assert_int_equal(frames_of_use(FRAME_OBJECT), 5);
	assert_int_equal(frames_of_use(FRAME_OBJECT_INDEX), 0);
	assert_true(memory_object_is_valid(watched));
	destroy_space(1);
	assert_int_equal(frames_of_use(FRAME_OBJECT), 0);
	assert_true(heap_is_valid());
	machine_stop();
}

static void test_end_between_steps(void **state)
{
	(void)state;
	for (uint32_t window = 1; window <= 4; window++) {
		end_between_steps(window, 0);
		end_between_steps(window, FRAME_ALLOCATOR_CONTIGUOUS);
	}
}

/* What is not this object's may not be changed as if it were. */
static void test_other_objects(void **state)
{
	struct placement beyond = { 0, 2 * PAGE_SIZE, false };
	struct memory_object *one;
	struct memory_object *two;
	struct uaddr_range range;
	struct uaddr_range both;

	(void)state;
	begin(FRAMES);
	one = create(4, 0);
	two = create(4, 0);
	memory_object_use(one);
	memory_object_use(two);
	assert_int_equal(borrowed_map(&space[0], one, &beyond, 3, READ_WRITE, &range), STATUS_BEYOND_OBJECT);
	assert_int_equal(borrowed_map(&space[0], one, &beyond, 4, READ_WRITE, &range), STATUS_BEYOND_OBJECT);
	assert_int_equal(borrowed_map(&space[0], one, &beyond, UINT64_MAX, READ_WRITE, &range), STATUS_BEYOND_OBJECT);
	both = map(0, one, 0, 4);
	range = map(0, two, 0, 4);
	assert_int_equal(uaddr_to_u64(range.end), uaddr_to_u64(both.start)); /* side by side */
	both.start = range.start;
	assert_int_equal(borrowed_unmap(&space[0], two, &everything, both), STATUS_OTHER_OBJECT);
	assert_int_equal(borrowed_protect(&space[0], one, &everything, both, PROTECTION_READ), STATUS_OTHER_OBJECT);
	assert_int_equal(anonymous_unmap(&space[0], range), STATUS_NOT_RESERVED);
	assert_int_equal(anonymous_protect(&space[0], range, PROTECTION_READ), STATUS_NOT_RESERVED);
	range.start = uaddr_from_u64(uaddr_to_u64(range.start) - PAGE_SIZE);
	assert_int_equal(borrowed_unmap(&space[0], two, &everything, range), STATUS_NOT_BORROWED);
	assert_int_equal(one->mappings + two->mappings, 8);
	memory_object_drop_hold(one);
	memory_object_drop_hold(two);
	memory_object_end_use(one);
	memory_object_end_use(two);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scattered),
		cmocka_unit_test(test_deepest),
		cmocka_unit_test(test_contiguous),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_last_hold),
		cmocka_unit_test(test_every_order),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_other_objects),
		cmocka_unit_test(test_lock_between_steps),
		cmocka_unit_test(test_end_between_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
