/*
 * SystemControl: end the machine; and, in a kernel built for it, let memory run out on purpose.
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

/* What is to be refused from now on: the arguments of SYSTEM_CONTROL_SHORTAGE. */
struct system_control_shortage {
	uint32_t places;
	uint64_t first, period, note;
};

/* `report` gets what came of the order before. UNSUPPORTED, BAD_ARGUMENT. */
enum status system_control_client_shortage(struct system_control_client client,
					   const struct system_control_shortage *order, struct shortage_report *report);

#endif
