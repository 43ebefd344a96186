/*
 * One call on a kernel object, from the ring to its handler.
 *
 * A handler decides everything from `argument` first and changes last. It reads the program's memory only through
 * user_access.h. What it answers goes into the completion: status, `value`, and the transfer record if it gave a new
 * capability. A handler that opened an operation (call_open) makes no completion now.
 */
#ifndef CAPOS_KERNEL_CAP_CALL_H
#define CAPOS_KERNEL_CAP_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/ring_abi.h"
#include "abi/status.h"
#include "kernel/mem/memory_object.h"
#include "kernel/task/operation.h"
#include "kernel/task/process.h"
#include "lib/cap_table.h"
#include "lib/check.h"

struct call {
	struct process *process;
	struct thread *thread;
	struct cap_hold hold; /* what is called */
	uint8_t accepts;      /* of a client facet; of no other */
	uint16_t operation;
	uint64_t argument[6]; /* the kernel's copy */
	uint64_t user_data;   /* for operations that complete later */

	/* the answer */
	uint64_t value;
	bool is_open;        /* it completes later */
	handle_t capability; /* result capability, HANDLE_NONE if there is none */
	uint32_t interface;
};

typedef enum status call_handler_t(struct call *call);

/* The operations of one interface, by number. */
struct call_table {
	call_handler_t *const *handler;
	uint16_t count;
};

extern const struct call_table virtual_memory_calls;
extern const struct call_table frame_alloc_calls;
extern const struct call_table memory_object_calls;
extern const struct call_table console_calls;
extern const struct call_table timer_calls;
extern const struct call_table boot_package_calls;
extern const struct call_table system_control_calls;
extern const struct call_table process_spawner_calls;
extern const struct call_table process_handle_calls;
extern const struct call_table thread_control_calls;
extern const struct call_table park_space_calls;
extern const struct call_table endpoint_factory_calls;
extern const struct call_table endpoint_calls;
extern const struct call_table inspector_calls; /* kernel/debug, above this floor */

/* The ring operations that have opcodes of their own; `hold` is of the interface they need. */
call_handler_t endpoint_cap_call, endpoint_cap_receive, endpoint_cap_return;
call_handler_t park_space_cap_park, park_space_cap_unpark;

/* What a capability of a memory object shows of it (MEMORY_OBJECT_RESTRICT). */
struct memory_window memory_object_window(const struct cap_hold *hold);

/* Copy a result struct out if the program's buffer has room for all of it: TOO_LONG means too small a buffer. */
enum status call_write_result(struct call *call, uint64_t buffer, uint64_t bytes, const void *result, uint64_t size);

/* One more capability of an object that exists, as the result: OVER_*, OUT_OF_MEMORY. */
enum status call_add_result(struct call *call, struct cap_hold *hold);

/* Open an operation for the call; deadline OPERATION_FOREVER: none. BUSY. And give it up again, with what is to be
 * answered instead. */
static inline enum status call_open(struct call *call, enum operation_kind kind, uint64_t deadline,
				    struct operation **operation)
{
	TRY(operation_open(call->thread, kind, call->user_data, deadline, operation));
	call->is_open = true;
	return STATUS_OK;
}

enum status call_abandon(struct call *call, struct operation *operation, enum status status);

#endif
