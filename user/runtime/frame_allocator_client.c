#include "user/runtime/frame_allocator_client.h"

#include "user/runtime/capability_call.h"

enum status frame_allocator_client_allocate(struct frame_allocator_client client, uint64_t pages, uint32_t flags,
					    struct memory_object_client *object)
{
	const struct ring_submission request = { .opcode = RING_CALL,
						 .operation = FRAME_ALLOCATOR_ALLOCATE,
						 .capability = client.handle,
						 .argument = { pages, flags } };
	struct ring_completion completion;

	return capability_call(&request, INTERFACE_MEMORY_OBJECT, &object->handle, &completion);
}
