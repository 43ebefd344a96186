/* links: user/runtime/mutex.c user/runtime/condition.c user/runtime/semaphore.c user/runtime/deadline.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/check.h"
#include "tests/host/host_support.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/condition.h"
#include "user/runtime/mutex.h"
#include "user/runtime/park_client.h"
#include "user/runtime/program.h"
#include "user/runtime/semaphore.h"
#include "user/runtime/timer_client.h"

/*
 * ParkSpace is Linux's futex here, which keeps the same promise: compare and sleep in one step. A lost wake-up is a
 * test that never ends; so that it fails instead, no sleep lasts longer than LOST_SECONDS.
 */
#define LOST_SECONDS 20u
#define NS_PER_SECOND UINT64_C(1000000000)
#define THREADS 4u
#define LATE_ONE_IN 16u
#define LATE_US 100u

static uint32_t sleeps, wakes; /* calls of the two below */

enum status park_client_sleep(const uint32_t *word, uint32_t expected, uint64_t timeout_ns)
{
	const uint64_t limit = timeout_ns == PARK_FOREVER ? LOST_SECONDS * NS_PER_SECOND : timeout_ns;
	const struct timespec time = { (time_t)(limit / NS_PER_SECOND), (long)(limit % NS_PER_SECOND) };

	/* Some come late: whoever wakes them in the meantime must have changed the word. */
	if (__atomic_fetch_add(&sleeps, 1, __ATOMIC_RELAXED) % LATE_ONE_IN == 0)
		(void)usleep(LATE_US);
	if (syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, &time, NULL, 0) == 0 || errno != ETIMEDOUT)
		return STATUS_OK;
	if (timeout_ns == PARK_FOREVER)
		check_failed("a wake-up was lost", __FILE__, __LINE__);
	return STATUS_TIMED_OUT;
}

void park_client_wake(const uint32_t *word, uint64_t count)
{
	(void)__atomic_fetch_add(&wakes, 1, __ATOMIC_RELAXED);
	(void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count > INT32_MAX ? INT32_MAX : (int)count, NULL, NULL, 0);
}

enum status capset_client_find(const char *name, enum interface_id interface, handle_t *capability)
{
	(void)name;
	(void)interface;
	*capability = HANDLE_NONE;
	return STATUS_OK;
}

enum status timer_client_now(struct timer_client client, uint64_t *nanoseconds)
{
	struct timespec time;

	(void)client;
	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	*nanoseconds = (uint64_t)time.tv_sec * NS_PER_SECOND + (uint64_t)time.tv_nsec;
	return STATUS_OK;
}

_Noreturn void program_abort(const char *message, const void *address)
{
	(void)address;
	check_failed(message, __FILE__, __LINE__);
}

static void run_together(void *(*function)(void *), void *argument)
{
	pthread_t thread[THREADS];

	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, function, argument), 0);
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
}

/* ---- mutex ---- */

struct counter {
	struct mutex lock;
	uint64_t count; /* under the lock */
	uint64_t rounds;
};

static void *count_up(void *argument)
{
	struct counter *counter = argument;

	for (uint64_t i = 0; i < counter->rounds; i++) {
		mutex_lock(&counter->lock);
		counter->count++;
		mutex_unlock(&counter->lock);
		while (i % 2 == 0 && mutex_lock_within(&counter->lock, 1000) != STATUS_OK)
			;
		if (i % 2 == 0) {
			counter->count++;
			mutex_unlock(&counter->lock);
		}
	}
	return NULL;
}

static void test_mutex_excludes(void **state)
{
	struct counter counter = { .rounds = 2 * host_rounds(100000) };

	(void)state;
	run_together(count_up, &counter);
	assert_int_equal(counter.count, THREADS * (counter.rounds + counter.rounds / 2));
	assert_int_equal(counter.lock.word, MUTEX_FREE);
}

static void use_alone(void)
{
	struct mutex mutex = { 0 };
	struct condition condition = { 0 };
	struct semaphore semaphore = { .count = 1 };

	mutex_lock(&mutex);
	assert_int_equal(mutex.word, MUTEX_LOCKED);
	assert_int_equal(mutex_try_lock(&mutex), STATUS_WOULD_BLOCK);
	mutex_unlock(&mutex);
	assert_int_equal(mutex_try_lock(&mutex), STATUS_OK);
	condition_signal(&condition);
	condition_broadcast(&condition);
	mutex_unlock(&mutex);
	assert_int_equal(mutex.word, MUTEX_FREE);
	semaphore_wait(&semaphore);
	assert_int_equal(semaphore_try_wait(&semaphore), STATUS_WOULD_BLOCK);
	assert_int_equal(semaphore_post(&semaphore), STATUS_OK);
}

/* Nobody else there: no sleep, no wake-up, with one thread or with several. */
static void test_uncontended_makes_no_call(void **state)
{
	const uint32_t before = sleeps + wakes;

	(void)state;
	mutex_threads = false;
	use_alone();
	mutex_threads = true;
	use_alone();
	assert_int_equal(sleeps + wakes, before);
}

static uint64_t now(void)
{
	uint64_t time;

	assert_int_equal(timer_client_now((struct timer_client){ HANDLE_NONE }, &time), STATUS_OK);
	return time;
}

#define SHORT_NS UINT64_C(20000000)

