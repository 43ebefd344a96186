#include "user/demos/spawn-contract/start_trials.h"

#include <stddef.h>

#include "abi/capset.h"
#include "abi/thread_control_abi.h"
#include "lib/check.h"
#include "lib/string.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/program.h"
#include "user/runtime/user_thread.h"
#include "user/testing/trial.h"
#include "user/testing/trial_child.h"

#define BADGE 0x1234u

/* ---- roles ---- */

void start_trials_role_strings(void)
{
	char **environment = trial.argv + trial.argc + 1;

	EXPECT_EQUAL(trial.argc, 6);
	EXPECT(string_equal(trial.argv[0], "spawn-contract"));
	EXPECT(string_equal(trial.argv[3], ""));
	EXPECT(string_equal(trial.argv[4], "two words"));
	EXPECT(string_equal(trial.argv[5], "\xc3\xa4="));
	EXPECT(trial.argv[6] == NULL);
	EXPECT(string_equal(environment[0], "HOME=/"));
	EXPECT(string_equal(environment[1], "EMPTY="));
	EXPECT(environment[2] == NULL);
}

static const struct capset_page *capset(void)
{
	return (const struct capset_page *)CAPSET_ADDRESS;
}

/* How many capabilities the table has, as the inspector tells. */
static uint64_t count_capabilities(void)
{
	struct inspector_capability capability;
	uint64_t slot = 0, count = 0;

	while (inspector_client_capability(trial.inspector, program_process_id(), slot, &capability) == STATUS_OK) {
		count++;
		slot = capability.slot + 1;
	}
	return count;
}

void start_trials_role_granted(void)
{
	static const struct {
		const char *name;
		uint32_t interface;
	} wanted[] = {
		{ "console", INTERFACE_CONSOLE },
		{ "timer", INTERFACE_TIMER },
		{ "memory", INTERFACE_VIRTUAL_MEMORY },
		{ "threads", INTERFACE_THREAD_CONTROL },
		{ "park", INTERFACE_PARK_SPACE },
		{ "inspector", INTERFACE_INSPECTOR },
		{ "an object of", INTERFACE_MEMORY_OBJECT },
		{ "facet", INTERFACE_ENDPOINT_CLIENT },
	};

	EXPECT_EQUAL(capset()->count, COUNT_OF(wanted));
	EXPECT_EQUAL(count_capabilities(), COUNT_OF(wanted));
	EXPECT_EQUAL(capset()->process_id, program_process_id());
	for (uint32_t i = 0; i < COUNT_OF(wanted); i++) {
		EXPECT(string_equal(capset()->entry[i].name, wanted[i].name));
		EXPECT_EQUAL(capset()->entry[i].interface, wanted[i].interface);
		EXPECT(capset()->entry[i].capability != HANDLE_NONE);
	}
	EXPECT_EQUAL(trial_used(LEDGER_CAP_SLOTS), COUNT_OF(wanted));
	EXPECT_EQUAL(trial_used(LEDGER_FRAME_GRANT), 3);
}

/* No name, and no id that a table of this size could have, does anything. */
void start_trials_role_bare(void)
{
	EXPECT_EQUAL(capset()->count, 0);
	for (uint32_t generation = 0; generation < 4; generation++) {
		for (uint32_t index = 0; index < 200; index++)
			EXPECT_STATUS(ring_client_release(generation << HANDLE_GENERATION_SHIFT | index),
				      STATUS_NO_SUCH_CAPABILITY);
	}
}

void start_trials_role_limits(void)
{
	const struct memory_statistics statistics = trial_statistics();

	for (uint32_t i = 0; i < LEDGER_COUNT; i++) {
		EXPECT_EQUAL(statistics.ledger[i].limit, trial_argument(i));
		EXPECT(statistics.ledger[i].used <= statistics.ledger[i].limit);
	}
}

static int64_t do_nothing(void *code)
{
	return (int64_t)code;
}

/* Its own priority is the argument, and the highest that its threads may have. */
void start_trials_role_priority(void)
{
	const uint32_t own = (uint32_t)trial_argument(0);
	struct user_thread thread;

	for (uint32_t priority = 0; priority < THREAD_PRIORITIES + 2; priority++) {
		const struct user_thread_options options = { .priority = priority };
		const enum status wanted = priority <= own ? STATUS_OK : STATUS_BAD_ARGUMENT;

		EXPECT_STATUS(user_thread_start(&thread, do_nothing, NULL, &options), wanted);
		if (wanted == STATUS_OK)
			trial_join(&thread, 0);
		EXPECT_STATUS(thread_client_set_priority(trial.threads, 0, priority), wanted);
	}
}

/* ---- in the parent ---- */

static void names_arguments_environment(void)
{
	struct process_builder builder;
	struct process_client process;
	struct inspector_process told;

	trial_child_build(&builder, "strings");
	CHECK(string_copy(builder.request.name, sizeof(builder.request.name), "a name of thirty-one characters"));
	EXPECT_OK(process_builder_argument(&builder, ""));
	EXPECT_OK(process_builder_environment(&builder, "HOME=/"));
	EXPECT_OK(process_builder_argument(&builder, "two words"));
	EXPECT_OK(process_builder_argument(&builder, "\xc3\xa4="));
	EXPECT_OK(process_builder_environment(&builder, "EMPTY="));
	EXPECT_OK(trial_child_start(&builder, &process));
	EXPECT_OK(inspector_client_process(trial.inspector, 0, &told)); /* the newest */
	EXPECT_EQUAL(told.process_id, process.process_id);
	EXPECT(told.ended != 0 || told.parent_id == program_process_id());
	EXPECT(string_equal(told.name, "a name of thirty-one characters"));
	trial_child_expect(process, PROCESS_EXITED, 0);
}

