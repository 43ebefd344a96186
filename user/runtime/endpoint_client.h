/*
 * Endpoints (abi/endpoint_abi.h): the factory, the owner's side, and client facets.
 *
 * Each operation that may complete later has two forms: one that waits, and *_submit, which only hands it over with a
 * user_data of the caller's (open_operation.h); buffers must then live until the completion was taken, all else only
 * until the thread enters the kernel. Statuses are those of the operation; NO_SUCH_CAPABILITY and
 * WRONG_INTERFACE are for the capability itself.
 */
#ifndef CAPOS_USER_RUNTIME_ENDPOINT_CLIENT_H
#define CAPOS_USER_RUNTIME_ENDPOINT_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/endpoint_abi.h"
#include "abi/handle.h"
#include "abi/ring_abi.h"
#include "abi/status.h"

struct endpoint_factory_client {
	handle_t handle;
};

/* The owner's side. */
struct endpoint_client {
	handle_t handle;
};

/* The side that calls. */
struct endpoint_facet {
	handle_t handle;
};

/* A receive or result buffer that takes any message; smaller ones are fine where messages are. */
struct endpoint_buffer {
	struct endpoint_message message;
	uint8_t bytes[ENDPOINT_MAX_BYTES]; /* message.bytes of them are good */
};

_Static_assert(__builtin_offsetof(struct endpoint_buffer, bytes) == sizeof(struct endpoint_message), "bytes follow");

/* What a receive takes: bytes, a struct endpoint_message included, and at most so many capabilities. */
struct endpoint_intake {
	void *buffer;
	uint64_t bytes;
	uint32_t capabilities; /* 0 to TRANSFER_MAX; a call that sends more is refused with NOT_ACCEPTED */
};

/* What a caller sends, and what it takes. All but the method may be left 0. */
struct endpoint_request {
	uint16_t method;
	uint8_t accepts;        /* capabilities that may come back; above 1 only with a result buffer */
	uint32_t transfers;     /* descriptors at `transfer` */
	const void *parameters; /* parameter_bytes of them */
	uint64_t parameter_bytes;
	void *result; /* NULL, or room for a struct endpoint_message and what follows it */
	uint64_t result_bytes;
	const struct transfer_descriptor *transfer;
};

/* What comes back besides what the result buffer gets. */
struct endpoint_reply {
	int32_t answer; /* 0 or more: the server's own */
	uint64_t value;
	struct transfer_record capability; /* the first; HANDLE_NONE if none came */
};

/* How an owner answers the call of that id. All but the id may be left 0. */
struct endpoint_answer {
	uint64_t call;
	uint32_t answer; /* at most ENDPOINT_MAX_ANSWER */
	uint32_t transfers;
	uint64_t value;
	const void *bytes;
	uint64_t byte_count;
	const struct transfer_descriptor *transfer;
};

/* OVER_CAP_SLOTS, OVER_KERNEL_OBJECT, OUT_OF_MEMORY. */
enum status endpoint_client_create(struct endpoint_factory_client factory, struct endpoint_client *endpoint);

/* A facet whose calls come with `badge`. OVER_CAP_SLOTS, OVER_KERNEL_OBJECT, OUT_OF_MEMORY. */
enum status endpoint_client_make_client(struct endpoint_client endpoint, uint64_t badge, bool transferable,
					struct endpoint_facet *facet);

enum status endpoint_client_statistics(struct endpoint_client endpoint, struct endpoint_statistics *statistics);

/* Call and wait for the answer. OK for every answer of the server; else as RING_CALL says. */
enum status endpoint_client_call(struct endpoint_facet facet, const struct endpoint_request *request,
				 struct endpoint_reply *reply);

/*
 * The same with a time limit, which begins anew when something else of the thread completes. TIMED_OUT: the call was
 * given up, and an owner that has received it learns so from its answer (GONE). What it was sent before that is its
 * own.
 */
enum status endpoint_client_call_within(struct endpoint_facet facet, const struct endpoint_request *request,
					uint64_t timeout_ns, struct endpoint_reply *reply);

/* `request`, its parameters and descriptors are read when the thread enters the kernel; the result buffer later. */
enum status endpoint_client_call_submit(struct endpoint_facet facet, const struct endpoint_request *request,
					uint64_t user_data);

/* What the completion of a submitted call says. */
enum status endpoint_client_call_reply(const struct ring_completion *completion, struct endpoint_reply *reply);

/* Wait for the next call: its struct endpoint_message and parameters go to the buffer. As RING_RECEIVE says. */
enum status endpoint_client_receive(struct endpoint_client endpoint, struct endpoint_intake intake);

/* Its completion says what endpoint_client_receive answers: ring_client_status. */
enum status endpoint_client_receive_submit(struct endpoint_client endpoint, struct endpoint_intake intake,
					   uint64_t user_data);

/* As RING_RETURN says. */
enum status endpoint_client_return(struct endpoint_client endpoint, const struct endpoint_answer *answer);

/* The same, only handed over; what `answer` points to is read when the thread enters the kernel. */
enum status endpoint_client_return_submit(struct endpoint_client endpoint, const struct endpoint_answer *answer,
					  uint64_t user_data);

/*
 * Answer and wait for the next call with one system call. *returned: what the answer came to (GONE: the caller has
 * ended, which need not concern the server). The result is that of the receive, which was done either way. So an
 * answer with bytes or capabilities, which may be refused, goes by itself: its caller would wait until another one
 * calls.
 */
enum status endpoint_client_return_receive(struct endpoint_client endpoint, const struct endpoint_answer *answer,
					   struct endpoint_intake intake, enum status *returned);

#endif
