#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/check.h"
#include "lib/ledger.h"
#include "tests/host/host_support.h"

#define CHILDREN 7u

static const enum status refusals[LEDGER_COUNT] = {
	STATUS_OVER_VIRTUAL_RESERVATION, STATUS_OVER_FRAME_GRANT, STATUS_OVER_IMAGE,
	STATUS_OVER_PAGE_TABLE,          STATUS_OVER_CAP_SLOTS,   STATUS_OVER_KERNEL_OBJECT,
};

static struct resource_ledger with_limit(uint64_t limit)
{
	struct resource_ledger ledger;
	uint64_t limits[LEDGER_COUNT];

	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		limits[kind] = limit;
	memset(&ledger, 0xa5, sizeof(ledger));
	resource_ledger_init(&ledger, limits);
	return ledger;
}

static void test_init(void **state)
{
	uint64_t limits[LEDGER_COUNT];
	struct resource_ledger ledger;

	(void)state;
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		limits[kind] = kind * 10;
	memset(&ledger, 0xa5, sizeof(ledger));
	resource_ledger_init(&ledger, limits);
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++) {
		assert_int_equal(ledger.of[kind].used, 0);
		assert_int_equal(ledger.of[kind].peak, 0);
		assert_int_equal(ledger.of[kind].limit, kind * 10);
	}
	assert_true(resource_ledger_is_valid(&ledger));
}

/* At the limit, one over it, and at the ends of the number range; each kind refuses with its own status. */
static void test_charge_limits(void **state)
{
	(void)state;
	for (uint32_t k = 0; k < LEDGER_COUNT; k++) {
		const enum ledger_kind kind = (enum ledger_kind)k;
		struct resource_ledger ledger = with_limit(100), before;

		assert_int_equal(resource_ledger_charge(&ledger, kind, 0), STATUS_OK);
		assert_int_equal(resource_ledger_charge(&ledger, kind, 40), STATUS_OK);
		before = ledger;
		assert_int_equal(resource_ledger_charge(&ledger, kind, 61), refusals[k]);
		assert_int_equal(resource_ledger_charge(&ledger, kind, UINT64_MAX), refusals[k]);
		assert_int_equal(resource_ledger_charge(&ledger, kind, UINT64_MAX - 39), refusals[k]);
		assert_memory_equal(&ledger, &before, sizeof(ledger));
		assert_int_equal(resource_ledger_charge(&ledger, kind, 60), STATUS_OK);
		assert_int_equal(resource_ledger_charge(&ledger, kind, 1), refusals[k]);
		assert_int_equal(resource_ledger_charge(&ledger, kind, 0), STATUS_OK);
		resource_ledger_refund(&ledger, kind, 100);
		assert_int_equal(ledger.of[k].used, 0);
		assert_int_equal(ledger.of[k].peak, 100);
		for (uint32_t other = 0; other < LEDGER_COUNT; other++)
			assert_int_equal(ledger.of[other].used, 0);
		assert_true(resource_ledger_is_valid(&ledger));
	}
}

static void test_unlimited(void **state)
{
	struct resource_ledger ledger = with_limit(UINT64_MAX);

	(void)state;
	assert_int_equal(resource_ledger_charge(&ledger, LEDGER_FRAME_GRANT, UINT64_MAX), STATUS_OK);
	assert_int_equal(resource_ledger_charge(&ledger, LEDGER_FRAME_GRANT, 1), STATUS_OVER_FRAME_GRANT);
	resource_ledger_refund(&ledger, LEDGER_FRAME_GRANT, UINT64_MAX);
	assert_int_equal(ledger.of[LEDGER_FRAME_GRANT].used, 0);
}

static void fill(uint64_t amount[LEDGER_COUNT], uint64_t value)
{
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		amount[kind] = value;
}

