#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/ledger.h"
#include "lib/manifest.h"
#include "lib/manifest_line.h"
#include "lib/string.h"
#include "tests/host/host_support.h"

/* Parsed from a copy on the heap of the exact size and without a terminator, so that sanitizers see reads past it. */
static enum status parse_bytes(const char *text, size_t bytes, struct manifest *manifest, uint32_t *failed_line)
{
	char *copy = malloc(bytes == 0 ? 1 : bytes);

	assert_non_null(copy);
	memcpy(copy, text, bytes);

	const enum status status = manifest_parse(copy, bytes, manifest, failed_line);

	free(copy);
	if (status == STATUS_OK) {
		assert_true(manifest_is_valid(manifest));
		assert_int_equal(*failed_line, 0);
	}
	return status;
}

static enum status parse(const char *text, struct manifest *manifest)
{
	uint32_t failed_line = 0;

	return parse_bytes(text, strlen(text), manifest, &failed_line);
}

static void expect_refusal(const char *text, enum status expected, uint32_t line)
{
	struct manifest manifest;
	uint32_t failed_line = 77;

	assert_int_equal(parse_bytes(text, strlen(text), &manifest, &failed_line), expected);
	assert_int_equal(failed_line, line);
}

static void append(char *text, size_t size, const char *piece)
{
	const size_t length = strlen(text);

	assert_true(string_copy(text + length, size - length, piece));
}

static void test_smallest(void **state)
{
	struct manifest manifest;

	(void)state;
	assert_int_equal(parse("init shell", &manifest), STATUS_OK); /* no newline at the end */
	assert_string_equal(manifest.init, "shell");
	assert_int_equal(manifest.arguments, 0);
	for (uint32_t i = 0; i < LEDGER_COUNT; i++)
		assert_false(manifest.has_limit[i]);
}

static void test_full(void **state)
{
	struct manifest manifest;

	(void)state;
	assert_int_equal(parse("# what runs\n"
			       "\n"
			       "   \t \r\n"
			       "argument -v\n"
			       "\tinit   bin/shell\t# the shell\r\n"
			       "limit frame_grant_pages 16K\n"
			       "limit kernel_object_bytes 2M#no blank before\n"
			       "limit virtual_reservation_pages 1G\n"
			       "limit cap_slots 0\n"
			       "argument second",
			       &manifest),
			 STATUS_OK);
	assert_string_equal(manifest.init, "bin/shell");
	assert_int_equal(manifest.arguments, 2);
	assert_string_equal(manifest.argument[0], "-v");
	assert_string_equal(manifest.argument[1], "second");
	assert_true(manifest.has_limit[LEDGER_FRAME_GRANT]);
	assert_int_equal(manifest.limit[LEDGER_FRAME_GRANT], 16384);
	assert_int_equal(manifest.limit[LEDGER_KERNEL_OBJECT], UINT64_C(2) << 20);
	assert_int_equal(manifest.limit[LEDGER_VIRTUAL_RESERVATION], UINT64_C(1) << 30);
	assert_true(manifest.has_limit[LEDGER_CAP_SLOTS]);
	assert_int_equal(manifest.limit[LEDGER_CAP_SLOTS], 0);
	assert_false(manifest.has_limit[LEDGER_IMAGE]);
	assert_false(manifest.has_limit[LEDGER_PAGE_TABLE]);
}

static void test_each_ledger_by_name(void **state)
{
	(void)state;
	for (int i = 0; i < LEDGER_COUNT; i++) {
		struct manifest manifest;
		char text[256] = "init a\nlimit ";

		append(text, sizeof(text), ledger_name((enum ledger_kind)i));
		append(text, sizeof(text), " 5");
		assert_int_equal(parse(text, &manifest), STATUS_OK);
		for (int j = 0; j < LEDGER_COUNT; j++) {
			assert_int_equal(manifest.has_limit[j], i == j);
			assert_int_equal(manifest.limit[j], i == j ? 5 : 0);
		}
	}
}

