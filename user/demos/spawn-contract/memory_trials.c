#include "user/demos/spawn-contract/memory_trials.h"

#include <stddef.h>

#include "lib/check.h"
#include "lib/string.h"
#include "user/testing/trial.h"
#include "user/testing/trial_child.h"

#define PAGES 16u

/* Whether the kernel may write there for us: a reading of our own ledgers, twice as large as the alignment needs. */
static bool kernel_may_write(void *address)
{
	return virtual_memory_client_statistics(trial.memory, address) == STATUS_OK;
}

static bool is_filled(const unsigned char *bytes, uint64_t count, unsigned char value)
{
	for (uint64_t i = 0; i < count; i++) {
		if (bytes[i] != value)
			return false;
	}
	return true;
}

/* ---- in a child: VirtualMemory ---- */

static void reserve_commit_decommit(void)
{
	const uint64_t grant = trial_used(LEDGER_FRAME_GRANT);
	void *range;

	EXPECT_OK(virtual_memory_client_reserve(trial.memory, NULL, TRIAL_BYTES(PAGES), 0, &range));
	EXPECT(!kernel_may_write(range));
	EXPECT_EQUAL(trial_used(LEDGER_VIRTUAL_RESERVATION), PAGES);
	EXPECT_OK(virtual_memory_client_commit(trial.memory, range, TRIAL_BYTES(PAGES), TRIAL_READ_WRITE));
	EXPECT_EQUAL(trial_used(LEDGER_FRAME_GRANT), grant + PAGES);
	EXPECT(is_filled(range, TRIAL_BYTES(PAGES), 0));
	memset(range, 0x5a, TRIAL_BYTES(PAGES));
	EXPECT_OK(virtual_memory_client_decommit(trial.memory, range, TRIAL_BYTES(PAGES)));
	EXPECT_EQUAL(trial_used(LEDGER_FRAME_GRANT), grant);
	EXPECT(!kernel_may_write(range));
	EXPECT_OK(virtual_memory_client_commit(trial.memory, range, TRIAL_BYTES(PAGES), TRIAL_READ_WRITE));
	EXPECT(is_filled(range, TRIAL_BYTES(PAGES), 0));
	EXPECT_OK(trial_unmap(range, PAGES));
	EXPECT_EQUAL(trial_used(LEDGER_VIRTUAL_RESERVATION), 0);
}

static void no_access_keeps_data(void)
{
	void *range;

	EXPECT_OK(trial_map(PAGES, &range));
	memset(range, 0x77, TRIAL_BYTES(PAGES));
	EXPECT_OK(virtual_memory_client_protect(trial.memory, range, TRIAL_BYTES(PAGES), PROTECTION_NONE));
	EXPECT_EQUAL(trial_used(LEDGER_FRAME_GRANT), PAGES);
	EXPECT(!kernel_may_write(range));
	EXPECT_OK(virtual_memory_client_protect(trial.memory, range, TRIAL_BYTES(PAGES), PROTECTION_READ));
	EXPECT(is_filled(range, TRIAL_BYTES(PAGES), 0x77));
	EXPECT_OK(trial_unmap(range, PAGES));
}

static void quota_is_exact(void)
{
	const struct memory_statistics statistics = trial_statistics();
	const struct ledger_reading grant = statistics.ledger[LEDGER_FRAME_GRANT];
	const struct ledger_reading reserved = statistics.ledger[LEDGER_VIRTUAL_RESERVATION];
	const uint64_t left = grant.limit - grant.used;
	void *range, *other;

	EXPECT_STATUS(trial_map(left + 1, &range), STATUS_OVER_FRAME_GRANT);
	EXPECT_OK(trial_map(left, &range));
	EXPECT_STATUS(trial_map(1, &other), STATUS_OVER_FRAME_GRANT);
	EXPECT_STATUS(virtual_memory_client_reserve(trial.memory, NULL,
						    TRIAL_BYTES(reserved.limit - reserved.used - left + 1), 0, &other),
		      STATUS_OVER_VIRTUAL_RESERVATION);
	EXPECT_OK(trial_unmap(range, left));
	EXPECT_OK(trial_map(left, &range)); /* stays to the end of the process */
}

static void everything_is_left(void)
{
	void *range;

	for (uint32_t i = 0; i < 20; i++) {
		EXPECT_OK(trial_map(i + 1, &range));
		*(volatile char *)range = 1;
		EXPECT_OK(virtual_memory_client_reserve(trial.memory, NULL, TRIAL_BYTES(600), 0, &range));
		EXPECT_OK(virtual_memory_client_commit(trial.memory, range, PAGE_SIZE, PROTECTION_NONE));
	}
}

