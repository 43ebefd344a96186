#include "user/runtime/memory_object_client.h"

#include "user/runtime/capability_call.h"
#include "user/runtime/ring_client.h"

enum status memory_object_client_info(struct memory_object_client client, struct memory_object_info *info)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, MEMORY_OBJECT_INFO, &slot));
	slot->argument[0] = (uint64_t)info;
	slot->argument[1] = sizeof(*info);
	return ring_client_finish_plain();
}

enum status memory_object_client_map(struct memory_object_client client, const struct memory_object_window *window,
				     void **address)
{
	struct ring_submission *slot;
	uint64_t value;

	TRY(ring_client_begin(client.handle, MEMORY_OBJECT_MAP, &slot));
	slot->argument[0] = (uint64_t)window->hint;
	slot->argument[1] = window->offset;
	slot->argument[2] = window->length;
	slot->argument[3] = window->protection;
	slot->argument[4] = window->flags;
	TRY(ring_client_finish(&value));
	*address = (void *)value;
	return STATUS_OK;
}

enum status memory_object_client_unmap(struct memory_object_client client, const void *address, uint64_t length)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, MEMORY_OBJECT_UNMAP, &slot));
	slot->argument[0] = (uint64_t)address;
	slot->argument[1] = length;
	return ring_client_finish_plain();
}

enum status memory_object_client_protect(struct memory_object_client client, const void *address, uint64_t length,
					 uint32_t protection)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, MEMORY_OBJECT_PROTECT, &slot));
	slot->argument[0] = (uint64_t)address;
	slot->argument[1] = length;
	slot->argument[2] = protection;
	return ring_client_finish_plain();
}

enum status memory_object_client_restrict(struct memory_object_client client, const struct memory_object_part *part,
					  struct memory_object_client *narrower)
{
	const struct ring_submission request = { .opcode = RING_CALL,
						 .operation = MEMORY_OBJECT_RESTRICT,
						 .capability = client.handle,
						 .argument = { part->offset, part->length, part->flags } };
	struct ring_completion completion;

	return capability_call(&request, INTERFACE_MEMORY_OBJECT, &narrower->handle, &completion);
}
