/* links: kernel/mem/address_space.c kernel/mem/address_space_audit.c kernel/mem/anonymous.c
   kernel/mem/anonymous_image.c kernel/mem/demand.c kernel/mem/heap_break.c kernel/mem/page_placement.c
   kernel/mem/borrowed.c kernel/mem/page_walk.c kernel/mem/page_gap.c kernel/mem/memory_object.c kernel/mem/heap.c
   kernel/mem/frame.c kernel/mem/shortage.c kernel/mem/account.c */
/* Each operation, refused at each point where something can run out: nothing may have changed. */
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
#include "kernel/mem/heap.h"
#include "kernel/mem/heap_break.h"
#include "kernel/mem/page_walk.h"
#include "lib/check.h"
#include "tests/host/host_support.h"
#include "tests/host/machine.h"
#include "tests/host/space_snapshot.h"
#include "tests/host/sweep.h"

#define FRAMES 8192u
#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define TIB (UINT64_C(1) << 40)
#define READ_WRITE (PROTECTION_READ | PROTECTION_WRITE)

/* Places of the scene. */
#define HUGE (4 * TIB)          /* 1 TiB reserved, with one hole */
#define MAPPED (64 * GIB - MIB) /* 600 pages, over a 1 GiB boundary */
#define PATCHY (8 * GIB)        /* 1200 pages reserved, every third committed */
#define BORROWED (96 * GIB - 20 * PAGE_SIZE)
#define IMAGE UINT64_C(0x400000)
#define LAZY (10 * GIB - 300 * PAGE_SIZE) /* 1000 pages lazy, of which every 7th has been touched */
#define HEAP (16 * GIB)
#define HEAP_PAGES 5000u
#define STACK_END UINT64_C(0x7fffffff0000)
#define STACK_PAGES 1800u
#define GUARD_PAGES 20u
#define FREE (7 * TIB - 4 * PAGE_SIZE) /* nothing around it */

static const struct memory_window everything = { 0, MEMORY_OBJECT_MAX_PAGES, false };
static struct account account;
static struct address_space space;
static struct memory_object *object;

/* ---- the scene ---- */

static struct uaddr_range pages_at(uint64_t start, uint64_t pages)
{
	return (struct uaddr_range){ uaddr_from_u64(start), uaddr_from_u64(start + pages * PAGE_SIZE) };
}

static enum status reserve_at(uint64_t start, uint64_t pages)
{
	struct uaddr_range range;

	return anonymous_reserve(&space, &(struct placement){ start, pages * PAGE_SIZE, start != 0 }, &range);
}

static enum status map_at(uint64_t start, uint64_t pages)
{
	struct uaddr_range range;

	return anonymous_map(&space, &(struct placement){ start, pages * PAGE_SIZE, start != 0 }, READ_WRITE, &range);
}

static enum status borrow_at(uint64_t start, uint64_t pages)
{
	struct uaddr_range range;

	return borrowed_map(&space, object, &(struct placement){ start, pages * PAGE_SIZE, start != 0 }, 0, READ_WRITE,
			    &range);
}

static enum status map_lazy_at(uint64_t start, uint64_t pages)
{
	struct placement placement = { start, pages * PAGE_SIZE, start != 0 };
	struct uaddr_range range;

	return anonymous_map_lazy(&space, &placement, READ_WRITE, &range);
}

static enum status touch(uint64_t address)
{
	return address_space_touch(&space, address, PROTECTION_WRITE);
}

static enum status set_break(uint64_t address)
{
	uint64_t at;

	return heap_break_move(&space, address, &at);
}

