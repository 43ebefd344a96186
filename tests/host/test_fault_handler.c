/* links: HOST_TASK_KERNEL */
/* Faults that another thread handles: who is told, in which order, and what becomes of those who stand faulted. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "abi/process_abi.h"
#include "abi/thread_control_abi.h"
#include "kernel/task/fault_handler.h"
#include "kernel/task/process_end.h"
#include "lib/check.h"
#include "tests/host/actor.h"
#include "tests/host/host_support.h"
#include "tests/host/task_scheduler.h"
#include "tests/host/task_snapshot.h"

#define FRAMES 4096u
#define RESULT ACTOR_MEMORY
#define THREADS 6u
#define RIP(i) (UINT64_C(0x400000) + (i)*16)
#define ADDRESS(i) (UINT64_C(0x10000000) + (i)*PAGE_SIZE)

static struct actor actor; /* its first thread is the handler in most tests */
static struct thread *thread[THREADS];
static handle_t control;
static jmp_buf asleep;

static void begin(void)
{
	task_machine_start(FRAMES);
	actor_begin(&actor, "faults");
	control = actor_grant(&actor, INTERFACE_THREAD_CONTROL, TRANSFER_NONE, actor.process);
	for (uint32_t i = 0; i < THREADS; i++)
		thread[i] = actor_add_thread(&actor);
}

static void end(void)
{
	actor_end(&actor);
	task_machine_stop();
}

/* ---- calls ---- */

static enum status call(struct thread *caller, uint16_t operation, uint64_t first, uint64_t second)
{
	const struct ring_completion completion = ACTOR_CALL(caller, RING_CALL, operation, control, first, second);

	return actor_status(&completion);
}

static uint64_t id_of(const struct thread *of)
{
	return process_thread_id(actor.process, of);
}

static enum status set_handler(uint64_t id)
{
	return call(actor.thread, THREAD_CONTROL_SET_FAULT_HANDLER, id, 0);
}

static enum status resume(uint64_t id, uint64_t action)
{
	return call(actor.thread, THREAD_CONTROL_FAULT_RESUME, id, action);
}

/* An open FAULT_WAIT, with the report to `place` of the results. */
static uint64_t submit_wait(struct thread *caller, uint64_t place)
{
	return ACTOR_SUBMIT(caller, RING_CALL, THREAD_CONTROL_FAULT_WAIT, control,
			    RESULT + place * sizeof(struct thread_fault), sizeof(struct thread_fault));
}

static enum status take_status(struct thread *caller)
{
	struct ring_completion completion;

	assert_int_equal(actor_take(caller, &completion), STATUS_OK);
	return actor_status(&completion);
}

static bool nothing_came(struct thread *caller)
{
	struct ring_completion completion;

	return actor_take(caller, &completion) == STATUS_WOULD_BLOCK;
}

/* The next completion tells of the fault of thread[i]. */
static void expect_told(struct thread *caller, uint64_t place, uint32_t i)
{
	struct ring_completion completion;
	struct thread_fault report;

	assert_int_equal(actor_take(caller, &completion), STATUS_OK);
	assert_int_equal(actor_status(&completion), STATUS_OK);
	assert_int_equal(completion.value, id_of(thread[i]));
	actor_read(&actor, RESULT + place * sizeof(report), &report, sizeof(report));
	assert_int_equal(report.thread_id, id_of(thread[i]));
	assert_int_equal(report.kind, USER_FAULT_READ_ONLY);
	assert_int_equal(report.access, PROTECTION_WRITE);
	assert_int_equal(report.address, ADDRESS(i));
	assert_int_equal(report.rip, RIP(i));
}

static void expect_wait_tells(uint32_t i)
{
	(void)submit_wait(actor.thread, 0);
	expect_told(actor.thread, 0, i);
}

/* ---- faults ---- */

static struct user_fault fault_of(uint32_t i)
{
	return (struct user_fault){
		.kind = USER_FAULT_READ_ONLY,
		.access = PROTECTION_WRITE,
		.address = ADDRESS(i),
		.rip = RIP(i),
		.vector = 14,
		.error = 7,
	};
}

static void sleep_for_good(void *ignored)
{
	(void)ignored;
	longjmp(asleep, 1);
}

