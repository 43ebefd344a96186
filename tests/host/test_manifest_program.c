#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "abi/capset.h"
#include "abi/thread_control_abi.h"
#include "lib/ledger.h"
#include "lib/manifest.h"
#include "lib/manifest_program.h"
#include "lib/string.h"
#include "tests/host/host_support.h"

static void append(char *text, size_t size, const char *piece)
{
	const size_t length = strlen(text);

	assert_true(string_copy(text + length, size - length, piece));
}

static enum status next(struct manifest_text *text, struct manifest_program *program)
{
	const enum status status = manifest_program_next(text, program);

	if (status == STATUS_OK)
		assert_true(manifest_program_is_valid(program));
	return status;
}

/* The lines, as the section of one program. */
static enum status parse(const char *lines, struct manifest_program *program)
{
	static char text[8192]; /* the program's words point into it */
	struct manifest_text at = { .text = text };

	(void)snprintf(text, sizeof(text), "program p\n%s", lines);
	at.bytes = strlen(text);
	return next(&at, program);
}

/* The same refusal from the sections alone and from the whole file; `line` counts the lines given. */
static void expect_refusal(const char *lines, enum status expected, uint32_t line)
{
	struct manifest_program program;
	struct manifest manifest;
	char text[8192];
	uint32_t failed_line = 0;

	(void)snprintf(text, sizeof(text), "init a\nprogram p\n%s", lines);

	struct manifest_text at = { .text = text, .bytes = strlen(text) };

	enum status status;

	while ((status = next(&at, &program)) == STATUS_OK)
		continue; /* a section before the one that is refused */
	assert_int_equal(status, expected);
	assert_int_equal(at.line, line + 2);
	assert_int_equal(manifest_parse(text, strlen(text), &manifest, &failed_line), expected);
	assert_int_equal(failed_line, line + 2);
}

static void expect_word(struct manifest_word word, const char *text)
{
	assert_int_equal(word.length, strlen(text));
	assert_memory_equal(word.text, text, word.length);
}

static void test_nothing_is_given_by_itself(void **state)
{
	struct manifest_program program;

	(void)state;
	assert_int_equal(parse("", &program), STATUS_OK);
	expect_word(program.name, "p");
	assert_int_equal(program.line, 1);
	assert_int_equal(program.grants + program.arguments + program.environments, 0);
	assert_int_equal(program.priority, THREAD_PRIORITY_DEFAULT);
	assert_false(program.starts);
}

static void expect_grant(const struct manifest_grant *grant, const char *capability, const char *name,
			 enum process_grant_kind kind, enum interface_id interface)
{
	expect_word(grant->capability, capability);
	expect_word(grant->name, name);
	assert_int_equal(grant->kind, kind);
	assert_int_equal(grant->interface, interface);
}

static void test_grants(void **state)
{
	struct manifest_program program;

	(void)state;
	assert_int_equal(parse("grant console\ngrant timer copy\ngrant frames move as pages\ngrant package as files\n"
			       "grant memory own\ngrant threads own as workers\ngrant park own\n"
			       "grant as # a name like any other\ngrant copy as move",
			       &program),
			 STATUS_OK);
	assert_int_equal(program.grants, 9);
	expect_grant(&program.grant[0], "console", "console", PROCESS_GRANT_COPY, INTERFACE_NONE);
	expect_grant(&program.grant[1], "timer", "timer", PROCESS_GRANT_COPY, INTERFACE_NONE);
	expect_grant(&program.grant[2], "frames", "pages", PROCESS_GRANT_MOVE, INTERFACE_NONE);
	expect_grant(&program.grant[3], "package", "files", PROCESS_GRANT_COPY, INTERFACE_NONE);
	expect_grant(&program.grant[4], "memory", "memory", PROCESS_GRANT_OWN, INTERFACE_VIRTUAL_MEMORY);
	expect_grant(&program.grant[5], "threads", "workers", PROCESS_GRANT_OWN, INTERFACE_THREAD_CONTROL);
	expect_grant(&program.grant[6], "park", "park", PROCESS_GRANT_OWN, INTERFACE_PARK_SPACE);
	expect_grant(&program.grant[7], "as", "as", PROCESS_GRANT_COPY, INTERFACE_NONE);
	expect_grant(&program.grant[8], "copy", "move", PROCESS_GRANT_COPY, INTERFACE_NONE);
}

