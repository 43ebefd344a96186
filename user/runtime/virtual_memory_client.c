#include "user/runtime/virtual_memory_client.h"

#include "user/runtime/ring_client.h"

enum status virtual_memory_client_map(struct virtual_memory_client client, const void *hint, uint64_t length,
				      uint32_t protection, uint32_t flags, void **address)
{
	struct ring_submission *slot;
	uint64_t value;

	TRY(ring_client_begin(client.handle, VIRTUAL_MEMORY_MAP, &slot));
	slot->argument[0] = (uint64_t)hint;
	slot->argument[1] = length;
	slot->argument[2] = protection;
	slot->argument[3] = flags;
	TRY(ring_client_finish(&value));
	*address = (void *)value;
	return STATUS_OK;
}

enum status virtual_memory_client_reserve(struct virtual_memory_client client, const void *hint, uint64_t length,
					  uint32_t flags, void **address)
{
	struct ring_submission *slot;
	uint64_t value;

	TRY(ring_client_begin(client.handle, VIRTUAL_MEMORY_RESERVE, &slot));
	slot->argument[0] = (uint64_t)hint;
	slot->argument[1] = length;
	slot->argument[2] = flags;
	TRY(ring_client_finish(&value));
	*address = (void *)value;
	return STATUS_OK;
}

enum status virtual_memory_client_commit(struct virtual_memory_client client, const void *address, uint64_t length,
					 uint32_t protection)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, VIRTUAL_MEMORY_COMMIT, &slot));
	slot->argument[0] = (uint64_t)address;
	slot->argument[1] = length;
	slot->argument[2] = protection;
	slot->argument[3] = 0;
	return ring_client_finish_plain();
}

enum status virtual_memory_client_commit_lazy(struct virtual_memory_client client, const void *address, uint64_t length,
					      uint32_t protection)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, VIRTUAL_MEMORY_COMMIT, &slot));
	slot->argument[0] = (uint64_t)address;
	slot->argument[1] = length;
	slot->argument[2] = protection;
	slot->argument[3] = VIRTUAL_MEMORY_LAZY;
	return ring_client_finish_plain();
}

enum status virtual_memory_client_decommit(struct virtual_memory_client client, const void *address, uint64_t length)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, VIRTUAL_MEMORY_DECOMMIT, &slot));
	slot->argument[0] = (uint64_t)address;
	slot->argument[1] = length;
	return ring_client_finish_plain();
}

enum status virtual_memory_client_protect(struct virtual_memory_client client, const void *address, uint64_t length,
					  uint32_t protection)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, VIRTUAL_MEMORY_PROTECT, &slot));
	slot->argument[0] = (uint64_t)address;
	slot->argument[1] = length;
	slot->argument[2] = protection;
	return ring_client_finish_plain();
}

enum status virtual_memory_client_unmap(struct virtual_memory_client client, const void *address, uint64_t length)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, VIRTUAL_MEMORY_UNMAP, &slot));
	slot->argument[0] = (uint64_t)address;
	slot->argument[1] = length;
	return ring_client_finish_plain();
}

enum status virtual_memory_client_break(struct virtual_memory_client client, const void *address, void **end)
{
	struct ring_submission *slot;
	uint64_t value;

	TRY(ring_client_begin(client.handle, VIRTUAL_MEMORY_BREAK, &slot));
	slot->argument[0] = (uint64_t)address;
	TRY(ring_client_finish(&value));
	*end = (void *)value;
	return STATUS_OK;
}

enum status virtual_memory_client_query(struct virtual_memory_client client, const void *address,
					struct virtual_memory_region *region)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, VIRTUAL_MEMORY_QUERY, &slot));
	slot->argument[0] = (uint64_t)address;
	slot->argument[1] = (uint64_t)region;
	slot->argument[2] = sizeof(*region);
	return ring_client_finish_plain();
}

enum status virtual_memory_client_statistics(struct virtual_memory_client client, struct memory_statistics *statistics)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, VIRTUAL_MEMORY_STATISTICS, &slot));
	slot->argument[0] = (uint64_t)statistics;
	slot->argument[1] = sizeof(*statistics);
	return ring_client_finish_plain();
}
