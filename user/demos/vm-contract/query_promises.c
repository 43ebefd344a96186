#include "user/demos/vm-contract/query_promises.h"

#include "abi/capset.h"
#include "abi/handle.h"
#include "abi/interface.h"
#include "lib/check.h"
#include "user/demos/vm-contract/contract.h"
#include "user/runtime/program.h"

#define MANY_REGIONS 10000u

static uint64_t constant_data(void);

static void expect_region(const void *address, enum page_kind kind, uint32_t protection)
{
	struct virtual_memory_region region;

	EXPECT_OK(virtual_memory_client_query(contract.memory, address, &region));
	EXPECT_EQUAL(region.kind, kind);
	EXPECT_EQUAL(region.protection, protection);
	EXPECT(region.start <= (uint64_t)address && (uint64_t)address < region.end);
	EXPECT(region.start % PAGE_SIZE == 0 && region.end % PAGE_SIZE == 0);
}

static void expect_bounds(const void *address, const void *start, uint64_t pages)
{
	struct virtual_memory_region region;

	EXPECT_OK(virtual_memory_client_query(contract.memory, address, &region));
	EXPECT_EQUAL(region.start, (uint64_t)start);
	EXPECT_EQUAL(region.end, (uint64_t)start + BYTES(pages));
}

/* Every kind and protection that anonymous memory has, side by side. */
static void anonymous_kinds_are_told(void)
{
	void *range;

	EXPECT_OK(contract_reserve(12, &range));
	EXPECT_OK(contract_commit(contract_page(range, 2), 2, READ_WRITE));
	EXPECT_OK(contract_commit(contract_page(range, 4), 2, READ_ONLY));
	EXPECT_OK(contract_commit(contract_page(range, 6), 2, READ_EXECUTE));
	EXPECT_OK(contract_commit(contract_page(range, 8), 2, PROTECTION_NONE));
	expect_region(range, PAGE_RESERVED, PROTECTION_NONE);
	expect_region(contract_page(range, 2), PAGE_ANONYMOUS, READ_WRITE);
	expect_region(contract_page(range, 4), PAGE_ANONYMOUS, READ_ONLY);
	expect_region(contract_page(range, 6), PAGE_ANONYMOUS, READ_EXECUTE);
	expect_region(contract_page(range, 8), PAGE_ANONYMOUS, PROTECTION_NONE);
	expect_region(contract_page(range, 10), PAGE_RESERVED, PROTECTION_NONE);
	expect_bounds(contract_page(range, 3), contract_page(range, 2), 2);
	expect_bounds(contract_page(range, 4), contract_page(range, 4), 2);
	expect_bounds((const char *)contract_page(range, 7) + 123, contract_page(range, 6), 2);
	expect_bounds(contract_page(range, 9), contract_page(range, 8), 2);
	EXPECT_OK(contract_unmap(range, 12));
	expect_region(range, PAGE_EMPTY, PROTECTION_NONE);
}

static void object_mappings_are_told(void)
{
	struct memory_object_client object;
	void *range;

	EXPECT_OK(contract_allocate(4, &object));
	EXPECT_OK(contract_map_object(object, 0, 4, READ_WRITE, &range));
	expect_region(range, PAGE_BORROWED, READ_WRITE);
	EXPECT_OK(memory_object_client_protect(object, range, BYTES(2), READ_EXECUTE));
	expect_region(range, PAGE_BORROWED, READ_EXECUTE);
	expect_bounds(range, range, 2);
	EXPECT_OK(memory_object_client_protect(object, range, BYTES(2), PROTECTION_NONE));
	expect_region(range, PAGE_BORROWED, PROTECTION_NONE);
	EXPECT_OK(memory_object_client_unmap(object, range, BYTES(4)));
	expect_region(range, PAGE_EMPTY, PROTECTION_NONE);
	EXPECT_OK(ring_client_release(object.handle));
}

static const uint64_t constant[4] = { 1, 2, 3, 4 };

static uint64_t constant_data(void)
{
	return (uint64_t)constant;
}

static void image_is_told(void)
{
	static uint64_t data = 1;
	uint64_t stack = 0;

	expect_region((const void *)(uint64_t)constant_data, PAGE_IMAGE, READ_EXECUTE);
	expect_region((const void *)constant_data(), PAGE_IMAGE, READ_ONLY);
	expect_region(&data, PAGE_IMAGE, READ_WRITE);
	expect_region(&stack, PAGE_IMAGE, READ_WRITE);
}

static void bootstrap_pages_are_told(void)
{
	expect_region((const void *)CAPSET_ADDRESS, PAGE_BOOTSTRAP, READ_ONLY);
	expect_region((const void *)RING_ADDRESS, PAGE_BOOTSTRAP, READ_WRITE);
}

/* The room that the stack may grow into looks like its guard; the guard's own lowest page is never had. */
static void stack_has_a_guard(void)
{
	struct virtual_memory_region region;
	uint64_t here = 0;

	region.start = (uint64_t)&here;
	do {
		EXPECT_OK(virtual_memory_client_query(contract.memory, (const void *)(region.start - 1), &region));
	} while (region.kind == PAGE_IMAGE || region.kind == PAGE_LAZY);
	EXPECT_EQUAL(region.kind, PAGE_GUARD);
	EXPECT_EQUAL(region.protection, PROTECTION_NONE);
	EXPECT(!contract_is_readable((const void *)region.start));
	EXPECT(!contract_is_writable((void *)region.start));
}

