/* links: HOST_TASK_KERNEL */
/* The threads of a process: places, ids, rings; made all or nothing; how they end, and who learns of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "abi/process_abi.h"
#include "abi/thread_control_abi.h"
#include "abi/timer_abi.h"
#include "kernel/mem/kernel_stack.h"
#include "kernel/task/process_end.h"
#include "lib/check.h"
#include "tests/host/actor.h"
#include "tests/host/host_support.h"
#include "tests/host/sweep.h"
#include "tests/host/task_scheduler.h"
#include "tests/host/task_snapshot.h"

#define FRAMES 2048u
#define RESULT ACTOR_MEMORY

static const struct thread_start good_start = { ACTOR_MEMORY, ACTOR_MEMORY + PAGE_SIZE, ACTOR_MEMORY, 77,
						THREAD_PRIORITY_DEFAULT };

static struct actor actor;

static void begin(void)
{
	task_machine_start(FRAMES);
	actor_begin(&actor, "threads");
}

static void end(void)
{
	actor_end(&actor);
	task_machine_stop();
}

static enum status create(struct thread **thread, uint64_t *id)
{
	return process_thread_create(actor.process, &good_start, thread, id);
}

static bool has_page(uint64_t address)
{
	struct virtual_memory_region region;

	assert_int_equal(address_space_query(&actor.process->space, address, &region), STATUS_OK);
	return region.kind == PAGE_BOOTSTRAP;
}

/* ---- making ---- */

static void test_create(void **state)
{
	struct thread *thread;
	uint64_t id;

	(void)state;
	begin();
	assert_int_equal(process_thread_id(actor.process, actor.thread), 0); /* the first one */
	assert_int_equal(actor.thread->ring_address, RING_ADDRESS);
	assert_int_equal(create(&thread, &id), STATUS_OK);
	assert_int_equal(id, 1);
	assert_int_equal(process_thread_id(actor.process, thread), id);
	assert_ptr_equal(thread->process, actor.process);
	assert_int_equal(thread->index, 1);
	assert_int_equal(thread->ring_address, RING_ADDRESS + PAGE_SIZE);
	assert_int_equal(thread->entry, good_start.entry);
	assert_int_equal(thread->user_stack, good_start.stack);
	assert_int_equal(thread->segments.fs_base, good_start.tls);
	assert_int_equal(thread->segments.gs_base, 0);
	assert_int_equal(thread->argument, 77);
	assert_int_equal(thread->priority, THREAD_PRIORITY_DEFAULT);
	assert_int_equal(thread->open_count, 0);
	assert_int_equal(ring_check(thread->ring), STATUS_OK);
	assert_true(has_page(thread->ring_address));
	assert_int_equal(task_machine_stack_pages(), 2 * KERNEL_STACK_PAGES);
	actor_assert_valid(&actor);
	end();
}

struct subject {
	struct task_snapshot before;
};

static enum status run(void *subject)
{
	struct thread *thread;
	uint64_t id;

	(void)subject;
	return create(&thread, &id);
}

static void remember(void *subject)
{
	task_snapshot_take(&((struct subject *)subject)->before, actor.process);
}

static bool is_unchanged(void *subject)
{
	return task_snapshot_holds(&((struct subject *)subject)->before, actor.process);
}

static void leave_room(void *subject, enum ledger_kind kind, uint64_t room)
{
	(void)subject;
	machine_set_limit(&actor.process->account, kind, actor_used(&actor, kind) + room);
}

static struct sweep sweep_of(struct subject *subject)
{
	return (struct sweep){ subject, run, remember, is_unchanged, leave_room, 3000 };
}

static void test_refused(void **state)
{
	struct subject subject;
	struct sweep sweep = sweep_of(&subject);

	(void)state;
	begin();
	/* the record; a frame and perhaps a table for each page of the stack; the ring */
	assert_int_equal(sweep_promises(&sweep), 1 + 2 * KERNEL_STACK_PAGES + 1);
	actor_assert_valid(&actor);
	end();
	begin();
	sweep_ledger(&sweep, LEDGER_KERNEL_OBJECT, THREAD_KERNEL_BYTES);
	end();
	begin();
	sweep_ledger(&sweep, LEDGER_IMAGE, 1);
	end();
}

