/* links: HOST_TASK_KERNEL */
/*
 * Programs that call, receive, answer, pass on and give up capabilities, and die, at random, against a plain model: who
 * has which capability, and which operation of which thread is where. After each step all of it must agree.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lib/check.h"
#include "tests/host/endpoint_model.h"
#include "tests/host/endpoint_steps.h"
#include "tests/host/host_support.h"

#define STEPS 2000u /* from an empty world */

static void assert_seen(uint64_t steps)
{
	static const enum status each[] = { STATUS_OK,
					    STATUS_GONE,
					    STATUS_NOT_FOUND,
					    STATUS_NO_SUCH_CAPABILITY,
					    STATUS_TOO_LONG,
					    STATUS_NOT_TRANSFERABLE,
					    STATUS_RECEIVER_LIMIT,
					    STATUS_NOT_ACCEPTED };

	print_message("%u calls received, %u capabilities sent\n", (unsigned)model.delivered, (unsigned)model.moved);
	assert_true(model.delivered > steps / 50 && model.moved > steps / 100);
	assert_true(model.unwanted != 0);
	for (uint32_t i = 0; i < COUNT_OF(each); i++)
		assert_true(model.ended[each[i]] != 0);
}

static void test_random(void **state)
{
	uint64_t rounds = host_rounds(60);
	struct host_random dice;

	(void)state;
	host_random_init(&dice, "endpoint_model", 51);
	for (uint64_t round = 0; round < rounds; round++) {
		endpoint_steps_begin(&dice);
		for (uint32_t i = 0; i < STEPS; i++) {
			endpoint_steps_take();
			endpoint_steps_check();
		}
		endpoint_steps_end();
	}
	assert_seen(rounds * STEPS);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_random) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
