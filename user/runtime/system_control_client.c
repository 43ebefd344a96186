#include "user/runtime/system_control_client.h"

#include "lib/string.h"
#include "user/runtime/ring_client.h"

enum status system_control_client_halt(struct system_control_client client, uint64_t code)
{
	struct ring_submission request = {
		.opcode = RING_CALL, .operation = SYSTEM_CONTROL_HALT, .capability = client.handle, .argument = { code }
	};

	return ring_client_call_plain(&request);
}

enum status system_control_client_run_next(struct system_control_client client, const char *command)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, SYSTEM_CONTROL_RUN_NEXT, &slot));
	slot->argument[0] = (uint64_t)command;
	slot->argument[1] = strlen(command);
	return ring_client_finish_plain();
}

enum status system_control_client_last_exit(struct system_control_client client, struct last_exit *last)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, SYSTEM_CONTROL_LAST_EXIT, &slot));
	slot->argument[0] = (uint64_t)last;
	slot->argument[1] = sizeof(*last);
	return ring_client_finish_plain();
}
