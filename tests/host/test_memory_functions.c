#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/host/host_support.h"

/* The freestanding functions themselves, under names that leave the C library's alone. */
#undef CAPOS_HOST
#define memcpy tested_memcpy
#define memmove tested_memmove
#define memset tested_memset
#define memcmp tested_memcmp
#define strlen tested_strlen
#include "lib/memory_functions.c" /* NOLINT(bugprone-suspicious-include): the file under test */

#define AREA 200u
#define LONGEST 70u

static void fill_random(struct host_random *random, uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		bytes[i] = (uint8_t)host_random_u64(random);
}

static void expect_same(const uint8_t *a, const uint8_t *b)
{
	for (size_t i = 0; i < AREA; i++)
		assert_int_equal(a[i], b[i]);
}

/* Each length and distance, overlapping either way. */
static void test_move(void **state)
{
	struct host_random random;

	(void)state;
	host_random_init(&random, "memmove", 8);
	for (size_t length = 0; length < LONGEST; length++) {
		for (size_t to = 0; to < LONGEST; to += 3) {
			uint8_t area[AREA], model[AREA], moved[AREA];
			const size_t from = host_random_below(&random, LONGEST);

			fill_random(&random, area, AREA);
			for (size_t i = 0; i < AREA; i++)
				model[i] = area[i];
			for (size_t i = 0; i < length; i++)
				moved[i] = area[from + i];
			for (size_t i = 0; i < length; i++)
				model[to + i] = moved[i];
			assert_ptr_equal(tested_memmove(area + to, area + from, length), area + to);
			expect_same(area, model);
		}
	}
}

static void test_copy(void **state)
{
	struct host_random random;

	(void)state;
	host_random_init(&random, "memcpy", 9);
	for (size_t length = 0; length < LONGEST; length++) {
		for (size_t offset = 0; offset < 9; offset++) {
			uint8_t from[AREA], to[AREA], model[AREA];

			fill_random(&random, from, AREA);
			fill_random(&random, to, AREA);
			for (size_t i = 0; i < AREA; i++)
				model[i] = i >= offset && i < offset + length ? from[i - offset + 5] : to[i];
			assert_ptr_equal(tested_memcpy(to + offset, from + 5, length), to + offset);
			expect_same(to, model);
		}
	}
}

static void test_set(void **state)
{
	struct host_random random;

	(void)state;
	host_random_init(&random, "memset", 10);
	for (size_t length = 0; length < LONGEST; length++) {
		for (size_t offset = 0; offset < 9; offset++) {
			const int value = (int)host_random_u64(&random); /* only its low byte counts */
			uint8_t area[AREA], model[AREA];

			fill_random(&random, area, AREA);
			for (size_t i = 0; i < AREA; i++)
				model[i] = i >= offset && i < offset + length ? (uint8_t)value : area[i];
			assert_ptr_equal(tested_memset(area + offset, value, length), area + offset);
			expect_same(area, model);
		}
	}
}

static void test_compare(void **state)
{
	const uint8_t low[] = { 1, 2, 3, 0x7f };
	const uint8_t high[] = { 1, 2, 3, 0x80 };

	(void)state;
	assert_int_equal(tested_memcmp(low, high, 0), 0);
	assert_int_equal(tested_memcmp(low, high, 3), 0);
	assert_true(tested_memcmp(low, high, 4) < 0);
	assert_true(tested_memcmp(high, low, 4) > 0);
	assert_int_equal(tested_memcmp(low, low, 4), 0);
}

static void test_length(void **state)
{
	(void)state;
	assert_int_equal(tested_strlen(""), 0);
	assert_int_equal(tested_strlen("a"), 1);
	assert_int_equal(tested_strlen("hello, world"), 12);
	assert_int_equal(tested_strlen("ab\0cd"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_move),    cmocka_unit_test(test_copy),   cmocka_unit_test(test_set),
		cmocka_unit_test(test_compare), cmocka_unit_test(test_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