static void test_numbers(void **state)
{
	struct manifest manifest;

	(void)state;
	assert_int_equal(parse("init a\nlimit image_pages 18446744073709551615", &manifest), STATUS_OK);
	assert_true(manifest.limit[LEDGER_IMAGE] == UINT64_MAX);
	assert_int_equal(parse("init a\nlimit image_pages 00017179869183G", &manifest), STATUS_OK);
	assert_true(manifest.limit[LEDGER_IMAGE] == UINT64_C(17179869183) << 30);
	expect_refusal("limit image_pages 18446744073709551616", STATUS_MANIFEST_BAD_NUMBER, 1);
	expect_refusal("limit image_pages 99999999999999999999999", STATUS_MANIFEST_BAD_NUMBER, 1);
	expect_refusal("limit image_pages 17179869184G", STATUS_MANIFEST_BAD_NUMBER, 1);
	expect_refusal("limit image_pages 18014398509481984K", STATUS_MANIFEST_BAD_NUMBER, 1);
	expect_refusal("limit image_pages K", STATUS_MANIFEST_BAD_NUMBER, 1);
	expect_refusal("limit image_pages 1k", STATUS_MANIFEST_BAD_NUMBER, 1);
	expect_refusal("limit image_pages 1KK", STATUS_MANIFEST_BAD_NUMBER, 1);
	expect_refusal("limit image_pages -1", STATUS_MANIFEST_BAD_NUMBER, 1);
	expect_refusal("limit image_pages 0x10", STATUS_MANIFEST_BAD_NUMBER, 1);
	expect_refusal("limit image_pages all", STATUS_MANIFEST_BAD_NUMBER, 1);
}

static void test_bad_lines(void **state)
{
	(void)state;
	expect_refusal("init\n", STATUS_MANIFEST_BAD_LINE, 1);
	expect_refusal("\ninit # shell\n", STATUS_MANIFEST_BAD_LINE, 2);
	expect_refusal("init a b\n", STATUS_MANIFEST_BAD_LINE, 1);
	expect_refusal("init a\nargument\n", STATUS_MANIFEST_BAD_LINE, 2);
	expect_refusal("init a\nargument b c\n", STATUS_MANIFEST_BAD_LINE, 2);
	expect_refusal("init a\nargument b c d e f\n", STATUS_MANIFEST_BAD_LINE, 2); /* more words than any line has */
	expect_refusal("init a\n\nlimit cap_slots\n", STATUS_MANIFEST_BAD_LINE, 3);
	expect_refusal("init a\nlimit cap_slots 5 6\n", STATUS_MANIFEST_BAD_LINE, 2);
	expect_refusal("init sh\x7f"
		       "ell\n",
		       STATUS_MANIFEST_BAD_LINE, 1);
	expect_refusal("init a\n\x1b[31m\n", STATUS_MANIFEST_BAD_LINE, 2);
	expect_refusal("init caf\xc3\xa9\n", STATUS_MANIFEST_BAD_LINE, 1);

	struct manifest manifest;
	uint32_t line = 0;

	assert_int_equal(parse_bytes("init a\nargument \0b", 18, &manifest, &line), STATUS_MANIFEST_BAD_LINE);
	assert_int_equal(line, 2);
}

static void test_unknown_keys(void **state)
{
	(void)state;
	expect_refusal("init a\ninits b\n", STATUS_MANIFEST_UNKNOWN_KEY, 2);
	expect_refusal("ini b\n", STATUS_MANIFEST_UNKNOWN_KEY, 1);
	expect_refusal("Init b\n", STATUS_MANIFEST_UNKNOWN_KEY, 1);
	expect_refusal("init a\n\n# x\nspawn b c\n", STATUS_MANIFEST_UNKNOWN_KEY, 4);
	expect_refusal("=\n", STATUS_MANIFEST_UNKNOWN_KEY, 1);
}

static void test_bad_names(void **state)
{
	struct manifest manifest;
	char text[128] = "init ";

	(void)state;
	memset(text + 5, 'n', MANIFEST_NAME_BYTES - 1);
	assert_int_equal(parse(text, &manifest), STATUS_OK);
	assert_int_equal(strlen(manifest.init), MANIFEST_NAME_BYTES - 1);
	text[5 + MANIFEST_NAME_BYTES - 1] = 'n';
	expect_refusal(text, STATUS_MANIFEST_BAD_NAME, 1);
	expect_refusal("init a\nlimit frames 5\n", STATUS_MANIFEST_BAD_NAME, 2);
	expect_refusal("init a\nlimit cap_slot 5\n", STATUS_MANIFEST_BAD_NAME, 2);
	expect_refusal("init a\nlimit cap_slotss 5\n", STATUS_MANIFEST_BAD_NAME, 2);
}

