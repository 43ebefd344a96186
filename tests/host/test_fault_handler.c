/* links: HOST_TASK_KERNEL */
/* Faults that another thread handles: who is told, in which order, and what is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/task/fault_handler.h"
#include "kernel/task/process_end.h"
#include "lib/check.h"
#include "tests/host/fault_scene.h"
#include "tests/host/host_support.h"
#include "tests/host/task_scheduler.h"
#include "tests/host/task_snapshot.h"

/* ---- a fault that is mended ---- */

static uint32_t sleeps;

/* What happens while fault_scene.thread[0] sleeps: it is woken for nothing twice, then told of, then resumed. */
static void play_handler(void *ignored)
{
	(void)ignored;
	switch (sleeps++) {
	case 0:
		assert_ptr_equal(task_scheduler_log.handed_over, fault_scene.actor.thread);
		break;
	case 1:
		fault_scene_expect_told(fault_scene.actor.thread, 0, 0);
		assert_true(fault_scene_nothing_came(fault_scene.actor.thread));
		break;
	default:
		assert_int_equal(fault_scene_resume(fault_scene_id_of(fault_scene.thread[0]), THREAD_FAULT_RETRY),
				 STATUS_OK);
		assert_ptr_equal(task_scheduler_log.handed_over, fault_scene.thread[0]);
		actor_assert_valid(&fault_scene.actor);
		break;
	}
}

static void test_retry(void **state)
{
	const struct user_fault fault = fault_scene_fault_of(0);

	(void)state;
	fault_scene_begin();
	assert_int_equal(fault_scene_set_handler(0), STATUS_OK);
	(void)fault_scene_submit_wait(fault_scene.actor.thread, 0);
	assert_true(fault_scene_nothing_came(fault_scene.actor.thread));
	sleeps = 0;
	task_scheduler_on_block(play_handler, NULL);
	task_scheduler_run_as(fault_scene.thread[0]);
	assert_true(fault_handler_ask(&fault));
	assert_int_equal(sleeps, 3);
	assert_null(task_scheduler_log.handed_over); /* who was handed over to is left to nobody */
	assert_int_equal(fault_scene.thread[0]->fault_state, THREAD_FAULT_NONE);
	assert_int_equal(task_scheduler_log.deadline, SCHEDULER_FOREVER);
	fault_scene_end();
}

/* It looks before it sleeps, so who is resumed on the way to sleep does not. */
static void resume_early(void *ignored)
{
	(void)ignored;
	assert_int_equal(fault_scene_resume(fault_scene_id_of(fault_scene.thread[0]), THREAD_FAULT_RETRY), STATUS_OK);
	assert_true(fault_scene_was_woken(fault_scene.thread[0]));
}

static void test_resumed_untold(void **state)
{
	const struct user_fault fault = fault_scene_fault_of(0);

	(void)state;
	fault_scene_begin();
	assert_int_equal(fault_scene_set_handler(0), STATUS_OK);
	task_scheduler_on_block(resume_early, NULL);
	task_scheduler_run_as(fault_scene.thread[0]);
	assert_true(fault_handler_ask(&fault));
	(void)fault_scene_submit_wait(fault_scene.actor.thread, 0);
	assert_true(fault_scene_nothing_came(fault_scene.actor.thread));
	fault_scene_end();
}

/* ---- faults that nobody handles ---- */

static void test_nobody(void **state)
{
	static const enum user_fault_kind others[] = { USER_FAULT_NON_CANONICAL, USER_FAULT_KERNEL_ADDRESS,
						       USER_FAULT_PRIVILEGED, USER_FAULT_EXCEPTION };
	const struct process_exit exit = { .code = 1, .end = PROCESS_KILLED };
	struct user_fault fault = fault_scene_fault_of(0);

	(void)state;
	fault_scene_begin();
	task_scheduler_run_as(fault_scene.thread[0]);
	assert_false(fault_handler_ask(&fault)); /* no handler is named */
	assert_int_equal(fault_scene_set_handler(0), STATUS_OK);
	for (uint32_t i = 0; i < COUNT_OF(others); i++) {
		fault.kind = others[i];
		task_scheduler_run_as(fault_scene.thread[0]);
		assert_false(fault_handler_ask(&fault));
	}
	fault = fault_scene_fault_of(0);
	task_scheduler_run_as(fault_scene.actor.thread);
	assert_false(fault_handler_ask(&fault)); /* its own */
	actor_assert_valid(&fault_scene.actor);
	process_end_begin(fault_scene.actor.process, &exit);
	task_scheduler_run_as(fault_scene.thread[0]);
	assert_false(fault_handler_ask(&fault));
	assert_null(fault_scene.actor.process->faulted);
	fault_scene_end();
}

