/* links: HOST_TASK_KERNEL */
/* Operations that complete later: their places, the order in which they are posted, the clock, what is cancelled, and
   the system call that waits for them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "abi/console_abi.h"
#include "abi/syscall_abi.h"
#include "abi/timer_abi.h"
#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/user_mode.h"
#include "kernel/cap/dispatch.h"
#include "kernel/task/operation.h"
#include "kernel/task/process_end.h"
#include "lib/check.h"
#include "tests/host/actor.h"
#include "tests/host/host_support.h"
#include "tests/host/task_scheduler.h"

#define FRAMES 512u
#define BUFFER ACTOR_MEMORY

static struct actor actor;
static handle_t timer, console;

static void begin(void)
{
	task_machine_start(FRAMES);
	actor_begin(&actor, "waits");
	timer = actor_grant(&actor, INTERFACE_TIMER, TRANSFER_COPY, NULL);
	console = actor_grant(&actor, INTERFACE_CONSOLE, TRANSFER_COPY, NULL);
}

static void end(void)
{
	actor_end(&actor);
	task_machine_stop();
}

static uint64_t sleep_for(uint64_t nanoseconds)
{
	return ACTOR_SUBMIT(actor.thread, RING_CALL, TIMER_SLEEP, timer, nanoseconds);
}

/* ---- places and the list of those that are done ---- */

/* An operation of a plain queue, as an object would have it. */
static struct operation *open_in(struct operation_queue *queue, struct spinlock *guard, uint64_t user_data)
{
	struct operation *operation;

	assert_int_equal(operation_open(actor.thread, OPERATION_THREAD_WAIT, user_data, OPERATION_FOREVER, &operation),
			 STATUS_OK);
	operation->guard = guard;
	operation_enqueue(queue, operation);
	return operation;
}

static void test_places(void **state)
{
	struct operation *operation[OPERATION_MAX], *more;
	struct host_random random;
	uint32_t open = 0;

	(void)state;
	host_random_init(&random, "operation", 91);
	begin();
	memset(operation, 0, sizeof(operation));
	for (uint64_t round = host_rounds(20000); round > 0; round--) {
		uint32_t i = (uint32_t)host_random_below(&random, OPERATION_MAX);

		if (operation[i] != NULL) {
			operation_abandon(operation[i]);
			operation[i] = NULL;
			open--;
		} else {
			uint64_t deadline = host_random_once_in(&random, 2) ? OPERATION_FOREVER : round;

			assert_int_equal(operation_open(actor.thread, OPERATION_SLEEP, round, deadline, &operation[i]),
					 STATUS_OK);
			for (uint32_t j = 0; j < OPERATION_MAX; j++)
				assert_true(j == i || operation[j] != operation[i]);
			assert_int_equal(operation[i]->completion.user_data, round);
			assert_int_equal(operation[i]->completion.capability, HANDLE_NONE);
			assert_null(operation[i]->queue);
			open++;
		}
		assert_int_equal(actor.thread->open_count, open);
		assert_int_equal(__builtin_popcount(actor.thread->places_used), open);
		if (open == OPERATION_MAX)
			assert_int_equal(operation_open(actor.thread, OPERATION_SLEEP, 0, 0, &more), STATUS_BUSY);
	}
	for (uint32_t i = 0; i < OPERATION_MAX; i++)
		if (operation[i] != NULL)
			operation_abandon(operation[i]);
	assert_int_equal(actor.thread->looking, 0);
	end();
}

