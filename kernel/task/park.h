/*
 * Sleeping on words of one's own memory (abi/park_space_abi.h). Waiters of a process hang in buckets by address.
 *
 * The word is read and the waiter queued under the address space's lock and park_lock; whoever wakes takes park_lock
 * after the program has changed the word. So either the reader sees the change, or the waker sees the waiter. Pages
 * that are unmapped or decommitted are drained under the address space's lock, before anything else can come to their
 * address.
 */
#ifndef CAPOS_KERNEL_TASK_PARK_H
#define CAPOS_KERNEL_TASK_PARK_H

#include <stdint.h>

#include "abi/status.h"
#include "kernel/task/operation.h"

struct process;

/*
 * Queue `operation` (OPERATION_PARK, of the current thread) if the word at `address` is `expected`. WOULD_BLOCK if it
 * is not; MISALIGNED, NOT_USER_ADDRESS, NOT_PRIVATE, BUFFER_FAULT: the operation is untouched then.
 */
enum status park_wait(struct operation *operation, uint64_t address, uint32_t expected);

/* Wake who waits on `address`, the longest first, `most` of them at most. Returns how many. MISALIGNED,
 * NOT_USER_ADDRESS. */
enum status park_wake(struct process *process, uint64_t address, uint64_t most, uint64_t *woken);

/* One that was taken out of its bucket by its own thread. park_lock held. */
void park_forget(const struct operation *operation);

#endif