/* thread[i] faults, and sleeps. */
static void stand(uint32_t i)
{
	const struct user_fault fault = fault_of(i);

	task_scheduler_run_as(thread[i]);
	thread[i]->wake_pending = false;
	task_scheduler_on_block(sleep_for_good, NULL);
	if (setjmp(asleep) == 0) {
		(void)fault_handler_ask(&fault);
		assert_true(false); /* it does not sleep */
	}
	task_scheduler_on_block(NULL, NULL);
	assert_int_not_equal(thread[i]->fault_state, THREAD_FAULT_NONE);
}

static bool was_woken(const struct thread *of)
{
	return of->wake_pending;
}

/* How the process ends: by the fault of thread[i], once all its threads have left. */
static void expect_end_by(uint32_t i)
{
	struct process *process = actor.process;
	struct process_exit exit;

	assert_true(process->ending);
	process_use(process);
	actor_assert_valid(&actor);
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
	assert_int_equal(exit.fault_address, ADDRESS(i));
	assert_int_equal(exit.fault_rip, RIP(i));
	assert_null(process->faulted);
	assert_null(process->fault_handler);
	process_end_use(process);
	task_machine_stop();
}

/* ---- a fault that is mended ---- */

static uint32_t sleeps;

/* What happens while thread[0] sleeps: it is woken for nothing twice, then told of, then resumed. */
static void play_handler(void *ignored)
{
	(void)ignored;
	switch (sleeps++) {
	case 0:
		assert_ptr_equal(task_scheduler_log.handed_over, actor.thread);
		break;
	case 1:
		expect_told(actor.thread, 0, 0);
		assert_true(nothing_came(actor.thread));
		break;
	default:
		assert_int_equal(resume(id_of(thread[0]), THREAD_FAULT_RETRY), STATUS_OK);
		assert_ptr_equal(task_scheduler_log.handed_over, thread[0]);
		actor_assert_valid(&actor);
		break;
	}
}

static void test_retry(void **state)
{
	const struct user_fault fault = fault_of(0);

	(void)state;
	begin();
	assert_int_equal(set_handler(0), STATUS_OK);
	(void)submit_wait(actor.thread, 0);
	assert_true(nothing_came(actor.thread));
	sleeps = 0;
	task_scheduler_on_block(play_handler, NULL);
	task_scheduler_run_as(thread[0]);
	assert_true(fault_handler_ask(&fault));
	assert_int_equal(sleeps, 3);
	assert_null(task_scheduler_log.handed_over); /* who was handed over to is left to nobody */
	assert_int_equal(thread[0]->fault_state, THREAD_FAULT_NONE);
	assert_int_equal(task_scheduler_log.deadline, SCHEDULER_FOREVER);
	end();
}

/* It looks before it sleeps, so who is resumed on the way to sleep does not. */
static void resume_early(void *ignored)
{
	(void)ignored;
	assert_int_equal(resume(id_of(thread[0]), THREAD_FAULT_RETRY), STATUS_OK);
	assert_true(was_woken(thread[0]));
}

static void test_resumed_untold(void **state)
{
	const struct user_fault fault = fault_of(0);

	(void)state;
	begin();
	assert_int_equal(set_handler(0), STATUS_OK);
	task_scheduler_on_block(resume_early, NULL);
	task_scheduler_run_as(thread[0]);
	assert_true(fault_handler_ask(&fault));
	(void)submit_wait(actor.thread, 0);
	assert_true(nothing_came(actor.thread));
	end();
}

/* ---- faults that nobody handles ---- */

