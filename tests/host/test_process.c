/* links: HOST_TASK_KERNEL */
/* Processes and their capability tables: made, filled, refused at each point where something can run out, ended. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "kernel/mem/anonymous.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/kernel_stack.h"
#include "kernel/task/process.h"
#include "lib/check.h"
#include "tests/host/host_support.h"
#include "tests/host/sweep.h"
#include "tests/host/task_machine.h"

#define FRAMES 2048u
#define STACK_SLOTS 4096u /* kernel_stack.c's */
#define MOST_BYTES 30000u /* that a ledger is short of, each tried */
#define PROCESS_BYTES (sizeof(struct process) + (KERNEL_STACK_PAGES + 1) * PAGE_SIZE)
#define READ_WRITE (PROTECTION_READ | PROTECTION_WRITE)

/* Memory objects are charged by whoever makes them, so a plain capability is one of another interface. */
static const struct cap_hold plain = { .interface = INTERFACE_TIMER, .mode = TRANSFER_COPY, .badge = 7 };

static struct process *create(const char *name)
{
	uint64_t limits[LEDGER_COUNT];
	struct process *process;

	task_machine_limits(limits, TASK_MACHINE_PLENTY);
	assert_int_equal(process_create(name, limits, &process), STATUS_OK);
	return process;
}

static void assert_valid(struct process *process)
{
	assert_true(process_is_valid(process));
	assert_true(address_space_is_valid(&process->space, machine_kernel_root()));
	assert_true(frame_is_valid());
	assert_true(heap_is_valid());
}

static uint64_t used(struct process *process, enum ledger_kind kind)
{
	struct memory_statistics statistics;

	process_read_statistics(process, &statistics);
	return statistics.ledger[kind].used;
}

/* ---- processes ---- */

static void test_create(void **state)
{
	uint64_t limits[LEDGER_COUNT];
	struct memory_statistics statistics;
	struct process *process;

	(void)state;
	task_machine_start(FRAMES);
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		limits[kind] = 100000 + kind;
	assert_int_equal(process_create("a name of more than thirty-one characters", limits, &process), STATUS_OK);
	assert_string_equal(process->name, "a name of more than thirty-one ");
	assert_ptr_equal(process->thread.process, process);
	assert_null(process->thread.ring);
	assert_int_equal(process->fault.kind, USER_FAULT_NONE);
	assert_int_equal(task_machine_stack_pages(), KERNEL_STACK_PAGES);
	process_read_statistics(process, &statistics);
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++) {
		uint64_t expected = kind == LEDGER_KERNEL_OBJECT ? PROCESS_BYTES : kind == LEDGER_PAGE_TABLE;

		assert_int_equal(statistics.ledger[kind].used, expected);
		assert_int_equal(statistics.ledger[kind].peak, expected);
		assert_int_equal(statistics.ledger[kind].limit, 100000 + kind);
	}
	assert_int_equal(statistics.system_free_frames, frame_free_count());
	assert_int_equal(machine_frames() - frame_free_count(), KERNEL_STACK_PAGES + 3); /* heap, directory, root */
	assert_valid(process);
	process_destroy(process);
	task_machine_stop();
}

static enum status attempt_process(const uint64_t limits[LEDGER_COUNT], uint64_t needs[LEDGER_COUNT])
{
	struct process *process;

	TRY(process_create("attempt", limits, &process));
	assert_true(process_is_valid(process));
	task_machine_read_peaks(process, needs);
	process_destroy(process);
	return STATUS_OK;
}

static void test_refused_promise(void **state)
{
	struct process *other;

	(void)state;
	task_machine_start(FRAMES);
	/* heap, directory, a frame and perhaps a table for each page of the stack, root */
	assert_int_equal(task_machine_refuse_promises(attempt_process), 3 + 2 * KERNEL_STACK_PAGES);
	other = create("other"); /* its slab has room for a second process */
	assert_int_equal(task_machine_refuse_promises(attempt_process), 2 + 2 * KERNEL_STACK_PAGES);
	assert_valid(other);
	process_destroy(other);
	task_machine_stop();
}

