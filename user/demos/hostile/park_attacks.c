#include "user/demos/hostile/park_attacks.h"

#include <stddef.h>

#include "lib/check.h"
#include "user/demos/hostile/attack.h"
#include "user/runtime/open_operation.h"
#include "user/runtime/user_thread.h"

#define ROUNDS 400u
#define SLEEPERS 5u

static struct {
	uint32_t *word;
	uint32_t stop, asleep;
} scene;

static bool is_park_status(enum status status)
{
	return status == STATUS_OK || status == STATUS_TIMED_OUT || status == STATUS_GONE ||
	       status == STATUS_WOULD_BLOCK || status == STATUS_NOT_PRIVATE || status == STATUS_BUFFER_FAULT;
}

/* Sleeps with times that are short, long and none, as long as the game goes on. */
static int64_t sleep_again(void *index)
{
	uint64_t seed = 77 + (uint64_t)index;

	while (__atomic_load_n(&scene.stop, __ATOMIC_ACQUIRE) == 0) {
		const uint64_t timeout = attack_random(&seed) % 300000;
		const enum status status = park_client_park(trial.park, scene.word + (uint64_t)index % 2, 0, timeout);

		if (!is_park_status(status))
			return status;
	}
	return 0;
}

static void play(const struct attack *attack)
{
	struct user_thread thread[SLEEPERS];
	uint64_t woken;
	void *page, *again;

	EXPECT_OK(trial_map(1, &page));
	scene.word = page;
	for (uint64_t i = 0; i < SLEEPERS; i++)
		trial_thread(&thread[i], sleep_again, (void *)i);
	for (uint32_t round = 0; round < ROUNDS && !attack_is_long_enough(round); round++) {
		switch (attack->first) {
		case 0:
			EXPECT_OK(park_client_unpark(trial.park, scene.word, round % 3, &woken));
			break;
		case 1:
			EXPECT_OK(virtual_memory_client_decommit(trial.memory, page, PAGE_SIZE));
			EXPECT_OK(virtual_memory_client_commit(trial.memory, page, PAGE_SIZE, TRIAL_READ_WRITE));
			break;
		case 2:
			EXPECT_OK(trial_unmap(page, 1));
			EXPECT_OK(virtual_memory_client_map(trial.memory, page, PAGE_SIZE, TRIAL_READ_WRITE,
							    VIRTUAL_MEMORY_FIXED, &again));
			break;
		case 3:
			EXPECT_OK(virtual_memory_client_protect(trial.memory, page, PAGE_SIZE, PROTECTION_NONE));
			EXPECT_OK(virtual_memory_client_protect(trial.memory, page, PAGE_SIZE, TRIAL_READ_WRITE));
			break;
		default:
			/* The last thing changes too: sleepers are refused, or sleep on, as it comes. */
			__atomic_store_n(scene.word, round % 2, __ATOMIC_RELEASE);
			EXPECT_OK(park_client_unpark(trial.park, scene.word, PARK_ALL, &woken));
			break;
		}
	}
	__atomic_store_n(&scene.stop, 1, __ATOMIC_RELEASE);
	for (uint64_t i = 0; i < SLEEPERS; i++)
		trial_join(&thread[i], 0);
	EXPECT_OK(park_client_unpark(trial.park, scene.word, PARK_ALL, &woken));
	EXPECT_EQUAL(woken, 0);
}

/* Sixteen words at once, of each of five threads. */
static int64_t sleep_on_sixteen(void *ignored)
{
	struct ring_submission *slot;

	(void)ignored;
	for (uint64_t i = 0; i < RING_SQ_ENTRIES; i++) {
		const struct open_operation_head head = { RING_PARK, 0, trial.park.handle };

		if (open_operation_begin(head, i, &slot) != STATUS_OK)
			return 1;
		slot->argument[0] = (uint64_t)(scene.word + i);
		slot->argument[2] = PARK_FOREVER;
		open_operation_finish();
	}
	if (ring_client_enter(0, 0) != STATUS_OK)
		return 2;
	__atomic_fetch_add(&scene.asleep, 1, __ATOMIC_ACQ_REL);
	if (ring_client_enter(RING_SQ_ENTRIES, CAP_ENTER_FOREVER) != STATUS_OK)
		return 3;
	return 0;
}

enum asleep_end {
	ASLEEP_UNMAP,
	ASLEEP_UNPARK,
	ASLEEP_EXIT,
	ASLEEP_FAULT,
	ASLEEP_KILLED,
};

static void end_with_sleepers(const struct attack *attack)
{
	struct user_thread thread[SLEEPERS];
	uint64_t woken, all = 0;
	void *page;

	EXPECT_OK(trial_map(1, &page));
	scene.word = page;
	for (uint64_t i = 0; i < SLEEPERS; i++)
		trial_thread(&thread[i], sleep_on_sixteen, NULL);
	EXPECT(trial_reaches(&scene.asleep, SLEEPERS));
	if (attack->first == ASLEEP_EXIT)
		return;
	if (attack->first == ASLEEP_FAULT)
		*(volatile char *)UINT64_C(8) = 1;
	if (attack->first == ASLEEP_KILLED)
		trial_sleep(TRIAL_MS(60000));
	if (attack->first == ASLEEP_UNMAP) {
		EXPECT_OK(trial_unmap(page, 1));
	} else {
		for (uint32_t i = 0; i < RING_SQ_ENTRIES; i++) {
			EXPECT_OK(park_client_unpark(trial.park, scene.word + i, PARK_ALL, &woken));
			all += woken;
		}
		EXPECT_EQUAL(all, SLEEPERS * RING_SQ_ENTRIES);
	}
	for (uint64_t i = 0; i < SLEEPERS; i++)
		trial_join(&thread[i], 0);
}

