#include "user/demos/vm-contract/ledger_promises.h"

#include "abi/startup.h"
#include "lib/check.h"
#include "user/demos/vm-contract/contract.h"
#include "user/runtime/program.h"

/* Changes of three ledgers since `before`, and that the machine's free frames went down by what they say. */
static void expect_costs(const struct contract_reading *before, int64_t reserved, int64_t granted)
{
	struct contract_reading now = contract_read();
	const struct ledger_reading *was = before->statistics.ledger, *is = now.statistics.ledger;
	int64_t tables = (int64_t)(is[LEDGER_PAGE_TABLE].used - was[LEDGER_PAGE_TABLE].used);
	int64_t frames = (int64_t)(before->machine.free_frames - now.machine.free_frames);

	EXPECT_EQUAL(is[LEDGER_VIRTUAL_RESERVATION].used - was[LEDGER_VIRTUAL_RESERVATION].used, (uint64_t)reserved);
	EXPECT_EQUAL(is[LEDGER_FRAME_GRANT].used - was[LEDGER_FRAME_GRANT].used, (uint64_t)granted);
	EXPECT_EQUAL(is[LEDGER_IMAGE].used, was[LEDGER_IMAGE].used);
	EXPECT_EQUAL((uint64_t)frames, (uint64_t)(granted + tables));
	EXPECT_EQUAL(now.machine.table_frames - before->machine.table_frames, (uint64_t)tables);
}

#define EXPECT_COSTS(before, reserved, granted)          \
	do {                                             \
		expect_costs(before, reserved, granted); \
		if (contract.broken)                     \
			return;                          \
	} while (0)

static void reserve_costs_only_reservation(void)
{
	struct contract_reading before = contract_read();
	void *range;

	EXPECT_OK(contract_reserve(100, &range));
	EXPECT_COSTS(&before, 100, 0);
	EXPECT_OK(contract_unmap(range, 100));
	EXPECT_COSTS(&before, 0, 0);
}

static void commit_costs_a_frame_a_page(void)
{
	struct contract_reading before = contract_read();
	void *range;

	EXPECT_OK(contract_reserve(100, &range));
	EXPECT_OK(contract_commit(range, 10, READ_WRITE));
	EXPECT_COSTS(&before, 100, 10);
	EXPECT_OK(contract_commit(contract_page(range, 5), 10, READ_WRITE)); /* five of them are committed */
	EXPECT_COSTS(&before, 100, 15);
	EXPECT_OK(contract_commit(range, 15, READ_WRITE));
	EXPECT_COSTS(&before, 100, 15);
	EXPECT_OK(contract_decommit(contract_page(range, 10), 90)); /* five of them are committed */
	EXPECT_COSTS(&before, 100, 10);
	EXPECT_OK(contract_decommit(range, 100));
	EXPECT_COSTS(&before, 100, 0);
	EXPECT_OK(contract_unmap(range, 100));
}

static void map_costs_both(void)
{
	struct contract_reading before = contract_read();
	void *range;

	EXPECT_OK(contract_map(12, READ_WRITE, &range));
	EXPECT_COSTS(&before, 12, 12);
	EXPECT_OK(contract_unmap(contract_page(range, 4), 4));
	EXPECT_COSTS(&before, 8, 8);
	EXPECT_OK(contract_unmap(range, 4));
	EXPECT_OK(contract_unmap(contract_page(range, 8), 4));
}

static void no_access_costs_its_frames(void)
{
	struct contract_reading before = contract_read();
	void *range;

	EXPECT_OK(contract_map(6, READ_WRITE, &range));
	EXPECT_OK(contract_protect(range, 6, PROTECTION_NONE));
	EXPECT_COSTS(&before, 6, 6);
	EXPECT_OK(contract_protect(range, 6, READ_EXECUTE));
	EXPECT_COSTS(&before, 6, 6);
	EXPECT_OK(contract_unmap(range, 6));
}

/* Held and mapped pages add up; the frames themselves are there once. */
static void objects_cost_hold_and_mappings(void)
{
	const uint64_t pages = 10;
	uint64_t start = contract_used(LEDGER_FRAME_GRANT);
	uint64_t slots = contract_used(LEDGER_CAP_SLOTS);
	struct memory_object_client object;
	void *first, *second;

	EXPECT_OK(contract_allocate(pages, &object));
	EXPECT_EQUAL(contract_used(LEDGER_FRAME_GRANT), start + pages);
	EXPECT_EQUAL(contract_used(LEDGER_CAP_SLOTS), slots + 1);
	EXPECT_OK(contract_map_object(object, 0, pages, READ_WRITE, &first));
	EXPECT_EQUAL(contract_used(LEDGER_FRAME_GRANT), start + 2 * pages);
	EXPECT_OK(contract_map_object(object, 3, 4, READ_ONLY, &second));
	EXPECT_EQUAL(contract_used(LEDGER_FRAME_GRANT), start + 2 * pages + 4);
	EXPECT_OK(memory_object_client_unmap(object, first, BYTES(pages)));
	EXPECT_EQUAL(contract_used(LEDGER_FRAME_GRANT), start + pages + 4);
	EXPECT_OK(memory_object_client_unmap(object, second, BYTES(4)));
	EXPECT_EQUAL(contract_used(LEDGER_FRAME_GRANT), start + pages);
	EXPECT_OK(ring_client_release(object.handle));
	EXPECT_EQUAL(contract_used(LEDGER_FRAME_GRANT), start);
	EXPECT_EQUAL(contract_used(LEDGER_CAP_SLOTS), slots);
}

