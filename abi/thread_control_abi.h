/*
 * ThreadControl: the threads of one's own process. Never transferable.
 *
 * A thread is named by an id that is never used again. Thread 0 is the first one. A new thread begins at `entry` with
 * RSP = stack, FS base = tls, RDI = argument, RSI = address of its ring, all other registers 0. Its kernel memory is
 * charged to kernel_object_bytes, its ring page to image_pages. When it ends, all of that goes back, its id and exit
 * code stay until somebody waited for it.
 *
 * A fault ends the process, unless a thread was named that handles the others' faults. Then the thread that faulted
 * stands still: it lives, runs nothing, and starts its instruction again when it is resumed. The handler gets the
 * faults that a change of memory can mend: USER_FAULT_UNRESERVED to USER_FAULT_GUARD, USER_FAULT_STACK_OVERFLOW to
 * USER_FAULT_STACK_QUOTA. Any other ends the process, as does a fault of the handler itself. If the handler ends while
 * threads stand faulted, the first of their faults ends the process.
 */
#ifndef CAPOS_ABI_THREAD_CONTROL_ABI_H
#define CAPOS_ABI_THREAD_CONTROL_ABI_H

#include <stdint.h>

#define THREAD_MAX 64u /* of one process */

#define THREAD_NONE UINT64_MAX /* no thread has that id */

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
	/*
	 * (thread id): that thread handles the faults of all others from now on; THREAD_NONE: none does. Open
	 * FAULT_WAITs of the one before complete with GONE; a new handler is told of every thread that stands faulted,
	 * also of those that the one before was told of. With none named, the first that stands faulted ends the
	 * process. NOT_FOUND: no such thread, or it has ended; BUSY: it stands faulted itself.
	 */
	THREAD_CONTROL_SET_FAULT_HANDLER = 6,
	/*
	 * (buffer, bytes) -> thread id, and struct thread_fault; the buffer may be 0 with 0 bytes. Completes when a
	 * thread stands faulted that nobody was told of, the longest first. GONE: the caller is not the handler, or not
	 * any more; BUSY. After a bad buffer the next FAULT_WAIT is told of the same fault.
	 */
	THREAD_CONTROL_FAULT_WAIT = 7,
	/*
	 * (thread id, enum thread_fault_action), by any thread. NOT_FOUND: no thread of that id stands faulted;
	 * BAD_ARGUMENT: the action.
	 */
	THREAD_CONTROL_FAULT_RESUME = 8,
	THREAD_CONTROL_OPERATION_COUNT
};

struct thread_exit {
	uint64_t thread_id;
	int64_t code;
	uint64_t run_ns; /* on a CPU */
};

enum thread_fault_action {
	THREAD_FAULT_RETRY = 0, /* run the instruction again */
	THREAD_FAULT_END = 1,   /* the process ends by that fault, as it would without a handler */
	THREAD_FAULT_ACTION_COUNT
};

/* A thread that stands before an instruction that touched what it may not. */
struct thread_fault {
	uint64_t thread_id;
	uint32_t kind;    /* enum user_fault_kind */
	uint32_t access;  /* what the instruction needs: one PROTECTION_* */
	uint64_t address; /* that was touched */
	uint64_t rip;
};

_Static_assert(sizeof(struct thread_exit) == 24, "layout");
_Static_assert(sizeof(struct thread_fault) == 32, "layout");

#endif
