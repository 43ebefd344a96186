/* links: kernel/arch/x86_64/lock_order.c */
/* What debug kernels hold against a CPU's locks: the table of orders, and the stack of what is held. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/arch/x86_64/lock_order.h"
#include "tests/host/host_support.h"

#define LOCKS 2u /* of each class, in test_random */
#define STEPS 40000u

static struct lock_held lock_of(const void *lock, enum lock_class class)
{
	return (struct lock_held){ .lock = lock, .class = class, .where = 7, .since_ns = 9 };
}

static enum lock_fault take(struct lock_stack *stack, const void *lock, enum lock_class class)
{
	const struct lock_held next = lock_of(lock, class);
	const struct lock_held *against;

	return lock_order_take(stack, &next, &against);
}

/* No circle: whatever is held comes before what is taken. Every class has a name of its own. */
static void test_table(void **state)
{
	(void)state;
	for (uint32_t class = 1; class < LOCK_CLASS_COUNT; class ++) {
		assert_non_null(lock_order_name((enum lock_class) class));
		for (uint32_t held = 0; held < LOCK_CLASS_COUNT; held++) {
			if (held >= class || held == LOCK_CLASS_NONE)
				assert_false(lock_order_allows((enum lock_class)held, (enum lock_class) class));
			if (held != class)
				assert_string_not_equal(lock_order_name((enum lock_class)held),
							lock_order_name((enum lock_class) class));
		}
	}
}

/* The chains that the kernel has, the longest first. */
static void test_allowed(void **state)
{
	static const enum lock_class receive[] = { LOCK_ADDRESS_SPACE, LOCK_ENDPOINT, LOCK_CAP_TABLE, LOCK_FRAME_STACK,
						   LOCK_BITMAP };
	struct lock_stack stack = { 0 };
	struct lock_held taken;
	static char locks[5];

	(void)state;
	for (uint32_t i = 0; i < 5; i++)
		assert_int_equal(take(&stack, &locks[i], receive[i]), LOCK_FAULT_NONE);
	assert_int_equal(stack.count, 5);
	assert_int_equal(lock_order_drop(&stack, &locks[2], &taken), LOCK_FAULT_NONE);
	assert_int_equal(taken.class, LOCK_CAP_TABLE);
	assert_int_equal(taken.where, 7);
	assert_int_equal(taken.since_ns, 9);
	assert_int_equal(stack.count, 4);
	assert_ptr_equal(stack.held[2].lock, &locks[3]);
	assert_int_equal(lock_order_drop(&stack, &locks[2], &taken), LOCK_FAULT_NOT_HELD);
	assert_int_equal(stack.count, 4);
}

static void test_refused(void **state)
{
	struct lock_stack stack = { 0 };
	const struct lock_held *against;
	struct lock_held next;
	static char locks[4];

	(void)state;
	assert_int_equal(take(&stack, &locks[0], LOCK_CLASS_NONE), LOCK_FAULT_NO_CLASS);
	assert_int_equal(take(&stack, &locks[0], LOCK_CLASS_COUNT), LOCK_FAULT_NO_CLASS);
	assert_int_equal(take(&stack, &locks[0], LOCK_CAP_TABLE), LOCK_FAULT_NONE);
	next = lock_of(&locks[0], LOCK_CAP_TABLE);
	assert_int_equal(lock_order_take(&stack, &next, &against), LOCK_FAULT_AGAIN);
	assert_ptr_equal(against->lock, &locks[0]);
	next = lock_of(&locks[1], LOCK_CAP_TABLE);
	assert_int_equal(lock_order_take(&stack, &next, &against), LOCK_FAULT_ORDER);
	next = lock_of(&locks[1], LOCK_ADDRESS_SPACE);
	assert_int_equal(lock_order_take(&stack, &next, &against), LOCK_FAULT_ORDER);
	assert_int_equal(against->class, LOCK_CAP_TABLE);
	next = lock_of(&locks[1], LOCK_HEAP);
	assert_int_equal(lock_order_take(&stack, &next, &against), LOCK_FAULT_ORDER);
	assert_int_equal(stack.count, 1);
}

