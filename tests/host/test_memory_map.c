#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/memory_map.h"
#include "tests/host/host_support.h"

#define PAGE UINT64_C(4096)
#define MODEL_FRAMES 256u
#define NOTHING (-1) /* no entry says anything about the frame */

static void add(struct memory_map *map, uint64_t base, uint64_t length, enum memory_kind kind)
{
	assert_int_equal(memory_map_add(map, base, length, kind), STATUS_OK);
	assert_true(memory_map_is_valid(map));
}

static void expect(const struct memory_map *map, uint32_t index, uint64_t start, uint64_t end, enum memory_kind kind)
{
	assert_true(index < map->count);
	assert_int_equal(frame_to_u64(map->entry[index].frames.start), start);
	assert_int_equal(frame_to_u64(map->entry[index].frames.end), end);
	assert_int_equal(map->entry[index].kind, kind);
}

static void expect_same(const struct memory_map *map, const struct memory_map *other)
{
	assert_int_equal(map->count, other->count);
	assert_int_equal(map->dropped, other->dropped);
	for (uint32_t i = 0; i < map->count; i++)
		expect(map, i, frame_to_u64(other->entry[i].frames.start), frame_to_u64(other->entry[i].frames.end),
		       other->entry[i].kind);
}

static void test_empty(void **state)
{
	struct memory_map map;

	(void)state;
	memory_map_init(&map);
	assert_true(memory_map_is_valid(&map));
	assert_int_equal(map.count, 0);
	assert_int_equal(memory_map_end_of_ram(&map), 0);
	assert_int_equal(memory_map_check_usable(&map), STATUS_MEMORY_MAP_EMPTY);
	memory_map_convert(&map, MEMORY_USABLE, MEMORY_BAD);
	assert_int_equal(map.count, 0);
}

static void test_rounding(void **state)
{
	struct memory_map map;

	(void)state;
	memory_map_init(&map);
	add(&map, 1, 3 * PAGE, MEMORY_USABLE); /* frames 1 and 2 wholly, 0 and 3 in part */
	assert_int_equal(map.count, 1);
	expect(&map, 0, 1, 3, MEMORY_USABLE);

	memory_map_init(&map);
	add(&map, 2 * PAGE - 1, 2, MEMORY_RESERVED);
	assert_int_equal(map.count, 1);
	expect(&map, 0, 1, 3, MEMORY_RESERVED);

	memory_map_init(&map);
	add(&map, PAGE + 1, PAGE, MEMORY_USABLE); /* no whole frame */
	add(&map, PAGE, PAGE - 1, MEMORY_USABLE);
	add(&map, PAGE + 5, 1, MEMORY_USABLE);
	assert_int_equal(map.count, 0);
	assert_int_equal(map.dropped, 0);
	assert_int_equal(memory_map_check_usable(&map), STATUS_MEMORY_MAP_EMPTY);
}

/* Two halves of a frame from two entries do not make it usable. */
static void test_parts_do_not_add_up(void **state)
{
	struct memory_map map;

	(void)state;
	memory_map_init(&map);
	add(&map, 0, PAGE + PAGE / 2, MEMORY_USABLE);
	add(&map, PAGE + PAGE / 2, 2 * PAGE + PAGE / 2, MEMORY_USABLE);
	assert_int_equal(map.count, 2);
	expect(&map, 0, 0, 1, MEMORY_USABLE);
	expect(&map, 1, 2, 4, MEMORY_USABLE);
}

static void test_dropped(void **state)
{
	struct memory_map map;

	(void)state;
	memory_map_init(&map);
	add(&map, 0, 0, MEMORY_USABLE);
	add(&map, UINT64_MAX, 0, MEMORY_BAD);
	add(&map, UINT64_MAX, 2, MEMORY_BAD);
	add(&map, PAGE, UINT64_MAX, MEMORY_USABLE);
	add(&map, 2, UINT64_MAX, MEMORY_USABLE);
	assert_int_equal(map.dropped, 5);
	assert_int_equal(map.count, 0);
}

/* The end 2^64 is no number of 64 bits, yet such a range does not wrap. */
static void test_top_of_address_space(void **state)
{
	const uint64_t last = UINT64_C(1) << 52;
	struct memory_map map;

	(void)state;
	memory_map_init(&map);
	add(&map, 0 - PAGE, PAGE, MEMORY_USABLE);
	expect(&map, 0, last - 1, last, MEMORY_USABLE);
	add(&map, UINT64_MAX, 1, MEMORY_RESERVED);
	assert_int_equal(map.count, 1);
	expect(&map, 0, last - 1, last, MEMORY_RESERVED);
	add(&map, 0, UINT64_MAX, MEMORY_USABLE);
	add(&map, 1, UINT64_MAX, MEMORY_USABLE);
	assert_int_equal(map.count, 2);
	expect(&map, 0, 0, last - 1, MEMORY_USABLE);
	assert_int_equal(map.dropped, 0);
}

