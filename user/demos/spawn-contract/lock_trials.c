#include "user/demos/spawn-contract/lock_trials.h"

#include <stddef.h>

#include "lib/check.h"
#include "user/runtime/condition.h"
#include "user/runtime/mutex.h"
#include "user/runtime/semaphore.h"
#include "user/runtime/user_thread.h"
#include "user/testing/trial.h"

#define THREADS 6u
#define ROUNDS 1000u
#define QUEUE 4u

static struct {
	struct mutex lock;
	struct condition filled, emptied, opened;
	struct semaphore semaphore;
	uint64_t count, sum;
	uint32_t inside, queued;
	uint64_t queue[QUEUE];
	bool is_open;
} shared;

static void run_all(int64_t (*function)(void *))
{
	struct user_thread thread[THREADS];

	for (uint64_t i = 0; i < THREADS; i++)
		trial_thread(&thread[i], function, (void *)i);
	for (uint64_t i = 0; i < THREADS; i++)
		trial_join(&thread[i], 0);
}

static int64_t count_under_lock(void *index)
{
	for (uint32_t i = 0; i < ROUNDS; i++) {
		mutex_lock(&shared.lock);
		const uint64_t seen = shared.count;

		if (i % 100 == (uint64_t)index && thread_client_yield(trial.threads) != STATUS_OK)
			return 1;
		shared.count = seen + 1;
		mutex_unlock(&shared.lock);
	}
	return 0;
}

static void mutex_excludes(void)
{
	shared.count = 0;
	run_all(count_under_lock);
	EXPECT_EQUAL(shared.count, THREADS * ROUNDS);
	EXPECT_EQUAL(shared.lock.word, MUTEX_FREE);
}

static int64_t hold_for_a_while(void *ignored)
{
	(void)ignored;
	mutex_lock(&shared.lock);
	__atomic_store_n(&shared.inside, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&shared.inside, __ATOMIC_ACQUIRE) == 1)
		trial_sleep(TRIAL_MS(1));
	mutex_unlock(&shared.lock);
	return 0;
}

static void mutex_has_a_time_limit(void)
{
	struct user_thread thread;

	shared.inside = 0;
	trial_thread(&thread, hold_for_a_while, NULL);
	EXPECT(trial_reaches(&shared.inside, 1));
	EXPECT_STATUS(mutex_try_lock(&shared.lock), STATUS_WOULD_BLOCK);
	EXPECT_STATUS(mutex_lock_within(&shared.lock, TRIAL_MS(5)), STATUS_TIMED_OUT);
	__atomic_store_n(&shared.inside, 0, __ATOMIC_RELEASE);
	EXPECT_OK(mutex_lock_within(&shared.lock, TRIAL_MS(10000)));
	mutex_unlock(&shared.lock);
	trial_join(&thread, 0);
}

/* Even threads put, odd ones take. */
static int64_t put_or_take(void *index)
{
	const bool puts = (uint64_t)index % 2 == 0;

	for (uint64_t i = 1; i <= ROUNDS; i++) {
		mutex_lock(&shared.lock);
		while (shared.queued == (puts ? QUEUE : 0))
			condition_wait(puts ? &shared.emptied : &shared.filled, &shared.lock);
		if (puts)
			shared.queue[shared.queued++] = i;
		else
			shared.sum += shared.queue[--shared.queued];
		mutex_unlock(&shared.lock);
		condition_signal(puts ? &shared.filled : &shared.emptied);
	}
	return 0;
}

static void condition_loses_nothing(void)
{
	shared.sum = shared.queued = 0;
	run_all(put_or_take);
	EXPECT_EQUAL(shared.queued, 0);
	EXPECT_EQUAL(shared.sum, (uint64_t)THREADS / 2 * ROUNDS * (ROUNDS + 1) / 2);
}

static int64_t wait_until_open(void *ignored)
{
	(void)ignored;
	mutex_lock(&shared.lock);
	__atomic_fetch_add(&shared.inside, 1, __ATOMIC_ACQ_REL);
	while (!shared.is_open)
		condition_wait(&shared.opened, &shared.lock);
	mutex_unlock(&shared.lock);
	return 0;
}

static void broadcast_wakes_all(void)
{
	struct user_thread thread[THREADS];

	shared.inside = 0;
	shared.is_open = false;
	for (uint32_t i = 0; i < THREADS; i++)
		trial_thread(&thread[i], wait_until_open, NULL);
	EXPECT(trial_reaches(&shared.inside, THREADS));
	mutex_lock(&shared.lock);
	EXPECT_STATUS(condition_wait_within(&shared.filled, &shared.lock, TRIAL_MS(5)), STATUS_TIMED_OUT);
	shared.is_open = true;
	mutex_unlock(&shared.lock);
	condition_broadcast(&shared.opened);
	for (uint32_t i = 0; i < THREADS; i++)
		trial_join(&thread[i], 0);
}

static int64_t enter_with_semaphore(void *ignored)
{
	(void)ignored;
	for (uint32_t i = 0; i < ROUNDS; i++) {
		semaphore_wait(&shared.semaphore);
		const uint32_t inside = __atomic_add_fetch(&shared.inside, 1, __ATOMIC_ACQ_REL);

		if (inside > 2)
			return 1;
		__atomic_fetch_sub(&shared.inside, 1, __ATOMIC_ACQ_REL);
		if (semaphore_post(&shared.semaphore) != STATUS_OK)
			return 2;
	}
	return 0;
}

static void semaphore_lets_two_in(void)
{
	shared.semaphore = (struct semaphore){ .count = 2 };
	shared.inside = 0;
	run_all(enter_with_semaphore);
	EXPECT_EQUAL(shared.semaphore.count, 2);
	EXPECT_OK(semaphore_try_wait(&shared.semaphore));
	EXPECT_OK(semaphore_try_wait(&shared.semaphore));
	EXPECT_STATUS(semaphore_try_wait(&shared.semaphore), STATUS_WOULD_BLOCK);
	EXPECT_STATUS(semaphore_wait_within(&shared.semaphore, TRIAL_MS(5)), STATUS_TIMED_OUT);
}

void lock_trials_check(void)
{
	static const struct trial_case cases[] = {
		{ "mutex-excludes", mutex_excludes },
		{ "mutex-has-a-time-limit", mutex_has_a_time_limit },
		{ "condition-loses-nothing", condition_loses_nothing },
		{ "broadcast-wakes-all", broadcast_wakes_all },
		{ "semaphore-lets-two-in", semaphore_lets_two_in },
	};

	trial_check(cases, COUNT_OF(cases));
}
