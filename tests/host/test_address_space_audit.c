/* links: kernel/mem/address_space.c kernel/mem/address_space_audit.c kernel/mem/anonymous.c
   kernel/mem/anonymous_image.c kernel/mem/demand.c kernel/mem/page_placement.c kernel/mem/page_walk.c
   kernel/mem/page_gap.c kernel/mem/memory_object.c kernel/mem/heap.c kernel/mem/frame.c kernel/mem/shortage.c
   kernel/mem/account.c */
/* The look at page tables after an operation: each thing that may be wrong in one is found, where it is, and named. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/mem/anonymous.h"
#include "kernel/mem/page_walk.h"
#include "tests/host/machine.h"

#define START UINT64_C(0x10000000)
#define PAGES 8u
#define RESERVED_START UINT64_C(0x40000000) /* a whole span of level 2, and a page */
#define READ_WRITE (PROTECTION_READ | PROTECTION_WRITE)

static struct account account;
static struct address_space space;

static struct uaddr_range pages(uint64_t first, uint64_t end)
{
	return uaddr_range_make(START + first * PAGE_SIZE, START + end * PAGE_SIZE);
}

static pte_t *entry_at(uint64_t address, unsigned level)
{
	pte_t *table = space.root_table;

	for (unsigned at = PTE_LEVELS; at > level; at--)
		table = page_table_of(table[pte_index(address, at)]);
	return &table[pte_index(address, level)];
}

static pte_t *page(uint64_t number)
{
	return entry_at(START + number * PAGE_SIZE, 1);
}

static void begin(void)
{
	const struct placement committed = { START, PAGES * PAGE_SIZE, true };
	const struct placement reserved = { RESERVED_START, pte_span(2) + PAGE_SIZE, true };
	struct uaddr_range range;

	machine_start(3000);
	machine_account(&account, UINT64_C(1) << 30);
	assert_int_equal(address_space_create(&space, &account, machine_kernel_root()), STATUS_OK);
	assert_int_equal(anonymous_map(&space, &committed, READ_WRITE, &range), STATUS_OK);
	assert_int_equal(anonymous_reserve(&space, &reserved, &range), STATUS_OK);
}

static void end(void)
{
	address_space_destroy(&space);
	machine_stop();
}

static void expect_fault(struct uaddr_range range, const char *what, uint64_t address)
{
	struct address_space_fault fault = address_space_audit_range(&space, range);

	assert_non_null(fault.what);
	assert_string_equal(fault.what, what);
	assert_int_equal(fault.address, address);
	assert_false(address_space_is_valid(&space, machine_kernel_root()));
}

static void expect_none(struct uaddr_range range)
{
	assert_null(address_space_audit_range(&space, range).what);
}

static void test_sound(void **state)
{
	(void)state;
	begin();
	expect_none(pages(0, PAGES));
	expect_none(uaddr_range_make(RESERVED_START, RESERVED_START + pte_span(2) + PAGE_SIZE));
	expect_none(uaddr_range_make(USER_START, USER_LIMIT));
	assert_true(address_space_is_valid(&space, machine_kernel_root()));
	end();
}

/* One wrong word in an entry, put right again; a range beside it does not see it. */
static void try_entry(uint64_t number, pte_t wrong, const char *what)
{
	const pte_t right = *page(number);

	*page(number) = wrong;
	expect_fault(pages(0, PAGES), what, START + number * PAGE_SIZE);
	expect_none(pages(0, number));
	*page(number) = right;
	expect_none(pages(0, PAGES));
}

static void test_entries(void **state)
{
	pte_t sound;

	(void)state;
	begin();
	sound = *page(1);
	try_entry(1, pte_toggle(sound, PTE_NO_EXECUTE), "writable and executable");
	try_entry(1, pte_toggle(sound, PTE_USER), "present, and not for the program");
	try_entry(2, pte_page(frame_from_u64(UINT64_C(1) << 30), PAGE_ANONYMOUS, READ_WRITE), "no frame that there is");
	try_entry(3, pte_page(space.root, PAGE_ANONYMOUS, READ_WRITE), "the frame's owner is another");
	try_entry(3, pte_page(pte_frame(*page(3)), PAGE_IMAGE, READ_WRITE), "the frame's owner is another");
	try_entry(3, pte_page(pte_frame(*page(3)), PAGE_BORROWED, READ_WRITE), "the frame's owner is another");
	try_entry(4, pte_toggle(pte_lazy(READ_WRITE, false), PTE_ACCESSED), "no lazy entry that there is");
	end();
}

static void test_counters(void **state)
{
	const uint64_t table = START & ~(pte_span(2) - 1);
	struct frame_info *info;
	pte_t right;

	(void)state;
	begin();
	right = *page(5);
	*page(5) = pte_uniform(PAGE_EMPTY);
	expect_fault(pages(0, 1), "a table's counters do not agree with its entries", table);
	*page(5) = pte_uniform(PAGE_RESERVED);
	expect_fault(pages(0, 1), "a table's counters do not agree with its entries", table);
	*page(5) = right;
	info = page_table_info(page(0));
	info->owner ^= 16;
	expect_fault(pages(0, 1), "a table of another owner", table);
	info->owner ^= 16;
	expect_none(pages(0, 1));
	end();
}

/* A table that says nothing but "reserved" should be its parent's entry. */
static void test_table_kept(void **state)
{
	const uint64_t last = RESERVED_START + pte_span(2);
	struct frame_info *info;
	pte_t *table;

	(void)state;
	begin();
	table = entry_at(last, 1);
	info = page_table_info(table);
	assert_int_equal(page_table_used(info), 1);
	for (uint32_t i = 1; i < PTE_ENTRIES; i++)
		table[i] = pte_uniform(PAGE_RESERVED);
	page_table_adjust(info, PTE_ENTRIES - 1, PTE_ENTRIES - 1);
	info->link = UINT32_MAX;
	expect_fault(uaddr_range_make(last, last + PAGE_SIZE), "a table that should have been given back", last);
	for (uint32_t i = 1; i < PTE_ENTRIES; i++)
		table[i] = pte_uniform(PAGE_EMPTY);
	page_table_adjust(info, -(int32_t)(PTE_ENTRIES - 1), -(int32_t)(PTE_ENTRIES - 1));
	expect_none(uaddr_range_make(last, last + PAGE_SIZE));
	end();
}

/* The bounded look takes the first tables of a range, and says nothing of the rest; the whole one does. */
static void test_bound(void **state)
{
	const uint64_t tables = AUDIT_TABLES + 1;
	const struct placement placement = { START + pte_span(2), tables * pte_span(2), true };
	struct uaddr_range range;
	pte_t *last;
	pte_t right;

	(void)state;
	begin();
	assert_int_equal(anonymous_map_lazy(&space, &placement, READ_WRITE, &range), STATUS_OK);
	last = entry_at(uaddr_to_u64(range.end) - PAGE_SIZE, 1);
	right = *last;
	*last = pte_toggle(right, PTE_ACCESSED);
	expect_none(range);
	expect_fault(uaddr_range_make(uaddr_to_u64(range.end) - PAGE_SIZE, uaddr_to_u64(range.end)),
		     "no lazy entry that there is", uaddr_to_u64(range.end) - PAGE_SIZE);
	*last = right;
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sound),      cmocka_unit_test(test_entries), cmocka_unit_test(test_counters),
		cmocka_unit_test(test_table_kept), cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
