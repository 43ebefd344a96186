#include "user/runtime/virtual_memory_client.h"

#include "user/runtime/ring_client.h"

enum status virtual_memory_client_map(struct virtual_memory_client client, const void *hint, uint64_t length,
				      uint32_t protection, uint32_t flags, void **address)
{
	struct ring_submission request = { .opcode = RING_CALL,
					   .operation = VIRTUAL_MEMORY_MAP,
					   .capability = client.handle,
					   .argument = { (uint64_t)hint, length, protection, flags } };
	uint64_t value;

	TRY(ring_client_call_value(&request, &value));
	*address = (void *)value;
	return STATUS_OK;
}

enum status virtual_memory_client_reserve(struct virtual_memory_client client, const void *hint, uint64_t length,
					  uint32_t flags, void **address)
{
	struct ring_submission request = { .opcode = RING_CALL,
					   .operation = VIRTUAL_MEMORY_RESERVE,
					   .capability = client.handle,
					   .argument = { (uint64_t)hint, length, flags } };
	uint64_t value;

	TRY(ring_client_call_value(&request, &value));
	*address = (void *)value;
	return STATUS_OK;
}

enum status virtual_memory_client_commit(struct virtual_memory_client client, const void *address, uint64_t length,
					 uint32_t protection)
{
	struct ring_submission request = { .opcode = RING_CALL,
					   .operation = VIRTUAL_MEMORY_COMMIT,
					   .capability = client.handle,
					   .argument = { (uint64_t)address, length, protection } };

	return ring_client_call_plain(&request);
}

enum status virtual_memory_client_decommit(struct virtual_memory_client client, const void *address, uint64_t length)
{
	struct ring_submission request = { .opcode = RING_CALL,
					   .operation = VIRTUAL_MEMORY_DECOMMIT,
					   .capability = client.handle,
					   .argument = { (uint64_t)address, length } };

	return ring_client_call_plain(&request);
}

enum status virtual_memory_client_protect(struct virtual_memory_client client, const void *address, uint64_t length,
					  uint32_t protection)
{
	struct ring_submission request = { .opcode = RING_CALL,
					   .operation = VIRTUAL_MEMORY_PROTECT,
					   .capability = client.handle,
					   .argument = { (uint64_t)address, length, protection } };

	return ring_client_call_plain(&request);
}

enum status virtual_memory_client_unmap(struct virtual_memory_client client, const void *address, uint64_t length)
{
	struct ring_submission request = { .opcode = RING_CALL,
					   .operation = VIRTUAL_MEMORY_UNMAP,
					   .capability = client.handle,
					   .argument = { (uint64_t)address, length } };

	return ring_client_call_plain(&request);
}

enum status virtual_memory_client_query(struct virtual_memory_client client, const void *address,
					struct virtual_memory_region *region)
{
	struct ring_submission request = { .opcode = RING_CALL,
					   .operation = VIRTUAL_MEMORY_QUERY,
					   .capability = client.handle,
					   .argument = { (uint64_t)address, (uint64_t)region, sizeof(*region) } };

	return ring_client_call_plain(&request);
}

enum status virtual_memory_client_statistics(struct virtual_memory_client client, struct memory_statistics *statistics)
{
	struct ring_submission request = { .opcode = RING_CALL,
					   .operation = VIRTUAL_MEMORY_STATISTICS,
					   .capability = client.handle,
					   .argument = { (uint64_t)statistics, sizeof(*statistics) } };

	return ring_client_call_plain(&request);
}
