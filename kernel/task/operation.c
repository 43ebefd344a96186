#include "kernel/task/operation.h"

#include <stddef.h>

#include "kernel/arch/x86_64/clock.h"
#include "kernel/mem/shortage.h"
#include "kernel/task/console_wait.h"
#include "kernel/task/endpoint.h"
#include "kernel/task/fault_handler.h"
#include "kernel/task/message.h"
#include "kernel/task/park.h"
#include "kernel/task/process_end.h"
#include "kernel/task/process_thread.h"
#include "kernel/task/scheduler.h"
#include "lib/check.h"

/* ---- queues ---- */

void operation_enqueue_first(struct operation_queue *queue, struct operation *operation)
{
	operation->queue = queue;
	operation->previous = NULL;
	operation->next = queue->first;
	if (queue->first != NULL)
		queue->first->previous = operation;
	else
		queue->last = operation;
	queue->first = operation;
	queue->count++;
}

bool operation_queue_is_valid(const struct operation_queue *queue)
{
	const struct operation *previous = NULL;
	uint32_t count = 0;

	for (const struct operation *at = queue->first; at != NULL; at = at->next) {
		if (at->queue != queue || at->previous != previous || at->kind == OPERATION_NONE)
			return false;
		previous = at;
		count++;
	}
	return queue->last == previous && queue->count == count;
}

/* ---- places ---- */

#define OPERATION_PLACES ((1u << OPERATION_MAX) - 1)

/* Those that nobody else completes, or not always: by the clock, or by polling. */
static bool looks_by_itself(const struct operation *operation)
{
	return operation->deadline != UINT64_MAX;
}

/* Each field that somebody reads, not all: it is on the way of every call. */
enum status operation_open(struct thread *thread, enum operation_kind kind, uint64_t user_data, uint64_t deadline,
			   struct operation **operation)
{
	struct operation *place;
	uint32_t index;

	GUARD(thread->places_used != OPERATION_PLACES, STATUS_BUSY);
	index = (uint32_t)__builtin_ctz(~thread->places_used);
	place = &thread->operation[index];
	place->kind = kind;
	place->thread = thread;
	place->deadline = deadline;
	place->object = NULL;
	place->guard = NULL;
	place->message = NULL;
	place->queue = NULL;
	place->completion.user_data = user_data;
	place->completion.result = 0;
	place->completion.flags = 0;
	place->completion.value = 0;
	place->completion.capability = HANDLE_NONE;
	place->completion.interface = INTERFACE_NONE;
	thread->places_used |= 1u << index;
	thread->open_count++;
	thread->looking += looks_by_itself(place);
	*operation = place;
	return STATUS_OK;
}

static inline void leave_place(struct operation *operation)
{
	struct thread *thread = operation->thread;

	thread->looking -= looks_by_itself(operation);
	thread->places_used &= ~(1u << (operation - thread->operation));
	thread->open_count--;
	operation->kind = OPERATION_NONE;
}

void operation_abandon(struct operation *operation)
{
	leave_place(operation);
}

/* ---- completing, by anyone ---- */

/* From the moment that it is in the list the thread may post it, but not without the guard. */
static void push_done(struct operation *operation)
{
	struct thread *thread = operation->thread;
	struct operation *first = __atomic_load_n(&thread->done, __ATOMIC_RELAXED);

	do {
		operation->next_done = first;
	} while (!__atomic_compare_exchange_n(&thread->done, &first, operation, true, __ATOMIC_RELEASE,
					      __ATOMIC_RELAXED));
}

void operation_complete(struct operation *operation, enum status status, uint64_t value)
{
	struct thread *thread = operation->thread;

	operation->completion.result = -(int32_t)status;
	operation->completion.value = value;
	shortage_tell(status);
	push_done(operation);
	scheduler_wake(thread);
}

void operation_end(struct operation *operation)
{
	push_done(operation);
}

