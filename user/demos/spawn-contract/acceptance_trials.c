#include "user/demos/spawn-contract/acceptance_trials.h"

#include <stddef.h>

#include "lib/check.h"
#include "lib/string.h"
#include "user/demos/spawn-contract/endpoint_queues.h"
#include "user/demos/spawn-contract/holder.h"
#include "user/runtime/open_operation.h"
#include "user/testing/trial.h"

#define CALL 1u /* user_data of what is submitted */
#define RECEIVE 2u

static struct endpoint_client endpoint;
static struct endpoint_facet facet;
static struct endpoint_buffer received, result;

static void open_endpoint(void)
{
	memset(&received, 0, sizeof(received));
	memset(&result, 0, sizeof(result));
	EXPECT_OK(endpoint_client_create(trial.endpoints, &endpoint));
	EXPECT_OK(endpoint_client_make_client(endpoint, 1, true, &facet));
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

static void expect_queues(uint32_t calls, uint32_t receivers, uint32_t served)
{
	endpoint_queues_expect(endpoint, calls, receivers, served);
}

/* ---- by a call ---- */

/* A call that sends more than is asked for is refused to its caller; the receive waits on, and pays for nothing. */
static void not_what_nobody_asked_for(void)
{
	const struct transfer_descriptor sent[] = { { trial.console.handle, TRANSFER_KIND_COPY },
						    { trial.timer.handle, TRANSFER_KIND_COPY } };
	struct endpoint_intake intake = { &received, sizeof(received), 0 };
	struct endpoint_request request = { .transfer = sent, .transfers = 1 };
	struct endpoint_answer answer = { .answer = 0 };
	struct ring_completion completion;

	open_endpoint();
	const uint64_t slots = trial_used(LEDGER_CAP_SLOTS);

	EXPECT_OK(endpoint_client_receive_submit(endpoint, intake, RECEIVE));
	EXPECT_OK(endpoint_client_call_submit(facet, &request, CALL));
	EXPECT_STATUS(wait_for(CALL, &completion), STATUS_NOT_ACCEPTED);
	expect_queues(0, 1, 0);
	request.transfers = 0;
	EXPECT_OK(endpoint_client_call_submit(facet, &request, CALL));
	EXPECT_OK(wait_for(RECEIVE, &completion));
	EXPECT_EQUAL(received.message.capabilities, 0);
	answer.call = completion.value;
	EXPECT_OK(endpoint_client_return(endpoint, &answer));
	EXPECT_OK(wait_for(CALL, &completion));
	EXPECT_EQUAL(trial_used(LEDGER_CAP_SLOTS), slots);

	/* Of two that wait the first is too much. */
	for (uint64_t i = 0; i < 2; i++) {
		request.transfers = 2 - (uint32_t)i;
		EXPECT_OK(endpoint_client_call_submit(facet, &request, 10 + i));
	}
	intake.capabilities = 1;
	EXPECT_OK(endpoint_client_receive(endpoint, intake));
	EXPECT_STATUS(wait_for(10, &completion), STATUS_NOT_ACCEPTED);
	EXPECT_EQUAL(received.message.capabilities, 1);
	EXPECT_OK(ring_client_release(received.message.capability[0].capability));
	answer.call = received.message.call;
	EXPECT_OK(endpoint_client_return(endpoint, &answer));
	EXPECT_OK(wait_for(11, &completion));
	intake.capabilities = TRANSFER_MAX + 1;
	EXPECT_STATUS(endpoint_client_receive(endpoint, intake), STATUS_BAD_ARGUMENT);
	close_endpoint();
}

/* ---- by an answer ---- */

static uint64_t serve_one(void)
{
	struct endpoint_intake intake = { &received, sizeof(received), 0 };

	received.message.call = 0;
	if (endpoint_client_receive(endpoint, intake) != STATUS_OK)
		trial_break("no call is received");
	return received.message.call;
}

/* As many as there can be, and one less each time, until they are not too many. */
static void return_less_and_less(uint8_t accepts, bool has_buffer)
{
	const struct endpoint_request request = { .method = 1,
						  .accepts = accepts,
						  .result = has_buffer ? &result : NULL,
						  .result_bytes = has_buffer ? sizeof(result) : 0 };
	struct transfer_descriptor sent[TRANSFER_MAX];
	struct endpoint_answer answer = { .transfer = sent, .transfers = TRANSFER_MAX };
	struct ring_completion completion;

	for (uint32_t i = 0; i < TRANSFER_MAX; i++)
		sent[i] = (struct transfer_descriptor){ trial.console.handle, TRANSFER_KIND_COPY };
	EXPECT_OK(endpoint_client_call_submit(facet, &request, CALL));
	answer.call = serve_one();
	const struct memory_statistics before = trial_statistics();

	for (; answer.transfers > accepts; answer.transfers--) {
		EXPECT_STATUS(endpoint_client_return(endpoint, &answer), STATUS_NOT_ACCEPTED);
		expect_queues(0, 0, 1);
	}
	EXPECT_STATUS(open_operation_wait(CALL, 0, &completion), STATUS_TIMED_OUT);
	const struct memory_statistics after = trial_statistics();

	EXPECT(memcmp(before.ledger, after.ledger, sizeof(before.ledger)) == 0);
	EXPECT_OK(endpoint_client_return(endpoint, &answer));
	EXPECT_OK(wait_for(CALL, &completion));
	EXPECT_EQUAL(completion.flags, accepts != 0 ? COMPLETION_HAS_CAPABILITY : 0);
	EXPECT_EQUAL(trial_used(LEDGER_CAP_SLOTS), before.ledger[LEDGER_CAP_SLOTS].used + accepts);
	if (accepts != 0)
		EXPECT_OK(ring_client_release(completion.capability));
	for (uint32_t i = 1; i < accepts; i++)
		EXPECT_OK(ring_client_release(result.message.capability[i].capability));
}

/* What is refused is refused to the owner, which can still answer; the caller pays nothing and sees nothing. */
static void no_result_that_nobody_asked_for(void)
{
	open_endpoint();
	for (uint8_t accepts = 0; accepts <= TRANSFER_MAX && !trial.broken; accepts++)
		return_less_and_less(accepts, true);
	for (uint8_t accepts = 0; accepts <= 1 && !trial.broken; accepts++)
		return_less_and_less(accepts, false);
	close_endpoint();
}

/* A server in another process: what it would have moved is still its own, and comes when it is asked for. */
static void server_keeps_what_nobody_asked_for(void)
{
	struct transfer_descriptor descriptor = { .kind = TRANSFER_KIND_MOVE };
	const struct endpoint_request request = { .method = HOLDER_RETURN_MOVED };
	struct memory_object_client object;
	struct memory_object_info info;
	struct endpoint_reply reply;
	struct holder holder;

	holder_start(&holder);
	EXPECT_OK(trial_object(3, &object));
	descriptor.capability = object.handle;
	EXPECT_OK(holder_call(&holder, HOLDER_KEEP, &descriptor, 1, &reply));
	const struct memory_statistics there = holder_ledgers(&holder);
	const struct memory_statistics here = trial_statistics();

	EXPECT_OK(endpoint_client_call(holder.facet, &request, &reply));
	EXPECT_EQUAL(reply.answer, STATUS_NOT_ACCEPTED);
	EXPECT_EQUAL(reply.capability.capability, HANDLE_NONE);
	const struct memory_statistics here_after = trial_statistics();
	const struct memory_statistics there_after = holder_ledgers(&holder);

	EXPECT(memcmp(here.ledger, here_after.ledger, sizeof(here.ledger)) == 0);
	EXPECT(memcmp(there.ledger, there_after.ledger, sizeof(there.ledger)) == 0);
	EXPECT_OK(holder_call(&holder, HOLDER_RETURN_MOVED, NULL, 0, &reply));
	object.handle = reply.capability.capability;
	EXPECT_OK(memory_object_client_info(object, &info));
	EXPECT_EQUAL(info.holds, 1);
	EXPECT_OK(ring_client_release(object.handle));
	holder_stop(&holder);
}

/* ---- by nothing else ---- */

static void refuse_accepts(enum ring_opcode opcode, handle_t capability, uint8_t accepts, enum status wanted)
{
	const struct ring_submission request = { .opcode = (uint8_t)opcode,
						 .accepts = accepts,
						 .capability = capability };

	EXPECT_STATUS(ring_client_call_plain(&request), wanted);
}

static void only_calls_of_facets_accept(void)
{
	open_endpoint();
	const handle_t object[] = { endpoint.handle,      trial.endpoints.handle, trial.memory.handle,
				    trial.console.handle, trial.threads.handle,   trial.timer.handle };

	for (uint8_t accepts = 1; accepts != 0; accepts = (uint8_t)(accepts << 1)) {
		for (uint32_t i = 0; i < COUNT_OF(object); i++)
			refuse_accepts(RING_CALL, object[i], accepts, STATUS_UNSUPPORTED);
		refuse_accepts(RING_RECEIVE, endpoint.handle, accepts, STATUS_UNSUPPORTED);
		refuse_accepts(RING_RETURN, endpoint.handle, accepts, STATUS_UNSUPPORTED);
		refuse_accepts(RING_RELEASE, facet.handle, accepts, STATUS_UNSUPPORTED);
		refuse_accepts(RING_PARK, trial.park.handle, accepts, STATUS_UNSUPPORTED);
		refuse_accepts(RING_UNPARK, trial.park.handle, accepts, STATUS_UNSUPPORTED);
		refuse_accepts(RING_CANCEL, HANDLE_NONE, accepts, STATUS_UNSUPPORTED);
	}
	expect_queues(0, 0, 0);
	close_endpoint();
}

static void no_more_than_a_message_takes(void)
{
	struct endpoint_request request = { .accepts = 2 }; /* a completion has room for one */
	struct endpoint_reply reply;

	open_endpoint();
	EXPECT_STATUS(endpoint_client_call(facet, &request, &reply), STATUS_BAD_ARGUMENT);
	request.result = &result;
	request.result_bytes = sizeof(result);
	request.accepts = TRANSFER_MAX + 1;
	EXPECT_STATUS(endpoint_client_call(facet, &request, &reply), STATUS_BAD_ARGUMENT);
	request.accepts = UINT8_MAX;
	EXPECT_STATUS(endpoint_client_call(facet, &request, &reply), STATUS_BAD_ARGUMENT);
	expect_queues(0, 0, 0);
	close_endpoint();
}

void acceptance_trials_check(void)
{
	static const struct trial_case cases[] = {
		{ "not-what-nobody-asked-for", not_what_nobody_asked_for },
		{ "no-result-that-nobody-asked-for", no_result_that_nobody_asked_for },
		{ "server-keeps-what-nobody-asked-for", server_keeps_what_nobody_asked_for },
		{ "only-calls-of-facets-accept", only_calls_of_facets_accept },
		{ "no-more-than-a-message-takes", no_more_than_a_message_takes },
	};

	trial_check(cases, COUNT_OF(cases));
}
