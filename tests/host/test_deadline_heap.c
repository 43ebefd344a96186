#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "lib/deadline_heap.h"
#include "tests/host/host_support.h"

#define MODEL_NODES 300u

/* A heap, and beside it what each node should say. */
struct world {
	struct deadline_heap heap;
	struct deadline_node node[MODEL_NODES];
	uint64_t deadline[MODEL_NODES];
	bool is_in[MODEL_NODES];
	uint64_t count;
};

static void put(struct world *world, uint64_t which, uint64_t deadline)
{
	world->node[which].deadline = deadline;
	deadline_heap_insert(&world->heap, &world->node[which]);
	world->deadline[which] = deadline;
	world->is_in[which] = true;
	world->count++;
}

static void take(struct world *world, uint64_t which)
{
	deadline_heap_remove(&world->heap, &world->node[which]);
	world->is_in[which] = false;
	world->count--;
}

/* The least deadline of those that are in; UINT64_MAX if there is none. */
static uint64_t model_least(const struct world *world)
{
	uint64_t least = UINT64_MAX;

	for (uint32_t i = 0; i < MODEL_NODES; i++) {
		if (world->is_in[i] && world->deadline[i] < least)
			least = world->deadline[i];
	}
	return least;
}

static void expect_first(const struct world *world)
{
	const struct deadline_node *first = deadline_heap_first(&world->heap);
	uint64_t which;

	assert_int_equal(world->heap.count, world->count);
	if (world->count == 0) {
		assert_null(first);
		return;
	}
	assert_non_null(first);
	which = (uint64_t)(first - world->node);
	assert_true(which < MODEL_NODES && world->is_in[which]);
	assert_int_equal(first->deadline, world->deadline[which]);
	assert_int_equal(first->deadline, model_least(world));
}

static void expect_whole(const struct world *world)
{
	assert_true(deadline_heap_is_valid(&world->heap));
	for (uint32_t i = 0; i < MODEL_NODES; i++) {
		assert_int_equal(deadline_node_is_in(&world->node[i]), world->is_in[i]);
		if (world->is_in[i])
			assert_int_equal(world->node[i].deadline, world->deadline[i]);
	}
}

/* Mostly far apart, often equal, at times at the ends of the range. */
static uint64_t random_deadline(struct host_random *random)
{
	switch (host_random_below(random, 8)) {
	case 0:
		return host_random_below(random, 4);
	case 1:
		return UINT64_MAX - host_random_below(random, 4);
	case 2:
	case 3:
		return 1000 + host_random_below(random, 20);
	default:
		return host_random_u64(random);
	}
}

/* One step: in, out, out with the first, or elsewhere. `grow` of 8 steps leave the node in. */
static void step(struct world *world, struct host_random *random, uint64_t grow)
{
	uint64_t which = host_random_below(random, MODEL_NODES);
	const uint64_t deadline = random_deadline(random);

	if (!world->is_in[which]) {
		if (host_random_below(random, 8) < grow)
			put(world, which, deadline);
		else if (world->count != 0)
			take(world, (uint64_t)(deadline_heap_first(&world->heap) - world->node));
		return;
	}
	take(world, which);
	if (host_random_below(random, 8) < grow)
		put(world, which, deadline);
}

static void test_model(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct host_random random;
	uint64_t most = 0, empty = 0;

	(void)state;
	assert_non_null(world);
	host_random_init(&random, __func__, 1);
	for (uint64_t round = host_rounds(1000000); round > 0; round--) {
		step(world, &random, 1 + round / 500 % 8); /* it fills and empties by turns */
		expect_first(world);
		if (round % 64 == 0)
			expect_whole(world);
		most = world->count > most ? world->count : most;
		empty += world->count == 0;
	}
	expect_whole(world);
	assert_true(most > MODEL_NODES / 8);
	assert_true(empty > 0);
	free(world);
}

