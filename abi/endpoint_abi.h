/*
 * Endpoints: calls between processes.
 *
 * EndpointFactory.create gives the owner's capability (INTERFACE_ENDPOINT), which can be copied and moved: a service
 * may have several receivers, in several processes. The owner receives and returns, and makes client facets
 * (INTERFACE_ENDPOINT_CLIENT), each with a badge of its choice that comes with every call made through that facet and
 * that the client can neither see nor change. A facet can call and nothing else.
 *
 * Three ring operations, each of which completes later unless the other side is there already:
 *
 * RING_CALL on a client facet, operation = method, any number, accepts = capabilities that may come back, 0 to
 * TRANSFER_MAX: (parameters, bytes, result buffer, result bytes, transfer descriptors, their count). The parameters are
 * read at once. Completes when the owner returns: `result` is the owner's answer (0 or more) or a negated status;
 * `value` the owner's word; the transfer record is the first capability that came back. If a result buffer is given, it
 * gets a struct endpoint_message and behind it the owner's bytes. An owner that returns more capabilities is refused,
 * and the call goes on being served: so nobody pays for what was not asked for.
 * - GONE: the endpoint's last owner has ended, before or during the call.
 * - TOO_LONG: more bytes than ENDPOINT_MAX_BYTES or capabilities than TRANSFER_MAX; a result buffer without room for a
 *   struct endpoint_message.
 * - BAD_ARGUMENT: accepts more than TRANSFER_MAX, or than 1 without a result buffer, since a completion has room for
 *   one; kind of a descriptor.
 * - NO_SUCH_CAPABILITY, NOT_TRANSFERABLE: of what is transferred; RECEIVER_LIMIT: the owner can't take it;
 * NOT_ACCEPTED: the RECEIVE that met the call takes fewer capabilities.
 * - BUFFER_FAULT: a buffer. If it is the result buffer when the answer is there, the answer is lost, and the
 *   capabilities that came with it are given up.
 * - OVER_KERNEL_OBJECT, OUT_OF_MEMORY: for the message, and the answer that the result buffer has room for.
 *
 * RING_RECEIVE on an endpoint: (buffer, bytes, capabilities). Completes with the next call that sends at most so many
 * capabilities, 0 to TRANSFER_MAX: the buffer gets a struct endpoint_message and behind it the parameters; `value` is
 * the call's id, the transfer record the first capability. A call that sends more is refused, and the receive waits on.
 * - BAD_ARGUMENT: more capabilities than TRANSFER_MAX.
 * - BUFFER_FAULT, TOO_LONG: the buffer is bad, or too small for the call at hand, which stays first in the queue; so it
 *   does after OUT_OF_MEMORY, OVER_IMAGE, OVER_PAGE_TABLE: a page of the buffer that was promised did not come.
 * - GONE: the last owner's capability went. That no client is left is no reason: the owner can make another.
 *
 * RING_RETURN on an endpoint: (call id, value, bytes to send, how many, transfer descriptors, their count | answer <<
 * 32). Completes at once. After a refusal other than GONE the call is still being served.
 * - NOT_FOUND: no call ever had that id.
 * - GONE: it is not being served any more: answered, cancelled, or its caller has ended.
 * - NOT_ACCEPTED: more capabilities than the CALL accepts; TOO_LONG: more bytes than its buffer takes, or than
 *   ENDPOINT_MAX_BYTES, or more capabilities than TRANSFER_MAX; RECEIVER_LIMIT: the caller can't take the capabilities.
 *
 * What is copied is copied under the lock of the address space that it is read from or written to.
 */
#ifndef CAPOS_ABI_ENDPOINT_ABI_H
#define CAPOS_ABI_ENDPOINT_ABI_H

#include <stdint.h>

#include "abi/transfer_abi.h"

#define ENDPOINT_MAX_BYTES 512u /* of parameters or results in one message */
#define ENDPOINT_MAX_ANSWER INT32_MAX

enum endpoint_factory_operation {
	ENDPOINT_FACTORY_CREATE = 0, /* () -> transfer record: the owner's capability */
	ENDPOINT_FACTORY_OPERATION_COUNT
};

/* RING_CALL on the owner's capability. */
enum endpoint_operation {
	/* (badge, transferable: 0 or 1) -> transfer record: a client facet; not transferable ones can only be granted
	 * moved */
	ENDPOINT_MAKE_CLIENT = 0,
	ENDPOINT_STATISTICS = 1, /* (buffer, bytes): struct endpoint_statistics */
	ENDPOINT_OPERATION_COUNT
};

/* In front of the bytes in a receive or result buffer. */
struct endpoint_message {
	uint64_t call;  /* its id; 0 in a result */
	uint64_t badge; /* of the facet; 0 in a result */
	uint16_t method;
	uint16_t capabilities;
	uint32_t bytes;  /* that follow this struct */
	uint64_t sender; /* process id of the other side: who to account to, no authority */
	struct transfer_record capability[TRANSFER_MAX];
};

/* A call, and the receiver that was woken for it, both wait until the receiver has come. */
struct endpoint_statistics {
	uint32_t waiting_calls, waiting_receivers, served_calls; /* the three queues */
	uint32_t owners, clients;                                /* capabilities */
	uint32_t unused;
};

_Static_assert(sizeof(struct endpoint_message) == 64, "layout");
_Static_assert(sizeof(struct endpoint_statistics) == 24, "layout");

#endif
