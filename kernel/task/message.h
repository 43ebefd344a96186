/*
 * What a CALL or a RETURN of an endpoint sends, brought into the kernel's memory.
 *
 * A call has one message from CALL to its end: first what is sent, then, when that was received, what comes back. So
 * neither side waits for the other's address space. It is charged to its caller, with room for the answer.
 *
 * Each byte of the program's is read once, under the lock of its address space. Sizes and the kinds of descriptors are
 * judged here, all else when both sides are known (endpoint.h). No other lock; who may touch the message of a call that
 * stands in a queue says endpoint.h.
 */
#ifndef CAPOS_KERNEL_TASK_MESSAGE_H
#define CAPOS_KERNEL_TASK_MESSAGE_H

#include <stdint.h>

#include "abi/endpoint_abi.h"
#include "abi/status.h"
#include "abi/transfer_abi.h"

struct process;

/* What is sent, as the program gave it. */
struct message_parcel {
	uint64_t buffer, bytes;
	uint64_t descriptors, count;
};

struct message {
	uint32_t size; /* of all of it, as charged */
	uint32_t capabilities;
	struct transfer_descriptor capability[TRANSFER_MAX];
	struct endpoint_message header; /* as the other side will see it, with the bytes behind it */
	uint8_t data[];
};

/*
 * What `process` sends, to `data`, which has room for ENDPOINT_MAX_BYTES. TOO_LONG: more bytes than that, or more
 * descriptors than TRANSFER_MAX. BAD_ARGUMENT: kind of a descriptor. BUFFER_FAULT, RANGE_WRAPS, NOT_USER_ADDRESS, and
 * what a promised page that did not come says.
 */
enum status message_read(struct process *process, const struct message_parcel *parcel,
			 struct transfer_descriptor descriptor[TRANSFER_MAX], uint8_t *data);

/*
 * The same into a message of a call's own, charged to `process`, with room for an answer of `result_bytes`, header
 * included. NULL if nothing is sent and no answer has room. As message_read, and OVER_KERNEL_OBJECT, OUT_OF_MEMORY.
 */
enum status message_create(struct process *process, const struct message_parcel *parcel, uint64_t result_bytes,
			   struct message **message);
void message_destroy(struct process *process, struct message *message);

/* The same for a call that was refused: no peak is left behind. */
void message_cancel(struct process *process, struct message *message);

#endif
