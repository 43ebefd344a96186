/*
 * Who waits for what comes over the serial line: operations of the kind CONSOLE_READ.
 *
 * Whoever has something for them (input has come, or there is more of it to look at) calls them: their threads are
 * woken and look for themselves. Some get what they want; the others wait on. Each is in one of two queues: it waits,
 * or was called and has not looked yet.
 * ```
 *   begin --> called --look--> done, if there is what it wants
 *              ^  \--look--> waiting
 *              \---- call ----/
 * ```
 * Where the line is polled (serial_is_polled), their threads also look by themselves, each CONSOLE_WAIT_POLL_NS.
 *
 * Locks: one, taken under no other; threads are woken under it. It is the guard of the operations. Not held while
 * something is looked at.
 */
#ifndef CAPOS_KERNEL_TASK_CONSOLE_WAIT_H
#define CAPOS_KERNEL_TASK_CONSOLE_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/task/operation.h"

#define CONSOLE_WAIT_POLL_NS UINT64_C(1000000)

/* The deadline of the operations: 0 where threads must look by themselves, else OPERATION_FOREVER. */
uint64_t console_wait_deadline(void);

/* A new one of the current thread, which looks at it with `look` before it sleeps. */
void console_wait_begin(struct operation *operation, operation_look_t *look);

/* The current thread's: true if it is done, and waits nowhere any more. */
bool console_wait_look(struct operation *operation);

/* Call all that wait. In steps, with interrupt windows between them. No locks. */
void console_wait_call(void);

/* At rest (world.h). */
bool console_wait_is_valid(void);

#endif
