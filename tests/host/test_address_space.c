/* links: kernel/mem/address_space.c kernel/mem/anonymous.c kernel/mem/anonymous_image.c kernel/mem/demand.c
   kernel/mem/heap_break.c kernel/mem/page_placement.c kernel/mem/borrowed.c kernel/mem/page_walk.c
   kernel/mem/page_gap.c kernel/mem/memory_object.c kernel/mem/heap.c kernel/mem/frame.c kernel/mem/shortage.c
   kernel/mem/account.c */
/* An address space against the plain model: random operations, every answer, ledger, page and byte compared. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "kernel/mem/anonymous.h"
#include "kernel/mem/borrowed.h"
#include "kernel/mem/demand.h"
#include "kernel/mem/heap_break.h"
#include "kernel/mem/page_walk.h"
#include "lib/check.h"
#include "lib/status.h"
#include "tests/host/host_support.h"
#include "tests/host/machine.h"
#include "tests/host/space_twin.h"

#define FRAMES 6000u
#define OBJECTS 3u
#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)

#define STACK_END (100 * TIB + 350 * PAGE_SIZE)
#define STACK_PAGES 600u
#define GUARD_PAGES 100u
#define HEAP_START GIB
#define HEAP_BYTES (40 * MIB)

static struct space_twin twin;
static struct memory_object *object[OBJECTS];
static struct host_random random_source;
static uint64_t next_tag = 1;

static const uint32_t protections[] = { PROTECTION_NONE, PROTECTION_READ, PROTECTION_READ | PROTECTION_WRITE,
					PROTECTION_READ | PROTECTION_EXECUTE };

static uint64_t below(uint64_t limit)
{
	return host_random_below(&random_source, limit);
}

static bool once_in(uint64_t times)
{
	return host_random_once_in(&random_source, times);
}

static uint32_t any_protection(void)
{
	return protections[below(4)];
}

/* ---- random ranges ---- */

static uint64_t any_edge(void)
{
	static const uint64_t edges[] = {
		0,          USER_START,        BOOTSTRAP_START,   BOOTSTRAP_END, 64 * MIB, 66 * MIB,
		GIB,        2 * GIB,           512 * GIB,         TIB,           8 * TIB,  ADDRESS_SPACE_MAP_TOP,
		USER_LIMIT, UINT64_C(1) << 47, UINT64_MAX - 4095,
	};
	const struct model_run *run = &twin.model.run[below(twin.model.count)];

	if (once_in(3))
		return edges[below(sizeof(edges) / sizeof(edges[0]))];
	return once_in(2) ? run->start : run->end;
}

static uint64_t any_length(void)
{
	switch (below(40)) {
	case 0:
		return (1 + below(8)) * GIB;
	case 1:
		return (1 + below(8)) * 2 * MIB;
	case 2:
		return below(64 * MIB) & ~(PAGE_SIZE - 1);
	case 3:
		return once_in(8) ? below(128 * TIB) & ~(PAGE_SIZE - 1) : 512 * GIB * below(4);
	case 4:
		return host_random_u64(&random_source) >> below(64);
	case 5:
	case 6:
		return below(1200) * PAGE_SIZE;
	default:
		return (1 + below(12)) * PAGE_SIZE;
	}
}

static uint64_t any_address(void)
{
	uint64_t address = any_edge();

	if (once_in(2))
		address += (below(16) - 8) * PAGE_SIZE;
	if (once_in(50))
		address += below(PAGE_SIZE);
	return address;
}

static struct placement any_placement(void)
{
	struct placement placement = { .length = any_length() };

	if (!once_in(4))
		placement.hint = any_address();
	placement.fixed = placement.hint != 0 && once_in(2);
	return placement;
}

