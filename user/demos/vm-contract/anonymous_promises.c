#include "user/demos/vm-contract/anonymous_promises.h"

#include "lib/check.h"
#include "user/demos/vm-contract/contract.h"

static void reserved_memory_has_no_access(void)
{
	void *range;

	EXPECT_OK(contract_reserve(4, &range));
	EXPECT(!contract_is_readable(range));
	EXPECT(!contract_is_writable(contract_page(range, 3)));
	EXPECT_OK(contract_unmap(range, 4));
}

static void commit_gives_zeroed_memory(void)
{
	void *range;

	EXPECT_OK(contract_reserve(8, &range));
	EXPECT_OK(contract_commit(range, 8, READ_WRITE));
	EXPECT(contract_is_filled(range, 8, 0));
	contract_fill(range, 8, 0x5a);
	EXPECT(contract_is_filled(range, 8, 0x5a));
	EXPECT_OK(contract_unmap(range, 8));
}

static void commit_again_keeps_data(void)
{
	void *range;

	EXPECT_OK(contract_reserve(8, &range));
	EXPECT_OK(contract_commit(contract_page(range, 2), 2, READ_WRITE));
	contract_fill(contract_page(range, 2), 2, 0x77);
	EXPECT_OK(contract_commit(range, 8, READ_WRITE));
	EXPECT(contract_is_filled(contract_page(range, 2), 2, 0x77));
	EXPECT(contract_is_filled(range, 2, 0));
	EXPECT(contract_is_filled(contract_page(range, 4), 4, 0));
	EXPECT_OK(contract_unmap(range, 8));
}

static void commit_again_keeps_protection(void)
{
	struct virtual_memory_region region;
	void *range;

	EXPECT_OK(contract_map(2, READ_ONLY, &range));
	EXPECT_OK(contract_commit(range, 2, READ_WRITE));
	EXPECT(!contract_is_writable(range));
	EXPECT_OK(virtual_memory_client_query(contract.memory, range, &region));
	EXPECT_EQUAL(region.protection, READ_ONLY);
	EXPECT_OK(contract_unmap(range, 2));
}

static void decommit_takes_access_away(void)
{
	void *range;

	EXPECT_OK(contract_map(4, READ_WRITE, &range));
	contract_fill(range, 4, 1);
	EXPECT_OK(contract_decommit(range, 4));
	EXPECT(!contract_is_readable(range));
	EXPECT(!contract_is_writable(range));
	EXPECT_OK(contract_unmap(range, 4));
}

static void commit_after_decommit_reads_zero(void)
{
	void *range;

	EXPECT_OK(contract_map(16, READ_WRITE, &range));
	contract_fill(range, 16, 0xff);
	EXPECT_OK(contract_decommit(range, 16));
	EXPECT_OK(contract_commit(range, 16, READ_WRITE));
	EXPECT(contract_is_filled(range, 16, 0));
	EXPECT_OK(contract_unmap(range, 16));
}

static void decommit_of_a_part_keeps_the_rest(void)
{
	void *range;

	EXPECT_OK(contract_map(8, READ_WRITE, &range));
	contract_fill(range, 8, 0x21);
	EXPECT_OK(contract_decommit(contract_page(range, 3), 2));
	EXPECT(contract_is_filled(range, 3, 0x21));
	EXPECT(contract_is_filled(contract_page(range, 5), 3, 0x21));
	EXPECT(!contract_is_readable(contract_page(range, 3)));
	EXPECT(!contract_is_readable(contract_page(range, 4)));
	EXPECT_OK(contract_unmap(range, 8));
}

static void decommit_of_uncommitted_succeeds(void)
{
	void *range;

	EXPECT_OK(contract_reserve(4, &range));
	EXPECT_OK(contract_decommit(range, 4));
	EXPECT_OK(contract_commit(contract_page(range, 1), 1, READ_WRITE));
	EXPECT_OK(contract_decommit(range, 4));
	EXPECT_OK(contract_decommit(range, 4));
	EXPECT_OK(contract_unmap(range, 4));
}

