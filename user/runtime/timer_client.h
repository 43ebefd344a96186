/*
 * Timer: monotonic time since boot, in nanoseconds.
 */
#ifndef CAPOS_USER_RUNTIME_TIMER_CLIENT_H
#define CAPOS_USER_RUNTIME_TIMER_CLIENT_H

#include <stdint.h>

#include "abi/handle.h"
#include "abi/status.h"
#include "abi/timer_abi.h"

struct timer_client {
	handle_t handle;
};

enum status timer_client_now(struct timer_client client, uint64_t *nanoseconds);

/* Returns when they have passed. */
enum status timer_client_sleep(struct timer_client client, uint64_t nanoseconds);

#endif