/* A range as a caller may pass it on: often the whole or a part of one run. */
static bool any_range(struct model_range *range)
{
	const struct model_run *run = &twin.model.run[below(twin.model.count)];
	struct uaddr_range checked;

	*range = (struct model_range){ .start = run->start, .end = run->end };
	if (!once_in(4) && run->kind != PAGE_EMPTY) {
		uint64_t pages = (run->end - run->start) >> PAGE_SHIFT;

		if (!once_in(4)) {
			range->start += below(pages < 4000 ? pages : 4000) * PAGE_SIZE;
			range->end = range->start + (1 + below(once_in(4) ? 800 : 8)) * PAGE_SIZE;
		}
	} else {
		range->start = any_address();
		range->end = range->start + any_length();
	}
	range->protection = any_protection();
	range->tag = next_tag;
	return range->end > range->start &&
	       uaddr_range_of_pages(range->start, range->end - range->start, &checked) == STATUS_OK;
}

static struct uaddr_range kernel_range(const struct model_range *range)
{
	return (struct uaddr_range){ uaddr_from_u64(range->start), uaddr_from_u64(range->end) };
}

/* Let CPUs see translations in and around the range before it changes. */
static void touch_around(uint64_t start, uint64_t end)
{
	for (uint32_t i = 0; i < 4; i++) {
		uint64_t address = start + below(end - start + 1);

		if (once_in(4))
			address = start - PAGE_SIZE;
		if (address >= USER_START && address < USER_LIMIT)
			machine_touch(&twin.space, address);
	}
}

/* ---- operations ---- */

static uint64_t met[256]; /* how often each status was the answer */

static void assert_status(enum status status, enum status expected)
{
	assert_int_equal(status, expected);
	met[status]++;
}

static void create_something(void)
{
	struct placement placement = any_placement();
	struct placement settled = space_model_settle(&twin.model, &twin.space, &placement);
	uint32_t protection = any_protection();
	struct uaddr_range range;
	uint64_t tag = ++next_tag;
	enum status expected;
	enum status status;
	uint64_t start;

	switch (below(4)) {
	case 0:
	case 1:
		expected = space_model_reserve(&twin.model, &settled, &start);
		status = anonymous_reserve(&twin.space, &placement, &range);
		break;
	case 2:
		expected = space_model_map_lazy(&twin.model, &settled, protection, &start);
		status = anonymous_map_lazy(&twin.space, &placement, protection, &range);
		break;
	default:
		expected = space_model_map(&twin.model, &settled, protection, tag, &start);
		status = anonymous_map(&twin.space, &placement, protection, &range);
		break;
	}
	assert_status(status, expected);
	if (status != STATUS_OK)
		return;
	assert_int_equal(uaddr_to_u64(range.start), start);
	assert_int_equal(uaddr_range_bytes(range), placement.length);
	if (space_model_at(&twin.model, start)->kind == PAGE_ANONYMOUS)
		space_twin_tag(&twin, start, start + placement.length, tag);
}

static void borrow_something(void)
{
	uint32_t which = (uint32_t)below(OBJECTS);
	struct model_run source = { .tag = UINT64_MAX - which, .page = below(object[which]->pages + 2) };
	struct placement placement = any_placement();
	uint32_t protection = any_protection();
	struct uaddr_range range;
	enum status expected;
	enum status status;
	uint64_t pages;
	uint64_t start;

	expected = page_count_of_length(placement.length, &pages);
	if (expected == STATUS_OK && source.page + pages > object[which]->pages)
		expected = STATUS_BEYOND_OBJECT;
	if (expected == STATUS_OK) {
		struct placement settled = space_model_settle(&twin.model, &twin.space, &placement);

		expected = space_model_borrow(&twin.model, &settled, protection, &source, &start);
	}
	status = borrowed_map(&twin.space, object[which], &placement, source.page, protection, &range);
	assert_status(status, expected);
	if (status == STATUS_OK)
		assert_int_equal(uaddr_to_u64(range.start), start);
}

