#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/bit_tree.h"
#include "tests/host/host_support.h"

#define MODEL_BITS 20000u

/* A tree and, beside it, one byte a bit. */
struct world {
	struct bit_tree tree;
	uint64_t *storage;
	uint8_t *is_set;
};

static struct world world_make(uint64_t bits)
{
	const size_t bytes = (size_t)bit_tree_words(bits) * sizeof(uint64_t);
	struct world world;

	world.storage = malloc(bytes);
	world.is_set = calloc(1, bits + 1);
	assert_non_null(world.storage);
	assert_non_null(world.is_set);
	memset(world.storage, 0xa5, bytes);
	bit_tree_init(&world.tree, bits, world.storage);
	assert_true(bit_tree_is_valid(&world.tree));
	return world;
}

static void world_end(struct world *world)
{
	assert_true(bit_tree_is_valid(&world->tree));
	for (uint64_t bit = 0; bit < world->tree.bits; bit++)
		assert_int_equal(bit_tree_test(&world->tree, bit), world->is_set[bit] != 0);
	free(world->storage);
	free(world->is_set);
}

static void put_range(struct world *world, uint64_t first, uint64_t end, bool set)
{
	memset(world->is_set + first, set, end - first);
	if (set)
		bit_tree_set_range(&world->tree, first, end);
	else
		bit_tree_clear_range(&world->tree, first, end);
}

static void test_bits_words(void **state)
{
	struct host_random random;

	(void)state;
	host_random_init(&random, __func__, 1);
	for (uint64_t round = host_rounds(20000); round > 0; round--) {
		const uint64_t word = host_random_u64(&random) & host_random_u64(&random);
		const uint32_t bit = (uint32_t)host_random_below(&random, 64);
		uint32_t count = 0;

		for (uint32_t i = 0; i < 64; i++) {
			count += bits_test(word, i);
			assert_int_equal(bits_test(bits_from(bit), i), i >= bit);
			assert_int_equal(bits_test(bits_up_to(bit), i), i <= bit);
			assert_int_equal(bits_test(bits_one(bit), i), i == bit);
		}
		assert_int_equal(bits_count(word), count);
		if (word != 0) {
			assert_int_equal(word & bits_up_to(bits_lowest(word)), bits_one(bits_lowest(word)));
			assert_int_equal(word & bits_from(bits_highest(word)), bits_one(bits_highest(word)));
			assert_int_equal(bits_without_lowest(word), word ^ bits_one(bits_lowest(word)));
		}
	}
	assert_int_equal(bits_count(0), 0);
	assert_int_equal(bits_count(UINT64_MAX), 64);
}

static void test_bits_aligned(void **state)
{
	(void)state;
	for (uint32_t shift = 0; shift <= 6; shift++) {
		for (uint32_t bit = 0; bit < 64; bit++)
			assert_int_equal(bits_test(bits_multiples(1u << shift), bit), bit % (1u << shift) == 0);
	}
	assert_false(bits_is_power_of_two(0));
	assert_true(bits_is_power_of_two(1));
	assert_true(bits_is_power_of_two(UINT64_C(1) << 63));
	assert_false(bits_is_power_of_two(3));
	assert_false(bits_is_power_of_two(UINT64_MAX));
	assert_int_equal(bits_align_up(0, 512), 0);
	assert_int_equal(bits_align_up(1, 512), 512);
	assert_int_equal(bits_align_up(512, 512), 512);
	assert_int_equal(bits_align_up(5, UINT64_C(1) << 63), UINT64_C(1) << 63);
}

/* Every place of every length in two words, against looking at each bit. */
static void test_bits_run_starts(void **state)
{
	struct host_random random;

	(void)state;
	host_random_init(&random, __func__, 2);
	for (uint64_t round = host_rounds(500); round > 0; round--) {
		uint64_t word[2];

		for (uint32_t i = 0; i < 2; i++)
			word[i] = host_random_u64(&random) | host_random_u64(&random) | host_random_u64(&random) |
				  (host_random_once_in(&random, 2) ? bits_from((uint32_t)(round % 64)) : 0) |
				  (host_random_once_in(&random, 4) ? UINT64_MAX : 0);
		for (uint32_t count = 1; count <= 64; count++) {
			const uint64_t starts = bits_run_starts(word[0], word[1], count);

			for (uint32_t first = 0; first < 64; first++) {
				uint32_t length = 0;

				while (length < count && bits_test(word[(first + length) / 64], (first + length) % 64))
					length++;
				assert_int_equal(bits_test(starts, first), length == count);
			}
		}
	}
}

