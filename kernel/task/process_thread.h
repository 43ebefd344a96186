/*
 * The threads of a process: places, ids, rings.
 */
#ifndef CAPOS_KERNEL_TASK_PROCESS_THREAD_H
#define CAPOS_KERNEL_TASK_PROCESS_THREAD_H

#include "kernel/task/process.h"

struct thread_start {
	uint64_t entry, stack, tls, argument; /* user addresses, but the last */
	uint32_t priority;
};

/*
 * A thread with its ring, in its process, not yet running. NOT_USER_ADDRESS (entry, stack, tls), BAD_ARGUMENT (priority
 * above the process's), BUSY (no place), GONE (the process is ending), OVER_KERNEL_OBJECT, OVER_IMAGE, OVER_PAGE_TABLE,
 * OUT_OF_MEMORY. `thread` stays good until it is started.
 */
enum status process_thread_create(struct process *process, const struct thread_start *start, struct thread **thread,
				  uint64_t *id);

/* Undo that. It never ran. */
void process_thread_discard(struct process *process, struct thread *thread);

/*
 * Complete `operation` (OPERATION_THREAD_WAIT, of the current thread) when the thread of that id has ended and was
 * reclaimed. NOT_FOUND, BAD_ARGUMENT (the current thread): the operation is untouched then.
 */
enum status process_thread_wait(uint64_t id, struct operation *operation);

/* By its thread, when it is complete: struct thread_exit to its buffer. BUFFER_FAULT, NOT_USER_ADDRESS, RANGE_WRAPS. */
enum status process_thread_hand_out(const struct operation *operation);

/* At once (scheduler_set_priority): NOT_FOUND, BAD_ARGUMENT (above the process's). */
enum status process_thread_set_priority(struct process *process, uint64_t id, uint64_t priority);

/* A thread that has not left, by its id: NOT_FOUND. process->lock held. */
enum status process_thread_find(struct process *process, uint64_t id, struct thread **thread);

uint64_t process_thread_id(const struct process *process, const struct thread *thread);

/* For thread reclaiming: complete those who wait for the thread in that slot. process->lock held. */
void process_thread_report(struct process *process, uint32_t index);

#endif
