/*
 * How threads and processes end, and how others learn of it.
 */
#ifndef CAPOS_KERNEL_TASK_PROCESS_END_H
#define CAPOS_KERNEL_TASK_PROCESS_END_H

#include "kernel/task/process.h"

/*
 * Begin its end, for the reason that `exit` gives (process_id and run_ns are filled in here), unless it has begun
 * already: each thread leaves when it next reaches a safe point, sleeping ones now. Any thread, also one of its own.
 */
void process_end_begin(struct process *process, const struct process_exit *exit);

/* The same with process->lock held. */
void process_end_begin_locked(struct process *process, const struct process_exit *exit);

/* Whether it has begun to end: its threads leave before they are in ring 3 again. */
static inline bool process_end_is_asked(const struct process *process)
{
	return __atomic_load_n(&process->ending, __ATOMIC_ACQUIRE);
}

/* If the current thread's process is ending, the thread leaves: does not return then. No locks. */
void process_end_if_asked(void);

/* The current thread leaves with that code; the last one takes the process with it. No locks. */
_Noreturn void process_end_thread(int64_t code);

/* What became of a process that has ended. */
void process_end_read(struct process *process, struct process_exit *exit);

/* Complete `operation` (OPERATION_PROCESS_WAIT, of the current thread) when `process` has ended, perhaps at once. */
void process_end_wait(struct process *process, struct operation *operation);

/* By its thread, when it is complete: struct process_exit to its buffer. BUFFER_FAULT, NOT_USER_ADDRESS, RANGE_WRAPS.
 */
enum status process_end_hand_out(const struct operation *operation);

#endif
