#include "user/runtime/memory_object_client.h"

#include "user/runtime/ring_client.h"

enum status memory_object_client_info(struct memory_object_client client, struct memory_object_info *info)
{
	struct ring_submission request = { .opcode = RING_CALL,
					   .operation = MEMORY_OBJECT_INFO,
					   .capability = client.handle,
					   .argument = { (uint64_t)info, sizeof(*info) } };

	return ring_client_call_plain(&request);
}

enum status memory_object_client_map(struct memory_object_client client, const struct memory_object_window *window,
				     void **address)
{
	struct ring_submission request = { .opcode = RING_CALL,
					   .operation = MEMORY_OBJECT_MAP,
					   .capability = client.handle,
					   .argument = { (uint64_t)window->hint, window->offset, window->length,
							 window->protection, window->flags } };
	uint64_t value;

	TRY(ring_client_call_value(&request, &value));
	*address = (void *)value;
	return STATUS_OK;
}

enum status memory_object_client_unmap(struct memory_object_client client, const void *address, uint64_t length)
{
	struct ring_submission request = { .opcode = RING_CALL,
					   .operation = MEMORY_OBJECT_UNMAP,
					   .capability = client.handle,
					   .argument = { (uint64_t)address, length } };

	return ring_client_call_plain(&request);
}

enum status memory_object_client_protect(struct memory_object_client client, const void *address, uint64_t length,
					 uint32_t protection)
{
	struct ring_submission request = { .opcode = RING_CALL,
					   .operation = MEMORY_OBJECT_PROTECT,
					   .capability = client.handle,
					   .argument = { (uint64_t)address, length, protection } };

	return ring_client_call_plain(&request);
}
