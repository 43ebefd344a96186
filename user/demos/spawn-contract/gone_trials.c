#include "user/demos/spawn-contract/gone_trials.h"

#include <stddef.h>

#include "lib/check.h"
#include "lib/format.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/open_operation.h"
#include "user/runtime/user_thread.h"
#include "user/testing/trial.h"
#include "user/testing/trial_child.h"

#define LINGER TRIAL_MS(20)
#define CALL 1u
#define RECEIVE 2u

enum server_state {
	SERVER_RECEIVES, /* no call has come */
	SERVER_IGNORES,  /* the call is queued */
	SERVER_SERVES,   /* the call was received */
	SERVER_STATES
};

enum last_act {
	ACT_EXIT,
	ACT_FAULT,
	ACT_KILLED,
	ACT_RELEASE, /* it gives the capability up and goes on */
	ACTS
};

static const char *const state_name[SERVER_STATES] = { "receives", "ignores", "serves" };
static const char *const act_name[ACTS] = { "exits", "faults", "is killed", "releases" };

/* ---- roles ---- */

static void end_as(uint64_t act, handle_t capability)
{
	if (act != ACT_KILLED)
		trial_sleep(LINGER);
	if (act == ACT_FAULT)
		*(volatile char *)UINT64_C(8) = 1;
	if (act == ACT_RELEASE)
		EXPECT_OK(ring_client_release(capability));
	if (act == ACT_KILLED || act == ACT_RELEASE)
		trial_sleep(TRIAL_MS(60000));
}

void gone_trials_role_server(void)
{
	struct endpoint_client endpoint;
	struct endpoint_buffer buffer;

	EXPECT_OK(capset_client_find("endpoint", INTERFACE_ENDPOINT, &endpoint.handle));
	if (trial_argument(0) != SERVER_IGNORES)
		EXPECT_OK(endpoint_client_receive_submit(
			endpoint, (struct endpoint_intake){ &buffer, sizeof(buffer), 0 }, RECEIVE));
	end_as(trial_argument(1), endpoint.handle);
}

void gone_trials_role_caller(void)
{
	const struct endpoint_request request = { .method = 7 };
	struct endpoint_facet facet;

	EXPECT_OK(capset_client_find("facet", INTERFACE_ENDPOINT_CLIENT, &facet.handle));
	EXPECT_OK(endpoint_client_call_submit(facet, &request, CALL));
	EXPECT_OK(ring_client_enter(0, 0));
	end_as(trial_argument(0), facet.handle);
}

static int64_t echo(void *handle)
{
	const struct endpoint_client endpoint = { (handle_t)(uint64_t)handle };
	struct endpoint_buffer buffer;
	enum status status = endpoint_client_receive(endpoint, (struct endpoint_intake){ &buffer, sizeof(buffer), 0 }),
		    returned;

	while (status == STATUS_OK) {
		const struct endpoint_answer answer = { .call = buffer.message.call,
							.answer = buffer.message.method,
							.bytes = buffer.bytes,
							.byte_count = buffer.message.bytes };

		status = endpoint_client_return_receive(
			endpoint, &answer, (struct endpoint_intake){ &buffer, sizeof(buffer), 0 }, &returned);
	}
	return status;
}

void gone_trials_role_echo(void)
{
	struct user_thread thread;
	handle_t endpoint;

	EXPECT_OK(capset_client_find("endpoint", INTERFACE_ENDPOINT, &endpoint));
	trial_thread(&thread, echo, (void *)(uint64_t)endpoint);
	(void)echo((void *)(uint64_t)endpoint);
}

/* ---- the server ends ---- */

static uint64_t state, act;

static void start_server(const char *role, struct process_client *process, struct endpoint_facet *facet)
{
	struct process_builder builder;
	struct endpoint_client endpoint;

	*process = (struct process_client){ .handle = HANDLE_NONE };
	facet->handle = HANDLE_NONE;
	EXPECT_OK(endpoint_client_create(trial.endpoints, &endpoint));
	EXPECT_OK(endpoint_client_make_client(endpoint, 0, true, facet));
	trial_child_build(&builder, role);
	trial_child_move(&builder, "endpoint", endpoint.handle);
	trial_child_argument(&builder, state);
	trial_child_argument(&builder, act);
	EXPECT_OK(trial_child_start(&builder, process));
}

static void expect_gone(uint64_t user_data)
{
	struct ring_completion completion;

	EXPECT_OK(open_operation_wait(user_data, TRIAL_MS(10000), &completion));
	EXPECT_STATUS(ring_client_status(&completion), STATUS_GONE);
}