static void test_sizes(void **state)
{
	static const struct {
		uint64_t bits, words;
		uint32_t levels;
	} size[] = {
		{ 1, 1, 1 },
		{ 63, 1, 1 },
		{ 64, 1, 1 },
		{ 65, 3, 2 },
		{ 4096, 65, 2 },
		{ 4097, 65 + 2 + 1, 3 },
		{ 262144, 4161, 3 },
		{ 262145, 4097 + 65 + 2 + 1, 4 },
		{ 16777216, 266305, 4 },
	};

	(void)state;
	for (uint32_t i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		struct world world = world_make(size[i].bits);
		uint64_t bit;

		assert_int_equal(bit_tree_words(size[i].bits), size[i].words);
		assert_int_equal(world.tree.levels, size[i].levels);
		assert_false(bit_tree_find(&world.tree, 0, &bit));
		bit_tree_set(&world.tree, size[i].bits - 1);
		world.is_set[size[i].bits - 1] = 1;
		assert_true(bit_tree_find(&world.tree, 0, &bit));
		assert_int_equal(bit, size[i].bits - 1);
		assert_false(bit_tree_find(&world.tree, size[i].bits, &bit));
		assert_false(bit_tree_find(&world.tree, UINT64_MAX, &bit));
		put_range(&world, 0, size[i].bits, true);
		assert_int_equal(bit_tree_find_clear(&world.tree, 0, size[i].bits), size[i].bits);
		put_range(&world, 0, size[i].bits, false);
		assert_false(bit_tree_find(&world.tree, 0, &bit));
		world_end(&world);
	}
	assert_int_equal(bit_tree_words(BIT_TREE_MAX_BITS),
			 (UINT64_C(1) << 30) + (1u << 24) + (1u << 18) + (1u << 12) + (1u << 6) + 1);
}

static uint64_t model_find(const struct world *world, uint64_t from, uint64_t end, uint8_t value)
{
	while (from < end && world->is_set[from] != value)
		from++;
	return from;
}

static void model_step(struct world *world, struct host_random *random)
{
	const uint64_t first = host_random_below(random, world->tree.bits);
	const uint64_t room = world->tree.bits - first, most = host_random_once_in(random, 16) ? room : 200;
	const uint64_t end = first + 1 + host_random_below(random, room < most ? room : most);
	const uint64_t index = first / BITS_PER_WORD;
	uint64_t bit = UINT64_MAX, value = 0;

	switch (host_random_below(random, 6)) {
	case 0:
		bit_tree_set(&world->tree, first);
		world->is_set[first] = 1;
		break;
	case 1:
		bit_tree_clear(&world->tree, first);
		world->is_set[first] = 0;
		break;
	case 2:
		put_range(world, first, end, host_random_once_in(random, 3));
		break;
	case 3:
		for (uint64_t i = index * BITS_PER_WORD; i < world->tree.bits && i < (index + 1) * BITS_PER_WORD; i++) {
			world->is_set[i] = host_random_once_in(random, 30);
			value |= (uint64_t)world->is_set[i] << i % BITS_PER_WORD;
		}
		bit_tree_write_word(&world->tree, index, value);
		break;
	case 4:
		assert_int_equal(bit_tree_find_clear(&world->tree, first, end), model_find(world, first, end, 0));
		break;
	default:
		value = model_find(world, first, world->tree.bits, 1);
		assert_int_equal(bit_tree_find(&world->tree, first, &bit), value < world->tree.bits);
		assert_int_equal(bit, value < world->tree.bits ? value : UINT64_MAX);
		break;
	}
}

static void test_model(void **state)
{
	static const uint64_t sizes[] = { 1, 64, 65, 4097, MODEL_BITS };
	struct host_random random;

	(void)state;
	host_random_init(&random, __func__, 3);
	for (uint32_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct world world = world_make(sizes[i]);

		for (uint64_t round = host_rounds(100000); round > 0; round--) {
			model_step(&world, &random);
			if (round % 64 == 0)
				assert_true(bit_tree_is_valid(&world.tree));
		}
		world_end(&world);
	}
}

