#include "user/demos/spawn-contract/endpoint_trials.h"

#include <stddef.h>

#include "lib/check.h"
#include "lib/string.h"
#include "user/demos/spawn-contract/endpoint_queues.h"
#include "user/runtime/open_operation.h"
#include "user/runtime/program.h"
#include "user/runtime/user_thread.h"
#include "user/testing/trial.h"

#define BADGE UINT64_C(0xfedcba9876543210)
#define METHOD 0xabcdu
#define CALL 1u /* user_data of what is submitted */
#define RECEIVE 2u
#define NOWHERE ((void *)UINT64_C(0x20000000))

static struct endpoint_client endpoint;
static struct endpoint_facet facet;
static struct endpoint_buffer received, result;
static uint8_t bytes[ENDPOINT_MAX_BYTES + 1];

static void open_endpoint(void)
{
	memset(&received, 0, sizeof(received));
	memset(&result, 0, sizeof(result));
	for (uint32_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 7 + 1);
	EXPECT_OK(endpoint_client_create(trial.endpoints, &endpoint));
	EXPECT_OK(endpoint_client_make_client(endpoint, BADGE, true, &facet));
}

static void close_endpoint(void)
{
	EXPECT_OK(ring_client_release(facet.handle));
	EXPECT_OK(ring_client_release(endpoint.handle));
}

static enum status wait_for(uint64_t user_data, struct ring_completion *completion)
{
	TRY(open_operation_wait(user_data, TRIAL_MS(5000), completion));
	return ring_client_status(completion);
}

static struct endpoint_request request_of(uint64_t count)
{
	return (struct endpoint_request){ .method = METHOD,
					  .parameters = bytes,
					  .parameter_bytes = count,
					  .result = &result,
					  .result_bytes = sizeof(result) };
}

static void expect_queues(uint32_t calls, uint32_t receivers, uint32_t served)
{
	endpoint_queues_expect(endpoint, calls, receivers, served);
}

/* The call with `count` bytes has arrived in `received`. */
static void expect_message(uint64_t count, uint64_t call)
{
	EXPECT(received.message.call == call && call != 0);
	EXPECT_EQUAL(received.message.badge, BADGE);
	EXPECT_EQUAL(received.message.method, METHOD);
	EXPECT_EQUAL(received.message.capabilities, 0);
	EXPECT_EQUAL(received.message.bytes, count);
	EXPECT_EQUAL(received.message.sender, program_process_id());
	EXPECT(memcmp(received.bytes, bytes, count) == 0);
}

static void answer_and_expect(uint64_t call, uint64_t count)
{
	const struct endpoint_answer answer = {
		.call = call, .answer = 12345, .value = UINT64_MAX - count, .bytes = bytes + 1, .byte_count = count
	};
	struct ring_completion completion;

	EXPECT_OK(endpoint_client_return(endpoint, &answer));
	EXPECT_OK(wait_for(CALL, &completion));
	EXPECT_EQUAL(completion.result, 12345);
	EXPECT_EQUAL(completion.value, UINT64_MAX - count);
	EXPECT_EQUAL(completion.flags, 0);
	EXPECT_EQUAL(result.message.call, 0);
	EXPECT_EQUAL(result.message.badge, 0);
	EXPECT_EQUAL(result.message.bytes, count);
	EXPECT_EQUAL(result.message.sender, program_process_id());
	EXPECT(memcmp(result.bytes, bytes + 1, count) == 0);
	expect_queues(0, 0, 0);
}

/* ---- what arrives ---- */

static void exchange(uint64_t count, bool receives_first)
{
	struct endpoint_request request = request_of(count);
	struct ring_completion completion;

	if (receives_first) {
		EXPECT_OK(endpoint_client_receive_submit(
			endpoint, (struct endpoint_intake){ &received, sizeof(received), 0 }, RECEIVE));
		expect_queues(0, 1, 0);
	}
	EXPECT_OK(endpoint_client_call_submit(facet, &request, CALL));
	if (!receives_first) {
		expect_queues(1, 0, 0);
		EXPECT_OK(endpoint_client_receive_submit(
			endpoint, (struct endpoint_intake){ &received, sizeof(received), 0 }, RECEIVE));
	}
	/* We are the receiver, too: if it came first, it comes for the call when it waits again. */
	expect_queues(receives_first, receives_first, !receives_first);
	EXPECT_OK(wait_for(RECEIVE, &completion));
	expect_queues(0, 0, 1);
	expect_message(count, completion.value);
	answer_and_expect(completion.value, count == 0 ? 0 : ENDPOINT_MAX_BYTES - count);
}

