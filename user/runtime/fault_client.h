/*
 * Handling the faults of other threads of the program (abi/thread_control_abi.h): a thread that supplies pages as they
 * are touched, or notes which are written.
 *
 *   fault_client_set_handler(threads, own id)          from now on a fault of another thread does not end the program
 *   fault_client_wait(threads, &fault)                 a thread stands before its instruction
 *   ... make the access possible ...
 *   fault_client_resume(threads, fault.thread_id, THREAD_FAULT_RETRY)
 *
 * The handler must not touch what it would have to supply itself, nor wait for a lock that a thread holds that may
 * stand faulted: its own fault ends the program, and nobody resumes that thread. A buffer that is handed to the kernel
 * asks no handler: it must be there. A handler whose priority is lower than that of its threads serves them late.
 */
#ifndef CAPOS_USER_RUNTIME_FAULT_CLIENT_H
#define CAPOS_USER_RUNTIME_FAULT_CLIENT_H

#include <stdint.h>

#include "abi/status.h"
#include "user/runtime/thread_client.h"

/*
 * That thread from now on; THREAD_NONE: no thread, and if one stands faulted, the program ends. NOT_FOUND; BUSY: it
 * stands faulted itself.
 */
enum status fault_client_set_handler(struct thread_client client, uint64_t thread_id);

/* Returns when a thread stands faulted, the longest first. GONE: the caller is not the handler; BUSY. */
enum status fault_client_wait(struct thread_client client, struct thread_fault *fault);

/* Only handed over; `fault` is written when it completes (open_operation.h). */
enum status fault_client_wait_submit(struct thread_client client, struct thread_fault *fault, uint64_t user_data);

/* NOT_FOUND: no thread of that id stands faulted. With THREAD_FAULT_END it returns only if refused. */
enum status fault_client_resume(struct thread_client client, uint64_t thread_id, enum thread_fault_action action);

/*
 * Resume with THREAD_FAULT_RETRY and wait for the next fault, by one system call. NOT_FOUND: the resuming was refused,
 * and *fault is good all the same; else the refusals of fault_client_wait.
 */
enum status fault_client_resume_and_wait(struct thread_client client, uint64_t thread_id, struct thread_fault *fault);

#endif
