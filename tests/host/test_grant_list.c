/* links: user/shell/grant_list.c user/shell/interface_text.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/string.h"
#include "tests/host/host_support.h"
#include "user/shell/grant_list.h"
#include "user/shell/interface_text.h"

static void expect_wish(const struct grant_wish *wish, const char *name, const char *source,
			enum process_grant_kind kind)
{
	assert_string_equal(wish->name, name);
	assert_string_equal(wish->source, source);
	assert_int_equal(wish->kind, kind);
}

static void expect_refusal(const char *text, const char *error)
{
	struct grant_list list;

	assert_false(grant_list_parse(&list, text));
	assert_string_equal(list.error, error);
}

static void test_forms(void **state)
{
	struct grant_list list;

	(void)state;
	assert_true(grant_list_parse(&list, "shared: buf @memory, console"));
	assert_int_equal(list.count, 2);
	expect_wish(&list.wish[0], "shared", "buf", PROCESS_GRANT_COPY);
	assert_int_equal(list.wish[0].interface, INTERFACE_MEMORY_OBJECT);
	expect_wish(&list.wish[1], "console", "console", PROCESS_GRANT_COPY);
	assert_int_equal(list.wish[1].interface, INTERFACE_NONE);
	assert_true(grant_list_has(&list, "shared"));
	assert_false(grant_list_has(&list, "buf"));

	assert_true(grant_list_parse(&list, " a:b move ,c : d\tread-only copy,memory own,copy"));
	assert_int_equal(list.count, 4);
	expect_wish(&list.wish[0], "a", "b", PROCESS_GRANT_MOVE);
	expect_wish(&list.wish[1], "c", "d", PROCESS_GRANT_COPY);
	assert_true(list.wish[1].is_read_only);
	expect_wish(&list.wish[2], "memory", "memory", PROCESS_GRANT_OWN);
	expect_wish(&list.wish[3], "copy", "copy", PROCESS_GRANT_COPY);
}

/* Words on the layout stand between grants or alone; each list begins with none. */
static void test_layout(void **state)
{
	struct grant_list list;

	(void)state;
	assert_true(grant_list_parse(&list, "layout classic-random, console, layout_seed 7,stack_limit 64K"));
	assert_int_equal(list.count, 1);
	expect_wish(&list.wish[0], "console", "console", PROCESS_GRANT_COPY);
	assert_int_equal(list.layout.kind, PROCESS_LAYOUT_CLASSIC_RANDOM);
	assert_int_equal(list.layout.flags, PROCESS_LAYOUT_SEEDED);
	assert_int_equal(list.layout.seed, 7);
	assert_int_equal(list.layout.stack_limit, 65536);
	assert_true(grant_list_parse(&list, "layout_fixed"));
	assert_int_equal(list.count, 0);
	assert_int_equal(list.layout.kind, PROCESS_LAYOUT_DEFAULT);
	assert_int_equal(list.layout.flags, PROCESS_LAYOUT_FIXED);
	assert_true(grant_list_parse(&list, "console"));
	assert_false(manifest_layout_is_given(&list.layout));

	expect_refusal("layout", "a word too few or too many at `layout`");
	expect_refusal("layout classic flexible", "a word too few or too many at `flexible`");
	expect_refusal("layout_fixed a b c d e f", "a word too few or too many at `d`");
	expect_refusal("layout tall", "classic, classic-random or flexible expected at `tall`");
	expect_refusal("layout_seed x", "a number expected at `x`");
	expect_refusal("stack_limit 0", "a number expected at `0`");
	expect_refusal("layout classic, layout classic", "a layout is said twice at `classic`");
	expect_refusal("layout_seed 1, layout_fixed", "a layout is said twice at `layout_fixed`");
	expect_refusal("layout_fixed,", "a name is missing at the end");
}

