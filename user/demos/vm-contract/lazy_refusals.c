#include "user/demos/vm-contract/lazy_refusals.h"

#include <stddef.h>

#include "lib/check.h"
#include "user/demos/vm-contract/contract.h"

static uint64_t room(enum ledger_kind kind)
{
	struct ledger_reading reading = contract_statistics().ledger[kind];

	return reading.limit - reading.used;
}

static uint64_t break_now(void)
{
	void *end;

	CHECK(virtual_memory_client_break(contract.memory, NULL, &end) == STATUS_OK);
	return (uint64_t)end;
}

static void set_break(uint64_t address)
{
	void *end;

	CHECK(virtual_memory_client_break(contract.memory, (const void *)address, &end) == STATUS_OK);
}

static void refuse_break(const char *why, uint64_t address, enum status wanted)
{
	contract_refuse("break", why, REQUEST(contract.memory.handle, VIRTUAL_MEMORY_BREAK, address), wanted);
	CHECK(break_now() != address);
}

static void refuse_commit(const char *why, const void *address, uint64_t pages, enum status wanted)
{
	contract_refuse("commit lazily", why,
			REQUEST(contract.memory.handle, VIRTUAL_MEMORY_COMMIT, (uint64_t)address, BYTES(pages),
				READ_WRITE, VIRTUAL_MEMORY_LAZY),
			wanted);
}

/* What is refused to an eager commit is refused to a lazy one. */
static void refuse_foreign(void)
{
	struct memory_object_client object;
	void *range, *mapping;
	uint64_t here = 0;

	CHECK(contract_reserve(4, &range) == STATUS_OK);
	CHECK(contract_unmap(range, 1) == STATUS_OK);
	refuse_commit("begins before the reservation", range, 2, STATUS_NOT_RESERVED);
	refuse_commit("stack", (const void *)((uint64_t)&here & ~(PAGE_SIZE - 1)), 1, STATUS_NOT_RESERVED);
	CHECK(contract_unmap(contract_page(range, 1), 3) == STATUS_OK);
	CHECK(contract_allocate(1, &object) == STATUS_OK);
	CHECK(contract_map_object(object, 0, 1, READ_WRITE, &mapping) == STATUS_OK);
	refuse_commit("mapping of an object", mapping, 1, STATUS_NOT_RESERVED);
	CHECK(memory_object_client_unmap(object, mapping, BYTES(1)) == STATUS_OK);
	CHECK(ring_client_release(object.handle) == STATUS_OK);
}

/* A lazy page is in use: nothing else goes there, and it is nobody's mapping. */
static void refuse_lazy_page(void)
{
	struct memory_object_client object;
	handle_t memory = contract.memory.handle;
	void *range;

	CHECK(contract_map_lazy(2, READ_WRITE, &range) == STATUS_OK);
	contract_refuse(
		"map", "fixed onto lazy",
		REQUEST(memory, VIRTUAL_MEMORY_MAP, (uint64_t)range, BYTES(1), READ_WRITE, VIRTUAL_MEMORY_FIXED),
		STATUS_OCCUPIED);
	contract_refuse("map lazily", "fixed onto lazy",
			REQUEST(memory, VIRTUAL_MEMORY_MAP, (uint64_t)range, BYTES(1), READ_WRITE,
				VIRTUAL_MEMORY_FIXED | VIRTUAL_MEMORY_LAZY),
			STATUS_OCCUPIED);
	contract_refuse("reserve", "fixed onto lazy",
			REQUEST(memory, VIRTUAL_MEMORY_RESERVE, (uint64_t)range, BYTES(1), VIRTUAL_MEMORY_FIXED),
			STATUS_OCCUPIED);
	contract_refuse("map lazily", "writable and executable",
			REQUEST(memory, VIRTUAL_MEMORY_MAP, 0, BYTES(1),
				PROTECTION_READ | PROTECTION_WRITE | PROTECTION_EXECUTE, VIRTUAL_MEMORY_LAZY),
			STATUS_BAD_PROTECTION);
	contract_refuse("protect", "lazy page, writable and executable",
			REQUEST(memory, VIRTUAL_MEMORY_PROTECT, (uint64_t)range, BYTES(1),
				PROTECTION_READ | PROTECTION_WRITE | PROTECTION_EXECUTE),
			STATUS_BAD_PROTECTION);
	CHECK(contract_allocate(1, &object) == STATUS_OK);
	contract_refuse("object unmap", "lazy memory",
			REQUEST(object.handle, MEMORY_OBJECT_UNMAP, (uint64_t)range, BYTES(1)), STATUS_NOT_BORROWED);
	CHECK(ring_client_release(object.handle) == STATUS_OK);
	CHECK(contract_unmap(range, 2) == STATUS_OK);
}