static void test_limited_ledger(void **state)
{
	struct process *other;

	(void)state;
	task_machine_start(FRAMES);
	other = create("other");
	task_machine_limit_ledgers(attempt_process);
	assert_valid(other);
	process_destroy(other);
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
	for (uint64_t left = 0; left < KERNEL_STACK_PAGES + 3; left++) {
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

/* The list is newest first, ids are never used again, and every stack slot is good for one process. */
static void test_many(void **state)
{
	static struct process *process[STACK_SLOTS];
	uint64_t limits[LEDGER_COUNT];
	struct process *found;
	struct host_random random;

	(void)state;
	host_random_init(&random, "process", 11);
	task_machine_start(STACK_SLOTS * (KERNEL_STACK_PAGES + 4));
	for (uint32_t i = 0; i < STACK_SLOTS; i++)
		process[i] = create("one of many");
	task_machine_limits(limits, TASK_MACHINE_PLENTY);
	assert_true(frame_free_count() > 100);
	assert_int_equal(process_create("too many", limits, &found), STATUS_OUT_OF_MEMORY);
	assert_int_equal(task_machine_stack_pages(), STACK_SLOTS * KERNEL_STACK_PAGES);
	for (uint32_t i = 0; i < STACK_SLOTS; i += 511) {
		assert_int_equal(process_at(STACK_SLOTS - 1 - i, &found), STATUS_OK);
		assert_ptr_equal(found, process[i]);
		assert_int_equal(process_find(process[i]->id, &found), STATUS_OK);
		assert_ptr_equal(found, process[i]);
		assert_int_equal(process[i]->id, process[0]->id + i);
	}
	assert_int_equal(process_at(STACK_SLOTS, &found), STATUS_NOT_FOUND);
	assert_int_equal(process_find(0, &found), STATUS_NOT_FOUND);
	for (uint32_t left = STACK_SLOTS; left > 0; left--) {
		uint32_t chosen = (uint32_t)host_random_below(&random, left);
		uint64_t id = process[chosen]->id;

		process_destroy(process[chosen]);
		assert_int_equal(process_find(id, &found), STATUS_NOT_FOUND);
		process[chosen] = process[left - 1];
	}
	task_machine_stop();
}

/* What a process has when it ends goes with it, ledgers and all: process_destroy CHECKs them. */
static void test_destroy_full(void **state)
{
	struct process *process;
	struct memory_object *object;
	struct uaddr_range range;
	struct cap_hold hold = { .interface = INTERFACE_MEMORY_OBJECT, .mode = TRANSFER_COPY };
	struct charge charge = { .kinds = 0 };
	handle_t handle;

	(void)state;
	task_machine_start(FRAMES);
	process = create("full");
	for (uint32_t i = 0; i < 300; i++)
		assert_int_equal(process_add_capability(process, &plain, &handle), STATUS_OK);
	assert_int_equal(memory_object_create(20, 0, &object), STATUS_OK);
	charge_add(&charge, LEDGER_FRAME_GRANT, 20);
	charge_add(&charge, LEDGER_KERNEL_OBJECT, memory_object_kernel_bytes(20, 0));
	assert_int_equal(account_charge_and_promise(&process->account, &charge, 0), STATUS_OK);
	hold.object = object;
	assert_int_equal(process_add_capability(process, &hold, &handle), STATUS_OK);
	assert_int_equal(process_use_capability(process, handle, &hold), STATUS_OK);
	assert_int_equal(object->uses, 1);
	process_end_use(&hold);
	assert_int_equal(object->uses, 0);
	assert_int_equal(object->holds, 1);
	assert_int_equal(
		anonymous_map(&process->space, &(struct placement){ 0, 40 * PAGE_SIZE, false }, READ_WRITE, &range),
		STATUS_OK);
	assert_valid(process);
	process_destroy(process);
	task_machine_stop();
}

/* ---- the capability table ---- */

static void add_many(struct process *process, uint32_t count)
{
	handle_t handle;

	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(process_add_capability(process, &plain, &handle), STATUS_OK);
}

struct slot_subject {
	struct process *process;
	uint32_t filled; /* slots, before the one that is refused */
	handle_t handle;
	struct task_snapshot before;
};

static enum status slot_run(void *subject)
{
	struct slot_subject *slot = subject;

	return process_add_capability(slot->process, &plain, &slot->handle);
}

static void slot_remember(void *subject)
{
	struct slot_subject *slot = subject;

	task_snapshot_take(&slot->before, slot->process);
}

static bool slot_is_unchanged(void *subject)
{
	struct slot_subject *slot = subject;

	return task_snapshot_holds(&slot->before, slot->process);
}

static void slot_leave_room(void *subject, enum ledger_kind kind, uint64_t room)
{
	struct slot_subject *slot = subject;

	machine_set_limit(&slot->process->account, kind, used(slot->process, kind) + room);
}

static struct sweep slot_begin(struct slot_subject *slot, uint32_t filled)
{
	*slot = (struct slot_subject){ .process = create("slots"), .filled = filled };
	add_many(slot->process, filled);
	return (struct sweep){ slot, slot_run, slot_remember, slot_is_unchanged, slot_leave_room, MOST_BYTES };
}

static void slot_end(struct slot_subject *slot)
{
	assert_int_equal(slot->handle, UINT32_C(1) << HANDLE_GENERATION_SHIFT | slot->filled);
	assert_int_equal(used(slot->process, LEDGER_CAP_SLOTS), slot->filled + 1);
	assert_valid(slot->process);
	process_destroy(slot->process);
}

/* One more capability than `filled`, each promise refused. How many promises there were. */
static uint64_t refuse_slot_promises(uint32_t filled)
{
	struct slot_subject slot;
	struct sweep sweep = slot_begin(&slot, filled);
	uint64_t promises = sweep_promises(&sweep);

	slot_end(&slot);
	return promises;
}

static void test_slot_promises(void **state)
{
	(void)state;
	task_machine_start(FRAMES);
	assert_int_equal(refuse_slot_promises(0), 1);
	assert_int_equal(refuse_slot_promises(1), 0);
	assert_int_equal(refuse_slot_promises(CAP_SLOTS_PER_PAGE - 1), 0);
	assert_int_equal(refuse_slot_promises(CAP_SLOTS_PER_PAGE), 1);
	assert_int_equal(refuse_slot_promises(CAP_SLOTS_PER_PAGE * 5), 1);
	task_machine_stop();
}

static void limit_slots(uint32_t filled, enum ledger_kind kind, uint64_t need)
{
	struct slot_subject slot;
	struct sweep sweep = slot_begin(&slot, filled);

	sweep_ledger(&sweep, kind, need);
	slot_end(&slot);
}

static void test_slot_ledgers(void **state)
{
	static const uint32_t filled[] = { 0, 1, CAP_SLOTS_PER_PAGE - 1, CAP_SLOTS_PER_PAGE, 2 * CAP_SLOTS_PER_PAGE };

	(void)state;
	task_machine_start(FRAMES);
	for (uint32_t i = 0; i < COUNT_OF(filled); i++) {
		bool grows = filled[i] % CAP_SLOTS_PER_PAGE == 0;

		limit_slots(filled[i], LEDGER_CAP_SLOTS, 1);
		limit_slots(filled[i], LEDGER_KERNEL_OBJECT, grows ? PAGE_SIZE : 0);
	}
	task_machine_stop();
}

static void test_release(void **state)
{
	struct task_snapshot before;
	struct process *process;
	struct cap_hold hold;
	handle_t first;
	handle_t second;

	(void)state;
	task_machine_start(FRAMES);
	process = create("release");
	assert_int_equal(process_add_capability(process, &plain, &first), STATUS_OK);
	assert_int_equal(process_use_capability(process, first, &hold), STATUS_OK);
	assert_int_equal(hold.badge, plain.badge);
	process_end_use(&hold);
	assert_int_equal(process_release_capability(process, first), STATUS_OK);
	assert_int_equal(used(process, LEDGER_CAP_SLOTS), 0);
	assert_int_equal(process_add_capability(process, &plain, &second), STATUS_OK);
	assert_int_equal(second, first + (UINT32_C(1) << HANDLE_GENERATION_SHIFT));
	task_snapshot_take(&before, process);
	assert_int_equal(process_release_capability(process, first), STATUS_NO_SUCH_CAPABILITY);
	assert_int_equal(process_use_capability(process, first, &hold), STATUS_NO_SUCH_CAPABILITY);
	assert_int_equal(process_release_capability(process, HANDLE_NONE), STATUS_NO_SUCH_CAPABILITY);
	assert_int_equal(process_release_capability(process, second + 1), STATUS_NO_SUCH_CAPABILITY);
	assert_int_equal(process_release_capability(process, UINT32_MAX), STATUS_NO_SUCH_CAPABILITY);
	assert_true(task_snapshot_holds(&before, process));
	assert_valid(process);
	process_destroy(process);
	task_machine_stop();
}

/* A slot whose generations are used up names nothing any more; its ledger is whole all the same. */
static void test_retired_slot(void **state)
{
	struct process *process;
	handle_t handle;

	(void)state;
	task_machine_start(FRAMES);
	process = create("retired");
	for (uint32_t generation = 1; generation <= UINT16_MAX; generation++) {
		assert_int_equal(process_add_capability(process, &plain, &handle), STATUS_OK);
		assert_int_equal(handle, generation << HANDLE_GENERATION_SHIFT);
		assert_int_equal(process_release_capability(process, handle), STATUS_OK);
	}
	assert_int_equal(process->caps.retired, 1);
	assert_int_equal(process_add_capability(process, &plain, &handle), STATUS_OK);
	assert_int_equal(handle, (UINT32_C(1) << HANDLE_GENERATION_SHIFT) + 1);
	assert_valid(process);
	process_destroy(process);
	task_machine_stop();
}

/* Ids end before ledgers and memory do: the table's own limit refuses, and leaves no trace. */
static void test_full_table(void **state)
{
	static handle_t handle[CAP_TABLE_MAX_SLOTS];
	struct task_snapshot before;
	struct process *process;
	handle_t refused;

	(void)state;
	task_machine_start(FRAMES);
	process = create("65535 slots");
	for (uint32_t i = 0; i < CAP_TABLE_MAX_SLOTS; i++)
		assert_int_equal(process_add_capability(process, &plain, &handle[i]), STATUS_OK);
	assert_int_equal(used(process, LEDGER_KERNEL_OBJECT), PROCESS_BYTES + CAP_TABLE_PAGES * PAGE_SIZE);
	task_snapshot_take(&before, process);
	assert_int_equal(process_add_capability(process, &plain, &refused), STATUS_OVER_CAP_SLOTS);
	assert_true(task_snapshot_holds(&before, process));
	assert_int_equal(process_release_capability(process, handle[777]), STATUS_OK);
	assert_int_equal(process_add_capability(process, &plain, &refused), STATUS_OK);
	assert_int_equal(refused, handle[777] + (UINT32_C(1) << HANDLE_GENERATION_SHIFT));
	assert_valid(process);
	process_destroy(process);
	task_machine_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create),         cmocka_unit_test(test_refused_promise),
		cmocka_unit_test(test_limited_ledger), cmocka_unit_test(test_last_frames),
		cmocka_unit_test(test_many),           cmocka_unit_test(test_destroy_full),
		cmocka_unit_test(test_slot_promises),  cmocka_unit_test(test_slot_ledgers),
		cmocka_unit_test(test_release),        cmocka_unit_test(test_retired_slot),
		cmocka_unit_test(test_full_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