/* A stack that is full says so; with the table as it is the kernel cannot fill one. */
static void test_depth(void **state)
{
	struct lock_stack stack = { .count = LOCK_STACK_DEPTH };
	static char lock;

	(void)state;
	for (uint32_t i = 0; i < LOCK_STACK_DEPTH; i++)
		stack.held[i] = lock_of(&stack.held[i], LOCK_ADDRESS_SPACE);
	assert_int_equal(take(&stack, &lock, LOCK_BITMAP), LOCK_FAULT_DEPTH);
	assert_int_equal(stack.count, LOCK_STACK_DEPTH);
}

static void test_windows(void **state)
{
	struct lock_stack stack = { 0 };
	static char locks[2];

	(void)state;
	assert_null(lock_order_bars_window(&stack));
	assert_int_equal(take(&stack, &locks[0], LOCK_ADDRESS_SPACE), LOCK_FAULT_NONE);
	assert_null(lock_order_bars_window(&stack));
	assert_int_equal(take(&stack, &locks[1], LOCK_ENDPOINT), LOCK_FAULT_NONE);
	assert_ptr_equal(lock_order_bars_window(&stack)->lock, &locks[1]);
}

/* What is wrong with taking a lock, by a look at all that are held. */
static enum lock_fault expected(const bool held[LOCK_CLASS_COUNT][LOCKS], enum lock_class class, uint32_t number)
{
	uint32_t count = 0;
	bool allowed = true;

	if (held[class][number])
		return LOCK_FAULT_AGAIN;
	for (uint32_t other = 1; other < LOCK_CLASS_COUNT; other++)
		for (uint32_t i = 0; i < LOCKS; i++)
			if (held[other][i]) {
				count++;
				allowed = allowed && lock_order_allows((enum lock_class)other, class);
			}
	if (!allowed)
		return LOCK_FAULT_ORDER;
	return count == LOCK_STACK_DEPTH ? LOCK_FAULT_DEPTH : LOCK_FAULT_NONE;
}

static void test_random(void **state)
{
	static char locks[LOCK_CLASS_COUNT][LOCKS];
	bool held[LOCK_CLASS_COUNT][LOCKS] = { 0 };
	struct lock_stack stack = { 0 };
	const uint64_t steps = host_rounds(STEPS);
	struct host_random random;
	uint32_t deepest = 0;

	(void)state;
	host_random_init(&random, "lock_order", 1);
	for (uint64_t step = 0; step < steps; step++) {
		const uint32_t class = 1 + (uint32_t)host_random_below(&random, LOCK_CLASS_COUNT - 1);
		const uint32_t number = (uint32_t)host_random_below(&random, LOCKS);
		struct lock_held taken;
		enum lock_fault fault;

		if (held[class][number] && host_random_below(&random, 2) == 0) {
			assert_int_equal(lock_order_drop(&stack, &locks[class][number], &taken), LOCK_FAULT_NONE);
			assert_int_equal(taken.class, class);
			held[class][number] = false;
			continue;
		}
		if (!held[class][number])
			assert_int_equal(lock_order_drop(&stack, &locks[class][number], &taken), LOCK_FAULT_NOT_HELD);
		fault = take(&stack, &locks[class][number], (enum lock_class) class);
		assert_int_equal(fault, expected((const bool(*)[LOCKS])held, (enum lock_class) class, number));
		held[class][number] = held[class][number] || fault == LOCK_FAULT_NONE;
		deepest = stack.count > deepest ? stack.count : deepest;
	}
	assert_true(deepest >= 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table), cmocka_unit_test(test_allowed), cmocka_unit_test(test_refused),
		cmocka_unit_test(test_depth), cmocka_unit_test(test_windows), cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
