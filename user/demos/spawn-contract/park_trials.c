#include "user/demos/spawn-contract/park_trials.h"

#include <stddef.h>

#include "lib/check.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/open_operation.h"
#include "user/runtime/user_thread.h"
#include "user/testing/trial.h"
#include "user/testing/trial_child.h"

#define SLEEPERS 6u

static uint32_t shared_word; /* at one address in each process of this program */

void park_trials_role_sleeper(void)
{
	EXPECT_STATUS(park_client_park(trial.park, &shared_word, 0, TRIAL_MS(trial_argument(0))), STATUS_TIMED_OUT);
}

static enum status park_submit(const uint32_t *word, uint64_t timeout_ns, uint64_t user_data)
{
	struct ring_submission *slot;

	TRY(open_operation_begin((struct open_operation_head){ RING_PARK, 0, trial.park.handle }, user_data, &slot));
	slot->argument[0] = (uint64_t)word;
	slot->argument[1] = *word;
	slot->argument[2] = timeout_ns;
	open_operation_finish();
	return STATUS_OK;
}

static void expect_completion(uint64_t user_data, enum status status)
{
	struct ring_completion completion;

	EXPECT_OK(open_operation_wait(user_data, TRIAL_MS(5000), &completion));
	EXPECT_STATUS(ring_client_status(&completion), status);
}

/* ---- answers at once ---- */

static void park_refusals(void)
{
	uint32_t word = 5;
	struct memory_object_client object;
	void *page, *mapping;
	uint64_t woken;

	EXPECT_STATUS(park_client_park(trial.park, &word, 6, PARK_FOREVER), STATUS_WOULD_BLOCK);
	EXPECT_STATUS(park_client_park(trial.park, (const uint32_t *)((uint64_t)&word + 2), 5, 0), STATUS_MISALIGNED);
	EXPECT_STATUS(park_client_park(trial.park, (const uint32_t *)UINT64_C(0xffff800000000000), 0, 0),
		      STATUS_NOT_USER_ADDRESS);
	EXPECT_STATUS(park_client_unpark(trial.park, (const uint32_t *)UINT64_C(0xffff800000000000), 1, &woken),
		      STATUS_NOT_USER_ADDRESS);
	EXPECT_STATUS(park_client_unpark(trial.park, (const uint32_t *)((uint64_t)&word + 1), 1, &woken),
		      STATUS_MISALIGNED);
	EXPECT_STATUS(park_client_park(trial.park, (const uint32_t *)CAPSET_ADDRESS, 0, 0), STATUS_NOT_PRIVATE);
	EXPECT_STATUS(park_client_park(trial.park, (const uint32_t *)0x20000000, 0, 0), STATUS_BUFFER_FAULT);
	EXPECT_OK(trial_object(1, &object));
	EXPECT_OK(trial_map_object(object, 1, TRIAL_READ_WRITE, &mapping));
	EXPECT_STATUS(park_client_park(trial.park, mapping, 0, 0), STATUS_NOT_PRIVATE);
	EXPECT_OK(memory_object_client_unmap(object, mapping, PAGE_SIZE));
	EXPECT_OK(ring_client_release(object.handle));
	EXPECT_OK(trial_map(1, &page));
	EXPECT_OK(virtual_memory_client_protect(trial.memory, page, PAGE_SIZE, PROTECTION_NONE));
	EXPECT_STATUS(park_client_park(trial.park, page, 0, 0), STATUS_BUFFER_FAULT);
	EXPECT_OK(trial_unmap(page, 1));
	EXPECT_OK(park_client_unpark(trial.park, &word, PARK_ALL, &woken));
	EXPECT_EQUAL(woken, 0);
}

static void park_ends_with_its_time(void)
{
	uint32_t word = 0;

	for (uint64_t ms = 1; ms < 50; ms *= 3) {
		const uint64_t start = trial_now();

		EXPECT_STATUS(park_client_park(trial.park, &word, 0, TRIAL_MS(ms)), STATUS_TIMED_OUT);
		EXPECT(trial_now() - start >= TRIAL_MS(ms));
	}
}

static void no_more_than_16_are_open(void)
{
	static uint32_t word;
	uint64_t woken;

	for (uint64_t i = 0; i < RING_SQ_ENTRIES; i++)
		EXPECT_OK(park_submit(&word, PARK_FOREVER, i));
	EXPECT_OK(ring_client_enter(0, 0));
	EXPECT_OK(park_submit(&word, PARK_FOREVER, 100));
	expect_completion(100, STATUS_BUSY);
	EXPECT_OK(park_client_unpark(trial.park, &word, PARK_ALL, &woken));
	EXPECT_EQUAL(woken, RING_SQ_ENTRIES);
	for (uint64_t i = 0; i < RING_SQ_ENTRIES; i++)
		expect_completion(i, STATUS_OK);
}

/* ---- waking ---- */

static struct {
	uint32_t word, asleep, order;
	uint32_t place[SLEEPERS]; /* in which they woke */
} sleepers;

