/*
 * SystemControl: end the machine.
 */
#ifndef CAPOS_USER_RUNTIME_SYSTEM_CONTROL_CLIENT_H
#define CAPOS_USER_RUNTIME_SYSTEM_CONTROL_CLIENT_H

#include <stdint.h>

#include "abi/handle.h"
#include "abi/status.h"
#include "abi/system_control_abi.h"

struct system_control_client {
	handle_t handle;
};

/* Returns only if refused: BAD_ARGUMENT (code above 63). */
enum status system_control_client_halt(struct system_control_client client, uint64_t code);

#endif
