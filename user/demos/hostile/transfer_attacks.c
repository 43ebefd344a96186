#include "user/demos/hostile/transfer_attacks.h"

#include <stddef.h>

#include "lib/check.h"
#include "lib/format.h"
#include "user/demos/hostile/attack.h"
#include "user/runtime/open_operation.h"
#include "user/runtime/user_thread.h"

#define ROUNDS 80u
#define SENDERS 3u

enum keeping {
	KEEP_NOTHING, /* release it before the answer */
	KEEP_ALL,
	KEEP_AND_RETURN, /* move it back */
	KEEP_OUT,        /* take no capabilities at all */
};

/* ---- roles ---- */

static int64_t take(void *handle)
{
	const struct endpoint_client endpoint = { (handle_t)(uint64_t)handle };
	struct transfer_descriptor descriptor[TRANSFER_MAX];
	struct endpoint_buffer buffer;
	const struct endpoint_intake intake = { &buffer, sizeof(buffer),
						trial_argument(0) == KEEP_OUT ? 0 : TRANSFER_MAX };

	while (endpoint_client_receive(endpoint, intake) == STATUS_OK) {
		struct endpoint_answer answer = { .call = buffer.message.call, .transfer = descriptor };

		for (uint32_t i = 0; i < buffer.message.capabilities; i++) {
			const handle_t capability = buffer.message.capability[i].capability;

			descriptor[i] = (struct transfer_descriptor){ capability, TRANSFER_KIND_MOVE };
			if (trial_argument(0) == KEEP_NOTHING)
				CHECK(ring_client_release(capability) == STATUS_OK);
		}
		if (trial_argument(0) == KEEP_AND_RETURN)
			answer.transfers = buffer.message.capabilities;
		const enum status status = endpoint_client_return(endpoint, &answer);

		/* What could not go back stays here. */
		if (status != STATUS_OK && status != STATUS_GONE) {
			answer.transfers = 0;
			CHECK(endpoint_client_return(endpoint, &answer) != STATUS_BAD_ARGUMENT);
		}
	}
	return 0;
}

/* As long as there is somebody who could send. One that takes nothing has never more than it began with. */
void transfer_attacks_role_keeper(void)
{
	const struct endpoint_client endpoint = { attack_granted("endpoint", INTERFACE_ENDPOINT) };
	const uint64_t slots = trial_used(LEDGER_CAP_SLOTS);
	struct endpoint_statistics statistics;

	for (uint32_t i = 0; i < 2; i++)
		attack_beside(take, (void *)(uint64_t)endpoint.handle);
	do {
		trial_sleep(TRIAL_MS(5));
		EXPECT_OK(endpoint_client_statistics(endpoint, &statistics));
	} while (statistics.clients != 0);
	if (trial_argument(0) == KEEP_OUT)
		EXPECT_EQUAL(trial_statistics().ledger[LEDGER_CAP_SLOTS].peak, slots);
}

static handle_t sender_facet;

static int64_t send(void *ignored)
{
	const struct endpoint_facet facet = { sender_facet };
	struct transfer_descriptor descriptor = { .kind = TRANSFER_KIND_MOVE };
	const struct endpoint_request request = { .accepts = 1, .transfer = &descriptor, .transfers = 1 };
	struct memory_object_client object;
	struct endpoint_reply reply;
	enum status status;

	(void)ignored;
	do {
		if (trial_object(2, &object) != STATUS_OK)
			return 0; /* what comes back is not kept count of, and is all there was */
		descriptor.capability = object.handle;
		status = endpoint_client_call(facet, &request, &reply);
		if (status != STATUS_OK)
			CHECK(ring_client_release(object.handle) != STATUS_WRONG_INTERFACE);
	} while (status == STATUS_OK || status == STATUS_RECEIVER_LIMIT);
	return status == STATUS_GONE ? 0 : 2;
}

void transfer_attacks_role_sender(void)
{
	sender_facet = attack_granted("facet", INTERFACE_ENDPOINT_CLIENT);
	attack_in_threads(2, send);
}

/* ---- two operations on one capability at the same moment ---- */

enum operation {
	OP_MOVE,
	OP_COPY,
	OP_RELEASE,
	OP_SPAWN,
	OP_MAP,
	OP_RESTRICT,
	OPS
};

static const char *const op_name[OPS] = { "move", "copy", "release", "spawn with", "map", "restrict" };

