#include "user/demos/spawn-contract/stack_trials.h"

#include <stddef.h>

#include "abi/process_abi.h"
#include "abi/user_fault_abi.h"
#include "lib/check.h"
#include "user/runtime/fault_client.h"
#include "user/runtime/program.h"
#include "user/runtime/user_thread.h"
#include "user/testing/trial.h"
#include "user/testing/trial_child.h"

#define PAGE_FAULT_CODE (128 + 14)
#define WATCHED_CODE 33
#define STACK_PAGES 2048u /* of the usual limit */
#define IMAGE_PAGES 300u  /* more than all else of a child that is charged there */

/* ---- in the child ---- */

uint64_t stack_trials_recurse(uint64_t bytes, const volatile uint8_t *above)
{
	volatile uint8_t page[PAGE_SIZE];

	page[0] = *above;
	return bytes < PAGE_SIZE ? page[0] : page[0] + stack_trials_recurse(bytes - PAGE_SIZE, page);
}

void stack_trials_role_recurse(void)
{
	const volatile uint8_t one = 1;

	EXPECT(stack_trials_recurse(trial_argument(0), &one) != 0);
}

/* What the handler of the child below is to be told, and what it does then. */
static struct {
	uint32_t ready;
	uint32_t kind;
	bool exits;
} watch;

static bool is_where_expected(const struct thread_fault *fault, const struct inspector_layout *layout)
{
	const struct inspector_range range = watch.kind == USER_FAULT_STACK_OVERFLOW ? layout->guard : layout->stack;

	return fault->kind == watch.kind && fault->address >= range.start && fault->address < range.end;
}

/* Told once, and, as nothing has changed when the thread goes on, once more of the same. */
static int64_t watch_stack(void *ignored)
{
	struct inspector_layout layout;
	struct thread_fault fault, again;
	uint64_t self;

	(void)ignored;
	CHECK(thread_client_self(trial.threads, &self) == STATUS_OK);
	CHECK(inspector_client_layout(trial.inspector, program_process_id(), &layout) == STATUS_OK);
	CHECK(fault_client_set_handler(trial.threads, self) == STATUS_OK);
	__atomic_store_n(&watch.ready, 1, __ATOMIC_RELEASE);
	CHECK(fault_client_wait(trial.threads, &fault) == STATUS_OK);
	CHECK(is_where_expected(&fault, &layout));
	CHECK(fault_client_resume_and_wait(trial.threads, fault.thread_id, &again) == STATUS_OK);
	CHECK(is_where_expected(&again, &layout) && again.address == fault.address);
	CHECK(again.thread_id == fault.thread_id);
	if (watch.exits)
		program_exit(WATCHED_CODE);
	return fault_client_resume(trial.threads, fault.thread_id, THREAD_FAULT_END);
}

void stack_trials_role_watched(void)
{
	const volatile uint8_t one = 1;
	struct user_thread thread;

	watch.kind = (uint32_t)trial_argument(1);
	watch.exits = trial_argument(2) != 0;
	trial_thread(&thread, watch_stack, NULL);
	CHECK(trial_reaches(&watch.ready, 1));
	EXPECT(stack_trials_recurse(trial_argument(0), &one) != 0);
}

static int64_t recurse_in_thread(void *bytes)
{
	const volatile uint8_t one = 1;

	return (int64_t)stack_trials_recurse((uint64_t)bytes, &one);
}

void stack_trials_role_thread(void)
{
	struct user_thread thread;

	trial_thread(&thread, recurse_in_thread, (void *)trial_argument(0));
	trial_join(&thread, (int64_t)(trial_argument(0) / PAGE_SIZE) + 1);
}

/* ---- in the parent ---- */

static void build(struct process_builder *builder, const char *role, uint64_t bytes, uint64_t stack_limit,
		  uint64_t stack_pages)
{
	trial_child_build(builder, role);
	process_builder_stack_limit(builder, stack_limit);
	process_builder_limit(builder, LEDGER_IMAGE, stack_pages + IMAGE_PAGES);
	trial_child_argument(builder, bytes);
}

static struct process_exit end_of(const struct process_builder *builder)
{
	struct process_client process;
	struct process_exit exit;

	CHECK(trial_child_start(builder, &process) == STATUS_OK);
	exit = trial_child_wait(process);
	CHECK(ring_client_release(process.handle) == STATUS_OK);
	return exit;
}

