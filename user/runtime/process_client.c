#include "user/runtime/process_client.h"

#include "abi/interface.h"
#include "user/runtime/capability_call.h"
#include "user/runtime/open_operation.h"
#include "user/runtime/ring_client.h"

enum status process_client_spawn(struct process_spawner_client spawner, const struct process_builder *builder,
				 struct process_client *process)
{
	const struct process_spawn_request spawn = process_builder_request(builder);
	const struct ring_submission request = { .opcode = RING_CALL,
						 .operation = PROCESS_SPAWNER_SPAWN,
						 .capability = spawner.handle,
						 .argument = { (uint64_t)&spawn, sizeof(spawn) } };
	struct ring_completion completion;

	TRY(capability_call(&request, INTERFACE_PROCESS_HANDLE, &process->handle, &completion));
	process->process_id = completion.value;
	return STATUS_OK;
}

enum status process_client_wait(struct process_client process, struct process_exit *exit)
{
	struct process_wait wait;

	TRY(process_client_wait_begin(process, &wait));
	TRY(process_client_wait_within(&wait, CAP_ENTER_FOREVER));
	*exit = wait.exit;
	return STATUS_OK;
}

enum status process_client_wait_submit(struct process_client process, struct process_exit *exit, uint64_t user_data)
{
	const struct open_operation_head head = { RING_CALL, PROCESS_HANDLE_WAIT, process.handle };
	struct ring_submission *slot;

	TRY(open_operation_begin(head, user_data, &slot));
	slot->argument[0] = (uint64_t)exit;
	slot->argument[1] = sizeof(*exit);
	open_operation_finish();
	return STATUS_OK;
}

enum status process_client_wait_begin(struct process_client process, struct process_wait *wait)
{
	wait->ticket = open_operation_ticket();
	return process_client_wait_submit(process, &wait->exit, wait->ticket);
}

enum status process_client_wait_within(struct process_wait *wait, uint64_t timeout_ns)
{
	struct ring_completion completion;

	TRY(open_operation_wait(wait->ticket, timeout_ns, &completion));
	return ring_client_status(&completion);
}

enum status process_client_kill(struct process_client process)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(process.handle, PROCESS_HANDLE_KILL, &slot));
	return ring_client_finish_plain();
}

enum status process_client_statistics(struct process_client process, struct process_statistics *statistics)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(process.handle, PROCESS_HANDLE_STATISTICS, &slot));
	slot->argument[0] = (uint64_t)statistics;
	slot->argument[1] = sizeof(*statistics);
	return ring_client_finish_plain();
}