static struct {
	struct endpoint_facet facet;
	handle_t capability;
	enum operation op[2];
	enum status status[2];
	bool is_over;
	uint32_t round, done; /* the round that both may do; how many have done theirs */
} duel;

static bool takes_away(enum operation op)
{
	return op == OP_MOVE || op == OP_RELEASE || op == OP_SPAWN;
}

static enum status call_with(uint32_t kind)
{
	const struct transfer_descriptor descriptor = { duel.capability, kind };
	const struct endpoint_request request = { .transfer = &descriptor, .transfers = 1 };
	struct endpoint_reply reply;

	return endpoint_client_call(duel.facet, &request, &reply);
}

static enum status spawn_with(void)
{
	struct process_builder builder;
	struct process_client process;

	trial_child_build(&builder, "nothing");
	trial_child_move(&builder, "object", duel.capability);
	TRY(trial_child_start(&builder, &process));
	trial_child_expect(process, PROCESS_EXITED, 0);
	return STATUS_OK;
}

static enum status map(void)
{
	const struct memory_object_client object = { duel.capability };
	void *address;

	TRY(trial_map_object(object, 1, TRIAL_READ_WRITE, &address));
	*(volatile char *)address = 1;
	/* If it has gone meanwhile, the mapping stays, until we end. */
	(void)!memory_object_client_unmap(object, address, PAGE_SIZE);
	return STATUS_OK;
}

static enum status restrict_object(void)
{
	const struct memory_object_part part = { .length = PAGE_SIZE };
	struct memory_object_client narrower;

	TRY(memory_object_client_restrict((struct memory_object_client){ duel.capability }, &part, &narrower));
	return ring_client_release(narrower.handle);
}

static enum status carry_out(enum operation op)
{
	switch (op) {
	case OP_MOVE:
		return call_with(TRANSFER_KIND_MOVE);
	case OP_COPY:
		return call_with(TRANSFER_KIND_COPY);
	case OP_RELEASE:
		return ring_client_release(duel.capability);
	case OP_SPAWN:
		return spawn_with();
	case OP_MAP:
		return map();
	case OP_RESTRICT:
		return restrict_object();
	case OPS:
		break;
	}
	return STATUS_UNSUPPORTED;
}

static void wait_for(const uint32_t *word, uint32_t wanted)
{
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) < wanted)
		CHECK(thread_client_yield(trial.threads) == STATUS_OK);
}

static int64_t fight(void *side)
{
	const uint64_t index = (uint64_t)side;

	for (uint32_t round = 1; round <= ROUNDS; round++) {
		wait_for(&duel.round, round);
		if (__atomic_load_n(&duel.is_over, __ATOMIC_ACQUIRE))
			break;
		duel.status[index] = carry_out(duel.op[index]);
		__atomic_fetch_add(&duel.done, 1, __ATOMIC_ACQ_REL);
	}
	return 0;
}

/* Of two that take it away exactly one got it; one that does not may have come too late. */
static void judge(void)
{
	const bool first = duel.status[0] == STATUS_OK, second = duel.status[1] == STATUS_OK;

	for (uint32_t i = 0; i < 2; i++) {
		if (duel.status[i] != STATUS_OK && duel.status[i] != STATUS_NO_SUCH_CAPABILITY)
			trial_break("%s gives %s", op_name[duel.op[i]], status_name(duel.status[i]));
	}
	if (takes_away(duel.op[0]) && takes_away(duel.op[1]))
		EXPECT(first != second);
	else if (takes_away(duel.op[0]) || takes_away(duel.op[1]))
		EXPECT(takes_away(duel.op[0]) ? first : second);
	else
		EXPECT(first && second);
}

static void start_keeper(uint64_t keeping, struct process_client *process, struct endpoint_facet *facet)
{
	struct process_builder builder;
	struct endpoint_client endpoint;

	*process = (struct process_client){ .handle = HANDLE_NONE };
	facet->handle = HANDLE_NONE;
	EXPECT_OK(endpoint_client_create(trial.endpoints, &endpoint));
	EXPECT_OK(endpoint_client_make_client(endpoint, 0, true, facet));
	attack_build(&builder, "keeper", keeping);
	trial_child_move(&builder, "endpoint", endpoint.handle);
	EXPECT_OK(trial_child_start(&builder, process));
}

