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

/* A priority that changes while its thread waits: taken out of any place of its list, it goes where it belongs now. */
static void test_changed_priority(void **state)
{
	(void)state;
	for (uint32_t changed = 0; changed < 3; changed++) {
		struct run_queue queue = { .ready = 0 };

		for (uint32_t i = 0; i < 3; i++) {
			threads[i] = (struct thread){ .priority = 3 };
			assert_int_equal(run_queue_add(&queue, &threads[i]), 3);
		}
		threads[changed].priority = 7;
		assert_int_equal(run_queue_best(&queue), 4);
		assert_true(run_queue_remove(&threads[changed]));
		assert_true(run_queue_is_valid(&queue));
		assert_int_equal(run_queue_count(&queue), 2);
		assert_int_equal(run_queue_add(&queue, &threads[changed]), 7);
		assert_int_equal(run_queue_best(&queue), 8);
		assert_true(run_queue_is_valid(&queue));
		assert_ptr_equal(run_queue_take(&queue, 0), &threads[changed]);
		assert_ptr_equal(run_queue_take(&queue, 0), &threads[changed == 0 ? 1 : 0]);
		assert_ptr_equal(run_queue_take(&queue, 0), &threads[changed == 2 ? 1 : 2]);
		assert_int_equal(run_queue_best(&queue), 0);
	}
}

/* It is found in whichever queue it is, and not where it is not. */
static void test_remove(void **state)
{
	struct run_queue queue[2] = { { .ready = 0 }, { .ready = 0 } };

	(void)state;
	threads[0] = (struct thread){ .priority = 3 };
	assert_false(run_queue_remove(&threads[0]));
	for (uint32_t i = 0; i < 2; i++) {
		run_queue_add(&queue[i], &threads[0]);
		assert_true(run_queue_remove(&threads[0]));
		assert_false(run_queue_remove(&threads[0]));
		assert_int_equal(run_queue_count(&queue[i]), 0);
		assert_true(run_queue_is_valid(&queue[i]));
	}
	run_queue_add(&queue[1], &threads[0]);
	assert_ptr_equal(run_queue_take(&queue[1], 0), &threads[0]);
	assert_false(run_queue_remove(&threads[0]));
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
		} else if (order[i] != 0 && host_random_once_in(&random, 3)) {
			assert_true(run_queue_remove(&threads[i]));
			order[i] = 0;
			count--;
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
	threads[0].previous_ready = &threads[1];
	assert_false(run_queue_is_valid(&queue));
	threads[0].previous_ready = NULL;
	threads[0].queue = NULL;
	assert_false(run_queue_is_valid(&queue));
	threads[0].queue = &queue;
	assert_true(run_queue_is_valid(&queue));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),  cmocka_unit_test(test_lowest), cmocka_unit_test(test_changed_priority),
		cmocka_unit_test(test_remove), cmocka_unit_test(test_random), cmocka_unit_test(test_is_valid_sees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
