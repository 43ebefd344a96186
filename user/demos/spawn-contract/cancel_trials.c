#include "user/demos/spawn-contract/cancel_trials.h"

#include <stddef.h>

#include "lib/check.h"
#include "user/demos/spawn-contract/endpoint_queues.h"
#include "user/runtime/open_operation.h"
#include "user/runtime/user_thread.h"
#include "user/testing/trial.h"
#include "user/testing/trial_child.h"

#define WANTED 1u /* user_data of what is cancelled */
#define OTHER 2u
#define NOBODY 3u
#define LONG_MS 60000u
#define LONG TRIAL_MS(LONG_MS)

static struct endpoint_client endpoint;
static struct endpoint_facet facet;
static struct endpoint_buffer received;
static uint32_t word;

static void open_endpoint(void)
{
	EXPECT_OK(endpoint_client_create(trial.endpoints, &endpoint));
	EXPECT_OK(endpoint_client_make_client(endpoint, 0, true, &facet));
}

static void close_endpoint(void)
{
	EXPECT_OK(ring_client_release(facet.handle));
	EXPECT_OK(ring_client_release(endpoint.handle));
}

static void expect_queues(uint32_t calls, uint32_t receivers, uint32_t served)
{
	endpoint_queues_expect(endpoint, calls, receivers, served);
}

static void expect_completion(uint64_t user_data, enum status status)
{
	struct ring_completion completion;

	EXPECT_OK(open_operation_wait(user_data, TRIAL_MS(5000), &completion));
	EXPECT_STATUS(ring_client_status(&completion), status);
	EXPECT_EQUAL(completion.flags, 0);
}

/* It is open, it ends, and then nothing is there to end. */
static void cancel_wanted(void)
{
	EXPECT_OK(open_operation_cancel(WANTED));
	expect_completion(WANTED, STATUS_CANCELLED);
	EXPECT_STATUS(open_operation_cancel(WANTED), STATUS_NOT_FOUND);
}

static enum status submit(struct open_operation_head head, const uint64_t argument[3], uint64_t user_data)
{
	struct ring_submission *slot;

	TRY(open_operation_begin(head, user_data, &slot));
	for (uint32_t i = 0; i < 3; i++)
		slot->argument[i] = argument[i];
	open_operation_finish();
	return STATUS_OK;
}

static enum status submit_park(uint64_t user_data)
{
	const uint64_t argument[] = { (uint64_t)&word, word, PARK_FOREVER };

	return submit((struct open_operation_head){ RING_PARK, 0, trial.park.handle }, argument, user_data);
}

static enum status submit_sleep(uint64_t nanoseconds, uint64_t user_data)
{
	const uint64_t argument[3] = { nanoseconds };

	return submit((struct open_operation_head){ RING_CALL, TIMER_SLEEP, trial.timer.handle }, argument, user_data);
}

/* ---- calls ---- */

/* Nobody ever sees it, and what it would have moved is still here. */
static void waiting_call(void)
{
	struct endpoint_request request = { .parameters = &word, .parameter_bytes = sizeof(word), .transfers = 1 };
	struct transfer_descriptor moved = { .kind = TRANSFER_KIND_MOVE };
	struct memory_object_client object;
	uint64_t bytes;

	open_endpoint();
	EXPECT_OK(trial_object(1, &object));
	moved.capability = object.handle;
	request.transfer = &moved;
	bytes = trial_used(LEDGER_KERNEL_OBJECT);
	EXPECT_OK(endpoint_client_call_submit(facet, &request, WANTED));
	expect_queues(1, 0, 0);
	EXPECT(trial_used(LEDGER_KERNEL_OBJECT) > bytes);
	cancel_wanted();
	EXPECT_EQUAL(trial_used(LEDGER_KERNEL_OBJECT), bytes);
	expect_queues(0, 0, 0);
	EXPECT_OK(endpoint_client_receive_submit(endpoint, (struct endpoint_intake){ &received, sizeof(received), 0 },
						 OTHER));
	expect_queues(0, 1, 0);
	EXPECT_OK(ring_client_release(object.handle));
	EXPECT_OK(open_operation_cancel(OTHER));
	expect_completion(OTHER, STATUS_CANCELLED);
	close_endpoint();
}

