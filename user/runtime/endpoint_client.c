#include "user/runtime/endpoint_client.h"

#include "abi/interface.h"
#include "user/runtime/capability_call.h"
#include "user/runtime/open_operation.h"
#include "user/runtime/ring_client.h"

enum status endpoint_client_create(struct endpoint_factory_client factory, struct endpoint_client *endpoint)
{
	const struct ring_submission request = { .opcode = RING_CALL,
						 .operation = ENDPOINT_FACTORY_CREATE,
						 .capability = factory.handle };
	struct ring_completion completion;

	return capability_call(&request, INTERFACE_ENDPOINT, &endpoint->handle, &completion);
}

enum status endpoint_client_make_client(struct endpoint_client endpoint, uint64_t badge, bool transferable,
					struct endpoint_facet *facet)
{
	const struct ring_submission request = { .opcode = RING_CALL,
						 .operation = ENDPOINT_MAKE_CLIENT,
						 .capability = endpoint.handle,
						 .argument = { badge, transferable } };
	struct ring_completion completion;

	return capability_call(&request, INTERFACE_ENDPOINT_CLIENT, &facet->handle, &completion);
}

enum status endpoint_client_statistics(struct endpoint_client endpoint, struct endpoint_statistics *statistics)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(endpoint.handle, ENDPOINT_STATISTICS, &slot));
	slot->argument[0] = (uint64_t)statistics;
	slot->argument[1] = sizeof(*statistics);
	return ring_client_finish_plain();
}

/* ---- the side that calls ---- */

enum status endpoint_client_call_submit(struct endpoint_facet facet, const struct endpoint_request *request,
					uint64_t user_data)
{
	const struct open_operation_head head = { RING_CALL, request->method, facet.handle };
	struct ring_submission *slot;

	TRY(open_operation_begin(head, user_data, &slot));
	slot->accepts = request->accepts;
	slot->argument[0] = (uint64_t)request->parameters;
	slot->argument[1] = request->parameter_bytes;
	slot->argument[2] = (uint64_t)request->result;
	slot->argument[3] = request->result_bytes;
	slot->argument[4] = (uint64_t)request->transfer;
	slot->argument[5] = request->transfers;
	open_operation_finish();
	return STATUS_OK;
}

enum status endpoint_client_call_reply(const struct ring_completion *completion, struct endpoint_reply *reply)
{
	TRY(ring_client_status(completion));
	*reply = (struct endpoint_reply){ .answer = completion->result, .value = completion->value };
	if ((completion->flags & COMPLETION_HAS_CAPABILITY) != 0)
		reply->capability = (struct transfer_record){ completion->capability, completion->interface };
	return STATUS_OK;
}

enum status endpoint_client_call(struct endpoint_facet facet, const struct endpoint_request *request,
				 struct endpoint_reply *reply)
{
	const uint64_t ticket = open_operation_ticket();
	struct ring_completion completion;

	TRY(endpoint_client_call_submit(facet, request, ticket));
	TRY(ring_client_enter(1, CAP_ENTER_FOREVER));
	if (UNLIKELY(!open_operation_take_oldest(ticket, &completion)))
		TRY(open_operation_wait(ticket, CAP_ENTER_FOREVER, &completion));
	return endpoint_client_call_reply(&completion, reply);
}

enum status endpoint_client_call_within(struct endpoint_facet facet, const struct endpoint_request *request,
					uint64_t timeout_ns, struct endpoint_reply *reply)
{
	const uint64_t ticket = open_operation_ticket();
	struct ring_completion completion;
	enum status status;

	TRY(endpoint_client_call_submit(facet, request, ticket));
	status = open_operation_wait(ticket, timeout_ns, &completion);
	if (status == STATUS_TIMED_OUT) {
		const enum status cancelled = open_operation_cancel(ticket);

		TRY(open_operation_wait(ticket, CAP_ENTER_FOREVER, &completion));
		GUARD(cancelled != STATUS_OK, STATUS_TIMED_OUT);
		return endpoint_client_call_reply(&completion, reply); /* the answer came first */
	}
	TRY(status);
	return endpoint_client_call_reply(&completion, reply);
}

/* ---- the owner's side ---- */

enum status endpoint_client_receive_submit(struct endpoint_client endpoint, struct endpoint_intake intake,
					   uint64_t user_data)
{
	const struct open_operation_head head = { RING_RECEIVE, 0, endpoint.handle };
	struct ring_submission *slot;

	TRY(open_operation_begin(head, user_data, &slot));
	slot->argument[0] = (uint64_t)intake.buffer;
	slot->argument[1] = intake.bytes;
	slot->argument[2] = intake.capabilities;
	open_operation_finish();
	return STATUS_OK;
}

enum status endpoint_client_return_submit(struct endpoint_client endpoint, const struct endpoint_answer *answer,
					  uint64_t user_data)
{
	const struct open_operation_head head = { RING_RETURN, 0, endpoint.handle };
	struct ring_submission *slot;

	TRY(open_operation_begin(head, user_data, &slot));
	slot->argument[0] = answer->call;
	slot->argument[1] = answer->value;
	slot->argument[2] = (uint64_t)answer->bytes;
	slot->argument[3] = answer->byte_count;
	slot->argument[4] = (uint64_t)answer->transfer;
	slot->argument[5] = answer->transfers | (uint64_t)answer->answer << 32;
	open_operation_finish();
	return STATUS_OK;
}

static enum status status_of(uint64_t ticket)
{
	struct ring_completion completion;

	if (UNLIKELY(!open_operation_take_oldest(ticket, &completion)))
		TRY(open_operation_wait(ticket, CAP_ENTER_FOREVER, &completion));
	return ring_client_status(&completion);
}

enum status endpoint_client_receive(struct endpoint_client endpoint, struct endpoint_intake intake)
{
	const uint64_t ticket = open_operation_ticket();

	TRY(endpoint_client_receive_submit(endpoint, intake, ticket));
	return status_of(ticket);
}

enum status endpoint_client_return(struct endpoint_client endpoint, const struct endpoint_answer *answer)
{
	const uint64_t ticket = open_operation_ticket();

	TRY(endpoint_client_return_submit(endpoint, answer, ticket));
	return status_of(ticket);
}

static enum status enter_for_both(void)
{
	const uint32_t wanted = ring_completed(ring_client_current.page) + 2;

	return ring_client_enter(wanted < RING_CQ_ENTRIES ? wanted : RING_CQ_ENTRIES, CAP_ENTER_FOREVER);
}

enum status endpoint_client_return_receive(struct endpoint_client endpoint, const struct endpoint_answer *answer,
					   struct endpoint_intake intake, enum status *returned)
{
	const uint64_t answered = open_operation_ticket();
	const uint64_t received = open_operation_ticket();

	TRY(endpoint_client_return_submit(endpoint, answer, answered));
	const enum status submitted = endpoint_client_receive_submit(endpoint, intake, received);

	/* One entry for both, whatever waits in the queue already; the waits below see to what it leaves. */
	if (submitted == STATUS_OK)
		TRY(enter_for_both());
	*returned = status_of(answered);
	return submitted == STATUS_OK ? status_of(received) : submitted;
}