static void test_nobody(void **state)
{
	static const enum user_fault_kind others[] = { USER_FAULT_NON_CANONICAL, USER_FAULT_KERNEL_ADDRESS,
						       USER_FAULT_PRIVILEGED, USER_FAULT_EXCEPTION };
	const struct process_exit exit = { .code = 1, .end = PROCESS_KILLED };
	struct user_fault fault = fault_of(0);

	(void)state;
	begin();
	task_scheduler_run_as(thread[0]);
	assert_false(fault_handler_ask(&fault)); /* no handler is named */
	assert_int_equal(set_handler(0), STATUS_OK);
	for (uint32_t i = 0; i < COUNT_OF(others); i++) {
		fault.kind = others[i];
		task_scheduler_run_as(thread[0]);
		assert_false(fault_handler_ask(&fault));
	}
	fault = fault_of(0);
	task_scheduler_run_as(actor.thread);
	assert_false(fault_handler_ask(&fault)); /* its own */
	actor_assert_valid(&actor);
	process_end_begin(actor.process, &exit);
	task_scheduler_run_as(thread[0]);
	assert_false(fault_handler_ask(&fault));
	assert_null(actor.process->faulted);
	end();
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
	begin();
	assert_int_equal(set_handler(0), STATUS_OK);
	for (uint32_t i = 0; i < THREADS; i++) {
		stand(i);
		actor_assert_valid(&actor);
	}
	for (uint32_t i = 0; i < THREADS; i++)
		expect_wait_tells(i);
	(void)submit_wait(actor.thread, 0);
	assert_true(nothing_came(actor.thread));
	actor_assert_valid(&actor);
	for (uint32_t i = THREADS; i-- > 0;) {
		assert_int_equal(resume(id_of(thread[i]), THREAD_FAULT_RETRY), STATUS_OK);
		assert_true(was_woken(thread[i]));
		assert_int_equal(resume(id_of(thread[i]), THREAD_FAULT_RETRY), STATUS_NOT_FOUND);
		actor_assert_valid(&actor);
	}
	stand(3); /* the wait that is still open */
	expect_told(actor.thread, 0, 3);
	assert_int_equal(resume(id_of(thread[3]), THREAD_FAULT_RETRY), STATUS_OK);
	end();
}

/* Several open waits: each is told of one fault, in the order of both. */
static void test_waits_first(void **state)
{
	(void)state;
	begin();
	assert_int_equal(set_handler(0), STATUS_OK);
	for (uint32_t i = 0; i < 3; i++)
		(void)submit_wait(actor.thread, i);
	assert_int_equal(actor.process->fault_waits.count, 3);
	actor_assert_valid(&actor);
	for (uint32_t i = 0; i < 4; i++)
		stand(i);
	actor_assert_valid(&actor);
	for (uint32_t i = 0; i < 3; i++)
		expect_told(actor.thread, i, i);
	assert_true(nothing_came(actor.thread));
	expect_wait_tells(3);
	for (uint32_t i = 0; i < 4; i++)
		assert_int_equal(resume(id_of(thread[i]), THREAD_FAULT_RETRY), STATUS_OK);
	end();
}

static void test_cancel(void **state)
{
	struct ring_completion completion;
	uint64_t user_data;

	(void)state;
	begin();
	assert_int_equal(set_handler(0), STATUS_OK);
	user_data = submit_wait(actor.thread, 0);
	(void)ACTOR_SUBMIT(actor.thread, RING_CANCEL, 0, HANDLE_NONE, user_data);
	assert_int_equal(actor_take(actor.thread, &completion), STATUS_OK);
	assert_int_equal(completion.user_data, user_data);
	assert_int_equal(actor_status(&completion), STATUS_CANCELLED);
	assert_int_equal(take_status(actor.thread), STATUS_OK); /* the CANCEL's own */
	assert_int_equal(actor.process->fault_waits.count, 0);
	stand(0);
	assert_int_equal(thread[0]->fault_state, THREAD_FAULT_WAITING);
	user_data = submit_wait(actor.thread, 0);
	(void)ACTOR_SUBMIT(actor.thread, RING_CANCEL, 0, HANDLE_NONE, user_data);
	assert_int_equal(take_status(actor.thread), STATUS_NOT_FOUND); /* it is done */
	expect_told(actor.thread, 0, 0);
	assert_int_equal(resume(id_of(thread[0]), THREAD_FAULT_RETRY), STATUS_OK);
	end();
}

