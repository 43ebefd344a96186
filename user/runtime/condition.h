/*
 * Waiting for something that a mutex guards to become true. All zero is a condition that nobody waits for. Private
 * memory, as for a mutex.
 *
 *   mutex_lock(&m); while (!ready) condition_wait(&c, &m); ... mutex_unlock(&m);
 *   mutex_lock(&m); ready = true; mutex_unlock(&m); condition_signal(&c);
 *
 * No wake-up is lost: who waits has counted itself and read the sequence before it gives up the mutex, and sleeps only
 * if the sequence is still that; who signals moves it. A wait may return without a signal. All waiters use one mutex,
 * and what they wait for changes under it. Signals may be given with or without the mutex; without a waiter they cost
 * no system call.
 */
#ifndef CAPOS_USER_RUNTIME_CONDITION_H
#define CAPOS_USER_RUNTIME_CONDITION_H

#include <stdint.h>

#include "abi/status.h"
#include "user/runtime/mutex.h"

struct condition {
	uint32_t sequence; /* of signals; what waiters sleep on */
	uint32_t waiters;
};

/* Give up the mutex, sleep, take it again. */
void condition_wait(struct condition *condition, struct mutex *mutex);

/* The same for a time; the mutex is locked again either way. TIMED_OUT: no signal in the time. */
enum status condition_wait_within(struct condition *condition, struct mutex *mutex, uint64_t timeout_ns);

/* Wake one. */
void condition_signal(struct condition *condition);

/* Wake all. */
void condition_broadcast(struct condition *condition);

#endif
