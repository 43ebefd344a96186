#include "kernel/task/run_queue.h"

#include <stddef.h>

#include "kernel/task/thread.h"

static void set_ready(struct run_queue *queue, uint32_t ready, uint32_t count)
{
	__atomic_store_n(&queue->ready, ready, __ATOMIC_RELAXED);
	__atomic_store_n(&queue->count, count, __ATOMIC_RELAXED);
}

void run_queue_add(struct run_queue *queue, struct thread *thread)
{
	spinlock_acquire(&queue->lock);
	thread->queue_priority = thread->priority;
	thread->next_ready = NULL;
	if (queue->first[thread->queue_priority] == NULL)
		queue->first[thread->queue_priority] = thread;
	else
		queue->last[thread->queue_priority]->next_ready = thread;
	queue->last[thread->queue_priority] = thread;
	set_ready(queue, queue->ready | 1u << thread->queue_priority, queue->count + 1);
	spinlock_release(&queue->lock);
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
		queue->first[best - 1] = thread->next_ready;
		set_ready(queue, thread->next_ready == NULL ? queue->ready & ~(1u << (best - 1)) : queue->ready,
			  queue->count - 1);
	}
	spinlock_release(&queue->lock);
	return thread;
}

bool run_queue_is_valid(const struct run_queue *queue)
{
	uint32_t count = 0;
	bool valid = true;

	for (uint32_t priority = 0; priority < THREAD_PRIORITIES; priority++) {
		bool has_bit = (queue->ready & 1u << priority) != 0;

		valid = valid && has_bit == (queue->first[priority] != NULL);
		for (const struct thread *thread = queue->first[priority]; thread != NULL;
		     thread = thread->next_ready) {
			valid = valid && thread->state == THREAD_READY && thread->queue_priority == priority;
			valid = valid && (thread->next_ready != NULL || queue->last[priority] == thread);
			count++;
		}
	}
	return valid && count == queue->count;
}