/* Limit goes away of every kind or of none, and comes back. */
static void test_shrink(void **state)
{
	struct resource_ledger ledger = with_limit(100), before;
	uint64_t amount[LEDGER_COUNT];

	(void)state;
	for (uint32_t k = 0; k < LEDGER_COUNT; k++)
		assert_int_equal(resource_ledger_charge(&ledger, (enum ledger_kind)k, 30 + k), STATUS_OK);
	before = ledger;
	for (uint32_t k = 0; k < LEDGER_COUNT; k++) {
		fill(amount, 1);
		amount[k] = 71 - k;
		assert_int_equal(resource_ledger_shrink(&ledger, amount), refusals[k]);
		amount[k] = UINT64_MAX;
		assert_int_equal(resource_ledger_shrink(&ledger, amount), refusals[k]);
		fill(amount, UINT64_MAX);
		for (uint32_t below = 0; below < k; below++)
			amount[below] = 0;
		assert_int_equal(resource_ledger_shrink(&ledger, amount),
				 refusals[k]); /* the first kind that refuses */
		assert_memory_equal(&ledger, &before, sizeof(ledger));
	}
	for (uint32_t k = 0; k < LEDGER_COUNT; k++)
		amount[k] = 70 - k;
	assert_int_equal(resource_ledger_shrink(&ledger, amount), STATUS_OK);
	for (uint32_t k = 0; k < LEDGER_COUNT; k++) {
		assert_int_equal(ledger.of[k].limit, 30 + k);
		assert_int_equal(resource_ledger_charge(&ledger, (enum ledger_kind)k, 1), refusals[k]);
	}
	assert_true(resource_ledger_is_valid(&ledger));
	resource_ledger_grow(&ledger, amount);
	assert_memory_equal(&ledger, &before, sizeof(ledger));
}

/* Charges that are cancelled leave no trace, in whatever order. */
static void test_cancel(void **state)
{
	struct resource_ledger ledger = with_limit(100), before;

	(void)state;
	assert_int_equal(resource_ledger_charge(&ledger, LEDGER_IMAGE, 20), STATUS_OK);
	resource_ledger_refund(&ledger, LEDGER_IMAGE, 5);
	before = ledger;
	assert_int_equal(resource_ledger_charge(&ledger, LEDGER_IMAGE, 10), STATUS_OK);
	assert_int_equal(resource_ledger_charge(&ledger, LEDGER_IMAGE, 30), STATUS_OK);
	assert_int_equal(resource_ledger_peak(&ledger, LEDGER_IMAGE), 55);
	resource_ledger_cancel(&ledger, LEDGER_IMAGE, 10);
	resource_ledger_cancel(&ledger, LEDGER_IMAGE, 30);
	assert_memory_equal(&ledger, &before, sizeof(ledger));
	assert_int_equal(resource_ledger_peak(&ledger, LEDGER_IMAGE), 20);
}

/* A peak of before may be above today's limit. */
static void test_shrink_keeps_peak(void **state)
{
	struct resource_ledger ledger = with_limit(100);
	uint64_t amount[LEDGER_COUNT] = { [LEDGER_PAGE_TABLE] = 50 };

	(void)state;
	assert_int_equal(resource_ledger_charge(&ledger, LEDGER_PAGE_TABLE, 90), STATUS_OK);
	resource_ledger_refund(&ledger, LEDGER_PAGE_TABLE, 80);
	assert_int_equal(resource_ledger_shrink(&ledger, amount), STATUS_OK);
	assert_int_equal(ledger.of[LEDGER_PAGE_TABLE].limit, 50);
	assert_int_equal(resource_ledger_peak(&ledger, LEDGER_PAGE_TABLE), 90);
	assert_true(resource_ledger_is_valid(&ledger));
}

static void test_names(void **state)
{
	(void)state;
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		assert_int_equal(ledger_refusal((enum ledger_kind)kind), refusals[kind]);
	assert_string_equal(ledger_name(LEDGER_VIRTUAL_RESERVATION), "virtual_reservation_pages");
	assert_string_equal(ledger_name(LEDGER_FRAME_GRANT), "frame_grant_pages");
	assert_string_equal(ledger_name(LEDGER_IMAGE), "image_pages");
	assert_string_equal(ledger_name(LEDGER_PAGE_TABLE), "page_table_pages");
	assert_string_equal(ledger_name(LEDGER_CAP_SLOTS), "cap_slots");
	assert_string_equal(ledger_name(LEDGER_KERNEL_OBJECT), "kernel_object_bytes");
}

static void test_is_valid_sees(void **state)
{
	struct resource_ledger ledger = with_limit(10);

	(void)state;
	ledger.of[LEDGER_COUNT - 1] = (struct ledger){ .used = 11, .limit = 10, .peak = 2 };
	assert_false(resource_ledger_is_valid(&ledger));
	ledger.of[LEDGER_COUNT - 1] = (struct ledger){ .used = 3, .limit = 10, .peak = 11 };
	assert_true(resource_ledger_is_valid(&ledger));
}

