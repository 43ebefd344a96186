/* links: kernel/mem/address_space.c kernel/mem/address_space_audit.c kernel/mem/anonymous.c
   kernel/mem/anonymous_image.c kernel/mem/demand.c kernel/mem/page_placement.c kernel/mem/page_walk.c
   kernel/mem/page_gap.c kernel/mem/memory_object.c kernel/mem/heap.c kernel/mem/frame.c kernel/mem/shortage.c
   kernel/mem/account.c */
/* The search for a gap: it finds one if there is one, at a cost that does not grow with what is reserved. For
   that the kernel's RAM is shut: each access opens it for one instruction, and is counted. */
#define _GNU_SOURCE /* the registers of a signal's context */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "kernel/mem/anonymous.h"
#include "kernel/mem/direct_map.h"
#include "lib/check.h"
#include "tests/host/host_support.h"
#include "tests/host/machine.h"
#include "tests/host/page_watch.h"
#include "tests/host/space_model.h"

#define FRAMES 4096u
#define PAGES_2MIB UINT64_C(512)
#define PAGES_1GIB UINT64_C(262144)
#define TIB (UINT64_C(1) << 40)
#define FLAG_TRAP 0x100
#define PAIRS 5u
#define MORE_ACCESSES 40u                     /* than in an empty space; 100,000 pages fill 195 leaf tables */
#define CLASSIC_BASE UINT64_C(0x2aaaaaaab000) /* a third of the user half */

static struct account account;
static struct address_space space;
static struct space_model model;

static void begin(void)
{
	machine_start(FRAMES);
	machine_account(&account, UINT64_C(1) << 40);
	assert_int_equal(address_space_create(&space, &account, machine_kernel_root()), STATUS_OK);
	space_model_init(&model, UINT64_C(1) << 40, frame_free_count());
}

/* Mappings go into [start, end), from one of its ends on. */
static void begin_in(uint64_t start, uint64_t end, bool upward)
{
	struct space_areas areas = { .map = uaddr_range_make(start, end), .map_upward = upward };

	begin();
	address_space_set_areas(&space, &areas);
	space_model_set_areas(&model, &areas);
}

static void end(void)
{
	assert_true(address_space_is_valid(&space, machine_kernel_root()));
	address_space_destroy(&space);
	machine_stop();
}

static struct placement anywhere(uint64_t pages)
{
	return (struct placement){ 0, pages * PAGE_SIZE, false };
}

/* Reserve by model and by kernel: the same answer, the same place. */
static uint64_t reserve_both(const struct placement *placement)
{
	struct uaddr_range range;
	uint64_t start = 0;
	struct placement settled = space_model_settle(&model, &space, placement);
	enum status expected = space_model_reserve(&model, &settled, &start);

	assert_int_equal(anonymous_reserve(&space, placement, &range), expected);
	if (expected != STATUS_OK)
		return 0;
	assert_int_equal(uaddr_to_u64(range.start), start);
	return start;
}

static void unmap_both(uint64_t start, uint64_t pages)
{
	struct model_range range = { .start = start, .end = start + pages * PAGE_SIZE };

	assert_int_equal(space_model_unmap(&model, &range), STATUS_OK);
	assert_int_equal(
		anonymous_unmap(&space, (struct uaddr_range){ uaddr_from_u64(range.start), uaddr_from_u64(range.end) }),
		STATUS_OK);
}

/* The window must not hide the room below it, nor be given away. */
static void test_below_the_window(void **state)
{
	struct placement above = { BOOTSTRAP_END + PAGE_SIZE, USER_LIMIT - BOOTSTRAP_END - PAGE_SIZE, true };
	struct placement two = anywhere(2);
	struct placement one = anywhere(1);

	(void)state;
	begin();
	(void)reserve_both(&above);
	assert_int_equal(reserve_both(&two), BOOTSTRAP_START - 2 * PAGE_SIZE);
	assert_int_equal(reserve_both(&one), BOOTSTRAP_END);
	assert_int_equal(reserve_both(&one), BOOTSTRAP_START - 3 * PAGE_SIZE);
	end();
}