static void test_overlay(void **state)
{
	struct memory_map map;

	(void)state;
	memory_map_init(&map);
	add(&map, 0, 100 * PAGE, MEMORY_USABLE);
	add(&map, 10 * PAGE, 10 * PAGE, MEMORY_RESERVED);
	add(&map, 15 * PAGE, 10 * PAGE, MEMORY_KERNEL_IMAGE);
	add(&map, 30 * PAGE, PAGE, MEMORY_BOOT_PACKAGE);
	add(&map, 0, 100 * PAGE, MEMORY_USABLE); /* changes nothing */
	assert_int_equal(map.count, 6);
	expect(&map, 0, 0, 10, MEMORY_USABLE);
	expect(&map, 1, 10, 20, MEMORY_RESERVED);
	expect(&map, 2, 20, 25, MEMORY_KERNEL_IMAGE);
	expect(&map, 3, 25, 30, MEMORY_USABLE);
	expect(&map, 4, 30, 31, MEMORY_BOOT_PACKAGE);
	expect(&map, 5, 31, 100, MEMORY_USABLE);
	assert_int_equal(memory_map_frames(&map, MEMORY_USABLE), 84);
	assert_int_equal(memory_map_frames(&map, MEMORY_RESERVED), 10);
	assert_int_equal(memory_map_frames(&map, MEMORY_ACPI_NVS), 0);
	assert_int_equal(memory_map_end_of_ram(&map), 100);
	assert_int_equal(memory_map_check_usable(&map), STATUS_OK);

	add(&map, 0, 200 * PAGE, MEMORY_BAD); /* swallows everything */
	assert_int_equal(map.count, 1);
	expect(&map, 0, 0, 200, MEMORY_BAD);
	assert_int_equal(memory_map_end_of_ram(&map), 0);
}

static void test_convert(void **state)
{
	struct memory_map map;

	(void)state;
	memory_map_init(&map);
	add(&map, 0, 10 * PAGE, MEMORY_USABLE);
	add(&map, 10 * PAGE, 10 * PAGE, MEMORY_LOADER_RECLAIMABLE);
	add(&map, 20 * PAGE, 10 * PAGE, MEMORY_USABLE);
	add(&map, 40 * PAGE, 10 * PAGE, MEMORY_LOADER_RECLAIMABLE);
	assert_int_equal(map.count, 4);
	memory_map_convert(&map, MEMORY_LOADER_RECLAIMABLE, MEMORY_USABLE);
	assert_true(memory_map_is_valid(&map));
	assert_int_equal(map.count, 2);
	expect(&map, 0, 0, 30, MEMORY_USABLE);
	expect(&map, 1, 40, 50, MEMORY_USABLE);
	memory_map_convert(&map, MEMORY_USABLE, MEMORY_USABLE);
	assert_int_equal(map.count, 2);
}

/* Full to the last entry; one more is refused and changes nothing; what joins or swallows still goes in. */
static void test_too_long(void **state)
{
	struct memory_map map, before;

	(void)state;
	memory_map_init(&map);
	for (uint64_t i = 0; i < MEMORY_MAP_MAX; i++)
		add(&map, 2 * i * PAGE, PAGE, MEMORY_RESERVED);
	assert_int_equal(map.count, MEMORY_MAP_MAX);
	before = map;
	assert_int_equal(memory_map_add(&map, PAGE * 2 * MEMORY_MAP_MAX, PAGE, MEMORY_RESERVED),
			 STATUS_MEMORY_MAP_TOO_LONG);
	assert_int_equal(memory_map_add(&map, 0, 3 * PAGE, MEMORY_USABLE), STATUS_MEMORY_MAP_TOO_LONG);
	expect_same(&map, &before);
	add(&map, PAGE, PAGE, MEMORY_RESERVED);
	assert_int_equal(map.count, MEMORY_MAP_MAX - 1);
	add(&map, 3 * PAGE, PAGE, MEMORY_USABLE);
	assert_int_equal(map.count, MEMORY_MAP_MAX);

	/* 128 islands and the gaps behind them: splitting one is too much, turning one into another kind is not. */
	memory_map_init(&map);
	for (uint64_t i = 0; i < 128; i++)
		add(&map, 4 * i * PAGE, 2 * PAGE, MEMORY_KERNEL_IMAGE);
	add(&map, 0, UINT64_C(128) * 4 * PAGE, MEMORY_USABLE);
	assert_int_equal(map.count, MEMORY_MAP_MAX);
	before = map;
	assert_int_equal(memory_map_add(&map, 2 * PAGE + 5, 1, MEMORY_BAD), STATUS_MEMORY_MAP_TOO_LONG);
	expect_same(&map, &before);
	add(&map, 2 * PAGE + 5, PAGE, MEMORY_BAD);
	assert_int_equal(map.count, MEMORY_MAP_MAX);
}

