/* links: HOST_TASK_KERNEL */
/* Waiting for ^C: what it takes off the input, what it keeps for others, and what ends it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "abi/console_abi.h"
#include "lib/check.h"
#include "tests/host/actor.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interrupt),         cmocka_unit_test(test_reading_ends_it),
		cmocka_unit_test(test_others_read),       cmocka_unit_test(test_kept_input),
		cmocka_unit_test(test_end_while_waiting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