static void test_bad_starts(void **state)
{
	static const struct {
		struct thread_start start;
		enum status status;
	} bad[] = {
		{ { USER_LIMIT, ACTOR_MEMORY, ACTOR_MEMORY, 0, 0 }, STATUS_NOT_USER_ADDRESS },
		{ { UINT64_C(1) << 47, ACTOR_MEMORY, ACTOR_MEMORY, 0, 0 }, STATUS_NOT_USER_ADDRESS },
		{ { UINT64_MAX, ACTOR_MEMORY, ACTOR_MEMORY, 0, 0 }, STATUS_NOT_USER_ADDRESS },
		{ { ACTOR_MEMORY, 0, ACTOR_MEMORY, 0, 0 }, STATUS_NOT_USER_ADDRESS },
		{ { ACTOR_MEMORY, USER_LIMIT + 1, ACTOR_MEMORY, 0, 0 }, STATUS_NOT_USER_ADDRESS },
		{ { ACTOR_MEMORY, UINT64_C(1) << 63, ACTOR_MEMORY, 0, 0 }, STATUS_NOT_USER_ADDRESS },
		{ { ACTOR_MEMORY, ACTOR_MEMORY, USER_LIMIT, 0, 0 }, STATUS_NOT_USER_ADDRESS },
		{ { ACTOR_MEMORY, ACTOR_MEMORY, UINT64_C(1) << 62, 0, 0 }, STATUS_NOT_USER_ADDRESS },
		{ { ACTOR_MEMORY, ACTOR_MEMORY, ACTOR_MEMORY, 0, THREAD_PRIORITY_DEFAULT + 1 }, STATUS_BAD_ARGUMENT },
	};
	struct thread_start edge = { ACTOR_MEMORY, USER_LIMIT, ACTOR_MEMORY, UINT64_MAX, 0 };
	struct task_snapshot before;
	struct thread *thread;
	uint64_t id;

	(void)state;
	begin();
	task_snapshot_take(&before, actor.process);
	for (uint32_t i = 0; i < COUNT_OF(bad); i++) {
		assert_int_equal(process_thread_create(actor.process, &bad[i].start, &thread, &id), bad[i].status);
		assert_true(task_snapshot_holds(&before, actor.process));
	}
	assert_int_equal(process_thread_create(actor.process, &edge, &thread, &id), STATUS_OK);
	end();
}

/* As many as a process may have, and one more; a place is free again when its thread was asked for, under a new id. */
static void test_places(void **state)
{
	struct thread *thread[THREAD_MAX];
	struct ring_completion completion;
	struct task_snapshot before;
	struct thread *more;
	handle_t control;
	uint64_t id;

	(void)state;
	begin();
	control = actor_grant(&actor, INTERFACE_THREAD_CONTROL, TRANSFER_NONE, actor.process);
	for (uint32_t i = 1; i < THREAD_MAX; i++) {
		assert_int_equal(create(&thread[i], &id), STATUS_OK);
		assert_int_equal(id, i);
	}
	task_snapshot_take(&before, actor.process);
	assert_int_equal(create(&more, &id), STATUS_BUSY);
	assert_true(task_snapshot_holds(&before, actor.process));
	actor_end_thread(thread[9], -5);
	assert_false(has_page(RING_ADDRESS + 9 * PAGE_SIZE));
	assert_int_equal(create(&more, &id), STATUS_BUSY); /* nobody has asked */
	completion = ACTOR_CALL(actor.thread, RING_CALL, THREAD_CONTROL_WAIT, control, 9);
	assert_int_equal(actor_status(&completion), STATUS_OK);
	assert_int_equal((int64_t)completion.value, -5);
	completion = ACTOR_CALL(actor.thread, RING_CALL, THREAD_CONTROL_WAIT, control, 9);
	assert_int_equal(actor_status(&completion), STATUS_NOT_FOUND);
	assert_int_equal(create(&more, &id), STATUS_OK);
	assert_int_equal(id, 1 << 8 | 9);
	assert_int_equal(more->ring_address, RING_ADDRESS + 9 * PAGE_SIZE);
	actor_assert_valid(&actor);
	end();
}

/* Each that is discarded leaves nothing, not even an id. */
static void test_discard(void **state)
{
	struct task_snapshot before;
	struct thread *thread;
	uint64_t id, again;

	(void)state;
	begin();
	assert_int_equal(create(&thread, &id), STATUS_OK); /* so that peaks are reached */
	process_thread_discard(actor.process, thread);
	task_snapshot_take(&before, actor.process);
	assert_int_equal(create(&thread, &again), STATUS_OK);
	assert_int_equal(again, id);
	process_thread_discard(actor.process, thread);
	assert_true(task_snapshot_holds(&before, actor.process));
	actor_assert_valid(&actor);
	end();
}

