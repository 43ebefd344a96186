/*
 * A scheduler that runs nothing: the test says who the current thread is, and sees who was woken, in order. What a
 * sleeping thread waits for, and what happens when a thread ends, are played by the test.
 */
#ifndef CAPOS_TESTS_HOST_TASK_SCHEDULER_H
#define CAPOS_TESTS_HOST_TASK_SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/task/scheduler.h"

#define TASK_SCHEDULER_WAKES 256u /* that the log keeps */

struct task_scheduler_log {
	uint64_t added, kept, yielded, left_space, attended;
	struct thread *last_added;
	struct thread *handed_over; /* since the last scheduler_keep_running */
	struct thread *prioritised; /* last */
	uint64_t wakes;
	struct thread *woken[TASK_SCHEDULER_WAKES]; /* by scheduler_wake, scheduler_hand_over, scheduler_prod */
	uint64_t blocks;
	uint64_t deadline; /* of the last scheduler_block */
};

extern struct task_scheduler_log task_scheduler_log;

/* Nobody runs, nothing has happened. */
void task_scheduler_start(void);

/* The current thread of this CPU from now on; NULL: none. */
void task_scheduler_run_as(struct thread *thread);

/*
 * What happens while a thread sleeps in scheduler_block, each time. Without it only a thread that was woken before may
 * sleep.
 */
void task_scheduler_on_block(void (*act)(void *argument), void *argument);

/*
 * act(argument) by that thread. If it ends meanwhile (scheduler_end), it is reclaimed, and nobody is current
 * afterwards: true.
 */
bool task_scheduler_run(struct thread *thread, void (*act)(void *argument), void *argument);

#endif
