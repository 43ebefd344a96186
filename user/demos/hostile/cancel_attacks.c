#include "user/demos/hostile/cancel_attacks.h"

#include <stddef.h>

#include "lib/check.h"
#include "user/demos/hostile/attack.h"
#include "user/runtime/open_operation.h"
#include "user/runtime/user_thread.h"

#define CLIENTS 3u
#define SERVERS 2u
#define OPEN 8u /* at a time, of one thread */
#define KILL_MS 60u

static struct endpoint_client endpoint;
static struct endpoint_facet facet;
static uint32_t words[OPEN];
static bool is_over; /* atomic */

/* Atomic. What was answered and what was returned must be as many. */
static struct {
	uint64_t answered, returned, cancelled;
} counts;

static uint64_t seed_of(const void *index)
{
	return UINT64_C(0x9e3779b97f4a7c15) * ((uint64_t)index + 1);
}

static void pause_for(uint64_t rounds)
{
	for (uint64_t i = 0; i < rounds; i++)
		__builtin_ia32_pause();
}

/* Somebody else may have completed it first. Then its completion says so, and else that it was cancelled. */
static int64_t cancel_and_take(uint64_t user_data, struct ring_completion *completion)
{
	const enum status cancelled = open_operation_cancel(user_data);

	if (cancelled != STATUS_OK && cancelled != STATUS_NOT_FOUND)
		return 10;
	if (open_operation_wait(user_data, 0, completion) != STATUS_OK)
		return 11;
	if ((cancelled == STATUS_OK) != (ring_client_status(completion) == STATUS_CANCELLED))
		return 12;
	/* Once, and no second time. */
	return open_operation_wait(user_data, 0, &(struct ring_completion){ 0 }) == STATUS_OK ? 13 : 0;
}

/* ---- against the answer ---- */

/* Each answer moves a capability, which arrives with it or stays here. */
static int64_t serve(void *ignored)
{
	struct transfer_descriptor moved = { .kind = TRANSFER_KIND_MOVE };
	struct endpoint_buffer buffer;

	(void)ignored;
	while (endpoint_client_receive(endpoint, (struct endpoint_intake){ &buffer, sizeof(buffer), 0 }) == STATUS_OK) {
		struct endpoint_answer answer = { .call = buffer.message.call, .transfer = &moved, .transfers = 1 };
		struct endpoint_facet given;
		enum status status;

		if (endpoint_client_make_client(endpoint, 1, true, &given) != STATUS_OK)
			return 1;
		moved.capability = given.handle;
		status = endpoint_client_return(endpoint, &answer);
		if (status == STATUS_OK)
			__atomic_fetch_add(&counts.returned, 1, __ATOMIC_RELAXED);
		else if (status != STATUS_GONE || ring_client_release(given.handle) != STATUS_OK)
			return 2;
	}
	return 0;
}

static int64_t take_answer(const struct ring_completion *completion)
{
	if (ring_client_status(completion) == STATUS_CANCELLED) {
		__atomic_fetch_add(&counts.cancelled, 1, __ATOMIC_RELAXED);
		return (completion->flags & COMPLETION_HAS_CAPABILITY) != 0 ? 3 : 0;
	}
	if (completion->result != 0 || (completion->flags & COMPLETION_HAS_CAPABILITY) == 0)
		return 4;
	__atomic_fetch_add(&counts.answered, 1, __ATOMIC_RELAXED);
	return ring_client_release(completion->capability) == STATUS_OK ? 0 : 5;
}

static int64_t call_and_cancel(void *index)
{
	const struct endpoint_request request = { .method = 1, .accepts = 1 };
	uint64_t seed = seed_of(index);
	int64_t wrong = 0;

	while (wrong == 0 && !__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
		struct ring_completion completion;

		if (endpoint_client_call_submit(facet, &request, 1) != STATUS_OK ||
		    ring_client_enter(0, 0) != STATUS_OK)
			return 6;
		if (attack_random(&seed) % 4 == 0 && thread_client_yield(trial.threads) != STATUS_OK)
			return 7;
		pause_for(attack_random(&seed) % 256);
		wrong = cancel_and_take(1, &completion);
		if (wrong == 0)
			wrong = take_answer(&completion);
	}
	return wrong;
}

static void start_all(struct user_thread *thread, uint64_t count, int64_t (*function)(void *))
{
	for (uint64_t i = 0; i < count; i++)
		trial_thread(&thread[i], function, (void *)i);
}

static void join_all(struct user_thread *thread, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		trial_join(&thread[i], 0);
}

/* Calls that were answered, and calls that were not; on a host that gives a CPU no time that may take long. */
static bool both_were_seen(uint64_t end)
{
	return trial_now() >= end || (__atomic_load_n(&counts.answered, __ATOMIC_RELAXED) != 0 &&
				      __atomic_load_n(&counts.cancelled, __ATOMIC_RELAXED) != 0);
}