static void two_at_once(const struct attack *attack)
{
	struct process_client keeper;
	struct user_thread thread[2];
	struct memory_object_client object;

	start_keeper(KEEP_NOTHING, &keeper, &duel.facet);
	duel.op[0] = (enum operation)attack->first;
	duel.op[1] = (enum operation)attack->second;
	for (uint64_t i = 0; i < 2; i++)
		trial_thread(&thread[i], fight, (void *)i);
	for (uint32_t round = 1; round <= ROUNDS && !attack_is_long_enough(round - 1); round++) {
		CHECK(trial_object(1, &object) == STATUS_OK);
		duel.capability = object.handle;
		duel.done = 0;
		__atomic_store_n(&duel.round, round, __ATOMIC_RELEASE);
		wait_for(&duel.done, 2);
		judge();
		const bool is_left = !takes_away(duel.op[0]) && !takes_away(duel.op[1]);

		EXPECT_STATUS(ring_client_release(object.handle), is_left ? STATUS_OK : STATUS_NO_SUCH_CAPABILITY);
	}
	__atomic_store_n(&duel.is_over, true, __ATOMIC_RELEASE);
	__atomic_store_n(&duel.round, ROUNDS, __ATOMIC_RELEASE);
	for (uint64_t i = 0; i < 2; i++)
		trial_join(&thread[i], 0);
	trial_child_finish(keeper);
}

/* ---- one side ends meanwhile ---- */

/* What the keeper has when it dies goes with it; what it has not is still ours. */
static void receiver_is_killed(const struct attack *attack)
{
	struct process_client keeper;
	struct endpoint_facet facet;
	struct user_thread thread[SENDERS];

	for (uint32_t round = 0; round < 6; round++) {
		start_keeper(attack->first, &keeper, &facet);
		sender_facet = facet.handle;
		for (uint32_t i = 0; i < SENDERS; i++)
			trial_thread(&thread[i], send, NULL);
		trial_sleep(TRIAL_MS(3 + 2 * round));
		trial_child_finish(keeper);
		for (uint32_t i = 0; i < SENDERS; i++)
			trial_join(&thread[i], 0);
		EXPECT_OK(ring_client_release(facet.handle));
	}
}

static void sender_is_killed(const struct attack *attack)
{
	struct process_client keeper, sender;
	struct process_builder builder;
	struct endpoint_facet facet;

	for (uint32_t round = 0; round < 6; round++) {
		start_keeper(attack->first, &keeper, &facet);
		attack_build(&builder, "sender", 0);
		trial_child_move(&builder, "facet", facet.handle);
		EXPECT_OK(trial_child_start(&builder, &sender));
		trial_sleep(TRIAL_MS(5 + 2 * round));
		trial_child_finish(sender);
		trial_child_finish(keeper);
	}
}

/* Both at once, and so that neither is waited for before the other. */
static void both_are_killed(const struct attack *attack)
{
	struct process_client keeper, sender;
	struct process_builder builder;
	struct endpoint_facet facet;

	for (uint32_t round = 0; round < 6; round++) {
		start_keeper(attack->first, &keeper, &facet);
		attack_build(&builder, "sender", 0);
		trial_child_move(&builder, "facet", facet.handle);
		EXPECT_OK(trial_child_start(&builder, &sender));
		trial_sleep(TRIAL_MS(4 + 2 * round));
		EXPECT_OK(process_client_kill(round % 2 == 0 ? sender : keeper));
		trial_child_finish(round % 2 == 0 ? keeper : sender);
		trial_child_finish(round % 2 == 0 ? sender : keeper);
	}
}

/* The attacker itself ends in the midst of four threads' transfers. */
static void exit_while_sending(const struct attack *attack)
{
	struct process_client keeper;
	struct endpoint_facet facet;

	start_keeper(attack->first, &keeper, &facet);
	sender_facet = facet.handle;
	for (uint32_t i = 0; i < SENDERS; i++)
		attack_beside(send, NULL);
	trial_sleep(TRIAL_MS(15));
	if (attack->second != 0)
		*(volatile char *)UINT64_C(8) = 1;
}

/* The owner's side of an endpoint goes to the keeper and comes back, while others call it. */
static int64_t call_owner(void *handle)
{
	const struct endpoint_facet facet = { (handle_t)(uint64_t)handle };
	const struct endpoint_request request = { .method = 1 };
	struct endpoint_reply reply;

	return endpoint_client_call(facet, &request, &reply) == STATUS_GONE ? 0 : 1;
}