static void exchange_all(bool receives_first)
{
	static const uint64_t counts[] = { 0, 1, 63, 64, 511, 512 };

	open_endpoint();
	for (uint32_t i = 0; i < COUNT_OF(counts) && !trial.broken; i++)
		exchange(counts[i], receives_first);
	close_endpoint();
}

static void receiver_comes_first(void)
{
	exchange_all(true);
}

static void caller_comes_first(void)
{
	exchange_all(false);
}

static void calls_are_received_in_order(void)
{
	struct ring_completion completion;
	uint64_t call[8];

	open_endpoint();
	for (uint32_t i = 0; i < 8; i++) {
		const struct endpoint_request request = { .method = (uint16_t)i };

		EXPECT_OK(endpoint_client_call_submit(facet, &request, 10 + i));
	}
	for (uint32_t i = 0; i < 8; i++) {
		EXPECT_OK(
			endpoint_client_receive(endpoint, (struct endpoint_intake){ &received, sizeof(received), 0 }));
		EXPECT_EQUAL(received.message.method, i);
		call[i] = received.message.call;
		EXPECT(i == 0 || call[i] != call[i - 1]);
	}
	expect_queues(0, 0, 8);
	for (uint32_t i = 8; i-- > 0;) {
		const struct endpoint_answer answer = { .call = call[i], .value = i };

		EXPECT_OK(endpoint_client_return(endpoint, &answer));
		EXPECT_OK(wait_for(10 + i, &completion));
		EXPECT_EQUAL(completion.value, i);
	}
	close_endpoint();
}

static void receivers_take_turns(void)
{
	struct endpoint_buffer buffer[4];
	struct ring_completion completion;

	open_endpoint();
	for (uint32_t i = 0; i < 4; i++)
		EXPECT_OK(endpoint_client_receive_submit(
			endpoint, (struct endpoint_intake){ &buffer[i], sizeof(buffer[i]), 0 }, 20 + i));
	expect_queues(0, 4, 0);
	for (uint32_t i = 0; i < 4; i++) {
		const struct endpoint_request request = { .method = (uint16_t)i };
		struct endpoint_answer answer = { .answer = i };

		EXPECT_OK(endpoint_client_call_submit(facet, &request, CALL));
		EXPECT_OK(wait_for(20 + i, &completion));
		EXPECT_EQUAL(buffer[i].message.method, i);
		answer.call = completion.value;
		EXPECT_OK(endpoint_client_return(endpoint, &answer));
		EXPECT_OK(wait_for(CALL, &completion));
		EXPECT_EQUAL(completion.result, i);
	}
	close_endpoint();
}

static void badges_are_told_apart(void)
{
	struct endpoint_facet other[3];
	struct ring_completion completion;

	open_endpoint();
	for (uint64_t i = 0; i < COUNT_OF(other); i++) {
		const struct endpoint_request request = { .method = 0 };

		EXPECT_OK(endpoint_client_make_client(endpoint, i << 40, false, &other[i]));
		EXPECT_OK(endpoint_client_call_submit(other[i], &request, CALL));
		EXPECT_OK(
			endpoint_client_receive(endpoint, (struct endpoint_intake){ &received, sizeof(received), 0 }));
		EXPECT_EQUAL(received.message.badge, i << 40);
		const struct endpoint_answer answer = { .call = received.message.call };

		EXPECT_OK(endpoint_client_return(endpoint, &answer));
		EXPECT_OK(wait_for(CALL, &completion));
		EXPECT_OK(ring_client_release(other[i].handle));
	}
	close_endpoint();
}

/* ---- what is refused ---- */

