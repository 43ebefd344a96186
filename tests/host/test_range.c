#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/range.h"
#include "tests/host/host_support.h"

#define PAGE UINT64_C(4096)

static enum status pages(uint64_t start, uint64_t length)
{
	struct uaddr_range range = { { 1 }, { 1 } };
	const enum status status = uaddr_range_of_pages(start, length, &range);

	/* A refusal leaves the result alone; a success gives exactly what was asked for. */
	if (status != STATUS_OK) {
		assert_int_equal(uaddr_to_u64(range.start), 1);
		assert_int_equal(uaddr_to_u64(range.end), 1);
	} else {
		assert_int_equal(uaddr_to_u64(range.start), start);
		assert_int_equal(uaddr_range_bytes(range), length);
		assert_int_equal(uaddr_range_pages(range), length / PAGE);
	}
	return status;
}

static void test_pages_accepts(void **state)
{
	(void)state;
	assert_int_equal(pages(USER_START, PAGE), STATUS_OK);
	assert_int_equal(pages(USER_LIMIT - PAGE, PAGE), STATUS_OK);
	assert_int_equal(pages(BOOTSTRAP_END, USER_LIMIT - BOOTSTRAP_END), STATUS_OK);
	assert_int_equal(pages(USER_START, BOOTSTRAP_START - USER_START), STATUS_OK);
}

static void test_pages_refuses(void **state)
{
	(void)state;
	assert_int_equal(pages(USER_START, 0), STATUS_ZERO_LENGTH);
	assert_int_equal(pages(1, 0), STATUS_ZERO_LENGTH);
	assert_int_equal(pages(USER_START + 1, PAGE), STATUS_MISALIGNED);
	assert_int_equal(pages(USER_START, PAGE + 1), STATUS_MISALIGNED);
	assert_int_equal(pages(UINT64_MAX, PAGE), STATUS_MISALIGNED);
	assert_int_equal(pages(0 - PAGE, PAGE), STATUS_RANGE_WRAPS);
	assert_int_equal(pages(0 - PAGE, 2 * PAGE), STATUS_RANGE_WRAPS);
	assert_int_equal(pages(USER_START, 0 - PAGE), STATUS_RANGE_WRAPS);
	assert_int_equal(pages(0, PAGE), STATUS_NOT_USER_ADDRESS);
	assert_int_equal(pages(USER_START - PAGE, 2 * PAGE), STATUS_NOT_USER_ADDRESS);
	assert_int_equal(pages(USER_LIMIT, PAGE), STATUS_NOT_USER_ADDRESS);
	assert_int_equal(pages(USER_LIMIT - PAGE, 2 * PAGE), STATUS_NOT_USER_ADDRESS);
	assert_int_equal(pages(UINT64_C(0xffff800000000000), PAGE), STATUS_NOT_USER_ADDRESS);
	assert_int_equal(pages(UINT64_C(0x0000800000000000), PAGE), STATUS_NOT_USER_ADDRESS);
	assert_int_equal(pages(BOOTSTRAP_START, PAGE), STATUS_BOOTSTRAP_RANGE);
	assert_int_equal(pages(BOOTSTRAP_END - PAGE, PAGE), STATUS_BOOTSTRAP_RANGE);
	assert_int_equal(pages(BOOTSTRAP_START - PAGE, 2 * PAGE), STATUS_BOOTSTRAP_RANGE);
	assert_int_equal(pages(USER_START, USER_LIMIT - USER_START), STATUS_BOOTSTRAP_RANGE);
}

static void test_bytes(void **state)
{
	struct uaddr_range range;

	(void)state;
	assert_int_equal(uaddr_range_of_bytes(0, 0, &range), STATUS_OK);
	assert_int_equal(uaddr_range_bytes(range), 0);
	assert_int_equal(uaddr_range_of_bytes(3, 5, &range), STATUS_OK);
	assert_int_equal(uaddr_to_u64(range.start), 3);
	assert_int_equal(uaddr_to_u64(range.end), 8);
	assert_int_equal(uaddr_range_of_bytes(USER_LIMIT - 1, 1, &range), STATUS_OK);
	assert_int_equal(uaddr_range_of_bytes(USER_LIMIT - 1, 2, &range), STATUS_NOT_USER_ADDRESS);
	assert_int_equal(uaddr_range_of_bytes(USER_LIMIT, 0, &range), STATUS_NOT_USER_ADDRESS);
	assert_int_equal(uaddr_range_of_bytes(UINT64_MAX, 0, &range), STATUS_NOT_USER_ADDRESS);
	assert_int_equal(uaddr_range_of_bytes(UINT64_MAX, 1, &range), STATUS_RANGE_WRAPS);
	assert_int_equal(uaddr_range_of_bytes(1, UINT64_MAX, &range), STATUS_RANGE_WRAPS);
	assert_int_equal(uaddr_range_of_bytes(0, UINT64_MAX, &range), STATUS_NOT_USER_ADDRESS);
}