static void protect_none_keeps_data(void)
{
	void *range;

	EXPECT_OK(contract_map(4, READ_WRITE, &range));
	contract_fill(range, 4, 0x3c);
	EXPECT_OK(contract_protect(range, 4, PROTECTION_NONE));
	EXPECT(!contract_is_readable(range));
	EXPECT(!contract_is_writable(range));
	EXPECT_OK(contract_protect(range, 4, READ_ONLY));
	EXPECT(contract_is_filled(range, 4, 0x3c));
	EXPECT_OK(contract_unmap(range, 4));
}

static void commit_without_access_is_committed(void)
{
	void *range;

	EXPECT_OK(contract_reserve(4, &range));
	EXPECT_OK(contract_commit(range, 4, PROTECTION_NONE));
	EXPECT(!contract_is_readable(range));
	EXPECT_OK(contract_protect(range, 4, READ_WRITE)); /* refused for uncommitted pages */
	EXPECT(contract_is_filled(range, 4, 0));
	EXPECT_OK(contract_unmap(range, 4));
}

static void commit_does_not_open_protect_none(void)
{
	void *range;

	EXPECT_OK(contract_map(2, READ_WRITE, &range));
	contract_fill(range, 2, 0x11);
	EXPECT_OK(contract_protect(range, 2, PROTECTION_NONE));
	EXPECT_OK(contract_commit(range, 2, READ_WRITE));
	EXPECT(!contract_is_readable(range));
	EXPECT_OK(contract_protect(range, 2, READ_WRITE));
	EXPECT(contract_is_filled(range, 2, 0x11));
	EXPECT_OK(contract_unmap(range, 2));
}

static void decommit_of_protect_none_forgets(void)
{
	void *range;

	EXPECT_OK(contract_map(2, READ_WRITE, &range));
	contract_fill(range, 2, 0x99);
	EXPECT_OK(contract_protect(range, 2, PROTECTION_NONE));
	EXPECT_OK(contract_decommit(range, 2));
	EXPECT_OK(contract_commit(range, 2, READ_WRITE));
	EXPECT(contract_is_filled(range, 2, 0));
	EXPECT_OK(contract_unmap(range, 2));
}

static void read_only_memory_is_not_writable(void)
{
	void *range;

	EXPECT_OK(contract_map(3, READ_WRITE, &range));
	contract_fill(range, 3, 0x42);
	EXPECT_OK(contract_protect(contract_page(range, 1), 1, READ_ONLY));
	EXPECT(contract_is_writable(range));
	EXPECT(!contract_is_writable(contract_page(range, 1)));
	EXPECT(contract_is_readable(contract_page(range, 1)));
	EXPECT(contract_is_writable(contract_page(range, 2)));
	EXPECT(contract_is_filled(contract_page(range, 1), 1, 0x42));
	EXPECT_OK(contract_unmap(range, 3));
}

/* mov $42, %eax; ret */
static const unsigned char answer[] = { 0xb8, 42, 0, 0, 0, 0xc3 };

static void write_code(void *page)
{
	for (uint32_t i = 0; i < COUNT_OF(answer); i++)
		((unsigned char *)page)[i] = answer[i];
}

static void executable_memory_runs(void)
{
	void *range;

	EXPECT_OK(contract_map(1, READ_WRITE, &range));
	write_code(range);
	EXPECT_OK(contract_protect(range, 1, READ_EXECUTE));
	EXPECT_EQUAL((uint64_t)((int (*)(void))(uint64_t)range)(), 42);
	EXPECT(!contract_is_writable(range));
	EXPECT_OK(contract_unmap(range, 1));
}