static void test_bad_grants(void **state)
{
	char long_name[64] = "grant ";

	(void)state;
	expect_refusal("grant", STATUS_MANIFEST_BAD_LINE, 1);
	expect_refusal("start\ngrant console lend\n", STATUS_MANIFEST_BAD_LINE, 2);
	expect_refusal("grant console Copy\n", STATUS_MANIFEST_BAD_LINE, 1);
	expect_refusal("grant console as\n", STATUS_MANIFEST_BAD_LINE, 1);
	expect_refusal("grant console copy as\n", STATUS_MANIFEST_BAD_LINE, 1);
	expect_refusal("grant console copy log\n", STATUS_MANIFEST_BAD_LINE, 1);
	expect_refusal("grant console copy is log\n", STATUS_MANIFEST_BAD_LINE, 1);
	expect_refusal("grant console as log copy\n", STATUS_MANIFEST_BAD_LINE, 1);
	expect_refusal("grant console copy as log now\n", STATUS_MANIFEST_BAD_LINE, 1);
	expect_refusal("grant console own\n", STATUS_MANIFEST_BAD_NAME, 1);
	expect_refusal("grant a\ngrant b as a\n", STATUS_MANIFEST_DUPLICATE, 2);
	memset(long_name + 6, 'n', CAPSET_NAME_BYTES);
	expect_refusal(long_name, STATUS_MANIFEST_BAD_NAME, 1);
	long_name[6 + CAPSET_NAME_BYTES - 1] = '\0';

	struct manifest_program program;

	assert_int_equal(parse(long_name, &program), STATUS_OK);

	char text[96] = "grant a as ";

	append(text, sizeof(text), long_name + 6);
	assert_int_equal(parse(text, &program), STATUS_OK);
	append(text, sizeof(text), "n");
	expect_refusal(text, STATUS_MANIFEST_BAD_NAME, 1);
}

static void test_limits(void **state)
{
	struct manifest_program program;

	(void)state;
	for (uint32_t i = 0; i < LEDGER_COUNT; i++) {
		char text[128];

		(void)snprintf(text, sizeof(text), "limit %s 12K", ledger_name((enum ledger_kind)i));
		assert_int_equal(parse(text, &program), STATUS_OK);
		assert_int_equal(manifest_program_limit(&program, (enum ledger_kind)i, 100), 12288);
		(void)snprintf(text, sizeof(text), "limit %s 60%%", ledger_name((enum ledger_kind)i));
		assert_int_equal(parse(text, &program), STATUS_OK);
		assert_int_equal(manifest_program_limit(&program, (enum ledger_kind)i, 99), 59);
		for (uint32_t j = 0; j < LEDGER_COUNT; j++) {
			assert_int_equal(program.limit[j].is_given, i == j);
			if (i != j)
				assert_int_equal(manifest_program_limit(&program, (enum ledger_kind)j, 99),
						 99 * MANIFEST_DEFAULT_PERCENT / 100);
		}
	}
	assert_int_equal(parse("limit cap_slots 100%\nlimit image_pages 0%\nlimit page_table_pages 0", &program),
			 STATUS_OK);
	assert_true(manifest_program_limit(&program, LEDGER_CAP_SLOTS, UINT64_MAX) == UINT64_MAX);
	assert_int_equal(manifest_program_limit(&program, LEDGER_IMAGE, UINT64_MAX), 0);
	assert_int_equal(manifest_program_limit(&program, LEDGER_PAGE_TABLE, UINT64_MAX), 0);
}

static void test_bad_limits(void **state)
{
	(void)state;
	expect_refusal("limit", STATUS_MANIFEST_BAD_LINE, 1);
	expect_refusal("limit cap_slots", STATUS_MANIFEST_BAD_LINE, 1);
	expect_refusal("limit cap_slots 5 %", STATUS_MANIFEST_BAD_LINE, 1);
	expect_refusal("limit slots 5", STATUS_MANIFEST_BAD_NAME, 1);
	expect_refusal("limit cap_slots %", STATUS_MANIFEST_BAD_NUMBER, 1);
	expect_refusal("limit cap_slots 101%", STATUS_MANIFEST_BAD_NUMBER, 1);
	expect_refusal("limit cap_slots 5K%", STATUS_MANIFEST_BAD_NUMBER, 1);
	expect_refusal("limit cap_slots 5%%", STATUS_MANIFEST_BAD_NUMBER, 1);
	expect_refusal("limit cap_slots -5%", STATUS_MANIFEST_BAD_NUMBER, 1);
	expect_refusal("limit cap_slots 18446744073709551616", STATUS_MANIFEST_BAD_NUMBER, 1);
	expect_refusal("limit cap_slots 0\nlimit image_pages 1\n\nlimit cap_slots 5%\n", STATUS_MANIFEST_DUPLICATE, 4);
}