/* The next call waits for a receiver that wants it. */
static void waiting_receive(void)
{
	const struct endpoint_request request = { .method = 1 };

	open_endpoint();
	EXPECT_OK(endpoint_client_receive_submit(endpoint, (struct endpoint_intake){ &received, sizeof(received), 0 },
						 WANTED));
	EXPECT_OK(endpoint_client_receive_submit(endpoint, (struct endpoint_intake){ &received, sizeof(received), 0 },
						 OTHER));
	expect_queues(0, 2, 0);
	cancel_wanted();
	expect_queues(0, 1, 0);
	EXPECT_OK(open_operation_cancel(OTHER));
	expect_completion(OTHER, STATUS_CANCELLED);
	EXPECT_OK(endpoint_client_call_submit(facet, &request, WANTED));
	expect_queues(1, 0, 0);
	cancel_wanted();
	close_endpoint();
}

/* Whoever serves it learns of it when it answers, and keeps what it would have given. */
static void served_call(void)
{
	const struct endpoint_request request = { .method = 1, .accepts = 1 };
	struct transfer_descriptor moved = { .kind = TRANSFER_KIND_MOVE };
	struct endpoint_answer answer = { .value = 1, .transfer = &moved, .transfers = 1 };
	struct memory_object_client object;

	open_endpoint();
	EXPECT_OK(trial_object(1, &object));
	moved.capability = object.handle;
	EXPECT_OK(endpoint_client_call_submit(facet, &request, WANTED));
	EXPECT_OK(endpoint_client_receive(endpoint, (struct endpoint_intake){ &received, sizeof(received), 0 }));
	expect_queues(0, 0, 1);
	cancel_wanted();
	expect_queues(0, 0, 0);
	answer.call = received.message.call;
	EXPECT_STATUS(endpoint_client_return(endpoint, &answer), STATUS_GONE);
	EXPECT_OK(ring_client_release(object.handle));
	close_endpoint();
}

/* Answered in the same entry, just before: the answer stands, and its capability with it. */
static void answered_call(void)
{
	const struct endpoint_request request = { .method = 1, .accepts = 1 };
	struct transfer_descriptor moved = { .kind = TRANSFER_KIND_MOVE };
	struct endpoint_answer answer = { .answer = 7, .transfer = &moved, .transfers = 1 };
	struct memory_object_client object;
	struct ring_completion completion;

	open_endpoint();
	EXPECT_OK(trial_object(1, &object));
	moved.capability = object.handle;
	EXPECT_OK(endpoint_client_call_submit(facet, &request, WANTED));
	EXPECT_OK(endpoint_client_receive(endpoint, (struct endpoint_intake){ &received, sizeof(received), 0 }));
	answer.call = received.message.call;
	EXPECT_OK(endpoint_client_return_submit(endpoint, &answer, OTHER));
	EXPECT_STATUS(open_operation_cancel(WANTED), STATUS_NOT_FOUND);
	expect_completion(OTHER, STATUS_OK);
	EXPECT_OK(open_operation_wait(WANTED, TRIAL_MS(5000), &completion));
	EXPECT_EQUAL(completion.result, 7);
	EXPECT_EQUAL(completion.interface, INTERFACE_MEMORY_OBJECT);
	EXPECT_STATUS(open_operation_cancel(WANTED), STATUS_NOT_FOUND);
	EXPECT_OK(ring_client_release(completion.capability));
	close_endpoint();
}

static int64_t answer_one(void *ignored)
{
	struct endpoint_buffer buffer;
	struct endpoint_answer answer = { .value = 5 };

	(void)ignored;
	if (endpoint_client_receive(endpoint, (struct endpoint_intake){ &buffer, sizeof(buffer), 0 }) != STATUS_OK)
		return 1;
	answer.call = buffer.message.call;
	return endpoint_client_return(endpoint, &answer);
}

