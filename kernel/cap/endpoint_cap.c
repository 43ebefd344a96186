/* EndpointFactory and Endpoint: abi/endpoint_abi.h. CALL, RECEIVE and RETURN are opcodes of the ring. */
#include "abi/endpoint_abi.h"

#include "kernel/cap/call.h"
#include "kernel/task/endpoint.h"
#include "kernel/task/message.h"
#include "kernel/task/process_capability.h"
#include "lib/check.h"

static enum status create(struct call *call)
{
	struct cap_hold hold = { .interface = INTERFACE_ENDPOINT, .mode = TRANSFER_COPY };
	struct endpoint *endpoint;
	enum status status;

	TRY(endpoint_create(&endpoint));
	hold.object = endpoint;
	status = process_capability_add(call->process, &hold, call->process->id, &call->capability);
	if (status != STATUS_OK) {
		hold_drop(&hold);
		return status;
	}
	call->interface = INTERFACE_ENDPOINT;
	return STATUS_OK;
}

static enum status make_client(struct call *call)
{
	struct cap_hold hold = {
		.object = call->hold.object,
		.badge = call->argument[0],
		.interface = INTERFACE_ENDPOINT_CLIENT,
		.mode = call->argument[1] != 0 ? TRANSFER_COPY : TRANSFER_MOVE,
	};

	GUARD(call->argument[1] <= 1, STATUS_BAD_ARGUMENT);
	return call_add_result(call, &hold);
}

static enum status statistics(struct call *call)
{
	struct endpoint_statistics result;

	endpoint_read(call->hold.object, &result);
	return call_write_result(call, call->argument[0], call->argument[1], &result, sizeof(result));
}

static enum status open_call(struct call *call, struct message *message)
{
	struct operation *operation;
	enum status status;

	TRY(call_open(call, OPERATION_CALL, OPERATION_FOREVER, &operation));
	operation->message = message;
	operation->badge = call->hold.badge;
	operation->accepts = call->accepts;
	operation->method = call->operation;
	operation->buffer = call->argument[2];
	operation->bytes = call->argument[3];
	status = endpoint_call(call->hold.object, operation);
	return status == STATUS_OK ? STATUS_OK : call_abandon(call, operation, status);
}

/* The message first: it is all that the caller's memory has to say. */
enum status endpoint_cap_call(struct call *call)
{
	struct message_parcel parcel = { call->argument[0], call->argument[1], call->argument[4], call->argument[5] };
	struct message *message;
	enum status status;

	GUARD(call->argument[3] == 0 || call->argument[3] >= sizeof(struct endpoint_message), STATUS_TOO_LONG);
	/* Without a buffer, the completion has room for one. */
	GUARD(call->accepts <= (call->argument[3] != 0 ? TRANSFER_MAX : 1), STATUS_BAD_ARGUMENT);
	TRY(message_create(call->process, &parcel, call->argument[3], &message));
	status = open_call(call, message);
	if (status != STATUS_OK && message != NULL)
		message_cancel(call->process, message);
	return status;
}

enum status endpoint_cap_receive(struct call *call)
{
	struct operation *operation;
	enum status status;

	GUARD(call->argument[1] >= sizeof(struct endpoint_message), STATUS_TOO_LONG);
	GUARD(call->argument[2] <= TRANSFER_MAX, STATUS_BAD_ARGUMENT);
	TRY(call_open(call, OPERATION_RECEIVE, OPERATION_FOREVER, &operation));
	operation->buffer = call->argument[0];
	operation->bytes = call->argument[1];
	operation->accepts = (uint16_t)call->argument[2];
	status = endpoint_receive(call->hold.object, operation);
	return status == STATUS_OK ? STATUS_OK : call_abandon(call, operation, status);
}

enum status endpoint_cap_return(struct call *call)
{
	struct endpoint_answer answer = {
		.call = call->argument[0],
		.value = call->argument[1],
		.answer = (uint32_t)(call->argument[5] >> 32),
		.parcel = { call->argument[2], call->argument[3], call->argument[4], (uint32_t)call->argument[5] },
	};

	return endpoint_return(call->hold.object, call->process, &answer);
}

static call_handler_t *const factory_handlers[] = { [ENDPOINT_FACTORY_CREATE] = create };
static call_handler_t *const handlers[] = { [ENDPOINT_MAKE_CLIENT] = make_client, [ENDPOINT_STATISTICS] = statistics };

_Static_assert(COUNT_OF(factory_handlers) == ENDPOINT_FACTORY_OPERATION_COUNT, "a handler for each operation");
_Static_assert(COUNT_OF(handlers) == ENDPOINT_OPERATION_COUNT, "a handler for each operation");

const struct call_table endpoint_factory_calls = { factory_handlers, COUNT_OF(factory_handlers) };
const struct call_table endpoint_calls = { handlers, COUNT_OF(handlers) };