static void test_names(void **state)
{
	(void)state;
	for (int i = 0; i < MEMORY_KIND_COUNT; i++) {
		for (int j = 0; j < i; j++)
			assert_string_not_equal(memory_kind_name((enum memory_kind)i),
						memory_kind_name((enum memory_kind)j));
		assert_string_not_equal(memory_kind_name((enum memory_kind)i), "unknown kind");
	}
	assert_string_equal(memory_kind_name(MEMORY_KIND_COUNT), "unknown kind");
}

static void test_is_valid_refuses(void **state)
{
	struct memory_map good, map;

	(void)state;
	memory_map_init(&good);
	add(&good, 0, PAGE, MEMORY_USABLE);
	add(&good, PAGE, PAGE, MEMORY_BAD);
	map = good;
	map.count = MEMORY_MAP_MAX + 1;
	assert_false(memory_map_is_valid(&map));
	map = good;
	map.entry[0].frames.end = map.entry[0].frames.start;
	assert_false(memory_map_is_valid(&map));
	map = good;
	map.entry[0].kind = MEMORY_BAD; /* neighbours of one kind */
	assert_false(memory_map_is_valid(&map));
	map = good;
	map.entry[0].kind = MEMORY_KIND_COUNT;
	assert_false(memory_map_is_valid(&map));
	map = good;
	map.entry[0].frames.end = frame_from_u64(2); /* overlap */
	assert_false(memory_map_is_valid(&map));
	map = good;
	map.entry[1].frames.end = frame_from_u64((UINT64_C(1) << 52) + 1);
	assert_false(memory_map_is_valid(&map));
}

struct input {
	uint64_t base, length;
	enum memory_kind kind;
};

/*
 * The definition, frame by frame: a frame is usable if one usable entry holds it wholly; any other kind takes each
 * frame that it touches; the largest kind wins.
 */
static void model_add(int model[MODEL_FRAMES], const struct input *input)
{
	const unsigned __int128 end = (unsigned __int128)input->base + input->length;

	if (input->length == 0 || end > (unsigned __int128)1 << 64)
		return;
	for (uint64_t i = 0; i < MODEL_FRAMES; i++) {
		const uint64_t frame = i * PAGE;
		const uint64_t next_frame = frame + PAGE;
		const bool touched = input->base < next_frame && end > frame;
		const bool whole = input->base <= frame && end >= next_frame;

		if ((input->kind == MEMORY_USABLE ? whole : touched) && (int)input->kind > model[i])
			model[i] = (int)input->kind;
	}
}

/* Kind of a frame in the map under test. */
static int map_kind(const struct memory_map *map, uint64_t frame)
{
	for (uint32_t i = 0; i < map->count; i++) {
		if (frame >= frame_to_u64(map->entry[i].frames.start) && frame < frame_to_u64(map->entry[i].frames.end))
			return (int)map->entry[i].kind;
	}
	return NOTHING;
}

static struct input random_input(struct host_random *random)
{
	struct input input = { .kind = (enum memory_kind)host_random_below(random, MEMORY_KIND_COUNT) };

	if (host_random_once_in(random, 2))
		input.kind = MEMORY_USABLE;
	input.base = host_random_below(random, MODEL_FRAMES + 8) * PAGE;
	input.length = host_random_below(random, host_random_once_in(random, 3) ? MODEL_FRAMES : 16) * PAGE;
	if (host_random_once_in(random, 2))
		input.base += host_random_below(random, 3) - 1 + host_random_below(random, 2) * PAGE / 2;
	if (host_random_once_in(random, 2))
		input.length += host_random_below(random, 3) - 1 + host_random_below(random, 2) * PAGE / 2;
	if (host_random_once_in(random, 20))
		input.length = UINT64_MAX - host_random_below(random, (MODEL_FRAMES + 8) * PAGE);
	if (host_random_once_in(random, 50))
		input.length = 0 - input.base + host_random_below(random, 3) - 1; /* to the very top, or one around */
	return input;
}

