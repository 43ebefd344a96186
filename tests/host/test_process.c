/* links: HOST_TASK_KERNEL */
/* Processes: made and discarded, with limits carved out of a parent's; refused at each point where something can run
   out; in the tree; and what is left of them when they have ended. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "kernel/mem/heap.h"
#include "kernel/mem/kernel_stack.h"
#include "kernel/task/process_tree.h"
#include "lib/check.h"
#include "tests/host/actor.h"
#include "tests/host/host_support.h"
#include "tests/host/sweep.h"
#include "tests/host/task_snapshot.h"

#define FRAMES 2048u
#define PROCESS_BYTES (PROCESS_KERNEL_BYTES + PAGE_SIZE) /* with the directory of its table */
#define PROCESS_FRAMES 3u                                /* record, directory, root */
#define PARENT_LIMIT UINT64_C(1000000)

static enum status create(struct process *parent, const uint64_t limits[LEDGER_COUNT], struct process **process)
{
	struct process_template template = { "child", parent, limits, 2 };

	return process_create(&template, process);
}

static uint64_t limit_of(struct process *process, enum ledger_kind kind)
{
	struct resource_ledger ledger;

	account_read(&process->account, &ledger);
	return ledger.of[kind].limit;
}

/* ---- making ---- */

static void test_create(void **state)
{
	uint64_t limits[LEDGER_COUNT];
	struct process_template template = { "a name of more than thirty-one characters", NULL, limits, 5 };
	struct memory_statistics statistics;
	struct process *process;

	(void)state;
	task_machine_start(FRAMES);
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		limits[kind] = 100000 + kind;
	assert_int_equal(process_create(&template, &process), STATUS_OK);
	assert_string_equal(process->name, "a name of more than thirty-one ");
	assert_int_equal(process->priority, 5);
	assert_int_equal(process->live + process->threads, 0);
	assert_int_equal(process->references, 1);
	assert_int_equal(task_machine_stack_pages(), 0);
	process_read_statistics(process, &statistics);
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++) {
		uint64_t expected = kind == LEDGER_KERNEL_OBJECT ? PROCESS_BYTES : kind == LEDGER_PAGE_TABLE;

		assert_int_equal(statistics.ledger[kind].used, expected);
		assert_int_equal(statistics.ledger[kind].peak, expected);
		assert_int_equal(statistics.ledger[kind].limit, 100000 + kind);
	}
	assert_int_equal(machine_frames() - frame_free_count(), PROCESS_FRAMES);
	assert_int_equal(statistics.system_free_frames, frame_free_count());
	assert_int_equal(process_tree_count(), 0); /* in nobody's sight */
	assert_true(process_is_valid(process));
	process_discard(process);
	task_machine_stop();
}

/* A name goes into logs and listings: whatever a program puts into it, one line of printable characters comes out. */
static void test_name(void **state)
{
	static const struct {
		const char *given, *kept;
	} names[] = {
		{ "", "" },
		{ " plain ~ name", " plain ~ name" },
		{ "two\nlines\r", "two?lines?" },
		{ "\033[2J\t\x7f", "?[2J??" },
		{ "\x80\xff\xc3\xa9\x1f\x01", "??????" },
		{ "thirty characters, and then: \n\n\n", "thirty characters, and then: ??" },
	};
	uint64_t limits[LEDGER_COUNT];

	(void)state;
	task_machine_start(FRAMES);
	task_machine_limits(limits, TASK_MACHINE_PLENTY);
	for (uint32_t i = 0; i < COUNT_OF(names); i++) {
		struct process_template template = { names[i].given, NULL, limits, 5 };
		struct process *process;

		assert_int_equal(process_create(&template, &process), STATUS_OK);
		assert_string_equal(process->name, names[i].kept);
		process_discard(process);
	}
	task_machine_stop();
}

static enum status attempt_process(const uint64_t limits[LEDGER_COUNT], uint64_t needs[LEDGER_COUNT])
{
	struct process *process;

	TRY(create(NULL, limits, &process));
	assert_true(process_is_valid(process));
	task_snapshot_read_peaks(process, needs);
	process_discard(process);
	return STATUS_OK;
}

