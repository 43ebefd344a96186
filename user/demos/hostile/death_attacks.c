#include "user/demos/hostile/death_attacks.h"

#include <stddef.h>

#include "lib/check.h"
#include "user/demos/hostile/attack.h"
#include "user/runtime/open_operation.h"
#include "user/runtime/user_thread.h"

#define CHAIN 16u
#define CLIENTS 4u
#define FOREVER_MS 60000u

/* How a process of ours ends; in the second half of an argument, its lower half says when. */
enum last_act {
	ACT_EXIT,
	ACT_FAULT,
	ACT_WAIT, /* for the kill */
	ACT_RELEASE,
	ACTS
};

static const char *const act_name[ACTS] = { "exits", "faults", "is killed", "gives it up" };

static void end_as(uint64_t act, handle_t capability)
{
	if (act == ACT_EXIT)
		system_call_exit(0);
	if (act == ACT_FAULT)
		*(volatile char *)UINT64_C(8) = 1;
	if (act == ACT_RELEASE)
		CHECK(ring_client_release(capability) == STATUS_OK);
	trial_sleep(TRIAL_MS(FOREVER_MS));
}

/* ---- a server of many ---- */

static int64_t answer_calls(void *handle)
{
	const struct endpoint_client endpoint = { (handle_t)(uint64_t)handle };
	struct endpoint_buffer buffer;
	enum status status = endpoint_client_receive(endpoint, (struct endpoint_intake){ &buffer, sizeof(buffer), 0 }),
		    returned;

	while (status == STATUS_OK) {
		const struct endpoint_answer answer = { .call = buffer.message.call,
							.value = buffer.message.badge,
							.bytes = buffer.bytes,
							.byte_count = buffer.message.bytes };

		status = endpoint_client_return_receive(
			endpoint, &answer, (struct endpoint_intake){ &buffer, sizeof(buffer), 0 }, &returned);
	}
	return status;
}

void death_attacks_role_echo(void)
{
	const handle_t endpoint = attack_granted("endpoint", INTERFACE_ENDPOINT);

	for (uint32_t i = 0; i < 3; i++)
		attack_beside(answer_calls, (void *)(uint64_t)endpoint);
	trial_sleep(TRIAL_MS(trial_argument(0) % 1000));
	end_as(trial_argument(0) / 1000, endpoint);
}

static handle_t client_facet;

static int64_t call_on(void *sent)
{
	struct endpoint_buffer result;
	const struct endpoint_request request = {
		.parameters = &sent, .parameter_bytes = sizeof(sent), .result = &result, .result_bytes = sizeof(result)
	};
	struct endpoint_reply reply;
	enum status status;

	while ((status = endpoint_client_call((struct endpoint_facet){ client_facet }, &request, &reply)) == STATUS_OK)
		if (*(void *const *)result.bytes != sent)
			return 1;
	return status == STATUS_GONE ? 0 : 2;
}

void death_attacks_role_client(void)
{
	const uint64_t act = trial_argument(0);

	client_facet = attack_granted("facet", INTERFACE_ENDPOINT_CLIENT);
	if (act == 0) {
		attack_in_threads(2, call_on);
		return;
	}
	attack_beside(call_on, (void *)1);
	attack_beside(call_on, (void *)2);
	trial_sleep(TRIAL_MS(act % 1000));
	end_as(act / 1000, client_facet);
}

static void start_with(const char *role, const char *name, handle_t capability, uint64_t argument,
		       struct process_client *process)
{
	struct process_builder builder;

	attack_build(&builder, role, argument);
	trial_child_move(&builder, name, capability);
	EXPECT_OK(trial_child_start(&builder, process));
}

static void start_clients(struct endpoint_client endpoint, struct process_client *process, uint64_t argument)
{
	struct endpoint_facet facet;

	for (uint64_t i = 0; i < CLIENTS; i++) {
		EXPECT_OK(endpoint_client_make_client(endpoint, i, false, &facet));
		start_with("client", "facet", facet.handle, argument == 0 ? 0 : argument + i * 3, &process[i]);
	}
}