/* ---- waiting ---- */

static void test_wait(void **state)
{
	struct ring_completion completion;
	struct thread_exit report = { 0 };
	struct thread *first, *second;
	handle_t control;
	uint64_t user_data;

	(void)state;
	begin();
	control = actor_grant(&actor, INTERFACE_THREAD_CONTROL, TRANSFER_NONE, actor.process);
	first = actor_add_thread(&actor);
	second = actor_add_thread(&actor);
	(void)ACTOR_SUBMIT(actor.thread, RING_CALL, THREAD_CONTROL_WAIT, control, 1, RESULT, sizeof(report));
	(void)ACTOR_SUBMIT(second, RING_CALL, THREAD_CONTROL_WAIT, control, 1, RESULT + 100, sizeof(report));
	user_data = ACTOR_SUBMIT(second, RING_CALL, THREAD_CONTROL_WAIT, control, 0);
	assert_int_equal(actor.process->thread_waits.count, 3);
	assert_int_equal(actor_take(actor.thread, &completion), STATUS_WOULD_BLOCK);
	actor_assert_valid(&actor);
	first->run_time.word = 12345;
	actor_end_thread(first, 42);
	assert_int_equal(actor_take(actor.thread, &completion), STATUS_OK);
	assert_int_equal(completion.result, 0);
	assert_int_equal(completion.value, 42);
	actor_read(&actor, RESULT, &report, sizeof(report));
	assert_int_equal(report.thread_id, 1);
	assert_int_equal(report.code, 42);
	assert_int_equal(report.run_ns, 12345);
	assert_int_equal(actor_take(second, &completion), STATUS_OK);
	assert_int_equal(completion.value, 42);
	assert_int_equal(actor_take(second, &completion), STATUS_WOULD_BLOCK);
	(void)ACTOR_SUBMIT(second, RING_CANCEL, 0, HANDLE_NONE, user_data);
	assert_int_equal(actor_take(second, &completion), STATUS_OK);
	assert_int_equal(completion.user_data, user_data);
	assert_int_equal(actor_status(&completion), STATUS_CANCELLED);
	assert_int_equal(actor.process->thread_waits.count, 0);
	end();
}

static void test_wait_refused(void **state)
{
	static const uint64_t wrong[] = { 1, 63, 64, 255, 1 << 8, UINT64_C(1) << 32, UINT64_MAX };
	struct ring_completion completion;
	struct task_snapshot before;
	handle_t control;

	(void)state;
	begin();
	control = actor_grant(&actor, INTERFACE_THREAD_CONTROL, TRANSFER_NONE, actor.process);
	task_snapshot_take(&before, actor.process);
	for (uint32_t i = 0; i < COUNT_OF(wrong); i++) {
		completion = ACTOR_CALL(actor.thread, RING_CALL, THREAD_CONTROL_WAIT, control, wrong[i]);
		assert_int_equal(actor_status(&completion), STATUS_NOT_FOUND);
	}
	completion = ACTOR_CALL(actor.thread, RING_CALL, THREAD_CONTROL_WAIT, control, 0);
	assert_int_equal(actor_status(&completion), STATUS_BAD_ARGUMENT);
	completion = ACTOR_CALL(actor.thread, RING_CALL, THREAD_CONTROL_WAIT, control, 1, RESULT, 23);
	assert_int_equal(actor_status(&completion), STATUS_TOO_LONG);
	assert_true(task_snapshot_holds(&before, actor.process));
	assert_int_equal(actor.thread->open_count, 0);
	end();
}

/* What lies behind the last place, in memory that others may come to write, is no place, whatever it says. */
static void test_no_such_place(void **state)
{
	const uint64_t first = offsetof(struct process, slot);
	const uint64_t index = (PAGE_SIZE - first) / sizeof(struct thread_slot) - 1; /* the last of the frame */
	const uint64_t offset = first + index * sizeof(struct thread_slot);
	const struct thread_slot ended = { .code = 5, .state = THREAD_SLOT_ENDED };
	const struct thread_slot nothing = { 0 };
	struct ring_completion completion;
	handle_t control;

	(void)state;
	assert_in_range(index, THREAD_MAX, 255); /* an id can say so */
	assert_true(offset >= sizeof(struct process));
	begin();
	control = actor_grant(&actor, INTERFACE_THREAD_CONTROL, TRANSFER_NONE, actor.process);
	memcpy((uint8_t *)actor.process + offset, &ended, sizeof(ended));
	completion = ACTOR_CALL(actor.thread, RING_CALL, THREAD_CONTROL_WAIT, control, index);
	memcpy((uint8_t *)actor.process + offset, &nothing, sizeof(nothing));
	assert_int_equal(actor_status(&completion), STATUS_NOT_FOUND);
	end();
}