/* Pages that the loader makes; rarely, since only the end takes them away. */
static void load_something(void)
{
	struct model_run new = { .kind = PAGE_IMAGE, .protection = any_protection(), .tag = ++next_tag };
	struct uaddr_range range;
	enum status expected;

	new.start = (any_edge() & ~(PAGE_SIZE - 1)) + below(1000) * PAGE_SIZE;
	new.end = new.start + (1 + below(4)) * PAGE_SIZE;
	if (once_in(4)) {
		new.kind = PAGE_BOOTSTRAP;
		new.start = BOOTSTRAP_START + below(250) * PAGE_SIZE;
		new.end = new.start + PAGE_SIZE;
	} else if (uaddr_range_of_pages(new.start, new.end - new.start, &range) != STATUS_OK) {
		return;
	}
	range = (struct uaddr_range){ uaddr_from_u64(new.start), uaddr_from_u64(new.end) };
	if (once_in(3) && new.kind == PAGE_IMAGE) {
		new.kind = PAGE_LAZY;
		new.is_image = true;
		new.tag = 0;
		expected = space_model_image(&twin.model, &new);
		assert_status(anonymous_map_image_lazy(&twin.space, range, new.protection), expected);
		return;
	}
	if (once_in(3) && new.kind == PAGE_IMAGE) {
		assert_status(anonymous_map_guard(&twin.space, range),
			      space_model_guard(&twin.model, new.start, new.end));
		return;
	}
	expected = space_model_image(&twin.model, &new);
	assert_status(anonymous_map_image(&twin.space, range, new.kind, new.protection), expected);
	if (expected == STATUS_OK)
		space_twin_tag(&twin, new.start, new.end, new.tag);
}

static void change_own(const struct model_range *range)
{
	struct uaddr_range kernel = kernel_range(range);
	enum status expected;
	enum status status;

	switch (below(5)) {
	case 0:
		expected = space_model_commit(&twin.model, range);
		status = anonymous_commit(&twin.space, kernel, range->protection);
		break;
	case 1:
		expected = space_model_commit_lazy(&twin.model, range);
		status = anonymous_commit_lazy(&twin.space, kernel, range->protection);
		break;
	case 2:
		expected = space_model_decommit(&twin.model, range);
		status = anonymous_decommit(&twin.space, kernel);
		break;
	case 3:
		expected = space_model_protect(&twin.model, range);
		status = anonymous_protect(&twin.space, kernel, range->protection);
		if (expected == STATUS_NOT_RESERVED && status == STATUS_NOT_COMMITTED)
			expected = status; /* both may be true; which is met first is not promised */
		break;
	default:
		expected = space_model_unmap(&twin.model, range);
		status = anonymous_unmap(&twin.space, kernel);
		break;
	}
	assert_status(status, expected);
	if (status == STATUS_OK)
		space_twin_tag(&twin, range->start, range->end, range->tag);
}

/* The program touches a page, or the kernel some for it: where they are lazy, in the stack, or anywhere. */
static void touch_something(void)
{
	static const uint32_t needed[] = { PROTECTION_READ, PROTECTION_WRITE, PROTECTION_EXECUTE };
	struct model_range range;
	enum status expected;

	if (!any_range(&range))
		return;
	range.tag = ++next_tag;
	if (once_in(8))
		range.start = STACK_END - below(STACK_PAGES + GUARD_PAGES + 2) * PAGE_SIZE;
	range.end = range.start + (once_in(2) ? 1 : 1 + below(20)) * PAGE_SIZE;
	range.protection = needed[below(3)];
	if (range.end > USER_LIMIT)
		return;
	expected = space_model_touch(&twin.model, &range);
	if (range.end - range.start == PAGE_SIZE) {
		bool in_guard = uaddr_range_contains(twin.space.areas.guard, uaddr_from_u64(range.start));

		if (expected == STATUS_BUFFER_FAULT && in_guard)
			expected = STATUS_STACK_OVERFLOW;
		assert_status(address_space_touch(&twin.space, range.start + below(PAGE_SIZE), range.protection),
			      expected);
	} else {
		struct uaddr_range kernel = kernel_range(&range);

		address_space_lock(&twin.space, kernel);
		assert_status(demand_supply(&twin.space, kernel, range.protection), expected);
		address_space_unlock(&twin.space, kernel);
	}
	if (expected == STATUS_OK)
		space_twin_tag(&twin, range.start, range.end, range.tag);
}

static void move_break(void)
{
	uint64_t start = uaddr_to_u64(twin.space.areas.heap.start);
	uint64_t address = start + below(once_in(8) ? 4 * HEAP_BYTES : HEAP_BYTES / 20);
	uint64_t at = 1;
	enum status expected;

	if (once_in(8))
		address = once_in(2) ? 0 : start - below(3);
	expected = space_model_break(&twin.model, address);
	assert_status(heap_break_move(&twin.space, address, &at), expected);
	if (expected == STATUS_OK)
		assert_int_equal(at, twin.model.heap_break);
}