static void test_mendable(void **state)
{
	static const enum user_fault_kind mendable[] = { USER_FAULT_UNRESERVED,     USER_FAULT_UNCOMMITTED,
							 USER_FAULT_NO_ACCESS,      USER_FAULT_READ_ONLY,
							 USER_FAULT_NO_EXECUTE,     USER_FAULT_GUARD,
							 USER_FAULT_STACK_OVERFLOW, USER_FAULT_OUT_OF_MEMORY,
							 USER_FAULT_STACK_QUOTA };
	uint32_t count = 0;

	(void)state;
	for (uint32_t kind = 0; kind < USER_FAULT_KIND_COUNT; kind++)
		count += user_fault_is_mendable((enum user_fault_kind)kind);
	assert_int_equal(count, COUNT_OF(mendable));
	for (uint32_t i = 0; i < COUNT_OF(mendable); i++)
		assert_true(user_fault_is_mendable(mendable[i]));
}

/* ---- order ---- */

static void test_order(void **state)
{
	(void)state;
	fault_scene_begin();
	assert_int_equal(fault_scene_set_handler(0), STATUS_OK);
	for (uint32_t i = 0; i < FAULT_SCENE_THREADS; i++) {
		fault_scene_stand(i);
		actor_assert_valid(&fault_scene.actor);
	}
	for (uint32_t i = 0; i < FAULT_SCENE_THREADS; i++)
		fault_scene_expect_wait_tells(i);
	(void)fault_scene_submit_wait(fault_scene.actor.thread, 0);
	assert_true(fault_scene_nothing_came(fault_scene.actor.thread));
	actor_assert_valid(&fault_scene.actor);
	for (uint32_t i = FAULT_SCENE_THREADS; i-- > 0;) {
		assert_int_equal(fault_scene_resume(fault_scene_id_of(fault_scene.thread[i]), THREAD_FAULT_RETRY),
				 STATUS_OK);
		assert_true(fault_scene_was_woken(fault_scene.thread[i]));
		assert_int_equal(fault_scene_resume(fault_scene_id_of(fault_scene.thread[i]), THREAD_FAULT_RETRY),
				 STATUS_NOT_FOUND);
		actor_assert_valid(&fault_scene.actor);
	}
	fault_scene_stand(3); /* the wait that is still open */
	fault_scene_expect_told(fault_scene.actor.thread, 0, 3);
	assert_int_equal(fault_scene_resume(fault_scene_id_of(fault_scene.thread[3]), THREAD_FAULT_RETRY), STATUS_OK);
	fault_scene_end();
}

/* Several open waits: each is told of one fault, in the order of both. */
static void test_waits_first(void **state)
{
	(void)state;
	fault_scene_begin();
	assert_int_equal(fault_scene_set_handler(0), STATUS_OK);
	for (uint32_t i = 0; i < 3; i++)
		(void)fault_scene_submit_wait(fault_scene.actor.thread, i);
	assert_int_equal(fault_scene.actor.process->fault_waits.count, 3);
	actor_assert_valid(&fault_scene.actor);
	for (uint32_t i = 0; i < 4; i++)
		fault_scene_stand(i);
	actor_assert_valid(&fault_scene.actor);
	for (uint32_t i = 0; i < 3; i++)
		fault_scene_expect_told(fault_scene.actor.thread, i, i);
	assert_true(fault_scene_nothing_came(fault_scene.actor.thread));
	fault_scene_expect_wait_tells(3);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(fault_scene_resume(fault_scene_id_of(fault_scene.thread[i]), THREAD_FAULT_RETRY),
				 STATUS_OK);
	fault_scene_end();
}