/* The report is lost, the fault is not: the next wait is told of it, one that is open already, too. */
static void test_bad_buffer(void **state)
{
	const uint64_t across = ACTOR_READABLE - sizeof(struct thread_fault) + 8;
	struct ring_completion completion;

	(void)state;
	begin();
	assert_int_equal(set_handler(0), STATUS_OK);
	(void)ACTOR_SUBMIT(actor.thread, RING_CALL, THREAD_CONTROL_FAULT_WAIT, control, across,
			   sizeof(struct thread_fault));
	stand(0);
	stand(1);
	assert_int_equal(actor_take(actor.thread, &completion), STATUS_OK);
	assert_int_equal(actor_status(&completion), STATUS_BUFFER_FAULT);
	assert_int_equal(completion.value, 0);
	actor_assert_valid(&actor);
	expect_wait_tells(0);
	expect_wait_tells(1);
	assert_int_equal(resume(id_of(thread[0]), THREAD_FAULT_RETRY), STATUS_OK);
	(void)ACTOR_SUBMIT(actor.thread, RING_CALL, THREAD_CONTROL_FAULT_WAIT, control, ACTOR_NOTHING,
			   sizeof(struct thread_fault));
	(void)submit_wait(actor.thread, 1);
	stand(0);
	assert_int_equal(take_status(actor.thread), STATUS_BUFFER_FAULT);
	expect_told(actor.thread, 1, 0);
	actor_assert_valid(&actor);
	assert_int_equal(resume(id_of(thread[0]), THREAD_FAULT_RETRY), STATUS_OK);
	assert_int_equal(resume(id_of(thread[1]), THREAD_FAULT_RETRY), STATUS_OK);
	end();
}

/* Resumed before its report was handed out: the copy is good, and a bad buffer does not bring it back. */
static void test_resumed_before_the_report(void **state)
{
	(void)state;
	begin();
	assert_int_equal(set_handler(0), STATUS_OK);
	(void)submit_wait(actor.thread, 0);
	stand(0);
	assert_int_equal(call(thread[1], THREAD_CONTROL_FAULT_RESUME, id_of(thread[0]), THREAD_FAULT_RETRY), STATUS_OK);
	expect_told(actor.thread, 0, 0);
	(void)ACTOR_SUBMIT(actor.thread, RING_CALL, THREAD_CONTROL_FAULT_WAIT, control, ACTOR_NOTHING,
			   sizeof(struct thread_fault));
	stand(0);
	assert_int_equal(call(thread[1], THREAD_CONTROL_FAULT_RESUME, id_of(thread[0]), THREAD_FAULT_RETRY), STATUS_OK);
	assert_int_equal(take_status(actor.thread), STATUS_BUFFER_FAULT);
	(void)submit_wait(actor.thread, 0);
	assert_true(nothing_came(actor.thread));
	end();
}

/* Without a buffer: who it is, and no more. */
static void test_no_buffer(void **state)
{
	struct ring_completion completion;

	(void)state;
	begin();
	assert_int_equal(set_handler(0), STATUS_OK);
	stand(2);
	completion = ACTOR_CALL(actor.thread, RING_CALL, THREAD_CONTROL_FAULT_WAIT, control, 0, 0);
	assert_int_equal(actor_status(&completion), STATUS_OK);
	assert_int_equal(completion.value, id_of(thread[2]));
	assert_int_equal(resume(id_of(thread[2]), THREAD_FAULT_RETRY), STATUS_OK);
	end();
}

/* ---- refusals ---- */

static void test_refused(void **state)
{
	struct task_snapshot before;

	(void)state;
	begin();
	assert_int_equal(call(actor.thread, THREAD_CONTROL_FAULT_WAIT, RESULT, sizeof(struct thread_fault)),
			 STATUS_GONE); /* no handler */
	assert_int_equal(set_handler(0), STATUS_OK);
	stand(0);
	task_snapshot_take(&before, actor.process);
	assert_int_equal(set_handler(63), STATUS_NOT_FOUND);
	assert_int_equal(set_handler(1 << 8), STATUS_NOT_FOUND);
	assert_int_equal(set_handler(UINT64_MAX - 1), STATUS_NOT_FOUND);
	assert_int_equal(set_handler(id_of(thread[0])), STATUS_BUSY);
	assert_int_equal(call(thread[1], THREAD_CONTROL_FAULT_WAIT, RESULT, sizeof(struct thread_fault)), STATUS_GONE);
	assert_int_equal(call(actor.thread, THREAD_CONTROL_FAULT_WAIT, RESULT, sizeof(struct thread_fault) - 1),
			 STATUS_TOO_LONG);
	assert_int_equal(resume(id_of(thread[1]), THREAD_FAULT_RETRY), STATUS_NOT_FOUND);
	assert_int_equal(resume(id_of(thread[1]), THREAD_FAULT_END), STATUS_NOT_FOUND);
	assert_int_equal(resume(0, THREAD_FAULT_END), STATUS_NOT_FOUND);
	assert_int_equal(resume(THREAD_NONE, THREAD_FAULT_END), STATUS_NOT_FOUND);
	assert_int_equal(resume(id_of(thread[0]), THREAD_FAULT_ACTION_COUNT), STATUS_BAD_ARGUMENT);
	assert_int_equal(resume(id_of(thread[0]), UINT64_C(1) << 32), STATUS_BAD_ARGUMENT);
	assert_true(task_snapshot_holds(&before, actor.process));
	assert_int_equal(thread[0]->fault_state, THREAD_FAULT_WAITING);
	assert_false(actor.process->ending);
	assert_int_equal(resume(id_of(thread[0]), THREAD_FAULT_RETRY), STATUS_OK);
	for (uint32_t i = 0; i < OPERATION_MAX; i++)
		(void)submit_wait(actor.thread, 0);
	assert_int_equal(call(actor.thread, THREAD_CONTROL_FAULT_WAIT, RESULT, sizeof(struct thread_fault)),
			 STATUS_BUSY);
	end();
}