static void change_borrowed(struct model_range *range)
{
	static const struct memory_window everything = { 0, MEMORY_OBJECT_MAX_PAGES, false };
	uint32_t which = (uint32_t)below(OBJECTS);
	const struct model_run *run = space_model_at(&twin.model, range->start);

	if (run->kind == PAGE_BORROWED && !once_in(8))
		which = (uint32_t)(UINT64_MAX - run->tag);
	range->tag = UINT64_MAX - which;
	if (once_in(2)) {
		enum status expected = space_model_return(&twin.model, range);

		assert_status(borrowed_unmap(&twin.space, object[which], &everything, kernel_range(range)), expected);
	} else {
		enum status expected = space_model_protect_borrowed(&twin.model, range);
		struct uaddr_range pages = kernel_range(range);

		assert_status(borrowed_protect(&twin.space, object[which], &everything, pages, range->protection),
			      expected);
	}
}

static void change_something(void)
{
	struct model_range range;

	next_tag++;
	if (!any_range(&range))
		return;
	touch_around(range.start, range.end);
	if (space_model_at(&twin.model, range.start)->kind == PAGE_BORROWED || once_in(20))
		change_borrowed(&range);
	else
		change_own(&range);
}

static void set_limits(void)
{
	static const uint64_t tight[LEDGER_COUNT] = { 100000, 2000, 6, 60, 0, 0 };
	static const uint64_t wide[LEDGER_COUNT] = { UINT64_C(1) << 36, 100000, 400, 100000, 0, 0 };

	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++) {
		uint64_t limit = once_in(3) ? tight[kind] : wide[kind];

		if (limit < twin.model.ledger[kind].used)
			limit = twin.model.ledger[kind].used;
		machine_set_limit(&twin.account, (enum ledger_kind)kind, limit);
		twin.model.ledger[kind] = twin.account.ledger.of[kind];
	}
}

/* ---- the tests ---- */

static void create_objects(void)
{
	static const uint64_t pages[OBJECTS] = { 1, 40, 600 };

	for (uint32_t i = 0; i < OBJECTS; i++) {
		assert_int_equal(memory_object_create(pages[i], i == 1 ? 1 : 0, &object[i]), STATUS_OK);
		memory_object_use(object[i]);
		for (uint64_t page = 0; page < pages[i]; page++) {
			uint64_t *words = direct_map_of_frame(memory_object_frame(object[i], page));

			words[0] = words[511] = space_twin_word(UINT64_MAX - i, page);
		}
	}
}

static void drop_objects(void)
{
	for (uint32_t i = 0; i < OBJECTS; i++) {
		memory_object_drop_hold(object[i]);
		memory_object_end_use(object[i]);
	}
}

/*
 * Half of the spaces have areas: a stack over a 1 GiB boundary that has no whole 2 MiB of guard, a heap, and a place
 * for mappings that begins at either end and is sometimes narrow.
 */
static void set_areas(void)
{
	struct space_areas areas = {
		.map = uaddr_range_make(once_in(2) ? USER_START : 21 * TIB, STACK_END - 8 * GIB),
		.map_upward = once_in(2),
		.heap = uaddr_range_make(HEAP_START, HEAP_START + HEAP_BYTES),
		.stack = uaddr_range_make(STACK_END - STACK_PAGES * PAGE_SIZE, STACK_END),
	};
	uint64_t committed = 1 + below(8);

	areas.guard.end = areas.stack.start;
	areas.guard.start = uaddr_from_u64(uaddr_to_u64(areas.guard.end) - GUARD_PAGES * PAGE_SIZE);
	if (once_in(4))
		areas.map.end = uaddr_from_u64(uaddr_to_u64(areas.map.start) + (1 + below(64)) * MIB);
	address_space_set_areas(&twin.space, &areas);
	space_model_set_areas(&twin.model, &areas);
	assert_int_equal(anonymous_map_stack(&twin.space, &areas, committed), STATUS_OK);
	assert_int_equal(
		space_model_guard(&twin.model, uaddr_to_u64(areas.guard.start), STACK_END - committed * PAGE_SIZE),
		STATUS_OK);
	assert_int_equal(
		space_model_image(&twin.model, &(struct model_run){ .start = STACK_END - committed * PAGE_SIZE,
								    .end = STACK_END,
								    .kind = PAGE_IMAGE,
								    .protection = PROTECTION_READ | PROTECTION_WRITE,
								    .tag = ++next_tag }),
		STATUS_OK);
	space_twin_tag(&twin, STACK_END - committed * PAGE_SIZE, STACK_END, next_tag);
}

