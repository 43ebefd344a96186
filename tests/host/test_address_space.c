/* links: kernel/mem/address_space.c kernel/mem/address_space_audit.c kernel/mem/anonymous.c
   kernel/mem/anonymous_image.c kernel/mem/demand.c kernel/mem/heap_break.c kernel/mem/page_placement.c
   kernel/mem/borrowed.c kernel/mem/page_walk.c kernel/mem/page_gap.c kernel/mem/memory_object.c kernel/mem/heap.c
   kernel/mem/frame.c kernel/mem/shortage.c kernel/mem/account.c */
/* An address space against the plain model: random operations, every answer, ledger, page and byte compared. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "abi/status.h"
#include "lib/check.h"
#include "lib/status.h"
#include "tests/host/host_support.h"
#include "tests/host/space_steps.h"

#define FRAMES 6000u

static void run_operations(uint64_t rounds)
{
	for (uint64_t i = 0; i < rounds; i++) {
		space_steps_take();
		if (i % 256 == 0)
			space_steps_compare();
		if (i % 4096 == 0)
			space_steps_compare_listing();
		if (i % 1024 == 0)
			space_steps_set_limits();
	}
	space_steps_compare();
}

/* A run of some length meets every answer there is. */
static void check_met(void)
{
	static const enum status answers[] = {
		STATUS_OK,
		STATUS_ZERO_LENGTH,
		STATUS_MISALIGNED,
		STATUS_RANGE_WRAPS,
		STATUS_BOOTSTRAP_RANGE,
		STATUS_NOT_USER_ADDRESS,
		STATUS_NOT_RESERVED,
		STATUS_NOT_COMMITTED,
		STATUS_OCCUPIED,
		STATUS_NO_SPACE,
		STATUS_NOT_BORROWED,
		STATUS_OTHER_OBJECT,
		STATUS_OVER_IMAGE,
		STATUS_BEYOND_OBJECT,
		STATUS_OVER_VIRTUAL_RESERVATION,
		STATUS_OUT_OF_MEMORY,
		STATUS_OVER_PAGE_TABLE,
		STATUS_OVER_FRAME_GRANT,
		STATUS_BUFFER_FAULT,
		STATUS_STACK_OVERFLOW,
		STATUS_HEAP_MEETS_MAPPING,
		STATUS_BAD_ARGUMENT,
		STATUS_UNSUPPORTED,
	};

	for (uint32_t i = 0; i < COUNT_OF(answers); i++) {
		print_message("%s: %u\n", status_name(answers[i]), (unsigned)space_steps_met[answers[i]]);
		assert_true(space_steps_met[answers[i]] > 0 || host_rounds(100) < 100);
	}
}

/* Many short lives, so that image and guard pages do not pile up, and each ends in a destroy of something full. */
static void test_against_model(void **state)
{
	const uint64_t lives = 50;
	struct host_random random;

	(void)state;
	host_random_init(&random, __func__, 1);
	for (uint64_t i = 0; i < lives; i++) {
		space_steps_begin(&random, FRAMES);
		run_operations(host_rounds(800000 / lives));
		space_steps_end();
	}
	check_met();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_against_model) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
