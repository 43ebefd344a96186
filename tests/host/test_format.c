#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/format.h"
#include "tests/host/host_support.h"

/* The formats here are meant to be odd, and made at run time. */
#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"

#define EXPECT(text, ...)                                                                \
	do {                                                                             \
		char got_[256];                                                          \
		assert_int_equal(format(got_, sizeof(got_), __VA_ARGS__), strlen(text)); \
		assert_string_equal(got_, text);                                         \
	} while (0)

/* Where the C library's answer is defined, ours is the same. */
#define EXPECT_SAME(...)                                               \
	do {                                                           \
		char wanted_[256];                                     \
		(void)snprintf(wanted_, sizeof(wanted_), __VA_ARGS__); \
		EXPECT(wanted_, __VA_ARGS__);                          \
	} while (0)

static void test_plain(void **state)
{
	const char *volatile no_text = NULL; /* volatile: the compiler would warn */

	(void)state;
	EXPECT("", "%s", "");
	EXPECT("plain text\n", "plain text\n");
	EXPECT("100%", "%d%%", 100);
	EXPECT("(null)", "%s", no_text);
	EXPECT("(nu", "%.3s", no_text);
	EXPECT("0x0", "%p", (void *)NULL);
	EXPECT("0xffffffff80100000", "%p", (void *)UINT64_C(0xffffffff80100000));
	EXPECT("0x00001000", "%010p", (void *)0x1000);
}

static void test_numbers(void **state)
{
	(void)state;
	EXPECT_SAME("%d %d %d %d", 0, -1, INT_MIN, INT_MAX);
	EXPECT_SAME("%i %u %u", -5, 0u, UINT_MAX);
	EXPECT_SAME("%x %x", 0u, 0xdeadbeefu);
	EXPECT_SAME("%ld %ld %lu %lx", LONG_MIN, LONG_MAX, ULONG_MAX, ULONG_MAX);
	EXPECT_SAME("%lld %lld %llu %llx", LLONG_MIN, LLONG_MAX, ULLONG_MAX, 1ull << 63);
	EXPECT_SAME("%zu %zx %zd", SIZE_MAX, SIZE_MAX, (ptrdiff_t)-7);
	EXPECT_SAME("[%5d] [%-5d] [%05d] [%-05d]", -42, -42, -42, -42);
	EXPECT_SAME("[%8x] [%-8x] [%08x] [%016lx]", 0xabcu, 0xabcu, 0xabcu, 0xabcul);
	EXPECT_SAME("[%1d] [%3lu] [%03d]", 12345, 123456ul, -1234);
	EXPECT_SAME("[%*d] [%-*d] [%*d] [%0*d]", 6, 1, 6, 2, -6, 3, 6, -4);
	EXPECT_SAME("%d %ld %lld %d", 1, 2l, 3ll, 4);
}

static void test_strings(void **state)
{
	const char unterminated[3] = { 'a', 'b', 'c' };

	(void)state;
	EXPECT_SAME("[%s] [%5s] [%-5s] [%2s]", "abc", "abc", "abc", "abc");
	EXPECT_SAME("[%.2s] [%5.2s] [%-5.2s] [%.9s] [%.0s] [%.s]", "abc", "abc", "abc", "abc", "abc", "abc");
	EXPECT_SAME("[%.*s] [%*.*s] [%-*.*s] [%.*s]", 2, "abc", 5, 1, "abc", 5, 1, "abc", -1, "abc");
	EXPECT("abc", "%.3s", unterminated);
	EXPECT("ab", "%.*s", 2, unterminated);
	EXPECT_SAME("[%c] [%3c] [%-3c]", 'x', 'y', 'z');
}

/* From an unknown directive on, the format stands for itself and no argument is touched. */
static void test_unknown_directives(void **state)
{
	(void)state;
	EXPECT("1 %q %s", "%d %q %s", 1, (const char *)1);
	EXPECT("%", "%");
	EXPECT("50%", "50%");
	EXPECT("%5", "%5");
	EXPECT("%-0", "%-0");
	EXPECT("%l", "%l");
	EXPECT("%lll", "%lll");
	EXPECT("%n", "%n", (int *)NULL);
	EXPECT("%hd", "%hd", 1);
}

