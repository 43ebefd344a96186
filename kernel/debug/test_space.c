#include "kernel/debug/test_space.h"

#include <stdbool.h>

#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/mem/anonymous.h"
#include "kernel/mem/direct_map.h"
#include "kernel/mem/paging.h"
#include "lib/check.h"

enum status test_space_try(struct test_space *space)
{
	const uint64_t limits[LEDGER_COUNT] = { 1u << 20, 1u << 12, 1u << 12, 1u << 8, 16, 1u << 16 };
	const struct placement placement = { TEST_SPACE_ADDRESS, TEST_SPACE_PAGES * PAGE_SIZE, true };
	enum status status;

	*space = (struct test_space){ 0 };
	spinlock_name(&space->account.lock, LOCK_ACCOUNT);
	resource_ledger_init(&space->account.ledger, limits);
	TRY(address_space_create(&space->space, &space->account, paging_root_table()));
	status = anonymous_map(&space->space, &placement, PROTECTION_READ | PROTECTION_WRITE, &space->range);
	if (status != STATUS_OK)
		address_space_destroy(&space->space);
	return status;
}

void test_space_make(struct test_space *space)
{
	CHECK(test_space_try(space) == STATUS_OK);
}

void test_space_destroy(struct test_space *space)
{
	address_space_destroy(&space->space);
}

void test_space_enter(struct test_space *space)
{
	cr3_write(address_space_enter_cpu(&space->space, cpu_index()));
	cpu_current()->active_root = cr3_read();
}

void test_space_leave(struct test_space *space)
{
	paging_load_kernel_root();
	address_space_leave_cpu(&space->space, cpu_index());
}

pte_t *test_space_entry(struct test_space *space, uint64_t address, unsigned level)
{
	pte_t *table = space->space.root_table;

	for (unsigned at = PTE_LEVELS; at > level; at--)
		table = direct_map_of_frame(pte_frame(table[pte_index(address, at)]));
	return &table[pte_index(address, level)];
}