static void exactly_what_is_granted(void)
{
	struct process_builder builder;
	struct process_client process;
	struct memory_object_client object;
	struct memory_object_info info;
	struct endpoint_client endpoint;
	struct endpoint_facet facet;

	EXPECT_OK(trial_object(3, &object));
	EXPECT_OK(endpoint_client_create(trial.endpoints, &endpoint));
	EXPECT_OK(endpoint_client_make_client(endpoint, BADGE, false, &facet));
	trial_child_build(&builder, "granted");
	trial_child_copy(&builder, "inspector", trial.inspector.handle);
	trial_child_copy(&builder, "an object of", object.handle);
	trial_child_move(&builder, "facet", facet.handle);
	EXPECT_OK(trial_child_start(&builder, &process));
	EXPECT_STATUS(ring_client_release(facet.handle), STATUS_NO_SUCH_CAPABILITY);
	trial_child_expect(process, PROCESS_EXITED, 0);
	EXPECT_OK(memory_object_client_info(object, &info));
	EXPECT_EQUAL(info.holds, 1);
	EXPECT_OK(ring_client_release(object.handle));
	EXPECT_OK(ring_client_release(endpoint.handle));
}

static void nothing_is_inherited(void)
{
	struct process_builder builder;
	struct process_client process;

	trial_child_build(&builder, "bare");
	builder.request.grant_count = 0;
	EXPECT_OK(trial_child_start(&builder, &process));
	trial_child_expect(process, PROCESS_EXITED, 0);
}

static void moved_grants_leave(void)
{
	const uint64_t grant = trial_used(LEDGER_FRAME_GRANT), slots = trial_used(LEDGER_CAP_SLOTS);
	struct process_builder builder;
	struct process_client process;
	struct memory_object_client object;
	struct memory_object_info info;

	EXPECT_OK(trial_object(5, &object));
	trial_child_build(&builder, "sleep");
	trial_child_argument(&builder, 30);
	trial_child_move(&builder, "object", object.handle);
	EXPECT_OK(trial_child_start(&builder, &process));
	EXPECT_STATUS(memory_object_client_info(object, &info), STATUS_NO_SUCH_CAPABILITY);
	EXPECT_EQUAL(trial_used(LEDGER_FRAME_GRANT), grant);
	EXPECT_EQUAL(trial_used(LEDGER_CAP_SLOTS), slots + 1); /* the handle */
	trial_child_expect(process, PROCESS_EXITED, 0);
}

static void limits_are_carved_and_come_back(void)
{
	const struct memory_statistics before = trial_statistics();
	struct memory_statistics during;
	struct process_builder builder;
	struct process_client process;

	trial_child_build(&builder, "limits");
	for (uint32_t i = 0; i < LEDGER_COUNT; i++) {
		process_builder_limit(&builder, (enum ledger_kind)i, builder.request.limit[i] + i);
		trial_child_argument(&builder, builder.request.limit[i]);
	}
	EXPECT_OK(trial_child_start(&builder, &process));
	during = trial_statistics();
	EXPECT_EQUAL(trial_child_wait(process).code, 0);
	for (uint32_t i = 0; i < LEDGER_COUNT; i++) {
		/* It may have ended already. */
		EXPECT(during.ledger[i].limit == before.ledger[i].limit - builder.request.limit[i] ||
		       during.ledger[i].limit == before.ledger[i].limit);
		EXPECT_EQUAL(trial_statistics().ledger[i].limit, before.ledger[i].limit);
	}
	EXPECT_EQUAL(trial_used(LEDGER_KERNEL_OBJECT), before.ledger[LEDGER_KERNEL_OBJECT].used + PAGE_SIZE);
	EXPECT_OK(ring_client_release(process.handle));
}

static void priority_is_the_highest(void)
{
	struct process_builder builder;
	struct process_client process;

	for (uint32_t priority = 0; priority <= THREAD_PRIORITY_DEFAULT; priority++) {
		trial_child_build(&builder, "priority");
		trial_child_argument(&builder, priority);
		process_builder_priority(&builder, priority);
		EXPECT_OK(trial_child_start(&builder, &process));
		trial_child_expect(process, PROCESS_EXITED, 0);
	}
}

static void every_string_fits(void)
{
	struct process_builder builder;
	struct process_client process;

	trial_child_build(&builder, "exit");
	while (process_builder_argument(&builder, "0") == STATUS_OK)
		continue;
	EXPECT_EQUAL(builder.request.argument_count, PROCESS_MAX_STRINGS);
	EXPECT_OK(trial_child_start(&builder, &process));
	trial_child_expect(process, PROCESS_EXITED, 0);
}

static void every_grant_fits(void)
{
	struct process_builder builder;
	struct process_client process;
	char name[] = "console-?";

	trial_child_build(&builder, "exit");
	for (char letter = '0'; builder.request.grant_count < CAPSET_MAX; letter++) {
		name[sizeof(name) - 2] = letter;
		trial_child_copy(&builder, name, trial.console.handle);
	}
	EXPECT_OK(trial_child_start(&builder, &process));
	trial_child_expect(process, PROCESS_EXITED, 0);
}

void start_trials_check(void)
{
	static const struct trial_case cases[] = {
		{ "names-arguments-environment", names_arguments_environment },
		{ "exactly-what-is-granted", exactly_what_is_granted },
		{ "nothing-is-inherited", nothing_is_inherited },
		{ "moved-grants-leave", moved_grants_leave },
		{ "limits-are-carved-and-come-back", limits_are_carved_and_come_back },
		{ "priority-is-the-highest", priority_is_the_highest },
		{ "every-string-fits", every_string_fits },
		{ "every-grant-fits", every_grant_fits },
	};

	trial_check(cases, COUNT_OF(cases));
}