static void test_above_the_window(void **state)
{
	struct placement many = anywhere((BOOTSTRAP_START - USER_START) / PAGE_SIZE / 2);
	struct placement two = anywhere(2);
	struct placement one = anywhere(1);

	(void)state;
	begin_in(USER_START, ADDRESS_SPACE_MAP_TOP, true);
	assert_int_equal(reserve_both(&one), USER_START);
	assert_int_equal(reserve_both(&many), USER_START + PAGE_SIZE);
	many.length -= 2 * PAGE_SIZE;
	assert_int_equal(reserve_both(&many), BOOTSTRAP_START - PAGE_SIZE - many.length);
	assert_int_equal(reserve_both(&two), BOOTSTRAP_END);
	assert_int_equal(reserve_both(&one), BOOTSTRAP_START - PAGE_SIZE);
	assert_int_equal(reserve_both(&one), BOOTSTRAP_END + 2 * PAGE_SIZE);
	end();
}

/* In a fresh space one range stands beside the other, and a hole is used again. */
static void test_direction(void **state)
{
	struct placement three = anywhere(3);
	struct placement two = anywhere(2);

	(void)state;
	for (uint32_t upward = 0; upward < 2; upward++) {
		uint64_t first = upward == 1 ? TIB : 2 * TIB - 3 * PAGE_SIZE;
		uint64_t step = upward == 1 ? 3 * PAGE_SIZE : 0 - 3 * PAGE_SIZE;

		begin_in(TIB, 2 * TIB, upward == 1);
		for (uint64_t i = 0; i < 1000; i++)
			assert_int_equal(reserve_both(&three), first + i * step);
		unmap_both(first + 700 * step, 3);
		assert_int_equal(reserve_both(&two), first + 700 * step + (upward == 1 ? 0 : PAGE_SIZE));
		assert_int_equal(reserve_both(&two), first + 1000 * step + (upward == 1 ? 0 : PAGE_SIZE));
		end();
	}
}

/* Outside of the map area nothing is placed but by a hint or FIXED; inside, every page is. */
static void test_bounds(void **state)
{
	const uint64_t start = TIB + 7 * PAGE_SIZE;
	const uint64_t pages = 700;

	(void)state;
	for (uint32_t upward = 0; upward < 2; upward++) {
		struct placement outside = { start - 50 * PAGE_SIZE, 3 * PAGE_SIZE, false };
		struct placement one = anywhere(1);
		struct placement most = anywhere(pages - 2);
		struct placement two = anywhere(2);

		begin_in(start, start + pages * PAGE_SIZE, upward == 1);
		assert_int_equal(reserve_both(&outside), outside.hint);
		outside.hint = start + (pages + 20) * PAGE_SIZE;
		outside.fixed = true;
		assert_int_equal(reserve_both(&outside), outside.hint);
		outside.hint -= 6 * PAGE_SIZE;
		outside.fixed = false;
		assert_int_equal(reserve_both(&outside), outside.hint);
		unmap_both(outside.hint, 3);
		(void)reserve_both(&most);
		assert_int_equal(reserve_both(&two), upward == 1 ? start + (pages - 2) * PAGE_SIZE : start);
		assert_int_equal(reserve_both(&one), 0);
		end();
	}
}

/* The only place is below the window, where a multiple of 2 MiB would be below the first user address too. */
static void test_above_the_first_address(void **state)
{
	struct placement above = { BOOTSTRAP_END, USER_LIMIT - BOOTSTRAP_END, true };
	struct placement large = anywhere(PAGES_2MIB);

	(void)state;
	begin();
	(void)reserve_both(&above);
	assert_int_equal(reserve_both(&large), BOOTSTRAP_START - PAGES_2MIB * PAGE_SIZE);
	end();
}

/* Large ranges begin at a multiple of the largest span that they fill, up to 1 GiB. */
static void test_alignment(void **state)
{
	static const uint64_t pages[] = {
		1, 511, PAGES_2MIB, PAGES_2MIB + 1, PAGES_1GIB - 1, PAGES_1GIB, PAGES_1GIB + 1, 600 * PAGES_1GIB
	};

	(void)state;
	begin();
	for (uint32_t i = 0; i < 3 * COUNT_OF(pages); i++) {
		uint64_t count = pages[i % COUNT_OF(pages)];
		struct placement placement = anywhere(count);
		uint64_t start = reserve_both(&placement);

		if (count >= PAGES_1GIB)
			assert_int_equal(start % (PAGES_1GIB * PAGE_SIZE), 0);
		else if (count >= PAGES_2MIB)
			assert_int_equal(start % (PAGES_2MIB * PAGE_SIZE), 0);
	}
	end();
}

