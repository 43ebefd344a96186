#include "user/demos/hostile/thread_attacks.h"

#include <stddef.h>

#include "lib/check.h"
#include "user/demos/hostile/attack.h"
#include "user/runtime/open_operation.h"
#include "user/runtime/user_thread.h"

#define ROUNDS 15u

static int64_t answer(void *code)
{
	return (int64_t)code;
}

static int64_t come_and_go(void *index)
{
	struct user_thread thread;
	int64_t code;

	for (uint32_t i = 0; i < ROUNDS; i++) {
		if (user_thread_start(&thread, answer, index, NULL) != STATUS_OK)
			return -1;
		if (user_thread_join(&thread, &code) != STATUS_OK || code != (int64_t)index)
			return -2;
	}
	return 0;
}

static void start_from_threads(const struct attack *attack)
{
	(void)attack;
	attack_in_threads(8, come_and_go);
}

/* ---- ends that meet ---- */

static uint32_t go;

static int64_t end_with_others(void *act)
{
	while (__atomic_load_n(&go, __ATOMIC_ACQUIRE) == 0)
		CHECK(park_client_sleep(&go, 0, PARK_FOREVER) == STATUS_OK);
	if (act == (void *)1)
		system_call_exit(0);
	if (act == (void *)2)
		*(volatile char *)UINT64_C(8) = 1;
	return 0;
}

/* Forty threads leave at the same moment: by themselves, by exit, by faults, or some of each. */
static void end_all_at_once(const struct attack *attack)
{
	for (uint64_t i = 0; i < 40; i++)
		attack_beside(end_with_others, (void *)(attack->first == 3 ? i % 3 : attack->first));
	__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
	park_client_wake(&go, PARK_ALL);
	user_thread_exit(0);
}

static uint64_t ids[8];

/* Each waits for the next; the last one for the first. */
static int64_t wait_for_next(void *index)
{
	struct thread_exit exit;
	const uint64_t next = ((uint64_t)index + 1) % COUNT_OF(ids);

	while (__atomic_load_n(&ids[next], __ATOMIC_ACQUIRE) == 0)
		CHECK(thread_client_yield(trial.threads) == STATUS_OK);
	return thread_client_wait(trial.threads, ids[next], &exit);
}

static void wait_in_a_ring(const struct attack *attack)
{
	struct user_thread thread[COUNT_OF(ids)];

	for (uint64_t i = 0; i < COUNT_OF(ids); i++)
		trial_thread(&thread[i], wait_for_next, (void *)i);
	for (uint64_t i = 0; i < COUNT_OF(ids); i++)
		__atomic_store_n(&ids[i], thread[i].id, __ATOMIC_RELEASE);
	trial_sleep(attack->kill_ms != 0 ? TRIAL_MS(60000) : TRIAL_MS(20));
}

static uint64_t awaited;

static int64_t wait_for_one(void *ignored)
{
	struct thread_exit exit;
	const enum status status = thread_client_wait(trial.threads, awaited, &exit);

	(void)ignored;
	return status == STATUS_OK || status == STATUS_NOT_FOUND ? 0 : 1;
}

/* Whoever waits in time is told; whoever comes later finds no such thread. Nobody waits for ever. */
static void all_wait_for_one(const struct attack *attack)
{
	struct user_thread thread;
	struct thread_exit exit;

	(void)attack;
	for (uint32_t round = 0; round < 20; round++) {
		go = 0;
		trial_thread(&thread, end_with_others, NULL);
		awaited = thread.id;
		__atomic_store_n(&go, round % 2, __ATOMIC_RELEASE);
		struct user_thread waiter[6];

		for (uint32_t i = 0; i < COUNT_OF(waiter); i++)
			trial_thread(&waiter[i], wait_for_one, NULL);
		__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
		park_client_wake(&go, PARK_ALL);
		for (uint32_t i = 0; i < COUNT_OF(waiter); i++)
			trial_join(&waiter[i], 0);
		(void)!thread_client_wait(trial.threads, awaited, &exit);
		EXPECT_STATUS(thread_client_wait(trial.threads, awaited, &exit), STATUS_NOT_FOUND);
	}
}

/* ---- beginnings ---- */

/* Threads that begin in nothing, on nothing. The first one that runs ends the process. */
static void begin_nowhere(const struct attack *attack)
{
	struct thread_begin begin = {
		.entry = (uint64_t)user_thread_entry, .stack = USER_LIMIT - 16, .tls = USER_LIMIT - 16, .priority = 1
	};
	uint64_t id;

	if (attack->first == 0)
		begin.entry = 0x20000000;
	else if (attack->first == 1)
		begin.stack = 0x20000000;
	else if (attack->first == 2)
		begin.entry = CAPSET_ADDRESS;
	else
		begin.stack = 1; /* not aligned, in the pages that are never there */
	for (uint32_t i = 0; i < 8; i++) {
		const enum status status = thread_client_create(trial.threads, &begin, &id);

		EXPECT(status == STATUS_OK);
	}
	trial_sleep(TRIAL_MS(60000));
}

