/*
 * How long a wait may still last, for waits that sleep several times. Measured by the CapSet's "timer"; a program
 * without one begins the time anew with each sleep.
 */
#ifndef CAPOS_USER_RUNTIME_DEADLINE_H
#define CAPOS_USER_RUNTIME_DEADLINE_H

#include <stdint.h>

struct deadline {
	uint64_t timeout_ns; /* PARK_FOREVER: none */
	uint64_t end_ns;     /* since boot; 0: there is no clock */
};

struct deadline deadline_after(uint64_t timeout_ns);

/* Nanoseconds left; 0: the time is over. */
uint64_t deadline_left(const struct deadline *deadline);

#endif