/* Nothing is left: each size says so, and one page set free is found again. */
static void test_full(void **state)
{
	struct placement all = anywhere((BOOTSTRAP_START - USER_START) / PAGE_SIZE);
	struct placement rest = { BOOTSTRAP_END, USER_LIMIT - BOOTSTRAP_END, true };
	struct placement one = anywhere(1);

	(void)state;
	begin();
	(void)reserve_both(&rest);
	assert_int_equal(reserve_both(&all), USER_START); /* no multiple of 2 MiB holds so many: any page does */
	while (reserve_both(&one) != 0)
		continue;
	for (uint64_t pages = 1; pages < UINT64_C(1) << 36; pages *= 3) {
		struct placement placement = anywhere(pages);

		(void)reserve_both(&placement);
	}
	unmap_both(UINT64_C(1) << 40, 1);
	assert_int_equal(reserve_both(&one), UINT64_C(1) << 40);
	end();
}

/* Many small releases beside each other make a gap of a size whose hint lies below it: it is found all the same. */
static void test_merged(void **state)
{
	const uint64_t count = 32;
	struct placement below = { USER_START, BOOTSTRAP_START - USER_START, true };
	struct placement above = { BOOTSTRAP_END, ADDRESS_SPACE_MAP_TOP - count * PAGE_SIZE - BOOTSTRAP_END, true };
	struct placement one = anywhere(1);
	struct placement half = anywhere(count / 2);
	uint64_t start = 0;

	(void)state;
	begin();
	(void)reserve_both(&below);
	(void)reserve_both(&above);
	for (uint64_t i = 0; i < count; i++)
		start = reserve_both(&one);
	assert_int_equal(start, ADDRESS_SPACE_MAP_TOP - count * PAGE_SIZE);
	assert_int_equal(reserve_both(&half), 0);
	for (uint64_t i = 1; i <= count / 2; i++)
		unmap_both(ADDRESS_SPACE_MAP_TOP - i * PAGE_SIZE, 1);
	assert_int_equal(reserve_both(&half), ADDRESS_SPACE_MAP_TOP - count / 2 * PAGE_SIZE);
	end();
}

/* Few reservations of all sizes come and go: each search is compared with the model's look at all gaps. */
static void come_and_go(struct host_random *random_source)
{
	struct {
		uint64_t start, pages;
	} held[48] = { { 0 } };
	struct host_random random = *random_source;

	for (uint64_t i = 0; i < host_rounds(150000); i++) {
		uint32_t slot = (uint32_t)host_random_below(&random, COUNT_OF(held));

		if (held[slot].start != 0) {
			unmap_both(held[slot].start, held[slot].pages);
			held[slot].start = 0;
		} else {
			struct placement placement = anywhere(1 + (host_random_u64(&random) >> (64 - 8)));

			if (host_random_once_in(&random, 3))
				placement.length <<= host_random_below(&random, 28);
			if (host_random_once_in(&random, 200)) {
				placement.hint = ADDRESS_SPACE_MAP_TOP - host_random_below(&random, 1000) * PAGE_SIZE;
				placement.fixed = host_random_once_in(&random, 2);
			}
			held[slot].pages = placement.length / PAGE_SIZE;
			held[slot].start = reserve_both(&placement);
		}
	}
	*random_source = random;
	end();
}

static void test_random(void **state)
{
	struct host_random random;

	(void)state;
	host_random_init(&random, __func__, 3);
	begin();
	come_and_go(&random);
	begin_in(USER_START, ADDRESS_SPACE_MAP_TOP, true);
	come_and_go(&random);
	begin_in(TIB, 9 * TIB + PAGE_SIZE, false);
	come_and_go(&random);
	begin_in(TIB + PAGE_SIZE, 9 * TIB, true);
	come_and_go(&random);
}

/* ---- cost ---- */

/* Accesses of one operation to what the kernel keeps in RAM: page tables, and what it knows of their frames. */
static volatile uint64_t accesses;

static bool shut(int protection)
{
	return mprotect((void *)(uintptr_t)direct_map_base, FRAMES * PAGE_SIZE, protection) == 0;
}

