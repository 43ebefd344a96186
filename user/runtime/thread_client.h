/*
 * ThreadControl (abi/thread_control_abi.h): the threads of one's own process, as the kernel has them. user_thread.h
 * stands on it and gives each thread a stack and thread-local storage. A thread that is made without it has neither: it
 * must set FS and call ring_client_init before it uses anything of the runtime, this file included.
 */
#ifndef CAPOS_USER_RUNTIME_THREAD_CLIENT_H
#define CAPOS_USER_RUNTIME_THREAD_CLIENT_H

#include <stdint.h>

#include "abi/handle.h"
#include "abi/status.h"
#include "abi/thread_control_abi.h"

struct thread_client {
	handle_t handle;
};

/* How a thread begins; all four are what its registers get. */
struct thread_begin {
	uint64_t entry; /* RIP */
	uint64_t stack; /* RSP */
	uint64_t tls;   /* FS base */
	uint64_t argument;
	uint32_t priority;
};

/* BAD_ARGUMENT (priority), NOT_USER_ADDRESS, BUSY, OVER_KERNEL_OBJECT, OVER_IMAGE, OVER_PAGE_TABLE, OUT_OF_MEMORY. */
enum status thread_client_create(struct thread_client client, const struct thread_begin *begin, uint64_t *thread_id);

/* End the calling thread, and with the last one the process. Returns only if refused. */
enum status thread_client_exit(struct thread_client client, int64_t code);

/* Returns when the thread has ended; frees its id. NOT_FOUND; BAD_ARGUMENT: itself. */
enum status thread_client_wait(struct thread_client client, uint64_t thread_id, struct thread_exit *exit);

/* Only handed over; `exit` is written when it completes (open_operation.h). */
enum status thread_client_wait_submit(struct thread_client client, uint64_t thread_id, struct thread_exit *exit,
				      uint64_t user_data);

/* The calling thread's id; 0 is the first thread's. */
enum status thread_client_self(struct thread_client client, uint64_t *thread_id);

/* BAD_ARGUMENT: above the process's own; NOT_FOUND. */
enum status thread_client_set_priority(struct thread_client client, uint64_t thread_id, uint32_t priority);

/* Let others of the same priority run first. */
enum status thread_client_yield(struct thread_client client);

#endif
