#include "kernel/task/run_queue.h"

#include <stddef.h>

#include "kernel/task/thread.h"

static void set_ready(struct run_queue *queue, uint32_t ready, uint32_t count)
{
	__atomic_store_n(&queue->ready, ready, __ATOMIC_RELAXED);
	__atomic_store_n(&queue->count, count, __ATOMIC_RELAXED);
}

/* To the end of a list. Locked. */
static void append(struct run_queue *queue, struct thread *thread, uint32_t priority)
{
	thread->queue_priority = priority;
	thread->next_ready = NULL;
	thread->previous_ready = queue->last[priority];
	if (queue->last[priority] == NULL)
		queue->first[priority] = thread;
	else
		queue->last[priority]->next_ready = thread;
	queue->last[priority] = thread;
	set_ready(queue, queue->ready | 1u << priority, queue->count + 1);
}

/* From anywhere in its list. Locked. */
static void unlink(struct run_queue *queue, struct thread *thread)
{
	uint32_t priority = thread->queue_priority;
	uint32_t ready = queue->ready;

	if (thread->next_ready != NULL)
		thread->next_ready->previous_ready = thread->previous_ready;
	else
		queue->last[priority] = thread->previous_ready;
	if (thread->previous_ready != NULL)
		thread->previous_ready->next_ready = thread->next_ready;
	else
		queue->first[priority] = thread->next_ready;
	if (queue->first[priority] == NULL)
		ready &= ~(1u << priority);
	set_ready(queue, ready, queue->count - 1);
	__atomic_store_n(&thread->queue, NULL, __ATOMIC_RELAXED);
}

/* Where it is, then what its priority is; run_queue_remove comes after a change of the second, and looks at the first.
 */
uint32_t run_queue_add(struct run_queue *queue, struct thread *thread)
{
	uint32_t priority;

	spinlock_acquire(&queue->lock);
	(void)__atomic_exchange_n(&thread->queue, queue, __ATOMIC_SEQ_CST);
	priority = __atomic_load_n(&thread->priority, __ATOMIC_SEQ_CST);
	append(queue, thread, priority);
	spinlock_release(&queue->lock);
	return priority;
}

struct thread *run_queue_take(struct run_queue *queue, uint32_t lowest)
{
	struct thread *thread = NULL;
	uint32_t best;

	if (run_queue_best(queue) <= lowest)
		return NULL;
	spinlock_acquire(&queue->lock);
	best = run_queue_best(queue);
	if (best > lowest) {
		thread = queue->first[best - 1];
		unlink(queue, thread);
	}
	spinlock_release(&queue->lock);
	return thread;
}

bool run_queue_remove(struct thread *thread)
{
	struct run_queue *queue;
	bool is_there = false;

	while (!is_there && (queue = __atomic_load_n(&thread->queue, __ATOMIC_SEQ_CST)) != NULL) {
		spinlock_acquire(&queue->lock);
		is_there = __atomic_load_n(&thread->queue, __ATOMIC_RELAXED) == queue; /* it may be in another by now */
		if (is_there)
			unlink(queue, thread);
		spinlock_release(&queue->lock);
	}
	return is_there;
}

bool run_queue_is_valid(const struct run_queue *queue)
{
	uint32_t count = 0;
	bool valid = true;

	for (uint32_t priority = 0; priority < THREAD_PRIORITIES; priority++) {
		bool has_bit = (queue->ready & 1u << priority) != 0;
		const struct thread *previous = NULL;

		valid = valid && has_bit == (queue->first[priority] != NULL);
		for (const struct thread *thread = queue->first[priority]; thread != NULL;
		     thread = thread->next_ready) {
			valid = valid && thread->state == THREAD_READY && thread->queue_priority == priority;
			valid = valid && thread->queue == queue && thread->previous_ready == previous;
			valid = valid && (thread->next_ready != NULL || queue->last[priority] == thread);
			previous = thread;
			count++;
		}
	}
	return valid && count == queue->count;
}