static void test_duplicates(void **state)
{
	(void)state;
	expect_refusal("init a\ninit a\n", STATUS_MANIFEST_DUPLICATE, 2);
	expect_refusal("init a\nlimit cap_slots 0\nlimit image_pages 1\nlimit cap_slots 0", STATUS_MANIFEST_DUPLICATE,
		       4);
}

static void test_no_init(void **state)
{
	(void)state;
	expect_refusal("", STATUS_MANIFEST_NO_INIT, 0);
	expect_refusal("\n\n# init shell\n", STATUS_MANIFEST_NO_INIT, 0);
	expect_refusal("argument a", STATUS_MANIFEST_NO_INIT, 0);
}

/* What belongs to a program is refused before the first section, and init's own key after it. */
static void test_wrong_sections(void **state)
{
	(void)state;
	expect_refusal("init a\ngrant console\n", STATUS_MANIFEST_WRONG_SECTION, 2);
	expect_refusal("init a\nenvironment A=b\n", STATUS_MANIFEST_WRONG_SECTION, 2);
	expect_refusal("priority 3\ninit a\n", STATUS_MANIFEST_WRONG_SECTION, 1);
	expect_refusal("init a\nstart\nprogram b\n", STATUS_MANIFEST_WRONG_SECTION, 2);
	expect_refusal("init a\nprogram b\ninit c\n", STATUS_MANIFEST_WRONG_SECTION, 3);
	expect_refusal("program b\nstart\n", STATUS_MANIFEST_NO_INIT, 0);
	expect_refusal("init a\nlimit cap_slots 5%\n", STATUS_MANIFEST_BAD_NUMBER, 2); /* of what nobody has yet */
}

/* The first part ends where the sections begin, and these are checked whole. */
static void test_sections_are_checked(void **state)
{
	struct manifest manifest;
	char text[2048] = "init a\nargument one\nlimit cap_slots 9\n";

	(void)state;
	append(text, sizeof(text), "program b\nargument two\nlimit cap_slots 5%\nprogram c # last\n");
	assert_int_equal(parse(text, &manifest), STATUS_OK);
	assert_int_equal(manifest.arguments, 1);
	assert_int_equal(manifest.limit[LEDGER_CAP_SLOTS], 9);
	expect_refusal("init a\nprogram b\nprogram c\n\nprogram b\nstart\n", STATUS_MANIFEST_DUPLICATE, 5);
	expect_refusal("init a\nprogram b\nprogram c\ngrants x\n", STATUS_MANIFEST_UNKNOWN_KEY, 4);
	expect_refusal("init a\nprogram\n", STATUS_MANIFEST_BAD_LINE, 2);

	(void)string_copy(text, sizeof(text), "init a\n");
	for (uint32_t i = 0; i < MANIFEST_PROGRAMS; i++) {
		const char name[] = { 'p', 'r', 'o', 'g', 'r', 'a', 'm', ' ', 'x', (char)('0' + i), '\n', '\0' };

		append(text, sizeof(text), name);
	}
	assert_int_equal(parse(text, &manifest), STATUS_OK);
	append(text, sizeof(text), "program y\n");
	expect_refusal(text, STATUS_MANIFEST_TOO_LONG, MANIFEST_PROGRAMS + 2);
}

static void test_too_long(void **state)
{
	static char text[MANIFEST_MAX_BYTES + 1];
	static const char first[] = { 'i', 'n', 'i', 't', ' ', 'a' };
	struct manifest manifest;
	uint32_t line = 77;

	(void)state;
	memset(text, '\n', sizeof(text));
	memcpy(text, first, sizeof(first));
	assert_int_equal(parse_bytes(text, MANIFEST_MAX_BYTES, &manifest, &line), STATUS_OK);
	assert_int_equal(parse_bytes(text, MANIFEST_MAX_BYTES + 1, &manifest, &line), STATUS_MANIFEST_TOO_LONG);
	assert_int_equal(line, 0);

	char argument[128] = "init a\nargument ";

	memset(argument + 16, 'n', MANIFEST_NAME_BYTES - 1);
	assert_int_equal(parse(argument, &manifest), STATUS_OK);
	argument[16 + MANIFEST_NAME_BYTES - 1] = 'n';
	expect_refusal(argument, STATUS_MANIFEST_TOO_LONG, 2);

	char many[512] = "init a\n";

	for (uint32_t i = 0; i < MANIFEST_ARGUMENTS; i++)
		append(many, sizeof(many), "argument x\n");
	assert_int_equal(parse(many, &manifest), STATUS_OK);
	assert_int_equal(manifest.arguments, MANIFEST_ARGUMENTS);
	append(many, sizeof(many), "argument x\n");
	expect_refusal(many, STATUS_MANIFEST_TOO_LONG, MANIFEST_ARGUMENTS + 2);
}