/* A bad buffer costs the waiter what it would have been told, and nobody else anything. */
static void test_wait_fault(void **state)
{
	const uint64_t across = ACTOR_READABLE - sizeof(struct thread_exit) + 8;
	struct thread_exit report = { 0 };
	struct ring_completion completion;
	struct thread *thread, *other;
	uint64_t was = 77, is;
	handle_t control;

	(void)state;
	begin();
	control = actor_grant(&actor, INTERFACE_THREAD_CONTROL, TRANSFER_NONE, actor.process);
	thread = actor_add_thread(&actor);
	other = actor_add_thread(&actor);
	actor_write(&actor, across, &was, sizeof(was));
	(void)ACTOR_SUBMIT(actor.thread, RING_CALL, THREAD_CONTROL_WAIT, control, 1, across, sizeof(report));
	(void)ACTOR_SUBMIT(other, RING_CALL, THREAD_CONTROL_WAIT, control, 1, RESULT, sizeof(report));
	actor_end_thread(thread, 3);
	assert_int_equal(actor.process->slot[1].state, THREAD_SLOT_FREE);
	actor_read(&actor, RESULT, &report, sizeof(report));
	assert_int_equal(report.thread_id, 0); /* each is told by itself */
	assert_int_equal(actor_take(actor.thread, &completion), STATUS_OK);
	assert_int_equal(actor_status(&completion), STATUS_BUFFER_FAULT);
	assert_int_equal(completion.value, 0);
	assert_int_equal(actor.thread->refused, 1);
	actor_read(&actor, across, &is, sizeof(is));
	assert_int_equal(is, was);
	assert_int_equal(actor_take(other, &completion), STATUS_OK);
	assert_int_equal(actor_status(&completion), STATUS_OK);
	assert_int_equal(completion.value, 3);
	actor_read(&actor, RESULT, &report, sizeof(report));
	assert_int_equal(report.thread_id, 1);
	assert_int_equal(report.code, 3);
	actor_assert_valid(&actor);
	end();
}

/* ---- calls ---- */

static void test_control(void **state)
{
	struct ring_completion completion;
	struct thread *thread;
	handle_t control;

	(void)state;
	begin();
	control = actor_grant(&actor, INTERFACE_THREAD_CONTROL, TRANSFER_NONE, actor.process);
	completion = ACTOR_CALL(actor.thread, RING_CALL, THREAD_CONTROL_CREATE, control, ACTOR_MEMORY,
				ACTOR_MEMORY + 64, ACTOR_MEMORY, 5, 1);
	assert_int_equal(actor_status(&completion), STATUS_OK);
	assert_int_equal(completion.value, 1);
	thread = task_scheduler_log.last_added;
	assert_ptr_equal(thread, actor.process->slot[1].thread);
	assert_int_equal(thread->priority, 1);
	completion = ACTOR_CALL(thread, RING_CALL, THREAD_CONTROL_SELF, control, 0);
	assert_int_equal(completion.value, 1);
	completion = ACTOR_CALL(actor.thread, RING_CALL, THREAD_CONTROL_SET_PRIORITY, control, 1, 2);
	assert_int_equal(actor_status(&completion), STATUS_OK);
	assert_int_equal(thread->priority, 2);
	assert_ptr_equal(task_scheduler_log.prioritised, thread);
	completion = ACTOR_CALL(actor.thread, RING_CALL, THREAD_CONTROL_SET_PRIORITY, control, 1, 4);
	assert_int_equal(actor_status(&completion), STATUS_BAD_ARGUMENT);
	completion = ACTOR_CALL(actor.thread, RING_CALL, THREAD_CONTROL_SET_PRIORITY, control, 2, 1);
	assert_int_equal(actor_status(&completion), STATUS_NOT_FOUND);
	completion = ACTOR_CALL(actor.thread, RING_CALL, THREAD_CONTROL_YIELD, control, 0);
	assert_int_equal(task_scheduler_log.yielded, 1);
	completion = ACTOR_CALL(actor.thread, RING_CALL, THREAD_CONTROL_CREATE, control, ACTOR_MEMORY,
				ACTOR_MEMORY + 64, ACTOR_MEMORY, 5, UINT64_C(1) << 32);
	assert_int_equal(actor_status(&completion), STATUS_BAD_ARGUMENT);
	actor_end_thread(thread, 0);
	completion = ACTOR_CALL(actor.thread, RING_CALL, THREAD_CONTROL_SET_PRIORITY, control, 1, 1);
	assert_int_equal(actor_status(&completion), STATUS_NOT_FOUND); /* ended, not asked for */
	end();
}

