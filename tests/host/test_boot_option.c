/* links: kernel/boot/boot_option.c */
/* The kernel's command line: each word is obeyed as a whole, or reported and ignored. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/arch/x86_64/log.h"
#include "kernel/boot/boot_option.h"

static uint32_t reported; /* words */

void log_line(const char *format, ...)
{
	assert_non_null(format);
	reported++;
}

static struct boot_options parse(const char *line, uint32_t refused)
{
	struct boot_options options;

	reported = 0;
	boot_option_parse(line, &options);
	assert_int_equal(reported, refused);
	return options;
}

static void test_each_word(void **state)
{
	struct boot_options options = parse("  init=shell+-c  once selftest protection overflow=user seed=12K ", 0);

	(void)state;
	assert_string_equal(options.init, "shell -c");
	assert_string_equal(options.overflow, "user");
	assert_true(options.once && options.selftest && options.protection && options.has_seed);
	assert_int_equal(options.seed, 12 * 1024);
	options = parse("", 0);
	assert_true(options.init[0] == 0 && options.overflow[0] == 0);
	assert_false(options.once || options.selftest || options.protection || options.has_seed);
	assert_true(parse("check", 0).check);
}

/* What is ignored takes nothing away from what was said before. */
static void test_refused(void **state)
{
	struct boot_options options = parse("seed=5 seed=x seed= seed=99999999999999999999 init= overflow=12345678 "
					    "init=0123456789012345678901234567890123456789012345678901234567890123 onc",
					    7);

	(void)state;
	assert_true(options.has_seed);
	assert_int_equal(options.seed, 5);
	assert_true(options.init[0] == 0 && options.overflow[0] == 0);
	assert_false(options.once);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_each_word), cmocka_unit_test(test_refused) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