static void call_has_its_time(void)
{
	const struct endpoint_request request = { .method = 1 };
	struct endpoint_reply reply = { 0 };
	struct user_thread thread;
	const uint64_t start = trial_now();

	open_endpoint();
	EXPECT_STATUS(endpoint_client_call_within(facet, &request, TRIAL_MS(10), &reply), STATUS_TIMED_OUT);
	EXPECT(trial_now() - start >= TRIAL_MS(10));
	expect_queues(0, 0, 0);
	trial_thread(&thread, answer_one, NULL);
	EXPECT_OK(endpoint_client_call_within(facet, &request, LONG, &reply));
	EXPECT_EQUAL(reply.value, 5);
	trial_join(&thread, STATUS_OK);
	close_endpoint();
}

/* ---- sleeps and waits ---- */

static void parked(void)
{
	uint64_t woken;

	EXPECT_OK(submit_park(OTHER));
	EXPECT_OK(submit_park(WANTED));
	cancel_wanted();
	EXPECT_OK(park_client_unpark(trial.park, &word, PARK_ALL, &woken));
	EXPECT_EQUAL(woken, 1);
	expect_completion(OTHER, STATUS_OK);
}

static void asleep(void)
{
	const uint64_t start = trial_now();

	EXPECT_OK(submit_sleep(LONG, WANTED));
	EXPECT_OK(submit_sleep(TRIAL_MS(10), OTHER));
	cancel_wanted();
	expect_completion(OTHER, STATUS_OK);
	EXPECT(trial_now() - start < LONG);
}

/* Nothing is typed: both would wait for ever. */
static void console(void)
{
	const struct open_operation_head read = { RING_CALL, CONSOLE_READ, trial.console.handle };
	const struct open_operation_head wait = { RING_CALL, CONSOLE_WAIT_INTERRUPT, trial.console.handle };
	const uint64_t buffer[3] = { (uint64_t)&received, sizeof(received) };
	const uint64_t none[3] = { 0 };

	EXPECT_OK(submit(wait, none, WANTED));
	cancel_wanted();
	EXPECT_OK(submit(read, buffer, WANTED));
	cancel_wanted();
}

/* Its end is there for the next wait. */
static void wait_for_process(void)
{
	struct process_builder builder;
	struct process_client process;
	struct process_exit exit = { .code = -1 };

	trial_child_build(&builder, "sleep");
	trial_child_argument(&builder, LONG_MS);
	EXPECT_OK(trial_child_start(&builder, &process));
	EXPECT_OK(process_client_wait_submit(process, &exit, WANTED));
	cancel_wanted();
	EXPECT_OK(process_client_kill(process));
	EXPECT_EQUAL(trial_child_wait(process).end, PROCESS_KILLED);
	EXPECT_EQUAL(exit.code, -1);
	EXPECT_OK(ring_client_release(process.handle));
}

static int64_t park_until_told(void *ignored)
{
	(void)ignored;
	while (__atomic_load_n(&word, __ATOMIC_ACQUIRE) == 0)
		(void)!park_client_park(trial.park, &word, 0, TRIAL_MS(20000));
	return 9;
}

/* So is the id of the thread, until somebody has had its code. */
static void wait_for_thread(void)
{
	struct thread_exit exit = { .code = -1 };
	struct user_thread thread;
	uint64_t woken;

	word = 0;
	trial_thread(&thread, park_until_told, NULL);
	EXPECT_OK(thread_client_wait_submit(trial.threads, thread.id, &exit, WANTED));
	cancel_wanted();
	__atomic_store_n(&word, 1, __ATOMIC_RELEASE);
	EXPECT_OK(park_client_unpark(trial.park, &word, PARK_ALL, &woken));
	trial_join(&thread, 9);
	EXPECT_EQUAL(exit.code, -1);
	word = 0;
}

/* ---- what there is to cancel ---- */