static void begin(void)
{
	machine_start(FRAMES);
	machine_account(&twin.account, UINT64_C(1) << 36);
	create_objects();
	assert_int_equal(address_space_create(&twin.space, &twin.account, machine_kernel_root()), STATUS_OK);
	space_model_init(&twin.model, UINT64_C(1) << 36, frame_free_count());
	if (once_in(2))
		set_areas();
	machine_load(0, &twin.space);
	machine_load(2, &twin.space);
}

static void end(void)
{
	machine_load(0, NULL);
	machine_load(2, NULL);
	address_space_destroy(&twin.space);
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		assert_int_equal(twin.account.ledger.of[kind].used, 0);
	drop_objects();
	machine_stop();
}

static void compare_all(void)
{
	space_twin_compare(&twin);
	for (uint32_t i = 0; i < OBJECTS; i++)
		assert_true(memory_object_is_valid(object[i]));
}

static void run_operations(uint64_t rounds)
{
	for (uint64_t i = 0; i < rounds; i++) {
		uint64_t choice = below(1000);

		machine_run_on((uint32_t)below(MACHINE_CPUS));
		if (choice < 250)
			create_something();
		else if (choice < 350)
			borrow_something();
		else if (choice < 353)
			load_something();
		else if (choice < 370)
			move_break();
		else if (choice < 500)
			touch_something();
		else
			change_something();
		space_twin_compare_numbers(&twin);
		space_twin_compare_query(&twin, any_edge());
		if (i % 256 == 0)
			compare_all();
		if (i % 4096 == 0)
			space_twin_compare_listing(&twin);
		if (i % 1024 == 0)
			set_limits();
	}
	compare_all();
}

/* A run of some length meets every answer there is. */
static void check_met(void)
{
	static const enum status answers[] = {
		STATUS_OK,
		STATUS_ZERO_LENGTH,
		STATUS_MISALIGNED,
		STATUS_RANGE_WRAPS,
		STATUS_BOOTSTRAP_RANGE,
		STATUS_NOT_USER_ADDRESS,
		STATUS_NOT_RESERVED,
		STATUS_NOT_COMMITTED,
		STATUS_OCCUPIED,
		STATUS_NO_SPACE,
		STATUS_NOT_BORROWED,
		STATUS_OTHER_OBJECT,
		STATUS_OVER_IMAGE,
		STATUS_BEYOND_OBJECT,
		STATUS_OVER_VIRTUAL_RESERVATION,
		STATUS_OUT_OF_MEMORY,
		STATUS_OVER_PAGE_TABLE,
		STATUS_OVER_FRAME_GRANT,
		STATUS_BUFFER_FAULT,
		STATUS_STACK_OVERFLOW,
		STATUS_HEAP_MEETS_MAPPING,
		STATUS_BAD_ARGUMENT,
		STATUS_UNSUPPORTED,
	};

	for (uint32_t i = 0; i < COUNT_OF(answers); i++) {
		print_message("%s: %u\n", status_name(answers[i]), (unsigned)met[answers[i]]);
		assert_true(met[answers[i]] > 0 || host_rounds(100) < 100);
	}
}

/* Many short lives, so that image and guard pages do not pile up, and each ends in a destroy of something full. */
static void test_against_model(void **state)
{
	const uint64_t lives = 50;

	(void)state;
	host_random_init(&random_source, __func__, 1);
	for (uint64_t i = 0; i < lives; i++) {
		begin();
		run_operations(host_rounds(800000 / lives));
		end();
	}
	check_met();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_against_model) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