/* What goes in comes out, in order, whatever the order in which it went in. */
static void test_sorts(void **state)
{
	struct world *world = calloc(1, sizeof(*world));
	struct host_random random;

	(void)state;
	assert_non_null(world);
	host_random_init(&random, __func__, 2);
	for (uint32_t order = 0; order < 4; order++) {
		uint64_t last = 0;

		for (uint32_t i = 0; i < MODEL_NODES; i++) {
			const uint64_t choice[] = { i, MODEL_NODES - i, 7, host_random_u64(&random) };

			put(world, i, choice[order]);
		}
		expect_whole(world);
		while (world->count != 0) {
			const struct deadline_node *first = deadline_heap_first(&world->heap);

			assert_true(first->deadline >= last);
			last = first->deadline;
			take(world, (uint64_t)(first - world->node));
			expect_whole(world);
		}
		expect_first(world);
	}
	free(world);
}

/*
 * Many nodes in one list below the root, the worst that insertion can make: neither removal nor the check recurses, and
 * removing all of them is not quadratic (10^11 steps would not end).
 */
static void test_wide_and_deep(void **state)
{
	const uint64_t nodes = host_rounds(400000);
	struct deadline_node *node = calloc(nodes, sizeof(*node));
	struct deadline_heap heap = { .count = 0 };

	(void)state;
	assert_non_null(node);
	for (uint64_t i = 0; i < nodes; i++) {
		node[i].deadline = i;
		deadline_heap_insert(&heap, &node[i]); /* a list */
	}
	assert_true(deadline_heap_is_valid(&heap));
	for (uint64_t i = 0; i < nodes; i++) {
		assert_int_equal(deadline_heap_first(&heap)->deadline, i);
		deadline_heap_remove(&heap, &node[i]);
	}
	for (uint64_t i = nodes; i > 0; i--)
		deadline_heap_insert(&heap, &node[i - 1]); /* a chain */
	assert_true(deadline_heap_is_valid(&heap));
	for (uint64_t i = 0; i < nodes; i += 2)
		deadline_heap_remove(&heap, &node[i]);
	assert_true(deadline_heap_is_valid(&heap));
	assert_int_equal(heap.count, nodes / 2);
	free(node);
}

/* Each kind of damage is seen. */
static void test_is_valid_sees(void **state)
{
	struct deadline_node node[4] = {
		{ .deadline = 10 }, { .deadline = 11 }, { .deadline = 12 }, { .deadline = 13 }
	};
	struct deadline_heap heap = { .count = 0 };

	(void)state;
	assert_true(deadline_heap_is_valid(&heap));
	for (uint32_t i = 0; i < 4; i++)
		deadline_heap_insert(&heap, &node[i]); /* the first is the root, and the others are below it, 3, 2, 1 */
	assert_true(deadline_heap_is_valid(&heap));
	assert_ptr_equal(heap.root, &node[0]);
	assert_ptr_equal(node[0].child, &node[3]);

#define EXPECT_SEEN(place, wrong)                            \
	do {                                                 \
		const typeof(place) before_ = (place);       \
		(place) = (wrong);                           \
		assert_false(deadline_heap_is_valid(&heap)); \
		(place) = before_;                           \
		assert_true(deadline_heap_is_valid(&heap));  \
	} while (0)
	EXPECT_SEEN(heap.count, 3);
	EXPECT_SEEN(heap.count, 5);
	EXPECT_SEEN(heap.root, NULL);
	EXPECT_SEEN(heap.root, &node[1]);
	EXPECT_SEEN(node[0].previous, &node[1]);
	EXPECT_SEEN(node[0].next, &node[1]);
	EXPECT_SEEN(node[0].deadline, 12);
	EXPECT_SEEN(node[2].deadline, 9);
	EXPECT_SEEN(node[3].next, NULL);
	EXPECT_SEEN(node[3].next, &node[1]);
	EXPECT_SEEN(node[2].previous, &node[0]);
	EXPECT_SEEN(node[1].next, &node[3]); /* a circle */
	EXPECT_SEEN(node[1].child, &node[0]);
#undef EXPECT_SEEN
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_sorts),
		cmocka_unit_test(test_wide_and_deep),
		cmocka_unit_test(test_is_valid_sees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