/* A server with three threads ends while eight threads of four processes call it. */
static void server_dies(const struct attack *attack)
{
	struct process_client server, client[CLIENTS];
	struct endpoint_client endpoint;

	EXPECT_OK(endpoint_client_create(trial.endpoints, &endpoint));
	start_clients(endpoint, client, 0);
	if (trial.broken)
		return;
	start_with("echo", "endpoint", endpoint.handle, attack->first * UINT64_C(1000) + 20, &server);
	trial_sleep(TRIAL_MS(25));
	if (attack->first == ACT_WAIT)
		EXPECT_OK(process_client_kill(server));
	for (uint32_t i = 0; i < CLIENTS; i++)
		trial_child_expect(client[i], PROCESS_EXITED, 0);
	trial_child_finish(server);
}

/* Clients end, each at another time, under a server that goes on. */
static void clients_die(const struct attack *attack)
{
	struct process_client server, client[CLIENTS];
	struct endpoint_statistics statistics;
	struct endpoint_client endpoint, own;
	struct process_builder builder;

	EXPECT_OK(endpoint_client_create(trial.endpoints, &endpoint));
	own = endpoint;
	start_clients(endpoint, client, attack->first * UINT64_C(1000) + 10);
	attack_build(&builder, "echo", ACT_WAIT * UINT64_C(1000));
	trial_child_copy(&builder, "endpoint", endpoint.handle);
	EXPECT_OK(trial_child_start(&builder, &server));
	trial_sleep(TRIAL_MS(30));
	for (uint32_t i = 0; i < CLIENTS; i++)
		trial_child_finish(client[i]);
	EXPECT_OK(endpoint_client_statistics(own, &statistics));
	EXPECT_EQUAL(statistics.clients, 0);
	EXPECT_EQUAL(statistics.waiting_calls, 0);
	EXPECT(statistics.served_calls == 0);
	trial_child_finish(server);
	EXPECT_OK(endpoint_client_statistics(own, &statistics));
	EXPECT_EQUAL(statistics.waiting_receivers, 0);
}

/* ---- chains ---- */

/* False: there is nobody left who could call. */
static bool receive_if_called(struct endpoint_client endpoint, struct endpoint_buffer *buffer)
{
	struct endpoint_statistics statistics = { .clients = 1 };
	const uint64_t ticket = open_operation_ticket();
	struct ring_completion completion;
	enum status status = STATUS_TIMED_OUT;

	CHECK(endpoint_client_receive_submit(endpoint, (struct endpoint_intake){ buffer, sizeof(*buffer), 0 },
					     ticket) == STATUS_OK);
	while (status == STATUS_TIMED_OUT && statistics.clients != 0) {
		status = open_operation_wait(ticket, TRIAL_MS(20), &completion);
		CHECK(endpoint_client_statistics(endpoint, &statistics) == STATUS_OK);
	}
	return status == STATUS_OK && ring_client_status(&completion) == STATUS_OK;
}

/* Until the far end of the chain was called: the attacker gives up its facet of ours then. Who called us keeps his. */
static void wait_for_far_end(struct endpoint_client endpoint, uint32_t callers)
{
	struct endpoint_statistics statistics;

	do {
		trial_sleep(TRIAL_MS(1));
		EXPECT_OK(endpoint_client_statistics(endpoint, &statistics));
	} while (statistics.clients != callers);
}

/* Receives from the one before, calls the one behind, and answers with what came of it: 1 for each link that lives. */
void death_attacks_role_link(void)
{
	const struct endpoint_client endpoint = { attack_granted("endpoint", INTERFACE_ENDPOINT) };
	const struct endpoint_facet next = { attack_granted("next", INTERFACE_ENDPOINT_CLIENT) };
	const uint64_t position = trial_argument(0) % 100, dies = trial_argument(0) / 100 % 100;
	const struct endpoint_request request = { .method = 1 };
	struct endpoint_reply reply = { 0 };
	struct endpoint_buffer buffer;
	struct endpoint_answer answer;

	if (!receive_if_called(endpoint, &buffer))
		return;
	EXPECT_OK(endpoint_client_call_submit(next, &request, 1));
	EXPECT_OK(ring_client_enter(0, 0));
	if (position == dies) {
		wait_for_far_end(endpoint, position != 0); /* the first one is called by the attacker */
		end_as(trial_argument(0) / 10000, endpoint.handle);
	}
	struct ring_completion completion;

	EXPECT_OK(open_operation_wait(1, CAP_ENTER_FOREVER, &completion));
	if (endpoint_client_call_reply(&completion, &reply) != STATUS_OK)
		reply.value = 0;
	answer = (struct endpoint_answer){ .call = buffer.message.call, .value = reply.value + 1 };
	/* Whoever called may be the one that died. */
	const enum status status = endpoint_client_return(endpoint, &answer);

	EXPECT(status == STATUS_OK || status == STATUS_GONE);
}

