/*
 * Operations that complete later: each takes one of the places of its thread, and one place in its completion queue.
 *
 * Life: operation_open (by the thread, in its own context) -> it waits in a queue of some object -> whoever completes
 * it fills `completion` and calls operation_complete -> the thread posts it to its ring in cap_enter
 * (operation_post_done). Or the thread takes it back itself (operation_cancel): because its time is over, or the thread
 * ends. So the ring, and the places, are the thread's alone; others touch an operation only under its guard, the lock
 * of the object that it waits at, and only while it is queued there.
 *
 * Locks: the guard is taken inside operation_cancel and operation_post_done. operation_complete is called with it held.
 */
#ifndef CAPOS_KERNEL_TASK_OPERATION_H
#define CAPOS_KERNEL_TASK_OPERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/ring_abi.h"
#include "abi/status.h"
#include "kernel/arch/x86_64/spinlock.h"

struct thread;
struct message;
struct operation;

#define OPERATION_FOREVER UINT64_MAX
#define OPERATION_MAX 16u  /* open at a time, of one thread */
#define OPERATION_STEP 16u /* that somebody else ends at a time, under their guard and with interrupts off */

enum operation_kind {
	OPERATION_NONE = 0,
	OPERATION_SLEEP,        /* done at its deadline */
	OPERATION_CONSOLE_READ, /* its thread looks: console_wait.h */
	OPERATION_CALL,         /* object: endpoint; message: its own */
	OPERATION_RECEIVE,      /* object: endpoint */
	OPERATION_PARK,         /* object: process */
	OPERATION_PROCESS_WAIT, /* object: process */
	OPERATION_THREAD_WAIT,  /* object: process */
	OPERATION_FAULT_WAIT,
	OPERATION_KIND_COUNT
};

/* Whether it can complete now; fills `completion` then. By its own thread, without its guard. */
typedef bool operation_look_t(struct operation *operation);

/* Guarded by its object's lock. */
struct operation_queue {
	struct operation *first, *last;
	uint32_t count;
};

struct operation {
	/* the thread's alone; fixed while open */
	enum operation_kind kind;
	struct thread *thread;
	uint64_t deadline; /* SLEEP, PARK: clock_now_ns; CONSOLE_READ: 0 if it is polled; UINT64_MAX: none */
	uint64_t buffer;   /* the program's; PARK: the address of the word */
	uint64_t bytes;
	/* CALL: its id, once it is received; THREAD_WAIT: the id of the thread; FAULT_WAIT: kind, and access << 32 */
	uint64_t word;
	uint64_t badge;   /* CALL: of the facet; THREAD_WAIT: how long the thread ran; FAULT_WAIT: the address */
	uint16_t method;  /* CALL */
	uint16_t accepts; /* CALL, RECEIVE: capabilities, at most */
	void *object;     /* a use of it is held */
	struct spinlock *guard;
	union {
		struct message *message; /* CALL: what is sent; NULL: nothing but the method */
		operation_look_t *look;  /* CONSOLE_READ */
		uint64_t rip;            /* FAULT_WAIT, when it is done */
	};

	/* guard */
	struct operation_queue *queue; /* where it waits; NULL: it does not, so it is done */
	struct operation *next, *previous;
	struct operation *next_done;
	struct ring_completion completion; /* user_data is filled in when it is opened */
};

void operation_enqueue_first(struct operation_queue *queue, struct operation *operation);

/* At the end; and out of its queue. Inline, as each call goes through queues four times. */
static inline void operation_enqueue(struct operation_queue *queue, struct operation *operation)
{
	operation->queue = queue;
	operation->next = NULL;
	operation->previous = queue->last;
	if (queue->last != NULL)
		queue->last->next = operation;
	else
		queue->first = operation;
	queue->last = operation;
	queue->count++;
}

static inline void operation_dequeue(struct operation *operation)
{
	struct operation_queue *queue = operation->queue;

	if (operation->previous != NULL)
		operation->previous->next = operation->next;
	else
		queue->first = operation->next;
	if (operation->next != NULL)
		operation->next->previous = operation->previous;
	else
		queue->last = operation->previous;
	queue->count--;
	operation->queue = NULL;
}

/* Links, back links and count agree, and each says that it waits here. Guard held, or at rest. */
bool operation_queue_is_valid(const struct operation_queue *queue);

/*
 * A place for one more operation of the current thread: BUSY if all are taken. `deadline` UINT64_MAX: none. Nothing
 * completes it yet: buffer, bytes, word, badge, method, accepts, and message or look are to be filled in as its kind
 * needs them. operation_abandon gives it back before it was queued anywhere.
 */
enum status operation_open(struct thread *thread, enum operation_kind kind, uint64_t user_data, uint64_t deadline,
			   struct operation **operation);
void operation_abandon(struct operation *operation);

/* It is done, with what its completion says. Taken out of its queue already; guard held. May wake the thread. */
void operation_complete(struct operation *operation, enum status status, uint64_t value);

/*
 * The same with a result as the completion has it (0 or more), and let the thread run on this CPU as soon as the
 * current one blocks.
 */
void operation_answer(struct operation *operation, uint32_t result, uint64_t value);

/* The same by its own thread, in a call of its, with its completion as it is: nobody is to be woken, nor met. */
void operation_end(struct operation *operation);

/*
 * There is something for it, which its thread is to fetch itself: operation_post_done looks at it (RECEIVE:
 * endpoint_look; CONSOLE_READ: console_wait_look). Waiting in a queue, guard held, or by its own thread; waking the
 * thread is the caller's.
 */
void operation_call(struct operation *operation);

/*
 * End one open operation of the current thread: its completion, CANCELLED, is posted, not yet published. NOT_FOUND:
 * none has that user_data, or it is done already.
 */
enum status operation_cancel(struct thread *thread, uint64_t user_data);

/* Take back every open operation of the current thread, which ends. */
void operation_cancel_all(struct thread *thread);

/*
 * By the current thread: look at the clock and at what it polls; post what is done to the ring, published. Returns how
 * many. *next_look: when to call again at the latest.
 */
uint64_t operation_post_done(struct thread *thread, uint64_t *next_look);

#endif