static void objects_take_each_frame_once(void)
{
	enum {
		PAGES = 32
	};
	struct contract_reading before = contract_read(), held, mapped;
	struct memory_object_client object;
	void *range;

	EXPECT_OK(contract_allocate(PAGES, &object));
	held = contract_read();
	EXPECT_EQUAL(held.machine.user_frames, before.machine.user_frames + PAGES);
	EXPECT_OK(contract_map_object(object, 0, PAGES, READ_WRITE, &range));
	mapped = contract_read();
	EXPECT_EQUAL(mapped.machine.user_frames, held.machine.user_frames);
	EXPECT_OK(memory_object_client_unmap(object, range, BYTES(PAGES)));
	EXPECT_OK(ring_client_release(object.handle));
}

static void readings_make_sense(void)
{
	struct contract_reading reading = contract_read();

	for (uint32_t i = 0; i < LEDGER_COUNT; i++) {
		const struct ledger_reading *ledger = &reading.statistics.ledger[i];

		EXPECT(ledger->used <= ledger->peak);
		EXPECT(ledger->peak <= ledger->limit);
	}
	EXPECT(reading.statistics.ledger[LEDGER_IMAGE].used > STARTUP_STACK_PAGES);
	EXPECT(reading.statistics.ledger[LEDGER_PAGE_TABLE].used >= 4);
	EXPECT(reading.statistics.ledger[LEDGER_CAP_SLOTS].used >= 7);
}

static void peak_is_the_most_ever_used(void)
{
	struct ledger_reading before, after;
	void *range;

	EXPECT_OK(contract_map(40, READ_WRITE, &range));
	before = contract_read().statistics.ledger[LEDGER_FRAME_GRANT];
	EXPECT(before.peak >= before.used);
	EXPECT_OK(contract_unmap(range, 40));
	after = contract_read().statistics.ledger[LEDGER_FRAME_GRANT];
	EXPECT_EQUAL(after.peak, before.peak);
	EXPECT_EQUAL(after.used, before.used - 40);
}

static void statistics_and_inspector_agree(void)
{
	struct contract_reading reading = contract_read();
	struct memory_statistics seen;

	EXPECT_OK(inspector_client_ledger(contract.inspector, program_process_id(), &seen));
	for (uint32_t i = 0; i < LEDGER_COUNT; i++) {
		EXPECT_EQUAL(seen.ledger[i].used, reading.statistics.ledger[i].used);
		EXPECT_EQUAL(seen.ledger[i].limit, reading.statistics.ledger[i].limit);
		EXPECT_EQUAL(seen.ledger[i].peak, reading.statistics.ledger[i].peak);
	}
	EXPECT_EQUAL(reading.statistics.system_frames, reading.machine.total_frames);
	EXPECT_EQUAL(reading.statistics.system_free_frames, reading.machine.free_frames);
}

static uint64_t owned_frames(const struct inspector_memory *machine)
{
	return machine->free_frames + machine->kernel_frames + machine->heap_frames + machine->table_frames +
	       machine->user_frames;
}

/* Whatever is taken leaves one column and enters another. The kernel's frames of the boot come on top of the total. */
static void every_frame_has_an_owner(void)
{
	struct inspector_memory before = contract_read().machine, during;
	struct memory_object_client object;
	void *range, *mapped;

	EXPECT(owned_frames(&before) >= before.total_frames);
	EXPECT(before.stacked_frames <= before.free_frames);
	EXPECT_OK(contract_map(33, READ_WRITE, &range));
	EXPECT_OK(contract_allocate(600, &object));
	EXPECT_OK(contract_map_object(object, 0, 600, READ_WRITE, &mapped));
	during = contract_read().machine;
	EXPECT_EQUAL(owned_frames(&during), owned_frames(&before));
	EXPECT_EQUAL(during.user_frames, before.user_frames + 633);
	EXPECT_OK(memory_object_client_unmap(object, mapped, BYTES(600)));
	EXPECT_OK(ring_client_release(object.handle));
	EXPECT_OK(contract_unmap(range, 33));
}

static void every_invariant_holds(void)
{
	struct inspector_check check;

	EXPECT_OK(inspector_client_check(contract.inspector, &check));
	EXPECT(check.checked > 0);
	if (check.broken != 0)
		contract_break("%lu broken, first %.*s", check.broken, (int)sizeof(check.first_broken),
			       check.first_broken);
}

void ledger_promises_check(void)
{
	static const struct promise promise[] = {
		{ "readings-make-sense", readings_make_sense },
		{ "reserve-costs-only-reservation", reserve_costs_only_reservation },
		{ "commit-costs-a-frame-a-page", commit_costs_a_frame_a_page },
		{ "map-costs-both", map_costs_both },
		{ "no-access-costs-its-frames", no_access_costs_its_frames },
		{ "objects-cost-hold-and-mappings", objects_cost_hold_and_mappings },
		{ "objects-take-each-frame-once", objects_take_each_frame_once },
		{ "peak-is-the-most-ever-used", peak_is_the_most_ever_used },
		{ "statistics-and-inspector-agree", statistics_and_inspector_agree },
		{ "every-frame-has-an-owner", every_frame_has_an_owner },
		{ "every-invariant-holds", every_invariant_holds },
	};

	contract_check(promise, COUNT_OF(promise));
}