static void touched(int number, siginfo_t *info, void *context)
{
	ucontext_t *registers = context;

	if ((uintptr_t)info->si_addr - (uintptr_t)direct_map_base >= FRAMES * PAGE_SIZE ||
	    !shut(PROT_READ | PROT_WRITE)) {
		(void)signal(number, SIG_DFL); /* a fault of another kind: once more, without us */
		return;
	}
	accesses++;
	registers->uc_mcontext.gregs[REG_EFL] |= FLAG_TRAP;
}

static void stepped(int number, siginfo_t *info, void *context)
{
	ucontext_t *registers = context;

	(void)number;
	(void)info;
	(void)shut(PROT_NONE);
	registers->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)FLAG_TRAP;
}

static uint64_t reserve_pages(uint64_t pages)
{
	struct placement placement = anywhere(pages);
	struct uaddr_range range;

	assert_int_equal(anonymous_reserve(&space, &placement, &range), STATUS_OK);
	return uaddr_to_u64(range.start);
}

static void unmap_pages(uint64_t start, uint64_t pages)
{
	struct uaddr_range range = { uaddr_from_u64(start), uaddr_from_u64(start + pages * PAGE_SIZE) };

	assert_int_equal(anonymous_unmap(&space, range), STATUS_OK);
}

/* The most accesses of a pair of reserve and unmap, of a few in a row. */
static uint64_t cost_of_pairs(uint64_t pages)
{
	uint64_t most = 0;

	for (uint32_t i = 0; i < PAIRS; i++) {
		uint64_t start;

		accesses = 0;
		assert_true(shut(PROT_NONE));
		start = reserve_pages(pages);
		unmap_pages(start, pages);
		assert_true(shut(PROT_READ | PROT_WRITE));
		most = accesses > most ? accesses : most;
	}
	return most;
}

/*
 * `live` one-page reservations, every `hole_every`-th given back again (0: none); then the pairs. Where a leaf table
 * has one hole at most, it may be filled and opened again, and the table become one entry and a table each time.
 */
static void check_cost(uint64_t live, uint64_t hole_every, bool upward)
{
	static const uint64_t pages[] = { 1, 6, 512 };
	uint64_t limit[COUNT_OF(pages)];

	begin_in(CLASSIC_BASE, ADDRESS_SPACE_MAP_TOP, upward);
	unmap_pages(reserve_pages(1), 1);
	for (uint32_t i = 0; i < COUNT_OF(pages); i++)
		limit[i] = cost_of_pairs(pages[i]) + MORE_ACCESSES + (hole_every > PTE_ENTRIES ? PTE_ENTRIES : 0);
	for (uint64_t i = 0; i < live; i++)
		(void)reserve_pages(1);
	for (uint64_t i = 1; hole_every != 0 && i < live; i += hole_every)
		unmap_pages(upward ? CLASSIC_BASE + i * PAGE_SIZE : ADDRESS_SPACE_MAP_TOP - (i + 1) * PAGE_SIZE, 1);
	for (uint32_t i = 0; i < COUNT_OF(pages); i++) {
		const uint64_t most = cost_of_pairs(pages[i]);

		print_message("%s, %u live, holes every %u: at most %u accesses a pair of %u pages\n",
			      upward ? "upward" : "downward", (unsigned)live, (unsigned)hole_every, (unsigned)most,
			      (unsigned)pages[i]);
		assert_in_range(most, 1, limit[i]);
	}
	end();
}

static void test_cost(void **state)
{
	(void)state;
	if (!page_watch_works())
		skip();
	page_watch_handle(SIGSEGV, touched);
	page_watch_handle(SIGTRAP, stepped);
	for (uint32_t upward = 0; upward < 2; upward++) {
		check_cost(host_rounds(20000), 0, upward == 1);
		check_cost(host_rounds(100000), 0, upward == 1);
		check_cost(host_rounds(20000), 2, upward == 1);
		check_cost(host_rounds(100000), 2, upward == 1);
		check_cost(host_rounds(100000), 700, upward == 1);
	}
	(void)signal(SIGSEGV, SIG_DFL);
	(void)signal(SIGTRAP, SIG_DFL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_below_the_window),
		cmocka_unit_test(test_above_the_window),
		cmocka_unit_test(test_above_the_first_address),
		cmocka_unit_test(test_direction),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_alignment),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_merged),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
