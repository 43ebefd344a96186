#include "user/demos/vm-contract/lazy_promises.h"

#include "lib/check.h"
#include "user/demos/vm-contract/contract.h"

static uint64_t free_frames(void)
{
	return contract_statistics().system_free_frames;
}

static uint32_t kind_of(const void *address)
{
	struct virtual_memory_region region = { .kind = PAGE_KIND_COUNT };

	CHECK(virtual_memory_client_query(contract.memory, address, &region) == STATUS_OK);
	return region.kind;
}

static uint32_t protection_of(const void *address)
{
	struct virtual_memory_region region = { .protection = UINT32_MAX };

	CHECK(virtual_memory_client_query(contract.memory, address, &region) == STATUS_OK);
	return region.protection;
}

static uint64_t read_word(const void *address)
{
	return *(const volatile uint64_t *)address;
}

/* 600 pages, so that more than one table is above them. */
static void lazy_memory_is_charged_at_once(void)
{
	const uint64_t pages = 600;
	uint64_t reserved = contract_used(LEDGER_VIRTUAL_RESERVATION);
	uint64_t granted = contract_used(LEDGER_FRAME_GRANT);
	uint64_t tables = contract_used(LEDGER_PAGE_TABLE);
	uint64_t frames = free_frames();
	void *range;

	EXPECT_OK(contract_map_lazy(pages, READ_WRITE, &range));
	EXPECT_EQUAL(contract_used(LEDGER_VIRTUAL_RESERVATION), reserved + pages);
	EXPECT_EQUAL(contract_used(LEDGER_FRAME_GRANT), granted + pages);
	EXPECT_EQUAL(frames - free_frames(), contract_used(LEDGER_PAGE_TABLE) - tables);
	EXPECT_OK(contract_unmap(range, pages));
}

/* One frame a page, and no ledger moves. */
static void lazy_memory_gets_frames_at_the_touch(void)
{
	const uint64_t pages = 600;
	struct memory_statistics before, after;
	void *range;

	EXPECT_OK(contract_map_lazy(pages, READ_WRITE, &range));
	before = contract_statistics();
	for (uint64_t i = 0; i < pages; i++) {
		if (i % 2 == 0)
			EXPECT_EQUAL(read_word(contract_page(range, i)), 0);
		else
			*(volatile uint64_t *)contract_page(range, i) = i;
	}
	after = contract_statistics();
	EXPECT_EQUAL(before.system_free_frames - after.system_free_frames, pages);
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		EXPECT_EQUAL(after.ledger[kind].used, before.ledger[kind].used);
	for (uint64_t i = 0; i < pages; i++)
		EXPECT_EQUAL(read_word(contract_page(range, i)), i % 2 == 0 ? 0 : i);
	EXPECT_EQUAL(free_frames(), after.system_free_frames);
	EXPECT_OK(contract_unmap(range, pages));
}

static void lazy_memory_is_zeroed(void)
{
	void *range;

	EXPECT_OK(contract_map(64, READ_WRITE, &range));
	contract_fill(range, 64, 0xab);
	EXPECT_OK(contract_unmap(range, 64));
	EXPECT_OK(contract_map_lazy(64, READ_WRITE, &range));
	EXPECT(contract_is_filled(range, 64, 0));
	EXPECT_OK(contract_unmap(range, 64));
}

/* What the kernel reads and writes for a program is touched like that, and no page beside it. */
static void kernel_touches_lazy_memory(void)
{
	uint64_t frames;
	void *range;

	EXPECT_OK(contract_map_lazy(6, READ_WRITE, &range));
	frames = free_frames();
	EXPECT(contract_is_writable(contract_page(range, 1)));
	EXPECT(contract_is_readable(contract_page(range, 3)));
	EXPECT_EQUAL(frames - free_frames(), 2);
	EXPECT_OK(virtual_memory_client_statistics(contract.memory,
						   (void *)((uint64_t)contract_page(range, 5) - sizeof(uint64_t))));
	EXPECT_EQUAL(frames - free_frames(), 4);
	EXPECT_EQUAL(kind_of(range), PAGE_LAZY);
	EXPECT_OK(contract_unmap(range, 6));
}

static void lazy_memory_keeps_its_protection(void)
{
	uint64_t frames;
	void *range;

	EXPECT_OK(contract_map_lazy(2, READ_ONLY, &range));
	frames = free_frames();
	EXPECT(!contract_is_writable(range));
	EXPECT_EQUAL(free_frames(), frames); /* what is refused touches nothing */
	EXPECT_EQUAL(read_word(range), 0);
	EXPECT(!contract_is_writable(range));
	EXPECT_EQUAL(protection_of(range), READ_ONLY);
	EXPECT_OK(contract_protect(range, 2, PROTECTION_NONE));
	EXPECT(!contract_is_readable(contract_page(range, 1)));
	EXPECT_EQUAL(kind_of(contract_page(range, 1)), PAGE_LAZY);
	EXPECT_OK(contract_protect(range, 2, READ_WRITE));
	contract_fill(range, 2, 0x66);
	EXPECT_OK(contract_unmap(range, 2));
}