static void test_timeouts(void **state)
{
	struct mutex locked = { MUTEX_LOCKED }, mutex = { 0 };
	struct semaphore semaphore = { 0 };
	struct condition condition = { 0 };
	const uint32_t sleeps_before = sleeps;
	uint64_t start = now();

	(void)state;
	assert_int_equal(mutex_lock_within(&locked, SHORT_NS), STATUS_TIMED_OUT);
	assert_true(now() - start >= SHORT_NS);
	start = now();
	assert_int_equal(semaphore_wait_within(&semaphore, SHORT_NS), STATUS_TIMED_OUT);
	assert_true(now() - start >= SHORT_NS);
	assert_int_equal(semaphore.waiters, 0);
	assert_int_equal(semaphore_wait_within(&semaphore, 0), STATUS_TIMED_OUT);
	start = now();
	mutex_lock(&mutex);
	assert_int_equal(condition_wait_within(&condition, &mutex, SHORT_NS), STATUS_TIMED_OUT);
	assert_true(now() - start >= SHORT_NS);
	assert_int_equal(condition.waiters, 0);
	assert_int_equal(mutex_try_lock(&mutex), STATUS_WOULD_BLOCK);
	mutex_unlock(&mutex);
	assert_true(sleeps - sleeps_before <= 6); /* they slept, and did not ask again and again */
}

/* ---- condition: a queue of one place, producers and consumers ---- */

struct place {
	struct mutex lock;
	struct condition filled, emptied;
	uint64_t value, sum; /* under the lock; value 0: empty */
	uint64_t rounds;
	uint32_t threads; /* that have begun: every second one produces */
};

static void produce(struct place *place, uint64_t value)
{
	mutex_lock(&place->lock);
	while (place->value != 0)
		condition_wait(&place->emptied, &place->lock);
	place->value = value;
	mutex_unlock(&place->lock);
	condition_signal(&place->filled);
}

static void consume(struct place *place)
{
	mutex_lock(&place->lock);
	while (place->value == 0)
		condition_wait(&place->filled, &place->lock);
	place->sum += place->value;
	place->value = 0;
	condition_signal(&place->emptied);
	mutex_unlock(&place->lock);
}

static void *produce_or_consume(void *argument)
{
	struct place *place = argument;
	const bool produces = __atomic_fetch_add(&place->threads, 1, __ATOMIC_RELAXED) % 2 == 0;

	for (uint64_t i = 1; i <= place->rounds; i++) {
		if (produces)
			produce(place, i);
		else
			consume(place);
	}
	return NULL;
}

static void test_condition_passes_each_value(void **state)
{
	struct place place = { .rounds = host_rounds(20000) };

	(void)state;
	run_together(produce_or_consume, &place);
	assert_int_equal(place.sum, (uint64_t)THREADS / 2 * place.rounds * (place.rounds + 1) / 2);
	assert_int_equal(place.filled.waiters + place.emptied.waiters, 0);
}

struct gate {
	struct mutex lock;
	struct condition all_here;
	uint64_t here, generation;
	uint64_t rounds;
};

/* Nobody begins a round before all have ended the one before. */
static void *pass_gate(void *argument)
{
	struct gate *gate = argument;

	for (uint64_t i = 0; i < gate->rounds; i++) {
		mutex_lock(&gate->lock);
		CHECK(gate->generation == i); /* not an assertion of cmocka: those are for the first thread */
		if (++gate->here == THREADS) {
			gate->here = 0;
			gate->generation++;
			condition_broadcast(&gate->all_here);
		}
		while (gate->generation == i)
			condition_wait(&gate->all_here, &gate->lock);
		mutex_unlock(&gate->lock);
	}
	return NULL;
}

static void test_broadcast_wakes_all(void **state)
{
	struct gate gate = { .rounds = host_rounds(5000) };

	(void)state;
	run_together(pass_gate, &gate);
	assert_int_equal(gate.generation, gate.rounds);
}

/* ---- semaphore ---- */

struct ball {
	struct semaphore side[2];
	uint32_t threads;
	uint64_t rounds;
};

static void *throw_ball(void *argument)
{
	struct ball *ball = argument;
	const uint32_t own = __atomic_fetch_add(&ball->threads, 1, __ATOMIC_RELAXED) % 2;

	for (uint64_t i = 0; i < ball->rounds; i++) {
		while (i % 3 == 0 && semaphore_wait_within(&ball->side[own], 1000) != STATUS_OK)
			;
		if (i % 3 != 0)
			semaphore_wait(&ball->side[own]);
		CHECK(semaphore_post(&ball->side[1 - own]) == STATUS_OK);
	}
	return NULL;
}

static void test_semaphore_keeps_count(void **state)
{
	struct ball ball = { .side[0].count = 1, .rounds = host_rounds(20000) };

	(void)state;
	run_together(throw_ball, &ball);
	assert_int_equal(ball.side[0].count, 1);
	assert_int_equal(ball.side[1].count, 0);
	assert_int_equal(ball.side[0].waiters + ball.side[1].waiters, 0);
}

static void test_semaphore_ends(void **state)
{
	struct semaphore full = { .count = UINT32_MAX };

	(void)state;
	assert_int_equal(semaphore_post(&full), STATUS_TOO_LONG);
	assert_int_equal(full.count, UINT32_MAX);
}

int main(int argc, char **argv, char **envp)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uncontended_makes_no_call),
		cmocka_unit_test(test_mutex_excludes),
		cmocka_unit_test(test_timeouts),
		cmocka_unit_test(test_condition_passes_each_value),
		cmocka_unit_test(test_broadcast_wakes_all),
		cmocka_unit_test(test_semaphore_keeps_count),
		cmocka_unit_test(test_semaphore_ends),
	};

	(void)argc;
	(void)argv;
	(void)envp;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
