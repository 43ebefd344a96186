#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/layout.h"
#include "tests/host/host_support.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define BUCKETS 64u

typedef __int128 wide;

static uint64_t first(struct uaddr_range range)
{
	return uaddr_to_u64(range.start);
}

static uint64_t end(struct uaddr_range range)
{
	return uaddr_to_u64(range.end);
}

static const struct layout_profile *any_profile(struct host_random *random)
{
	return layout_profile_of((enum layout_architecture)host_random_below(random, LAYOUT_ARCHITECTURES));
}

static struct layout make(const struct layout_profile *profile, const struct layout_request *request)
{
	struct layout layout;

	assert_int_equal(layout_make(profile, request, &layout), STATUS_OK);
	assert_true(layout_is_valid(&layout));
	return layout;
}

/* A number near an edge that matters, or any number. */
static uint64_t odd_number(struct host_random *random, const struct layout_profile *profile)
{
	const uint64_t edges[] = {
		0,
		profile->page_size,
		profile->lowest,
		profile->text,
		LAYOUT_MIN_GAP,
		profile->unmapped_base,
		profile->task_size / 6 * 5,
		profile->task_size,
		profile->task_size / 3 * 2,
		first(profile->window),
		end(profile->window),
	};
	uint64_t number = edges[host_random_below(random, sizeof(edges) / sizeof(edges[0]))];

	if (host_random_once_in(random, 3))
		number = host_random_u64(random) >> host_random_below(random, 64);
	number += (host_random_below(random, 9) - 4) * (host_random_once_in(random, 4) ? 1 : profile->page_size);
	if (host_random_once_in(random, 8))
		number += MIB << host_random_below(random, 10);
	return number;
}

static struct layout_offsets any_words(struct host_random *random)
{
	return (struct layout_offsets){
		.stack = host_random_u64(random),
		.mmap = host_random_u64(random),
		.image = host_random_u64(random),
		.heap = host_random_u64(random),
	};
}

/* Each field is sensible three times in four, so that most requests have one strange field or none. */
static struct layout_request any_request(struct host_random *random, const struct layout_profile *profile)
{
	struct layout_request request = layout_request_of(profile);
	const uint64_t page = profile->page_size;

	request.kind = (enum layout_kind)host_random_below(random, LAYOUT_KINDS + host_random_once_in(random, 50));
	request.is_random = !host_random_once_in(random, 3);
	request.has_heap_offset = host_random_once_in(random, 2);
	request.image_is_movable = host_random_once_in(random, 2);
	request.random = any_words(random);
	request.image_bytes = 1 + host_random_below(random, 64 * MIB);
	if (host_random_once_in(random, 4))
		request.image_start = odd_number(random, profile);
	if (host_random_once_in(random, 4))
		request.image_bytes = odd_number(random, profile);
	if (host_random_once_in(random, 4))
		request.image_align = page << host_random_below(random, 20);
	if (host_random_once_in(random, 40))
		request.image_align = host_random_u64(random) >> host_random_below(random, 64);
	if (host_random_once_in(random, 2))
		request.stack_limit = odd_number(random, profile);
	if (host_random_once_in(random, 4))
		request.guard_bytes = page * host_random_below(random, 5000);
	if (host_random_once_in(random, 40))
		request.guard_bytes = odd_number(random, profile);
	return request;
}

static wide round_up(wide value, wide unit)
{
	return (value + unit - 1) / unit * unit;
}

static wide round_down(wide value, wide unit)
{
	return value / unit * unit;
}

/* Each offset, or its largest value. */
static wide offset_of(const struct layout_profile *profile, bool is_wanted, uint64_t bits, bool largest, uint64_t word)
{
	const uint64_t pages = UINT64_C(1) << bits;

	return is_wanted ? (wide)(largest ? pages - 1 : word % pages) * profile->page_size : 0;
}

/* The places by definition, in arithmetic that does not wrap: with the request's offsets, or the largest ones. */
struct model {
	wide image, image_end, heap, mmap_low, mmap_high, guard, stack, stack_end, gap;
};

