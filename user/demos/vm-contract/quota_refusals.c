#include "user/demos/vm-contract/quota_refusals.h"

#include <stddef.h>

#include "lib/check.h"
#include "user/demos/vm-contract/contract.h"

#define OBJECT_PAGES_MAX 4096u
#define BLOCK_BYTES (UINT64_C(1) << 21)
#define SPARSE_MAX 6000u
#define OBJECTS_MAX 5000u

static struct ledger_reading ledger(enum ledger_kind kind)
{
	return contract_statistics().ledger[kind];
}

static uint64_t room(enum ledger_kind kind)
{
	struct ledger_reading reading = ledger(kind);

	return reading.limit - reading.used;
}

static void refuse_reservation(void)
{
	contract_refuse("reserve", "a page over the limit",
			REQUEST(contract.memory.handle, VIRTUAL_MEMORY_RESERVE, 0,
				BYTES(room(LEDGER_VIRTUAL_RESERVATION) + 1), 0),
			STATUS_OVER_VIRTUAL_RESERVATION);
	contract_refuse("map", "far over both limits",
			REQUEST(contract.memory.handle, VIRTUAL_MEMORY_MAP, 0,
				BYTES(room(LEDGER_VIRTUAL_RESERVATION) + 1), READ_WRITE, 0),
			STATUS_OVER_VIRTUAL_RESERVATION);
}

static void refuse_frames(void)
{
	uint64_t pages = room(LEDGER_FRAME_GRANT) + 1;
	void *range;

	contract_refuse("map", "a page over the grant",
			REQUEST(contract.memory.handle, VIRTUAL_MEMORY_MAP, 0, BYTES(pages), READ_WRITE, 0),
			STATUS_OVER_FRAME_GRANT);
	contract_refuse("allocate", "a page over the grant",
			REQUEST(contract.frames.handle, FRAME_ALLOCATOR_ALLOCATE, pages, 0), STATUS_OVER_FRAME_GRANT);
	CHECK(contract_reserve(pages, &range) == STATUS_OK);
	contract_refuse(
		"commit", "a page over the grant",
		REQUEST(contract.memory.handle, VIRTUAL_MEMORY_COMMIT, (uint64_t)range, BYTES(pages), READ_WRITE),
		STATUS_OVER_FRAME_GRANT);
	CHECK(contract_unmap(range, pages) == STATUS_OK);
}

/* One object, mapped side by side until the grant is used up: frames are there, quota is not. */
static void mappings_use_up_the_grant(void)
{
	uint64_t pages = room(LEDGER_FRAME_GRANT) / 16 + 1, count = 0;
	struct memory_object_client object;
	struct memory_object_window window;
	enum status status;
	void *place, *mapped;

	if (pages > OBJECT_PAGES_MAX)
		pages = OBJECT_PAGES_MAX;
	EXPECT_OK(contract_allocate(pages, &object));
	uint64_t most = room(LEDGER_FRAME_GRANT) / pages + 1;

	EXPECT_OK(contract_reserve(most * pages, &place));
	EXPECT_OK(contract_unmap(place, most * pages));
	window = (struct memory_object_window){ .length = BYTES(pages),
						.protection = READ_ONLY,
						.flags = MEMORY_OBJECT_FIXED };
	do {
		uint64_t free_frames = contract_statistics().system_free_frames;

		window.hint = contract_page(place, count * pages);
		status = memory_object_client_map(object, &window, &mapped);
		if (status != STATUS_OK)
			EXPECT_EQUAL(contract_statistics().system_free_frames, free_frames);
		else
			count++;
	} while (status == STATUS_OK && count < most);
	EXPECT(status == STATUS_OVER_FRAME_GRANT || status == STATUS_OVER_PAGE_TABLE);
	EXPECT(status == STATUS_OVER_PAGE_TABLE || room(LEDGER_FRAME_GRANT) < pages);
	EXPECT_OK(memory_object_client_unmap(object, place, BYTES(count * pages)));
	EXPECT_OK(ring_client_release(object.handle));
}

/* A page in each 2 MiB block: tables run out long before frames or addresses do. */
static void sparse_map_uses_up_the_tables(void)
{
	uint64_t start = contract_used(LEDGER_PAGE_TABLE), count = 0;
	enum status status = STATUS_OK;
	void *place, *page;

	if (room(LEDGER_PAGE_TABLE) > SPARSE_MAX)
		return; /* too large a quota to be used up here */
	EXPECT_OK(contract_reserve((SPARSE_MAX + 8) * (BLOCK_BYTES / PAGE_SIZE), &place));
	EXPECT_OK(contract_unmap(place, (SPARSE_MAX + 8) * (BLOCK_BYTES / PAGE_SIZE)));
	while (count < SPARSE_MAX + 8) {
		status = virtual_memory_client_reserve(contract.memory,
						       (const void *)((uint64_t)place + count * BLOCK_BYTES), PAGE_SIZE,
						       VIRTUAL_MEMORY_FIXED, &page);
		if (status != STATUS_OK)
			break;
		count++;
	}
	EXPECT_STATUS(status, STATUS_OVER_PAGE_TABLE);
	EXPECT(contract_used(LEDGER_PAGE_TABLE) <= ledger(LEDGER_PAGE_TABLE).limit);
	for (uint64_t i = 0; i < count; i++)
		EXPECT_OK(contract_unmap((const void *)((uint64_t)place + i * BLOCK_BYTES), 1));
	EXPECT_EQUAL(contract_used(LEDGER_PAGE_TABLE), start);
}

