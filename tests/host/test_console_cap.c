/* links: HOST_TASK_KERNEL */
/* Reading, and waiting for ^C: what it takes off the input, what it keeps for others, what ends it, and who is called.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "abi/console_abi.h"
#include "kernel/mem/anonymous.h"
#include "kernel/task/console_wait.h"
#include "lib/check.h"
#include "tests/host/actor.h"
#include "tests/host/task_scheduler.h"

#define FRAMES 512u
#define BUFFER ACTOR_MEMORY
#define LONG_BYTES (CONSOLE_KEPT_BYTES + 300u)

static struct actor actor;
static handle_t console;

static void begin(void)
{
	task_machine_start(FRAMES);
	actor_begin(&actor, "listens");
	console = actor_grant(&actor, INTERFACE_CONSOLE, TRANSFER_COPY, NULL);
}

static void end(void)
{
	actor_end(&actor);
	task_machine_stop();
}

static uint64_t wait_interrupt(void)
{
	return ACTOR_SUBMIT(actor.thread, RING_CALL, CONSOLE_WAIT_INTERRUPT, console, 0);
}

static void expect_nothing(struct thread *thread)
{
	struct ring_completion completion;

	assert_int_equal(actor_take(thread, &completion), STATUS_WOULD_BLOCK);
}

static void expect(struct thread *thread, uint64_t user_data, uint64_t value)
{
	struct ring_completion completion;

	assert_int_equal(actor_take(thread, &completion), STATUS_OK);
	assert_int_equal(completion.user_data, user_data);
	assert_int_equal(completion.result, 0);
	assert_int_equal(completion.value, value);
}

/* All of `text`, which is there or kept, by reads of that thread. */
static void expect_input(struct thread *thread, const char *text)
{
	char part[8] = { 0 };

	for (size_t done = 0; done < strlen(text);) {
		struct ring_completion completion =
			ACTOR_CALL(thread, RING_CALL, CONSOLE_READ, console, BUFFER, sizeof(part));

		assert_int_equal(actor_status(&completion), STATUS_OK);
		actor_read(&actor, BUFFER, part, completion.value);
		assert_memory_equal(part, text + done, completion.value);
		done += completion.value;
	}
}

static void test_interrupt(void **state)
{
	uint64_t user_data;

	(void)state;
	begin();
	user_data = wait_interrupt();
	expect_nothing(actor.thread);
	task_machine_type("before");
	expect_nothing(actor.thread);
	task_machine_type("and \x03"
			  "after");
	expect(actor.thread, user_data, 1);
	expect_nothing(actor.thread);
	expect_input(actor.thread, "after");
	end();
}

/* What was typed ahead is the reader's, ^C among it. */
static void test_reading_ends_it(void **state)
{
	uint64_t user_data, reading;

	(void)state;
	begin();
	user_data = wait_interrupt();
	expect_nothing(actor.thread);
	reading = ACTOR_SUBMIT(actor.thread, RING_CALL, CONSOLE_READ, console, BUFFER, 3);
	expect(actor.thread, user_data, 0);
	task_machine_type("a\x03"
			  "b");
	expect(actor.thread, reading, 3);
	user_data = wait_interrupt(); /* once more: it is as good as the first */
	task_machine_type("\x03");
	expect(actor.thread, user_data, 1);
	end();
}

static void test_others_read(void **state)
{
	struct thread *other;
	uint64_t user_data;

	(void)state;
	begin();
	other = actor_add_thread(&actor);
	user_data = wait_interrupt();
	task_machine_type("for the other");
	expect_nothing(actor.thread); /* it looks first, and keeps */
	expect_input(other, "for the other");
	expect_nothing(actor.thread);
	task_machine_type("\x03");
	expect(actor.thread, user_data, 1);
	end();
}

/* More than is kept waits in the line. */
static void test_kept_input(void **state)
{
	static char text[LONG_BYTES + 1];
	uint64_t user_data, reading;

	(void)state;
	begin();
	for (uint32_t i = 0; i < LONG_BYTES; i++)
		text[i] = (char)('a' + i % 26);
	user_data = wait_interrupt();
	task_machine_type(text);
	expect_nothing(actor.thread);
	expect_nothing(actor.thread);
	reading = ACTOR_SUBMIT(actor.thread, RING_CALL, CONSOLE_READ, console, BUFFER, 8);
	expect(actor.thread, user_data, 0);
	expect(actor.thread, reading, 8);
	expect_input(actor.thread, text + 8);
	end();
}