static void expect_layout(const char *lines, uint32_t kind, uint32_t flags, uint64_t seed)
{
	struct manifest_program program;

	assert_int_equal(parse(lines, &program), STATUS_OK);
	assert_int_equal(program.layout.kind, kind);
	assert_int_equal(program.layout.flags, flags);
	assert_int_equal(program.layout.seed, seed);
}

static void test_layout(void **state)
{
	struct manifest_program program;

	(void)state;
	assert_int_equal(parse("grant console\n", &program), STATUS_OK);
	assert_false(manifest_layout_is_given(&program.layout));
	expect_layout("layout classic", PROCESS_LAYOUT_CLASSIC, 0, 0);
	expect_layout("layout classic-random", PROCESS_LAYOUT_CLASSIC_RANDOM, 0, 0);
	expect_layout("layout flexible\nlayout_fixed", PROCESS_LAYOUT_FLEXIBLE, PROCESS_LAYOUT_FIXED, 0);
	expect_layout("layout_heap_offset\nlayout_seed 18446744073709551615", PROCESS_LAYOUT_DEFAULT,
		      PROCESS_LAYOUT_SEEDED | PROCESS_LAYOUT_HEAP_OFFSET, UINT64_MAX);
	expect_layout("layout_seed 0", PROCESS_LAYOUT_DEFAULT, PROCESS_LAYOUT_SEEDED, 0);
	assert_int_equal(parse("stack_limit 64K", &program), STATUS_OK);
	assert_int_equal(program.layout.stack_limit, 65536);
	assert_true(manifest_layout_is_given(&program.layout));
}

static void test_bad_layout(void **state)
{
	(void)state;
	expect_refusal("layout\n", STATUS_MANIFEST_BAD_LINE, 1);
	expect_refusal("layout classic flexible\n", STATUS_MANIFEST_BAD_LINE, 1);
	expect_refusal("layout Classic\n", STATUS_MANIFEST_BAD_NAME, 1);
	expect_refusal("layout classic\nlayout classic\n", STATUS_MANIFEST_DUPLICATE, 2);
	expect_refusal("layout_fixed 1\n", STATUS_MANIFEST_BAD_LINE, 1);
	expect_refusal("layout_fixed\nlayout_fixed\n", STATUS_MANIFEST_DUPLICATE, 2);
	expect_refusal("layout_fixed\nlayout_seed 1\n", STATUS_MANIFEST_DUPLICATE, 2);
	expect_refusal("layout_fixed\nlayout_heap_offset\n", STATUS_MANIFEST_DUPLICATE, 2);
	expect_refusal("layout_seed 1\nlayout_fixed\n", STATUS_MANIFEST_DUPLICATE, 2);
	expect_refusal("layout_heap_offset\nlayout_fixed\n", STATUS_MANIFEST_DUPLICATE, 2);
	expect_refusal("layout_seed\n", STATUS_MANIFEST_BAD_LINE, 1);
	expect_refusal("layout_seed x\n", STATUS_MANIFEST_BAD_NUMBER, 1);
	expect_refusal("layout_seed 1\nlayout_seed 1\n", STATUS_MANIFEST_DUPLICATE, 2);
	expect_refusal("layout_heap_offset\nlayout_heap_offset\n", STATUS_MANIFEST_DUPLICATE, 2);
	expect_refusal("stack_limit 0\n", STATUS_MANIFEST_BAD_NUMBER, 1);
	expect_refusal("stack_limit -1\n", STATUS_MANIFEST_BAD_NUMBER, 1);
	expect_refusal("stack_limit 1M\nstack_limit 1M\n", STATUS_MANIFEST_DUPLICATE, 2);
}

static void test_words_priority_and_start(void **state)
{
	struct manifest_program program;

	(void)state;
	assert_int_equal(parse("argument -v\nenvironment HOME=/\nargument two\nenvironment EMPTY=\nenvironment A=b=c\n"
			       "priority 7\nstart\n",
			       &program),
			 STATUS_OK);
	assert_int_equal(program.arguments, 2);
	expect_word(program.argument[0], "-v");
	expect_word(program.argument[1], "two");
	assert_int_equal(program.environments, 3);
	expect_word(program.environment[0], "HOME=/");
	expect_word(program.environment[1], "EMPTY=");
	expect_word(program.environment[2], "A=b=c");
	assert_int_equal(program.priority, 7);
	assert_true(program.starts);
	assert_int_equal(parse("priority 0", &program), STATUS_OK);
	assert_int_equal(program.priority, 0);
}