struct chain {
	struct endpoint_client endpoint[CHAIN + 1]; /* the last one is ours */
	struct endpoint_facet facet[CHAIN + 1];
	struct process_client process[CHAIN];
};

static struct chain chain;

static void start_chain(uint64_t dies, uint64_t act)
{
	struct process_builder builder;

	for (uint32_t i = 0; i <= CHAIN; i++) {
		EXPECT_OK(endpoint_client_create(trial.endpoints, &chain.endpoint[i]));
		EXPECT_OK(endpoint_client_make_client(chain.endpoint[i], i, true, &chain.facet[i]));
	}
	for (uint32_t i = 0; i < CHAIN; i++) {
		trial_child_build(&builder, "link");
		trial_child_argument(&builder, i + dies * 100 + act * 10000);
		trial_child_move(&builder, "endpoint", chain.endpoint[i].handle);
		trial_child_copy(&builder, "next", chain.facet[i + 1].handle);
		EXPECT_OK(trial_child_start(&builder, &chain.process[i]));
	}
}

/* Sixteen processes each wait for the next, when one in the middle ends: those before it go on, those behind, too. */
static void chain_breaks(const struct attack *attack)
{
	const struct endpoint_request request = { .method = 1 };
	const uint32_t dies = attack->second;
	struct ring_completion completion;
	struct endpoint_buffer buffer;

	start_chain(dies, attack->first);
	if (trial.broken)
		return;
	EXPECT_OK(endpoint_client_call_submit(chain.facet[0], &request, 1));
	EXPECT_OK(
		endpoint_client_receive(chain.endpoint[CHAIN], (struct endpoint_intake){ &buffer, sizeof(buffer), 0 }));
	if (dies < CHAIN)
		EXPECT_OK(ring_client_release(chain.facet[dies].handle));
	if (attack->first == ACT_WAIT && dies < CHAIN)
		EXPECT_OK(process_client_kill(chain.process[dies]));
	if (dies < CHAIN) {
		/* The answer of the broken chain comes while its far end still waits for ours. */
		EXPECT_OK(open_operation_wait(1, TRIAL_MS(20000), &completion));
		EXPECT(dies == 0 ? completion.result == -STATUS_GONE : completion.value == dies);
	}
	const struct endpoint_answer answer = { .call = buffer.message.call };

	/* The last link is who called us. */
	EXPECT_STATUS(endpoint_client_return(chain.endpoint[CHAIN], &answer),
		      dies == CHAIN - 1 ? STATUS_GONE : STATUS_OK);
	if (dies >= CHAIN) {
		EXPECT_OK(open_operation_wait(1, TRIAL_MS(20000), &completion));
		EXPECT_EQUAL(completion.value, CHAIN);
	}
	for (uint32_t i = 0; i < CHAIN; i++) {
		if (i == dies)
			trial_child_finish(chain.process[i]);
		else
			trial_child_expect(chain.process[i], PROCESS_EXITED, 0);
	}
}

/* Each link calls the next, and the last one the first: nobody ever answers. Killed all at once, in any order. */
static void ring_of_calls(const struct attack *attack)
{
	const struct endpoint_request request = { .method = 1 };
	struct endpoint_facet first;

	(void)attack;
	start_chain(CHAIN, ACT_WAIT);
	if (trial.broken)
		return;
	first = chain.facet[0];
	EXPECT_OK(endpoint_client_call_submit(first, &request, 1));
	EXPECT_OK(ring_client_enter(0, 0));
	trial_sleep(TRIAL_MS(10));
	for (uint32_t i = 0; i < CHAIN; i += 3)
		EXPECT_OK(process_client_kill(chain.process[i]));
	system_call_exit(0); /* the rest is orphaned in the midst of its calls; our endpoint ends with us */
}

/* ---- ids of the dead ---- */

