/*
 * ParkSpace (abi/park_space_abi.h): sleep on a 32-bit word of the program's own private memory. mutex.h, condition.h
 * and semaphore.h stand on it.
 */
#ifndef CAPOS_USER_RUNTIME_PARK_CLIENT_H
#define CAPOS_USER_RUNTIME_PARK_CLIENT_H

#include <stdint.h>

#include "abi/handle.h"
#include "abi/park_space_abi.h"
#include "abi/status.h"

#define PARK_FOREVER UINT64_MAX /* timeout_ns */

struct park_client {
	handle_t handle;
};

/* Called by program_start: find the CapSet's "park", which the two functions below use. */
void park_client_init(void);

/*
 * Sleep if *word is `expected`. OK: unparked. WOULD_BLOCK: the word is another. TIMED_OUT; GONE: the page was taken
 * away; NOT_PRIVATE, MISALIGNED, BUFFER_FAULT: the word; BUSY: the thread has too many operations open.
 */
enum status park_client_park(struct park_client client, const uint32_t *word, uint32_t expected, uint64_t timeout_ns);

/* Wake up to `count` (PARK_ALL: all) that sleep on the word, longest sleeper first. *woken: how many. */
enum status park_client_unpark(struct park_client client, const uint32_t *word, uint64_t count, uint64_t *woken);

/*
 * The same on the CapSet's "park", for what is built on it: sleep as long as *word is `expected`, or less: the caller
 * looks at the word again. TIMED_OUT: nobody woke it in the time. A word that cannot be slept on, or no "park", ends
 * the program: program_abort().
 */
enum status park_client_sleep(const uint32_t *word, uint32_t expected, uint64_t timeout_ns);

/* Wake up to `count` sleepers. */
void park_client_wake(const uint32_t *word, uint64_t count);

#endif
