#include "user/runtime/frame_allocator_client.h"

#include "abi/interface.h"
#include "user/runtime/ring_client.h"

enum status frame_allocator_client_allocate(struct frame_allocator_client client, uint64_t pages, uint32_t flags,
					    struct memory_object_client *object)
{
	struct ring_submission request = { .opcode = RING_CALL,
					   .operation = FRAME_ALLOCATOR_ALLOCATE,
					   .capability = client.handle,
					   .argument = { pages, flags } };
	struct ring_completion completion;

	TRY(ring_client_call(&request, &completion));
	GUARD((completion.flags & COMPLETION_HAS_CAPABILITY) != 0, STATUS_NOT_FOUND);
	GUARD(completion.interface == INTERFACE_MEMORY_OBJECT, STATUS_WRONG_INTERFACE);
	object->handle = completion.capability;
	return STATUS_OK;
}
