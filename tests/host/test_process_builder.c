/* links: user/runtime/process_builder.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "abi/thread_control_abi.h"
#include "tests/host/host_support.h"
#include "user/runtime/process_builder.h"

static struct memory_statistics readings; /* what the caller's VirtualMemory tells */

enum status virtual_memory_client_statistics(struct virtual_memory_client client, struct memory_statistics *statistics)
{
	(void)client;
	*statistics = readings;
	return STATUS_OK;
}

/* The strings of a request are exactly `count`, "PREFIX0", "PREFIX1" ..., one behind the other. */
static void check_strings(uint64_t address, uint32_t count, uint32_t bytes, const char *prefix)
{
	const char *at = (const char *)address;

	for (uint32_t i = 0; i < count; i++) {
		char expected[32];

		(void)snprintf(expected, sizeof(expected), "%s%u", prefix, i);
		assert_string_equal(at, expected);
		at += strlen(at) + 1;
	}
	assert_int_equal((uint64_t)at - address, bytes);
}

/* Arguments and environment in any order of additions, until no more fits. */
static void test_strings(void **state)
{
	struct process_spawn_request request;
	struct process_builder builder;
	struct host_random random;
	enum status status = STATUS_OK;

	(void)state;
	host_random_init(&random, "process_builder", 1);
	assert_int_equal(process_builder_init(&builder, "child"), STATUS_OK);
	while (status == STATUS_OK) {
		char text[32];

		request = process_builder_request(&builder);
		check_strings(request.arguments, request.argument_count, request.argument_bytes, "argument");
		check_strings(request.environment, request.environment_count, request.environment_bytes, "NAME=");
		if (host_random_once_in(&random, 2)) {
			(void)snprintf(text, sizeof(text), "argument%u", request.argument_count);
			status = process_builder_argument(&builder, text);
		} else {
			(void)snprintf(text, sizeof(text), "NAME=%u", request.environment_count);
			status = process_builder_environment(&builder, text);
		}
	}
	assert_int_equal(status, STATUS_TOO_LONG);
	assert_int_equal(request.argument_count + request.environment_count, PROCESS_MAX_STRINGS);
}

/* The last byte that a request takes is used, one more refused. */
static void test_string_bytes(void **state)
{
	static char text[PROCESS_MAX_STRING_BYTES + 1];
	struct process_builder builder;

	(void)state;
	memset(text, 'a', PROCESS_MAX_STRING_BYTES);
	assert_int_equal(process_builder_init(&builder, "child"), STATUS_OK);
	assert_int_equal(process_builder_argument(&builder, text), STATUS_TOO_LONG);
	assert_int_equal(process_builder_environment(&builder, text + 11), STATUS_OK);
	assert_int_equal(process_builder_argument(&builder, "0123456789"), STATUS_TOO_LONG);
	assert_int_equal(process_builder_argument(&builder, "012345678"), STATUS_OK);
	assert_int_equal(process_builder_argument(&builder, ""), STATUS_TOO_LONG);
	assert_int_equal(builder.request.argument_bytes + builder.request.environment_bytes, PROCESS_MAX_STRING_BYTES);
	assert_string_equal(builder.strings, "012345678");
	assert_string_equal(builder.strings + 10, text + 11);
}

static void test_names(void **state)
{
	struct process_builder builder;
	char text[65];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[64] = '\0';
	assert_int_equal(process_builder_init(&builder, ""), STATUS_ZERO_LENGTH);
	assert_int_equal(process_builder_init(&builder, text + 32), STATUS_TOO_LONG);
	assert_int_equal(process_builder_init(&builder, text + 33), STATUS_OK);
	assert_string_equal(builder.request.name, text + 33);
	assert_int_equal(builder.request.priority, THREAD_PRIORITY_DEFAULT);
	assert_int_equal(process_builder_program(&builder, text), STATUS_TOO_LONG);
	assert_int_equal(process_builder_program(&builder, text + 1), STATUS_OK);
	assert_string_equal(builder.request.program, text + 1);
	process_builder_image(&builder, (struct memory_object_client){ 7 }, 100);
	assert_int_equal(builder.request.source, PROCESS_FROM_OBJECT);
	assert_int_equal(builder.request.image, 7);
	assert_int_equal(builder.request.image_bytes, 100);
	assert_int_equal(process_builder_program(&builder, "shell"), STATUS_OK);
	assert_int_equal(builder.request.source, PROCESS_FROM_PACKAGE);
	process_builder_priority(&builder, 5);
	assert_int_equal(process_builder_request(&builder).priority, 5);
}