static void test_refused_promise(void **state)
{
	(void)state;
	task_machine_start(FRAMES);
	assert_int_equal(task_snapshot_refuse_promises(attempt_process), PROCESS_FRAMES);
	task_machine_stop();
}

static void test_limited_ledger(void **state)
{
	(void)state;
	task_machine_start(FRAMES);
	task_snapshot_limit_ledgers(attempt_process);
	task_machine_stop();
}

/* With each number of frames left in the whole machine. */
static void test_last_frames(void **state)
{
	static frame_t taken[FRAMES];
	uint64_t limits[LEDGER_COUNT];
	uint64_t needs[LEDGER_COUNT];
	struct task_snapshot before;
	uint64_t count = 0;

	(void)state;
	task_machine_start(FRAMES);
	task_machine_limits(limits, TASK_MACHINE_PLENTY);
	while (frame_allocate(FRAME_KERNEL, NULL, &taken[count]) == STATUS_OK)
		count++;
	for (uint64_t left = 0; left < PROCESS_FRAMES; left++) {
		task_snapshot_take(&before, NULL);
		assert_int_equal(attempt_process(limits, needs), STATUS_OUT_OF_MEMORY);
		assert_true(task_snapshot_holds(&before, NULL));
		frame_free(taken[--count], FRAME_KERNEL, NULL);
	}
	while (count > 0)
		frame_free(taken[--count], FRAME_KERNEL, NULL);
	assert_int_equal(attempt_process(limits, needs), STATUS_OK);
	task_machine_stop();
}

/* ---- a parent's limits ---- */

static void begin_parent(struct actor *parent)
{
	uint64_t limits[LEDGER_COUNT];

	task_machine_start(FRAMES);
	task_machine_limits(limits, PARENT_LIMIT);
	actor_begin_limited(parent, "parent", NULL, limits);
}

/* Enough for a process, and all different. */
static void child_limits(uint64_t limits[LEDGER_COUNT])
{
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		limits[kind] = 20000 + kind;
}

static void test_carve(void **state)
{
	uint64_t limits[LEDGER_COUNT];
	struct task_snapshot before;
	struct process *child;
	struct actor parent;

	(void)state;
	begin_parent(&parent);
	child_limits(limits);
	task_snapshot_take(&before, parent.process);
	assert_int_equal(create(parent.process, limits, &child), STATUS_OK);
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++) {
		assert_int_equal(limit_of(parent.process, (enum ledger_kind)kind), PARENT_LIMIT - limits[kind]);
		assert_int_equal(limit_of(child, (enum ledger_kind)kind), limits[kind]);
		assert_int_equal(actor_used(&parent, (enum ledger_kind)kind), before.ledger[kind].used);
	}
	assert_int_equal(process_tree_parent_id(child), parent.process->id);
	process_discard(child);
	assert_true(task_snapshot_holds(&before, parent.process));
	actor_end(&parent);
	task_machine_stop();
}

/* Each kind asked for once too often: the parent's refusal, and nothing is carved. */
static void test_carve_too_much(void **state)
{
	struct task_snapshot before;
	struct process *child;
	struct actor parent;

	(void)state;
	begin_parent(&parent);
	task_snapshot_take(&before, parent.process);
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++) {
		uint64_t limits[LEDGER_COUNT];
		uint64_t unused = PARENT_LIMIT - actor_used(&parent, (enum ledger_kind)kind);

		child_limits(limits);
		limits[kind] = unused + 1;
		assert_int_equal(create(parent.process, limits, &child), ledger_refusal((enum ledger_kind)kind));
		limits[kind] = UINT64_MAX;
		assert_int_equal(create(parent.process, limits, &child), ledger_refusal((enum ledger_kind)kind));
		assert_true(task_snapshot_holds(&before, parent.process));
		limits[kind] = unused;
		assert_int_equal(create(parent.process, limits, &child), STATUS_OK);
		process_discard(child);
		assert_true(task_snapshot_holds(&before, parent.process));
	}
	actor_end(&parent);
	task_machine_stop();
}

struct carving {
	struct process *parent;
	uint64_t limits[LEDGER_COUNT];
	struct task_snapshot before;
};

static enum status carving_run(void *subject)
{
	struct carving *carving = subject;
	struct process *child;