static int64_t sleep_in_turn(void *index)
{
	/* One after the other, so that the order is known. */
	if (!trial_reaches(&sleepers.asleep, (uint32_t)(uint64_t)index))
		return 1;
	if (park_submit(&sleepers.word, PARK_FOREVER, 1) != STATUS_OK || ring_client_enter(0, 0) != STATUS_OK)
		return 2;
	__atomic_fetch_add(&sleepers.asleep, 1, __ATOMIC_ACQ_REL);
	expect_completion(1, STATUS_OK);
	sleepers.place[(uint64_t)index] = __atomic_fetch_add(&sleepers.order, 1, __ATOMIC_ACQ_REL);
	return 0;
}

static void longest_sleeper_wakes_first(void)
{
	struct user_thread thread[SLEEPERS];
	uint64_t woken;

	sleepers.asleep = sleepers.order = 0;
	for (uint64_t i = 0; i < SLEEPERS; i++)
		trial_thread(&thread[i], sleep_in_turn, (void *)i);
	EXPECT(trial_reaches(&sleepers.asleep, SLEEPERS));
	for (uint32_t i = 0; i < SLEEPERS - 2; i++) {
		EXPECT_OK(park_client_unpark(trial.park, &sleepers.word, 1, &woken));
		EXPECT_EQUAL(woken, 1);
		EXPECT(trial_reaches(&sleepers.order, i + 1));
	}
	EXPECT_OK(park_client_unpark(trial.park, &sleepers.word, 5, &woken));
	EXPECT_EQUAL(woken, 2);
	for (uint32_t i = 0; i < SLEEPERS; i++)
		trial_join(&thread[i], 0);
	for (uint32_t i = 0; i < SLEEPERS - 2; i++)
		EXPECT_EQUAL(sleepers.place[i], i);
}

#define ROUNDS 3000u

static uint32_t ball;

/* Waits for its turn without end: one lost wake-up, and it never comes. */
static int64_t play(void *side)
{
	const uint32_t own = (uint32_t)(uint64_t)side;

	for (uint32_t i = 0; i < ROUNDS; i++) {
		uint32_t seen;

		while ((seen = __atomic_load_n(&ball, __ATOMIC_ACQUIRE)) % 2 != own)
			if (park_client_sleep(&ball, seen, TRIAL_MS(20000)) != STATUS_OK)
				return 1;
		__atomic_store_n(&ball, seen + 1, __ATOMIC_RELEASE);
		park_client_wake(&ball, 1);
	}
	return 0;
}

static void no_wake_up_is_lost(void)
{
	struct user_thread thread[2];

	ball = 0;
	for (uint64_t i = 0; i < 2; i++)
		trial_thread(&thread[i], play, (void *)i);
	for (uint64_t i = 0; i < 2; i++)
		trial_join(&thread[i], 0);
	EXPECT_EQUAL(ball, 2 * ROUNDS);
}

static void words_of_others_are_others(void)
{
	struct process_builder builder;
	struct process_client process;
	uint64_t woken;

	trial_child_build(&builder, "sleeper");
	trial_child_argument(&builder, 60);
	EXPECT_OK(trial_child_start(&builder, &process));
	for (uint32_t i = 0; i < 30; i++) {
		trial_sleep(TRIAL_MS(1));
		EXPECT_OK(park_client_unpark(trial.park, &shared_word, PARK_ALL, &woken));
		EXPECT_EQUAL(woken, 0);
	}
	trial_child_expect(process, PROCESS_EXITED, 0);
}

/* ---- the page goes ---- */

static void decommit_wakes(void)
{
	void *page;
	uint32_t *word;

	EXPECT_OK(trial_map(2, &page));
	word = (uint32_t *)((uint64_t)page + PAGE_SIZE + 8);
	EXPECT_OK(park_submit(word, PARK_FOREVER, 1));
	EXPECT_OK(park_submit(page, PARK_FOREVER, 2));
	EXPECT_OK(ring_client_enter(0, 0));
	EXPECT_OK(virtual_memory_client_decommit(trial.memory, (const char *)page + PAGE_SIZE, PAGE_SIZE));
	expect_completion(1, STATUS_GONE);
	EXPECT_OK(trial_unmap(page, 2));
	expect_completion(2, STATUS_GONE);
}

static int64_t park_on(void *word)
{
	const enum status status = park_client_park(trial.park, word, 0, TRIAL_MS(5000));

	return status == STATUS_GONE ? 0 : 1;
}

static void unmap_wakes_other_threads(void)
{
	struct user_thread thread[4];
	struct inspector_thread state;
	void *page;
	uint32_t parked = 0;

	EXPECT_OK(trial_map(1, &page));
	for (uint32_t i = 0; i < COUNT_OF(thread); i++)
		trial_thread(&thread[i], park_on, (char *)page + UINT64_C(64) * i);
	while (parked < COUNT_OF(thread)) {
		parked = 0;
		for (uint64_t i = 1;
		     inspector_client_thread(trial.inspector, capset_client_process_id(), i, &state) == STATUS_OK; i++)
			parked += state.open_operations != 0;
	}
	EXPECT_OK(trial_unmap(page, 1));
	for (uint32_t i = 0; i < COUNT_OF(thread); i++)
		trial_join(&thread[i], 0);
}