/* Posted in the order in which they were completed, whatever the order in which they were opened. */
static void test_done_order(void **state)
{
	static const uint32_t order[] = { 3, 0, 7, 1, 6, 2, 5, 4 };
	struct operation_queue queue = { .count = 0 };
	struct spinlock guard = SPINLOCK_INIT(LOCK_PROCESS);
	struct operation *operation[COUNT_OF(order)];
	struct ring_completion completion;
	uint64_t next_look = UINT64_MAX;

	(void)state;
	begin();
	for (uint32_t i = 0; i < COUNT_OF(order); i++)
		operation[i] = open_in(&queue, &guard, 100 + i);
	assert_true(operation_queue_is_valid(&queue));
	for (uint32_t i = 0; i < COUNT_OF(order); i++) {
		operation_dequeue(operation[order[i]]);
		assert_true(operation_queue_is_valid(&queue));
		if (i % 2 == 0)
			operation_complete(operation[order[i]], STATUS_GONE, i);
		else
			operation_answer(operation[order[i]], 40 + i, i);
	}
	assert_int_equal(queue.count, 0);
	assert_int_equal(operation_post_done(actor.thread, &next_look), COUNT_OF(order));
	assert_int_equal(next_look, UINT64_MAX);
	for (uint32_t i = 0; i < COUNT_OF(order); i++) {
		assert_int_equal(ring_take(actor.thread->ring, &completion), STATUS_OK);
		assert_int_equal(completion.user_data, 100 + order[i]);
		assert_int_equal(completion.result, i % 2 == 0 ? -(int32_t)STATUS_GONE : 40 + (int32_t)i);
		assert_int_equal(completion.value, i);
	}
	assert_int_equal(actor.thread->refused, COUNT_OF(order) / 2);
	assert_int_equal(actor.thread->open_count, 0);
	end();
}

/* What is complete cannot be cancelled any more, and what is cancelled is nobody's to complete. */
static void test_cancel(void **state)
{
	struct operation_queue queue = { .count = 0 };
	struct spinlock guard = SPINLOCK_INIT(LOCK_PROCESS);
	struct operation *first;
	struct ring_completion completion;

	(void)state;
	begin();
	first = open_in(&queue, &guard, 1);
	(void)open_in(&queue, &guard, 2);
	(void)open_in(&queue, &guard, 2);
	operation_dequeue(first);
	operation_complete(first, STATUS_OK, 9);
	assert_int_equal(operation_cancel(actor.thread, 1), STATUS_NOT_FOUND);
	assert_int_equal(operation_cancel(actor.thread, 3), STATUS_NOT_FOUND);
	assert_int_equal(operation_cancel(actor.thread, 2), STATUS_OK); /* one of the two */
	assert_int_equal(queue.count, 1);
	assert_int_equal(actor_take(actor.thread, &completion), STATUS_OK);
	assert_int_equal(completion.user_data, 2);
	assert_int_equal(actor_status(&completion), STATUS_CANCELLED);
	assert_int_equal(actor_take(actor.thread, &completion), STATUS_OK);
	assert_int_equal(completion.user_data, 1);
	assert_int_equal(completion.value, 9);
	operation_cancel_all(actor.thread);
	assert_int_equal(queue.count, 0);
	assert_int_equal(actor.thread->open_count, 0);
	assert_int_equal(actor_take(actor.thread, &completion), STATUS_WOULD_BLOCK);
	end();
}

static void test_queue_first(void **state)
{
	struct operation_queue queue = { .count = 0 };
	struct spinlock guard = SPINLOCK_INIT(LOCK_PROCESS);
	struct operation *operation[3];

	(void)state;
	begin();
	for (uint32_t i = 0; i < 3; i++)
		operation[i] = open_in(&queue, &guard, i);
	operation_dequeue(operation[1]);
	operation_enqueue_first(&queue, operation[1]);
	assert_ptr_equal(queue.first, operation[1]);
	assert_ptr_equal(queue.last, operation[2]);
	assert_true(operation_queue_is_valid(&queue));
	queue.count++;
	assert_false(operation_queue_is_valid(&queue));
	queue.count--;
	operation[0]->previous = operation[2];
	assert_false(operation_queue_is_valid(&queue));
	operation[0]->previous = operation[1];
	operation_cancel_all(actor.thread);
	operation_enqueue_first(&queue, operation[0]);
	assert_ptr_equal(queue.last, operation[0]);
	end();
}

/* ---- the clock, and the serial line ---- */

static void test_sleep(void **state)
{
	struct ring_completion completion;
	uint64_t next_look = UINT64_MAX, early, late;

	(void)state;
	begin();
	task_machine_set_clock(1000);
	late = sleep_for(500);
	early = sleep_for(200);
	(void)sleep_for(UINT64_MAX); /* never, but not for ever */
	assert_int_equal(operation_post_done(actor.thread, &next_look), 0);
	assert_int_equal(next_look, 1200);
	task_machine_set_clock(1199);
	assert_int_equal(actor_take(actor.thread, &completion), STATUS_WOULD_BLOCK);
	task_machine_set_clock(1200);
	assert_int_equal(actor_take(actor.thread, &completion), STATUS_OK);
	assert_int_equal(completion.user_data, early);
	assert_int_equal(completion.result, 0);
	task_machine_set_clock(5000);
	assert_int_equal(actor_take(actor.thread, &completion), STATUS_OK);
	assert_int_equal(completion.user_data, late);
	assert_int_equal(actor.thread->looking, 1);
	end();
}