static void server_ends(void)
{
	const struct endpoint_request request = { .method = 1 };
	struct process_client process;
	struct endpoint_facet facet;
	struct endpoint_reply reply;

	start_server("server", &process, &facet);
	if (state != SERVER_RECEIVES) {
		EXPECT_OK(endpoint_client_call_submit(facet, &request, CALL));
		EXPECT_OK(ring_client_enter(0, 0));
	}
	if (act == ACT_KILLED) {
		trial_sleep(LINGER);
		EXPECT_OK(process_client_kill(process));
	}
	if (act != ACT_RELEASE)
		(void)trial_child_wait(process);
	if (state != SERVER_RECEIVES)
		expect_gone(CALL);
	EXPECT_STATUS(endpoint_client_call(facet, &request, &reply), STATUS_GONE);
	EXPECT_OK(ring_client_release(facet.handle));
	trial_child_finish(process);
}

/* ---- the caller ends ---- */

static void caller_ends(void)
{
	struct endpoint_client endpoint;
	struct endpoint_facet facet;
	struct endpoint_buffer buffer;
	struct endpoint_statistics statistics;
	struct process_builder builder;
	struct process_client process;
	struct endpoint_answer answer = { .answer = 1 };

	EXPECT_OK(endpoint_client_create(trial.endpoints, &endpoint));
	EXPECT_OK(endpoint_client_make_client(endpoint, 0, true, &facet));
	trial_child_build(&builder, "caller");
	trial_child_move(&builder, "facet", facet.handle);
	trial_child_argument(&builder, act);
	EXPECT_OK(trial_child_start(&builder, &process));
	if (state == SERVER_SERVES) {
		EXPECT_OK(endpoint_client_receive(endpoint, (struct endpoint_intake){ &buffer, sizeof(buffer), 0 }));
		EXPECT_EQUAL(buffer.message.sender, process.process_id);
		answer.call = buffer.message.call;
	}
	/* Those that go on have called, and given up what they give up, before we look. */
	do {
		trial_sleep(TRIAL_MS(1));
		EXPECT_OK(endpoint_client_statistics(endpoint, &statistics));
	} while ((act == ACT_KILLED && statistics.waiting_calls + statistics.served_calls == 0) ||
		 (act == ACT_RELEASE && statistics.clients != 0));
	if (act == ACT_EXIT || act == ACT_FAULT)
		EXPECT_EQUAL(trial_child_wait(process).end, act == ACT_EXIT ? PROCESS_EXITED : PROCESS_FAULTED);
	if (act != ACT_RELEASE)
		trial_child_finish(process);
	EXPECT_OK(endpoint_client_statistics(endpoint, &statistics));
	EXPECT_EQUAL(statistics.clients, 0);
	/* Who gives the facet up has still called. */
	EXPECT_EQUAL(statistics.waiting_calls + statistics.served_calls, act == ACT_RELEASE);
	if (state == SERVER_SERVES)
		EXPECT_STATUS(endpoint_client_return(endpoint, &answer), act == ACT_RELEASE ? STATUS_OK : STATUS_GONE);
	if (act == ACT_RELEASE)
		trial_child_finish(process);
	EXPECT_OK(ring_client_release(endpoint.handle));
}

/* ---- in the midst of it ---- */

static struct endpoint_facet echo_facet;

/* Until the server is gone: until then each answer is right. */
static int64_t call_until_gone(void *index)
{
	struct endpoint_buffer result;
	uint64_t sent = (uint64_t)index << 32;
	struct endpoint_request request = {
		.parameters = &sent, .parameter_bytes = sizeof(sent), .result = &result, .result_bytes = sizeof(result)
	};
	struct endpoint_reply reply;
	enum status status;

	for (;; sent++) {
		request.method = (uint16_t)sent;
		status = endpoint_client_call(echo_facet, &request, &reply);
		if (status != STATUS_OK)
			return status;
		if (reply.answer != request.method || *(const uint64_t *)result.bytes != sent)
			return -1;
	}
}

static void killed_while_it_answers(void)
{
	struct process_client process;
	struct user_thread thread[4];

	for (uint32_t round = 0; round < 8; round++) {
		start_server("echo", &process, &echo_facet);
		for (uint64_t i = 0; i < COUNT_OF(thread); i++)
			trial_thread(&thread[i], call_until_gone, (void *)i);
		trial_sleep(TRIAL_MS(5 + 3 * round));
		trial_child_finish(process);
		for (uint32_t i = 0; i < COUNT_OF(thread); i++)
			trial_join(&thread[i], STATUS_GONE);
		EXPECT_OK(ring_client_release(echo_facet.handle));
	}
}

void gone_trials_check(void)
{
	char name[64];

	for (state = 0; state < SERVER_STATES; state++) {
		for (act = 0; act < ACTS; act++) {
			(void)format(name, sizeof(name), "%s and %s", state_name[state], act_name[act]);
			trial_check_one("server-that ", name, server_ends);
		}
	}
	for (state = SERVER_IGNORES; state < SERVER_STATES; state++) {
		for (act = 0; act < ACTS; act++) {
			(void)format(name, sizeof(name), "%s of a server that %s", act_name[act], state_name[state]);
			trial_check_one("caller-that ", name, caller_ends);
		}
	}
	trial_check_one("", "killed-while-it-answers", killed_while_it_answers);
}
