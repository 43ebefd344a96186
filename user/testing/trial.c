#include "user/testing/trial.h"

#include <stdarg.h>
#include <stddef.h>

#include "lib/check.h"
#include "lib/format.h"
#include "lib/ledger.h"
#include "lib/status.h"
#include "lib/string.h"
#include "user/protocol/number_text.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/mutex.h"
#include "user/runtime/print.h"
#include "user/runtime/program.h"
#include "user/runtime/resident.h"
#include "user/runtime/user_thread.h"

#define WHAT_BYTES 200u
#define SETTLE_NS TRIAL_MS(20000)
#define REACH_NS TRIAL_MS(60000)
#define LOOK_NS TRIAL_MS(1)

struct trial trial;

static char what[WHAT_BYTES]; /* is wrong with the trial under way */
static struct mutex what_lock;

static void find(const char *name, enum interface_id interface, handle_t *capability)
{
	if (capset_client_find(name, interface, capability) != STATUS_OK)
		*capability = HANDLE_NONE;
}

static uint64_t number_of(const char *text)
{
	uint64_t value = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		value = value * 10 + (uint64_t)(*text - '0');
	return value;
}

void trial_begin(const char *program, int argc, char **argv)
{
	resident_make(RESIDENT_STACK_BYTES);
	trial.program = program;
	trial.argc = argc;
	trial.argv = argv;
	find("memory", INTERFACE_VIRTUAL_MEMORY, &trial.memory.handle);
	find("frames", INTERFACE_FRAME_ALLOCATOR, &trial.frames.handle);
	find("console", INTERFACE_CONSOLE, &trial.console.handle);
	find("timer", INTERFACE_TIMER, &trial.timer.handle);
	find("package", INTERFACE_BOOT_PACKAGE, &trial.package.handle);
	find("inspector", INTERFACE_INSPECTOR, &trial.inspector.handle);
	find("spawner", INTERFACE_PROCESS_SPAWNER, &trial.spawner.handle);
	find("endpoints", INTERFACE_ENDPOINT_FACTORY, &trial.endpoints.handle);
	find("threads", INTERFACE_THREAD_CONTROL, &trial.threads.handle);
	find("park", INTERFACE_PARK_SPACE, &trial.park.handle);
	trial.is_single = argc == 3 && string_equal(argv[1], "trial");
	if (trial.is_single && number_text_parse(argv[2], &trial.wanted) != STATUS_OK)
		trial.wanted_name = argv[2];
}

bool trial_has_everything(void)
{
	const struct {
		const char *name;
		handle_t capability;
	} wanted[] = {
		{ "memory", trial.memory.handle },   { "frames", trial.frames.handle },
		{ "console", trial.console.handle }, { "timer", trial.timer.handle },
		{ "package", trial.package.handle }, { "inspector", trial.inspector.handle },
		{ "spawner", trial.spawner.handle }, { "endpoints", trial.endpoints.handle },
		{ "threads", trial.threads.handle }, { "park", trial.park.handle },
	};
	bool has_all = true;

	for (uint32_t i = 0; i < COUNT_OF(wanted); i++) {
		if (wanted[i].capability != HANDLE_NONE)
			continue;
		print("%s: no capability \"%s\"\n", trial.program, wanted[i].name);
		has_all = false;
	}
	return has_all;
}

/* ---- roles ---- */

bool trial_is_role(void)
{
	return trial.argc >= 3 && string_equal(trial.argv[1], "role");
}

int trial_role_run(const struct trial_role *role, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (!string_equal(role[i].name, trial.argv[2]))
			continue;
		role[i].run();
		if (trial.broken)
			print("role %s: %s\n", role[i].name, what);
		return trial.broken ? 1 : 0;
	}
	print("%s: no role \"%s\"\n", trial.program, trial.argv[2]);
	return 1;
}

uint64_t trial_argument(uint32_t index)
{
	if (trial.argc < 4 || index >= (uint32_t)trial.argc - 3)
		return 0;
	return number_of(trial.argv[3 + index]);
}

/* ---- readings ---- */

void trial_break(const char *text, ...)
{
	va_list values;

	mutex_lock(&what_lock);
	if (!trial.broken) { /* the first reason counts */
		va_start(values, text);
		(void)format_v(what, sizeof(what), text, values);
		va_end(values);
		__atomic_store_n(&trial.broken, true, __ATOMIC_RELEASE);
	}
	mutex_unlock(&what_lock);
}

struct memory_statistics trial_statistics(void)
{
	struct memory_statistics statistics;

	CHECK(virtual_memory_client_statistics(trial.memory, &statistics) == STATUS_OK);
	return statistics;
}

uint64_t trial_used(enum ledger_kind kind)
{
	return trial_statistics().ledger[kind].used;
}

struct trial_reading trial_read(void)
{
	struct trial_reading reading = { .statistics = trial_statistics() };

	CHECK(inspector_client_memory(trial.inspector, &reading.machine) == STATUS_OK);
	return reading;
}

static bool is_same(const struct trial_reading *before, const struct trial_reading *after)
{
	for (uint32_t i = 0; i < LEDGER_COUNT; i++) {
		const struct ledger_reading *was = &before->statistics.ledger[i], *is = &after->statistics.ledger[i];

		if (is->used != was->used || is->limit != was->limit)
			return false;
	}
	return before->machine.free_frames == after->machine.free_frames;
}

