/*
 * A thread: a kernel stack, a ring, and the operations that are open on it. A kernel thread has no process.
 *
 * Where it is: current on a CPU, in a run queue or handed over to one (READY), or BLOCKED in cap_enter or before an
 * instruction that faulted (fault_handler.h), or DEAD and about to be reclaimed by the next context on its CPU. It is
 * put into a queue only when its CPU has left its stack, so a thread in a queue can be run by anyone at once.
 */
#ifndef CAPOS_KERNEL_TASK_THREAD_H
#define CAPOS_KERNEL_TASK_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/thread_control_abi.h"
#include "kernel/arch/x86_64/fpu.h"
#include "kernel/arch/x86_64/spinlock.h"
#include "kernel/arch/x86_64/user_mode.h"
#include "kernel/task/operation.h"
#include "kernel/task/run_time.h"
#include "kernel/task/user_fault.h"
#include "lib/deadline_heap.h"
#include "lib/ring.h"

struct process;
struct run_queue;

enum thread_state {
	THREAD_READY = 0,
	THREAD_RUNNING,
	THREAD_BLOCKED,
	THREAD_DEAD,
};

/* fault_handler.h */
enum thread_fault_state {
	THREAD_FAULT_NONE = 0,
	THREAD_FAULT_WAITING, /* stands before its instruction; nobody was told */
	THREAD_FAULT_TOLD,    /* the same; the handler was */
};

/* One frame each. */
struct thread {
	/* the thread's alone: read at each system call */
	struct ring_page *ring; /* through the direct map; pinned as long as the thread lives */
	struct ring_kernel ring_state;
	uint32_t open_count;  /* operations whose completion is not posted yet */
	uint32_t places_used; /* bit per place of an open operation */
	uint32_t looking;     /* of them with a deadline, of the clock or of the next poll */
	uint32_t index;       /* fixed: place in its process, and of its ring */
	struct process *process;
	uint64_t refused; /* submissions not answered with OK, since it began, for the inspector */

	/* fixed before it runs */
	uint64_t stack_top; /* kernel stack */
	uint64_t entry, user_stack, argument, ring_address;
	void (*kernel_main)(void); /* of a kernel thread */

	/* lock */
	struct spinlock lock;
	enum thread_state state;
	bool on_cpu;       /* some CPU is still on its stack */
	bool wake_pending; /* woken while it was not asleep: its next sleep ends at once */

	/* of whoever runs or queues it */
	uint32_t cpu;            /* where it is or was last */
	uint32_t priority;       /* atomic */
	uint32_t queue_priority; /* the run queue's lock, also for the links */
	struct run_queue *queue; /* its lock to write; atomic; NULL: in none */
	struct thread *next_ready, *previous_ready;
	uint64_t context; /* where it was left; context.h */
	struct run_time run_time;
	uint64_t switches;

	/* lock of the deadline heap of CPU `deadline_cpu` */
	struct deadline_node deadline;
	uint32_t deadline_cpu;

	/* its process's lock */
	enum thread_fault_state fault_state;
	struct user_fault fault; /* while it stands faulted */
	struct thread *next_faulted;

	/* of others, about its operations */
	uint32_t called;        /* atomic: bit per place of one that the thread is to look at */
	struct operation *done; /* atomic: completed, newest first */
	struct operation operation[OPERATION_MAX];

	uint32_t fpu_cpu;              /* where `fpu` was loaded last; UINT32_MAX: nowhere */
	struct user_segments segments; /* while it does not run */
	struct fpu_state fpu;          /* the same */
};

/* What a thread costs its process in kernel memory. */
#define THREAD_KERNEL_BYTES ((uint64_t)(1u + 4u) * 4096u)

/*
 * Frame, kernel stack and start state, not in any process yet; `process` only charges: OVER_KERNEL_OBJECT,
 * OUT_OF_MEMORY. `process` NULL: a kernel thread, for kernel_main.
 */
enum status thread_create(struct process *process, struct thread **thread);

/* Give everything back. It never ran, or is DEAD and its CPU has left its stack. */
void thread_destroy(struct thread *thread);

/* The same for a process's thread that could not be finished: no peak is left behind. */
void thread_cancel(struct thread *thread);

/* How many kernel threads there are: they never end. */
uint32_t thread_kernel_count(void);

/* The thread that runs on this CPU; NULL in an idle context. */
struct thread *thread_current(void);

#endif
