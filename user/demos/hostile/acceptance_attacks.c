#include "user/demos/hostile/acceptance_attacks.h"

#include <stddef.h>

#include "lib/check.h"
#include "user/demos/hostile/attack.h"
#include "user/runtime/user_thread.h"

#define ROUNDS 80u
#define CALLERS 3u
#define GIVERS 2u

/* ---- the server ---- */

/*
 * As many as a message takes, then less and less. `value` says how many it was: so the caller can tell, whoever of the
 * givers has answered it.
 */
static enum status press_upon(struct endpoint_client endpoint, uint64_t call)
{
	struct transfer_descriptor descriptor[TRANSFER_MAX];
	struct endpoint_answer answer = { .call = call, .transfer = descriptor };
	enum status status = STATUS_NOT_ACCEPTED;

	for (uint32_t i = 0; i < TRANSFER_MAX; i++)
		descriptor[i] = (struct transfer_descriptor){ trial.console.handle, TRANSFER_KIND_COPY };
	for (uint32_t left = TRANSFER_MAX + 1; left > 0 && status == STATUS_NOT_ACCEPTED; left--) {
		answer.transfers = left - 1;
		answer.value = left - 1;
		status = endpoint_client_return(endpoint, &answer);
	}
	return status;
}

/* Its own call, and the next one, which another giver may be serving. */
static int64_t give(void *handle)
{
	const struct endpoint_client endpoint = { (handle_t)(uint64_t)handle };
	struct endpoint_message message;

	while (endpoint_client_receive(endpoint, (struct endpoint_intake){ &message, sizeof(message), 0 }) ==
	       STATUS_OK) {
		const enum status next = press_upon(endpoint, message.call + 1);
		const enum status own = press_upon(endpoint, message.call);

		CHECK(next == STATUS_OK || next == STATUS_GONE || next == STATUS_NOT_FOUND);
		CHECK(own == STATUS_OK || own == STATUS_GONE);
	}
	return 0;
}

/* As long as there is somebody who could call. */
void acceptance_attacks_role_giver(void)
{
	const struct endpoint_client endpoint = { attack_granted("endpoint", INTERFACE_ENDPOINT) };
	struct endpoint_statistics statistics;

	for (uint32_t i = 0; i < GIVERS; i++)
		attack_beside(give, (void *)(uint64_t)endpoint.handle);
	do {
		trial_sleep(TRIAL_MS(5));
		EXPECT_OK(endpoint_client_statistics(endpoint, &statistics));
	} while (statistics.clients != 0);
}

/* ---- its callers ---- */

static struct endpoint_facet facet;

static bool got_as_asked(const struct endpoint_request *request, const struct endpoint_buffer *result)
{
	struct endpoint_reply reply;

	if (endpoint_client_call(facet, request, &reply) != STATUS_OK || reply.value != request->accepts)
		return false;
	if ((reply.capability.capability != HANDLE_NONE) != (request->accepts != 0))
		return false;
	if (request->result == NULL)
		return request->accepts == 0 || ring_client_release(reply.capability.capability) == STATUS_OK;
	for (uint32_t i = 0; i < result->message.capabilities; i++)
		if (ring_client_release(result->message.capability[i].capability) != STATUS_OK)
			return false;
	return result->message.capabilities == request->accepts;
}

static int64_t ask_for_nothing(void *ignored)
{
	const struct endpoint_request request = { .method = 1 };

	(void)ignored;
	for (uint32_t round = 0; round < ROUNDS; round++)
		if (!got_as_asked(&request, NULL))
			return 1;
	return 0;
}

static int64_t ask_for_some(void *ignored)
{
	struct endpoint_buffer result;
	struct endpoint_request request = { .method = 1, .result_bytes = sizeof(result) };

	(void)ignored;
	for (uint32_t round = 0; round < ROUNDS; round++) {
		request.result = round % 8 < 2 ? NULL : &result;
		request.result_bytes = request.result != NULL ? sizeof(result) : 0;
		request.accepts = (uint8_t)(round % (request.result != NULL ? TRANSFER_MAX + 1 : 2));
		if (!got_as_asked(&request, &result))
			return 1;
	}
	return 0;
}

/* It costs them nothing, not even for a moment, but what they ask for. */
static void press_results(const struct attack *attack)
{
	struct process_builder builder;
	struct process_client giver;
	struct endpoint_client endpoint;

	(void)attack;
	EXPECT_OK(endpoint_client_create(trial.endpoints, &endpoint));
	EXPECT_OK(endpoint_client_make_client(endpoint, 0, true, &facet));
	attack_build(&builder, "giver", 0);
	trial_child_move(&builder, "endpoint", endpoint.handle);
	EXPECT_OK(trial_child_start(&builder, &giver));
	const struct ledger_reading before = trial_statistics().ledger[LEDGER_CAP_SLOTS];

	attack_in_threads(CALLERS, ask_for_nothing);
	const struct ledger_reading after = trial_statistics().ledger[LEDGER_CAP_SLOTS];

	EXPECT_EQUAL(after.used, before.used);
	EXPECT_EQUAL(after.peak, before.peak);
	attack_in_threads(CALLERS, ask_for_some);
	EXPECT_EQUAL(trial_used(LEDGER_CAP_SLOTS), before.used);
	EXPECT_OK(ring_client_release(facet.handle));
	trial_child_expect(giver, PROCESS_EXITED, 0);
}

void acceptance_attacks_add(void)
{
	attack_add("results that ", "nobody asked for", press_results, ATTACK_EXITS);
}