	TRY(create(carving->parent, carving->limits, &child));
	process_discard(child);
	return STATUS_OK;
}

static void carving_remember(void *subject)
{
	struct carving *carving = subject;

	task_snapshot_take(&carving->before, carving->parent);
}

static bool carving_is_unchanged(void *subject)
{
	struct carving *carving = subject;

	return task_snapshot_holds(&carving->before, carving->parent);
}

/* The child's own ledger: it was given too little to be. */
static void carving_leave_room(void *subject, enum ledger_kind kind, uint64_t room)
{
	((struct carving *)subject)->limits[kind] = room;
}

/* Whatever else fails, the parent gets back what was carved. */
static void test_carve_undone(void **state)
{
	struct carving carving;
	struct sweep sweep = {
		&carving, carving_run, carving_remember, carving_is_unchanged, carving_leave_room, 3000
	};
	struct actor parent;

	(void)state;
	begin_parent(&parent);
	carving = (struct carving){ .parent = parent.process };
	child_limits(carving.limits);
	assert_int_equal(sweep_promises(&sweep), PROCESS_FRAMES);
	sweep_ledger(&sweep, LEDGER_KERNEL_OBJECT, PROCESS_BYTES);
	sweep_ledger(&sweep, LEDGER_PAGE_TABLE, 1);
	actor_end(&parent);
	task_machine_stop();
}

/* ---- the tree ---- */

#define FAMILY 12u

struct family {
	struct actor actor[FAMILY];
	int parent[FAMILY]; /* index; -1: the machine */
	uint64_t limit[FAMILY];
};

static void family_begin_one(struct family *family, uint32_t i, int parent, uint64_t limit)
{
	uint64_t limits[LEDGER_COUNT];

	task_machine_limits(limits, limit);
	actor_begin_limited(&family->actor[i], "member", parent < 0 ? NULL : family->actor[parent].process, limits);
	family->parent[i] = parent;
	family->limit[i] = limit;
	if (parent >= 0)
		family->limit[parent] -= limit;
}

static void family_end_one(struct family *family, uint32_t i)
{
	int parent = family->parent[i];

	actor_end(&family->actor[i]);
	if (parent >= 0)
		family->limit[parent] += family->limit[i];
	for (uint32_t j = 0; j < FAMILY; j++)
		if (family->actor[j].process != NULL && family->parent[j] == (int)i)
			family->parent[j] = parent;
}

static void family_check(struct family *family)
{
	for (uint32_t i = 0; i < FAMILY; i++) {
		struct process *process = family->actor[i].process;
		int parent = family->parent[i];

		if (process == NULL)
			continue;
		assert_int_equal(process_tree_parent_id(process), parent < 0 ? 0 : family->actor[parent].process->id);
		for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
			assert_int_equal(limit_of(process, (enum ledger_kind)kind), family->limit[i]);
		assert_true(process_is_valid(process));
	}
	assert_true(process_tree_is_valid());
}

/* Whoever ends in whatever order: limits go to the nearest ancestor that lives, and none is made or lost. */
static void test_family(void **state)
{
	struct host_random random;

	(void)state;
	host_random_init(&random, "process", 11);
	for (uint64_t round = host_rounds(40); round > 0; round--) {
		struct family family = { .limit = { 0 } };
		uint64_t total = UINT64_C(1) << 32;

		task_machine_start(FRAMES);
		family_begin_one(&family, 0, -1, total);
		for (uint32_t step = 0; step < 60; step++) {
			uint32_t i = 1 + (uint32_t)host_random_below(&random, FAMILY - 1);
			uint32_t parent = (uint32_t)host_random_below(&random, FAMILY);

			if (family.actor[i].process != NULL)
				family_end_one(&family, i);
			else if (family.actor[parent].process != NULL)
				family_begin_one(&family, i, (int)parent, family.limit[parent] / 3);
			family_check(&family);
		}
		for (uint32_t i = 1; i < FAMILY; i++)
			if (family.actor[i].process != NULL)
				family_end_one(&family, i);
		assert_int_equal(limit_of(family.actor[0].process, LEDGER_IMAGE), total);
		actor_end(&family.actor[0]);
		task_machine_stop();
	}
}

