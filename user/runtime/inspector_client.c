#include "user/runtime/inspector_client.h"

#include "user/runtime/ring_client.h"

enum status inspector_client_memory(struct inspector_client client, struct inspector_memory *memory)
{
	struct ring_submission request = { .opcode = RING_CALL,
					   .operation = INSPECTOR_MEMORY,
					   .capability = client.handle,
					   .argument = { (uint64_t)memory, sizeof(*memory) } };

	return ring_client_call_plain(&request);
}

enum status inspector_client_process(struct inspector_client client, uint64_t index, struct inspector_process *process)
{
	struct ring_submission request = { .opcode = RING_CALL,
					   .operation = INSPECTOR_PROCESS,
					   .capability = client.handle,
					   .argument = { index, (uint64_t)process, sizeof(*process) } };

	return ring_client_call_plain(&request);
}

enum status inspector_client_region(struct inspector_client client, uint64_t process_id, uint64_t address,
				    struct virtual_memory_region *region)
{
	struct ring_submission request = { .opcode = RING_CALL,
					   .operation = INSPECTOR_REGION,
					   .capability = client.handle,
					   .argument = { process_id, address, (uint64_t)region, sizeof(*region) } };

	return ring_client_call_plain(&request);
}

enum status inspector_client_capability(struct inspector_client client, uint64_t process_id, uint64_t slot,
					struct inspector_capability *capability)
{
	struct ring_submission request = { .opcode = RING_CALL,
					   .operation = INSPECTOR_CAPABILITY,
					   .capability = client.handle,
					   .argument = { process_id, slot, (uint64_t)capability,
							 sizeof(*capability) } };

	return ring_client_call_plain(&request);
}

enum status inspector_client_ledger(struct inspector_client client, uint64_t process_id,
				    struct memory_statistics *statistics)
{
	struct ring_submission request = { .opcode = RING_CALL,
					   .operation = INSPECTOR_LEDGER,
					   .capability = client.handle,
					   .argument = { process_id, (uint64_t)statistics, sizeof(*statistics) } };

	return ring_client_call_plain(&request);
}

enum status inspector_client_ring(struct inspector_client client, uint64_t process_id, struct inspector_ring *ring)
{
	struct ring_submission request = { .opcode = RING_CALL,
					   .operation = INSPECTOR_RING,
					   .capability = client.handle,
					   .argument = { process_id, (uint64_t)ring, sizeof(*ring) } };

	return ring_client_call_plain(&request);
}

enum status inspector_client_check(struct inspector_client client, struct inspector_check *check)
{
	struct ring_submission request = { .opcode = RING_CALL,
					   .operation = INSPECTOR_CHECK,
					   .capability = client.handle,
					   .argument = { (uint64_t)check, sizeof(*check) } };

	return ring_client_call_plain(&request);
}

enum status inspector_client_zone(struct inspector_client client, uint64_t index, struct inspector_zone *zone)
{
	struct ring_submission request = { .opcode = RING_CALL,
					   .operation = INSPECTOR_ZONE,
					   .capability = client.handle,
					   .argument = { index, (uint64_t)zone, sizeof(*zone) } };

	return ring_client_call_plain(&request);
}

enum status inspector_client_cpu(struct inspector_client client, uint64_t index, struct inspector_cpu *cpu)
{
	struct ring_submission request = { .opcode = RING_CALL,
					   .operation = INSPECTOR_CPU,
					   .capability = client.handle,
					   .argument = { index, (uint64_t)cpu, sizeof(*cpu) } };

	return ring_client_call_plain(&request);
}
