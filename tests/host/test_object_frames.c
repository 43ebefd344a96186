/* links: kernel/mem/memory_object.c kernel/mem/borrowed.c kernel/mem/address_space.c kernel/mem/address_space_audit.c
   kernel/mem/anonymous.c kernel/mem/anonymous_image.c kernel/mem/demand.c kernel/mem/page_placement.c
   kernel/mem/page_walk.c kernel/mem/page_gap.c kernel/mem/heap.c kernel/mem/frame.c kernel/mem/shortage.c
   kernel/mem/account.c */
/* Frames of a memory object: zeroed, however they were taken; and never more mappings than they can count. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "abi/frame_allocator_abi.h"
#include "kernel/mem/borrowed.h"
#include "lib/check.h"
#include "tests/host/machine.h"

#define PAGES 8u

static struct account account;
static struct address_space space;
static struct memory_object *object;

static enum status map(uint64_t pages)
{
	struct placement placement = { 0, pages * PAGE_SIZE, false };
	struct uaddr_range range;

	return borrowed_map(&space, object, &placement, 0, PROTECTION_READ, &range);
}

static void assert_zeroed(uint64_t page)
{
	const uint64_t *word = direct_map_of_frame(memory_object_frame(object, page));

	for (uint32_t i = 0; i < PAGE_SIZE / sizeof(*word); i++)
		assert_int_equal(word[i], 0);
}

/* The machine's memory holds junk. */
static void test_zeroed(void **state)
{
	const uint64_t flags[] = { 0, FRAME_ALLOCATOR_CONTIGUOUS, FRAME_ALLOCATOR_ALIGN_2MIB };

	(void)state;
	machine_start(2048);
	for (uint32_t i = 0; i < COUNT_OF(flags); i++) {
		assert_int_equal(memory_object_create(520, flags[i], &object), STATUS_OK);
		for (uint64_t page = 0; page < object->pages; page++)
			assert_zeroed(page);
		memory_object_drop_hold(object);
	}
	machine_stop();
}

/*
 * Fewer than 2^32, since each frame counts its own in 32 bits. Nobody can wait for so many: the test says that they are
 * there.
 */
static void test_most_mappings(void **state)
{
	const uint64_t others = UINT32_MAX - 2 * PAGES;
	uint64_t used;

	(void)state;
	machine_start(1024);
	machine_account(&account, UINT64_C(1) << 40);
	assert_int_equal(address_space_create(&space, &account, machine_kernel_root()), STATUS_OK);
	assert_int_equal(memory_object_create(PAGES, 0, &object), STATUS_OK);
	object->mappings += others;
	assert_int_equal(map(PAGES), STATUS_OK);
	assert_int_equal(map(PAGES - 1), STATUS_OK);
	used = account.ledger.of[LEDGER_FRAME_GRANT].used;
	assert_int_equal(map(2), STATUS_TOO_LONG);
	assert_int_equal(account.ledger.of[LEDGER_FRAME_GRANT].used, used);
	assert_int_equal(map(1), STATUS_OK);
	assert_int_equal(map(1), STATUS_TOO_LONG);
	object->mappings -= others;
	assert_true(memory_object_is_valid(object));
	memory_object_drop_hold(object);
	address_space_destroy(&space);
	machine_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_zeroed), cmocka_unit_test(test_most_mappings) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