static void owner_travels(const struct attack *attack)
{
	struct process_client keeper;
	struct endpoint_facet facet, to_keeper;
	struct endpoint_client endpoint;
	struct transfer_descriptor descriptor = { .kind = TRANSFER_KIND_MOVE };
	struct endpoint_buffer result;
	const struct endpoint_request request = {
		.accepts = 1, .transfer = &descriptor, .transfers = 1, .result = &result, .result_bytes = sizeof(result)
	};
	struct user_thread thread[SENDERS];
	struct endpoint_reply reply;

	(void)attack;
	start_keeper(KEEP_AND_RETURN, &keeper, &to_keeper);
	EXPECT_OK(endpoint_client_create(trial.endpoints, &endpoint));
	EXPECT_OK(endpoint_client_make_client(endpoint, 0, true, &facet));
	for (uint32_t i = 0; i < SENDERS; i++)
		trial_thread(&thread[i], call_owner, (void *)(uint64_t)facet.handle);
	for (uint32_t round = 0; round < 200 && !attack_is_long_enough(round); round++) {
		descriptor.capability = endpoint.handle;
		EXPECT_OK(endpoint_client_call(to_keeper, &request, &reply));
		EXPECT_EQUAL(reply.capability.interface, INTERFACE_ENDPOINT);
		endpoint.handle = reply.capability.capability;
	}
	EXPECT_OK(ring_client_release(endpoint.handle));
	for (uint32_t i = 0; i < SENDERS; i++)
		trial_join(&thread[i], 0);
	trial_child_finish(keeper);
}

/* As many as a message takes, from several threads, to one who asked for none: it costs him nothing. */
static int64_t impose(void *facet)
{
	struct transfer_descriptor descriptor[TRANSFER_MAX];
	struct endpoint_request request = { .transfer = descriptor };
	struct endpoint_reply reply;

	for (uint32_t i = 0; i < TRANSFER_MAX; i++)
		descriptor[i] = (struct transfer_descriptor){ trial.console.handle, TRANSFER_KIND_COPY };
	for (uint32_t round = 0; round < ROUNDS; round++) {
		request.transfers = round % (TRANSFER_MAX + 1);
		const enum status wanted = request.transfers == 0 ? STATUS_OK : STATUS_NOT_ACCEPTED;

		if (endpoint_client_call((struct endpoint_facet){ (handle_t)(uint64_t)facet }, &request, &reply) !=
		    wanted)
			return 1;
	}
	return 0;
}

static void impose_capabilities(const struct attack *attack)
{
	struct process_client keeper;
	struct endpoint_facet facet;
	struct user_thread thread[SENDERS];

	(void)attack;
	start_keeper(KEEP_OUT, &keeper, &facet);
	for (uint32_t i = 0; i < SENDERS; i++)
		trial_thread(&thread[i], impose, (void *)(uint64_t)facet.handle);
	for (uint32_t i = 0; i < SENDERS; i++)
		trial_join(&thread[i], 0);
	EXPECT_OK(ring_client_release(facet.handle));
	trial_child_expect(keeper, PROCESS_EXITED, 0);
}

void transfer_attacks_add(void)
{
	static const char *const keeping_name[] = { "that releases", "that keeps", "that gives back" };

	for (uint32_t i = 0; i < OPS; i++) {
		for (uint32_t j = i; j < OPS; j++) {
			char subject[32] = "";

			CHECK(format(subject, sizeof(subject), "%s against ", op_name[i]) < sizeof(subject));
			struct attack *attack = attack_add(subject, op_name[j], two_at_once, ATTACK_EXITS);

			attack->first = i;
			attack->second = j;
		}
	}
	for (uint32_t i = 0; i < COUNT_OF(keeping_name); i++) {
		attack_add("killed receiver ", keeping_name[i], receiver_is_killed, ATTACK_EXITS)->first = i;
		attack_add("killed sender to one ", keeping_name[i], sender_is_killed, ATTACK_EXITS)->first = i;
		attack_add("both killed, the receiver one ", keeping_name[i], both_are_killed, ATTACK_EXITS)->first = i;
		attack_add("exit while sending to one ", keeping_name[i], exit_while_sending, ATTACK_EXITS)->first = i;
		struct attack *attack =
			attack_add("fault while sending to one ", keeping_name[i], exit_while_sending, ATTACK_FAULTS);

		attack->first = i;
		attack->second = 1;
	}
	attack_add("owner travels ", "while it is called", owner_travels, ATTACK_EXITS);
	attack_add("capabilities that ", "nobody asked for", impose_capabilities, ATTACK_EXITS);
}