static void test_cancel(void **state)
{
	struct ring_completion completion;
	uint64_t user_data;

	(void)state;
	fault_scene_begin();
	assert_int_equal(fault_scene_set_handler(0), STATUS_OK);
	user_data = fault_scene_submit_wait(fault_scene.actor.thread, 0);
	(void)ACTOR_SUBMIT(fault_scene.actor.thread, RING_CANCEL, 0, HANDLE_NONE, user_data);
	assert_int_equal(actor_take(fault_scene.actor.thread, &completion), STATUS_OK);
	assert_int_equal(completion.user_data, user_data);
	assert_int_equal(actor_status(&completion), STATUS_CANCELLED);
	assert_int_equal(fault_scene_take_status(fault_scene.actor.thread), STATUS_OK); /* the CANCEL's own */
	assert_int_equal(fault_scene.actor.process->fault_waits.count, 0);
	fault_scene_stand(0);
	assert_int_equal(fault_scene.thread[0]->fault_state, THREAD_FAULT_WAITING);
	user_data = fault_scene_submit_wait(fault_scene.actor.thread, 0);
	(void)ACTOR_SUBMIT(fault_scene.actor.thread, RING_CANCEL, 0, HANDLE_NONE, user_data);
	assert_int_equal(fault_scene_take_status(fault_scene.actor.thread), STATUS_NOT_FOUND); /* it is done */
	fault_scene_expect_told(fault_scene.actor.thread, 0, 0);
	assert_int_equal(fault_scene_resume(fault_scene_id_of(fault_scene.thread[0]), THREAD_FAULT_RETRY), STATUS_OK);
	fault_scene_end();
}

/* The report is lost, the fault is not: the next wait is told of it, one that is open already, too. */
static void test_bad_buffer(void **state)
{
	const uint64_t across = ACTOR_READABLE - sizeof(struct thread_fault) + 8;
	struct ring_completion completion;

	(void)state;
	fault_scene_begin();
	assert_int_equal(fault_scene_set_handler(0), STATUS_OK);
	(void)ACTOR_SUBMIT(fault_scene.actor.thread, RING_CALL, THREAD_CONTROL_FAULT_WAIT, fault_scene.control, across,
			   sizeof(struct thread_fault));
	fault_scene_stand(0);
	fault_scene_stand(1);
	assert_int_equal(actor_take(fault_scene.actor.thread, &completion), STATUS_OK);
	assert_int_equal(actor_status(&completion), STATUS_BUFFER_FAULT);
	assert_int_equal(completion.value, 0);
	actor_assert_valid(&fault_scene.actor);
	fault_scene_expect_wait_tells(0);
	fault_scene_expect_wait_tells(1);
	assert_int_equal(fault_scene_resume(fault_scene_id_of(fault_scene.thread[0]), THREAD_FAULT_RETRY), STATUS_OK);
	(void)ACTOR_SUBMIT(fault_scene.actor.thread, RING_CALL, THREAD_CONTROL_FAULT_WAIT, fault_scene.control,
			   ACTOR_NOTHING, sizeof(struct thread_fault));
	(void)fault_scene_submit_wait(fault_scene.actor.thread, 1);
	fault_scene_stand(0);
	assert_int_equal(fault_scene_take_status(fault_scene.actor.thread), STATUS_BUFFER_FAULT);
	fault_scene_expect_told(fault_scene.actor.thread, 1, 0);
	actor_assert_valid(&fault_scene.actor);
	assert_int_equal(fault_scene_resume(fault_scene_id_of(fault_scene.thread[0]), THREAD_FAULT_RETRY), STATUS_OK);
	assert_int_equal(fault_scene_resume(fault_scene_id_of(fault_scene.thread[1]), THREAD_FAULT_RETRY), STATUS_OK);
	fault_scene_end();
}