void operation_call(struct operation *operation)
{
	struct thread *thread = operation->thread;

	__atomic_fetch_or(&thread->called, 1u << (operation - thread->operation), __ATOMIC_RELEASE);
}

void operation_answer(struct operation *operation, uint32_t result, uint64_t value)
{
	struct thread *thread = operation->thread;

	operation->completion.result = (int32_t)result;
	operation->completion.value = value;
	push_done(operation);
	scheduler_hand_over(thread);
}

/* ---- by the thread itself ---- */

/* Whoever completed it held the guard, and is out of it, and of this thread, once we had it. */
static void meet_completer(struct operation *operation)
{
	if (operation->guard == NULL)
		return;
	spinlock_acquire(operation->guard);
	spinlock_release(operation->guard);
}

static inline void let_go(struct operation *operation)
{
	switch (operation->kind) {
	case OPERATION_CALL:
		if (operation->message != NULL)
			message_destroy(operation->thread->process, operation->message);
		endpoint_end_use(operation->object);
		break;
	case OPERATION_RECEIVE:
		endpoint_end_use(operation->object);
		break;
	case OPERATION_PROCESS_WAIT:
		process_end_use(operation->object);
		break;
	case OPERATION_NONE:
	case OPERATION_SLEEP:
	case OPERATION_CONSOLE_READ:
	case OPERATION_PARK:
	case OPERATION_THREAD_WAIT:
	case OPERATION_FAULT_WAIT:
	case OPERATION_KIND_COUNT:
		break;
	}
}

/*
 * What came for the program's memory waits in the kernel's until here: whoever completes an operation never waits for
 * the lock of an address space that is not its own.
 */
static void hand_out(struct operation *operation)
{
	enum status status = STATUS_OK;

	if (operation->bytes == 0 || operation->completion.result < 0)
		return;
	switch (operation->kind) {
	case OPERATION_CALL:
		status = endpoint_hand_out(operation);
		break;
	case OPERATION_PROCESS_WAIT:
		status = process_end_hand_out(operation);
		break;
	case OPERATION_THREAD_WAIT:
		status = process_thread_hand_out(operation);
		break;
	case OPERATION_FAULT_WAIT:
		status = fault_handler_hand_out(operation);
		break;
	case OPERATION_NONE:
	case OPERATION_RECEIVE:
	case OPERATION_SLEEP:
	case OPERATION_CONSOLE_READ:
	case OPERATION_PARK:
	case OPERATION_KIND_COUNT:
		break;
	}
	if (status != STATUS_OK)
		operation->completion = (struct ring_completion){ .user_data = operation->completion.user_data,
								  .result = -(int32_t)status };
}

/* False: somebody has completed it meanwhile. */
static bool take_back(struct operation *operation)
{
	bool waits;

	if (operation->guard == NULL)
		return true;
	spinlock_acquire(operation->guard);
	waits = operation->queue != NULL;
	if (waits) {
		operation_dequeue(operation);
		if (operation->kind == OPERATION_PARK)
			park_forget(operation);
		if (operation->kind == OPERATION_RECEIVE)
			endpoint_forget(operation);
	}
	spinlock_release(operation->guard);
	return waits;
}

/* It was completed, and its thread ends before it took notice. */
static void give_up(struct operation *operation)
{
	meet_completer(operation);
	if (operation->kind == OPERATION_CALL && operation->completion.result >= 0)
		endpoint_give_up(operation);
}

void operation_cancel_all(struct thread *thread)
{
	while (thread->places_used != 0) {
		struct operation *operation = &thread->operation[__builtin_ctz(thread->places_used)];

		if (!take_back(operation))
			give_up(operation);
		let_go(operation);
		operation_abandon(operation);
	}
	thread->done = NULL;
}

