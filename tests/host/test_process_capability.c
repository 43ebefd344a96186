/* links: HOST_TASK_KERNEL */
/* The capabilities of a process: slots taken, refused at each point where something can run out, promised, given back.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/mem/heap.h"
#include "kernel/task/process_capability.h"
#include "lib/check.h"
#include "tests/host/host_support.h"
#include "tests/host/sweep.h"
#include "tests/host/task_machine.h"
#include "tests/host/task_snapshot.h"

#define FRAMES 2048u
#define ORIGIN UINT64_C(0xfedcba987654) /* of 48 bits, so more than one half has */
#define MOST_BYTES 5000u                /* that a ledger is short of, each tried */
#define FIRST_GENERATION (UINT32_C(1) << HANDLE_GENERATION_SHIFT)
#define PROCESS_BYTES (PROCESS_KERNEL_BYTES + PAGE_SIZE) /* with the directory of its table */

/* Of an object that nobody counts. */
static struct cap_hold plain = { .interface = INTERFACE_TIMER, .mode = TRANSFER_COPY, .badge = 7 };

static struct process *create(const char *name)
{
	uint64_t limits[LEDGER_COUNT];
	struct process_template template = { name, NULL, limits, THREAD_PRIORITY_DEFAULT };
	struct process *process;

	task_machine_limits(limits, TASK_MACHINE_PLENTY);
	assert_int_equal(process_create(&template, &process), STATUS_OK);
	return process;
}

static void assert_valid(struct process *process)
{
	assert_true(process_is_valid(process));
	assert_true(frame_is_valid());
	assert_true(heap_is_valid());
}

static uint64_t used(struct process *process, enum ledger_kind kind)
{
	struct memory_statistics statistics;

	process_read_statistics(process, &statistics);
	return statistics.ledger[kind].used;
}

static void add_many(struct process *process, uint32_t count)
{
	handle_t handle;

	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(process_capability_add(process, &plain, ORIGIN, &handle), STATUS_OK);
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

	return process_capability_add(slot->process, &plain, ORIGIN, &slot->handle);
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
	assert_int_equal(slot->handle, FIRST_GENERATION | slot->filled);
	assert_int_equal(used(slot->process, LEDGER_CAP_SLOTS), slot->filled + 1);
	assert_valid(slot->process);
	process_discard(slot->process);
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
	assert_int_equal(process_capability_add(process, &plain, ORIGIN, &first), STATUS_OK);
	assert_int_equal(process_capability_use(process, first, &hold), STATUS_OK);
	assert_int_equal(hold.badge, plain.badge);
	assert_int_equal(cap_hold_origin(&hold), ORIGIN);
	hold_end_use(&hold);
	assert_int_equal(process_capability_release(process, first), STATUS_OK);
	assert_int_equal(used(process, LEDGER_CAP_SLOTS), 0);
	assert_int_equal(process_capability_add(process, &plain, ORIGIN, &second), STATUS_OK);
	assert_int_equal(second, first + FIRST_GENERATION);
	task_snapshot_take(&before, process);
	assert_int_equal(process_capability_release(process, first), STATUS_NO_SUCH_CAPABILITY);
	assert_int_equal(process_capability_use(process, first, &hold), STATUS_NO_SUCH_CAPABILITY);
	assert_int_equal(process_capability_release(process, HANDLE_NONE), STATUS_NO_SUCH_CAPABILITY);
	assert_int_equal(process_capability_release(process, second + 1), STATUS_NO_SUCH_CAPABILITY);
	assert_int_equal(process_capability_release(process, UINT32_MAX), STATUS_NO_SUCH_CAPABILITY);
	assert_true(task_snapshot_holds(&before, process));
	assert_valid(process);
	process_discard(process);
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
		assert_int_equal(process_capability_add(process, &plain, ORIGIN, &handle), STATUS_OK);
		assert_int_equal(handle, generation << HANDLE_GENERATION_SHIFT);
		assert_int_equal(process_capability_release(process, handle), STATUS_OK);
	}
	assert_int_equal(process->caps.retired, 1);
	assert_int_equal(process_capability_add(process, &plain, ORIGIN, &handle), STATUS_OK);
	assert_int_equal(handle, FIRST_GENERATION + 1);
	assert_valid(process);
	process_discard(process);
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
		assert_int_equal(process_capability_add(process, &plain, ORIGIN, &handle[i]), STATUS_OK);
	assert_int_equal(used(process, LEDGER_KERNEL_OBJECT), PROCESS_BYTES + CAP_TABLE_PAGES * PAGE_SIZE);
	task_snapshot_take(&before, process);
	assert_int_equal(process_capability_add(process, &plain, ORIGIN, &refused), STATUS_OVER_CAP_SLOTS);
	assert_true(task_snapshot_holds(&before, process));
	assert_int_equal(process_capability_release(process, handle[777]), STATUS_OK);
	assert_int_equal(process_capability_add(process, &plain, ORIGIN, &refused), STATUS_OK);
	assert_int_equal(refused, handle[777] + FIRST_GENERATION);
	assert_valid(process);
	process_discard(process);
	task_machine_stop();
}

