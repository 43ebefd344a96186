#include "user/demos/vm-contract/table_promises.h"

#include "lib/check.h"
#include "user/demos/vm-contract/contract.h"

#define GIB_PAGES (UINT64_C(1) << 18)
#define BLOCK_PAGES UINT64_C(512) /* of one lowest page table */
#define FEW_TABLES UINT64_C(6)    /* two ends of a range, three levels below the root */

/* Reserve much, pay little, get all of it back; a quota below that is a refusal and no fault. */
static void large_reservation_is_cheap(uint64_t pages)
{
	uint64_t tables = contract_used(LEDGER_PAGE_TABLE);
	void *range;
	enum status status = contract_reserve(pages, &range);

	if (status == STATUS_OVER_VIRTUAL_RESERVATION)
		return;
	EXPECT_OK(status);
	EXPECT(contract_used(LEDGER_PAGE_TABLE) - tables <= FEW_TABLES);
	EXPECT_OK(contract_commit(contract_page(range, pages / 2), 1, READ_WRITE));
	contract_fill(contract_page(range, pages / 2), 1, 1);
	EXPECT(contract_used(LEDGER_PAGE_TABLE) - tables <= 2 * FEW_TABLES);
	EXPECT_OK(contract_unmap(range, pages));
	EXPECT_EQUAL(contract_used(LEDGER_PAGE_TABLE), tables);
}

static void a_gigabyte_costs_few_tables(void)
{
	large_reservation_is_cheap(GIB_PAGES);
}

static void half_a_terabyte_costs_few_tables(void)
{
	large_reservation_is_cheap(512 * GIB_PAGES);
}

/* A page in the middle of a large reservation needs tables while it is committed, and no longer. */
static void split_tables_merge_back(void)
{
	uint64_t reserved;
	void *range;

	EXPECT_OK(contract_reserve(4 * BLOCK_PAGES, &range));
	reserved = contract_used(LEDGER_PAGE_TABLE);
	for (uint32_t round = 0; round < 3; round++) {
		EXPECT_OK(contract_commit(contract_page(range, BLOCK_PAGES + 100), 1, READ_WRITE));
		EXPECT(contract_used(LEDGER_PAGE_TABLE) >= reserved);
		EXPECT_OK(contract_decommit(contract_page(range, BLOCK_PAGES + 100), 1));
		EXPECT_EQUAL(contract_used(LEDGER_PAGE_TABLE), reserved);
	}
	EXPECT_OK(contract_unmap(range, 4 * BLOCK_PAGES));
}

static void hole_in_a_reservation_heals(void)
{
	uint64_t reserved;
	void *range, *again;

	EXPECT_OK(contract_reserve(4 * BLOCK_PAGES, &range));
	reserved = contract_used(LEDGER_PAGE_TABLE);
	EXPECT_OK(contract_unmap(contract_page(range, 700), 10));
	EXPECT_OK(virtual_memory_client_reserve(contract.memory, contract_page(range, 700), BYTES(10),
						VIRTUAL_MEMORY_FIXED, &again));
	EXPECT_EQUAL(contract_used(LEDGER_PAGE_TABLE), reserved);
	EXPECT_OK(contract_unmap(range, 4 * BLOCK_PAGES));
}

/* One page in each 2 MiB: a table each, charged, and given back. */
static void sparse_pages_pay_for_their_tables(void)
{
	enum {
		BLOCKS = 16
	};
	struct contract_reading before, sparse;
	void *range;

	EXPECT_OK(contract_reserve(BLOCKS * BLOCK_PAGES, &range));
	before = contract_read();
	for (uint32_t i = 0; i < BLOCKS; i++)
		EXPECT_OK(contract_commit(contract_page(range, i * BLOCK_PAGES + 7), 1, READ_WRITE));
	sparse = contract_read();
	uint64_t tables =
		sparse.statistics.ledger[LEDGER_PAGE_TABLE].used - before.statistics.ledger[LEDGER_PAGE_TABLE].used;

	EXPECT(tables >= BLOCKS - 2 && tables <= BLOCKS + FEW_TABLES);
	EXPECT_EQUAL(before.machine.free_frames - sparse.machine.free_frames, BLOCKS + tables);
	EXPECT_OK(contract_decommit(range, BLOCKS * BLOCK_PAGES));
	EXPECT_EQUAL(contract_used(LEDGER_PAGE_TABLE), before.statistics.ledger[LEDGER_PAGE_TABLE].used);
	EXPECT_OK(contract_unmap(range, BLOCKS * BLOCK_PAGES));
}