static void test_refusals(void **state)
{
	(void)state;
	expect_refusal("", "a name is missing at the end");
	expect_refusal("a,", "a name is missing at the end");
	expect_refusal(",a", "a name is missing at `,`");
	expect_refusal("a:", "a name is missing at the end");
	expect_refusal("a::b", "a name is missing at `:`");
	expect_refusal("@memory", "a name is missing at `@memory`");
	expect_refusal("a: b: c", "a comma is missing at `:`");
	expect_refusal("a b", "copy, move, own, read-only or @KIND expected at `b`");
	expect_refusal("a @nothing", "no kind of that name at `@nothing`");
	expect_refusal("a @", "no kind of that name at `@`");
	expect_refusal("a copy move", "one of copy, move and own is enough at `move`");
	expect_refusal("a move read-only", "read-only is a copy that can do less at the end");
	expect_refusal("a: b, a: c", "two grants of one name at the end");
	expect_refusal("abcdefghijklmnopqrstuvwxyz123456",
		       "the name is too long at `abcdefghijklmnopqrstuvwxyz123456`");
	expect_refusal("a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", "too many grants at the end");
}

/* Each interface has a word that finds it again. */
static void test_kinds(void **state)
{
	static const char *const words[] = { "frames",  "space",     "memory",    "console",  "timer",
					     "package", "inspector", "system",    "spawner",  "process",
					     "threads", "park",      "endpoints", "endpoint", "client" };
	bool found[INTERFACE_COUNT] = { true }; /* NONE has no word */
	enum interface_id interface = INTERFACE_NONE;

	(void)state;
	for (uint32_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		assert_true(interface_text_find(words[i], strlen(words[i]), &interface));
		assert_false(found[interface]);
		found[interface] = true;
		assert_string_not_equal(interface_text_name(interface), "unknown");
	}
	for (uint32_t i = 0; i < INTERFACE_COUNT; i++)
		assert_true(found[i]);
	assert_string_equal(interface_text_name(INTERFACE_COUNT), "unknown");
}

static bool is_terminated(const char name[CAPSET_NAME_BYTES])
{
	return name[0] != '\0' && string_length(name, CAPSET_NAME_BYTES) < CAPSET_NAME_BYTES;
}

/* Whatever is typed: a list of whole, different names, or a reason. */
static void test_random(void **state)
{
	static const char *const pieces[] = { "a",      "b",           "console",   " ",       " ",
					      ",",      ",",           ":",         "move",    "copy",
					      "own",    "@memory",     "read-only", "@",       "abcdefghijklm",
					      "layout", "layout_seed", "7",         "classic", "stack_limit" };
	struct host_random random;
	uint64_t accepted = 0;

	(void)state;
	host_random_init(&random, "grant_list", 23);
	for (uint64_t round = host_rounds(100000); round > 0; round--) {
		struct grant_list list;
		char text[512] = "";

		for (uint64_t i = host_random_below(&random, 24); i > 0; i--)
			assert_true(
				string_copy(text + strlen(text), sizeof(text) - strlen(text),
					    pieces[host_random_below(&random, sizeof(pieces) / sizeof(pieces[0]))]));
		if (!grant_list_parse(&list, text)) {
			assert_true(string_length(list.error, sizeof(list.error)) < sizeof(list.error));
			assert_true(list.error[0] != '\0');
			continue;
		}
		accepted++;
		assert_true(list.count <= GRANT_LIST_MAX);
		assert_true(list.count != 0 || manifest_layout_is_given(&list.layout));
		assert_true(manifest_layout_is_valid(&list.layout));
		for (uint32_t i = 0; i < list.count; i++) {
			assert_true(is_terminated(list.wish[i].name) && is_terminated(list.wish[i].source));
			for (uint32_t j = 0; j < i; j++)
				assert_string_not_equal(list.wish[i].name, list.wish[j].name);
		}
	}
	assert_true(accepted > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms), cmocka_unit_test(test_layout), cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_kinds), cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