/* Each size from 0 up: the same length, a terminated prefix, and no byte beyond. */
static void test_cut_off(void **state)
{
	static const char whole[] = "value 0x00ff, text abc  !";

	(void)state;
	for (size_t size = 0; size < sizeof(whole) + 4; size++) {
		char buffer[64];

		memset(buffer, 0x5a, sizeof(buffer));
		assert_int_equal(format(buffer, size, "value 0x%04x, text %-5s!", 0xffu, "abc"), sizeof(whole) - 1);
		if (size != 0) {
			const size_t kept = size <= sizeof(whole) ? size - 1 : sizeof(whole) - 1;

			assert_memory_equal(buffer, whole, kept);
			assert_int_equal(buffer[kept], 0);
		}
		for (size_t i = size; i < sizeof(buffer); i++)
			assert_int_equal(buffer[i], 0x5a);
	}
	assert_int_equal(format(NULL, 0, "%d", 12345), 5);
}

static size_t through_v(char *buffer, size_t size, const char *text, ...)
{
	va_list arguments;

	va_start(arguments, text);

	const size_t length = format_v(buffer, size, text, arguments);

	va_end(arguments);
	return length;
}

/* More arguments than go in registers. */
static void test_many_arguments(void **state)
{
	char buffer[64];

	(void)state;
	assert_int_equal(through_v(buffer, sizeof(buffer), "%d%s%d%s%d%s%d%s%lx", 1, "a", 2, "b", 3, "c", 4, "d", 5ul),
			 9);
	assert_string_equal(buffer, "1a2b3c4d5");
}

/* One random directive against the C library's, into a heap buffer of a random size. */
static void compare_once(struct host_random *random)
{
	static const char *const kinds[] = {
		"d", "u", "x", "ld", "lu", "lx", "lld", "llu", "llx", "zu", "zx", "s", "c"
	};
	static const char *const flags[] = { "", "-", "0", "-0" };
	const uint64_t kind = host_random_below(random, sizeof(kinds) / sizeof(kinds[0]));
	const bool is_text = kind >= 11;
	const size_t size = host_random_below(random, 60) + 1;
	char text[64], wanted[128];
	char *got = malloc(size);
	int length = snprintf(text, sizeof(text), "<%%%s", flags[host_random_below(random, is_text ? 2 : 4)]);

	assert_non_null(got);
	if (host_random_once_in(random, 2))
		length += snprintf(text + length, 8, "%u", (unsigned int)host_random_below(random, 40) + 1);
	if (kind == 11 && host_random_once_in(random, 2))
		length += snprintf(text + length, 8, ".%u", (unsigned int)host_random_below(random, 12));
	(void)snprintf(text + length, 8, "%s>", kinds[kind]);

	const uint64_t value = host_random_u64(random) >> host_random_below(random, 64);
	int wanted_length;
	size_t got_length;

	if (kind == 11) {
		const char *words[] = { "", "a", "hello", "a longer text" };
		const char *word = words[value % 4];

		wanted_length = snprintf(wanted, sizeof(wanted), text, word);
		got_length = format(got, size, text, word);
	} else {
		const uint64_t shown = kind == 12 ? 'a' + value % 26 : value;

		wanted_length = snprintf(wanted, sizeof(wanted), text, shown);
		got_length = format(got, size, text, shown);
	}
	assert_int_equal(got_length, wanted_length);
	wanted[size - 1 < sizeof(wanted) - 1 ? size - 1 : sizeof(wanted) - 1] = '\0';
	assert_string_equal(got, wanted);
	free(got);
}

static void test_against_library(void **state)
{
	struct host_random random;

	(void)state;
	host_random_init(&random, "format", 7);
	for (uint64_t round = host_rounds(200000); round > 0; round--)
		compare_once(&random);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),           cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_strings),         cmocka_unit_test(test_unknown_directives),
		cmocka_unit_test(test_cut_off),         cmocka_unit_test(test_many_arguments),
		cmocka_unit_test(test_against_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
