#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/layout.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static uint64_t first(struct uaddr_range range)
{
	return uaddr_to_u64(range.start);
}

static uint64_t end(struct uaddr_range range)
{
	return uaddr_to_u64(range.end);
}

static struct layout make(const struct layout_profile *profile, const struct layout_request *request)
{
	struct layout layout;

	assert_int_equal(layout_make(profile, request, &layout), STATUS_OK);
	assert_true(layout_is_valid(&layout));
	return layout;
}

static struct layout make_still(enum layout_architecture architecture, enum layout_kind kind, uint64_t stack_limit)
{
	const struct layout_profile *profile = layout_profile_of(architecture);
	struct layout_request request = layout_request_of(profile);

	request.kind = kind;
	request.is_random = false;
	request.stack_limit = stack_limit;
	return make(profile, &request);
}

/* What books and headers say, as numbers. */
static void test_numbers_of_the_architectures(void **state)
{
	static const struct {
		enum layout_architecture architecture;
		uint64_t text, task_size, third, flexible_base;
	} known[] = {
		{ LAYOUT_AMD64, 0x400000, 0x7ffffffff000, 0x2aaaaaaab000, 0x7ffff7fff000 },
		{ LAYOUT_IA32, 0x08048000, 0xc0000000, 0x40000000, 0xb8000000 },
		{ LAYOUT_ULTRASPARC, 0x100000000, 0x7ff00000000, 0x2aa55556000, 0x7fef8000000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const struct layout classic = make_still(known[i].architecture, LAYOUT_CLASSIC, 8 * MIB);
		const struct layout flexible = make_still(known[i].architecture, LAYOUT_FLEXIBLE, 8 * MIB);

		assert_true(layout_profile_is_valid(layout_profile_of(known[i].architecture)));
		assert_int_equal(first(classic.image), known[i].text);
		assert_int_equal(end(classic.hole), known[i].text);
		assert_int_equal(end(classic.stack), known[i].task_size);
		assert_int_equal(classic.task_size, known[i].task_size);
		assert_int_equal(layout_mmap_base(&classic), known[i].third);
		assert_int_equal(end(classic.heap), known[i].third);
		assert_int_equal(first(flexible.image), known[i].text);
		assert_int_equal(end(flexible.stack), known[i].task_size);
		assert_int_equal(layout_mmap_base(&flexible), known[i].flexible_base);
		assert_int_equal(first(flexible.heap), end(flexible.image));
		assert_int_equal(flexible.gap, 128 * MIB);
	}
}

/* IA-32's hole of roughly 128 MiB, and a heap of roughly 1 GiB in the classic kind; the flexible one has 2.7 GiB. */
static void test_ia32_heap_crashes_into_mmap(void **state)
{
	const struct layout classic = make_still(LAYOUT_IA32, LAYOUT_CLASSIC, 8 * MIB);
	const struct layout flexible = make_still(LAYOUT_IA32, LAYOUT_FLEXIBLE, 8 * MIB);

	(void)state;
	assert_in_range(end(classic.hole), 128 * MIB, 129 * MIB);
	assert_in_range(uaddr_range_bytes(classic.heap), 895 * MIB, GIB);
	assert_in_range(uaddr_range_bytes(flexible.heap), 2 * GIB + 700 * MIB, 3 * GIB);
	assert_int_equal(classic.mmap_direction, LAYOUT_UPWARD);
	assert_int_equal(flexible.mmap_direction, LAYOUT_DOWNWARD);
}

/* This kernel's addresses. */
static void test_amd64_fits_the_kernel(void **state)
{
	const struct layout_profile *profile = layout_profile_of(LAYOUT_AMD64);

	(void)state;
	assert_int_equal(profile->lowest, USER_START);
	assert_int_equal(profile->task_size, USER_LIMIT);
	assert_int_equal(profile->page_size, PAGE_SIZE);
	assert_int_equal(first(profile->window), BOOTSTRAP_START);
	assert_int_equal(end(profile->window), BOOTSTRAP_END);
}

/* The gap follows the stack limit between its two ends, and the stack has its limit on either side of them. */
static void test_gap_is_clamped(void **state)
{
	const uint64_t five_sixths = UINT64_C(0xa0000000);
	struct layout layout;

	(void)state;
	layout = make_still(LAYOUT_IA32, LAYOUT_FLEXIBLE, 1);
	assert_int_equal(layout.gap, 128 * MIB);
	assert_int_equal(uaddr_range_bytes(layout.stack), 4096);
	layout = make_still(LAYOUT_IA32, LAYOUT_FLEXIBLE, 127 * MIB);
	assert_int_equal(layout.gap, 128 * MIB);
	assert_int_equal(layout_mmap_base(&layout), 0xb8000000);
	layout = make_still(LAYOUT_IA32, LAYOUT_FLEXIBLE, 512 * MIB);
	assert_int_equal(layout.gap, 512 * MIB);
	assert_int_equal(uaddr_range_bytes(layout.stack), 512 * MIB);
	assert_int_equal(layout_mmap_base(&layout), 0xa0000000 - LAYOUT_DEFAULT_GUARD);
	layout = make_still(LAYOUT_IA32, LAYOUT_FLEXIBLE, five_sixths);
	assert_int_equal(layout.gap, five_sixths);
	layout = make_still(LAYOUT_IA32, LAYOUT_FLEXIBLE, UINT64_MAX);
	assert_int_equal(layout.gap, five_sixths);
	assert_int_equal(uaddr_range_bytes(layout.stack), five_sixths);
}

static void test_each_refusal(void **state)
{
	static const struct layout untouched = { .page_size = 77 };
	const struct layout_profile *amd64 = layout_profile_of(LAYOUT_AMD64);
	const struct layout_profile *ia32 = layout_profile_of(LAYOUT_IA32);
	struct layout_request request;
	struct layout layout = untouched;

#define REFUSED(profile, status, ...)                                              \
	do {                                                                       \
		request = layout_request_of(profile);                              \
		__VA_ARGS__;                                                       \
		assert_int_equal(layout_make(profile, &request, &layout), status); \
		assert_memory_equal(&layout, &untouched, sizeof(layout));          \
	} while (0)

	(void)state;
	REFUSED(amd64, STATUS_BAD_ARGUMENT, request.kind = LAYOUT_KINDS);
	REFUSED(amd64, STATUS_BAD_ARGUMENT, request.image_align = 0);
	REFUSED(amd64, STATUS_BAD_ARGUMENT, request.image_align = 2048);
	REFUSED(amd64, STATUS_BAD_ARGUMENT, request.image_align = 12288);
	REFUSED(amd64, STATUS_BAD_ARGUMENT, request.image_align = 2 * GIB);
	REFUSED(amd64, STATUS_ZERO_LENGTH, request.image_bytes = 0);
	REFUSED(amd64, STATUS_ZERO_LENGTH, request.stack_limit = 0);
	REFUSED(amd64, STATUS_ZERO_LENGTH, request.guard_bytes = 0);
	REFUSED(amd64, STATUS_MISALIGNED, request.guard_bytes = 4097);
	REFUSED(amd64, STATUS_MISALIGNED, request.image_start = 0x400001);
	REFUSED(amd64, STATUS_LAYOUT_IMAGE_TOO_LOW, request.image_start = 0);
	REFUSED(amd64, STATUS_LAYOUT_IMAGE_TOO_LOW, request.image_start = USER_START - PAGE_SIZE);
	REFUSED(amd64, STATUS_BOOTSTRAP_RANGE, request.image_start = BOOTSTRAP_START);
	REFUSED(amd64, STATUS_BOOTSTRAP_RANGE, request.image_start = BOOTSTRAP_END - PAGE_SIZE);
	REFUSED(amd64, STATUS_BOOTSTRAP_RANGE, request.image_start = USER_START, request.image_bytes = GIB);
	REFUSED(amd64, STATUS_LAYOUT_IMAGE_TOO_HIGH, request.image_start = USER_LIMIT - PAGE_SIZE);
	REFUSED(amd64, STATUS_LAYOUT_IMAGE_TOO_HIGH, request.image_start = 0 - PAGE_SIZE);
	REFUSED(amd64, STATUS_LAYOUT_IMAGE_TOO_HIGH, request.image_bytes = UINT64_MAX);
	REFUSED(amd64, STATUS_LAYOUT_STACK_TOO_LARGE, request.guard_bytes = 0 - PAGE_SIZE);
	REFUSED(ia32, STATUS_LAYOUT_IMAGE_TOO_HIGH, request.kind = LAYOUT_CLASSIC, request.image_bytes = GIB);
	REFUSED(ia32, STATUS_LAYOUT_IMAGE_TOO_HIGH, request.kind = LAYOUT_CLASSIC, request.image_start = 0x50000000);
	REFUSED(ia32, STATUS_LAYOUT_STACK_TOO_LARGE, request.kind = LAYOUT_CLASSIC, request.stack_limit = 2 * GIB);
	REFUSED(ia32, STATUS_LAYOUT_STACK_TOO_LARGE, request.kind = LAYOUT_CLASSIC, request.stack_limit = UINT64_MAX);
	REFUSED(ia32, STATUS_LAYOUT_STACK_TOO_LARGE, request.guard_bytes = 3 * GIB - PAGE_SIZE);
#undef REFUSED
}

/* An image below the kernel's window: the heap does not grow into it. */
static void test_heap_jumps_over_the_window(void **state)
{
	const struct layout_profile *profile = layout_profile_of(LAYOUT_AMD64);
	struct layout_request request = layout_request_of(profile);
	struct layout layout;

	(void)state;
	request.image_start = USER_START;
	request.image_bytes = BOOTSTRAP_START - USER_START;
	layout = make(profile, &request);
	assert_int_equal(end(layout.hole), USER_START);
	assert_int_equal(end(layout.image), BOOTSTRAP_START);
	assert_int_equal(first(layout.heap), BOOTSTRAP_END);
}

static void test_heap_starts_above_text(void **state)
{
	const struct layout_profile *profile = layout_profile_of(LAYOUT_AMD64);
	struct layout_request request = layout_request_of(profile);

	(void)state;
	request.image_bytes = 5 * MIB + 1;
	request.random.heap = UINT64_MAX;
	assert_int_equal(first(make(profile, &request).heap), 0x400000 + 5 * MIB + 4096);
	request.has_heap_offset = true;
	assert_int_equal(first(make(profile, &request).heap), 0x400000 + 5 * MIB + GIB);
	request.is_random = false;
	assert_int_equal(first(make(profile, &request).heap), 0x400000 + 5 * MIB + 4096);
}

/* A layout with one field changed by one page, or by one, is found out wherever the promise says so. */
static void test_is_valid_sees_damage(void **state)
{
	const struct layout_profile *profile = layout_profile_of(LAYOUT_AMD64);
	struct layout_request request = layout_request_of(profile);

	(void)state;
	for (unsigned int kind = 0; kind < LAYOUT_KINDS; kind++) {
		struct layout good, bad;

		request.kind = (enum layout_kind)kind;
		good = make(profile, &request);
#define DAMAGED(change)                              \
	do {                                         \
		bad = good;                          \
		change;                              \
		assert_false(layout_is_valid(&bad)); \
	} while (0)
		DAMAGED(bad.kind = LAYOUT_KINDS);
		DAMAGED(bad.page_size = 0);
		DAMAGED(bad.page_size = 4097);
		DAMAGED(bad.task_size = end(good.stack) - 4096);
		DAMAGED(bad.mmap_direction = good.mmap_direction == LAYOUT_UPWARD ? LAYOUT_DOWNWARD : LAYOUT_UPWARD);
		DAMAGED(bad.gap = good.gap == 0);
		DAMAGED(bad.hole = uaddr_range_make(4096, end(good.hole)));
		DAMAGED(bad.hole = uaddr_range_make(0, end(good.hole) + 4096));
		DAMAGED(bad.image = uaddr_range_make(first(good.image), first(good.heap) + 4096));
		DAMAGED(bad.image = uaddr_range_make(first(good.image), first(good.image)));
		DAMAGED(bad.heap = uaddr_range_make(first(good.heap) + 1, end(good.heap)));
		DAMAGED(bad.heap = uaddr_range_make(first(good.heap), end(good.heap) + 4096));
		DAMAGED(bad.mmap = uaddr_range_make(first(good.mmap) - 4096, end(good.mmap)));
		DAMAGED(bad.mmap = uaddr_range_make(first(good.mmap), first(good.guard) + 4096));
		DAMAGED(bad.guard = uaddr_range_make(first(good.guard), end(good.guard) - 4096));
		DAMAGED(bad.stack = uaddr_range_make(first(good.stack) - 4096, end(good.stack)));
		DAMAGED(bad.window = good.image);
		DAMAGED(bad.window = good.stack);
#undef DAMAGED
	}
}

static void test_profile_is_valid_sees_damage(void **state)
{
	for (unsigned int i = 0; i < LAYOUT_ARCHITECTURES; i++) {
		const struct layout_profile *good = layout_profile_of((enum layout_architecture)i);
		struct layout_profile bad;

		(void)state;
#define DAMAGED(change)                                      \
	do {                                                 \
		bad = *good;                                 \
		change;                                      \
		assert_false(layout_profile_is_valid(&bad)); \
	} while (0)
		DAMAGED(bad.page_size = 0);
		DAMAGED(bad.page_size--);
		DAMAGED(bad.lowest = 0);
		DAMAGED(bad.lowest++);
		DAMAGED(bad.lowest = bad.text + bad.page_size);
		DAMAGED(bad.text++);
		DAMAGED(bad.text = bad.unmapped_base);
		DAMAGED(bad.task_size = LAYOUT_MAX_TASK_SIZE + bad.page_size);
		DAMAGED(bad.task_size -= bad.page_size);
		DAMAGED(bad.stack_top += bad.page_size);
		DAMAGED(bad.stack_top = bad.page_size);
		DAMAGED(bad.unmapped_base += bad.page_size);
		DAMAGED(bad.max_bits.stack = 40);
		DAMAGED(bad.max_bits.mmap = 40);
		DAMAGED(bad.max_bits.image = 64);
		DAMAGED(bad.max_bits.heap = UINT64_MAX);
		DAMAGED(bad.window = uaddr_range_make(bad.text, bad.text + bad.page_size));
		DAMAGED(bad.window = uaddr_range_make(bad.page_size, bad.page_size));
#undef DAMAGED
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(layout_kind_name(LAYOUT_CLASSIC), "classic");
	assert_string_equal(layout_kind_name(LAYOUT_CLASSIC_RANDOM), "classic-random");
	assert_string_equal(layout_kind_name(LAYOUT_FLEXIBLE), "flexible");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_of_the_architectures),
		cmocka_unit_test(test_ia32_heap_crashes_into_mmap),
		cmocka_unit_test(test_amd64_fits_the_kernel),
		cmocka_unit_test(test_gap_is_clamped),
		cmocka_unit_test(test_each_refusal),
		cmocka_unit_test(test_heap_jumps_over_the_window),
		cmocka_unit_test(test_heap_starts_above_text),
		cmocka_unit_test(test_is_valid_sees_damage),
		cmocka_unit_test(test_profile_is_valid_sees_damage),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