static void test_is_valid_refuses(void **state)
{
	struct manifest good, manifest;

	(void)state;
	assert_int_equal(parse("init a\nargument b\nlimit cap_slots 7", &good), STATUS_OK);
	manifest = good;
	manifest.init[0] = '\0';
	assert_false(manifest_is_valid(&manifest));
	manifest = good;
	memset(manifest.init, 'x', sizeof(manifest.init));
	assert_false(manifest_is_valid(&manifest));
	manifest = good;
	manifest.argument[0][0] = ' ';
	assert_false(manifest_is_valid(&manifest));
	manifest = good;
	manifest.arguments = MANIFEST_ARGUMENTS + 1;
	assert_false(manifest_is_valid(&manifest));
	manifest = good;
	manifest.has_limit[LEDGER_CAP_SLOTS] = false;
	assert_false(manifest_is_valid(&manifest));
}

/* Lines thrown together from pieces, with noise: a typed refusal on a line that exists, or a valid manifest. */
static void test_random(void **state)
{
	static const char *const pieces[] = { "init",
					      "limit",
					      "argument",
					      " ",
					      "\t",
					      "\n",
					      "\n",
					      "\n",
					      "#",
					      "a",
					      "cap_slots",
					      "image_pages",
					      "5",
					      "12K",
					      "G",
					      "\r",
					      "init shell\n",
					      "limit cap_slots 1\n",
					      "argument x\n",
					      "program b\n",
					      "program ",
					      "grant console\n",
					      "start\n",
					      "priority 3\n" };
	struct host_random random;
	uint64_t accepted = 0;

	(void)state;
	host_random_init(&random, "manifest", 6);
	for (uint64_t round = host_rounds(100000); round > 0; round--) {
		char text[1024] = "";
		struct manifest manifest;
		uint32_t line = 0, lines = 1;

		for (uint64_t i = host_random_below(&random, 30); i > 0; i--)
			append(text, sizeof(text),
			       pieces[host_random_below(&random, sizeof(pieces) / sizeof(pieces[0]))]);

		const size_t bytes = strlen(text);

		if (bytes != 0 && host_random_once_in(&random, 4))
			text[host_random_below(&random, bytes)] = (char)host_random_u64(&random);
		for (size_t i = 0; i < bytes; i++)
			lines += text[i] == '\n';

		const enum status status = parse_bytes(text, bytes, &manifest, &line);

		accepted += status == STATUS_OK;
		assert_true(status == STATUS_OK ||
			    (status >= STATUS_MANIFEST_BAD_LINE && status <= STATUS_MANIFEST_WRONG_SECTION));
		assert_true(line <= lines);
		assert_true(line != 0 || status == STATUS_OK || status == STATUS_MANIFEST_NO_INIT);
	}
	assert_true(accepted > 0);
}

/* Words of a line are never empty; whoever else asks is refused. */
static void test_a_number_has_digits(void **state)
{
	uint64_t number = 7;

	(void)state;
	assert_int_equal(manifest_line_number((struct manifest_word){ "", 0 }, &number), STATUS_MANIFEST_BAD_NUMBER);
	assert_int_equal(manifest_line_number((struct manifest_word){ "K", 1 }, &number), STATUS_MANIFEST_BAD_NUMBER);
	assert_int_equal(number, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_smallest),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_each_ledger_by_name),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_bad_lines),
		cmocka_unit_test(test_unknown_keys),
		cmocka_unit_test(test_bad_names),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_no_init),
		cmocka_unit_test(test_wrong_sections),
		cmocka_unit_test(test_sections_are_checked),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_is_valid_refuses),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_a_number_has_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