static void test_bad_words_priority_and_start(void **state)
{
	char text[128] = "argument ";

	(void)state;
	expect_refusal("argument\n", STATUS_MANIFEST_BAD_LINE, 1);
	expect_refusal("argument a b\n", STATUS_MANIFEST_BAD_LINE, 1);
	expect_refusal("environment\n", STATUS_MANIFEST_BAD_LINE, 1);
	expect_refusal("environment A = b\n", STATUS_MANIFEST_BAD_LINE, 1);
	expect_refusal("environment A\n", STATUS_MANIFEST_BAD_NAME, 1);
	expect_refusal("environment =b\n", STATUS_MANIFEST_BAD_NAME, 1);
	expect_refusal("environment A=b\nenvironment AA=b\nenvironment A=c\n", STATUS_MANIFEST_DUPLICATE, 3);
	expect_refusal("priority\n", STATUS_MANIFEST_BAD_LINE, 1);
	expect_refusal("priority 8\n", STATUS_MANIFEST_BAD_NUMBER, 1);
	expect_refusal("priority high\n", STATUS_MANIFEST_BAD_NUMBER, 1);
	expect_refusal("priority 3\npriority 3\n", STATUS_MANIFEST_DUPLICATE, 2);
	expect_refusal("start now\n", STATUS_MANIFEST_BAD_LINE, 1);
	expect_refusal("start\nstart\n", STATUS_MANIFEST_DUPLICATE, 2);
	expect_refusal("grants console\n", STATUS_MANIFEST_UNKNOWN_KEY, 1);
	expect_refusal("program\n", STATUS_MANIFEST_BAD_LINE, 1);
	expect_refusal("program a b\n", STATUS_MANIFEST_BAD_LINE, 1);
	memset(text + 9, 'n', MANIFEST_NAME_BYTES);
	expect_refusal(text, STATUS_MANIFEST_TOO_LONG, 1);
	memcpy(text, "environment A=", 14);
	memset(text + 14, 'n', MANIFEST_NAME_BYTES);
	expect_refusal(text, STATUS_MANIFEST_TOO_LONG, 1);
	memcpy(text, "program n", 9);
	memset(text + 9, 'n', MANIFEST_NAME_BYTES);
	expect_refusal(text, STATUS_MANIFEST_BAD_NAME, 1);
}

/* As many lines `KEY x0`, `KEY x1` ... as the list takes are fine; one more is refused. */
static void expect_bound(const char *key, const char *after, uint32_t most)
{
	struct manifest_program program;
	char text[2048] = "";

	for (uint32_t i = 0; i <= most; i++) {
		char line[64];

		(void)snprintf(line, sizeof(line), "%s x%u%s\n", key, i, after);
		append(text, sizeof(text), line);
		if (i + 1 == most)
			assert_int_equal(parse(text, &program), STATUS_OK);
	}
	expect_refusal(text, STATUS_MANIFEST_TOO_LONG, most + 1);
}

static void test_lists_are_bounded(void **state)
{
	(void)state;
	expect_bound("grant", "", MANIFEST_GRANTS);
	expect_bound("argument", "", MANIFEST_PROGRAM_ARGUMENTS);
	expect_bound("environment", "=", MANIFEST_PROGRAM_ENVIRONMENT);
}

static void test_sections_one_by_one(void **state)
{
	static const char text[] = "# none of these lines is looked at here\ninit a\nbad bad\n"
				   "program one\ngrant console\n\n\nprogram two\nprogram three\nstart";
	struct manifest_text at = { .text = text, .bytes = sizeof(text) - 1 };
	struct manifest_program program;

	(void)state;
	assert_int_equal(next(&at, &program), STATUS_OK);
	expect_word(program.name, "one");
	assert_int_equal(program.line, 4);
	assert_int_equal(program.grants, 1);
	assert_int_equal(next(&at, &program), STATUS_OK);
	expect_word(program.name, "two");
	assert_int_equal(program.line, 8);
	assert_int_equal(program.grants, 0);
	assert_int_equal(next(&at, &program), STATUS_OK);
	expect_word(program.name, "three");
	assert_true(program.starts);
	assert_int_equal(next(&at, &program), STATUS_NOT_FOUND);
	assert_int_equal(next(&at, &program), STATUS_NOT_FOUND);

	assert_int_equal(manifest_program_find(text, sizeof(text) - 1, "two", &program), STATUS_OK);
	assert_int_equal(program.line, 8);
	assert_int_equal(manifest_program_find(text, sizeof(text) - 1, "tw", &program), STATUS_NOT_FOUND);
	assert_int_equal(manifest_program_find(text, sizeof(text) - 1, "a", &program), STATUS_NOT_FOUND);
}

