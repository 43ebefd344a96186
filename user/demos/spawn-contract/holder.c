#include "user/demos/spawn-contract/holder.h"

#include "lib/check.h"
#include "lib/string.h"
#include "user/runtime/capset_client.h"
#include "user/testing/trial_child.h"

struct endpoint_buffer holder_result;

/* ---- in the child ---- */

static struct {
	handle_t kept[TRANSFER_MAX];
	uint32_t count;
	struct transfer_descriptor descriptor[TRANSFER_MAX];
	struct memory_statistics statistics;
} own;

static void keep(const struct endpoint_message *message, struct endpoint_answer *answer)
{
	for (uint32_t i = 0; i < message->capabilities; i++)
		own.kept[own.count++ % TRANSFER_MAX] = message->capability[i].capability;
	answer->value = message->capabilities;
}

static void give(enum transfer_kind kind, struct endpoint_answer *answer)
{
	for (uint32_t i = 0; i < own.count; i++)
		own.descriptor[i] = (struct transfer_descriptor){ own.kept[i], kind };
	answer->transfer = own.descriptor;
	answer->transfers = own.count;
}

static void try_call(struct endpoint_answer *answer)
{
	const struct endpoint_request request = { .method = 0 };
	const struct endpoint_facet facet = { own.kept[own.count - 1] };
	struct endpoint_reply reply;

	answer->answer = endpoint_client_call(facet, &request, &reply);
}

static void release_all(void)
{
	for (uint32_t i = 0; i < own.count; i++)
		CHECK(ring_client_release(own.kept[i]) == STATUS_OK);
	own.count = 0;
}

static void serve(const struct endpoint_message *message, struct endpoint_answer *answer)
{
	switch ((enum holder_method)message->method) {
	case HOLDER_KEEP:
		keep(message, answer);
		break;
	case HOLDER_LEDGERS:
		own.statistics = trial_statistics();
		answer->bytes = &own.statistics;
		answer->byte_count = sizeof(own.statistics);
		break;
	case HOLDER_RETURN_MOVED:
		give(TRANSFER_KIND_MOVE, answer);
		break;
	case HOLDER_RETURN_COPIED:
		give(TRANSFER_KIND_COPY, answer);
		break;
	case HOLDER_RELEASE:
		release_all();
		break;
	case HOLDER_TRY_CALL:
		try_call(answer);
		break;
	case HOLDER_EXIT:
		system_call_exit(0);
	}
}

void holder_role(void)
{
	struct endpoint_client endpoint;
	struct endpoint_buffer buffer;

	EXPECT_OK(capset_client_find("endpoint", INTERFACE_ENDPOINT, &endpoint.handle));
	for (;;) {
		EXPECT_OK(endpoint_client_receive(endpoint,
						  (struct endpoint_intake){ &buffer, sizeof(buffer), TRANSFER_MAX }));
		struct endpoint_answer answer = { .call = buffer.message.call };

		serve(&buffer.message, &answer);
		const enum status status = endpoint_client_return(endpoint, &answer);

		if (status == STATUS_OK && buffer.message.method == HOLDER_RETURN_MOVED)
			own.count = 0;
		if (status == STATUS_OK)
			continue;
		/* The call is still being served: say why. */
		const struct endpoint_answer refused = { .call = buffer.message.call, .answer = status };

		EXPECT_OK(endpoint_client_return(endpoint, &refused));
	}
}

/* ---- in the parent ---- */

void holder_start(struct holder *holder)
{
	struct process_builder builder;
	struct endpoint_client endpoint;

	EXPECT_OK(endpoint_client_create(trial.endpoints, &endpoint));
	EXPECT_OK(endpoint_client_make_client(endpoint, 0, true, &holder->facet));
	trial_child_build(&builder, "holder");
	trial_child_move(&builder, "endpoint", endpoint.handle);
	EXPECT_OK(trial_child_start(&builder, &holder->process));
}

void holder_stop(struct holder *holder)
{
	struct endpoint_reply reply;

	EXPECT_STATUS(holder_call(holder, HOLDER_EXIT, NULL, 0, &reply), STATUS_GONE);
	trial_child_expect(holder->process, PROCESS_EXITED, 0);
	EXPECT_OK(ring_client_release(holder->facet.handle));
}

enum status holder_call(const struct holder *holder, enum holder_method method,
			const struct transfer_descriptor *transfer, uint32_t transfers, struct endpoint_reply *reply)
{
	const bool returns = method == HOLDER_RETURN_MOVED || method == HOLDER_RETURN_COPIED;
	const struct endpoint_request request = { .method = (uint16_t)method,
						  .accepts = returns ? TRANSFER_MAX : 0,
						  .result = &holder_result,
						  .result_bytes = sizeof(holder_result),
						  .transfer = transfer,
						  .transfers = transfers };

	return endpoint_client_call(holder->facet, &request, reply);
}

struct memory_statistics holder_ledgers(const struct holder *holder)
{
	struct memory_statistics statistics = { 0 };
	struct endpoint_reply reply;

	if (holder_call(holder, HOLDER_LEDGERS, NULL, 0, &reply) != STATUS_OK)
		trial_break("the holder does not tell its ledgers");
	else
		memcpy(&statistics, holder_result.bytes, sizeof(statistics));
	return statistics;
}