static void test_grants(void **state)
{
	struct process_spawn_request request;
	struct process_builder builder;
	const struct process_grant *grant;

	(void)state;
	assert_int_equal(process_builder_init(&builder, "child"), STATUS_OK);
	assert_int_equal(process_builder_grant_copy(&builder, "console", 17), STATUS_OK);
	assert_int_equal(process_builder_grant_move(&builder, "object", 18), STATUS_OK);
	assert_int_equal(process_builder_grant_own(&builder, "timer", INTERFACE_TIMER), STATUS_BAD_ARGUMENT);
	assert_int_equal(process_builder_grant_copy(&builder, "", 1), STATUS_ZERO_LENGTH);
	assert_int_equal(process_builder_grant_copy(&builder, "12345678901234567890123456789012", 1), STATUS_TOO_LONG);
	assert_int_equal(process_builder_grant_usual(&builder), STATUS_OK);
	request = process_builder_request(&builder);
	grant = (const struct process_grant *)request.grants;
	assert_int_equal(request.grant_count, 5);
	assert_string_equal(grant[0].name, "console");
	assert_int_equal(grant[0].kind, PROCESS_GRANT_COPY);
	assert_int_equal(grant[0].capability, 17);
	assert_int_equal(grant[1].kind, PROCESS_GRANT_MOVE);
	assert_int_equal(grant[1].capability, 18);
	assert_string_equal(grant[3].name, "threads");
	assert_int_equal(grant[3].kind, PROCESS_GRANT_OWN);
	assert_int_equal(grant[3].interface, INTERFACE_THREAD_CONTROL);
	while (process_builder_grant_copy(&builder, "more", 1) == STATUS_OK)
		;
	assert_int_equal(builder.request.grant_count, CAPSET_MAX);
}

static void test_shares(void **state)
{
	struct process_builder builder;

	(void)state;
	assert_int_equal(process_builder_init(&builder, "child"), STATUS_OK);
	for (uint32_t i = 0; i < LEDGER_COUNT; i++)
		readings.ledger[i] = (struct ledger_reading){ .used = i, .limit = i + UINT64_MAX - 100 };
	readings.ledger[LEDGER_FRAME_GRANT] = (struct ledger_reading){ .used = 10, .limit = 1010 };
	assert_int_equal(process_builder_limit_share(&builder, (struct virtual_memory_client){ 1 }, 1, 3), STATUS_OK);
	assert_int_equal(builder.request.limit[LEDGER_FRAME_GRANT], 333);
	assert_int_equal(builder.request.limit[LEDGER_IMAGE], (UINT64_MAX - 100) / 3);
	assert_int_equal(process_builder_limit_share(&builder, (struct virtual_memory_client){ 1 }, 2, 2), STATUS_OK);
	assert_int_equal(builder.request.limit[LEDGER_FRAME_GRANT], 1000);
	assert_int_equal(builder.request.limit[LEDGER_IMAGE], UINT64_MAX - 100);
	assert_int_equal(process_builder_limit_share(&builder, (struct virtual_memory_client){ 1 }, 3, 2),
			 STATUS_BAD_ARGUMENT);
	assert_int_equal(process_builder_limit_share(&builder, (struct virtual_memory_client){ 1 }, 0, 0),
			 STATUS_BAD_ARGUMENT);
	process_builder_limit(&builder, LEDGER_CAP_SLOTS, 77);
	assert_int_equal(process_builder_request(&builder).limit[LEDGER_CAP_SLOTS], 77);
}

static void test_layout(void **state)
{
	struct process_spawn_request request;
	struct process_builder builder;

	(void)state;
	assert_int_equal(process_builder_init(&builder, "child"), STATUS_OK);
	request = process_builder_request(&builder);
	assert_int_equal(request.layout, PROCESS_LAYOUT_DEFAULT);
	assert_int_equal(request.layout_flags, 0);
	assert_int_equal(request.stack_limit, 0);
	process_builder_layout(&builder, PROCESS_LAYOUT_CLASSIC_RANDOM, PROCESS_LAYOUT_SEEDED, 99);
	process_builder_stack_limit(&builder, 4096);
	request = process_builder_request(&builder);
	assert_int_equal(request.layout, PROCESS_LAYOUT_CLASSIC_RANDOM);
	assert_int_equal(request.layout_flags, PROCESS_LAYOUT_SEEDED);
	assert_int_equal(request.layout_seed, 99);
	assert_int_equal(request.stack_limit, 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strings), cmocka_unit_test(test_string_bytes), cmocka_unit_test(test_names),
		cmocka_unit_test(test_grants),  cmocka_unit_test(test_shares),       cmocka_unit_test(test_layout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