/* A stack with two pages, and a heap of 1500 pages, all of it lazy but for a reserved 2 MiB span. */
static void make_areas(void)
{
	struct space_areas areas = {
		.map = uaddr_range_make(USER_START, ADDRESS_SPACE_MAP_TOP),
		.heap = pages_at(HEAP, HEAP_PAGES),
		.stack = pages_at(STACK_END - STACK_PAGES * PAGE_SIZE, STACK_PAGES),
		.guard = pages_at(STACK_END - (STACK_PAGES + GUARD_PAGES) * PAGE_SIZE, GUARD_PAGES),
	};

	address_space_set_areas(&space, &areas);
	assert_int_equal(anonymous_map_stack(&space, &areas, 2), STATUS_OK);
	assert_int_equal(set_break(HEAP + 1500 * PAGE_SIZE - 17), STATUS_OK);
	assert_int_equal(anonymous_decommit(&space, pages_at(HEAP + 512 * PAGE_SIZE, 512)), STATUS_OK);
}

static void make_scene(void)
{
	machine_start(FRAMES);
	machine_account(&account, UINT64_C(1) << 40);
	assert_int_equal(memory_object_create(700, 0, &object), STATUS_OK);
	memory_object_use(object);
	assert_int_equal(address_space_create(&space, &account, machine_kernel_root()), STATUS_OK);
	assert_int_equal(reserve_at(HUGE, TIB / PAGE_SIZE), STATUS_OK);
	assert_int_equal(anonymous_unmap(&space, pages_at(HUGE + 3 * GIB, 1)), STATUS_OK);
	assert_int_equal(map_at(MAPPED, 600), STATUS_OK);
	assert_int_equal(reserve_at(PATCHY, 1200), STATUS_OK);
	for (uint64_t page = 0; page < 1200; page += 3)
		assert_int_equal(anonymous_commit(&space, pages_at(PATCHY + page * PAGE_SIZE, 1), READ_WRITE),
				 STATUS_OK);
	assert_int_equal(borrow_at(BORROWED, 40), STATUS_OK);
	make_areas();
	assert_int_equal(map_lazy_at(LAZY, 1000), STATUS_OK);
	for (uint64_t page = 0; page < 1000; page += 7)
		assert_int_equal(touch(LAZY + page * PAGE_SIZE), STATUS_OK);
	assert_int_equal(anonymous_map_image(&space, pages_at(IMAGE, 5), PAGE_IMAGE, PROTECTION_READ), STATUS_OK);
	for (uint32_t cpu = 0; cpu < MACHINE_CPUS; cpu++)
		machine_load(cpu, &space);
}

static void end_scene(void)
{
	assert_true(address_space_is_valid(&space, machine_kernel_root()));
	assert_true(memory_object_is_valid(object));
	assert_true(frame_is_valid());
	assert_true(heap_is_valid());
	for (uint32_t cpu = 0; cpu < MACHINE_CPUS; cpu++)
		machine_load(cpu, NULL);
	address_space_destroy(&space);
	memory_object_drop_hold(object);
	memory_object_end_use(object);
	machine_stop();
}

/* ---- before and after ---- */

static struct space_snapshot old_state;
static uint64_t old_mappings;

static void remember(void *operation)
{
	(void)operation;
	space_snapshot_take(&old_state, &space);
	old_mappings = object->mappings;
}

static bool is_unchanged(void *operation)
{
	(void)operation;
	space_snapshot_assert_equal(&old_state, &space);
	assert_int_equal(object->mappings, old_mappings);
	return true; /* what differs has been said */
}

/* ---- the operations ---- */

static enum status reserve_anywhere(void)
{
	return reserve_at(0, 1);
}

static enum status reserve_odd(void) /* over a 512 GiB boundary, with odd ends */
{
	return reserve_at(FREE, 8 * GIB / PAGE_SIZE + 7);
}

static enum status map_anywhere(void)
{
	return map_at(0, 600);
}

static enum status map_over_boundary(void)
{
	return map_at(FREE, 9);
}

static enum status map_beside_reserved(void) /* fills the hole; its tables stay mixed */
{
	return map_at(HUGE + 3 * GIB, 1);
}

static enum status reserve_hole(void) /* makes four levels uniform again */
{
	return reserve_at(HUGE + 3 * GIB, 1);
}

static enum status commit_in_huge(void)
{
	return anonymous_commit(&space, pages_at(HUGE + 17 * GIB - 3 * PAGE_SIZE, 520), READ_WRITE);
}

