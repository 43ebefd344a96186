/*
 * Which thread runs on which CPU.
 *
 * Each CPU has a run queue by priority and takes the first of the highest; threads of one priority take turns of
 * SCHEDULER_SLICE_NS. A CPU with nothing to do steals from the others, and halts when there is nothing to steal. No
 * periodic tick: the one alarm of a CPU stands at the earliest of its sleepers' deadlines and the end of a turn that
 * somebody waits for.
 *
 * The kernel is not preempted. A thread leaves its CPU when it blocks, ends, or is about to return to ring 3.
 *
 * Locks: the deadline heap of a CPU, a thread, a run queue (lock_order.h). Whoever wakes a thread may hold what
 * WAKERS in lock_order.c has.
 */
#ifndef CAPOS_KERNEL_TASK_SCHEDULER_H
#define CAPOS_KERNEL_TASK_SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/task/thread.h"

#define SCHEDULER_SLICE_NS UINT64_C(5000000)
#define SCHEDULER_FOREVER UINT64_MAX

/* A new thread becomes ready. */
void scheduler_add(struct thread *thread);

/*
 * If it sleeps, it becomes ready; else its next scheduler_block returns at once. So: make true what it waits for, then
 * wake. It must not be able to end meanwhile (operation.h says how).
 */
void scheduler_wake(struct thread *thread);

/* The same, but if the caller blocks soon, its CPU goes on with this thread. */
void scheduler_hand_over(struct thread *thread);

/* Whom the caller handed over to, if it does not block after all, is ready for every CPU. */
void scheduler_keep_running(void);

/* Woken, and if it is in ring 3 on another CPU, made to enter the kernel soon. */
void scheduler_prod(struct thread *thread);

/*
 * Its priority from now on. One that is ready and waits goes to the end of its new priority's list, and runs at once
 * where something less urgent does; one that runs gives way to what is more urgent now. It must not be able to end
 * meanwhile.
 */
void scheduler_set_priority(struct thread *thread, uint32_t priority);

/*
 * The current thread sleeps until it is woken or `deadline` (clock_now_ns) has passed, or any time sooner: look again
 * at what you wait for. No locks.
 */
void scheduler_block(uint64_t deadline);

/* Others of its priority first. */
void scheduler_yield(void);

/* The current thread is over: process_reclaim_thread gets it when its CPU has left its stack. */
_Noreturn void scheduler_end(void);

/* Become the idle context of this CPU. */
_Noreturn void scheduler_idle(void);

/* The current thread's address space is about to go: go on in the kernel's. */
void scheduler_leave_space(void);

/* Of one CPU. */
struct scheduler_statistics {
	uint64_t switches;
	uint64_t busy_ns;
};

void scheduler_read(uint32_t cpu, struct scheduler_statistics *statistics);

/* At rest (world.h): queues valid, nothing lost. */
bool scheduler_is_valid(void);

/*
 * For the first function of a new thread: what scheduler_block does after a switch. Before anything else.
 */
void scheduler_begin(void);

/* A thread that ended (process_end.c): free it. Not on its stack, no locks. */
void process_reclaim_thread(struct thread *thread);

#endif