/* The list is newest first, and ids are never used again. */
static void test_list(void **state)
{
	static struct actor actor[100];
	struct process *found;
	uint64_t last_id;

	(void)state;
	task_machine_start(4096);
	for (uint32_t i = 0; i < COUNT_OF(actor); i++)
		actor_begin(&actor[i], "one of many");
	last_id = actor[COUNT_OF(actor) - 1].process->id;
	assert_int_equal(process_tree_count(), COUNT_OF(actor));
	for (uint32_t i = 0; i < COUNT_OF(actor); i++) {
		assert_int_equal(process_tree_at(COUNT_OF(actor) - 1 - i, &found), STATUS_OK);
		assert_ptr_equal(found, actor[i].process);
		process_end_use(found);
		assert_int_equal(process_tree_find(actor[i].process->id, &found), STATUS_OK);
		assert_ptr_equal(found, actor[i].process);
		assert_int_equal(found->references, 2);
		process_end_use(found);
	}
	assert_int_equal(process_tree_at(COUNT_OF(actor), &found), STATUS_NOT_FOUND);
	assert_int_equal(process_tree_find(0, &found), STATUS_NOT_FOUND);
	for (uint32_t i = 0; i < COUNT_OF(actor); i++) {
		uint64_t id = actor[i].process->id;

		actor_end(&actor[i]);
		assert_int_equal(process_tree_find(id, &found), STATUS_NOT_FOUND);
	}
	actor_begin(&actor[0], "another");
	assert_true(actor[0].process->id > last_id);
	actor_end(&actor[0]);
	task_machine_stop();
}

/* ---- what is left ---- */

/* The record, as long as a handle or an operation needs it, and nothing else; it is valid all the while. */
static void test_record(void **state)
{
	struct process *process, *found;
	struct actor actor;

	(void)state;
	for (uint32_t holds = 0; holds < 3; holds++) {
		task_machine_start(FRAMES);
		actor_begin(&actor, "ends");
		process = actor.process;
		process_use(process);
		for (uint32_t i = 0; i < holds; i++)
			process_add_hold(process);
		actor_end(&actor);
		(void)kernel_stack_trim();
		assert_int_equal(machine_frames() - frame_free_count(), 1);
		assert_true(process_is_valid(process));
		assert_int_equal(process_tree_count(), 1);
		for (uint32_t i = 0; i < holds; i++)
			process_drop_hold(process);
		assert_true(process_is_valid(process));
		assert_int_equal(process_tree_find(process->id, &found), STATUS_OK);
		process_end_use(found);
		process_end_use(process);
		assert_int_equal(process_tree_count(), 0);
		task_machine_stop();
	}
}

static void test_use_unless_gone(void **state)
{
	struct process process = { .references = 0 };

	(void)state;
	assert_false(process_use_unless_gone(&process));
	assert_int_equal(process.references, 0);
	process.references = 3;
	assert_true(process_use_unless_gone(&process));
	assert_int_equal(process.references, 4);
}

/* What a process has when it ends goes with it, ledgers and all: the kernel CHECKs them. */
static void test_end_full(void **state)
{
	struct actor actor;
	handle_t endpoint;

	(void)state;
	task_machine_start(FRAMES);
	actor_begin(&actor, "full");
	for (uint32_t i = 0; i < 300; i++)
		(void)actor_grant(&actor, INTERFACE_TIMER, TRANSFER_COPY, NULL);
	(void)actor_make_object(&actor, 20);
	endpoint = actor_make_endpoint(&actor);
	(void)actor_make_client(&actor, endpoint, 3, &actor);
	for (uint32_t i = 0; i < 5; i++)
		(void)actor_add_thread(&actor);
	actor_end(&actor);
	task_machine_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create),          cmocka_unit_test(test_name),
		cmocka_unit_test(test_refused_promise), cmocka_unit_test(test_limited_ledger),
		cmocka_unit_test(test_last_frames),     cmocka_unit_test(test_carve),
		cmocka_unit_test(test_carve_too_much),  cmocka_unit_test(test_carve_undone),
		cmocka_unit_test(test_family),          cmocka_unit_test(test_list),
		cmocka_unit_test(test_record),          cmocka_unit_test(test_use_unless_gone),
		cmocka_unit_test(test_end_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