static enum status commit_patchy(void)
{
	return anonymous_commit(&space, pages_at(PATCHY + PAGE_SIZE, 1100), PROTECTION_NONE);
}

static enum status decommit_patchy(void)
{
	return anonymous_decommit(&space, pages_at(PATCHY, 1200));
}

static enum status protect_mapped(void)
{
	return anonymous_protect(&space, pages_at(MAPPED + PAGE_SIZE, 598), PROTECTION_NONE);
}

static enum status unmap_in_huge(void) /* splits at each level, at both ends */
{
	return anonymous_unmap(&space, pages_at(HUGE + 100 * GIB + PAGE_SIZE, 7 * GIB / PAGE_SIZE));
}

static enum status unmap_mapped(void)
{
	return anonymous_unmap(&space, pages_at(MAPPED, 600));
}

static enum status borrow_anywhere(void)
{
	return borrow_at(0, 700);
}

static enum status borrow_over_boundary(void)
{
	return borrow_at(FREE, 8);
}

static enum status unborrow(void)
{
	return borrowed_unmap(&space, object, &everything, pages_at(BORROWED, 40));
}

static enum status protect_borrowed(void)
{
	return borrowed_protect(&space, object, &everything, pages_at(BORROWED + 7 * PAGE_SIZE, 30), PROTECTION_READ);
}

static enum status load_image(void)
{
	return anonymous_map_image(&space, pages_at(FREE, 12), PAGE_IMAGE, PROTECTION_READ);
}

static enum status load_bootstrap(void)
{
	return anonymous_map_image(&space, pages_at(BOOTSTRAP_START, 1), PAGE_BOOTSTRAP, PROTECTION_READ);
}

static enum status load_guard(void)
{
	return anonymous_map_guard(&space, pages_at(FREE + PAGE_SIZE, 1030));
}

static enum status load_image_lazy(void)
{
	return anonymous_map_image_lazy(&space, pages_at(FREE, 12), READ_WRITE);
}

static enum status load_stack(void) /* its two walks need the same tables at three levels */
{
	struct space_areas areas = { .map = uaddr_range_make(USER_START, TIB) };

	areas.stack = pages_at(120 * TIB + 3 * PAGE_SIZE, 5000);
	areas.guard = pages_at(120 * TIB - 6 * PAGE_SIZE, 9);
	return anonymous_map_stack(&space, &areas, 1000);
}

static enum status load_aligned_stack(void) /* they share none */
{
	struct space_areas areas = { .map = uaddr_range_make(USER_START, TIB) };

	areas.stack = pages_at(120 * TIB - 100 * PAGE_SIZE, 110);
	areas.guard = pages_at(120 * TIB - 102 * PAGE_SIZE, 2);
	return anonymous_map_stack(&space, &areas, 10);
}

static enum status map_lazy_anywhere(void)
{
	return map_lazy_at(0, 600);
}

static enum status commit_lazily_in_huge(void)
{
	return anonymous_commit_lazy(&space, pages_at(HUGE + 17 * GIB - 3 * PAGE_SIZE, 520), READ_WRITE);
}

static enum status commit_lazily_patchy(void)
{
	return anonymous_commit_lazy(&space, pages_at(PATCHY + PAGE_SIZE, 1100), PROTECTION_NONE);
}

static enum status commit_lazy(void) /* over lazy pages, and those that were */
{
	return anonymous_commit(&space, pages_at(LAZY + PAGE_SIZE, 700), PROTECTION_READ);
}

static enum status commit_heap(void) /* over lazy and reserved pages */
{
	return anonymous_commit(&space, pages_at(HEAP + 3 * PAGE_SIZE, 1400), PROTECTION_READ);
}

static enum status decommit_lazy(void)
{
	return anonymous_decommit(&space, pages_at(LAZY, 1000));
}

static enum status protect_lazy(void)
{
	return anonymous_protect(&space, pages_at(LAZY + PAGE_SIZE, 998), PROTECTION_NONE);
}