/* Page by page, committed, then decommitted in another order: the range ends as one reservation again. */
static void piecemeal_ends_as_one(void)
{
	enum {
		PAGES = 64
	};
	struct virtual_memory_region region;
	void *range;

	EXPECT_OK(contract_reserve(PAGES, &range));
	for (uint32_t i = 0; i < PAGES; i++)
		EXPECT_OK(contract_commit(contract_page(range, (i * 27) % PAGES), 1, READ_WRITE));
	EXPECT_OK(virtual_memory_client_query(contract.memory, range, &region));
	EXPECT_EQUAL(region.kind, PAGE_ANONYMOUS);
	EXPECT_EQUAL(region.end - region.start, BYTES(PAGES));
	for (uint32_t i = 0; i < PAGES; i++)
		EXPECT_OK(contract_decommit(contract_page(range, (i * 11) % PAGES), 1));
	EXPECT_OK(virtual_memory_client_query(contract.memory, range, &region));
	EXPECT_EQUAL(region.kind, PAGE_RESERVED);
	EXPECT_OK(contract_unmap(range, PAGES));
}

static void many_reservations_come_and_go(void)
{
	enum {
		RANGES = 600
	};
	static void *range[RANGES];

	for (uint32_t i = 0; i < RANGES; i++)
		EXPECT_OK(contract_reserve(1 + i % 7, &range[i]));
	for (uint32_t i = 0; i < RANGES; i += 2)
		EXPECT_OK(contract_unmap(range[i], 1 + i % 7));
	for (uint32_t i = 0; i < RANGES; i += 2)
		EXPECT_OK(contract_reserve(1 + i % 7, &range[i]));
	for (uint32_t i = 0; i < RANGES; i++)
		EXPECT_OK(contract_unmap(range[i], 1 + i % 7));
}

static void object_mapping_returns_its_tables(void)
{
	enum {
		PAGES = 700
	}; /* more than one lowest table */
	uint64_t tables = contract_used(LEDGER_PAGE_TABLE);
	struct memory_object_client object;
	void *range;

	EXPECT_OK(contract_allocate(PAGES, &object));
	EXPECT_OK(contract_map_object(object, 0, PAGES, READ_WRITE, &range));
	contract_fill(range, PAGES, 0x12);
	EXPECT(contract_is_filled(range, PAGES, 0x12));
	EXPECT_OK(memory_object_client_protect(object, range, BYTES(PAGES), READ_ONLY));
	EXPECT_OK(memory_object_client_unmap(object, range, BYTES(PAGES)));
	EXPECT_EQUAL(contract_used(LEDGER_PAGE_TABLE), tables);
	EXPECT_OK(ring_client_release(object.handle));
}

void table_promises_check(void)
{
	static const struct promise promise[] = {
		{ "a-gigabyte-costs-few-tables", a_gigabyte_costs_few_tables },
		{ "half-a-terabyte-costs-few-tables", half_a_terabyte_costs_few_tables },
		{ "split-tables-merge-back", split_tables_merge_back },
		{ "hole-in-a-reservation-heals", hole_in_a_reservation_heals },
		{ "sparse-pages-pay-for-their-tables", sparse_pages_pay_for_their_tables },
		{ "piecemeal-ends-as-one", piecemeal_ends_as_one },
		{ "many-reservations-come-and-go", many_reservations_come_and_go },
		{ "object-mapping-returns-its-tables", object_mapping_returns_its_tables },
	};

	contract_check(promise, COUNT_OF(promise));
}