static void name_difference(const struct trial_reading *before, const struct trial_reading *after)
{
	for (uint32_t i = 0; i < LEDGER_COUNT; i++) {
		const struct ledger_reading *was = &before->statistics.ledger[i], *is = &after->statistics.ledger[i];

		if (is->used != was->used || is->limit != was->limit)
			trial_break("%s was %lu of %lu before, is %lu of %lu after", ledger_name((enum ledger_kind)i),
				    was->used, was->limit, is->used, is->limit);
	}
	if (before->machine.free_frames != after->machine.free_frames)
		trial_break("free frames were %lu before, are %lu after (kernel %lu %lu, heap %lu %lu, user %lu %lu)",
			    before->machine.free_frames, after->machine.free_frames, before->machine.kernel_frames,
			    after->machine.kernel_frames, before->machine.heap_frames, after->machine.heap_frames,
			    before->machine.user_frames, after->machine.user_frames);
}

static void check_invariants(void)
{
	struct inspector_check result;

	if (inspector_client_check(trial.inspector, &result) != STATUS_OK)
		trial_break("the invariants could not be looked at");
	else if (result.broken != 0)
		trial_break("%lu of %lu invariants broken: %s", result.broken, result.checked, result.first_broken);
}

/* A process whose parent we are: one that was left alone, or became ours when its parent ended. */
static bool find_child(struct inspector_process *child)
{
	const uint64_t own = program_process_id();

	for (uint64_t i = 0; inspector_client_process(trial.inspector, i, child) == STATUS_OK; i++)
		if (child->parent_id == own)
			return true;
	return false;
}

/* Until the limits of all of them are ours again, however long the machine takes for it. */
static void wait_for_children(void)
{
	const uint64_t end = trial_now() + REACH_NS;
	struct inspector_process child;
	bool is_left = find_child(&child);

	while (is_left && trial_now() < end) {
		trial_sleep(LOOK_NS);
		is_left = find_child(&child);
	}
	if (is_left)
		trial_break("process %lu %s, with %u threads, does not end", (unsigned long)child.process_id,
			    child.name, child.threads);
}

void trial_settle(const struct trial_reading *before)
{
	wait_for_children();

	const uint64_t end = trial_now() + SETTLE_NS;
	struct trial_reading after = trial_read();

	while (!is_same(before, &after) && trial_now() < end) {
		trial_sleep(LOOK_NS);
		after = trial_read();
	}
	name_difference(before, &after);
	check_invariants();
}

/* ---- trials ---- */

static bool is_wanted(const char *name)
{
	const uint64_t number = trial.seen++;

	if (!trial.is_single)
		return true;
	return trial.wanted_name != NULL ? string_equal(name, trial.wanted_name) : number == trial.wanted;
}

void trial_check_one(const char *first, const char *second, void (*run)(void))
{
	struct trial_reading before;

	if (!is_wanted(first))
		return;
	before = trial_read();
	trial.broken = false;
	run();
	if (!trial.is_single || !trial.broken)
		trial_settle(&before);
	if (trial.broken) {
		trial.failed++;
		print("FAILED %s%s: %s\n", first, second, what);
	} else {
		trial.passed++;
		print("ok %s%s\n", first, second);
	}
}

void trial_check(const struct trial_case *cases, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		trial_check_one(cases[i].name, "", cases[i].run);
}

int trial_end(void)
{
	print("%u passed, %u failed\n", trial.passed, trial.failed);
	if (trial.is_single && trial.passed + trial.failed == 0)
		return TRIAL_NONE;
	return trial.failed == 0 ? 0 : 1;
}

/* ---- what trials need ---- */

uint64_t trial_now(void)
{
	uint64_t now;

	CHECK(timer_client_now(trial.timer, &now) == STATUS_OK);
	return now;
}

void trial_sleep(uint64_t nanoseconds)
{
	CHECK(timer_client_sleep(trial.timer, nanoseconds) == STATUS_OK);
}

bool trial_reaches(const uint32_t *word, uint32_t wanted)
{
	const uint64_t end = trial_now() + REACH_NS;

	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) < wanted) {
		if (trial_now() >= end)
			return false;
		trial_sleep(LOOK_NS);
	}
	return true;
}

void trial_thread(struct user_thread *thread, int64_t (*function)(void *), void *argument)
{
	enum status status = user_thread_start(thread, function, argument, NULL);

	if (status != STATUS_OK)
		program_abort(status_name(status), (const void *)thread);
}

void trial_join(struct user_thread *thread, int64_t code)
{
	int64_t ended;

	CHECK(user_thread_join(thread, &ended) == STATUS_OK);
	if (ended != code)
		trial_break("a thread ended with %ld, not %ld", (long)ended, (long)code);
}

enum status trial_map(uint64_t pages, void **address)
{
	return virtual_memory_client_map(trial.memory, NULL, TRIAL_BYTES(pages), TRIAL_READ_WRITE, 0, address);
}

enum status trial_unmap(const void *address, uint64_t pages)
{
	return virtual_memory_client_unmap(trial.memory, address, TRIAL_BYTES(pages));
}

enum status trial_object(uint64_t pages, struct memory_object_client *object)
{
	return frame_allocator_client_allocate(trial.frames, pages, 0, object);
}

enum status trial_map_object(struct memory_object_client object, uint64_t pages, uint32_t protection, void **address)
{
	const struct memory_object_window window = { .length = TRIAL_BYTES(pages), .protection = protection };

	return memory_object_client_map(object, &window, address);
}