static void lazy_kinds_are_told(void)
{
	struct virtual_memory_region region;
	void *range;

	EXPECT_OK(contract_reserve(9, &range));
	EXPECT_OK(contract_commit_lazy(contract_page(range, 2), 6, READ_WRITE));
	EXPECT_OK(contract_protect(contract_page(range, 6), 2, READ_EXECUTE));
	*(volatile uint64_t *)contract_page(range, 4) = 1;
	EXPECT_EQUAL(kind_of(range), PAGE_RESERVED);
	EXPECT_OK(virtual_memory_client_query(contract.memory, contract_page(range, 3), &region));
	EXPECT_EQUAL(region.kind, PAGE_LAZY);
	EXPECT_EQUAL(region.protection, READ_WRITE);
	EXPECT_EQUAL(region.start, (uint64_t)contract_page(range, 2));
	EXPECT_EQUAL(region.end, (uint64_t)contract_page(range, 4));
	EXPECT_EQUAL(kind_of(contract_page(range, 4)), PAGE_ANONYMOUS);
	EXPECT_OK(virtual_memory_client_query(contract.memory, contract_page(range, 6), &region));
	EXPECT_EQUAL(region.kind, PAGE_LAZY);
	EXPECT_EQUAL(region.protection, READ_EXECUTE);
	EXPECT_EQUAL(kind_of(contract_page(range, 8)), PAGE_RESERVED);
	EXPECT_OK(contract_unmap(range, 9));
}

/* An eager commit gives what is lazy its frames, and changes no protection. */
static void commit_over_lazy_gives_frames(void)
{
	uint64_t granted, frames;
	void *range;

	EXPECT_OK(contract_reserve(8, &range));
	EXPECT_OK(contract_commit_lazy(contract_page(range, 1), 4, READ_WRITE));
	contract_fill(contract_page(range, 2), 1, 0x2a);
	granted = contract_used(LEDGER_FRAME_GRANT);
	frames = free_frames();
	EXPECT_OK(contract_commit(range, 8, READ_ONLY));
	EXPECT_EQUAL(contract_used(LEDGER_FRAME_GRANT), granted + 4);
	EXPECT_EQUAL(frames - free_frames(), 7);
	EXPECT_EQUAL(kind_of(contract_page(range, 1)), PAGE_ANONYMOUS);
	EXPECT_EQUAL(protection_of(range), READ_ONLY);
	EXPECT_EQUAL(protection_of(contract_page(range, 1)), READ_WRITE);
	EXPECT(contract_is_filled(contract_page(range, 2), 1, 0x2a));
	EXPECT(contract_is_filled(contract_page(range, 3), 5, 0));
	EXPECT_OK(contract_unmap(range, 8));
}

static void lazy_commit_changes_nothing_committed(void)
{
	void *range;

	EXPECT_OK(contract_reserve(4, &range));
	EXPECT_OK(contract_commit(contract_page(range, 1), 1, READ_ONLY));
	EXPECT_OK(contract_commit_lazy(contract_page(range, 2), 1, READ_EXECUTE));
	EXPECT_OK(contract_commit_lazy(range, 4, READ_WRITE));
	EXPECT_EQUAL(kind_of(contract_page(range, 1)), PAGE_ANONYMOUS);
	EXPECT_EQUAL(protection_of(contract_page(range, 1)), READ_ONLY);
	EXPECT_EQUAL(kind_of(contract_page(range, 2)), PAGE_LAZY);
	EXPECT_EQUAL(protection_of(contract_page(range, 2)), READ_EXECUTE);
	EXPECT_EQUAL(protection_of(contract_page(range, 3)), READ_WRITE);
	EXPECT_OK(contract_unmap(range, 4));
}

static void decommit_of_lazy_refunds(void)
{
	uint64_t granted = contract_used(LEDGER_FRAME_GRANT);
	void *range;

	EXPECT_OK(contract_map_lazy(8, READ_WRITE, &range));
	contract_fill(contract_page(range, 3), 2, 0xcc);
	EXPECT_OK(contract_decommit(range, 6));
	EXPECT_EQUAL(contract_used(LEDGER_FRAME_GRANT), granted + 2);
	EXPECT(!contract_is_readable(range));
	EXPECT(!contract_is_readable(contract_page(range, 3)));
	EXPECT_EQUAL(kind_of(range), PAGE_RESERVED);
	EXPECT_OK(contract_commit_lazy(range, 6, READ_WRITE));
	EXPECT(contract_is_filled(range, 8, 0));
	EXPECT_OK(contract_unmap(range, 8));
}

/* No quota is left when they are touched: they have been paid for. */
static void touch_needs_no_quota(void)
{
	struct ledger_reading grant = contract_statistics().ledger[LEDGER_FRAME_GRANT];
	uint64_t pages = grant.limit - grant.used;
	void *range;

	EXPECT_OK(contract_map_lazy(pages, READ_WRITE, &range));
	EXPECT_EQUAL(contract_used(LEDGER_FRAME_GRANT), grant.limit);
	for (uint64_t i = 0; i < pages; i += pages / 20 + 1)
		EXPECT_EQUAL(read_word(contract_page(range, i)), 0);
	contract_fill(contract_page(range, pages - 1), 1, 1);
	EXPECT_OK(contract_unmap(range, pages));
}

void lazy_promises_check(void)
{
	static const struct promise promise[] = {
		{ "lazy-memory-is-charged-at-once", lazy_memory_is_charged_at_once },
		{ "lazy-memory-gets-frames-at-the-touch", lazy_memory_gets_frames_at_the_touch },
		{ "lazy-memory-is-zeroed", lazy_memory_is_zeroed },
		{ "kernel-touches-lazy-memory", kernel_touches_lazy_memory },
		{ "lazy-memory-keeps-its-protection", lazy_memory_keeps_its_protection },
		{ "lazy-kinds-are-told", lazy_kinds_are_told },
		{ "commit-over-lazy-gives-frames", commit_over_lazy_gives_frames },
		{ "lazy-commit-changes-nothing-committed", lazy_commit_changes_nothing_committed },
		{ "decommit-of-lazy-refunds", decommit_of_lazy_refunds },
		{ "touch-needs-no-quota", touch_needs_no_quota },
	};

	contract_check(promise, COUNT_OF(promise));
}