static struct model model_of(const struct layout_profile *profile, const struct layout_request *request, bool largest)
{
	const struct layout_offsets *bits = &profile->max_bits, *word = &request->random;
	const bool is_random = request->is_random, movable = request->image_is_movable;
	const wide page = profile->page_size, top = profile->stack_top;
	const wide most = round_down(profile->task_size / 6 * 5, page);
	const wide least = LAYOUT_MIN_GAP + offset_of(profile, is_random, bits->stack, true, 0);
	const wide up =
		offset_of(profile, is_random && request->kind != LAYOUT_CLASSIC, bits->mmap, largest, word->mmap);
	wide limit = round_up(request->stack_limit, page);
	struct model model = { .image = request->image_start };

	limit = limit < most ? limit : most;
	model.stack_end = top - offset_of(profile, is_random, bits->stack, largest, word->stack);
	model.stack = model.stack_end - limit;
	model.guard = model.stack - request->guard_bytes;
	if (movable)
		model.image = round_up(profile->text + offset_of(profile, is_random, bits->image, largest, word->image),
				       request->image_align);
	model.image_end = model.image + round_up(request->image_bytes, page);
	model.heap = model.image_end > end(profile->window) ? model.image_end : (wide)end(profile->window);
	model.heap += offset_of(profile, is_random && request->has_heap_offset, bits->heap, largest, word->heap);
	if (request->kind == LAYOUT_FLEXIBLE) {
		model.gap = limit < least ? least : limit;
		model.mmap_high = (top - model.gap < model.guard ? top - model.gap : model.guard) - up;
		model.mmap_low = model.heap;
	} else {
		model.mmap_low = round_up(profile->task_size / 3, page) + up;
		model.mmap_high = model.guard;
	}
	return model;
}

static enum status check_words(const struct layout_profile *profile, const struct layout_request *request)
{
	const uint64_t align = request->image_align;

	if ((unsigned int)request->kind >= LAYOUT_KINDS || align < profile->page_size || align > GIB)
		return STATUS_BAD_ARGUMENT;
	if (__builtin_popcountll(align) != 1)
		return STATUS_BAD_ARGUMENT;
	if (request->image_bytes == 0 || request->stack_limit == 0 || request->guard_bytes == 0)
		return STATUS_ZERO_LENGTH;
	if (request->guard_bytes % profile->page_size != 0)
		return STATUS_MISALIGNED;
	if (!request->image_is_movable && request->image_start % profile->page_size != 0)
		return STATUS_MISALIGNED;
	return STATUS_OK;
}

static enum status model_status(const struct layout_profile *profile, const struct layout_request *request)
{
	const enum status words = check_words(profile, request);
	const wide third = round_up(profile->task_size / 3, profile->page_size);
	struct model worst, is;

	if (words != STATUS_OK)
		return words;
	worst = model_of(profile, request, true);
	is = model_of(profile, request, false);
	if (request->kind == LAYOUT_FLEXIBLE ? worst.mmap_high <= profile->text : worst.mmap_low >= worst.guard)
		return STATUS_LAYOUT_STACK_TOO_LARGE;
	if (is.image < profile->lowest)
		return STATUS_LAYOUT_IMAGE_TOO_LOW;
	if (worst.image_end > profile->task_size)
		return STATUS_LAYOUT_IMAGE_TOO_HIGH;
	if (is.image < end(profile->window) && is.image_end > first(profile->window))
		return STATUS_BOOTSTRAP_RANGE;
	if (worst.heap >= (request->kind == LAYOUT_FLEXIBLE ? worst.mmap_high : third))
		return STATUS_LAYOUT_IMAGE_TOO_HIGH;
	return STATUS_OK;
}

static void expect_model(const struct layout *layout, const struct model *model)
{
	assert_int_equal(first(layout->image), model->image);
	assert_int_equal(end(layout->image), model->image_end);
	assert_int_equal(first(layout->heap), model->heap);
	assert_int_equal(first(layout->mmap), model->mmap_low);
	assert_int_equal(end(layout->mmap), model->mmap_high);
	assert_int_equal(first(layout->guard), model->guard);
	assert_int_equal(first(layout->stack), model->stack);
	assert_int_equal(end(layout->stack), model->stack_end);
	assert_int_equal(layout->gap, model->gap);
}

