/*
 * A thread: a kernel stack, a ring, and the operations that are open on it. One per process for now; it runs on the
 * boot CPU until it ends, and control then returns to whoever ran it.
 */
#ifndef CAPOS_KERNEL_TASK_THREAD_H
#define CAPOS_KERNEL_TASK_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/ring_abi.h"
#include "abi/status.h"
#include "lib/ring.h"

struct process;

/* Operations that complete later. Each open one has a place in the completion queue set aside. */
#define THREAD_MAX_OPEN 8u

enum open_kind {
	OPEN_NONE = 0,
	OPEN_SLEEP,
	OPEN_CONSOLE_READ,
};

struct open_operation {
	enum open_kind kind;
	uint64_t user_data;
	uint64_t deadline; /* SLEEP: clock_now_ns */
	uint64_t buffer;   /* CONSOLE_READ: the program's address, checked again when input is there */
	uint64_t bytes;
};

struct thread {
	struct process *process;
	uint64_t stack_top; /* kernel stack */
	uint64_t context;   /* where it was left; context.h */
	uint64_t entry, user_stack, fs_base;

	/* the thread's alone */
	struct ring_page *ring; /* through the direct map; pinned as long as the thread lives */
	struct ring_kernel ring_state;
	uint32_t open_count;
	struct open_operation open[THREAD_MAX_OPEN];
	uint64_t refused; /* submissions not answered with OK, since it began, for the inspector */
};

/* Kernel stack and start state: OUT_OF_MEMORY. The ring is set by the spawner. */
enum status thread_create(struct thread *thread, struct process *process);
void thread_destroy(struct thread *thread);

/* The thread that runs on this CPU; NULL in the kernel's own context. */
struct thread *thread_current(void);

/* Run it on this CPU, in its address space, until it ends. Interrupts off. */
void thread_run(struct thread *thread);

/* End the current thread: back to thread_run. */
_Noreturn void thread_leave(void);

/* Set an operation aside: BUSY if too many are open. */
enum status thread_open(struct thread *thread, const struct open_operation *operation);

#endif
