/* links: kernel/mem/address_space.c kernel/mem/address_space_audit.c kernel/mem/anonymous.c
   kernel/mem/anonymous_image.c kernel/mem/demand.c kernel/mem/page_placement.c kernel/mem/page_walk.c
   kernel/mem/page_gap.c kernel/mem/memory_object.c kernel/mem/heap.c kernel/mem/frame.c kernel/mem/shortage.c
   kernel/mem/account.c */
/* Spaces that CPUs leave and load again, with and without a flush (PCID): no translation outlives what it stood for. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/mem/anonymous.h"
#include "kernel/mem/page_walk.h"
#include "tests/host/host_support.h"
#include "tests/host/machine.h"

#define START UINT64_C(0x10000000)
#define PAGES 4u
#define READ_WRITE (PROTECTION_READ | PROTECTION_WRITE)

static struct account account;
static struct address_space space;

static struct uaddr_range page_range(uint64_t first, uint64_t pages)
{
	struct uaddr_range range;

	assert_int_equal(uaddr_range_of_pages(START + first * PAGE_SIZE, pages * PAGE_SIZE, &range), STATUS_OK);
	return range;
}

static void map_pages(void)
{
	const struct placement placement = { START, PAGES * PAGE_SIZE, true };
	struct uaddr_range range;

	assert_int_equal(anonymous_map(&space, &placement, READ_WRITE, &range), STATUS_OK);
}

static void begin(void)
{
	machine_start(2000);
	machine_account(&account, UINT64_C(1) << 30);
	assert_int_equal(address_space_create(&space, &account, machine_kernel_root()), STATUS_OK);
	map_pages();
}

static void end(void)
{
	for (uint32_t cpu = 0; cpu < MACHINE_CPUS; cpu++)
		machine_load(cpu, NULL);
	address_space_destroy(&space);
	machine_stop();
}

static void load_and_look(uint32_t cpu)
{
	machine_load(cpu, &space);
	for (uint64_t page = 0; page < PAGES; page++)
		machine_touch(&space, START + page * PAGE_SIZE);
	assert_true(machine_translations_hold());
}

/* A second load of an unchanged space keeps its translations; that is what a PCID is for. */
static void test_warm_load(void **state)
{
	(void)state;
	begin();
	load_and_look(1);
	machine_load(1, NULL);
	assert_true((address_space_enter_cpu(&space, 1) & PTE_ROOT_NO_FLUSH) != 0);
	assert_true((address_space_enter_cpu(&space, 3) & PTE_ROOT_NO_FLUSH) == 0);
	address_space_leave_cpu(&space, 1);
	address_space_leave_cpu(&space, 3);
	end();
}

/* Each change while the CPU has the space not loaded makes the next load flush. */
static void test_change_while_away(void **state)
{
	(void)state;
	begin();
	for (uint32_t change = 0; change < 3; change++) {
		load_and_look(1);
		machine_load(1, NULL);
		if (change == 0)
			assert_int_equal(anonymous_protect(&space, page_range(0, 1), PROTECTION_READ), STATUS_OK);
		else if (change == 1)
			assert_int_equal(anonymous_decommit(&space, page_range(1, 1)), STATUS_OK);
		else
			assert_int_equal(anonymous_unmap(&space, page_range(0, PAGES)), STATUS_OK);
		machine_load(1, &space);
		assert_true(machine_translations_hold());
	}
	end();
}

/* The CPU that makes the change keeps the space warm; the others do not. */
static void test_own_cpu_stays_warm(void **state)
{
	(void)state;
	begin();
	load_and_look(0);
	load_and_look(2);
	machine_load(2, NULL);
	assert_int_equal(anonymous_unmap(&space, page_range(0, 1)), STATUS_OK);
	assert_true(machine_translations_hold());
	machine_load(0, NULL);
	assert_true((address_space_enter_cpu(&space, 0) & PTE_ROOT_NO_FLUSH) != 0);
	assert_true((address_space_enter_cpu(&space, 2) & PTE_ROOT_NO_FLUSH) == 0);
	address_space_leave_cpu(&space, 0);
	address_space_leave_cpu(&space, 2);
	end();
}

/*
 * A CPU that another's change has made cold, and that was not told of it yet, does not make itself warm by a change of
 * its own: it may leave the space before it answers, and what it keeps of the space is then not flushed.
 */
static void test_own_change_warms_nobody(void **state)
{
	(void)state;
	begin();
	load_and_look(0);
	load_and_look(1);
	machine_run_on(1);
	assert_int_equal(address_space_changed(&space), 3); /* asks CPU 0, which has interrupts off */
	machine_run_on(0);
	assert_int_equal(address_space_changed(&space), 3);
	machine_load(0, NULL);
	assert_true((address_space_enter_cpu(&space, 0) & PTE_ROOT_NO_FLUSH) == 0);
	address_space_leave_cpu(&space, 0);
	end();
}

/* An identifier that comes back to a new space brings no old translation with it. */
static void test_identifier_reuse(void **state)
{
	uint16_t first;

	(void)state;
	begin();
	first = space.pcid;
	assert_int_not_equal(first, 0);
	load_and_look(1);
	machine_load(1, NULL);
	address_space_destroy(&space);
	assert_int_equal(address_space_create(&space, &account, machine_kernel_root()), STATUS_OK);
	assert_int_equal(space.pcid, first);
	assert_true((address_space_enter_cpu(&space, 1) & PTE_ROOT_NO_FLUSH) == 0);
	address_space_leave_cpu(&space, 1);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_warm_load),          cmocka_unit_test(test_change_while_away),
		cmocka_unit_test(test_own_cpu_stays_warm), cmocka_unit_test(test_own_change_warms_nobody),
		cmocka_unit_test(test_identifier_reuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
