/*
 * ThreadControl: the threads of one's own process. Never transferable.
 *
 * A thread is named by an id that is never used again. Thread 0 is the first one. A new thread begins at `entry` with
 * RSP = stack, FS base = tls, RDI = argument, RSI = address of its ring, all other registers 0. Its kernel memory is
 * charged to kernel_object_bytes, its ring page to image_pages. When it ends, all of that goes back, its id and exit
 * code stay until somebody waited for it.
 */
#ifndef CAPOS_ABI_THREAD_CONTROL_ABI_H
#define CAPOS_ABI_THREAD_CONTROL_ABI_H

#include <stdint.h>

#define THREAD_MAX 64u /* of one process */

/* Threads of a higher priority run first; those of one priority take turns. */
#define THREAD_PRIORITIES 8u
#define THREAD_PRIORITY_DEFAULT 3u

enum thread_control_operation {
	/*
	 * (entry, stack, tls, argument, priority) -> thread id. BAD_ARGUMENT: a priority above the process's own;
	 * NOT_USER_ADDRESS: entry, stack or tls; BUSY: THREAD_MAX threads, or ids that nobody waited for.
	 */
	THREAD_CONTROL_CREATE = 0,
	THREAD_CONTROL_EXIT = 1, /* (code): ends the calling thread, and with the last one the process */
	/*
	 * (thread id, buffer, bytes) -> exit code, and struct thread_exit; the buffer may be 0 with 0 bytes. Completes
	 * when the thread has ended and everything of it was given back; frees the id. NOT_FOUND: no such thread, or
	 * already waited for; BAD_ARGUMENT: itself. A bad buffer costs the report and the code.
	 */
	THREAD_CONTROL_WAIT = 2,
	THREAD_CONTROL_SELF = 3,         /* () -> thread id */
	THREAD_CONTROL_SET_PRIORITY = 4, /* (thread id, priority): at once, also for one that waits for a CPU */
	THREAD_CONTROL_YIELD = 5,        /* (): others of the same priority run first */
	THREAD_CONTROL_OPERATION_COUNT
};

struct thread_exit {
	uint64_t thread_id;
	int64_t code;
	uint64_t run_ns; /* on a CPU */
};

_Static_assert(sizeof(struct thread_exit) == 24, "layout");

#endif