static void test_console(void **state)
{
	struct ring_completion completion;
	char text[16] = { 0 };
	uint64_t user_data;

	(void)state;
	begin();
	actor_write(&actor, BUFFER, "hello, line", 11);
	completion = ACTOR_CALL(actor.thread, RING_CALL, CONSOLE_WRITE, console, BUFFER, 11);
	assert_int_equal(completion.value, 11);
	assert_string_equal(task_machine_printed(), "hello, line");
	completion = ACTOR_CALL(actor.thread, RING_CALL, CONSOLE_WRITE, console, BUFFER, CONSOLE_MAX_BYTES + 1);
	assert_int_equal(actor_status(&completion), STATUS_TOO_LONG);
	completion = ACTOR_CALL(actor.thread, RING_CALL, CONSOLE_WRITE, console, ACTOR_NOTHING, 1);
	assert_int_equal(actor_status(&completion), STATUS_BUFFER_FAULT);
	completion = ACTOR_CALL(actor.thread, RING_CALL, CONSOLE_READ, console, BUFFER, 0);
	assert_int_equal(actor_status(&completion), STATUS_ZERO_LENGTH);
	completion = ACTOR_CALL(actor.thread, RING_CALL, CONSOLE_READ, console, ACTOR_READABLE, 1);
	assert_int_equal(actor_status(&completion), STATUS_BUFFER_FAULT);
	user_data = ACTOR_SUBMIT(actor.thread, RING_CALL, CONSOLE_READ, console, BUFFER + 100, 5);
	assert_int_equal(actor_take(actor.thread, &completion), STATUS_WOULD_BLOCK);
	task_machine_type("typed in");
	assert_int_equal(actor_take(actor.thread, &completion), STATUS_OK);
	assert_int_equal(completion.user_data, user_data);
	assert_int_equal(completion.value, 5);
	actor_read(&actor, BUFFER + 100, text, 5);
	assert_string_equal(text, "typed");
	completion = ACTOR_CALL(actor.thread, RING_CALL, CONSOLE_READ, console, BUFFER + 100, 10);
	assert_int_equal(completion.value, 3); /* what is left */
	end();
}

/* ---- cap_enter ---- */

static uint64_t enter(uint64_t min_complete, uint64_t timeout)
{
	task_scheduler_run_as(actor.thread);
	return syscall_cap_enter(min_complete, timeout);
}

static void pass_time(void *argument)
{
	(void)argument;
	assert_int_not_equal(task_scheduler_log.deadline, SCHEDULER_FOREVER);
	task_machine_set_clock(task_scheduler_log.deadline);
}

static void test_enter(void **state)
{
	struct ring_completion completion;

	(void)state;
	begin();
	task_scheduler_on_block(pass_time, NULL);
	assert_int_equal(enter(0, 0), 0);
	assert_int_equal(enter(1, CAP_ENTER_FOREVER), 0); /* nothing can come */
	assert_int_equal((int64_t)enter(RING_CQ_ENTRIES + 1, 0), -(int64_t)STATUS_BAD_ARGUMENT);
	assert_int_equal(task_scheduler_log.blocks, 0);
	(void)sleep_for(300);
	(void)sleep_for(900);
	assert_int_equal(enter(1, 0), 0); /* not yet, and no time to wait */
	assert_int_equal(enter(1, CAP_ENTER_FOREVER), 1);
	assert_int_equal(task_scheduler_log.deadline, 300);
	assert_int_equal(enter(2, 400), 1); /* its own time is over first */
	assert_int_equal(task_scheduler_log.deadline, 700);
	assert_int_equal(enter(2, CAP_ENTER_FOREVER), 2);
	assert_int_equal(task_scheduler_log.deadline, 900);
	assert_int_equal(ring_take(actor.thread->ring, &completion), STATUS_OK);
	actor.thread->ring->header.cq_head += 100; /* no look that is possible */
	assert_int_equal((int64_t)enter(0, 0), -(int64_t)STATUS_BAD_ARGUMENT);
	actor.thread->ring->header.cq_head -= 100;
	assert_int_equal(enter(0, 0), 1);
	end();
}

