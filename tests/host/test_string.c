#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/string.h"
#include "tests/host/host_support.h"

static void test_length(void **state)
{
	const char unterminated[3] = { 'a', 'b', 'c' };

	(void)state;
	assert_int_equal(string_length("", 5), 0);
	assert_int_equal(string_length("abc", 5), 3);
	assert_int_equal(string_length("abc", 3), 3);
	assert_int_equal(string_length("abc", 2), 2);
	assert_int_equal(string_length("abc", 0), 0);
	assert_int_equal(string_length("abc", SIZE_MAX), 3);
	assert_int_equal(string_length(unterminated, 3), 3);
}

static void test_equal(void **state)
{
	(void)state;
	assert_true(string_equal("", ""));
	assert_true(string_equal("abc", "abc"));
	assert_false(string_equal("abc", "ab"));
	assert_false(string_equal("ab", "abc"));
	assert_false(string_equal("abc", "abd"));
	assert_false(string_equal("", "a"));
}

static void test_equal_part(void **state)
{
	(void)state;
	assert_true(string_equal_part("", "x", 0));
	assert_true(string_equal_part("init", "init shell", 4));
	assert_false(string_equal_part("init", "init shell", 3));
	assert_false(string_equal_part("init", "init shell", 5));
	assert_false(string_equal_part("init", "limit", 4));
	assert_false(string_equal_part("", "x", 1));
}

static void test_prefix(void **state)
{
	(void)state;
	assert_true(string_has_prefix("init=a", "init="));
	assert_true(string_has_prefix("init=", "init="));
	assert_true(string_has_prefix("a", ""));
	assert_false(string_has_prefix("init", "init="));
	assert_false(string_has_prefix("", "a"));
}

static void test_copy(void **state)
{
	(void)state;
	for (size_t size = 0; size < 8; size++) {
		char to[10];

		memset(to, 'z', sizeof(to));
		assert_int_equal(string_copy(to, size, "hello"), size > 5);
		if (size != 0) {
			const size_t kept = size > 5 ? 5 : size - 1;

			assert_memory_equal(to, "hello", kept);
			assert_int_equal(to[kept], '\0');
		}
		for (size_t i = size; i < sizeof(to); i++)
			assert_int_equal(to[i], 'z');
	}
}

static void test_copy_part(void **state)
{
	const char unterminated[3] = { 'a', 'b', 'c' };
	char to[8];

	(void)state;
	assert_true(string_copy_part(to, sizeof(to), unterminated, 3));
	assert_string_equal(to, "abc");
	assert_true(string_copy_part(to, 4, unterminated, 3));
	assert_string_equal(to, "abc");
	assert_false(string_copy_part(to, 3, unterminated, 3));
	assert_string_equal(to, "ab");
	assert_true(string_copy_part(to, sizeof(to), "abc", 2));
	assert_string_equal(to, "ab");
	assert_true(string_copy_part(to, sizeof(to), "ab\0cd", 5));
	assert_string_equal(to, "ab");
	assert_true(string_copy_part(to, 1, unterminated, 0));
	assert_string_equal(to, "");
	assert_true(string_copy_part(to, 0, unterminated, 0));
	assert_false(string_copy_part(to, 0, unterminated, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_length), cmocka_unit_test(test_equal), cmocka_unit_test(test_equal_part),
		cmocka_unit_test(test_prefix), cmocka_unit_test(test_copy),  cmocka_unit_test(test_copy_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