/* Threads leave with operations open; their places, and the words, must be free of them. */
static int64_t leave_asleep(void *ignored)
{
	struct ring_submission *slot;
	const struct open_operation_head head = { RING_PARK, 0, trial.park.handle };

	(void)ignored;
	if (open_operation_begin(head, 1, &slot) != STATUS_OK)
		return 1;
	slot->argument[0] = (uint64_t)scene.word;
	slot->argument[2] = PARK_FOREVER;
	open_operation_finish();
	return ring_client_enter(0, 0);
}

static void leave_while_asleep(const struct attack *attack)
{
	static uint32_t word;
	uint64_t woken;

	(void)attack;
	scene.word = &word;
	for (uint32_t round = 0; round < 30 && !attack_is_long_enough(round); round++) {
		attack_in_threads(ATTACK_THREADS, leave_asleep);
		EXPECT_OK(park_client_unpark(trial.park, &word, PARK_ALL, &woken));
		EXPECT_EQUAL(woken, 0);
	}
}

/* Anywhere in the user half and beyond. */
static void wake_anywhere(const struct attack *attack)
{
	uint64_t seed = 4711, woken;

	(void)attack;
	for (uint32_t round = 0; round < 3000 && !attack_is_long_enough(round); round++) {
		const uint64_t address = attack_random(&seed) >> (round % 60);
		const uint32_t *word = (const uint32_t *)address;
		const enum status parked = park_client_park(trial.park, word, (uint32_t)seed, 1000);
		const enum status woke = park_client_unpark(trial.park, word, seed, &woken);

		EXPECT(is_park_status(parked) || parked == STATUS_MISALIGNED || parked == STATUS_NOT_USER_ADDRESS);
		EXPECT(woke == STATUS_OK || woke == parked);
	}
}

/* Ends of time: none of them is far enough to come back to the past. */
static void ends_of_time(const struct attack *attack)
{
	static const uint64_t times[] = { 0, 1, UINT64_MAX - 1, UINT64_MAX / 2, UINT64_MAX - 1000000000 };
	static uint32_t word;
	struct ring_submission *slot;
	struct ring_completion completion;
	uint64_t woken;

	(void)attack;
	for (uint64_t i = 0; i < COUNT_OF(times); i++) {
		const struct open_operation_head head = { RING_PARK, 0, trial.park.handle };
		const struct open_operation_head sleep = { RING_CALL, TIMER_SLEEP, trial.timer.handle };

		EXPECT_OK(open_operation_begin(head, i, &slot));
		slot->argument[0] = (uint64_t)&word;
		slot->argument[2] = times[i];
		open_operation_finish();
		EXPECT_OK(open_operation_begin(sleep, 100 + i, &slot));
		slot->argument[0] = times[i];
		open_operation_finish();
	}
	EXPECT_OK(ring_client_enter(4, TRIAL_MS(10000)));
	for (uint64_t i = 0; i < 2; i++) {
		EXPECT_OK(open_operation_wait(i, 0, &completion));
		EXPECT_STATUS(ring_client_status(&completion), STATUS_TIMED_OUT);
		EXPECT_OK(open_operation_wait(100 + i, 0, &completion));
	}
	EXPECT_STATUS(open_operation_next(TRIAL_MS(5), &completion), STATUS_TIMED_OUT);
	EXPECT_OK(park_client_unpark(trial.park, &word, PARK_ALL, &woken));
	EXPECT_EQUAL(woken, 3);
}

void park_attacks_add(void)
{
	static const char *const played[] = { "woken", "decommitted", "unmapped", "protected", "rewritten" };
	static const char *const ended[] = { "unmap", "wake", "exit", "fault", "kill" };

	for (uint32_t i = 0; i < COUNT_OF(played); i++)
		attack_add("words that are slept on are ", played[i], play, ATTACK_EXITS)->first = i;
	for (uint32_t i = 0; i < COUNT_OF(ended); i++) {
		struct attack *attack =
			attack_add("eighty sleepers end by ", ended[i], end_with_sleepers, ATTACK_EXITS);

		attack->first = i;
		if (i == ASLEEP_FAULT)
			attack->ends = ATTACK_FAULTS;
		if (i == ASLEEP_KILLED) {
			attack->ends = ATTACK_KILLED;
			attack->kill_ms = 60;
		}
	}
	attack_add("threads leave ", "while asleep", leave_while_asleep, ATTACK_EXITS);
	attack_add("sleep and wake ", "anywhere", wake_anywhere, ATTACK_EXITS);
	attack_add("sleep ", "to the end of time", ends_of_time, ATTACK_EXITS);
}
