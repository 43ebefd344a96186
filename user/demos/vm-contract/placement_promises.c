#include "user/demos/vm-contract/placement_promises.h"

#include <stddef.h>

#include "lib/check.h"
#include "user/demos/vm-contract/contract.h"

static enum status reserve_at(const void *hint, uint64_t pages, uint32_t flags, void **range)
{
	return virtual_memory_client_reserve(contract.memory, hint, BYTES(pages), flags, range);
}

/* An address that is free and has free neighbours: found by reserving and giving back. */
static enum status find_free(uint64_t pages, void **range)
{
	TRY(contract_reserve(pages, range));
	return contract_unmap(*range, pages);
}

static void free_hint_is_taken(void)
{
	void *wish, *range;

	EXPECT_OK(find_free(64, &wish));
	wish = contract_page(wish, 16);
	EXPECT_OK(reserve_at(wish, 8, 0, &range));
	EXPECT_EQUAL((uint64_t)range, (uint64_t)wish);
	EXPECT_OK(contract_unmap(range, 8));
}

static void occupied_hint_gives_another_place(void)
{
	void *first, *second;

	EXPECT_OK(contract_map(4, READ_WRITE, &first));
	contract_fill(first, 4, 0x10);
	EXPECT_OK(reserve_at(contract_page(first, 2), 8, 0, &second));
	EXPECT((uint64_t)second >= (uint64_t)first + BYTES(4) || (uint64_t)second + BYTES(8) <= (uint64_t)first);
	EXPECT(contract_is_filled(first, 4, 0x10));
	EXPECT_OK(contract_unmap(second, 8));
	EXPECT_OK(contract_unmap(first, 4));
}

static void useless_hint_gives_another_place(void)
{
	static const uint64_t hint[] = { KERNEL_ADDRESS,
					 NON_CANONICAL_ADDRESS,
					 CAPSET_ADDRESS,
					 RING_ADDRESS,
					 USER_LIMIT - PAGE_SIZE,
					 1,
					 UINT64_MAX - PAGE_SIZE + 1 };
	void *range;

	for (uint32_t i = 0; i < COUNT_OF(hint); i++) {
		EXPECT_OK(reserve_at((const void *)hint[i], 2, 0, &range));
		EXPECT((uint64_t)range >= USER_START && (uint64_t)range <= USER_LIMIT - BYTES(2));
		EXPECT((uint64_t)range % PAGE_SIZE == 0);
		EXPECT((uint64_t)range >= BOOTSTRAP_END || (uint64_t)range + BYTES(2) <= BOOTSTRAP_START);
		EXPECT_OK(contract_unmap(range, 2));
	}
}

static void fixed_is_exact(void)
{
	void *wish, *range;

	EXPECT_OK(find_free(32, &wish));
	wish = contract_page(wish, 7);
	EXPECT_OK(reserve_at(wish, 3, VIRTUAL_MEMORY_FIXED, &range));
	EXPECT_EQUAL((uint64_t)range, (uint64_t)wish);
	EXPECT_OK(contract_unmap(range, 3));
	EXPECT_OK(virtual_memory_client_map(contract.memory, wish, BYTES(3), READ_WRITE, VIRTUAL_MEMORY_FIXED, &range));
	EXPECT_EQUAL((uint64_t)range, (uint64_t)wish);
	EXPECT_OK(contract_unmap(range, 3));
}

/* The first page that may be mapped, and the last. */
static void edges_of_the_user_half_are_usable(void)
{
	void *low, *high;

	EXPECT_OK(reserve_at((const void *)USER_START, 1, VIRTUAL_MEMORY_FIXED, &low));
	EXPECT_OK(contract_commit(low, 1, READ_WRITE));
	contract_fill(low, 1, 1);
	EXPECT_OK(contract_unmap(low, 1));
	struct virtual_memory_region region;

	EXPECT_OK(virtual_memory_client_query(contract.memory, (const void *)(USER_LIMIT - PAGE_SIZE), &region));
	if (region.kind != PAGE_EMPTY)
		return; /* the stack is there */
	EXPECT_OK(reserve_at((const void *)(USER_LIMIT - PAGE_SIZE), 1, VIRTUAL_MEMORY_FIXED, &high));
	EXPECT_OK(contract_commit(high, 1, READ_WRITE));
	contract_fill(high, 1, 1);
	EXPECT_OK(contract_unmap(high, 1));
}

