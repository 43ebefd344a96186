/* links: kernel/task/run_queue.c */
/* The run queue against a plain list: highest priority first, and first come, first served within one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/arch/x86_64/spinlock.h"
#include "kernel/task/run_queue.h"
#include "kernel/task/thread.h"
#include "lib/check.h"
#include "tests/host/host_support.h"

#define THREADS 24u

/* Nobody else takes the lock here. */
void spinlock_wait(const struct spinlock *lock, uint16_t ticket)
{
	(void)lock;
	(void)ticket;
	CHECK(false && "the lock is free");
}

static struct thread threads[THREADS];

static void test_empty(void **state)
{
	struct run_queue queue = { .ready = 0 };

	(void)state;
	assert_int_equal(run_queue_best(&queue), 0);
	assert_int_equal(run_queue_count(&queue), 0);
	assert_null(run_queue_take(&queue, 0));
	assert_null(run_queue_take(&queue, THREAD_PRIORITIES - 1));
	assert_true(run_queue_is_valid(&queue));
}

/* Each priority, with each lowest that may be asked for. */
static void test_lowest(void **state)
{
	(void)state;
	for (uint32_t priority = 0; priority < THREAD_PRIORITIES; priority++) {
		for (uint32_t lowest = 0; lowest < THREAD_PRIORITIES; lowest++) {
			struct run_queue queue = { .ready = 0 };

			threads[0] = (struct thread){ .priority = priority };
			run_queue_add(&queue, &threads[0]);
			assert_int_equal(run_queue_best(&queue), priority + 1);
			if (lowest > priority)
				assert_null(run_queue_take(&queue, lowest));
			else
				assert_ptr_equal(run_queue_take(&queue, lowest), &threads[0]);
			assert_int_equal(run_queue_count(&queue), lowest > priority);
			assert_true(run_queue_is_valid(&queue));
		}
	}
}

/* A priority that changes while its thread waits is one for the next time. */
static void test_changed_priority(void **state)
{
	struct run_queue queue = { .ready = 0 };

	(void)state;
	for (uint32_t i = 0; i < 2; i++) {
		threads[i] = (struct thread){ .priority = 3 };
		run_queue_add(&queue, &threads[i]);
	}
	threads[1].priority = 7;
	assert_int_equal(run_queue_best(&queue), 4);
	assert_true(run_queue_is_valid(&queue));
	assert_ptr_equal(run_queue_take(&queue, 0), &threads[0]);
	assert_ptr_equal(run_queue_take(&queue, 0), &threads[1]);
	run_queue_add(&queue, &threads[1]);
	assert_int_equal(run_queue_best(&queue), 8);
}

/* The one that the model says is next; -1: none. */
static int model_next(const uint64_t order[THREADS], uint32_t lowest)
{
	int next = -1;

	for (uint32_t i = 0; i < THREADS; i++) {
		if (order[i] == 0 || threads[i].queue_priority < lowest)
			continue;
		if (next < 0 || threads[i].queue_priority > threads[next].queue_priority ||
		    (threads[i].queue_priority == threads[next].queue_priority && order[i] < order[next]))
			next = (int)i;
	}
	return next;
}

static void test_random(void **state)
{
	struct run_queue queue = { .ready = 0 };
	uint64_t order[THREADS] = { 0 }; /* 0: not in the queue */
	struct host_random random;
	uint32_t count = 0;

	(void)state;
	host_random_init(&random, "run_queue", 61);
	for (uint64_t round = 1; round <= host_rounds(500000); round++) {
		uint32_t i = (uint32_t)host_random_below(&random, THREADS);
		uint32_t lowest = host_random_once_in(&random, 2) ? 0 : (uint32_t)host_random_below(&random, 8);

		if (order[i] == 0 && !host_random_once_in(&random, 3)) {
			threads[i] = (struct thread){ .priority = (uint32_t)host_random_below(&random, 8) };
			run_queue_add(&queue, &threads[i]);
			order[i] = round;
			count++;
		} else {
			int next = model_next(order, lowest);
			struct thread *taken = run_queue_take(&queue, lowest);

			assert_ptr_equal(taken, next < 0 ? NULL : &threads[next]);
			if (next >= 0) {
				order[next] = 0;
				count--;
			}
		}
		assert_int_equal(run_queue_count(&queue), count);
		if (round % 16 == 0)
			assert_true(run_queue_is_valid(&queue));
	}
}

static void test_is_valid_sees(void **state)
{
	struct run_queue queue = { .ready = 0 };

	(void)state;
	threads[0] = (struct thread){ .priority = 2 };
	run_queue_add(&queue, &threads[0]);
	queue.count = 2;
	assert_false(run_queue_is_valid(&queue));
	queue.count = 1;
	queue.ready = 1u << 3;
	assert_false(run_queue_is_valid(&queue));
	queue.ready = 1u << 2;
	threads[0].state = THREAD_BLOCKED;
	assert_false(run_queue_is_valid(&queue));
	threads[0].state = THREAD_READY;
	queue.last[2] = &threads[1];
	assert_false(run_queue_is_valid(&queue));
	queue.last[2] = &threads[0];
	assert_true(run_queue_is_valid(&queue));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_lowest),
		cmocka_unit_test(test_changed_priority),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_is_valid_sees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