/* Of one that the thread has completed itself: nobody is to be met. */
static inline void post_own(struct thread *thread, struct operation *operation)
{
	let_go(operation);
	ring_kernel_write(&thread->ring_state, thread->ring, &operation->completion);
	shortage_tell(operation->completion.result < 0 ? (enum status) - operation->completion.result : STATUS_OK);
	thread->refused += operation->completion.result < 0;
	leave_place(operation);
}

static void post(struct thread *thread, struct operation *operation)
{
	meet_completer(operation);
	hand_out(operation);
	post_own(thread, operation);
}

enum status operation_cancel(struct thread *thread, uint64_t user_data)
{
	for (uint32_t places = thread->places_used; places != 0; places &= places - 1) {
		struct operation *operation = &thread->operation[__builtin_ctz(places)];

		if (operation->completion.user_data != user_data || !take_back(operation))
			continue;
		operation->completion.result = -(int32_t)STATUS_CANCELLED;
		post(thread, operation);
		return STATUS_OK;
	}
	return STATUS_NOT_FOUND;
}

/* Those that nobody else completes: by the clock, or by polling. */
static bool try_complete(struct operation *operation, uint64_t now, uint64_t *next_look)
{
	uint64_t next = operation->deadline;

	if (operation->kind == OPERATION_CONSOLE_READ) {
		if (console_wait_look(operation))
			return true;
		next = now + CONSOLE_WAIT_POLL_NS;
	} else if (next <= now) {
		if (!take_back(operation))
			return false; /* it is in the list of those that are done */
		if (operation->kind == OPERATION_PARK)
			operation->completion.result = -(int32_t)STATUS_TIMED_OUT;
		return true;
	}
	if (next < *next_look)
		*next_look = next;
	return false;
}

static bool look(struct operation *operation)
{
	if (operation->kind == OPERATION_RECEIVE)
		return endpoint_look(operation);
	return operation->kind == OPERATION_CONSOLE_READ && console_wait_look(operation);
}

/* A place may have another operation by now: it looks in vain. */
static uint64_t post_called(struct thread *thread)
{
	uint32_t called = __atomic_exchange_n(&thread->called, 0, __ATOMIC_ACQUIRE);
	uint64_t count = 0;

	for (; called != 0; called &= called - 1) {
		struct operation *operation = &thread->operation[__builtin_ctz(called)];

		if (!look(operation))
			continue;
		post_own(thread, operation);
		count++;
	}
	return count;
}

/* In the order in which they were completed. */
static uint64_t post_list(struct thread *thread)
{
	struct operation *newest = __atomic_exchange_n(&thread->done, NULL, __ATOMIC_ACQUIRE);
	struct operation *oldest = NULL;
	uint64_t count = 0;

	while (newest != NULL) {
		struct operation *next = newest->next_done;

		newest->next_done = oldest;
		oldest = newest;
		newest = next;
	}
	for (; oldest != NULL; count++) {
		struct operation *next = oldest->next_done;

		post(thread, oldest);
		oldest = next;
	}
	return count;
}

static uint64_t post_those_that_look(struct thread *thread, uint64_t *next_look)
{
	uint64_t now = clock_now_ns();
	uint64_t count = 0;

	for (uint32_t places = thread->places_used; places != 0; places &= places - 1) {
		struct operation *operation = &thread->operation[__builtin_ctz(places)];

		if (!looks_by_itself(operation) || !try_complete(operation, now, next_look))
			continue;
		post(thread, operation);
		count++;
	}
	return count;
}

uint64_t operation_post_done(struct thread *thread, uint64_t *next_look)
{
	uint64_t count = 0;

	if (__atomic_load_n(&thread->called, __ATOMIC_RELAXED) != 0)
		count = post_called(thread);
	if (__atomic_load_n(&thread->done, __ATOMIC_RELAXED) != NULL)
		count += post_list(thread);
	if (thread->looking != 0)
		count += post_those_that_look(thread, next_look);
	if (count != 0)
		ring_kernel_publish(&thread->ring_state, thread->ring);
	return count;
}
