/* links: HOST_TASK_KERNEL */
/* What becomes of threads that stand faulted when their handler goes, or their process. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/task/fault_handler.h"
#include "kernel/task/process_end.h"
#include "tests/host/fault_scene.h"
#include "tests/host/task_scheduler.h"

/* ---- another handler ---- */

static void test_replaced(void **state)
{
	(void)state;
	fault_scene_begin();
	assert_int_equal(fault_scene_set_handler(0), STATUS_OK);
	(void)fault_scene_submit_wait(fault_scene.actor.thread, 0);
	assert_int_equal(fault_scene_set_handler(0), STATUS_OK); /* the same: nothing happens */
	assert_int_equal(fault_scene.actor.process->fault_waits.count, 1);
	fault_scene_stand(1);
	fault_scene_stand(2);
	fault_scene_expect_told(fault_scene.actor.thread, 0, 1);
	(void)fault_scene_submit_wait(fault_scene.actor.thread, 0);
	fault_scene_expect_told(fault_scene.actor.thread, 0, 2);
	(void)fault_scene_submit_wait(fault_scene.actor.thread, 0);
	(void)ACTOR_SUBMIT(fault_scene.thread[0], RING_CALL, THREAD_CONTROL_SET_FAULT_HANDLER, fault_scene.control,
			   fault_scene_id_of(fault_scene.thread[0]));
	assert_int_equal(fault_scene_take_status(fault_scene.thread[0]), STATUS_OK);
	assert_int_equal(fault_scene_take_status(fault_scene.actor.thread), STATUS_GONE);
	assert_ptr_equal(fault_scene.actor.process->fault_handler, fault_scene.thread[0]);
	actor_assert_valid(&fault_scene.actor);
	(void)fault_scene_submit_wait(fault_scene.thread[0], 3); /* it is told of both */
	fault_scene_expect_told(fault_scene.thread[0], 3, 1);
	(void)fault_scene_submit_wait(fault_scene.thread[0], 3);
	fault_scene_expect_told(fault_scene.thread[0], 3, 2);
	(void)fault_scene_submit_wait(fault_scene.actor.thread, 0);
	assert_int_equal(fault_scene_take_status(fault_scene.actor.thread), STATUS_GONE);
	assert_int_equal(fault_scene_resume(fault_scene_id_of(fault_scene.thread[1]), THREAD_FAULT_RETRY),
			 STATUS_OK); /* by any thread */
	assert_int_equal(fault_scene_resume(fault_scene_id_of(fault_scene.thread[2]), THREAD_FAULT_RETRY), STATUS_OK);
	assert_int_equal(fault_scene_set_handler(THREAD_NONE), STATUS_OK);
	assert_null(fault_scene.actor.process->fault_handler);
	assert_false(fault_scene.actor.process->ending);
	fault_scene_end();
}

/* ---- ends ---- */

/* How the process ends: by the fault of fault_scene.thread[i], once all its threads have left. */
static void expect_end_by(uint32_t i)
{
	struct process *process = fault_scene.actor.process;
	struct process_exit exit;

	assert_true(process->ending);
	process_use(process);
	actor_assert_valid(&fault_scene.actor);
	for (uint32_t j = 0; j < THREAD_MAX; j++) {
		if (process->slot[j].thread == NULL)
			continue;
		assert_true(fault_handler_is_valid(process));
		actor_end_thread(process->slot[j].thread, 0);
	}
	assert_true(process->ended);
	process_end_read(process, &exit);
	assert_int_equal(exit.end, PROCESS_FAULTED);
	assert_int_equal(exit.code, 128 + 14);
	assert_int_equal(exit.fault_kind, USER_FAULT_READ_ONLY);
	assert_int_equal(exit.fault_address, FAULT_SCENE_ADDRESS(i));
	assert_int_equal(exit.fault_rip, FAULT_SCENE_RIP(i));
	assert_null(process->faulted);
	assert_null(process->fault_handler);
	process_end_use(process);
	fault_scene_ended();
}