/* Whoever ends leaves no wait behind, and what was kept is the next one's. */
static void test_end_while_waiting(void **state)
{
	(void)state;
	begin();
	(void)wait_interrupt();
	task_machine_type("kept");
	expect_nothing(actor.thread);
	end();
	begin();
	expect_input(actor.thread, "kept");
	end();
}

/* When its thread wants to be back at the latest, if nothing is done. */
static uint64_t next_look(struct thread *thread)
{
	uint64_t next = OPERATION_FOREVER;

	task_scheduler_run_as(thread);
	assert_int_equal(operation_post_done(thread, &next), 0);
	return next;
}

static uint64_t read_input(struct thread *thread, uint64_t buffer, uint64_t bytes)
{
	return ACTOR_SUBMIT(thread, RING_CALL, CONSOLE_READ, console, buffer, bytes);
}

/* Who waits sleeps until something comes, and is woken once for it, however much that is. */
static void test_sleeps(void **state)
{
	struct thread *other;
	uint64_t reading, waiting, wakes;

	(void)state;
	begin();
	other = actor_add_thread(&actor);
	waiting = ACTOR_SUBMIT(other, RING_CALL, CONSOLE_WAIT_INTERRUPT, console, 0);
	reading = read_input(actor.thread, BUFFER, 8);
	assert_int_equal(next_look(other), OPERATION_FOREVER);
	assert_int_equal(next_look(actor.thread), OPERATION_FOREVER);
	wakes = task_scheduler_log.wakes;
	task_machine_type("a");
	task_machine_type("ab");
	assert_int_equal(task_scheduler_log.wakes, wakes + 2);
	expect(actor.thread, reading, 2);
	assert_int_equal(next_look(other), OPERATION_FOREVER);
	task_machine_type("\x03");
	assert_int_equal(task_scheduler_log.wakes, wakes + 3); /* nobody else waits any more */
	expect(other, waiting, 1);
	end();
}

/* Without an interrupt the clock wakes who waits, and nothing else. */
static void test_polled(void **state)
{
	struct thread *other;
	uint64_t reading, waiting;

	(void)state;
	begin();
	task_machine_poll_input();
	task_machine_set_clock(500);
	other = actor_add_thread(&actor);
	waiting = ACTOR_SUBMIT(other, RING_CALL, CONSOLE_WAIT_INTERRUPT, console, 0);
	reading = read_input(actor.thread, BUFFER, 8);
	assert_int_equal(next_look(other), 500 + CONSOLE_WAIT_POLL_NS);
	assert_int_equal(next_look(actor.thread), 500 + CONSOLE_WAIT_POLL_NS);
	task_machine_type("ab");
	expect(actor.thread, reading, 2);
	expect_nothing(other);
	task_machine_type("\x03");
	expect(other, waiting, 1);
	assert_int_equal(next_look(other), OPERATION_FOREVER);
	end();
}

/* More than are called in a step. Each ^C ends one wait. */
static void test_many_wait(void **state)
{
	static const char interrupts[] = "\x03\x03\x03\x03\x03\x03\x03\x03\x03\x03\x03\x03"
					 "\x03\x03\x03\x03\x03\x03\x03\x03\x03\x03\x03\x03";
	struct thread *thread[2];

	(void)state;
	begin();
	thread[0] = actor.thread;
	thread[1] = actor_add_thread(&actor);
	for (uint32_t i = 0; i < sizeof(interrupts) - 1; i++)
		(void)ACTOR_SUBMIT(thread[i % 2], RING_CALL, CONSOLE_WAIT_INTERRUPT, console, 0);
	assert_true(sizeof(interrupts) - 1 > OPERATION_STEP);
	expect_nothing(thread[0]);
	expect_nothing(thread[1]);
	task_machine_type(interrupts);
	for (uint32_t i = 0; i < sizeof(interrupts) - 1; i++) {
		struct ring_completion completion;

		assert_int_equal(actor_take(thread[i % 2], &completion), STATUS_OK);
		assert_int_equal(completion.value, 1);
	}
	expect_nothing(thread[0]);
	expect_nothing(thread[1]);
	end();
}

