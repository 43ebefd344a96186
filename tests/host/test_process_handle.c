/* links: HOST_TASK_KERNEL */
/* ProcessHandle: how the end of a process is told, asked for, and brought about. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "abi/process_abi.h"
#include "kernel/task/process_tree.h"
#include "lib/check.h"
#include "tests/host/actor.h"

#define FRAMES 1024u
#define RESULT ACTOR_MEMORY

static struct actor parent, child;
static handle_t handle; /* the parent's, for the child */

static void begin(void)
{
	task_machine_start(FRAMES);
	actor_begin(&parent, "parent");
	actor_begin(&child, "child");
	(void)actor_grant(&child, INTERFACE_TIMER, TRANSFER_COPY, NULL);
	process_add_hold(child.process);
	handle = actor_grant(&parent, INTERFACE_PROCESS_HANDLE, TRANSFER_NONE, child.process);
}

static void end(void)
{
	actor_end(&parent);
	task_machine_stop();
}

static void end_child(void)
{
	actor_end_thread(child.thread, 3);
	assert_true(child.process->ended);
	assert_true(process_is_valid(child.process));
}

static void test_wait(void **state)
{
	struct ring_completion completion;
	struct process_exit exit;
	uint64_t user_data;

	(void)state;
	begin();
	user_data = ACTOR_SUBMIT(parent.thread, RING_CALL, PROCESS_HANDLE_WAIT, handle, RESULT, sizeof(exit));
	assert_int_equal(actor_take(parent.thread, &completion), STATUS_WOULD_BLOCK);
	assert_int_equal(child.process->waits.count, 1);
	child.thread->run_time.word = 777;
	end_child();
	assert_int_equal(actor_take(parent.thread, &completion), STATUS_OK);
	assert_int_equal(completion.user_data, user_data);
	assert_int_equal(completion.value, 3);
	actor_read(&parent, RESULT, &exit, sizeof(exit));
	assert_int_equal(exit.process_id, child.process->id);
	assert_int_equal(exit.code, 3);
	assert_int_equal(exit.end, PROCESS_EXITED);
	assert_int_equal(exit.run_ns, 777);
	completion = ACTOR_CALL(parent.thread, RING_CALL, PROCESS_HANDLE_WAIT, handle, 0, 0); /* again, any time */
	assert_int_equal(completion.value, 3);
	completion = ACTOR_CALL(parent.thread, RING_CALL, PROCESS_HANDLE_WAIT, handle, ACTOR_NOTHING, sizeof(exit));
	assert_int_equal(actor_status(&completion), STATUS_BUFFER_FAULT);
	completion = ACTOR_CALL(parent.thread, RING_CALL, PROCESS_HANDLE_WAIT, handle, RESULT, sizeof(exit) - 1);
	assert_int_equal(actor_status(&completion), STATUS_TOO_LONG);
	end();
}

/* A buffer that is bad when the process has ended; another one is told all the same, and so is who asks again. */
static void test_wait_fault(void **state)
{
	static const struct {
		uint64_t address;
		enum status status;
	} bad[] = {
		{ ACTOR_READABLE, STATUS_BUFFER_FAULT },
		{ ACTOR_READABLE - 8, STATUS_BUFFER_FAULT },
		{ USER_LIMIT, STATUS_NOT_USER_ADDRESS },
		{ UINT64_MAX - 8, STATUS_RANGE_WRAPS },
	};
	struct ring_completion completion;
	struct process_exit exit = { 0 };
	struct thread *second;
	uint64_t was = 77, is;

	(void)state;
	begin();
	second = actor_add_thread(&parent);
	actor_write(&parent, ACTOR_READABLE - 8, &was, sizeof(was));
	for (uint32_t i = 0; i < COUNT_OF(bad); i++)
		(void)ACTOR_SUBMIT(parent.thread, RING_CALL, PROCESS_HANDLE_WAIT, handle, bad[i].address, sizeof(exit));
	(void)ACTOR_SUBMIT(second, RING_CALL, PROCESS_HANDLE_WAIT, handle, RESULT, sizeof(exit));
	assert_int_equal(child.process->waits.count, COUNT_OF(bad) + 1);
	end_child();
	actor_read(&parent, RESULT, &exit, sizeof(exit));
	assert_int_equal(exit.process_id, 0); /* each is told by itself */
	for (uint32_t i = 0; i < COUNT_OF(bad); i++) {
		assert_int_equal(actor_take(parent.thread, &completion), STATUS_OK);
		assert_int_equal(actor_status(&completion), bad[i].status);
		assert_int_equal(completion.value, 0);
	}
	actor_read(&parent, ACTOR_READABLE - 8, &is, sizeof(is));
	assert_int_equal(is, was);
	assert_int_equal(actor_take(second, &completion), STATUS_OK);
	assert_int_equal(actor_status(&completion), STATUS_OK);
	actor_read(&parent, RESULT, &exit, sizeof(exit));
	assert_int_equal(exit.process_id, child.process->id);
	assert_int_equal(exit.code, 3);
	completion = ACTOR_CALL(parent.thread, RING_CALL, PROCESS_HANDLE_WAIT, handle, RESULT, sizeof(exit));
	assert_int_equal(completion.value, 3);
	end();
}