static enum status unmap_lazy(void)
{
	return anonymous_unmap(&space, pages_at(LAZY, 1000));
}

static enum status supply(struct uaddr_range range)
{
	enum status status;

	address_space_lock(&space, range);
	status = demand_supply(&space, range, PROTECTION_WRITE);
	address_space_unlock(&space, range);
	return status;
}

static enum status touch_lazy(void)
{
	return touch(LAZY + 8 * PAGE_SIZE);
}

static enum status supply_lazy(void)
{
	return supply(pages_at(LAZY + PAGE_SIZE, 400));
}

static enum status grow_stack(void)
{
	return touch(STACK_END - 1500 * PAGE_SIZE + 1);
}

static enum status supply_stack(void) /* room, and pages that are there */
{
	return supply(pages_at(STACK_END - 600 * PAGE_SIZE, 600));
}

static enum status grow_heap(void)
{
	return set_break(HEAP + 4000 * PAGE_SIZE + 1);
}

static enum status shrink_heap(void) /* splits the reserved span */
{
	return set_break(HEAP + 700 * PAGE_SIZE);
}

static enum status create_object(uint64_t pages, uint64_t flags)
{
	struct memory_object *created;

	TRY(memory_object_create(pages, flags, &created));
	assert_true(memory_object_is_valid(created));
	memory_object_drop_hold(created);
	return STATUS_OK;
}

static enum status create_scattered(void)
{
	return create_object(1300, 0);
}

static enum status create_contiguous(void)
{
	return create_object(700, 2);
}

static enum status create_space(void)
{
	static struct address_space other;

	TRY(address_space_create(&other, &account, machine_kernel_root()));
	address_space_destroy(&other);
	return STATUS_OK;
}

struct operation {
	const char *name;
	enum status (*run)(void);
};

static struct operation operations[] = {
	{ "reserve_anywhere", reserve_anywhere },
	{ "reserve_odd", reserve_odd },
	{ "map_anywhere", map_anywhere },
	{ "map_over_boundary", map_over_boundary },
	{ "map_beside_reserved", map_beside_reserved },
	{ "reserve_hole", reserve_hole },
	{ "commit_in_huge", commit_in_huge },
	{ "commit_patchy", commit_patchy },
	{ "decommit_patchy", decommit_patchy },
	{ "protect_mapped", protect_mapped },
	{ "unmap_in_huge", unmap_in_huge },
	{ "unmap_mapped", unmap_mapped },
	{ "borrow_anywhere", borrow_anywhere },
	{ "borrow_over_boundary", borrow_over_boundary },
	{ "unborrow", unborrow },
	{ "protect_borrowed", protect_borrowed },
	{ "load_image", load_image },
	{ "load_bootstrap", load_bootstrap },
	{ "load_guard", load_guard },
	{ "load_image_lazy", load_image_lazy },
	{ "load_stack", load_stack },
	{ "load_aligned_stack", load_aligned_stack },
	{ "map_lazy_anywhere", map_lazy_anywhere },
	{ "commit_lazily_in_huge", commit_lazily_in_huge },
	{ "commit_lazily_patchy", commit_lazily_patchy },
	{ "commit_lazy", commit_lazy },
	{ "commit_heap", commit_heap },
	{ "decommit_lazy", decommit_lazy },
	{ "protect_lazy", protect_lazy },
	{ "unmap_lazy", unmap_lazy },
	{ "touch_lazy", touch_lazy },
	{ "supply_lazy", supply_lazy },
	{ "grow_stack", grow_stack },
	{ "supply_stack", supply_stack },
	{ "grow_heap", grow_heap },
	{ "shrink_heap", shrink_heap },
	{ "create_scattered", create_scattered },
	{ "create_contiguous", create_contiguous },
	{ "create_space", create_space },
};

/* ---- the tests ---- */