/* From the first user address to the last, without gap or overlap; and W^X holds for all of it. */
static void regions_tile_the_user_half(void)
{
	struct virtual_memory_region region, before = { .end = USER_START };
	uint32_t count = 0;

	while (before.end < USER_LIMIT) {
		EXPECT_OK(virtual_memory_client_query(contract.memory, (const void *)before.end, &region));
		EXPECT_EQUAL(region.start, before.end);
		EXPECT(region.end > region.start);
		EXPECT(region.kind != before.kind || region.protection != before.protection || count == 0);
		EXPECT((region.protection & PROTECTION_WRITE) == 0 || (region.protection & PROTECTION_EXECUTE) == 0);
		EXPECT(count++ < MANY_REGIONS);
		before = region;
	}
	EXPECT_EQUAL(before.end, USER_LIMIT);
}

/* No transfer may take the VirtualMemory capability out of this process: its hold says so. */
static void virtual_memory_is_bound_to_its_space(void)
{
	struct inspector_capability hold;
	uint64_t process = program_process_id();
	uint64_t slot = contract.memory.handle & HANDLE_INDEX_MASK;

	EXPECT_OK(inspector_client_capability(contract.inspector, process, slot, &hold));
	EXPECT_EQUAL(hold.capability, contract.memory.handle);
	EXPECT_EQUAL(hold.interface, (uint32_t)INTERFACE_VIRTUAL_MEMORY);
	EXPECT_EQUAL(hold.mode, 0);
}

/* The inspector's listing is the same without what is empty. */
static void inspector_lists_the_same_regions(void)
{
	struct virtual_memory_region listed, region;
	uint64_t address = 0;

	while (inspector_client_region(contract.inspector, program_process_id(), address, &listed) == STATUS_OK) {
		EXPECT(listed.kind != PAGE_EMPTY);
		EXPECT(listed.end > address);
		EXPECT_OK(virtual_memory_client_query(contract.memory, (const void *)listed.start, &region));
		EXPECT_EQUAL(region.start, listed.start);
		EXPECT_EQUAL(region.end, listed.end);
		EXPECT_EQUAL(region.kind, listed.kind);
		EXPECT_EQUAL(region.protection, listed.protection);
		address = listed.end;
	}
	EXPECT(address > RING_ADDRESS);
}

static void ledgers_are_the_sum_of_the_regions(void)
{
	struct contract_reading reading = contract_read();
	struct virtual_memory_region region;
	uint64_t address = 0, pages[PAGE_KIND_COUNT] = { 0 };

	while (inspector_client_region(contract.inspector, program_process_id(), address, &region) == STATUS_OK) {
		EXPECT(region.kind < PAGE_KIND_COUNT);
		pages[region.kind] += (region.end - region.start) >> PAGE_SHIFT;
		address = region.end;
	}
	EXPECT_EQUAL(reading.statistics.ledger[LEDGER_VIRTUAL_RESERVATION].used,
		     pages[PAGE_RESERVED] + pages[PAGE_ANONYMOUS]);
	EXPECT_EQUAL(reading.statistics.ledger[LEDGER_FRAME_GRANT].used, pages[PAGE_ANONYMOUS] + pages[PAGE_BORROWED]);
	/* what is lazy now is the image's: zeroed data, and the stack's */
	EXPECT_EQUAL(reading.statistics.ledger[LEDGER_IMAGE].used,
		     pages[PAGE_IMAGE] + pages[PAGE_LAZY] + pages[PAGE_BOOTSTRAP]);
}

static void program_cannot_write_what_it_may_not(void)
{
	EXPECT(contract_is_readable((const void *)CAPSET_ADDRESS));
	EXPECT(!contract_is_writable((void *)CAPSET_ADDRESS));
	EXPECT(contract_is_readable((const void *)RING_ADDRESS));
	EXPECT(contract_is_readable((const void *)(uint64_t)constant_data));
	EXPECT(!contract_is_writable((void *)(uint64_t)constant_data));
	EXPECT(contract_is_readable((const void *)constant_data()));
	EXPECT(!contract_is_writable((void *)constant_data()));
	EXPECT(!contract_is_writable((void *)KERNEL_ADDRESS));
	EXPECT(!contract_is_writable((void *)(KERNEL_ADDRESS + BYTES(1024))));
	EXPECT(!contract_is_writable((void *)UINT64_C(0xffffffff80100000)));
}

void query_promises_check(void)
{
	static const struct promise promise[] = {
		{ "anonymous-kinds-are-told", anonymous_kinds_are_told },
		{ "object-mappings-are-told", object_mappings_are_told },
		{ "image-is-told", image_is_told },
		{ "bootstrap-pages-are-told", bootstrap_pages_are_told },
		{ "stack-has-a-guard", stack_has_a_guard },
		{ "regions-tile-the-user-half", regions_tile_the_user_half },
		{ "inspector-lists-the-same-regions", inspector_lists_the_same_regions },
		{ "ledgers-are-the-sum-of-the-regions", ledgers_are_the_sum_of_the_regions },
		{ "virtual-memory-is-bound-to-its-space", virtual_memory_is_bound_to_its_space },
		{ "program-cannot-write-what-it-may-not", program_cannot_write_what_it_may_not },
	};

	contract_check(promise, COUNT_OF(promise));
}
