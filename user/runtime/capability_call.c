#include "user/runtime/capability_call.h"

enum status capability_call(const struct ring_submission *request, enum interface_id interface, handle_t *capability,
			    struct ring_completion *completion)
{
	TRY(ring_client_call(request, completion));
	GUARD((completion->flags & COMPLETION_HAS_CAPABILITY) != 0, STATUS_NOT_FOUND);
	GUARD(completion->interface == (uint32_t)interface, STATUS_WRONG_INTERFACE);
	*capability = completion->capability;
	return STATUS_OK;
}