static void look_everywhere(void)
{
	static const uint64_t places[] = { HUGE,     HUGE + 17 * GIB, HUGE + 100 * GIB,
					   MAPPED,   MAPPED + MIB,    PATCHY,
					   BORROWED, IMAGE,           FREE + MIB,
					   LAZY,     STACK_END - MIB, HEAP + 2 * MIB };

	for (uint32_t i = 0; i < COUNT_OF(places); i++)
		for (uint32_t page = 0; page < 4; page++)
			machine_touch(&space, places[i] + page * PAGE_SIZE);
}

static enum status run(void *operation)
{
	return ((const struct operation *)operation)->run();
}

static void leave_room(void *operation, enum ledger_kind kind, uint64_t room)
{
	(void)operation;
	machine_set_limit(&account, kind, account.ledger.of[kind].used + room);
}

static struct sweep sweep_of(struct operation *operation)
{
	return (struct sweep){ operation, run, remember, is_unchanged, leave_room, 1500 };
}

static void test_refused_promise(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < COUNT_OF(operations); i++) {
		struct sweep sweep = sweep_of(&operations[i]);

		make_scene();
		print_message("%s: %u promises refused\n", operations[i].name, (unsigned)sweep_promises(&sweep));
		end_scene();
	}
}

/* What the operation takes of each ledger at most: by its peak. */
static void learn_needs(const struct operation *operation, uint64_t needs[LEDGER_COUNT])
{
	struct resource_ledger before;

	make_scene();
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		machine_set_limit(&account, (enum ledger_kind)kind, UINT64_C(1) << 40);
	account_read(&account, &before);
	look_everywhere();
	assert_int_equal(operation->run(), STATUS_OK);
	assert_true(machine_translations_hold());
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		needs[kind] = resource_ledger_peak(&account.ledger, (enum ledger_kind)kind) - before.of[kind].used;
	end_scene();
}

static void test_limited_ledger(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < COUNT_OF(operations); i++) {
		struct sweep sweep = sweep_of(&operations[i]);
		uint64_t needs[LEDGER_COUNT];

		learn_needs(&operations[i], needs);
		for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++) {
			if (needs[kind] == 0)
				continue;
			make_scene();
			sweep_ledger(&sweep, (enum ledger_kind)kind, needs[kind]);
			assert_int_equal(resource_ledger_peak(&account.ledger, (enum ledger_kind)kind),
					 account.ledger.of[kind].limit);
			end_scene();
		}
	}
}

/* A full machine with `left` frames that all lie on another CPU's stack: the operation works if they are enough. */
static bool works_with(const struct operation *operation, uint64_t left)
{
	static frame_t taken[FRAMES];
	uint64_t count = frame_free_count();
	enum status status;

	machine_run_on(0);
	assert_int_equal(frame_promise(count), STATUS_OK);
	for (uint64_t i = 0; i < count; i++)
		taken[i] = frame_take(FRAME_KERNEL, NULL);
	assert_int_equal(frame_promise(1), STATUS_OUT_OF_MEMORY);
	machine_run_on(MACHINE_CPUS - 1);
	for (uint64_t i = 0; i < left; i++)
		frame_free(taken[i], FRAME_KERNEL, NULL);
	machine_run_on(1);
	remember(NULL);
	status = operation->run();
	if (status != STATUS_OK) {
		assert_true(status == STATUS_OUT_OF_MEMORY || status == STATUS_NO_CONTIGUOUS_RUN);
		assert_true(is_unchanged(NULL));
	}
	assert_true(frame_is_valid());
	for (uint64_t i = left; i < count; i++)
		frame_free(taken[i], FRAME_KERNEL, NULL);
	return status == STATUS_OK;
}

/* With each number of frames left, until it works. */
static void test_last_frames(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < COUNT_OF(operations); i++) {
		uint64_t left = 0;

		make_scene();
		while (!works_with(&operations[i], left)) {
			assert_true(left < 2000);
			left += left < 8 || host_rounds(100) > 50 ? 1 : 61;
		}
		print_message("%s: %u frames\n", operations[i].name, (unsigned)left);
		machine_run_on(0);
		end_scene();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused_promise),
		cmocka_unit_test(test_limited_ledger),
		cmocka_unit_test(test_last_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