static void nothing(void)
{
	const uint64_t none[3] = { 0 };

	EXPECT_STATUS(open_operation_cancel(NOBODY), STATUS_NOT_FOUND);
	/* Not itself, nor what completes at once, nor what has completed and waits to be taken. */
	EXPECT_OK(submit((struct open_operation_head){ RING_CANCEL, 0, HANDLE_NONE }, (uint64_t[3]){ NOBODY }, NOBODY));
	expect_completion(NOBODY, STATUS_NOT_FOUND);
	EXPECT_OK(submit((struct open_operation_head){ RING_NOP, 0, HANDLE_NONE }, none, NOBODY));
	EXPECT_STATUS(open_operation_cancel(NOBODY), STATUS_NOT_FOUND);
	expect_completion(NOBODY, STATUS_OK);
	EXPECT_OK(submit_sleep(1, NOBODY));
	trial_sleep(TRIAL_MS(1));
	EXPECT_STATUS(open_operation_cancel(NOBODY), STATUS_NOT_FOUND);
	expect_completion(NOBODY, STATUS_OK);
}

static int64_t cancel_others(void *ignored)
{
	(void)ignored;
	return open_operation_cancel(WANTED);
}

static void operation_of_another_thread(void)
{
	struct user_thread thread;

	EXPECT_OK(submit_park(WANTED));
	EXPECT_OK(ring_client_enter(0, 0));
	trial_thread(&thread, cancel_others, NULL);
	trial_join(&thread, STATUS_NOT_FOUND);
	cancel_wanted();
}

static void one_at_a_time(void)
{
	for (uint32_t i = 0; i < 3; i++)
		EXPECT_OK(submit_park(WANTED));
	EXPECT_OK(submit_park(OTHER));
	for (uint32_t i = 0; i < 3; i++) {
		EXPECT_OK(open_operation_cancel(WANTED));
		expect_completion(WANTED, STATUS_CANCELLED);
	}
	EXPECT_STATUS(open_operation_cancel(WANTED), STATUS_NOT_FOUND);
	EXPECT_OK(open_operation_cancel(OTHER));
	expect_completion(OTHER, STATUS_CANCELLED);
}

/* All 16 places in use, one is free at once: cancelled, and taken anew, in one entry. */
static void place_is_free_at_once(void)
{
	const struct open_operation_head cancel = { RING_CANCEL, 0, HANDLE_NONE };
	const uint64_t wanted[3] = { WANTED };

	for (uint32_t i = 0; i < RING_SQ_ENTRIES; i++)
		EXPECT_OK(submit_park(WANTED));
	EXPECT_OK(submit_park(OTHER));
	expect_completion(OTHER, STATUS_BUSY);
	EXPECT_OK(submit(cancel, wanted, NOBODY));
	EXPECT_OK(submit_park(OTHER));
	expect_completion(NOBODY, STATUS_OK);
	expect_completion(WANTED, STATUS_CANCELLED);
	EXPECT_STATUS(open_operation_wait(OTHER, 0, &(struct ring_completion){ 0 }), STATUS_TIMED_OUT);
	EXPECT_OK(open_operation_cancel(OTHER));
	expect_completion(OTHER, STATUS_CANCELLED);
	for (uint32_t i = 1; i < RING_SQ_ENTRIES; i++) {
		EXPECT_OK(open_operation_cancel(WANTED));
		expect_completion(WANTED, STATUS_CANCELLED);
	}
}

void cancel_trials_check(void)
{
	static const struct trial_case cases[] = {
		{ "cancel-of-a-waiting-call", waiting_call },
		{ "cancel-of-a-receive", waiting_receive },
		{ "cancel-of-a-served-call", served_call },
		{ "cancel-of-an-answered-call", answered_call },
		{ "call-has-its-time", call_has_its_time },
		{ "cancel-of-a-park", parked },
		{ "cancel-of-a-sleep", asleep },
		{ "cancel-of-the-console", console },
		{ "cancel-of-a-wait-for-a-process", wait_for_process },
		{ "cancel-of-a-wait-for-a-thread", wait_for_thread },
		{ "cancel-of-nothing", nothing },
		{ "cancel-of-another-thread", operation_of_another_thread },
		{ "cancel-ends-one-at-a-time", one_at_a_time },
		{ "cancel-frees-the-place", place_is_free_at_once },
	};

	trial_check(cases, COUNT_OF(cases));
}
