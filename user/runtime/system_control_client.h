/*
 * SystemControl: end the machine, name the program that runs after this one, ask how the one before ended.
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

/* `command` is 0-terminated: the program's name and its arguments, between blanks. TOO_LONG, NOT_FOUND. */
enum status system_control_client_run_next(struct system_control_client client, const char *command);

/* NOT_FOUND: no program has ended before. */
enum status system_control_client_last_exit(struct system_control_client client, struct last_exit *last);

#endif