static void calls_that_are_refused(void)
{
	static const struct transfer_descriptor unknown[] = { { 1, 0 }, { 1, 3 } };
	struct endpoint_request request;
	struct endpoint_reply reply;

	open_endpoint();
	request = request_of(ENDPOINT_MAX_BYTES + 1);
	EXPECT_STATUS(endpoint_client_call(facet, &request, &reply), STATUS_TOO_LONG);
	request = request_of(8);
	request.transfers = TRANSFER_MAX + 1;
	request.transfer = unknown;
	EXPECT_STATUS(endpoint_client_call(facet, &request, &reply), STATUS_TOO_LONG);
	for (uint32_t i = 0; i < COUNT_OF(unknown); i++) {
		request.transfers = 1;
		request.transfer = &unknown[i];
		EXPECT_STATUS(endpoint_client_call(facet, &request, &reply), STATUS_BAD_ARGUMENT);
	}
	request.transfer = NOWHERE;
	EXPECT_STATUS(endpoint_client_call(facet, &request, &reply), STATUS_BUFFER_FAULT);
	request = request_of(8);
	request.parameters = NOWHERE;
	EXPECT_STATUS(endpoint_client_call(facet, &request, &reply), STATUS_BUFFER_FAULT);
	request.parameters = (void *)UINT64_C(0xffff800000000000);
	EXPECT_STATUS(endpoint_client_call(facet, &request, &reply), STATUS_NOT_USER_ADDRESS);
	request = request_of(8);
	request.result_bytes = sizeof(struct endpoint_message) - 1;
	EXPECT_STATUS(endpoint_client_call(facet, &request, &reply), STATUS_TOO_LONG);
	expect_queues(0, 0, 0);
	close_endpoint();
}

static void each_side_has_its_operations(void)
{
	struct ring_submission request = { .opcode = RING_RECEIVE,
					   .argument = { (uint64_t)&received, sizeof(received) } };

	open_endpoint();
	request.capability = facet.handle;
	EXPECT_STATUS(ring_client_call_plain(&request), STATUS_WRONG_INTERFACE);
	request.opcode = RING_RETURN;
	EXPECT_STATUS(ring_client_call_plain(&request), STATUS_WRONG_INTERFACE);
	request.opcode = RING_PARK;
	EXPECT_STATUS(ring_client_call_plain(&request), STATUS_WRONG_INTERFACE);
	request.opcode = RING_RECEIVE;
	request.capability = trial.console.handle;
	EXPECT_STATUS(ring_client_call_plain(&request), STATUS_WRONG_INTERFACE);
	request.capability = HANDLE_NONE;
	EXPECT_STATUS(ring_client_call_plain(&request), STATUS_NO_SUCH_CAPABILITY);
	request = (struct ring_submission){ .opcode = RING_CALL, .capability = endpoint.handle };
	request.operation = ENDPOINT_OPERATION_COUNT;
	EXPECT_STATUS(ring_client_call_plain(&request), STATUS_UNSUPPORTED);
	request.operation = ENDPOINT_MAKE_CLIENT;
	request.argument[1] = 2;
	EXPECT_STATUS(ring_client_call_plain(&request), STATUS_BAD_ARGUMENT);
	expect_queues(0, 0, 0);
	close_endpoint();
}