/* Of a child whose stack may be charged with so many pages. */
static struct process_exit recursion(uint64_t bytes, uint64_t stack_limit, uint64_t stack_pages)
{
	struct process_builder builder;

	build(&builder, "recurse", bytes, stack_limit, stack_pages);
	return end_of(&builder);
}

static void stack_grows_to_its_limit(void)
{
	EXPECT_EQUAL(recursion(40 * PAGE_SIZE, 64 * PAGE_SIZE, 64).end, PROCESS_EXITED);
	EXPECT_EQUAL(recursion(1000 * PAGE_SIZE, 0, 1050).end, PROCESS_EXITED);
}

static void stack_ends_at_its_limit(void)
{
	const struct ledger_reading image = trial_statistics().ledger[LEDGER_IMAGE];
	struct process_exit exit = recursion(100 * PAGE_SIZE, 64 * PAGE_SIZE, 64);

	EXPECT_EQUAL(exit.end, PROCESS_FAULTED);
	EXPECT_EQUAL(exit.code, PAGE_FAULT_CODE);
	EXPECT_EQUAL(exit.fault_kind, USER_FAULT_STACK_OVERFLOW);
	if (image.limit - image.used < STACK_PAGES + IMAGE_PAGES)
		return; /* the usual limit is more than there is in 16 MiB */
	exit = recursion((STACK_PAGES + 100) * PAGE_SIZE, 0, STACK_PAGES);
	EXPECT_EQUAL(exit.fault_kind, USER_FAULT_STACK_OVERFLOW);
}

/* A child that goes over its limit, or over its ledger, with a handler that is to be told. */
static struct process_exit watched(enum user_fault_kind kind, bool exits)
{
	const bool is_overflow = kind == USER_FAULT_STACK_OVERFLOW;
	struct process_builder builder;

	build(&builder, "watched", is_overflow ? 100 * PAGE_SIZE : 1000 * PAGE_SIZE, is_overflow ? 64 * PAGE_SIZE : 0,
	      is_overflow ? 64 : 0);
	trial_child_argument(&builder, kind);
	trial_child_argument(&builder, exits ? 1 : 0);
	trial_child_copy(&builder, "inspector", trial.inspector.handle);
	return end_of(&builder);
}

static void handler_is_told(enum user_fault_kind kind)
{
	struct process_exit exit = watched(kind, false);

	EXPECT_EQUAL(exit.end, PROCESS_FAULTED);
	EXPECT_EQUAL(exit.fault_kind, kind);
	exit = watched(kind, true);
	EXPECT_EQUAL(exit.end, PROCESS_EXITED);
	EXPECT_EQUAL(exit.code, WATCHED_CODE);
}

static void handler_is_told_of_an_overflow(void)
{
	handler_is_told(USER_FAULT_STACK_OVERFLOW);
}

static void handler_is_told_of_the_ledger(void)
{
	handler_is_told(USER_FAULT_STACK_QUOTA);
}

/* A thread's is what the runtime made it, and no more: below it is a guard, as below the first one's. */
static void thread_stack_has_a_guard(void)
{
	struct process_builder builder;
	struct process_exit exit;

	build(&builder, "thread-recurse", USER_THREAD_STACK_BYTES / 2, 0, 0);
	exit = end_of(&builder);
	EXPECT(exit.end == PROCESS_EXITED && exit.code == 0);
	build(&builder, "thread-recurse", USER_THREAD_STACK_BYTES + USER_THREAD_GUARD_BYTES / 2, 0, 0);
	exit = end_of(&builder);
	EXPECT_EQUAL(exit.end, PROCESS_FAULTED);
	EXPECT_EQUAL(exit.fault_kind, USER_FAULT_UNCOMMITTED);
}

void stack_trials_check(void)
{
	static const struct trial_case cases[] = {
		{ "stack-grows-to-its-limit", stack_grows_to_its_limit },
		{ "stack-ends-at-its-limit", stack_ends_at_its_limit },
		{ "handler-is-told-of-a-stack-overflow", handler_is_told_of_an_overflow },
		{ "handler-is-told-of-a-stack-over-its-ledger", handler_is_told_of_the_ledger },
		{ "thread-stack-has-a-guard", thread_stack_has_a_guard },
	};

	trial_check(cases, COUNT_OF(cases));
}
