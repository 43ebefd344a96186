/*
 * Mutual exclusion between the threads of a program. All zero is a free mutex. It must lie in private memory (the
 * program's data, stack or VirtualMemory, not a mapping of a memory object), and stay there while it is used.
 *
 * A free mutex is taken and given back without a system call; as long as the program has one thread, without an atomic
 * instruction. Not fair: who comes at the right moment gets it before who sleeps. Not recursive.
 *
 * States of the word, and who moves between them:
 *   FREE --lock--> LOCKED, by who finds it so at once
 *   any --lock--> CONTENDED, by who had to wait: it sleeps on the word, or owns the mutex if it was FREE
 *   LOCKED, CONTENDED --unlock--> FREE; from CONTENDED one sleeper is woken
 * Whoever sleeps has made the word CONTENDED before, and only an unlock, which wakes, changes that: no wake-up is lost.
 */
#ifndef CAPOS_USER_RUNTIME_MUTEX_H
#define CAPOS_USER_RUNTIME_MUTEX_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "lib/check.h"

enum mutex_state {
	MUTEX_FREE = 0,
	MUTEX_LOCKED = 1,
	MUTEX_CONTENDED = 2, /* locked, and somebody may sleep on it */
};

struct mutex {
	uint32_t word; /* enum mutex_state */
};

/*
 * Whether the program has ever had a second thread. thread_client_create sets it before there is one; so must who makes
 * one by hand.
 */
extern bool mutex_threads;

/* The part of lock and unlock for a mutex that was not free, or that somebody may sleep on. */
void mutex_lock_slow(struct mutex *mutex);
void mutex_wake(struct mutex *mutex);

/* WOULD_BLOCK: it is locked. */
static inline enum status mutex_try_lock(struct mutex *mutex)
{
	uint32_t word = MUTEX_FREE;

	if (!mutex_threads) {
		GUARD(mutex->word == MUTEX_FREE, STATUS_WOULD_BLOCK);
		mutex->word = MUTEX_LOCKED;
		return STATUS_OK;
	}
	/* Acquire: what the last owner wrote is seen. */
	GUARD(__atomic_compare_exchange_n(&mutex->word, &word, MUTEX_LOCKED, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED),
	      STATUS_WOULD_BLOCK);
	return STATUS_OK;
}

/* A thread that locks what it has locked already, and is the only one, ends the program: program_abort(). */
static inline void mutex_lock(struct mutex *mutex)
{
	if (UNLIKELY(mutex_try_lock(mutex) != STATUS_OK))
		mutex_lock_slow(mutex);
}

/* TIMED_OUT: it was not to be had in the time. */
enum status mutex_lock_within(struct mutex *mutex, uint64_t timeout_ns);

/* By the thread that locked it. */
static inline void mutex_unlock(struct mutex *mutex)
{
	if (!mutex_threads) {
		mutex->word = MUTEX_FREE;
		return;
	}
	/* Release: the next owner sees what this one wrote. */
	if (UNLIKELY(__atomic_exchange_n(&mutex->word, MUTEX_FREE, __ATOMIC_RELEASE) == MUTEX_CONTENDED))
		mutex_wake(mutex);
}

#endif