static void exit_by_call(void *control)
{
	(void)ACTOR_SUBMIT(actor.thread, RING_CALL, THREAD_CONTROL_EXIT, *(handle_t *)control, 9);
}

/* The last thread's end is the process's; what it had open goes with it. */
static void test_exit(void **state)
{
	struct process_exit exit;
	struct process *process;
	handle_t control, timer;

	(void)state;
	begin();
	process = actor.process;
	process_add_hold(process);
	control = actor_grant(&actor, INTERFACE_THREAD_CONTROL, TRANSFER_NONE, process);
	timer = actor_grant(&actor, INTERFACE_TIMER, TRANSFER_COPY, NULL);
	(void)ACTOR_SUBMIT(actor.thread, RING_CALL, TIMER_SLEEP, timer, 1000);
	assert_true(task_scheduler_run(actor.thread, exit_by_call, &control));
	assert_true(process->ended);
	process_end_read(process, &exit);
	assert_int_equal(exit.code, 9);
	assert_int_equal(exit.end, PROCESS_EXITED);
	assert_int_equal(exit.process_id, process->id);
	assert_int_equal(task_scheduler_log.left_space, 1);
	process_drop_hold(process);
	task_machine_stop();
}

/* Nobody joins a process that is ending. */
static void test_ending(void **state)
{
	const struct process_exit exit = { .code = 1, .end = PROCESS_KILLED };
	struct task_snapshot before;
	struct thread *thread;
	uint64_t id;

	(void)state;
	begin();
	assert_int_equal(create(&thread, &id), STATUS_OK); /* peaks */
	process_thread_discard(actor.process, thread);
	process_end_begin(actor.process, &exit);
	task_snapshot_take(&before, actor.process);
	assert_int_equal(create(&thread, &id), STATUS_GONE);
	assert_true(task_snapshot_holds(&before, actor.process));
	end();
}

/* Threads come and go at random against a plain count of them. */
static void test_random(void **state)
{
	struct thread *live[THREAD_MAX] = { NULL };
	struct ring_completion completion;
	struct host_random random;
	uint64_t id[THREAD_MAX] = { 0 };
	bool is_ended[THREAD_MAX] = { false };
	handle_t control;

	(void)state;
	host_random_init(&random, "process_thread", 41);
	begin();
	control = actor_grant(&actor, INTERFACE_THREAD_CONTROL, TRANSFER_NONE, actor.process);
	for (uint64_t round = host_rounds(3000); round > 0; round--) {
		uint32_t i = 1 + (uint32_t)host_random_below(&random, THREAD_MAX - 1);
		struct thread *thread;
		uint64_t new_id;

		if (live[i] != NULL) {
			actor_end_thread(live[i], (int64_t)i);
			live[i] = NULL;
			is_ended[i] = true;
		} else if (is_ended[i]) {
			completion = ACTOR_CALL(actor.thread, RING_CALL, THREAD_CONTROL_WAIT, control, id[i]);
			assert_int_equal(actor_status(&completion), STATUS_OK);
			assert_int_equal(completion.value, i);
			is_ended[i] = false;
		} else if (create(&thread, &new_id) == STATUS_OK) {
			assert_null(live[thread->index]);
			assert_false(is_ended[thread->index]);
			assert_true(id[thread->index] == 0 || new_id == id[thread->index] + (1 << 8));
			live[thread->index] = thread;
			id[thread->index] = new_id;
		}
		if (round % 64 == 0)
			actor_assert_valid(&actor);
	}
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create),       cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bad_starts),   cmocka_unit_test(test_places),
		cmocka_unit_test(test_discard),      cmocka_unit_test(test_wait),
		cmocka_unit_test(test_wait_refused), cmocka_unit_test(test_no_such_place),
		cmocka_unit_test(test_wait_fault),   cmocka_unit_test(test_control),
		cmocka_unit_test(test_exit),         cmocka_unit_test(test_ending),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