/* ---- room that is promised ---- */

static enum status plan_slots(struct process *process, uint32_t slots, struct charge *charge,
			      struct capability_plan *plan)
{
	enum status status;

	*charge = (struct charge){ .kinds = 0 };
	TRY(process_capability_plan(process, slots, charge, plan));
	status = account_charge_and_promise(&process->account, charge, plan->frames);
	if (status != STATUS_OK)
		process_capability_cancel(process, plan);
	return status;
}

static void use_plan(struct process *process, const struct capability_plan *plan, uint32_t slots)
{
	handle_t handle[8];

	assert_true(slots <= COUNT_OF(handle));
	process_capability_reserve(process, plan, slots, handle);
	for (uint32_t i = 0; i < slots; i++)
		process_capability_publish(process, handle[i], &plain, ORIGIN);
}

static void cancel_plan(struct process *process, const struct charge *charge, const struct capability_plan *plan)
{
	frame_promise_return(plan->frames);
	account_cancel(&process->account, charge);
	process_capability_cancel(process, plan);
}

/* What one operation counts on, another one does not get; each brings its own page if there is none to spare. */
static void test_interleaved_plans(void **state)
{
	struct capability_plan plan[3];
	struct charge charge[3];
	struct process *process;
	handle_t handle;

	(void)state;
	task_machine_start(FRAMES);
	process = create("plans");
	add_many(process, CAP_SLOTS_PER_PAGE - 6);
	assert_int_equal(plan_slots(process, 4, &charge[0], &plan[0]), STATUS_OK);
	assert_int_equal(plan[0].frames, 0);
	assert_int_equal(process->promised_slots, 4);
	assert_int_equal(plan_slots(process, 4, &charge[1], &plan[1]), STATUS_OK); /* two are left: a page */
	assert_int_equal(plan[1].frames, 1);
	assert_int_equal(process->promised_slots, 4);
	assert_int_equal(plan_slots(process, 2, &charge[2], &plan[2]), STATUS_OK); /* the two */
	assert_int_equal(plan[2].frames, 0);
	assert_int_equal(process->promised_slots, 6);
	use_plan(process, &plan[1], 4);
	use_plan(process, &plan[2], 2);
	assert_int_equal(process_capability_add(process, &plain, ORIGIN, &handle), STATUS_OK);
	use_plan(process, &plan[0], 4);
	assert_int_equal(process->promised_slots, 0);
	assert_int_equal(process->caps.pages, 2);
	assert_int_equal(used(process, LEDGER_CAP_SLOTS), CAP_SLOTS_PER_PAGE - 6 + 11);
	assert_valid(process);
	process_discard(process);
	task_machine_stop();
}