static void stale_ids(const struct attack *attack)
{
	struct process_builder builder;
	struct process_client process, other;
	struct process_exit exit;

	(void)attack;
	for (uint32_t round = 0; round < 20; round++) {
		attack_build(&builder, "nothing", 0);
		EXPECT_OK(trial_child_start(&builder, &process));
		(void)trial_child_wait(process);
		EXPECT_OK(ring_client_release(process.handle));
		EXPECT_STATUS(process_client_wait(process, &exit), STATUS_NO_SUCH_CAPABILITY);
		EXPECT_STATUS(process_client_kill(process), STATUS_NO_SUCH_CAPABILITY);
		EXPECT_OK(trial_child_start(&builder, &other));
		EXPECT(other.process_id > process.process_id);
		EXPECT_STATUS(process_client_kill(process), STATUS_NO_SUCH_CAPABILITY);
		EXPECT_STATUS(ring_client_release(process.handle), STATUS_NO_SUCH_CAPABILITY);
		trial_child_expect(other, PROCESS_EXITED, 0);
	}
}

/* Every id near those that we hold: whoever guesses right has only found what he had. */
static void forged_ids(const struct attack *attack)
{
	uint32_t found = 0;

	(void)attack;
	for (uint32_t generation = 0; generation < 8; generation++) {
		for (uint32_t index = 0; index < 512; index++) {
			const struct ring_submission request = { .opcode = RING_CALL,
								 .operation = UINT16_MAX,
								 .capability = generation << HANDLE_GENERATION_SHIFT |
									       index };

			found += ring_client_call_plain(&request) != STATUS_NO_SUCH_CAPABILITY;
		}
	}
	EXPECT_EQUAL(found, trial_used(LEDGER_CAP_SLOTS));
}

static void calls_of_the_dead(const struct attack *attack)
{
	struct process_client client[CLIENTS];
	struct endpoint_client endpoint;
	struct endpoint_buffer buffer;
	uint64_t call[CLIENTS];

	(void)attack;
	EXPECT_OK(endpoint_client_create(trial.endpoints, &endpoint));
	start_clients(endpoint, client, ACT_WAIT * UINT64_C(1000) + 10);
	for (uint32_t i = 0; i < CLIENTS; i++) {
		EXPECT_OK(endpoint_client_receive(endpoint, (struct endpoint_intake){ &buffer, sizeof(buffer), 0 }));
		call[i] = buffer.message.call;
	}
	for (uint32_t i = 0; i < CLIENTS; i++)
		trial_child_finish(client[i]);
	for (uint32_t i = 0; i < CLIENTS; i++) {
		const struct transfer_descriptor descriptor = { trial.memory.handle, TRANSFER_KIND_MOVE };
		const struct endpoint_answer answer = { .call = call[i], .transfer = &descriptor, .transfers = 1 };

		EXPECT_STATUS(endpoint_client_return(endpoint, &answer), STATUS_GONE);
	}
}

void death_attacks_add(void)
{
	for (uint32_t act = 0; act < ACTS; act++) {
		attack_add("server of eight threads ", act_name[act], server_dies, ATTACK_EXITS)->first = act;
		attack_add("one client after the other ", act_name[act], clients_die, ATTACK_EXITS)->first = act;
	}
	for (uint32_t act = 0; act < ACTS; act++) {
		struct attack *attack =
			attack_add("middle of a chain of 16 ", act_name[act], chain_breaks, ATTACK_EXITS);

		attack->first = act;
		attack->second = CHAIN / 2;
	}
	attack_add("chain of 16 ", "holds", chain_breaks, ATTACK_EXITS)->second = CHAIN;
	attack_add("first of a chain of 16 ", "exits", chain_breaks, ATTACK_EXITS);
	attack_add("last of a chain of 16 ", "exits", chain_breaks, ATTACK_EXITS)->second = CHAIN - 1;
	attack_add("chain of 16 ", "is orphaned half dead", ring_of_calls, ATTACK_EXITS);
	attack_add("ids of ", "dead processes", stale_ids, ATTACK_EXITS);
	attack_add("ids that ", "nobody gave", forged_ids, ATTACK_EXITS);
	attack_add("calls of ", "dead processes", calls_of_the_dead, ATTACK_EXITS);
}
