/*
 * Console: bytes to and from the serial line. The kernel neither echoes nor edits.
 */
#ifndef CAPOS_USER_RUNTIME_CONSOLE_CLIENT_H
#define CAPOS_USER_RUNTIME_CONSOLE_CLIENT_H

#include <stdint.h>

#include "abi/console_abi.h"
#include "abi/handle.h"
#include "abi/status.h"

struct console_client {
	handle_t handle;
};

/* All the bytes, in as many calls as they need. BUFFER_FAULT. */
enum status console_client_write(struct console_client client, const void *buffer, uint64_t bytes);

/* At least one byte, at most `bytes`; waits for input. *count: how many. BUFFER_FAULT. */
enum status console_client_read(struct console_client client, void *buffer, uint64_t bytes, uint64_t *count);

#endif