/* No two parts share a byte, by pairs, and each is inside and whole pages. */
static void expect_apart(const struct layout *layout)
{
	const bool shared = layout->kind == LAYOUT_FLEXIBLE;
	const struct uaddr_range parts[] = { layout->hole,  layout->image, layout->heap,
					     layout->guard, layout->stack, layout->mmap };
	const size_t count = sizeof(parts) / sizeof(parts[0]) - shared;

	for (size_t i = 0; i < count; i++) {
		assert_true(end(parts[i]) <= layout->task_size);
		assert_int_equal((first(parts[i]) | end(parts[i])) % layout->page_size, 0);
		assert_false(i > 0 && uaddr_range_overlaps(parts[i], layout->window));
		for (size_t j = 0; j < i; j++)
			assert_false(uaddr_range_overlaps(parts[i], parts[j]));
	}
}

static void test_against_model(void **state)
{
	uint64_t accepted = 0, refused = 0;
	struct host_random random;

	(void)state;
	host_random_init(&random, "layout", 1);
	for (uint64_t round = host_rounds(1000000); round > 0; round--) {
		const struct layout_profile *profile = any_profile(&random);
		const struct layout_request request = any_request(&random, profile);
		const enum status expected = model_status(profile, &request);
		struct layout layout;

		assert_int_equal(layout_make(profile, &request, &layout), expected);
		if (expected == STATUS_OK) {
			const struct model model = model_of(profile, &request, false);

			assert_true(layout_is_valid(&layout));
			expect_model(&layout, &model);
			expect_apart(&layout);
		}
		accepted += expected == STATUS_OK;
		refused += expected != STATUS_OK;
	}
	assert_true(accepted > refused / 2);
	assert_true(refused > accepted / 20);
}

/* Other random words: the same answer, and the parts that are not random where they were. */
static void test_answer_does_not_depend_on_luck(void **state)
{
	struct host_random random;

	(void)state;
	host_random_init(&random, "layout", 2);
	for (uint64_t round = host_rounds(300000); round > 0; round--) {
		const struct layout_profile *profile = any_profile(&random);
		struct layout_request request = any_request(&random, profile);
		struct layout one, other;
		const enum status status = layout_make(profile, &request, &one);

		request.random = any_words(&random);
		assert_int_equal(layout_make(profile, &request, &other), status);
		if (status != STATUS_OK)
			continue;
		if (request.kind == LAYOUT_CLASSIC)
			assert_int_equal(layout_mmap_base(&other), profile->unmapped_base);
		if (!request.is_random)
			assert_memory_equal(&one, &other, sizeof(one));
		if (!request.image_is_movable)
			assert_int_equal(first(one.image), first(other.image));
		assert_int_equal(one.gap, other.gap);
		assert_int_equal(uaddr_range_bytes(one.stack), uaddr_range_bytes(other.stack));
	}
}

static void test_same_seed_same_layout(void **state)
{
	const struct layout_profile *profile = layout_profile_of(LAYOUT_AMD64);
	uint8_t seed[RANDOM_STREAM_SEED_BYTES] = { 1 };
	struct random_stream one, same, other;

	(void)state;
	random_stream_init(&one, seed);
	random_stream_init(&same, seed);
	seed[31] = 1;
	random_stream_init(&other, seed);
	for (uint32_t i = 0; i < 100; i++) {
		struct layout_request a = layout_request_of(profile), b = a, c = a;
		struct layout first_one, second, third;

		a.random = layout_draw(&one);
		b.random = layout_draw(&same);
		c.random = layout_draw(&other);
		first_one = make(profile, &a);
		second = make(profile, &b);
		third = make(profile, &c);
		assert_memory_equal(&first_one, &second, sizeof(second));
		assert_memory_not_equal(&first_one, &third, sizeof(third));
	}
}

/*
 * Pearson's statistic of 64 equally likely outcomes: 63 on average with a deviation of 11. Above 140 it is by chance
 * once in 10^7, below 20 likewise; the default seed is fixed.
 */
