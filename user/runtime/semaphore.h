/*
 * A count of things to be had. Private memory, as for a mutex. Start it as (struct semaphore){ .count = n }.
 *
 * wait takes one, and sleeps while there is none; post adds one and wakes a sleeper. Neither makes a system call if
 * nobody has to sleep. No wake-up is lost: who waits says so in `waiters` before it looks at the count for the last
 * time, who posts changes the count before it looks at `waiters`.
 */
#ifndef CAPOS_USER_RUNTIME_SEMAPHORE_H
#define CAPOS_USER_RUNTIME_SEMAPHORE_H

#include <stdint.h>

#include "abi/status.h"

struct semaphore {
	uint32_t count; /* what waiters sleep on while it is 0 */
	uint32_t waiters;
};

void semaphore_wait(struct semaphore *semaphore);

/* WOULD_BLOCK: there is none. */
enum status semaphore_try_wait(struct semaphore *semaphore);

/* TIMED_OUT: there was none in the time. */
enum status semaphore_wait_within(struct semaphore *semaphore, uint64_t timeout_ns);

/* TOO_LONG: the count is at its end, 2^32 - 1. */
enum status semaphore_post(struct semaphore *semaphore);

#endif