void memory_trials_role_life(void)
{
	static void (*const part[])(void) = { reserve_commit_decommit, no_access_keeps_data, quota_is_exact,
					      everything_is_left };

	CHECK(trial_argument(0) < COUNT_OF(part));
	part[trial_argument(0)]();
}

/* ---- in a child: FrameAllocator ---- */

enum frames_end {
	FRAMES_RELEASED,
	FRAMES_HELD,
	FRAMES_MAPPED_AND_RELEASED,
	FRAMES_FAULT,
	FRAMES_UNTIL_KILLED,
};

static void take_frames(bool is_mapped, bool is_released)
{
	struct memory_object_client object;
	void *address;

	for (uint32_t i = 0; i < 8; i++) {
		const uint32_t flags = i % 4 == 3 ? FRAME_ALLOCATOR_CONTIGUOUS : 0;

		EXPECT_OK(frame_allocator_client_allocate(trial.frames, i + 1, flags, &object));
		if (is_mapped) {
			EXPECT_OK(trial_map_object(object, i + 1, TRIAL_READ_WRITE, &address));
			EXPECT(is_filled(address, TRIAL_BYTES(i + 1), 0));
			memset(address, 0xee, TRIAL_BYTES(i + 1));
		}
		if (is_released)
			EXPECT_OK(ring_client_release(object.handle));
	}
}

void memory_trials_role_frames(void)
{
	const uint64_t end = trial_argument(0);

	take_frames(end != FRAMES_RELEASED, end == FRAMES_RELEASED || end == FRAMES_MAPPED_AND_RELEASED);
	if (end == FRAMES_FAULT)
		*(volatile char *)UINT64_C(8) = 1;
	if (end == FRAMES_UNTIL_KILLED)
		trial_sleep(TRIAL_MS(60000));
}

/* ---- in the parent ---- */

static void child_reserves_commits_decommits(void)
{
	trial_child_run("memory", 0);
}

static void child_keeps_data_without_access(void)
{
	trial_child_run("memory", 1);
}

static void child_quota_is_exact(void)
{
	trial_child_run("memory", 2);
}

static void child_that_leaves_all_mapped(void)
{
	trial_child_run("memory", 3);
}

static void start_frames(uint64_t end, struct process_client *process)
{
	struct process_builder builder;

	trial_child_build(&builder, "frames");
	trial_child_copy(&builder, "frames", trial.frames.handle);
	trial_child_argument(&builder, end);
	EXPECT_OK(trial_child_start(&builder, process));
}

static void frames_come_back(uint64_t how, enum process_end end, int64_t code)
{
	struct process_client process;

	start_frames(how, &process);
	if (!trial.broken)
		trial_child_expect(process, end, code);
}

static void frames_released(void)
{
	frames_come_back(FRAMES_RELEASED, PROCESS_EXITED, 0);
}

static void frames_held_to_the_end(void)
{
	frames_come_back(FRAMES_HELD, PROCESS_EXITED, 0);
}

static void frames_mapped_but_released(void)
{
	frames_come_back(FRAMES_MAPPED_AND_RELEASED, PROCESS_EXITED, 0);
}

static void frames_of_a_fault(void)
{
	frames_come_back(FRAMES_FAULT, PROCESS_FAULTED, 128 + 14);
}

static void frames_of_a_kill(void)
{
	struct process_client process;

	start_frames(FRAMES_UNTIL_KILLED, &process);
	trial_sleep(TRIAL_MS(20));
	EXPECT_OK(process_client_kill(process));
	trial_child_expect(process, PROCESS_KILLED, 137);
}

void memory_trials_check(void)
{
	static const struct trial_case cases[] = {
		{ "child-reserves-commits-decommits", child_reserves_commits_decommits },
		{ "child-keeps-data-without-access", child_keeps_data_without_access },
		{ "child-quota-is-exact", child_quota_is_exact },
		{ "child-that-leaves-all-mapped", child_that_leaves_all_mapped },
		{ "frames-released", frames_released },
		{ "frames-held-to-the-end", frames_held_to_the_end },
		{ "frames-mapped-but-released", frames_mapped_but_released },
		{ "frames-of-a-fault", frames_of_a_fault },
		{ "frames-of-a-kill", frames_of_a_kill },
	};

	trial_check(cases, COUNT_OF(cases));
}