/* The first aligned place at or after `from`, one bit after the other; `bits` if there is none. */
static uint64_t model_find_run(const struct world *world, uint64_t from, uint64_t count, uint64_t align)
{
	for (uint64_t at = bits_align_up(from, align); at < world->tree.bits && count <= world->tree.bits - at;
	     at += align) {
		if (model_find(world, at, at + count, 0) == at + count)
			return at;
		if (align > world->tree.bits)
			break;
	}
	return world->tree.bits;
}

/* By looks at `step` bits each, from the word on that one begins in. */
static bool find_in_steps(const struct world *world, uint64_t from, uint64_t count, uint64_t align, uint64_t step,
			  uint64_t *found)
{
	struct bit_run run = { count, align, from };

	while (run.from < world->tree.bits) {
		const uint64_t until = run.from / 64 * 64 + step;

		if (bit_tree_find_run(&world->tree, &run, until, found))
			return true;
		assert_true(run.from >= until || run.from >= world->tree.bits);
	}
	return false;
}

static void test_find_run(void **state)
{
	static const uint64_t counts[] = {
		1, 2, 3, 31, 32, 33, 63, 64, 65, 66, 100, 127, 128, 129, 191, 192, 193, 600
	};
	struct host_random random;

	(void)state;
	host_random_init(&random, __func__, 4);
	for (uint64_t round = host_rounds(300); round > 0; round--) {
		const uint64_t bits = 1 + host_random_below(&random, 3000),
			       longest = 1 + host_random_below(&random, 400);
		struct world world = world_make(bits);
		uint64_t at = 0;

		while (at < bits) {
			const uint64_t left = bits - at, wish = 1 + host_random_below(&random, longest);
			const uint64_t length = wish < left ? wish : left;

			put_range(&world, at, at + length, true);
			at += length + 1 + (host_random_once_in(&random, 8) ? host_random_below(&random, 500) : 0);
		}
		for (uint32_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
			for (uint32_t shift = 0; shift < 64; shift += shift < 14 ? 1 : 7) {
				const uint64_t align = UINT64_C(1) << shift;
				const uint64_t step = 64 * (1 + host_random_below(&random, 10));
				const uint64_t from =
					host_random_once_in(&random, 3) ? host_random_below(&random, bits) : 0;
				const uint64_t wanted = model_find_run(&world, from, counts[i], align);
				uint64_t found = bits;

				assert_int_equal(find_in_steps(&world, from, counts[i], align, bits, &found),
						 wanted < bits);
				assert_int_equal(found, wanted);
				found = bits;
				assert_int_equal(find_in_steps(&world, from, counts[i], align, step, &found),
						 wanted < bits);
				assert_int_equal(found, wanted);
			}
		}
		world_end(&world);
	}
}

static void test_is_valid_sees(void **state)
{
	struct world world = world_make(5000);

	(void)state;
	put_range(&world, 100, 200, true);
	world.tree.level[1][0] ^= 2;
	assert_false(bit_tree_is_valid(&world.tree));
	world.tree.level[1][0] ^= 2 | 1;
	assert_false(bit_tree_is_valid(&world.tree));
	world.tree.level[1][0] ^= 1;
	world.tree.level[2][0] ^= 2;
	assert_false(bit_tree_is_valid(&world.tree));
	world.tree.level[2][0] ^= 2;
	world.tree.level[0][5000 / 64] |= bits_one(5000 % 64); /* past the end, its summary right */
	world.tree.level[1][1] |= bits_one(5000 / 64 - 64);
	world.tree.level[2][0] |= 2;
	assert_false(bit_tree_is_valid(&world.tree));
	bit_tree_write_word(&world.tree, 5000 / 64, 0);
	assert_true(bit_tree_is_valid(&world.tree));
	world.tree.levels--;
	assert_false(bit_tree_is_valid(&world.tree));
	world.tree.levels++;
	world.tree.bits = 0;
	assert_false(bit_tree_is_valid(&world.tree));
	world.tree.bits = 5000;
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bits_words),      cmocka_unit_test(test_bits_aligned),
		cmocka_unit_test(test_bits_run_starts), cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_model),           cmocka_unit_test(test_find_run),
		cmocka_unit_test(test_is_valid_sees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