/* The call stays first, whatever became of who tried to receive it. */
static void bad_receive_buffers(void)
{
	struct endpoint_request request = request_of(100);
	struct ring_completion completion;

	open_endpoint();
	EXPECT_STATUS(endpoint_client_receive(
			      endpoint, (struct endpoint_intake){ &received, sizeof(struct endpoint_message) - 1, 0 }),
		      STATUS_TOO_LONG);
	EXPECT_OK(endpoint_client_call_submit(facet, &request, CALL));
	EXPECT_STATUS(endpoint_client_receive(
			      endpoint, (struct endpoint_intake){ &received, sizeof(struct endpoint_message) + 99, 0 }),
		      STATUS_TOO_LONG);
	EXPECT_STATUS(endpoint_client_receive(endpoint, (struct endpoint_intake){ NOWHERE, sizeof(received), 0 }),
		      STATUS_BUFFER_FAULT);
	EXPECT_STATUS(endpoint_client_receive(endpoint,
					      (struct endpoint_intake){ (void *)CAPSET_ADDRESS, sizeof(received), 0 }),
		      STATUS_BUFFER_FAULT);
	expect_queues(1, 0, 0);
	EXPECT_OK(endpoint_client_receive(
		endpoint, (struct endpoint_intake){ &received, sizeof(struct endpoint_message) + 100, 0 }));
	expect_message(100, received.message.call);
	answer_and_expect(received.message.call, 0);
	/* One that waits already is told when the call comes, and the next one gets it. */
	EXPECT_OK(endpoint_client_receive_submit(
		endpoint, (struct endpoint_intake){ &received, sizeof(struct endpoint_message), 0 }, 30));
	EXPECT_OK(
		endpoint_client_receive_submit(endpoint, (struct endpoint_intake){ NOWHERE, sizeof(received), 0 }, 31));
	EXPECT_OK(endpoint_client_receive_submit(endpoint, (struct endpoint_intake){ &received, sizeof(received), 0 },
						 RECEIVE));
	EXPECT_OK(endpoint_client_call_submit(facet, &request, CALL));
	EXPECT_STATUS(wait_for(30, &completion), STATUS_TOO_LONG);
	EXPECT_STATUS(wait_for(31, &completion), STATUS_BUFFER_FAULT);
	EXPECT_OK(wait_for(RECEIVE, &completion));
	answer_and_expect(completion.value, 5);
	close_endpoint();
}

/* Refused answers leave the call where it is, until a good one comes. */
static void answers_that_are_refused(void)
{
	struct endpoint_request request = request_of(3);
	struct endpoint_answer answer = { .bytes = bytes };

	open_endpoint();
	request.result_bytes = sizeof(struct endpoint_message) + 10;
	EXPECT_OK(endpoint_client_call_submit(facet, &request, CALL));
	EXPECT_STATUS(endpoint_client_return(endpoint, &answer), STATUS_NOT_FOUND);
	EXPECT_OK(endpoint_client_receive(endpoint, (struct endpoint_intake){ &received, sizeof(received), 0 }));
	answer.call = received.message.call + 1;
	EXPECT_STATUS(endpoint_client_return(endpoint, &answer), STATUS_NOT_FOUND);
	answer.call = received.message.call;
	answer.byte_count = 11;
	EXPECT_STATUS(endpoint_client_return(endpoint, &answer), STATUS_TOO_LONG);
	answer.byte_count = ENDPOINT_MAX_BYTES + 1;
	EXPECT_STATUS(endpoint_client_return(endpoint, &answer), STATUS_TOO_LONG);
	answer.byte_count = 10;
	answer.bytes = NOWHERE;
	EXPECT_STATUS(endpoint_client_return(endpoint, &answer), STATUS_BUFFER_FAULT);
	answer.bytes = bytes;
	answer.answer = (uint32_t)ENDPOINT_MAX_ANSWER + 1;
	EXPECT_STATUS(endpoint_client_return(endpoint, &answer), STATUS_BAD_ARGUMENT);
	answer.answer = 0;
	answer.transfers = TRANSFER_MAX + 1;
	EXPECT_STATUS(endpoint_client_return(endpoint, &answer), STATUS_TOO_LONG);
	expect_queues(0, 0, 1);
	answer_and_expect(received.message.call, 10);
	EXPECT(endpoint_client_return(endpoint, &answer) != STATUS_OK);
	close_endpoint();
}

/* The caller's buffer goes bad while it waits: it alone is told so. */
static void result_buffer_goes_bad(void)
{
	struct endpoint_request request = request_of(0);
	struct endpoint_answer answer = { .bytes = bytes, .byte_count = 4 };
	struct ring_completion completion;
	void *page;

	open_endpoint();
	EXPECT_OK(trial_map(1, &page));
	request.result = page;
	EXPECT_OK(endpoint_client_call_submit(facet, &request, CALL));
	EXPECT_OK(endpoint_client_receive(endpoint, (struct endpoint_intake){ &received, sizeof(received), 0 }));
	EXPECT_OK(trial_unmap(page, 1));
	answer.call = received.message.call;
	EXPECT_OK(endpoint_client_return(endpoint, &answer));
	EXPECT_STATUS(wait_for(CALL, &completion), STATUS_BUFFER_FAULT);
	expect_queues(0, 0, 0);
	close_endpoint();
}

