#include "tests/host/fault_scene.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "kernel/task/fault_handler.h"
#include "lib/check.h"
#include "tests/host/task_scheduler.h"

#define FRAMES 4096u

struct fault_scene fault_scene;

static jmp_buf asleep;
static bool is_begun;

/* A test that failed has left its processes in the kernel's lists: the others would walk them for ever. */
void fault_scene_begin(void)
{
	CHECK(!is_begun);
	is_begun = true;
	task_machine_start(FRAMES);
	actor_begin(&fault_scene.actor, "faults");
	fault_scene.control =
		actor_grant(&fault_scene.actor, INTERFACE_THREAD_CONTROL, TRANSFER_NONE, fault_scene.actor.process);
	for (uint32_t i = 0; i < FAULT_SCENE_THREADS; i++)
		fault_scene.thread[i] = actor_add_thread(&fault_scene.actor);
}

void fault_scene_ended(void)
{
	task_machine_stop();
	is_begun = false;
}

void fault_scene_end(void)
{
	actor_end(&fault_scene.actor);
	fault_scene_ended();
}

/* ---- calls ---- */

enum status fault_scene_call(struct thread *caller, uint16_t operation, uint64_t first, uint64_t second)
{
	const struct ring_completion completion =
		ACTOR_CALL(caller, RING_CALL, operation, fault_scene.control, first, second);

	return actor_status(&completion);
}

uint64_t fault_scene_id_of(const struct thread *of)
{
	return process_thread_id(fault_scene.actor.process, of);
}

enum status fault_scene_set_handler(uint64_t id)
{
	return fault_scene_call(fault_scene.actor.thread, THREAD_CONTROL_SET_FAULT_HANDLER, id, 0);
}

enum status fault_scene_resume(uint64_t id, uint64_t action)
{
	return fault_scene_call(fault_scene.actor.thread, THREAD_CONTROL_FAULT_RESUME, id, action);
}

/* An open FAULT_WAIT, with the report to `place` of the results. */
uint64_t fault_scene_submit_wait(struct thread *caller, uint64_t place)
{
	return ACTOR_SUBMIT(caller, RING_CALL, THREAD_CONTROL_FAULT_WAIT, fault_scene.control,
			    FAULT_SCENE_RESULT + place * sizeof(struct thread_fault), sizeof(struct thread_fault));
}

enum status fault_scene_take_status(struct thread *caller)
{
	struct ring_completion completion;

	assert_int_equal(actor_take(caller, &completion), STATUS_OK);
	return actor_status(&completion);
}

bool fault_scene_nothing_came(struct thread *caller)
{
	struct ring_completion completion;

	return actor_take(caller, &completion) == STATUS_WOULD_BLOCK;
}

/* The next completion tells of the fault of fault_scene.thread[i]. */
void fault_scene_expect_told(struct thread *caller, uint64_t place, uint32_t i)
{
	struct ring_completion completion;
	struct thread_fault report;

	assert_int_equal(actor_take(caller, &completion), STATUS_OK);
	assert_int_equal(actor_status(&completion), STATUS_OK);
	assert_int_equal(completion.value, fault_scene_id_of(fault_scene.thread[i]));
	actor_read(&fault_scene.actor, FAULT_SCENE_RESULT + place * sizeof(report), &report, sizeof(report));
	assert_int_equal(report.thread_id, fault_scene_id_of(fault_scene.thread[i]));
	assert_int_equal(report.kind, USER_FAULT_READ_ONLY);
	assert_int_equal(report.access, PROTECTION_WRITE);
	assert_int_equal(report.address, FAULT_SCENE_ADDRESS(i));
	assert_int_equal(report.rip, FAULT_SCENE_RIP(i));
}

void fault_scene_expect_wait_tells(uint32_t i)
{
	(void)fault_scene_submit_wait(fault_scene.actor.thread, 0);
	fault_scene_expect_told(fault_scene.actor.thread, 0, i);
}

/* ---- faults ---- */

struct user_fault fault_scene_fault_of(uint32_t i)
{
	return (struct user_fault){
		.kind = USER_FAULT_READ_ONLY,
		.access = PROTECTION_WRITE,
		.address = FAULT_SCENE_ADDRESS(i),
		.rip = FAULT_SCENE_RIP(i),
		.vector = 14,
		.error = 7,
	};
}

static void sleep_for_good(void *ignored)
{
	(void)ignored;
	longjmp(asleep, 1);
}

/* fault_scene.thread[i] faults, and sleeps. */
void fault_scene_stand(uint32_t i)
{
	const struct user_fault fault = fault_scene_fault_of(i);

	task_scheduler_run_as(fault_scene.thread[i]);
	fault_scene.thread[i]->wake_pending = false;
	task_scheduler_on_block(sleep_for_good, NULL);
	if (setjmp(asleep) == 0) {
		(void)fault_handler_ask(&fault);
		assert_true(false); /* it does not sleep */
	}
	task_scheduler_on_block(NULL, NULL);
	assert_int_not_equal(fault_scene.thread[i]->fault_state, THREAD_FAULT_NONE);
}

bool fault_scene_was_woken(const struct thread *of)
{
	return of->wake_pending;
}