/* Callers give up at any moment, also the one at which the answer comes. */
static void answers_are_cancelled(const struct attack *attack)
{
	const uint64_t end = trial_now() + TRIAL_MS(60000);
	struct user_thread client[CLIENTS], server[SERVERS];
	struct endpoint_statistics statistics;

	(void)attack;
	EXPECT_OK(endpoint_client_create(trial.endpoints, &endpoint));
	EXPECT_OK(endpoint_client_make_client(endpoint, 0, true, &facet));
	start_all(server, SERVERS, serve);
	start_all(client, CLIENTS, call_and_cancel);
	for (uint32_t round = 0; !attack_is_long_enough(round) || !both_were_seen(end); round++)
		trial_sleep(TRIAL_MS(10));
	__atomic_store_n(&is_over, true, __ATOMIC_RELAXED);
	join_all(client, CLIENTS);
	EXPECT_OK(endpoint_client_statistics(endpoint, &statistics));
	EXPECT_EQUAL(statistics.waiting_calls + statistics.served_calls, 0);
	EXPECT_OK(ring_client_release(endpoint.handle)); /* the servers' last receive is over */
	join_all(server, SERVERS);
	EXPECT_EQUAL(counts.answered, counts.returned);
	EXPECT(counts.answered != 0 && counts.cancelled != 0);
}

/* ---- against wake-ups, deadlines and deaths ---- */

static enum status submit_one(uint64_t which, uint64_t user_data)
{
	const struct open_operation_head park = { RING_PARK, 0, trial.park.handle };
	const struct open_operation_head sleep = { RING_CALL, TIMER_SLEEP, trial.timer.handle };
	struct ring_submission *slot;

	TRY(open_operation_begin(which % 4 == 0 ? sleep : park, user_data, &slot));
	if (which % 4 == 0) {
		slot->argument[0] = which % 50000;
	} else {
		slot->argument[0] = (uint64_t)&words[user_data];
		slot->argument[1] = 0;
		slot->argument[2] = which % 3 == 0 ? which % 50000 : PARK_FOREVER;
	}
	open_operation_finish();
	return STATUS_OK;
}

/* Eight of its own are open at once, and end in any order and in every way. */
static int64_t open_and_cancel(void *index)
{
	uint64_t seed = seed_of(index);

	while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
		const uint64_t first = attack_random(&seed);

		for (uint64_t i = 0; i < OPEN; i++)
			if (submit_one(attack_random(&seed), i) != STATUS_OK)
				return 1;
		if (ring_client_enter(0, 0) != STATUS_OK)
			return 2;
		pause_for(first % 512);
		for (uint64_t i = 0; i < OPEN; i++) {
			struct ring_completion completion;
			const int64_t wrong = cancel_and_take((first + i * 3) % OPEN, &completion);
			const enum status status = ring_client_status(&completion);

			if (wrong != 0)
				return wrong;
			if (status != STATUS_OK && status != STATUS_CANCELLED && status != STATUS_TIMED_OUT)
				return 3;
		}
	}
	return 0;
}

static int64_t wake_all(void *index)
{
	uint64_t seed = seed_of(index), woken;

	while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
		if (park_client_unpark(trial.park, &words[attack_random(&seed) % OPEN], PARK_ALL, &woken) != STATUS_OK)
			return 1;
	}
	return 0;
}

static void wake_ups_are_cancelled(const struct attack *attack)
{
	struct user_thread sleeper[CLIENTS], waker;
	uint64_t woken = 0;

	start_all(sleeper, CLIENTS, open_and_cancel);
	start_all(&waker, 1, wake_all);
	for (uint32_t round = 0; attack->kill_ms != 0 || !attack_is_long_enough(round); round++)
		trial_sleep(TRIAL_MS(10));
	__atomic_store_n(&is_over, true, __ATOMIC_RELAXED);
	join_all(sleeper, CLIENTS);
	join_all(&waker, 1);
	for (uint32_t i = 0; i < OPEN; i++) {
		EXPECT_OK(park_client_unpark(trial.park, &words[i], PARK_ALL, &woken));
		EXPECT_EQUAL(woken, 0);
	}
}

/* A process for each cancel that ends what it waits for. */
static void ends_are_cancelled(const struct attack *attack)
{
	uint64_t seed = seed_of(NULL);

	(void)attack;
	for (uint32_t round = 0; !attack_is_long_enough(round); round++) {
		struct ring_completion completion;
		struct process_builder builder;
		struct process_client process;
		struct process_exit exit;

		attack_build(&builder, "nothing", 0);
		EXPECT_OK(trial_child_start(&builder, &process));
		EXPECT_OK(process_client_wait_submit(process, &exit, 1));
		EXPECT_OK(ring_client_enter(0, 0));
		trial_sleep(attack_random(&seed) % TRIAL_MS(2));
		EXPECT_EQUAL(cancel_and_take(1, &completion), 0);
		trial_child_expect(process, PROCESS_EXITED, 0);
	}
}

void cancel_attacks_add(void)
{
	attack_add("cancel ", "against the answer", answers_are_cancelled, ATTACK_EXITS);
	attack_add("cancel ", "against wake-ups and deadlines", wake_ups_are_cancelled, ATTACK_EXITS);
	attack_add("cancel ", "under a kill", wake_ups_are_cancelled, ATTACK_KILLED)->kill_ms = KILL_MS;
	attack_add("cancel ", "against the end of a process", ends_are_cancelled, ATTACK_EXITS);
}