static void refuse_quota(void)
{
	uint64_t pages = room(LEDGER_FRAME_GRANT) + 1;
	handle_t memory = contract.memory.handle;
	void *range;

	contract_refuse("map lazily", "a page over the grant",
			REQUEST(memory, VIRTUAL_MEMORY_MAP, 0, BYTES(pages), READ_WRITE, VIRTUAL_MEMORY_LAZY),
			STATUS_OVER_FRAME_GRANT);
	contract_refuse("map lazily", "a page over the reservation",
			REQUEST(memory, VIRTUAL_MEMORY_MAP, 0, BYTES(room(LEDGER_VIRTUAL_RESERVATION) + 1), READ_WRITE,
				VIRTUAL_MEMORY_LAZY),
			STATUS_OVER_VIRTUAL_RESERVATION);
	CHECK(contract_reserve(pages, &range) == STATUS_OK);
	refuse_commit("a page over the grant", range, pages, STATUS_OVER_FRAME_GRANT);
	CHECK(contract_unmap(range, pages) == STATUS_OK);
}

static void refuse_breaks(void)
{
	uint64_t start = break_now();
	void *other;

	refuse_break("a byte below the heap", start - 1, STATUS_BAD_ARGUMENT);
	refuse_break("far below the heap", 1, STATUS_BAD_ARGUMENT);
	refuse_break("end of the user half", USER_LIMIT, STATUS_HEAP_MEETS_MAPPING);
	refuse_break("kernel half", KERNEL_ADDRESS, STATUS_HEAP_MEETS_MAPPING);
	refuse_break("last of 2^64", UINT64_MAX, STATUS_HEAP_MEETS_MAPPING);
	refuse_break("a page over the reservation", start + BYTES(room(LEDGER_VIRTUAL_RESERVATION) + 1),
		     STATUS_OVER_VIRTUAL_RESERVATION);
	refuse_break("a page over the grant", start + BYTES(room(LEDGER_FRAME_GRANT) + 1), STATUS_OVER_FRAME_GRANT);
	CHECK(virtual_memory_client_reserve(contract.memory, (const void *)(start + BYTES(700)), BYTES(1),
					    VIRTUAL_MEMORY_FIXED, &other) == STATUS_OK);
	set_break(start + BYTES(699) + 5);
	refuse_break("a byte into a mapping", start + BYTES(700) + 1, STATUS_HEAP_MEETS_MAPPING);
	refuse_break("over a mapping", start + BYTES(800), STATUS_HEAP_MEETS_MAPPING);
	CHECK(contract_unmap(other, 1) == STATUS_OK);
	CHECK(contract_unmap((const void *)(start + BYTES(3)), 1) == STATUS_OK);
	refuse_break("a page that was unmapped would go", start + 1, STATUS_NOT_RESERVED);
	CHECK(virtual_memory_client_reserve(contract.memory, (const void *)(start + BYTES(3)), BYTES(1),
					    VIRTUAL_MEMORY_FIXED, &other) == STATUS_OK);
	set_break(start);
}

void lazy_refusals_check(void)
{
	refuse_foreign();
	refuse_lazy_page();
	refuse_quota();
	refuse_breaks();
}