static void test_end(void **state)
{
	(void)state;
	fault_scene_begin();
	assert_int_equal(fault_scene_set_handler(0), STATUS_OK);
	for (uint32_t i = 0; i < 3; i++)
		fault_scene_stand(i);
	fault_scene_expect_wait_tells(0);
	assert_int_equal(fault_scene_resume(fault_scene_id_of(fault_scene.thread[1]), THREAD_FAULT_END), STATUS_OK);
	assert_true(fault_scene_was_woken(fault_scene.thread[1]));
	assert_int_equal(fault_scene_resume(fault_scene_id_of(fault_scene.thread[2]), THREAD_FAULT_END),
			 STATUS_OK); /* the first reason stands */
	expect_end_by(1);
}

static void test_handler_ends(void **state)
{
	(void)state;
	fault_scene_begin();
	assert_int_equal(fault_scene_set_handler(fault_scene_id_of(fault_scene.thread[5])), STATUS_OK);
	for (uint32_t i = 4; i > 1; i--)
		fault_scene_stand(i);
	(void)fault_scene_submit_wait(fault_scene.thread[5], 0); /* told, not posted */
	assert_int_equal(fault_scene_resume(fault_scene_id_of(fault_scene.thread[3]), THREAD_FAULT_RETRY), STATUS_OK);
	actor_end_thread(fault_scene.thread[5], 0);
	assert_true(fault_scene_was_woken(fault_scene.thread[2]));
	expect_end_by(4);
}

/* With nobody standing, the end of the handler is that of a thread; an open wait goes with it. */
static void test_idle_handler_ends(void **state)
{
	const struct user_fault fault = fault_scene_fault_of(0);

	(void)state;
	fault_scene_begin();
	assert_int_equal(fault_scene_set_handler(fault_scene_id_of(fault_scene.thread[5])), STATUS_OK);
	(void)fault_scene_submit_wait(fault_scene.thread[5], 0);
	actor_end_thread(fault_scene.thread[5], 0);
	assert_false(fault_scene.actor.process->ending);
	assert_int_equal(fault_scene.actor.process->fault_waits.count, 0);
	actor_assert_valid(&fault_scene.actor);
	task_scheduler_run_as(fault_scene.thread[0]);
	assert_false(fault_handler_ask(&fault));
	fault_scene_end();
}

static void test_unset(void **state)
{
	(void)state;
	fault_scene_begin();
	assert_int_equal(fault_scene_set_handler(0), STATUS_OK);
	fault_scene_stand(3);
	fault_scene_stand(1);
	fault_scene_expect_wait_tells(3);
	assert_int_equal(fault_scene_set_handler(THREAD_NONE), STATUS_OK);
	expect_end_by(3);
}

/* ---- killed ---- */

static void kill_process(void *ignored)
{
	const struct process_exit exit = { .code = 137, .end = PROCESS_KILLED };

	(void)ignored;
	process_end_begin(fault_scene.actor.process, &exit);
}

static void resume_and_kill(void *ignored)
{
	assert_int_equal(fault_scene_resume(fault_scene_id_of(fault_scene.thread[0]), THREAD_FAULT_RETRY), STATUS_OK);
	kill_process(ignored);
}

static void fault_and_return(void *came_back)
{
	const struct user_fault fault = fault_scene_fault_of(0);

	*(bool *)came_back = fault_handler_ask(&fault);
}

/* It never comes back to ring 3, and nothing of it stays in the list. */
static void expect_no_return(void (*meanwhile)(void *))
{
	bool came_back = false;

	fault_scene_begin();
	assert_int_equal(fault_scene_set_handler(0), STATUS_OK);
	fault_scene_stand(1);
	task_scheduler_on_block(meanwhile, NULL);
	assert_true(task_scheduler_run(fault_scene.thread[0], fault_and_return, &came_back));
	assert_false(came_back);
	assert_ptr_equal(fault_scene.actor.process->faulted, fault_scene.thread[1]);
	assert_null(fault_scene.thread[1]->next_faulted);
	assert_true(fault_scene_was_woken(fault_scene.thread[1]));
	actor_assert_valid(&fault_scene.actor);
	fault_scene_end();
}

static void test_killed(void **state)
{
	(void)state;
	expect_no_return(kill_process);
}

static void test_resumed_and_killed(void **state)
{
	(void)state;
	expect_no_return(resume_and_kill);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_handler_ends),
		cmocka_unit_test(test_idle_handler_ends),
		cmocka_unit_test(test_unset),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_resumed_and_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