static void test_is_valid_refuses(void **state)
{
	struct manifest_program good, program;

	(void)state;
	assert_int_equal(
		parse("grant console\ngrant memory own\nargument a\nenvironment A=b\nenvironment B=c\n", &good),
		STATUS_OK);
	program = good;
	program.name.length = 0;
	assert_false(manifest_program_is_valid(&program));
	program = good;
	program.grants = MANIFEST_GRANTS + 1;
	assert_false(manifest_program_is_valid(&program));
	program = good;
	program.grant[0].capability.length = 0;
	assert_false(manifest_program_is_valid(&program));
	program = good;
	program.grant[0].name.length = CAPSET_NAME_BYTES;
	assert_false(manifest_program_is_valid(&program));
	program = good;
	program.argument[0].length = 0;
	assert_false(manifest_program_is_valid(&program));
	program = good;
	program.grant[1].interface = INTERFACE_PARK_SPACE;
	assert_false(manifest_program_is_valid(&program));
	program = good;
	program.grant[1].name = program.grant[0].name;
	assert_false(manifest_program_is_valid(&program));
	program = good;
	program.environment[1] = program.environment[0];
	assert_false(manifest_program_is_valid(&program));
	program = good;
	program.environment[1] = program.argument[0];
	assert_false(manifest_program_is_valid(&program));
	program = good;
	program.priority = THREAD_PRIORITIES;
	assert_false(manifest_program_is_valid(&program));
	program = good;
	program.limit[LEDGER_IMAGE] = (struct manifest_limit){ .is_given = true, .is_percent = true, .amount = 101 };
	assert_false(manifest_program_is_valid(&program));
	program = good;
	program.limit[LEDGER_IMAGE].amount = 1;
	assert_false(manifest_program_is_valid(&program));
}

/* Lines of all kinds in any order: whatever is refused is refused with a line, whatever is not is valid. */
static void test_random(void **state)
{
	static const char *const pieces[] = {
		"program a\n",
		"program b\n",
		"grant ",
		"console",
		"memory",
		" own",
		" copy",
		" as ",
		"limit ",
		"cap_slots ",
		"5%",
		"12K",
		"argument x",
		"\n",
		"\n",
		"environment ",
		"K=v",
		"priority ",
		"3",
		"start\n",
		"#",
		"init a",
		" ",
		"x",
		"grant timer\n",
		"=",
		"layout ",
		"classic",
		"layout_seed ",
		"layout_fixed\n",
		"stack_limit ",
	};
	struct host_random random;
	uint64_t accepted = 0;

	(void)state;
	host_random_init(&random, "manifest_program", 17);
	for (uint64_t round = host_rounds(100000); round > 0; round--) {
		struct manifest_program program;
		char text[1024] = "program p\n";
		uint32_t lines = 1;

		for (uint64_t i = host_random_below(&random, 40); i > 0; i--)
			append(text, sizeof(text),
			       pieces[host_random_below(&random, sizeof(pieces) / sizeof(pieces[0]))]);
		for (const char *character = text; *character != '\0'; character++)
			lines += *character == '\n';

		struct manifest_text at = { .text = text, .bytes = strlen(text) };
		enum status status;

		while ((status = next(&at, &program)) == STATUS_OK)
			accepted++;
		assert_true(status == STATUS_NOT_FOUND ||
			    (status >= STATUS_MANIFEST_BAD_LINE && status <= STATUS_MANIFEST_WRONG_SECTION));
		assert_true(at.line >= 1 && at.line <= lines);
	}
	assert_true(accepted > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_given_by_itself),
		cmocka_unit_test(test_grants),
		cmocka_unit_test(test_bad_grants),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_bad_limits),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_bad_layout),
		cmocka_unit_test(test_words_priority_and_start),
		cmocka_unit_test(test_bad_words_priority_and_start),
		cmocka_unit_test(test_lists_are_bounded),
		cmocka_unit_test(test_sections_one_by_one),
		cmocka_unit_test(test_is_valid_refuses),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