/* A broken promise ends the program. */
static void assert_dies(void (*act)(struct resource_ledger *ledger), uint64_t limit)
{
	pid_t child;
	int outcome = 0;

	(void)fflush(NULL);
	child = fork();
	if (child == 0) {
		struct resource_ledger ledger = with_limit(limit);

		(void)signal(SIGABRT, SIG_DFL);
		(void)close(STDERR_FILENO);
		act(&ledger);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &outcome, 0), child);
	assert_true(WIFSIGNALED(outcome) && WTERMSIG(outcome) == SIGABRT);
}

static void refund_too_much(struct resource_ledger *ledger)
{
	CHECK(resource_ledger_charge(ledger, LEDGER_IMAGE, 5) == STATUS_OK);
	resource_ledger_refund(ledger, LEDGER_IMAGE, 6);
}

static void cancel_too_much(struct resource_ledger *ledger)
{
	CHECK(resource_ledger_charge(ledger, LEDGER_IMAGE, 5) == STATUS_OK);
	resource_ledger_cancel(ledger, LEDGER_IMAGE, 6);
}

static void grow_too_much(struct resource_ledger *ledger)
{
	const uint64_t amount[LEDGER_COUNT] = { [LEDGER_CAP_SLOTS] = 10 };

	resource_ledger_grow(ledger, amount);
}

static void test_broken_promises(void **state)
{
	const uint64_t most[LEDGER_COUNT] = { [LEDGER_CAP_SLOTS] = 9 };
	struct resource_ledger ledger = with_limit(UINT64_MAX - 9);

	(void)state;
	assert_dies(refund_too_much, 10);
	assert_dies(cancel_too_much, 10);
	assert_dies(grow_too_much, UINT64_MAX - 9);
	resource_ledger_grow(&ledger, most);
	assert_int_equal(ledger.of[LEDGER_CAP_SLOTS].limit, UINT64_MAX);
}

/* Limit of one kind from one to another. */
static void trade(struct resource_ledger *from, struct resource_ledger *to, enum ledger_kind kind, uint64_t amount,
		  bool fits)
{
	uint64_t amounts[LEDGER_COUNT] = { 0 };

	amounts[kind] = amount;
	assert_int_equal(resource_ledger_shrink(from, amounts), fits ? STATUS_OK : refusals[kind]);
	if (fits)
		resource_ledger_grow(to, amounts);
}

/* Parent and children trade limit, charge and refund: no limit is made or lost, and each used is what was charged. */
static void test_conservation(void **state)
{
	const uint64_t total = 1000;
	struct resource_ledger ledger[CHILDREN];
	uint64_t used[CHILDREN][LEDGER_COUNT] = { { 0 } };
	struct host_random random;

	(void)state;
	host_random_init(&random, __func__, 11);
	ledger[0] = with_limit(total);
	for (uint32_t i = 1; i < CHILDREN; i++)
		ledger[i] = with_limit(0);
	for (uint64_t round = host_rounds(1000000); round > 0; round--) {
		const enum ledger_kind kind = (enum ledger_kind)host_random_below(&random, LEDGER_COUNT);
		const uint64_t who = host_random_below(&random, CHILDREN), other = host_random_below(&random, CHILDREN);
		const struct ledger *one = &ledger[who].of[kind];
		const uint64_t amount = host_random_below(&random, 300), room = one->limit - used[who][kind];
		uint64_t limits = 0;

		switch (host_random_below(&random, 3)) {
		case 0:
			assert_int_equal(resource_ledger_charge(&ledger[who], kind, amount),
					 amount <= room ? STATUS_OK : refusals[kind]);
			used[who][kind] += amount <= room ? amount : 0;
			break;
		case 1:
			if (amount <= used[who][kind]) {
				resource_ledger_refund(&ledger[who], kind, amount);
				used[who][kind] -= amount;
			}
			break;
		default:
			trade(&ledger[who], &ledger[other], kind, amount, amount <= room);
			break;
		}
		for (uint32_t i = 0; i < CHILDREN; i++) {
			assert_true(resource_ledger_is_valid(&ledger[i]));
			assert_int_equal(ledger[i].of[kind].used, used[i][kind]);
			limits += ledger[i].of[kind].limit;
		}
		assert_int_equal(limits, total);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init),
		cmocka_unit_test(test_charge_limits),
		cmocka_unit_test(test_unlimited),
		cmocka_unit_test(test_shrink),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_shrink_keeps_peak),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_is_valid_sees),
		cmocka_unit_test(test_broken_promises),
		cmocka_unit_test(test_conservation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