static void test_cancel(void **state)
{
	struct ring_completion completion;
	uint64_t reading, waiting, wakes;

	(void)state;
	begin();
	reading = read_input(actor.thread, BUFFER, 8);
	waiting = wait_interrupt();
	expect_nothing(actor.thread);
	for (uint32_t i = 0; i < 2; i++) {
		(void)ACTOR_SUBMIT(actor.thread, RING_CANCEL, 0, HANDLE_NONE, i == 0 ? reading : waiting);
		assert_int_equal(actor_take(actor.thread, &completion), STATUS_OK);
		assert_int_equal(actor_status(&completion), STATUS_CANCELLED);
		assert_int_equal(actor_take(actor.thread, &completion), STATUS_OK); /* of the CANCEL */
		assert_int_equal(actor_status(&completion), STATUS_OK);
	}
	completion = ACTOR_CALL(actor.thread, RING_CANCEL, 0, HANDLE_NONE, reading);
	assert_int_equal(actor_status(&completion), STATUS_NOT_FOUND);
	wakes = task_scheduler_log.wakes;
	task_machine_type("ab");
	assert_int_equal(task_scheduler_log.wakes, wakes);
	expect_input(actor.thread, "ab");
	end();
}

/* A ^C behind all that is kept is found as soon as somebody makes room. */
static void test_interrupt_behind_kept(void **state)
{
	static char text[CONSOLE_KEPT_BYTES + 2];
	struct ring_completion completion;
	struct thread *other;
	uint64_t waiting, wakes;

	(void)state;
	begin();
	memset(text, 'x', CONSOLE_KEPT_BYTES);
	text[CONSOLE_KEPT_BYTES] = CONSOLE_INTERRUPT;
	other = actor_add_thread(&actor);
	waiting = ACTOR_SUBMIT(other, RING_CALL, CONSOLE_WAIT_INTERRUPT, console, 0);
	task_machine_type(text);
	expect_nothing(other);
	wakes = task_scheduler_log.wakes;
	completion = ACTOR_CALL(actor.thread, RING_CALL, CONSOLE_READ, console, BUFFER, 1);
	assert_int_equal(completion.value, 1);
	assert_true(task_scheduler_log.wakes > wakes);
	assert_ptr_equal(task_scheduler_log.woken[wakes % TASK_SCHEDULER_WAKES], other);
	expect(other, waiting, 1);
	expect_nothing(other);
	end();
}

static void shut_buffer(void *argument)
{
	const struct uaddr_range page = { uaddr_from_u64(BUFFER), uaddr_from_u64(BUFFER + PAGE_SIZE) };

	(void)argument;
	assert_int_equal(anonymous_protect(&actor.process->space, page, PROTECTION_NONE), STATUS_OK);
}

/* A buffer that goes bad when the input has been taken off the line: nothing is lost, and others look again. */
static void test_given_back(void **state)
{
	struct ring_completion completion;
	struct thread *other;
	uint64_t wakes;

	(void)state;
	begin();
	other = actor_add_thread(&actor);
	(void)read_input(actor.thread, BUFFER, 8);
	expect_nothing(actor.thread);
	task_machine_type("ab");
	(void)ACTOR_SUBMIT(other, RING_CALL, CONSOLE_WAIT_INTERRUPT, console, 0);
	task_machine_on_read(shut_buffer, NULL);
	assert_int_equal(actor_take(actor.thread, &completion), STATUS_OK);
	assert_int_equal(actor_status(&completion), STATUS_BUFFER_FAULT);
	expect_nothing(other);
	wakes = task_scheduler_log.wakes;
	task_machine_type("c");
	assert_int_equal(task_scheduler_log.wakes, wakes + 1);
	(void)read_input(actor.thread, BUFFER + PAGE_SIZE, 8);
	assert_int_equal(actor_take(actor.thread, &completion), STATUS_OK);
	assert_int_equal(completion.value, 3);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interrupt),
		cmocka_unit_test(test_reading_ends_it),
		cmocka_unit_test(test_others_read),
		cmocka_unit_test(test_kept_input),
		cmocka_unit_test(test_end_while_waiting),
		cmocka_unit_test(test_sleeps),
		cmocka_unit_test(test_polled),
		cmocka_unit_test(test_many_wait),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_interrupt_behind_kept),
		cmocka_unit_test(test_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