static void expect_even(const uint64_t *seen, uint64_t rounds)
{
	double statistic = 0;

	for (uint32_t i = 0; i < BUCKETS; i++) {
		const double expected = (double)rounds / BUCKETS, off = (double)seen[i] - expected;

		statistic += off * off / expected;
	}
	assert_true(statistic < 140);
	assert_true(statistic > 20);
}

/* The six lowest and the six highest bits of each part's offset, as it shows in the addresses, over many layouts. */
static void expect_random_bits(const struct layout_profile *profile, struct random_stream *stream, uint64_t rounds)
{
	const struct layout_offsets *bits = &profile->max_bits;
	const uint64_t wide_bits[4] = { bits->stack, bits->mmap, bits->image, bits->heap };
	uint64_t low[4][BUCKETS] = { { 0 } }, high[4][BUCKETS] = { { 0 } };

	for (uint64_t round = 0; round < rounds; round++) {
		struct layout_request request = layout_request_of(profile);
		struct layout layout;
		uint64_t offset[4];

		request.image_is_movable = true;
		request.has_heap_offset = true;
		request.random = layout_draw(stream);
		layout = make(profile, &request);
		offset[0] = profile->stack_top - end(layout.stack);
		offset[1] = profile->stack_top - layout.gap - layout_mmap_base(&layout);
		offset[2] = first(layout.image) - profile->text;
		offset[3] = first(layout.heap) - end(layout.image);
		for (uint32_t i = 0; i < 4; i++) {
			const uint64_t pages = offset[i] / profile->page_size;

			low[i][pages % BUCKETS]++;
			high[i][pages >> (wide_bits[i] - 6)]++;
		}
	}
	for (uint32_t i = 0; i < 4; i++) {
		expect_even(low[i], rounds);
		expect_even(high[i], rounds);
	}
}

static void test_random_bits_are_even(void **state)
{
	uint8_t seed[RANDOM_STREAM_SEED_BYTES];
	struct random_stream stream;
	struct host_random random;

	(void)state;
	host_random_init(&random, "layout", 3);
	for (uint32_t i = 0; i < sizeof(seed); i++)
		seed[i] = (uint8_t)host_random_u64(&random);
	random_stream_init(&stream, seed);
	for (unsigned int i = 0; i < LAYOUT_ARCHITECTURES; i++)
		expect_random_bits(layout_profile_of((enum layout_architecture)i), &stream, host_rounds(100000));
}

/* Whatever profile of its own a user of lib/ makes: valid and taken, or refused. */
static void test_random_profiles(void **state)
{
	struct host_random random;
	uint64_t valid = 0, made = 0;

	(void)state;
	host_random_init(&random, "layout", 4);
	for (uint64_t round = host_rounds(500000); round > 0; round--) {
		struct layout_profile profile = *any_profile(&random);
		struct layout_request request;
		struct layout layout;

		profile.task_size = (host_random_below(&random, UINT64_C(1) << 30) << host_random_below(&random, 26)) *
				    profile.page_size;
		profile.stack_top = profile.task_size - host_random_below(&random, 3) * profile.page_size;
		profile.unmapped_base =
			(profile.task_size / 3 + profile.page_size - 1) / profile.page_size * profile.page_size;
		profile.max_bits.stack = host_random_below(&random, 24);
		profile.max_bits.mmap = host_random_below(&random, 34);
		if (!layout_profile_is_valid(&profile))
			continue;
		valid++;
		request = any_request(&random, &profile);
		assert_int_equal(layout_make(&profile, &request, &layout), model_status(&profile, &request));
		if (model_status(&profile, &request) == STATUS_OK) {
			expect_apart(&layout);
			made++;
		}
	}
	assert_true(valid > host_rounds(500000) / 10);
	assert_true(made > valid / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_model),         cmocka_unit_test(test_answer_does_not_depend_on_luck),
		cmocka_unit_test(test_same_seed_same_layout), cmocka_unit_test(test_random_bits_are_even),
		cmocka_unit_test(test_random_profiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
