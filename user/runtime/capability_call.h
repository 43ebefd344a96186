/*
 * A call whose result is a capability (its transfer record), for the typed clients.
 */
#ifndef CAPOS_USER_RUNTIME_CAPABILITY_CALL_H
#define CAPOS_USER_RUNTIME_CAPABILITY_CALL_H

#include "abi/handle.h"
#include "abi/interface.h"
#include "abi/status.h"
#include "user/runtime/ring_client.h"

/*
 * Submit, wait, and take the capability. NOT_FOUND: none came with the answer; WRONG_INTERFACE: one of another
 * interface. On OK the completion is good, too.
 */
enum status capability_call(const struct ring_submission *request, enum interface_id interface, handle_t *capability,
			    struct ring_completion *completion);

#endif
