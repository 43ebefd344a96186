/*
 * Threads that are ready to run, of one CPU: a list per priority. Other CPUs put threads in and steal them.
 *
 * Locking: each call takes a queue's own lock, under which nothing is taken; run_queue_best and run_queue_count look
 * without.
 */
#ifndef CAPOS_KERNEL_TASK_RUN_QUEUE_H
#define CAPOS_KERNEL_TASK_RUN_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/thread_control_abi.h"
#include "kernel/arch/x86_64/spinlock.h"
#include "lib/check.h"

struct thread;

struct run_queue {
	struct spinlock lock;
	uint32_t ready; /* lock; bit per priority that has threads; atomic for those who only look */
	uint32_t count; /* lock; the same */
	struct thread *first[THREAD_PRIORITIES], *last[THREAD_PRIORITIES]; /* lock */
};

/* At the end of its priority's list. Returns that priority: another one than the caller saw, if it has just changed. */
uint32_t run_queue_add(struct run_queue *queue, struct thread *thread);

/* The first of the highest priority that is at least `lowest`, taken out; NULL if there is none. */
struct thread *run_queue_take(struct run_queue *queue, uint32_t lowest);

/*
 * Out of whatever queue it is in; false: it is in none. After a change of its priority: whoever adds it at that moment
 * either is seen here, or sees the new priority. It must not be able to end meanwhile.
 */
bool run_queue_remove(struct thread *thread);

/* The highest priority that has a thread, plus one; 0: empty. */
static inline uint32_t run_queue_best(const struct run_queue *queue)
{
	uint32_t ready = __atomic_load_n(&queue->ready, __ATOMIC_RELAXED);

	return ready == 0 ? 0 : 32u - (uint32_t)__builtin_clz(ready);
}

static inline uint32_t run_queue_count(const struct run_queue *queue)
{
	return __atomic_load_n(&queue->count, __ATOMIC_RELAXED);
}

/* Lists, bits and count agree, and each thread in it is READY and of its list's priority. At rest. */
bool run_queue_is_valid(const struct run_queue *queue);

#endif
