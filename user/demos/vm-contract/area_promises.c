#include "user/demos/vm-contract/area_promises.h"

#include "lib/check.h"
#include "user/demos/vm-contract/contract.h"
#include "user/runtime/resident.h"

static enum status set_break(uint64_t address, uint64_t *end)
{
	void *at;

	TRY(virtual_memory_client_break(contract.memory, (const void *)address, &at));
	*end = (uint64_t)at;
	return STATUS_OK;
}

static struct virtual_memory_region region_at(uint64_t address)
{
	struct virtual_memory_region region = { .kind = PAGE_KIND_COUNT };

	CHECK(virtual_memory_client_query(contract.memory, (const void *)address, &region) == STATUS_OK);
	return region;
}

/* ---- the break ---- */

static void break_is_asked_for(void)
{
	uint64_t start, again;

	EXPECT_OK(set_break(0, &start));
	EXPECT(start >= USER_START && start < USER_LIMIT && start % PAGE_SIZE == 0);
	EXPECT_OK(set_break(0, &again));
	EXPECT_EQUAL(again, start);
	EXPECT_OK(set_break(start, &again));
	EXPECT_EQUAL(again, start);
	EXPECT_EQUAL(region_at(start).kind, PAGE_EMPTY);
}

/* Bytes are kept exactly; pages are lazy and charged like a lazy MAP. */
static void break_grows_and_shrinks(void)
{
	uint64_t reserved = contract_used(LEDGER_VIRTUAL_RESERVATION), granted = contract_used(LEDGER_FRAME_GRANT);
	uint64_t start, end;

	EXPECT_OK(set_break(0, &start));
	EXPECT_OK(set_break(start + BYTES(3) + 17, &end));
	EXPECT_EQUAL(end, start + BYTES(3) + 17);
	EXPECT_EQUAL(region_at(start).kind, PAGE_LAZY);
	EXPECT_EQUAL(region_at(start).protection, READ_WRITE);
	EXPECT_EQUAL(region_at(start).end, start + BYTES(4));
	EXPECT_EQUAL(contract_used(LEDGER_VIRTUAL_RESERVATION), reserved + 4);
	EXPECT_EQUAL(contract_used(LEDGER_FRAME_GRANT), granted + 4);
	EXPECT_OK(set_break(start + BYTES(4), &end)); /* inside of the last page */
	EXPECT_EQUAL(contract_used(LEDGER_FRAME_GRANT), granted + 4);
	EXPECT_OK(set_break(start + 1, &end));
	EXPECT_EQUAL(contract_used(LEDGER_VIRTUAL_RESERVATION), reserved + 1);
	EXPECT_EQUAL(contract_used(LEDGER_FRAME_GRANT), granted + 1);
	EXPECT_OK(set_break(start, &end));
	EXPECT_EQUAL(region_at(start).kind, PAGE_EMPTY);
}

static void break_keeps_data_below_it(void)
{
	uint64_t start, end;

	EXPECT_OK(set_break(0, &start));
	EXPECT_OK(set_break(start + BYTES(6), &end));
	EXPECT(contract_is_filled((const void *)start, 6, 0));
	contract_fill((void *)start, 6, 0x71);
	EXPECT_OK(set_break(start + BYTES(2) + 1, &end));
	EXPECT(contract_is_filled((const void *)start, 3, 0x71)); /* the rest of its page is the program's too */
	EXPECT(!contract_is_readable((const void *)(start + BYTES(3))));
	EXPECT_OK(set_break(start + BYTES(6), &end));
	EXPECT(contract_is_filled((const void *)start, 3, 0x71));
	EXPECT(contract_is_filled((const void *)(start + BYTES(3)), 3, 0));
	EXPECT_OK(set_break(start, &end));
}

/* Its pages are reservations like others: they may be protected and decommitted, and still go back. */
static void heap_is_the_programs_own(void)
{
	uint64_t start, end;

	EXPECT_OK(set_break(0, &start));
	EXPECT_OK(set_break(start + BYTES(8), &end));
	contract_fill((void *)start, 8, 3);
	EXPECT_OK(contract_protect((const void *)start, 2, READ_ONLY));
	EXPECT_OK(contract_decommit((const void *)(start + BYTES(4)), 4));
	EXPECT_OK(set_break(start + BYTES(1), &end));
	EXPECT_EQUAL(region_at(start).protection, READ_ONLY);
	EXPECT_OK(set_break(start, &end));
}

/* ---- mappings and the stack ---- */

/* Of two small reservations in a row one stands right beside the other. */
static void mappings_keep_together(void)
{
	void *first, *second;

	EXPECT_OK(contract_reserve(1, &first));
	EXPECT_OK(contract_reserve(1, &second));
	EXPECT(second == contract_page(first, 1) || first == contract_page(second, 1));
	EXPECT_OK(contract_unmap(first, 1));
	EXPECT_OK(contract_unmap(second, 1));
}

/* A page far below the deepest one so far: what lies between is charged, and it alone gets a frame. Lasting. */
static void stack_grows_on_demand(void)
{
	struct memory_statistics before, after;
	struct virtual_memory_region stack;
	uint64_t here = 0, deep;

	resident_make(RESIDENT_STACK_BYTES);
	before = contract_statistics();
	stack = region_at((uint64_t)&here);
	deep = stack.start - BYTES(9);
	EXPECT_EQUAL(region_at(deep).kind, PAGE_GUARD);
	*(volatile uint64_t *)deep = 5;
	after = contract_statistics();
	EXPECT_EQUAL(after.ledger[LEDGER_IMAGE].used, before.ledger[LEDGER_IMAGE].used + 9);
	EXPECT_EQUAL(before.system_free_frames - after.system_free_frames,
		     1 + after.ledger[LEDGER_PAGE_TABLE].used - before.ledger[LEDGER_PAGE_TABLE].used);
	EXPECT_EQUAL(region_at(deep).kind, PAGE_IMAGE);
	EXPECT_EQUAL(region_at(deep + BYTES(1)).kind, PAGE_LAZY);
	EXPECT_EQUAL(region_at(deep + BYTES(1)).protection, READ_WRITE);
	EXPECT_EQUAL(region_at(deep - 1).kind, PAGE_GUARD);
	for (uint64_t page = deep; page < stack.start; page += PAGE_SIZE)
		EXPECT_EQUAL(*(volatile uint64_t *)page, page == deep ? 5 : 0);
}

void area_promises_check(void)
{
	static const struct promise promise[] = {
		{ "break-is-asked-for", break_is_asked_for },
		{ "break-grows-and-shrinks", break_grows_and_shrinks },
		{ "break-keeps-data-below-it", break_keeps_data_below_it },
		{ "heap-is-the-programs-own", heap_is_the_programs_own },
		{ "mappings-keep-together", mappings_keep_together },
	};
	static const struct promise lasting[] = {
		{ "stack-grows-on-demand", stack_grows_on_demand },
	};

	contract_check(promise, COUNT_OF(promise));
	contract_check_lasting(lasting, COUNT_OF(lasting));
}
