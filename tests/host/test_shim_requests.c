/* links: boot/shim/requests.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "boot/shim/report.h"
#include "boot/shim/requests.h"
#include "lib/check.h"

#define IMAGE_WORDS 1024u
#define START                                                                                     \
	UINT64_C(0xf6b8f4b39de7d1ae), UINT64_C(0xfab91a6940fcb9cf), UINT64_C(0x785c6ed015d3e316), \
		UINT64_C(0x181e920a7852b9d9)
#define END UINT64_C(0xadc0e0531bb10d03), UINT64_C(0x9572709f31764c62)
#define TAG UINT64_C(0xf9562b2d5c95a6c8), UINT64_C(0x6a7b384944536bdc), 2
#define REQUEST(name) REQUESTS_COMMON_0, REQUESTS_COMMON_1, name, name, 0, 0

static uint64_t image[IMAGE_WORDS];
static uint64_t used;
static struct requests requests;
static const char *refusal;
static jmp_buf refused;

/* In place of the loader's own: a refusal ends the call that is tested. */
_Noreturn void report_refuse(const char *why)
{
	refusal = why;
	longjmp(refused, 1);
}

static void put(const uint64_t *words, size_t count)
{
	assert_true(count <= IMAGE_WORDS - used);
	memcpy(image + used, words, count * sizeof(*words));
	used += count;
}

#define PUT(...)                                         \
	do {                                             \
		const uint64_t put_[] = { __VA_ARGS__ }; \
		put(put_, COUNT_OF(put_));               \
	} while (0)

static int start_over(void **state)
{
	(void)state;
	memset(image, 0, sizeof(image));
	used = 0;
	refusal = "";
	return 0;
}

static const char *scan(void)
{
	if (setjmp(refused) == 0)
		requests_scan(image, used, &requests);
	return refusal;
}

static void test_between_the_markers(void **state)
{
	static const uint64_t one[2] = { 1, 1 };
	static const uint64_t two[2] = { 2, 2 };
	static const uint64_t mixed[2] = { 1, 2 };
	uint64_t *request;

	(void)state;
	PUT(REQUEST(1), START, REQUEST(2), START, TAG, REQUEST(1), 7, END, REQUEST(2), END);
	assert_string_equal(scan(), "");
	assert_int_equal(requests.count, 1);
	assert_int_equal(requests.base_revision[2], 2);
	assert_true(requests_find(&requests, one, &request));
	assert_ptr_equal(request, image + 6 + 4 + 6 + 4 + 3);
	assert_int_equal(requests_extra(&requests, request, 0), 7);
	assert_false(requests_find(&requests, two, &request));
	assert_false(requests_find(&requests, mixed, &request));
}

static void test_an_extra_field_may_not_cross_the_end(void **state)
{
	static const uint64_t one[2] = { 1, 1 };
	uint64_t *request;

	(void)state;
	PUT(START, TAG, REQUEST(1), 7, END);
	assert_string_equal(scan(), "");
	assert_true(requests_find(&requests, one, &request));
	if (setjmp(refused) == 0)
		(void)requests_extra(&requests, request, 1);
	assert_string_equal(refusal, "a request crosses the end marker");
}

static void test_no_start(void **state)
{
	(void)state;
	PUT(TAG, REQUEST(1), END);
	assert_string_equal(scan(), "the kernel has no Limine start marker");
}

static void test_no_end(void **state)
{
	(void)state;
	PUT(START, TAG, REQUEST(1));
	assert_string_equal(scan(), "the kernel has no Limine end marker");
}

static void test_half_an_end_is_none(void **state)
{
	(void)state;
	PUT(START, TAG, REQUEST(1), END);
	used--;
	assert_string_equal(scan(), "the kernel has no Limine end marker");
}

static void test_end_before_start(void **state)
{
	(void)state;
	PUT(END, START, TAG, REQUEST(1), END);
	assert_string_equal(scan(), "the kernel's Limine end marker comes before its start marker");
}

static void test_no_tag(void **state)
{
	(void)state;
	PUT(TAG, START, REQUEST(1), END, TAG);
	assert_string_equal(scan(), "the kernel has no base revision tag, and revision 0 is not served");
}

static void test_two_tags(void **state)
{
	(void)state;
	PUT(START, TAG, REQUEST(1), TAG, END);
	assert_string_equal(scan(), "the kernel has two base revision tags");
}

static void test_a_cut_tag(void **state)
{
	(void)state;
	PUT(START, UINT64_C(0xf9562b2d5c95a6c8), UINT64_C(0x6a7b384944536bdc), END);
	assert_string_equal(scan(), "the base revision tag crosses the end marker");
}

static void test_a_cut_request(void **state)
{
	(void)state;
	PUT(START, TAG, REQUESTS_COMMON_0, REQUESTS_COMMON_1, 1, 1, 0, END);
	assert_string_equal(scan(), "a request crosses the end marker");
}

static void test_a_request_twice(void **state)
{
	(void)state;
	PUT(START, TAG, REQUEST(1), REQUEST(2), REQUEST(1), END);
	assert_string_equal(scan(), "the kernel makes one request twice");
}

static void test_at_most_so_many(void **state)
{
	(void)state;
	PUT(START, TAG);
	for (uint64_t i = 0; i < REQUESTS_MAX; i++)
		PUT(REQUEST(100 + i));
	uint64_t full = used;
	PUT(END);
	assert_string_equal(scan(), "");
	assert_int_equal(requests.count, REQUESTS_MAX);

	used = full;
	PUT(REQUEST(1), END);
	assert_string_equal(scan(), "the kernel makes too many requests");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_between_the_markers, start_over),
		cmocka_unit_test_setup(test_an_extra_field_may_not_cross_the_end, start_over),
		cmocka_unit_test_setup(test_no_start, start_over),
		cmocka_unit_test_setup(test_no_end, start_over),
		cmocka_unit_test_setup(test_half_an_end_is_none, start_over),
		cmocka_unit_test_setup(test_end_before_start, start_over),
		cmocka_unit_test_setup(test_no_tag, start_over),
		cmocka_unit_test_setup(test_two_tags, start_over),
		cmocka_unit_test_setup(test_a_cut_tag, start_over),
		cmocka_unit_test_setup(test_a_cut_request, start_over),
		cmocka_unit_test_setup(test_a_request_twice, start_over),
		cmocka_unit_test_setup(test_at_most_so_many, start_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
