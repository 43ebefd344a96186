/*
 * Faults that another thread of the same process handles (abi/thread_control_abi.h).
 *
 * One thread at most is the handler. A thread that faults where a change of memory can help stands still in
 * fault_handler_ask, on its own kernel stack, with no lock: it sleeps there as a thread in cap_enter does, until it is
 * resumed or the process ends.
 *
 *   runs --fault_handler_ask--> WAITING --FAULT_WAIT completes--> TOLD
 *                                  ^---- bad buffer, new handler ---'
 *   WAITING, TOLD --RETRY--> runs
 *   WAITING, TOLD --END; the handler leaves or is unset; the process ends otherwise--> leaves, when it wakes
 *
 * All of it stands under process->lock: who the handler is, the list of threads that stand faulted in the order of
 * their faults, their states, and the handler's open FAULT_WAITs, whose guard that lock is. At each moment that it is
 * free:
 *  - an open FAULT_WAIT and a thread WAITING never exist at once: whoever brings the one takes the other;
 *  - open FAULT_WAITs are the handler's, and the handler does not stand faulted;
 *  - threads stand faulted only while there is a handler, or while the process is ending.
 * So what meets is decided by who has the lock first:
 *  - Two threads fault at once: two entries of the list, each told once.
 *  - A fault and the end of the handler, or its unsetting: either the fault comes first, and the end of the handler is
 *    the end of the process by it; or it finds no handler, and ends the process by itself.
 *  - A fault and the cancelling of the FAULT_WAIT: either the wait is done, and the cancel finds none; or the fault
 *    stays WAITING for the next.
 *  - RESUME before the thread sleeps: it is woken, so it does not (scheduler_wake remembers). It looks at its state
 *    under the lock whenever it wakes, since others wake it, too: completions, calls to receive, the process's end.
 *  - RESUME and a kill: the thread is woken by either and looks at both, at the end of the process last, so it never
 *    comes back to ring 3 in a process that ends.
 *  - RESUME twice: the second finds no thread, or its next fault, which then comes again.
 *  - The thread that is resumed cannot end before RESUME has let go of it: leaving takes the lock.
 *  - The handler leaves with a FAULT_WAIT done that it did not post: that thread is TOLD, and stands in the list: its
 *    fault is among those that end the process.
 *  - What a thread that stands faulted has open completes as ever: it is posted when the thread enters the kernel next.
 * The kernel's own copies to and from the program's memory ask no handler: they refuse with BUFFER_FAULT.
 */
#ifndef CAPOS_KERNEL_TASK_FAULT_HANDLER_H
#define CAPOS_KERNEL_TASK_FAULT_HANDLER_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/thread_control_abi.h"
#include "kernel/task/user_fault.h"

struct operation;
struct process;
struct thread;

/*
 * Of the current thread, on its way in from ring 3. True: it was resumed, and is to run its instruction again. False:
 * nobody handles it: the process ends by it. Does not return if the process ends meanwhile. No locks.
 */
bool fault_handler_ask(const struct user_fault *fault);

/* Name the handler, or none (THREAD_NONE). NOT_FOUND; BUSY: it stands faulted itself. */
enum status fault_handler_set(struct process *process, uint64_t id);

/* Complete `operation` (OPERATION_FAULT_WAIT, of the current thread) with the next fault. GONE: not the handler. */
enum status fault_handler_wait(struct operation *operation);

/*
 * By its thread, when it is complete: struct thread_fault to its buffer. BUFFER_FAULT, NOT_USER_ADDRESS, RANGE_WRAPS,
 * OUT_OF_MEMORY: the fault is for the next FAULT_WAIT then.
 */
enum status fault_handler_hand_out(const struct operation *operation);

/* What becomes of a thread that stands faulted. NOT_FOUND. */
enum status fault_handler_resume(struct process *process, uint64_t id, enum thread_fault_action action);

/*
 * For a thread that leaves its place. True: it was the handler, and with it the process ends by *fault, which is to be
 * logged. process->lock held.
 */
bool fault_handler_leave(struct process *process, struct thread *thread, struct user_fault *fault);

/* The three rules above, and the list agrees with the threads. Locked, or at rest. */
bool fault_handler_is_valid(const struct process *process);

#endif
