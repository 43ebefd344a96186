/*
 * ProcessSpawner and ProcessHandle (abi/process_abi.h): begin a process, wait for it, end it, ask about it.
 *
 * A process goes on when its handle is given up (ring_client_release); nobody can wait for it any more then.
 */
#ifndef CAPOS_USER_RUNTIME_PROCESS_CLIENT_H
#define CAPOS_USER_RUNTIME_PROCESS_CLIENT_H

#include <stdint.h>

#include "abi/handle.h"
#include "abi/process_abi.h"
#include "abi/status.h"
#include "user/runtime/process_builder.h"

struct process_spawner_client {
	handle_t handle;
};

struct process_client {
	handle_t handle;
	uint64_t process_id;
};

/* A wait that may be asked after again and again. The kernel writes to it: it stays where it is until it is over. */
struct process_wait {
	struct process_exit exit; /* good when process_client_wait_within answered OK */
	uint64_t ticket;
};

/* The statuses of PROCESS_SPAWNER_SPAWN; what is refused has changed nothing. */
enum status process_client_spawn(struct process_spawner_client spawner, const struct process_builder *builder,
				 struct process_client *process);

/* Returns when the process has ended and all it had is given back. */
enum status process_client_wait(struct process_client process, struct process_exit *exit);

/* Only handed over; `exit` is written when it completes (open_operation.h). */
enum status process_client_wait_submit(struct process_client process, struct process_exit *exit, uint64_t user_data);

/* Begin a wait with a time limit. */
enum status process_client_wait_begin(struct process_client process, struct process_wait *wait);

/*
 * Go on with a wait that was begun. TIMED_OUT: it stays open, to be asked after again by the same thread, and
 * keeps one of the thread's places for operations; the time begins anew when something else of the thread completes.
 */
enum status process_client_wait_within(struct process_wait *wait, uint64_t timeout_ns);

/* Begin its end; wait tells when it is over. OK if it has ended already. */
enum status process_client_kill(struct process_client process);

enum status process_client_statistics(struct process_client process, struct process_statistics *statistics);

#endif