static uint32_t windows;

static void look_at_lock(void)
{
	assert_false(spinlock_is_held(&child.process->lock));
	windows++;
}

/* However many wait, others have the lock, and interrupts are taken, after so many that are told. */
static void test_many_waits(void **state)
{
	struct thread *waiting[3];
	struct ring_completion completion;

	(void)state;
	begin();
	for (uint32_t i = 0; i < COUNT_OF(waiting); i++) {
		waiting[i] = actor_add_thread(&parent);
		for (uint32_t j = 0; j < OPERATION_MAX; j++)
			(void)ACTOR_SUBMIT(waiting[i], RING_CALL, PROCESS_HANDLE_WAIT, handle, 0, 0);
	}
	windows = 0;
	machine_on_window(look_at_lock);
	actor_end_thread(child.thread, 3);
	machine_on_window(NULL);
	assert_true(windows >= COUNT_OF(waiting) * OPERATION_MAX / OPERATION_STEP - 1);
	for (uint32_t i = 0; i < COUNT_OF(waiting) * OPERATION_MAX; i++) {
		assert_int_equal(actor_take(waiting[i % COUNT_OF(waiting)], &completion), STATUS_OK);
		assert_int_equal(completion.value, 3);
	}
	end();
}

/* The handle is given up while the wait is open: it is answered all the same. */
static void test_wait_released(void **state)
{
	struct ring_completion completion;

	(void)state;
	begin();
	(void)ACTOR_SUBMIT(parent.thread, RING_CALL, PROCESS_HANDLE_WAIT, handle, 0, 0);
	completion = ACTOR_CALL(parent.thread, RING_RELEASE, 0, handle, 0);
	assert_int_equal(actor_status(&completion), STATUS_OK);
	end_child(); /* valid with a use alone */
	assert_int_equal(process_tree_count(), 2);
	assert_int_equal(actor_take(parent.thread, &completion), STATUS_OK);
	assert_int_equal(completion.value, 3);
	assert_int_equal(process_tree_count(), 1);
	end();
}

static void test_kill(void **state)
{
	struct process_statistics statistics;
	struct ring_completion completion;
	struct process_exit exit;

	(void)state;
	begin();
	completion =
		ACTOR_CALL(parent.thread, RING_CALL, PROCESS_HANDLE_STATISTICS, handle, RESULT, sizeof(statistics));
	assert_int_equal(actor_status(&completion), STATUS_OK);
	actor_read(&parent, RESULT, &statistics, sizeof(statistics));
	assert_int_equal(statistics.process_id, child.process->id);
	assert_int_equal(statistics.threads, 1);
	assert_int_equal(statistics.ended, 0);
	assert_int_equal(statistics.memory.ledger[LEDGER_CAP_SLOTS].used, 1);
	for (uint32_t i = 0; i < 2; i++) {
		completion = ACTOR_CALL(parent.thread, RING_CALL, PROCESS_HANDLE_KILL, handle, 0);
		assert_int_equal(actor_status(&completion), STATUS_OK);
		assert_true(child.process->ending && !child.process->ended);
	}
	assert_true(child.thread->wake_pending); /* to leave at once */
	end_child();
	completion = ACTOR_CALL(parent.thread, RING_CALL, PROCESS_HANDLE_WAIT, handle, RESULT, sizeof(exit));
	assert_int_equal((int64_t)completion.value, 137);
	actor_read(&parent, RESULT, &exit, sizeof(exit));
	assert_int_equal(exit.end, PROCESS_KILLED); /* the first reason stands */
	completion = ACTOR_CALL(parent.thread, RING_CALL, PROCESS_HANDLE_KILL, handle, 0);
	assert_int_equal(actor_status(&completion), STATUS_OK);
	completion =
		ACTOR_CALL(parent.thread, RING_CALL, PROCESS_HANDLE_STATISTICS, handle, RESULT, sizeof(statistics));
	actor_read(&parent, RESULT, &statistics, sizeof(statistics));
	assert_int_equal(statistics.ended, 1);
	assert_int_equal(statistics.threads, 0);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wait),       cmocka_unit_test(test_many_waits),
		cmocka_unit_test(test_wait_fault), cmocka_unit_test(test_wait_released),
		cmocka_unit_test(test_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