/* An ended thread's id, and that of the one which has its place now. */
static void test_ended_handler_is_not_named(void **state)
{
	(void)state;
	begin();
	actor_end_thread(thread[2], 5);
	assert_int_equal(set_handler(3), STATUS_NOT_FOUND);
	assert_null(actor.process->fault_handler);
	end();
}

/* ---- another handler ---- */

static void test_replaced(void **state)
{
	(void)state;
	begin();
	assert_int_equal(set_handler(0), STATUS_OK);
	(void)submit_wait(actor.thread, 0);
	assert_int_equal(set_handler(0), STATUS_OK); /* the same: nothing happens */
	assert_int_equal(actor.process->fault_waits.count, 1);
	stand(1);
	stand(2);
	expect_told(actor.thread, 0, 1);
	(void)submit_wait(actor.thread, 0);
	expect_told(actor.thread, 0, 2);
	(void)submit_wait(actor.thread, 0);
	(void)ACTOR_SUBMIT(thread[0], RING_CALL, THREAD_CONTROL_SET_FAULT_HANDLER, control, id_of(thread[0]));
	assert_int_equal(take_status(thread[0]), STATUS_OK);
	assert_int_equal(take_status(actor.thread), STATUS_GONE);
	assert_ptr_equal(actor.process->fault_handler, thread[0]);
	actor_assert_valid(&actor);
	(void)submit_wait(thread[0], 3); /* it is told of both */
	expect_told(thread[0], 3, 1);
	(void)submit_wait(thread[0], 3);
	expect_told(thread[0], 3, 2);
	(void)submit_wait(actor.thread, 0);
	assert_int_equal(take_status(actor.thread), STATUS_GONE);
	assert_int_equal(resume(id_of(thread[1]), THREAD_FAULT_RETRY), STATUS_OK); /* by any thread */
	assert_int_equal(resume(id_of(thread[2]), THREAD_FAULT_RETRY), STATUS_OK);
	assert_int_equal(set_handler(THREAD_NONE), STATUS_OK);
	assert_null(actor.process->fault_handler);
	assert_false(actor.process->ending);
	end();
}

/* ---- ends ---- */

static void test_end(void **state)
{
	(void)state;
	begin();
	assert_int_equal(set_handler(0), STATUS_OK);
	for (uint32_t i = 0; i < 3; i++)
		stand(i);
	expect_wait_tells(0);
	assert_int_equal(resume(id_of(thread[1]), THREAD_FAULT_END), STATUS_OK);
	assert_true(was_woken(thread[1]));
	assert_int_equal(resume(id_of(thread[2]), THREAD_FAULT_END), STATUS_OK); /* the first reason stands */
	expect_end_by(1);
}

static void test_handler_ends(void **state)
{
	(void)state;
	begin();
	assert_int_equal(set_handler(id_of(thread[5])), STATUS_OK);
	for (uint32_t i = 4; i > 1; i--)
		stand(i);
	(void)submit_wait(thread[5], 0); /* told, not posted */
	assert_int_equal(resume(id_of(thread[3]), THREAD_FAULT_RETRY), STATUS_OK);
	actor_end_thread(thread[5], 0);
	assert_true(was_woken(thread[2]));
	expect_end_by(4);
}