static void no_more_than_16_calls(void)
{
	const struct endpoint_request request = { .method = 1 };
	struct ring_completion completion;

	open_endpoint();
	for (uint64_t i = 0; i < RING_SQ_ENTRIES; i++)
		EXPECT_OK(endpoint_client_call_submit(facet, &request, 50 + i));
	expect_queues(16, 0, 0);
	EXPECT_OK(endpoint_client_call_submit(facet, &request, CALL));
	EXPECT_STATUS(wait_for(CALL, &completion), STATUS_BUSY);
	EXPECT_OK(ring_client_release(endpoint.handle));
	for (uint64_t i = 0; i < RING_SQ_ENTRIES; i++)
		EXPECT_STATUS(wait_for(50 + i, &completion), STATUS_GONE);
	EXPECT_OK(ring_client_release(facet.handle));
}

/* ---- many at it ---- */

#define CALLERS 6u
#define SERVERS 3u
#define CALLS 150u
#define STOP 0xffffu

static int64_t serve(void *ignored)
{
	struct endpoint_buffer buffer;
	enum status status = endpoint_client_receive(endpoint, (struct endpoint_intake){ &buffer, sizeof(buffer), 0 }),
		    returned;

	(void)ignored;
	while (status == STATUS_OK) {
		const bool stops = buffer.message.method == STOP;
		struct endpoint_answer answer = { .call = buffer.message.call, .answer = buffer.message.method };

		for (uint32_t i = 0; i < buffer.message.bytes; i++)
			answer.value += buffer.bytes[i];
		if (stops)
			return endpoint_client_return(endpoint, &answer);
		status = endpoint_client_return_receive(
			endpoint, &answer, (struct endpoint_intake){ &buffer, sizeof(buffer), 0 }, &returned);
		if (returned != STATUS_OK)
			return returned;
	}
	return status;
}

static int64_t call_often(void *index)
{
	for (uint64_t i = 0; i < CALLS; i++) {
		const uint16_t method = (uint16_t)((uint64_t)index * CALLS + i);
		const struct endpoint_request request = { .method = method, .parameters = bytes, .parameter_bytes = i };
		struct endpoint_reply reply;
		uint64_t sum = 0;

		for (uint64_t j = 0; j < i; j++)
			sum += bytes[j];
		if (endpoint_client_call(facet, &request, &reply) != STATUS_OK || reply.answer != method ||
		    reply.value != sum)
			return 1;
	}
	return 0;
}

static void many_callers_many_servers(void)
{
	const struct endpoint_request stop = { .method = STOP };
	struct user_thread caller[CALLERS], server[SERVERS];
	struct endpoint_reply reply;

	open_endpoint();
	for (uint32_t i = 0; i < SERVERS; i++)
		trial_thread(&server[i], serve, NULL);
	for (uint64_t i = 0; i < CALLERS; i++)
		trial_thread(&caller[i], call_often, (void *)i);
	for (uint64_t i = 0; i < CALLERS; i++)
		trial_join(&caller[i], 0);
	for (uint32_t i = 0; i < SERVERS; i++)
		EXPECT_OK(endpoint_client_call(facet, &stop, &reply));
	for (uint32_t i = 0; i < SERVERS; i++)
		trial_join(&server[i], 0);
	close_endpoint();
}

void endpoint_trials_check(void)
{
	static const struct trial_case cases[] = {
		{ "receiver-comes-first", receiver_comes_first },
		{ "caller-comes-first", caller_comes_first },
		{ "calls-are-received-in-order", calls_are_received_in_order },
		{ "receivers-take-turns", receivers_take_turns },
		{ "badges-are-told-apart", badges_are_told_apart },
		{ "calls-that-are-refused", calls_that_are_refused },
		{ "each-side-has-its-operations", each_side_has_its_operations },
		{ "bad-receive-buffers", bad_receive_buffers },
		{ "answers-that-are-refused", answers_that_are_refused },
		{ "result-buffer-goes-bad", result_buffer_goes_bad },
		{ "no-more-than-16-calls", no_more_than_16_calls },
		{ "many-callers-many-servers", many_callers_many_servers },
	};

	trial_check(cases, COUNT_OF(cases));
}
