/*
 * Threads of the program: a function that runs beside the others with a stack, a guard below it, thread-local storage
 * and a ring of its own.
 *
 * They need three capabilities of the CapSet, by name: "threads" (ThreadControl), "memory" (VirtualMemory), "park"
 * (ParkSpace). Any thread may start and join others; one thread joins each. All of a program's threads share its
 * capabilities. What the C of a program shares between threads goes under a mutex (mutex.h); print() and user_heap do
 * that themselves.
 *
 * A thread's memory is one reservation: guard, stack, thread-local storage, control block. A thread that runs over its
 * stack faults in the guard, which ends the program.
 */
#ifndef CAPOS_USER_RUNTIME_USER_THREAD_H
#define CAPOS_USER_RUNTIME_USER_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/ring_abi.h"
#include "abi/status.h"
#include "user/runtime/thread_block.h"

#define USER_THREAD_GUARD_BYTES 65536u
#define USER_THREAD_STACK_BYTES 65536u /* if options say nothing */

typedef int64_t user_thread_function_t(void *argument);

/* A thread that was started and not joined yet. The caller's storage, which may be moved. */
struct user_thread {
	uint64_t id;
	void *memory; /* the reservation; NULL: joined */
	uint64_t bytes;
	int64_t code; /* good if it has ended */
	bool has_ended;
};

struct user_thread_options {
	uint64_t stack_bytes; /* rounded up to pages; 0: USER_THREAD_STACK_BYTES */
	uint32_t priority;
};

/* Called by program_start: what a thread's storage starts with. */
void user_thread_init(const struct thread_image *image);

/*
 * Begin `function(argument)`. options NULL: usual stack, THREAD_PRIORITY_DEFAULT. NOT_FOUND: one of the three
 * capabilities was not granted; TOO_LONG: the stack; else the refusals of RESERVE, COMMIT and THREAD_CONTROL_CREATE.
 */
enum status user_thread_start(struct user_thread *thread, user_thread_function_t *function, void *argument,
			      const struct user_thread_options *options);

/*
 * Wait until the thread has ended and give its memory back. *code: what its function returned or it exited with.
 * BAD_ARGUMENT: itself; NOT_FOUND: it was joined already. OVER_PAGE_TABLE, OUT_OF_MEMORY: it has ended, and *code is
 * good, but giving its memory back would take a page table that is not to be had: join it again.
 */
enum status user_thread_join(struct user_thread *thread, int64_t *code);

/* End the calling thread; with the last one the program ends. The first thread may do so, too. */
_Noreturn void user_thread_exit(int64_t code);

/* Where the kernel lets a thread begin (thread_entry.S), and what that calls: the new thread's first C function. */
void user_thread_entry(void);
struct user_thread_work;
_Noreturn void user_thread_begin(const struct user_thread_work *work, struct ring_page *ring);

#endif