static void frames_come_back_zeroed(void)
{
	enum {
		PAGES = 256
	};
	struct memory_object_client object;
	void *range;

	for (uint32_t round = 0; round < 2; round++) {
		EXPECT_OK(contract_map(PAGES, READ_WRITE, &range));
		EXPECT(contract_is_filled(range, PAGES, 0));
		contract_fill(range, PAGES, 0xee);
		EXPECT_OK(contract_unmap(range, PAGES));
	}
	EXPECT_OK(contract_allocate(PAGES, &object));
	EXPECT_OK(contract_map_object(object, 0, PAGES, READ_WRITE, &range));
	EXPECT(contract_is_filled(range, PAGES, 0));
	contract_fill(range, PAGES, 0xdd);
	EXPECT_OK(memory_object_client_unmap(object, range, BYTES(PAGES)));
	EXPECT_OK(ring_client_release(object.handle));
	EXPECT_OK(contract_map(PAGES, READ_WRITE, &range));
	EXPECT(contract_is_filled(range, PAGES, 0));
	EXPECT_OK(contract_unmap(range, PAGES));
}

/* What a Go runtime does with an arena: reserve much, use some, hint that it is unused, use it again, free it. */
static void arena_as_go_uses_it(void)
{
	const uint64_t arena_pages = 16384, chunk_pages = 16, chunks = 8;
	void *arena;

	EXPECT_OK(contract_reserve(arena_pages, &arena));
	for (uint64_t i = 0; i < chunks; i++) {
		void *chunk = contract_page(arena, i * chunk_pages);

		EXPECT_OK(contract_commit(chunk, chunk_pages, READ_WRITE));
		EXPECT(contract_is_filled(chunk, chunk_pages, 0));
		contract_fill(chunk, chunk_pages, (uint8_t)(i + 1));
	}
	for (uint64_t i = 0; i < chunks; i += 2)
		EXPECT_OK(contract_decommit(contract_page(arena, i * chunk_pages), chunk_pages));
	EXPECT_OK(contract_commit(arena, chunks * chunk_pages, READ_WRITE));
	for (uint64_t i = 0; i < chunks; i++)
		EXPECT(contract_is_filled(contract_page(arena, i * chunk_pages), chunk_pages,
					  i % 2 == 0 ? 0 : (uint8_t)(i + 1)));
	EXPECT_OK(contract_unmap(arena, arena_pages));
}

/* Data of our own that the kernel did not zero: the loader must have laid it down. Volatile, or it is a constant. */
static _Thread_local volatile uint64_t thread_word = UINT64_C(0x1122334455667788);
static _Thread_local uint64_t thread_zero;

static void thread_local_storage_is_laid_out(void)
{
	EXPECT_EQUAL(thread_word, UINT64_C(0x1122334455667788));
	EXPECT_EQUAL(thread_zero, 0);
	thread_zero = thread_word;
	EXPECT_EQUAL(thread_zero, UINT64_C(0x1122334455667788));
	EXPECT_EQUAL((uint64_t)&thread_word % sizeof(uint64_t), 0);
	thread_zero = 0;
}

void anonymous_promises_check(void)
{
	static const struct promise promise[] = {
		{ "reserved-memory-has-no-access", reserved_memory_has_no_access },
		{ "commit-gives-zeroed-memory", commit_gives_zeroed_memory },
		{ "commit-again-keeps-data", commit_again_keeps_data },
		{ "commit-again-keeps-protection", commit_again_keeps_protection },
		{ "decommit-takes-access-away", decommit_takes_access_away },
		{ "commit-after-decommit-reads-zero", commit_after_decommit_reads_zero },
		{ "decommit-of-a-part-keeps-the-rest", decommit_of_a_part_keeps_the_rest },
		{ "decommit-of-uncommitted-succeeds", decommit_of_uncommitted_succeeds },
		{ "protect-none-keeps-data", protect_none_keeps_data },
		{ "commit-without-access-is-committed", commit_without_access_is_committed },
		{ "commit-does-not-open-protect-none", commit_does_not_open_protect_none },
		{ "decommit-of-protect-none-forgets", decommit_of_protect_none_forgets },
		{ "read-only-memory-is-not-writable", read_only_memory_is_not_writable },
		{ "executable-memory-runs", executable_memory_runs },
		{ "frames-come-back-zeroed", frames_come_back_zeroed },
		{ "arena-as-go-uses-it", arena_as_go_uses_it },
		{ "thread-local-storage-is-laid-out", thread_local_storage_is_laid_out },
	};

	contract_check(promise, COUNT_OF(promise));
}
