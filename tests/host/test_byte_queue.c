#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "lib/byte_queue.h"
#include "lib/check.h"
#include "tests/host/host_support.h"

static struct byte_queue queue;

static int empty(void **state)
{
	(void)state;
	memset(&queue, 0, sizeof(queue));
	return 0;
}

static void expect_nothing(void)
{
	uint8_t byte = 0xee;

	assert_false(byte_queue_take(&queue, &byte));
	assert_int_equal(byte, 0xee);
}

static void expect_byte(uint8_t expected)
{
	uint8_t byte;

	assert_true(byte_queue_take(&queue, &byte));
	assert_int_equal(byte, expected);
}

static void test_full(void **state)
{
	(void)state;
	expect_nothing();
	for (uint32_t i = 0; i < BYTE_QUEUE_BYTES; i++) {
		assert_false(byte_queue_is_full(&queue));
		byte_queue_put(&queue, (uint8_t)(i * 7));
	}
	assert_true(byte_queue_is_full(&queue));
	assert_true(byte_queue_is_valid(&queue));
	expect_byte(0);
	assert_false(byte_queue_is_full(&queue));
	byte_queue_put(&queue, 0x5a);
	assert_true(byte_queue_is_full(&queue));
	for (uint32_t i = 1; i < BYTE_QUEUE_BYTES; i++)
		expect_byte((uint8_t)(i * 7));
	expect_byte(0x5a);
	expect_nothing();
}

static void test_is_valid_refuses(void **state)
{
	(void)state;
	queue.taken = 1; /* more than was put */
	assert_false(byte_queue_is_valid(&queue));
	queue.put = BYTE_QUEUE_BYTES + 2;
	assert_false(byte_queue_is_valid(&queue));
	queue.put = BYTE_QUEUE_BYTES + 1;
	assert_true(byte_queue_is_valid(&queue));
}

/* Any order of putting and taking, over the wrap of the indices: what comes out is what went in. */
static void test_order(void **state)
{
	struct host_random random;
	uint64_t put = 0, taken = 0;

	(void)state;
	host_random_init(&random, __func__, 11);
	queue.put = queue.taken = UINT32_MAX - 1000;
	for (uint64_t round = host_rounds(3000); round > 0; round--) {
		const bool puts = host_random_once_in(&random, 2);

		for (uint64_t left = host_random_below(&random, BYTE_QUEUE_BYTES); left != 0; left--) {
			if (puts && put - taken == BYTE_QUEUE_BYTES)
				assert_true(byte_queue_is_full(&queue));
			else if (puts)
				byte_queue_put(&queue, (uint8_t)(put++ * 31));
			else if (put == taken)
				expect_nothing();
			else
				expect_byte((uint8_t)(taken++ * 31));
		}
		assert_true(byte_queue_is_valid(&queue));
	}
}

static void *put_all(void *argument)
{
	const uint64_t *bytes = argument;

	for (uint64_t i = 0; i < *bytes; i++) {
		while (byte_queue_is_full(&queue))
			continue;
		byte_queue_put(&queue, (uint8_t)(i * 31 >> 3));
	}
	return NULL;
}

static void test_two_threads(void **state)
{
	uint64_t bytes = host_rounds(2000000);
	pthread_t producer;
	uint64_t wrong = 0;

	(void)state;
	assert_int_equal(pthread_create(&producer, NULL, put_all, &bytes), 0);
	for (uint64_t i = 0; i < bytes; i++) {
		uint8_t byte;

		while (!byte_queue_take(&queue, &byte))
			continue;
		wrong += byte != (uint8_t)(i * 31 >> 3);
	}
	assert_int_equal(pthread_join(producer, NULL), 0);
	assert_int_equal(wrong, 0);
	expect_nothing();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_full, empty),
		cmocka_unit_test_setup(test_is_valid_refuses, empty),
		cmocka_unit_test_setup(test_order, empty),
		cmocka_unit_test_setup(test_two_threads, empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