/* What is refused for want of quota works again when something was given back. */
static void grant_is_usable_to_the_last_page(void)
{
	uint64_t pages = room(LEDGER_FRAME_GRANT);
	void *range;

	if (pages > contract_read().machine.free_frames / 2)
		pages = contract_read().machine.free_frames / 2;
	if (pages > OBJECT_PAGES_MAX)
		pages = OBJECT_PAGES_MAX;
	for (uint32_t round = 0; round < 2; round++) {
		EXPECT_OK(contract_map(pages, READ_WRITE, &range));
		EXPECT_OK(contract_unmap(range, pages));
	}
}

static void machine_runs_out_before_it_lies(void)
{
	uint64_t pages = contract_read().machine.free_frames + 1;
	struct memory_object_client object;
	enum status status =
		frame_allocator_client_allocate(contract.frames, pages, FRAME_ALLOCATOR_CONTIGUOUS, &object);

	EXPECT(status == STATUS_OVER_FRAME_GRANT || status == STATUS_OUT_OF_MEMORY ||
	       status == STATUS_OVER_KERNEL_OBJECT);
	status = frame_allocator_client_allocate(contract.frames, pages - 2, FRAME_ALLOCATOR_CONTIGUOUS, &object);
	EXPECT(status == STATUS_OVER_FRAME_GRANT || status == STATUS_OUT_OF_MEMORY ||
	       status == STATUS_NO_CONTIGUOUS_RUN || status == STATUS_OVER_KERNEL_OBJECT);
}

/*
 * Objects of one page until something runs out. What a capability table grew by stays with the process, so this is
 * checked by itself, after all else.
 */
static void capabilities_run_out_with_a_status(void)
{
	static handle_t held[OBJECTS_MAX];
	uint64_t slots = contract_used(LEDGER_CAP_SLOTS), grant = contract_used(LEDGER_FRAME_GRANT);
	struct memory_object_client object;
	enum status status = STATUS_OK;
	uint32_t count = 0;

	while (count < OBJECTS_MAX && (status = contract_allocate(1, &object)) == STATUS_OK)
		held[count++] = object.handle;
	EXPECT_EQUAL(contract_used(LEDGER_CAP_SLOTS), slots + count);
	EXPECT_EQUAL(contract_used(LEDGER_FRAME_GRANT), grant + count);
	EXPECT(status == STATUS_OK || status == STATUS_OVER_CAP_SLOTS || status == STATUS_OVER_FRAME_GRANT ||
	       status == STATUS_OVER_KERNEL_OBJECT || status == STATUS_OUT_OF_MEMORY);
	for (uint32_t i = 0; i < count; i++)
		EXPECT_OK(ring_client_release(held[i]));
	EXPECT_EQUAL(contract_used(LEDGER_CAP_SLOTS), slots);
	EXPECT_EQUAL(contract_used(LEDGER_FRAME_GRANT), grant);
}

/*
 * Map, release, and keep the memory for nothing: not here. The mapping still costs its pages, the other frames of the
 * object went back at the release. Nothing can unmap it any more; the end of the process does.
 */
static void release_does_not_dodge_the_grant(void)
{
	enum {
		PAGES = 8,
		MAPPED = 3
	};
	struct contract_reading before = contract_read(), after;
	struct memory_object_client object;
	void *range;

	EXPECT_OK(contract_allocate(PAGES, &object));
	EXPECT_OK(contract_map_object(object, 2, MAPPED, READ_WRITE, &range));
	contract_fill(range, MAPPED, 0x6b);
	EXPECT_EQUAL(contract_used(LEDGER_FRAME_GRANT),
		     before.statistics.ledger[LEDGER_FRAME_GRANT].used + PAGES + MAPPED);
	EXPECT_OK(ring_client_release(object.handle));
	after = contract_read();
	EXPECT_EQUAL(after.statistics.ledger[LEDGER_FRAME_GRANT].used,
		     before.statistics.ledger[LEDGER_FRAME_GRANT].used + MAPPED);
	EXPECT_EQUAL(after.machine.user_frames, before.machine.user_frames + MAPPED);
	EXPECT(contract_is_filled(range, MAPPED, 0x6b));
	EXPECT_STATUS(contract_unmap(range, MAPPED), STATUS_NOT_RESERVED);
	EXPECT_STATUS(memory_object_client_unmap(object, range, BYTES(MAPPED)), STATUS_NO_SUCH_CAPABILITY);
}

void quota_refusals_check(void)
{
	static const struct promise promise[] = {
		{ "mappings-use-up-the-grant", mappings_use_up_the_grant },
		{ "sparse-map-uses-up-the-tables", sparse_map_uses_up_the_tables },
		{ "grant-is-usable-to-the-last-page", grant_is_usable_to_the_last_page },
		{ "machine-runs-out-before-it-lies", machine_runs_out_before_it_lies },
	};
	static const struct promise lasting[] = {
		{ "capabilities-run-out-with-a-status", capabilities_run_out_with_a_status },
		{ "release-does-not-dodge-the-grant", release_does_not_dodge_the_grant },
	};

	refuse_reservation();
	refuse_frames();
	contract_check(promise, COUNT_OF(promise));
	contract_check_lasting(lasting, COUNT_OF(lasting));
}