/* With nobody standing, the end of the handler is that of a thread; an open wait goes with it. */
static void test_idle_handler_ends(void **state)
{
	const struct user_fault fault = fault_of(0);

	(void)state;
	begin();
	assert_int_equal(set_handler(id_of(thread[5])), STATUS_OK);
	(void)submit_wait(thread[5], 0);
	actor_end_thread(thread[5], 0);
	assert_false(actor.process->ending);
	assert_int_equal(actor.process->fault_waits.count, 0);
	actor_assert_valid(&actor);
	task_scheduler_run_as(thread[0]);
	assert_false(fault_handler_ask(&fault));
	end();
}

static void test_unset(void **state)
{
	(void)state;
	begin();
	assert_int_equal(set_handler(0), STATUS_OK);
	stand(3);
	stand(1);
	expect_wait_tells(3);
	assert_int_equal(set_handler(THREAD_NONE), STATUS_OK);
	expect_end_by(3);
}

/* ---- killed ---- */

static void kill_process(void *ignored)
{
	const struct process_exit exit = { .code = 137, .end = PROCESS_KILLED };

	(void)ignored;
	process_end_begin(actor.process, &exit);
}

static void resume_and_kill(void *ignored)
{
	assert_int_equal(resume(id_of(thread[0]), THREAD_FAULT_RETRY), STATUS_OK);
	kill_process(ignored);
}

static void fault_and_return(void *came_back)
{
	const struct user_fault fault = fault_of(0);

	*(bool *)came_back = fault_handler_ask(&fault);
}

/* It never comes back to ring 3, and nothing of it stays in the list. */
static void expect_no_return(void (*meanwhile)(void *))
{
	bool came_back = false;

	begin();
	assert_int_equal(set_handler(0), STATUS_OK);
	stand(1);
	task_scheduler_on_block(meanwhile, NULL);
	assert_true(task_scheduler_run(thread[0], fault_and_return, &came_back));
	assert_false(came_back);
	assert_ptr_equal(actor.process->faulted, thread[1]);
	assert_null(thread[1]->next_faulted);
	assert_true(was_woken(thread[1]));
	actor_assert_valid(&actor);
	end();
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

/* ---- at random ---- */

/* What a plain record of it all says. */
static struct {
	uint32_t standing[THREADS]; /* in order */
	bool is_told[THREADS];
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
		assert_int_equal(actor_take(actor.thread, &completion), STATUS_OK);
		assert_int_equal(actor_status(&completion), STATUS_OK);
		assert_int_equal(completion.value, id_of(thread[i]));
		model.is_told[i] = true;
		model.waits--;
	}
	assert_true(nothing_came(actor.thread));
}

static void fault_or_resume(uint32_t i)
{
	const uint32_t place = model_place(i);

	if (place < model.count) {
		assert_int_equal(resume(id_of(thread[i]), THREAD_FAULT_RETRY), STATUS_OK);
		model_remove(place);
		return;
	}
	assert_int_equal(resume(id_of(thread[i]), THREAD_FAULT_RETRY), STATUS_NOT_FOUND);
	stand(i);
	model.standing[model.count++] = i;
	model.is_told[i] = false;
}

static void test_random(void **state)
{
	struct host_random random;

	(void)state;
	host_random_init(&random, "fault_handler", 17);
	begin();
	assert_int_equal(set_handler(0), STATUS_OK);
	for (uint64_t round = host_rounds(3000); round > 0; round--) {
		if (host_random_below(&random, 3) != 0) {
			fault_or_resume((uint32_t)host_random_below(&random, THREADS));
		} else if (model.waits < OPERATION_MAX / 2) {
			(void)submit_wait(actor.thread, 0);
			model.waits++;
		}
		expect_model_told();
		assert_int_equal(actor.process->fault_waits.count, model.waits);
		if (round % 16 == 0)
			actor_assert_valid(&actor);
	}
	end();
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
		cmocka_unit_test(test_replaced),
		cmocka_unit_test(test_end),
		cmocka_unit_test(test_handler_ends),
		cmocka_unit_test(test_idle_handler_ends),
		cmocka_unit_test(test_unset),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_resumed_and_killed),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
