/*
 * An endpoint: four queues of operations of the threads on both sides (abi/endpoint_abi.h).
 *
 *   calls      CALLs that nobody has received
 *   receivers  RECEIVEs that wait for a call
 *   called     RECEIVEs whose thread was woken, since there is a call, and has not come yet
 *   served     CALLs that were received and not returned
 *
 * A receiver fetches the first call itself, in its own thread (endpoint_look): who calls queues the call and wakes the
 * first receiver. So a caller never waits for the receiver's address space, nor does anybody else who needs the
 * endpoint's lock: the receiver locks its space first, then the endpoint. One that ends, is cancelled or refused before
 * it has come leaves its call to the next one.
 * Invariant: as long as a receiver waits uncalled, as many are called as there are calls.
 *
 * A message is delivered, and its capabilities move, under the endpoint's lock: so a thread that ends, or an owner that
 * goes, finds each operation either before or after that, and nothing is in flight. Deaths: the last owner's ends all
 * calls with GONE; a caller's takes its call out of whichever queue.
 *
 * The lock is held for a bounded step: one delivery or refusal, one answer, OPERATION_STEP operations that end. Between
 * two steps of one call interrupts are let in, and others may take and leave their turn.
 *
 * The counts of capabilities are atomic and need no lock, since what is transferred may be an endpoint itself. An
 * owner's capability that is being copied while its last one is released arrives at an endpoint that is shut.
 *
 * Lifetime: a reference by each hold and each use; an open operation is a use. Every hold is charged the endpoint's
 * bytes; a call's message is charged to its caller.
 */
#ifndef CAPOS_KERNEL_TASK_ENDPOINT_H
#define CAPOS_KERNEL_TASK_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/endpoint_abi.h"
#include "abi/status.h"
#include "kernel/arch/x86_64/spinlock.h"
#include "kernel/task/message.h"
#include "kernel/task/operation.h"

struct process;

struct endpoint {
	struct spinlock lock;
	bool is_shut;                     /* lock; the last owner has gone, and no other will come */
	uint32_t owners, clients;         /* atomic; capabilities */
	uint64_t references;              /* atomic */
	uint64_t number;                  /* fixed; for the inspector */
	uint64_t next_call;               /* lock; id of the next call that is received */
	struct operation_queue calls;     /* lock */
	struct operation_queue receivers; /* lock */
	struct operation_queue called;    /* lock */
	struct operation_queue served;    /* lock */
	struct endpoint *next, *previous; /* list of all, its own lock */
} __attribute__((aligned(16)));

/* A new one, with one owner. Charging is the caller's. OUT_OF_MEMORY. */
enum status endpoint_create(struct endpoint **endpoint);

/* The last drop of an owner ends all operations of the endpoint, in steps: no locks. */
void endpoint_add_owner(struct endpoint *endpoint);
void endpoint_drop_owner(struct endpoint *endpoint);
void endpoint_add_client(struct endpoint *endpoint);
void endpoint_drop_client(struct endpoint *endpoint);

/* Nobody refers to it any more. */
void endpoint_end(struct endpoint *endpoint);

static inline void endpoint_use(struct endpoint *endpoint)
{
	__atomic_fetch_add(&endpoint->references, 1, __ATOMIC_RELAXED);
}

static inline void endpoint_end_use(struct endpoint *endpoint)
{
	/* Acquire and release: whoever comes last sees all that the others did. */
	if (__atomic_sub_fetch(&endpoint->references, 1, __ATOMIC_ACQ_REL) == 0)
		endpoint_end(endpoint);
}

/*
 * CALL by `operation` (of the current thread, with its message) and RECEIVE. The operation is open when they return OK,
 * and a RECEIVE may be complete. GONE: no owner; then it is untouched. A transfer that is refused completes the CALL
 * when it is received, as do more capabilities than the RECEIVE accepts (NOT_ACCEPTED); the RECEIVE waits on.
 */
enum status endpoint_call(struct endpoint *endpoint, struct operation *operation);
enum status endpoint_receive(struct endpoint *endpoint, struct operation *operation);

/*
 * By the thread of a RECEIVE that was called (operation_call): take a call, or wait on if there is none any more. True:
 * it is complete, and the caller's to post; it is in nobody's list.
 */
bool endpoint_look(struct operation *receive);

/* A RECEIVE was taken back: if it was called, another one comes. Guard held. */
void endpoint_forget(const struct operation *receive);

struct endpoint_answer {
	uint64_t call; /* id */
	uint64_t value;
	uint32_t answer;
	struct message_parcel parcel;
};

/*
 * RETURN, by the current thread: NOT_FOUND, GONE, NOT_ACCEPTED (more capabilities than the call does), TOO_LONG,
 * BUFFER_FAULT, ... of endpoint_abi.h. Refused, but for GONE, it leaves the call as it was.
 */
enum status endpoint_return(struct endpoint *endpoint, struct process *process, const struct endpoint_answer *answer);

/*
 * What came back, to the buffer of a call that is complete, by its thread. BUFFER_FAULT, NOT_USER_ADDRESS, RANGE_WRAPS:
 * then the capabilities that came are given up, since the program cannot learn of them.
 */
enum status endpoint_hand_out(const struct operation *call);

/* Release the capabilities that came with an answer that the program will not learn of, by the call's thread. */
void endpoint_give_up(const struct operation *call);

void endpoint_read(struct endpoint *endpoint, struct endpoint_statistics *statistics);

/* How many there are. */
uint64_t endpoint_count(void);

/* Queues and counts of all. At rest. */
bool endpoint_all_are_valid(void);

#endif