static void test_cancelled_plans(void **state)
{
	static const uint32_t filled[] = { 0, CAP_SLOTS_PER_PAGE - 5, CAP_SLOTS_PER_PAGE };

	(void)state;
	task_machine_start(FRAMES);
	for (uint32_t i = 0; i < COUNT_OF(filled); i++) {
		struct process *process = create("cancelled");
		struct capability_plan plan[2];
		struct task_snapshot before;
		struct charge charge[2];

		add_many(process, filled[i]);
		task_snapshot_take(&before, process);
		for (uint32_t k = 0; k < COUNT_OF(plan); k++)
			assert_int_equal(plan_slots(process, 4, &charge[k], &plan[k]), STATUS_OK);
		for (uint32_t k = 0; k < COUNT_OF(plan); k++)
			cancel_plan(process, &charge[k], &plan[k]);
		assert_true(task_snapshot_holds(&before, process));
		assert_valid(process);
		process_discard(process);
	}
	task_machine_stop();
}

/* Two operations that both count on the last page of ids: the second one is refused, and does not find it missing. */
static void test_last_page(void **state)
{
	struct capability_plan plan[2];
	struct task_snapshot before;
	struct process *process;
	struct charge charge[2];

	(void)state;
	task_machine_start(FRAMES);
	process = create("last page");
	add_many(process, (CAP_TABLE_PAGES - 1) * CAP_SLOTS_PER_PAGE);
	assert_int_equal(plan_slots(process, 1, &charge[0], &plan[0]), STATUS_OK);
	assert_int_equal(plan[0].frames, 1);
	task_snapshot_take(&before, process);
	assert_int_equal(plan_slots(process, 1, &charge[1], &plan[1]), STATUS_OVER_CAP_SLOTS);
	assert_true(task_snapshot_holds(&before, process));
	cancel_plan(process, &charge[0], &plan[0]);
	assert_int_equal(plan_slots(process, 1, &charge[1], &plan[1]), STATUS_OK);
	use_plan(process, &plan[1], 1);
	assert_valid(process);
	process_discard(process);
	task_machine_stop();
}

/* Random plans in each other's way, against what was planned; ledgers and table agree after each step. */
static void test_random_plans(void **state)
{
	struct capability_plan plan[6];
	struct charge charge[6];
	uint32_t slots[6] = { 0 };
	struct host_random random;
	struct process *process;
	uint64_t planned = 0, live = 0;

	(void)state;
	host_random_init(&random, "process_capability", 31);
	task_machine_start(FRAMES);
	process = create("random plans");
	for (uint64_t round = host_rounds(20000); round > 0; round--) {
		uint32_t i = (uint32_t)host_random_below(&random, COUNT_OF(plan));

		if (slots[i] == 0 && live < 1000) {
			slots[i] = 1 + (uint32_t)host_random_below(&random, 8);
			assert_int_equal(plan_slots(process, slots[i], &charge[i], &plan[i]), STATUS_OK);
			planned += slots[i];
		} else if (slots[i] != 0) {
			bool is_used = host_random_once_in(&random, 2);

			if (is_used)
				use_plan(process, &plan[i], slots[i]);
			else
				cancel_plan(process, &charge[i], &plan[i]);
			planned -= slots[i];
			live += is_used ? slots[i] : 0;
			slots[i] = 0;
		} else {
			process_capability_release_all(process);
			live = 0;
		}
		assert_int_equal(process->caps.used, live);
		assert_int_equal(used(process, LEDGER_CAP_SLOTS), live + planned);
		assert_true(cap_table_is_valid(&process->caps));
		assert_true(process->promised_slots <= process->caps.slots - process->caps.used);
	}
	for (uint32_t i = 0; i < COUNT_OF(plan); i++)
		if (slots[i] != 0)
			cancel_plan(process, &charge[i], &plan[i]);
	assert_valid(process);
	process_discard(process);
	task_machine_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slot_promises),   cmocka_unit_test(test_slot_ledgers),
		cmocka_unit_test(test_release),         cmocka_unit_test(test_retired_slot),
		cmocka_unit_test(test_full_table),      cmocka_unit_test(test_interleaved_plans),
		cmocka_unit_test(test_cancelled_plans), cmocka_unit_test(test_last_page),
		cmocka_unit_test(test_random_plans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