/* Resumed before its report was handed out: the copy is good, and a bad buffer does not bring it back. */
static void test_resumed_before_the_report(void **state)
{
	(void)state;
	fault_scene_begin();
	assert_int_equal(fault_scene_set_handler(0), STATUS_OK);
	(void)fault_scene_submit_wait(fault_scene.actor.thread, 0);
	fault_scene_stand(0);
	assert_int_equal(fault_scene_call(fault_scene.thread[1], THREAD_CONTROL_FAULT_RESUME,
					  fault_scene_id_of(fault_scene.thread[0]), THREAD_FAULT_RETRY),
			 STATUS_OK);
	fault_scene_expect_told(fault_scene.actor.thread, 0, 0);
	(void)ACTOR_SUBMIT(fault_scene.actor.thread, RING_CALL, THREAD_CONTROL_FAULT_WAIT, fault_scene.control,
			   ACTOR_NOTHING, sizeof(struct thread_fault));
	fault_scene_stand(0);
	assert_int_equal(fault_scene_call(fault_scene.thread[1], THREAD_CONTROL_FAULT_RESUME,
					  fault_scene_id_of(fault_scene.thread[0]), THREAD_FAULT_RETRY),
			 STATUS_OK);
	assert_int_equal(fault_scene_take_status(fault_scene.actor.thread), STATUS_BUFFER_FAULT);
	(void)fault_scene_submit_wait(fault_scene.actor.thread, 0);
	assert_true(fault_scene_nothing_came(fault_scene.actor.thread));
	fault_scene_end();
}

/* Without a buffer: who it is, and no more. */
static void test_no_buffer(void **state)
{
	struct ring_completion completion;

	(void)state;
	fault_scene_begin();
	assert_int_equal(fault_scene_set_handler(0), STATUS_OK);
	fault_scene_stand(2);
	completion =
		ACTOR_CALL(fault_scene.actor.thread, RING_CALL, THREAD_CONTROL_FAULT_WAIT, fault_scene.control, 0, 0);
	assert_int_equal(actor_status(&completion), STATUS_OK);
	assert_int_equal(completion.value, fault_scene_id_of(fault_scene.thread[2]));
	assert_int_equal(fault_scene_resume(fault_scene_id_of(fault_scene.thread[2]), THREAD_FAULT_RETRY), STATUS_OK);
	fault_scene_end();
}

/* ---- refusals ---- */

static void test_refused(void **state)
{
	struct task_snapshot before;

	(void)state;
	fault_scene_begin();
	assert_int_equal(fault_scene_call(fault_scene.actor.thread, THREAD_CONTROL_FAULT_WAIT, FAULT_SCENE_RESULT,
					  sizeof(struct thread_fault)),
			 STATUS_GONE); /* no handler */
	assert_int_equal(fault_scene_set_handler(0), STATUS_OK);
	fault_scene_stand(0);
	task_snapshot_take(&before, fault_scene.actor.process);
	assert_int_equal(fault_scene_set_handler(63), STATUS_NOT_FOUND);
	assert_int_equal(fault_scene_set_handler(1 << 8), STATUS_NOT_FOUND);
	assert_int_equal(fault_scene_set_handler(UINT64_MAX - 1), STATUS_NOT_FOUND);
	assert_int_equal(fault_scene_set_handler(fault_scene_id_of(fault_scene.thread[0])), STATUS_BUSY);
	assert_int_equal(fault_scene_call(fault_scene.thread[1], THREAD_CONTROL_FAULT_WAIT, FAULT_SCENE_RESULT,
					  sizeof(struct thread_fault)),
			 STATUS_GONE);
	assert_int_equal(fault_scene_call(fault_scene.actor.thread, THREAD_CONTROL_FAULT_WAIT, FAULT_SCENE_RESULT,
					  sizeof(struct thread_fault) - 1),
			 STATUS_TOO_LONG);
	assert_int_equal(fault_scene_resume(fault_scene_id_of(fault_scene.thread[1]), THREAD_FAULT_RETRY),
			 STATUS_NOT_FOUND);
	assert_int_equal(fault_scene_resume(fault_scene_id_of(fault_scene.thread[1]), THREAD_FAULT_END),
			 STATUS_NOT_FOUND);
	assert_int_equal(fault_scene_resume(0, THREAD_FAULT_END), STATUS_NOT_FOUND);
	assert_int_equal(fault_scene_resume(THREAD_NONE, THREAD_FAULT_END), STATUS_NOT_FOUND);
	assert_int_equal(fault_scene_resume(fault_scene_id_of(fault_scene.thread[0]), THREAD_FAULT_ACTION_COUNT),
			 STATUS_BAD_ARGUMENT);
	assert_int_equal(fault_scene_resume(fault_scene_id_of(fault_scene.thread[0]), UINT64_C(1) << 32),
			 STATUS_BAD_ARGUMENT);
	assert_true(task_snapshot_holds(&before, fault_scene.actor.process));
	assert_int_equal(fault_scene.thread[0]->fault_state, THREAD_FAULT_WAITING);
	assert_false(fault_scene.actor.process->ending);
	assert_int_equal(fault_scene_resume(fault_scene_id_of(fault_scene.thread[0]), THREAD_FAULT_RETRY), STATUS_OK);
	for (uint32_t i = 0; i < OPERATION_MAX; i++)
		(void)fault_scene_submit_wait(fault_scene.actor.thread, 0);
	assert_int_equal(fault_scene_call(fault_scene.actor.thread, THREAD_CONTROL_FAULT_WAIT, FAULT_SCENE_RESULT,
					  sizeof(struct thread_fault)),
			 STATUS_BUSY);
	fault_scene_end();
}