/* A page that comes to the same place has nothing to do with who slept there. */
static void new_page_is_a_new_word(void)
{
	void *page, *again;
	uint64_t woken;

	EXPECT_OK(trial_map(1, &page));
	EXPECT_OK(park_submit(page, PARK_FOREVER, 1));
	EXPECT_OK(ring_client_enter(0, 0));
	EXPECT_OK(trial_unmap(page, 1));
	EXPECT_OK(virtual_memory_client_map(trial.memory, page, PAGE_SIZE, TRIAL_READ_WRITE, VIRTUAL_MEMORY_FIXED,
					    &again));
	EXPECT_OK(park_client_unpark(trial.park, again, PARK_ALL, &woken));
	EXPECT_EQUAL(woken, 0);
	expect_completion(1, STATUS_GONE);
	EXPECT_OK(trial_unmap(again, 1));
}

/* ---- cap_enter ---- */

static enum status submit_sleep(uint64_t ms, uint64_t user_data)
{
	struct ring_submission *slot;
	const struct open_operation_head head = { RING_CALL, TIMER_SLEEP, trial.timer.handle };

	TRY(open_operation_begin(head, user_data, &slot));
	slot->argument[0] = TRIAL_MS(ms);
	open_operation_finish();
	return STATUS_OK;
}

static void enter_waits_for_as_many(void)
{
	const uint64_t start = trial_now();

	EXPECT_OK(submit_sleep(60, 3));
	EXPECT_OK(submit_sleep(5, 1));
	EXPECT_OK(submit_sleep(20, 2));
	EXPECT(system_call_cap_enter(1, CAP_ENTER_FOREVER) >= 1);
	EXPECT(system_call_cap_enter(2, CAP_ENTER_FOREVER) >= 2);
	EXPECT(trial_now() - start >= TRIAL_MS(20)); /* takes the first completion on its way; it is set aside */
	EXPECT_EQUAL(system_call_cap_enter(32, TRIAL_MS(1)), ring_completed(ring_client_current.page));
	for (uint64_t i = 1; i <= 3; i++)
		expect_completion(i, STATUS_OK);
	EXPECT(trial_now() - start >= TRIAL_MS(60));
}

static void enter_comes_back_in_time(void)
{
	static uint32_t word;
	const uint64_t start = trial_now();
	uint64_t woken;

	EXPECT_OK(park_submit(&word, PARK_FOREVER, 1));
	EXPECT_EQUAL(system_call_cap_enter(1, TRIAL_MS(10)), 0);
	EXPECT(trial_now() - start >= TRIAL_MS(10));
	EXPECT_EQUAL(system_call_cap_enter(0, 0), 0);
	EXPECT_OK(park_client_unpark(trial.park, &word, 1, &woken));
	expect_completion(1, STATUS_OK);
}

static void enter_does_not_wait_for_nothing(void)
{
	EXPECT_EQUAL(system_call_cap_enter(32, CAP_ENTER_FOREVER), 0);
	EXPECT_EQUAL(system_call_cap_enter(1, CAP_ENTER_FOREVER), 0);
	EXPECT_EQUAL(system_call_cap_enter(0, CAP_ENTER_FOREVER), 0);
	EXPECT(system_call_cap_enter(33, 0) == -STATUS_BAD_ARGUMENT);
	EXPECT(system_call_cap_enter(UINT64_MAX, CAP_ENTER_FOREVER) == -STATUS_BAD_ARGUMENT);
	const uint64_t start = trial_now();

	EXPECT_EQUAL(system_call_cap_enter(5, TRIAL_MS(15)), 0); /* a sleep without an operation */
	EXPECT(trial_now() - start >= TRIAL_MS(15));
}

void park_trials_check(void)
{
	static const struct trial_case cases[] = {
		{ "park-refusals", park_refusals },
		{ "park-ends-with-its-time", park_ends_with_its_time },
		{ "no-more-than-16-are-open", no_more_than_16_are_open },
		{ "longest-sleeper-wakes-first", longest_sleeper_wakes_first },
		{ "no-wake-up-is-lost", no_wake_up_is_lost },
		{ "words-of-others-are-others", words_of_others_are_others },
		{ "decommit-wakes", decommit_wakes },
		{ "unmap-wakes-other-threads", unmap_wakes_other_threads },
		{ "new-page-is-a-new-word", new_page_is_a_new_word },
		{ "enter-waits-for-as-many", enter_waits_for_as_many },
		{ "enter-comes-back-in-time", enter_comes_back_in_time },
		{ "enter-does-not-wait-for-nothing", enter_does_not_wait_for_nothing },
	};

	trial_check(cases, COUNT_OF(cases));
}