/* ---- between two submissions ---- */

#define BATCH 3u

/* BATCH lines to the console, in one go. */
static void write_lines(void *argument)
{
	struct ring_submission *slot;
	struct ring_look look;

	(void)argument;
	task_scheduler_run_as(actor.thread);
	actor_write(&actor, BUFFER, "abc", BATCH);
	for (uint32_t i = 0; i < BATCH; i++) {
		CHECK(ring_submit_slot(actor.thread->ring, &slot) == STATUS_OK);
		*(ring_word_t *)slot = actor_first(RING_CALL, CONSOLE_WRITE, console);
		slot->argument[0] = BUFFER + i;
		slot->argument[1] = 1;
		ring_publish(actor.thread->ring);
	}
	look = ring_kernel_look(&actor.thread->ring_state, actor.thread->ring);
	assert_int_equal(look.pending, BATCH);
	assert_int_equal(dispatch_queue(actor.thread, look.pending, look.waiting), look.waiting + BATCH);
}

/* A batch attends to what the CPU is asked, at once; and not if nothing is asked. */
static void test_attention(void **state)
{
	(void)state;
	begin();
	write_lines(NULL);
	assert_int_equal(task_scheduler_log.attended, 0);
	cpu_current()->attention = 1;
	task_scheduler_log.handed_over = actor.thread;
	write_lines(NULL);
	assert_int_equal(task_scheduler_log.attended, 1);
	assert_null(task_scheduler_log.handed_over); /* others may run it meanwhile */
	assert_string_equal(task_machine_printed(), "abcabc");
	end();
}

/* The rest of a batch is not carried out when the process is to end. */
static void test_killed_in_batch(void **state)
{
	const struct process_exit exit = { .code = 5, .end = PROCESS_KILLED };
	struct process *process;

	(void)state;
	begin();
	process = actor.process;
	process_use(process);
	process_end_begin(process, &exit);
	assert_true(task_scheduler_run(actor.thread, write_lines, NULL));
	assert_true(process->ended);
	assert_string_equal(task_machine_printed(), "a");
	process_end_use(process);
	task_machine_stop();
}

static void end_process(void *argument)
{
	const struct process_exit exit = { .code = 5, .end = PROCESS_KILLED };

	(void)argument;
	process_end_begin(actor.process, &exit);
}

static void enter_for_ever(void *argument)
{
	(void)argument;
	(void)syscall_cap_enter(1, CAP_ENTER_FOREVER);
	fail();
}

/* A thread that sleeps when its process is killed does not come back to the program. */
static void test_killed_asleep(void **state)
{
	struct process *process;

	(void)state;
	begin();
	process = actor.process;
	process_use(process);
	(void)sleep_for(UINT64_MAX);
	task_scheduler_on_block(end_process, NULL);
	assert_true(task_scheduler_run(actor.thread, enter_for_ever, NULL));
	assert_true(process->ended);
	assert_int_equal(process->exit.code, 5);
	assert_int_equal(process->exit.end, PROCESS_KILLED);
	process_end_use(process);
	task_machine_stop();
}

static void exit_with(void *code)
{
	syscall_exit(*(uint64_t *)code);
}

/* exit ends the whole process; its other threads leave when they are run next. */
static void test_exit(void **state)
{
	struct process *process;
	struct thread *second;
	uint64_t code = 17;

	(void)state;
	begin();
	process = actor.process;
	process_use(process);
	second = actor_add_thread(&actor);
	assert_true(task_scheduler_run(actor.thread, exit_with, &code));
	assert_true(process->ending && !process->ended);
	assert_true(second->wake_pending);
	assert_int_equal(process->threads, 1);
	assert_true(process_is_valid(process));
	actor_end_thread(second, 1);
	assert_true(process->ended);
	assert_int_equal(process->exit.code, 17);
	process_end_use(process);
	task_machine_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_done_order),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_queue_first),
		cmocka_unit_test(test_sleep),
		cmocka_unit_test(test_console),
		cmocka_unit_test(test_enter),
		cmocka_unit_test(test_killed_asleep),
		cmocka_unit_test(test_exit),
		cmocka_unit_test(test_attention),
		cmocka_unit_test(test_killed_in_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