static void test_length(void **state)
{
	uint64_t count = 77;

	(void)state;
	assert_int_equal(page_count_of_length(0, &count), STATUS_ZERO_LENGTH);
	assert_int_equal(page_count_of_length(1, &count), STATUS_MISALIGNED);
	assert_int_equal(page_count_of_length(PAGE - 1, &count), STATUS_MISALIGNED);
	assert_int_equal(page_count_of_length(USER_LIMIT, &count), STATUS_NOT_USER_ADDRESS);
	assert_int_equal(page_count_of_length(0 - PAGE, &count), STATUS_NOT_USER_ADDRESS);
	assert_int_equal(count, 77);
	assert_int_equal(page_count_of_length(3 * PAGE, &count), STATUS_OK);
	assert_int_equal(count, 3);
	assert_int_equal(page_count_of_length(USER_LIMIT - USER_START, &count), STATUS_OK);
}

static void test_protection(void **state)
{
	(void)state;
	for (uint64_t protection = 0; protection < 64; protection++) {
		const bool good = protection == PROTECTION_NONE || protection == PROTECTION_READ ||
				  protection == (PROTECTION_READ | PROTECTION_WRITE) ||
				  protection == (PROTECTION_READ | PROTECTION_EXECUTE);

		assert_int_equal(protection_check(protection), good ? STATUS_OK : STATUS_BAD_PROTECTION);
	}
	assert_int_equal(protection_check(UINT64_C(1) << 63 | PROTECTION_READ), STATUS_BAD_PROTECTION);
	assert_int_equal(protection_check(UINT64_C(1) << 32), STATUS_BAD_PROTECTION);
}

static void test_overlap_and_contains(void **state)
{
	(void)state;
	for (uint64_t a = 0; a < 5; a++) {
		for (uint64_t b = a + 1; b < 6; b++) {
			for (uint64_t c = 0; c < 5; c++) {
				for (uint64_t d = c + 1; d < 6; d++) {
					const struct uaddr_range x = { { a }, { b } };
					const struct uaddr_range y = { { c }, { d } };
					bool shared = false;

					for (uint64_t at = 0; at < 6; at++)
						shared |= uaddr_range_contains(x, uaddr_from_u64(at)) &&
							  uaddr_range_contains(y, uaddr_from_u64(at));
					assert_int_equal(uaddr_range_overlaps(x, y), shared);
				}
			}
		}
	}
}

/* A number near one of the edges that matter, or any number. */
static uint64_t odd_number(struct host_random *random)
{
	const uint64_t edges[] = { 0, USER_START, BOOTSTRAP_START, BOOTSTRAP_END, USER_LIMIT, UINT64_C(1) << 47 };
	uint64_t number = edges[host_random_below(random, 6)];

	if (host_random_once_in(random, 4))
		number = host_random_u64(random) >> host_random_below(random, 64);
	number += (host_random_below(random, 9) - 4) * (host_random_once_in(random, 4) ? 1 : PAGE);
	return number;
}

/* Against the definition in 128-bit arithmetic, which can't wrap. */
static void test_pages_random(void **state)
{
	struct host_random random;
	uint64_t accepted = 0;

	(void)state;
	host_random_init(&random, "range", 1);
	for (uint64_t round = host_rounds(1000000); round > 0; round--) {
		const uint64_t start = odd_number(&random);
		const uint64_t length = odd_number(&random);
		const unsigned __int128 end = (unsigned __int128)start + length;
		const bool good = length != 0 && start % PAGE == 0 && length % PAGE == 0 && start >= USER_START &&
				  end <= USER_LIMIT && (end <= BOOTSTRAP_START || start >= BOOTSTRAP_END);

		assert_int_equal(pages(start, length) == STATUS_OK, good);
		accepted += good;
	}
	assert_true(accepted > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages_accepts), cmocka_unit_test(test_pages_refuses),
		cmocka_unit_test(test_bytes),         cmocka_unit_test(test_length),
		cmocka_unit_test(test_protection),    cmocka_unit_test(test_overlap_and_contains),
		cmocka_unit_test(test_pages_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