static uint64_t model_runs(const int model[MODEL_FRAMES])
{
	uint64_t runs = 0;

	for (uint32_t i = 0; i < MODEL_FRAMES; i++)
		runs += model[i] != NOTHING && (i == 0 || model[i - 1] != model[i]);
	return runs;
}

static bool model_is_ram(int kind)
{
	return kind != NOTHING && kind != MEMORY_FRAMEBUFFER && kind != MEMORY_RESERVED && kind != MEMORY_BAD;
}

static void compare(const struct memory_map *map, const int model[MODEL_FRAMES])
{
	uint64_t usable = 0;

	for (uint32_t i = 0; i < MODEL_FRAMES; i++)
		assert_int_equal(map_kind(map, i), model[i]);
	for (uint32_t i = 1; i < MODEL_FRAMES; i++) {
		assert_int_equal(memory_map_has_ram(map, frame_range_make(i, i + 1)), model_is_ram(model[i]));
		assert_int_equal(memory_map_has_ram(map, frame_range_make(i - 1, i + 1)),
				 model_is_ram(model[i - 1]) || model_is_ram(model[i]));
	}
	for (uint32_t i = 0; i < map->count; i++) {
		if (map->entry[i].kind == MEMORY_USABLE)
			usable += frame_range_count(map->entry[i].frames);
	}
	assert_int_equal(memory_map_frames(map, MEMORY_USABLE), usable);
}

static void test_against_model(void **state)
{
	struct host_random random;

	(void)state;
	host_random_init(&random, "memory_map", 2);
	for (uint64_t round = host_rounds(100000); round > 0; round--) {
		struct memory_map map;
		int model[MODEL_FRAMES];

		memory_map_init(&map);
		for (uint32_t i = 0; i < MODEL_FRAMES; i++)
			model[i] = NOTHING;
		for (uint64_t entries = host_random_below(&random, 24); entries > 0; entries--) {
			const struct input input = random_input(&random);

			add(&map, input.base, input.length, input.kind);
			model_add(model, &input);
		}
		compare(&map, model);
	}
}

/*
 * Many small entries inside the model only, so that the map fills up: an entry is refused exactly if the joined
 * result has too many ranges, and then nothing changes.
 */
static void test_against_model_when_full(void **state)
{
	struct host_random random;
	uint64_t refused = 0;

	(void)state;
	host_random_init(&random, "memory_map full", 3);
	for (uint64_t round = host_rounds(300); round > 0; round--) {
		struct memory_map map;
		int model[MODEL_FRAMES];

		/* 200 entries stand above the model's frames, so that 56 are left for it. */
		memory_map_init(&map);
		for (uint64_t i = 0; i < 200; i++)
			add(&map, (MODEL_FRAMES + 1 + 2 * i) * PAGE, PAGE, MEMORY_BAD);
		for (uint32_t i = 0; i < MODEL_FRAMES; i++)
			model[i] = NOTHING;
		for (uint32_t i = 0; i < 400; i++) {
			const enum memory_kind kind = (enum memory_kind)host_random_below(&random, MEMORY_KIND_COUNT);
			const uint64_t first = host_random_below(&random, MODEL_FRAMES);
			const uint64_t most = host_random_once_in(&random, 8) ? MODEL_FRAMES : 4;
			const uint64_t length = host_random_below(&random, most) % (MODEL_FRAMES - first) + 1;
			const struct input input = { first * PAGE, length * PAGE, kind };
			int after[MODEL_FRAMES];

			for (uint32_t j = 0; j < MODEL_FRAMES; j++)
				after[j] = model[j];
			model_add(after, &input);

			const enum status status = memory_map_add(&map, input.base, input.length, input.kind);

			assert_int_equal(status == STATUS_OK, model_runs(after) <= MEMORY_MAP_MAX - 200);
			if (status == STATUS_OK)
				model_add(model, &input);
			else
				refused++;
			assert_int_equal(map.count, 200 + model_runs(model));
			assert_true(memory_map_is_valid(&map));
		}
		compare(&map, model);
	}
	assert_true(refused > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_rounding),
		cmocka_unit_test(test_parts_do_not_add_up),
		cmocka_unit_test(test_dropped),
		cmocka_unit_test(test_top_of_address_space),
		cmocka_unit_test(test_overlay),
		cmocka_unit_test(test_convert),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_is_valid_refuses),
		cmocka_unit_test(test_against_model),
		cmocka_unit_test(test_against_model_when_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