/* An ended thread's id, and that of the one which has its place now. */
static void test_ended_handler_is_not_named(void **state)
{
	(void)state;
	fault_scene_begin();
	actor_end_thread(fault_scene.thread[2], 5);
	assert_int_equal(fault_scene_set_handler(3), STATUS_NOT_FOUND);
	assert_null(fault_scene.actor.process->fault_handler);
	fault_scene_end();
}

/* ---- at random ---- */

/* What a plain record of it all says. */
static struct {
	uint32_t standing[FAULT_SCENE_THREADS]; /* in order */
	bool is_told[FAULT_SCENE_THREADS];
	uint32_t count;
	uint32_t waits;
} model;

static uint32_t model_place(uint32_t i)
{
	uint32_t place = 0;

	while (place < model.count && model.standing[place] != i)
		place++;
	return place;
}

static void model_remove(uint32_t place)
{
	for (model.count--; place < model.count; place++)
		model.standing[place] = model.standing[place + 1];
}

/* Those that a wait is told of now. */
static void expect_model_told(void)
{
	for (uint32_t place = 0; place < model.count && model.waits != 0; place++) {
		const uint32_t i = model.standing[place];
		struct ring_completion completion;

		if (model.is_told[i])
			continue;
		assert_int_equal(actor_take(fault_scene.actor.thread, &completion), STATUS_OK);
		assert_int_equal(actor_status(&completion), STATUS_OK);
		assert_int_equal(completion.value, fault_scene_id_of(fault_scene.thread[i]));
		model.is_told[i] = true;
		model.waits--;
	}
	assert_true(fault_scene_nothing_came(fault_scene.actor.thread));
}

static void fault_or_resume(uint32_t i)
{
	const uint32_t place = model_place(i);

	if (place < model.count) {
		assert_int_equal(fault_scene_resume(fault_scene_id_of(fault_scene.thread[i]), THREAD_FAULT_RETRY),
				 STATUS_OK);
		model_remove(place);
		return;
	}
	assert_int_equal(fault_scene_resume(fault_scene_id_of(fault_scene.thread[i]), THREAD_FAULT_RETRY),
			 STATUS_NOT_FOUND);
	fault_scene_stand(i);
	model.standing[model.count++] = i;
	model.is_told[i] = false;
}

static void test_random(void **state)
{
	struct host_random random;

	(void)state;
	host_random_init(&random, "fault_handler", 17);
	fault_scene_begin();
	assert_int_equal(fault_scene_set_handler(0), STATUS_OK);
	for (uint64_t round = host_rounds(3000); round > 0; round--) {
		if (host_random_below(&random, 3) != 0) {
			fault_or_resume((uint32_t)host_random_below(&random, FAULT_SCENE_THREADS));
		} else if (model.waits < OPERATION_MAX / 2) {
			(void)fault_scene_submit_wait(fault_scene.actor.thread, 0);
			model.waits++;
		}
		expect_model_told();
		assert_int_equal(fault_scene.actor.process->fault_waits.count, model.waits);
		if (round % 16 == 0)
			actor_assert_valid(&fault_scene.actor);
	}
	fault_scene_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_retry),
		cmocka_unit_test(test_resumed_untold),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_mendable),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_waits_first),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_bad_buffer),
		cmocka_unit_test(test_resumed_before_the_report),
		cmocka_unit_test(test_no_buffer),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_ended_handler_is_not_named),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