static void garbage_arguments(const struct attack *attack)
{
	uint64_t seed = 99;

	(void)attack;
	for (uint32_t i = 0; i < 3000; i++) {
		const uint16_t operations[] = { THREAD_CONTROL_WAIT, THREAD_CONTROL_SET_PRIORITY,
						THREAD_CONTROL_OPERATION_COUNT, UINT16_MAX };
		struct ring_submission request = { .opcode = RING_CALL,
						   .operation = operations[i % COUNT_OF(operations)],
						   .capability = trial.threads.handle };

		for (uint32_t j = 0; j < 6; j++)
			request.argument[j] = attack_random(&seed) >> (i % 64);
		if (request.operation == THREAD_CONTROL_SET_PRIORITY && request.argument[0] == 0)
			request.argument[0] = 1000; /* our own may change */
		EXPECT(ring_client_call_plain(&request) != STATUS_OK);
	}
}

/* ---- time ---- */

static int64_t be_busy(void *enters)
{
	for (volatile uint64_t i = 0;; i++) {
		if (enters != NULL)
			CHECK(ring_client_enter(0, 0) == STATUS_OK);
	}
	return 0;
}

/* Sixty threads of the highest priority that there is for us, none of which ever sleeps. */
static void take_all_time(const struct attack *attack)
{
	struct user_thread_options options = { .priority = THREAD_PRIORITIES - 1 };
	struct user_thread thread;

	/* The highest that we have. */
	while (thread_client_set_priority(trial.threads, 0, options.priority) != STATUS_OK)
		options.priority--;
	for (uint64_t i = 0; i < 60; i++)
		EXPECT_OK(user_thread_start(&thread, be_busy, (void *)(uint64_t)attack->first, &options));
	(void)be_busy((void *)(uint64_t)attack->first);
}

static int64_t change_priorities(void *index)
{
	uint64_t seed = 1234 + (uint64_t)index;

	for (uint32_t i = 0; i < 500; i++) {
		const uint64_t id = awaited;
		const enum status status =
			thread_client_set_priority(trial.threads, id, (uint32_t)(attack_random(&seed) % 4));

		if (status != STATUS_OK)
			return status;
		if (i % 50 == 0)
			trial_sleep(10000);
	}
	return 0;
}

/* Others change the priority of a thread that runs, sleeps and yields. */
static void juggle_priorities(const struct attack *attack)
{
	struct user_thread thread[4];

	(void)attack;
	awaited = 0;
	for (uint64_t i = 0; i < COUNT_OF(thread); i++)
		trial_thread(&thread[i], change_priorities, (void *)i);
	for (uint32_t i = 0; i < 300; i++) {
		EXPECT_OK(thread_client_yield(trial.threads));
		if (i % 10 == 0)
			trial_sleep(20000);
	}
	for (uint64_t i = 0; i < COUNT_OF(thread); i++)
		trial_join(&thread[i], 0);
}

void thread_attacks_add(void)
{
	static const char *const ends[] = { "leaving", "exits", "faults", "all of these" };
	static const uint32_t how[] = { ATTACK_EXITS, ATTACK_EXITS, ATTACK_FAULTS, ATTACK_EXITS | ATTACK_FAULTS };
	static const char *const nowhere[] = { "code nowhere", "stack nowhere", "code in the CapSet", "stack on null" };
	struct attack *attack;

	attack_add("threads ", "from threads", start_from_threads, ATTACK_EXITS);
	for (uint32_t i = 0; i < COUNT_OF(ends); i++)
		attack_add("forty threads end at once by ", ends[i], end_all_at_once, how[i])->first = i;
	attack_add("wait for each other ", "in a ring", wait_in_a_ring, ATTACK_EXITS);
	attack = attack_add("wait for each other ", "until killed", wait_in_a_ring, ATTACK_KILLED);
	attack->kill_ms = 30;
	attack_add("all wait ", "for one", all_wait_for_one, ATTACK_EXITS);
	for (uint32_t i = 0; i < COUNT_OF(nowhere); i++)
		attack_add("begin with ", nowhere[i], begin_nowhere, ATTACK_FAULTS)->first = i;
	attack_add("garbage to ", "ThreadControl", garbage_arguments, ATTACK_EXITS);
	for (uint32_t i = 0; i < 2; i++) {
		attack = attack_add("sixty threads take all time ", i == 0 ? "in ring 3" : "in system calls",
				    take_all_time, ATTACK_KILLED);
		attack->first = i;
		attack->kill_ms = 50;
	}
	attack_add("juggle ", "priorities", juggle_priorities, ATTACK_EXITS);
}