static void ranges_may_span_reservations(void)
{
	void *place, *range;

	EXPECT_OK(find_free(12, &place));
	for (uint64_t i = 0; i < 3; i++)
		EXPECT_OK(reserve_at(contract_page(place, 4 * i), 4, VIRTUAL_MEMORY_FIXED, &range));
	EXPECT_OK(contract_commit(contract_page(place, 2), 8, READ_WRITE));
	contract_fill(contract_page(place, 2), 8, 0x66);
	EXPECT_OK(contract_protect(contract_page(place, 3), 6, READ_ONLY));
	EXPECT(contract_is_filled(contract_page(place, 2), 8, 0x66));
	EXPECT_OK(contract_decommit(contract_page(place, 1), 10));
	EXPECT_OK(contract_unmap(place, 12));
}

static void unmap_may_take_a_part(void)
{
	struct virtual_memory_region region;
	void *range, *again;

	EXPECT_OK(contract_map(9, READ_WRITE, &range));
	contract_fill(range, 9, 0x31);
	EXPECT_OK(contract_unmap(contract_page(range, 3), 3));
	EXPECT(contract_is_filled(range, 3, 0x31));
	EXPECT(contract_is_filled(contract_page(range, 6), 3, 0x31));
	EXPECT_OK(virtual_memory_client_query(contract.memory, contract_page(range, 4), &region));
	EXPECT_EQUAL(region.kind, PAGE_EMPTY);
	EXPECT_EQUAL(region.start, (uint64_t)range + BYTES(3));
	EXPECT_EQUAL(region.end, (uint64_t)range + BYTES(6));
	EXPECT_OK(reserve_at(contract_page(range, 3), 3, VIRTUAL_MEMORY_FIXED, &again)); /* the hole is free again */
	EXPECT_OK(contract_unmap(range, 9));
}

static void unmap_takes_committed_and_uncommitted(void)
{
	void *range;

	EXPECT_OK(contract_reserve(8, &range));
	EXPECT_OK(contract_commit(contract_page(range, 1), 2, READ_WRITE));
	EXPECT_OK(contract_commit(contract_page(range, 5), 1, PROTECTION_NONE));
	EXPECT_OK(contract_unmap(range, 8));
	EXPECT(!contract_is_readable(contract_page(range, 1)));
}

static void ranges_do_not_overlap(void)
{
	enum {
		RANGES = 32
	};
	void *range[RANGES];

	for (uint32_t i = 0; i < RANGES; i++) {
		EXPECT_OK(contract_map(1 + i % 3, READ_WRITE, &range[i]));
		contract_fill(range[i], 1 + i % 3, (uint8_t)i);
	}
	for (uint32_t i = 0; i < RANGES; i++)
		EXPECT(contract_is_filled(range[i], 1 + i % 3, (uint8_t)i));
	for (uint32_t i = 0; i < RANGES; i++)
		EXPECT_OK(contract_unmap(range[i], 1 + i % 3));
}

void placement_promises_check(void)
{
	static const struct promise promise[] = {
		{ "free-hint-is-taken", free_hint_is_taken },
		{ "occupied-hint-gives-another-place", occupied_hint_gives_another_place },
		{ "useless-hint-gives-another-place", useless_hint_gives_another_place },
		{ "fixed-is-exact", fixed_is_exact },
		{ "edges-of-the-user-half-are-usable", edges_of_the_user_half_are_usable },
		{ "ranges-may-span-reservations", ranges_may_span_reservations },
		{ "unmap-may-take-a-part", unmap_may_take_a_part },
		{ "unmap-takes-committed-and-uncommitted", unmap_takes_committed_and_uncommitted },
		{ "ranges-do-not-overlap", ranges_do_not_overlap },
	};

	contract_check(promise, COUNT_OF(promise));
}
