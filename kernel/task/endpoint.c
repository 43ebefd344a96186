#include "kernel/task/endpoint.h"

#include <stddef.h>

#include "kernel/arch/x86_64/interrupt_window.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/user_access.h"
#include "kernel/task/process.h"
#include "kernel/task/scheduler.h"
#include "kernel/task/transfer.h"
#include "lib/check.h"
#include "lib/string.h"

static struct spinlock list_lock = SPINLOCK_INIT(LOCK_ENDPOINT_LIST);
static struct endpoint *endpoints; /* list_lock */
static uint64_t last_number;       /* list_lock */

/* ---- life ---- */

static void list_add(struct endpoint *endpoint)
{
	spinlock_acquire(&list_lock);
	endpoint->number = ++last_number;
	endpoint->next = endpoints;
	if (endpoints != NULL)
		endpoints->previous = endpoint;
	endpoints = endpoint;
	spinlock_release(&list_lock);
}

static void list_remove(const struct endpoint *endpoint)
{
	spinlock_acquire(&list_lock);
	if (endpoint->previous != NULL)
		endpoint->previous->next = endpoint->next;
	else
		endpoints = endpoint->next;
	if (endpoint->next != NULL)
		endpoint->next->previous = endpoint->previous;
	spinlock_release(&list_lock);
}

enum status endpoint_create(struct endpoint **endpoint)
{
	void *block;

	TRY(heap_allocate(sizeof(struct endpoint), &block));
	*endpoint = block;
	spinlock_name(&(*endpoint)->lock, LOCK_ENDPOINT);
	(*endpoint)->owners = 1;
	(*endpoint)->references = 1;
	(*endpoint)->next_call = 1;
	list_add(*endpoint);
	return STATUS_OK;
}

void endpoint_end(struct endpoint *endpoint)
{
	list_remove(endpoint);
	heap_free(endpoint, sizeof(*endpoint));
}

void endpoint_add_owner(struct endpoint *endpoint)
{
	endpoint_use(endpoint);
	__atomic_fetch_add(&endpoint->owners, 1, __ATOMIC_RELAXED);
}

/* At most `left` of them, which counts down. Locked. */
static void end_some(struct operation_queue *queue, uint32_t *left)
{
	for (; queue->first != NULL && *left != 0; --*left) {
		struct operation *operation = queue->first;

		operation_dequeue(operation);
		operation_complete(operation, STATUS_GONE, 0);
	}
}

/* Every call and receive ends; there may be as many as all threads of the system can have open. */
static void shut(struct endpoint *endpoint)
{
	uint32_t left;

	do {
		left = OPERATION_STEP;
		spinlock_acquire(&endpoint->lock);
		endpoint->is_shut = true; /* no other comes */
		end_some(&endpoint->calls, &left);
		end_some(&endpoint->served, &left);
		end_some(&endpoint->receivers, &left);
		end_some(&endpoint->called, &left);
		spinlock_release(&endpoint->lock);
		if (left == 0)
			interrupt_window_open();
	} while (left == 0);
}

/* With the last owner nobody can receive or return any more. */
void endpoint_drop_owner(struct endpoint *endpoint)
{
	if (__atomic_sub_fetch(&endpoint->owners, 1, __ATOMIC_ACQ_REL) == 0)
		shut(endpoint);
	endpoint_end_use(endpoint);
}

void endpoint_add_client(struct endpoint *endpoint)
{
	endpoint_use(endpoint);
	__atomic_fetch_add(&endpoint->clients, 1, __ATOMIC_RELAXED);
}

void endpoint_drop_client(struct endpoint *endpoint)
{
	__atomic_fetch_sub(&endpoint->clients, 1, __ATOMIC_RELAXED);
	endpoint_end_use(endpoint);
}

/* ---- moving capabilities with a message ---- */

struct message_transfer {
	struct transfer transfer;
	struct transfer_item item[TRANSFER_MAX];
};

static enum status prepare(struct message_transfer *both, struct process *from, struct process *to,
			   const struct transfer_descriptor *descriptor, uint32_t count)
{
	both->transfer.count = count;
	GUARD(count != 0, STATUS_OK); /* most messages bring none, and what is not filled in is not read */
	both->transfer = (struct transfer){ from, to, count, both->item, STATUS_OK };
	for (uint32_t i = 0; i < count; i++) {
		both->item[i].source = descriptor[i].capability;
		both->item[i].kind = (enum transfer_kind)descriptor[i].kind;
	}
	return transfer_prepare(&both->transfer);
}

static struct transfer_record record_of(const struct message_transfer *both, uint32_t index)
{
	if (index >= both->transfer.count)
		return (struct transfer_record){ HANDLE_NONE, 0 };
	return (struct transfer_record){ both->item[index].target, both->item[index].hold.interface };
}

/* Of a header that is 0 but for what it has been given. */
static void fill_records(struct endpoint_message *header, const struct message_transfer *both)
{
	header->capabilities = (uint16_t)both->transfer.count;
	for (uint32_t i = 0; i < both->transfer.count; i++)
		header->capability[i] = record_of(both, i);
}

static void fill_completion(struct ring_completion *completion, const struct message_transfer *both)
{
	struct transfer_record first = record_of(both, 0);

	completion->flags = first.capability != HANDLE_NONE ? COMPLETION_HAS_CAPABILITY : 0;
	completion->capability = first.capability;
	completion->interface = first.interface;
}

/* ---- calls and receivers ---- */

/* Whoever waits longest comes for a call that nobody comes for yet. Locked. */
static void call_receiver(struct endpoint *endpoint, void (*wake)(struct thread *thread))
{
	struct operation *receive = endpoint->receivers.first;

	if (receive == NULL || endpoint->called.count >= endpoint->calls.count)
		return;
	operation_dequeue(receive);
	operation_enqueue(&endpoint->called, receive);
	operation_call(receive);
	wake(receive->thread);
}

void endpoint_forget(const struct operation *receive)
{
	call_receiver(receive->object, scheduler_wake);
}

/* From now on it is the endpoint's: GONE. Locked. */
static enum status open_locked(struct endpoint *endpoint, struct operation *operation, struct operation_queue *queue)
{
	GUARD(!endpoint->is_shut, STATUS_GONE);
	endpoint_use(endpoint);
	operation->object = endpoint;
	operation->guard = &endpoint->lock;
	operation_enqueue(queue, operation);
	return STATUS_OK;
}

enum status endpoint_call(struct endpoint *endpoint, struct operation *operation)
{
	enum status status;

	spinlock_acquire(&endpoint->lock);
	status = open_locked(endpoint, operation, &endpoint->calls);
	if (status == STATUS_OK)
		call_receiver(endpoint, scheduler_hand_over);
	spinlock_release(&endpoint->lock);
	return status;
}

enum status endpoint_receive(struct endpoint *endpoint, struct operation *operation)
{
	enum status status;
	bool is_called;

	spinlock_acquire(&endpoint->lock);
	is_called = endpoint->calls.first != NULL;
	status = open_locked(endpoint, operation, is_called ? &endpoint->called : &endpoint->receivers);
	spinlock_release(&endpoint->lock);
	if (status == STATUS_OK && is_called && endpoint_look(operation))
		operation_end(operation);
	return status;
}

/* ---- delivering a call ---- */

enum delivery {
	DELIVERED,
	CALL_REFUSED,    /* the call is over; its queue goes on */
	RECEIVE_REFUSED, /* the receive is over */
};

static void fill_header(struct endpoint_message *header, const struct operation *call, uint64_t id)
{
	header->call = id;
	header->badge = call->badge;
	header->method = call->method;
	header->sender = call->thread->process->id;
}

/*
 * From `call` to `receive` of the current thread, which stand in no queue: the one that is refused is completed, the
 * other one left to the caller. The receiver's space and the endpoint are locked; `both` is to be finished afterwards
 * (transfer_finish).
 */
static enum delivery deliver(struct endpoint *endpoint, struct operation *call, struct operation *receive,
			     struct message_transfer *both)
{
	struct process *process = receive->thread->process;
	struct message *message = call->message;
	struct endpoint_message plain = { .bytes = 0 };
	struct endpoint_message *header = message != NULL ? &message->header : &plain;
	uint32_t capabilities = message != NULL ? message->capabilities : 0;
	struct user_place place;
	enum status status;

	if (capabilities > receive->accepts) {
		operation_complete(call, STATUS_NOT_ACCEPTED, 0);
		return CALL_REFUSED;
	}
	if (receive->bytes < sizeof(*header) + header->bytes) {
		receive->completion.result = -(int32_t)STATUS_TOO_LONG;
		return RECEIVE_REFUSED;
	}
	status = user_access_find(&process->space, receive->buffer, sizeof(*header) + header->bytes, &place);
	if (status != STATUS_OK) {
		receive->completion.result = -(int32_t)status;
		return RECEIVE_REFUSED;
	}
	status = prepare(both, call->thread->process, process, message != NULL ? message->capability : NULL,
			 capabilities);
	if (status != STATUS_OK) {
		operation_complete(call, status, 0);
		return CALL_REFUSED;
	}
	/* Nothing can fail any more. */
	call->word = endpoint->next_call++;
	fill_header(header, call, call->word);
	fill_records(header, both);
	user_access_put(&place, header); /* bytes follow the header, in the kernel as in the program */
	if (both->transfer.count != 0)
		transfer_commit(&both->transfer);
	operation_enqueue(&endpoint->served, call);
	fill_completion(&receive->completion, both);
	receive->completion.value = call->word;
	return DELIVERED;
}

enum look {
	LOOK_AGAIN, /* a call was refused, and there may be others */
	LOOK_LATER, /* there is none, or the receive has ended meanwhile */
	LOOK_DONE   /* the receive is complete */
};

/* One call. Both are locked. */
static enum look look_step(struct endpoint *endpoint, struct operation *receive, struct message_transfer *both)
{
	struct operation *call = endpoint->calls.first;

	if (receive->queue == NULL)
		return LOOK_LATER;
	operation_dequeue(receive);
	if (call == NULL) {
		operation_enqueue_first(&endpoint->receivers, receive);
		return LOOK_LATER;
	}
	operation_dequeue(call);
	switch (deliver(endpoint, call, receive, both)) {
	case DELIVERED:
		break;
	case CALL_REFUSED:
		operation_enqueue_first(&endpoint->called, receive);
		return LOOK_AGAIN;
	case RECEIVE_REFUSED:
		operation_enqueue_first(&endpoint->calls, call);
		call_receiver(endpoint, scheduler_wake);
		break;
	}
	return LOOK_DONE;
}

/* What a message may touch; if that is no memory of a program at all, finding a place in it says so. */
static struct uaddr_range buffer_range(const struct operation *receive)
{
	const uint64_t most = sizeof(struct endpoint_message) + ENDPOINT_MAX_BYTES;
	const uint64_t bytes = receive->bytes < most ? receive->bytes : most;

	if (receive->buffer < USER_LIMIT - bytes)
		return uaddr_range_make(receive->buffer, receive->buffer + bytes);
	return uaddr_range_make(0, USER_LIMIT);
}

/* However many are refused, the locks are held for one of them; what they held on to ends when they are not. */
bool endpoint_look(struct operation *receive)
{
	struct address_space *space = &receive->thread->process->space;
	const struct uaddr_range range = buffer_range(receive);
	struct endpoint *endpoint = receive->object;
	enum look look = LOOK_AGAIN;

	while (look == LOOK_AGAIN) {
		struct message_transfer both; /* what is not filled in is not read */

		both.transfer.count = 0;
		address_space_lock(space, range);
		spinlock_acquire(&endpoint->lock);
		look = look_step(endpoint, receive, &both);
		spinlock_release(&endpoint->lock);
		address_space_unlock(space, range);
		transfer_finish(&both.transfer);
		if (look == LOOK_AGAIN)
			interrupt_window_open();
	}
	return look == LOOK_DONE;
}

/* ---- answering ---- */

/* The call with that id among those that are served. Locked. */
static enum status find_served(struct endpoint *endpoint, uint64_t id, struct operation **call)
{
	GUARD(id != 0 && id < endpoint->next_call, STATUS_NOT_FOUND);
	for (*call = endpoint->served.first; *call != NULL; *call = (*call)->next)
		if ((*call)->word == id)
			return STATUS_OK;
	return STATUS_GONE;
}

/* What an owner sends back: on the stack, since it goes on at once. */
struct outgoing {
	struct endpoint_message header;
	uint8_t data[ENDPOINT_MAX_BYTES];
	struct transfer_descriptor descriptor[TRANSFER_MAX];
};

/* Into the call's own memory; its thread writes it out (endpoint_hand_out). */
static void finish_call(struct operation *call, struct message_transfer *both, const struct endpoint_answer *answer,
			struct outgoing *outgoing, const struct process *sender)
{
	if (both->transfer.count != 0)
		transfer_commit(&both->transfer);
	if (call->bytes != 0) {
		outgoing->header =
			(struct endpoint_message){ .bytes = (uint32_t)answer->parcel.bytes, .sender = sender->id };
		fill_records(&outgoing->header, both);
		memcpy(&call->message->header, &outgoing->header, sizeof(outgoing->header) + outgoing->header.bytes);
	}
	operation_dequeue(call);
	fill_completion(&call->completion, both);
	operation_answer(call, answer->answer, answer->value);
}

void endpoint_give_up(const struct operation *call)
{
	struct process *process = call->thread->process;
	const struct endpoint_message *header;

	scheduler_keep_running(); /* it may take long */
	if (call->bytes == 0) {
		if (call->completion.capability != HANDLE_NONE)
			(void)process_capability_release(process, call->completion.capability);
		return;
	}
	header = &call->message->header;
	for (uint32_t i = 0; i < header->capabilities; i++)
		(void)process_capability_release(process, header->capability[i].capability);
}

enum status endpoint_hand_out(const struct operation *call)
{
	const struct endpoint_message *header = &call->message->header;
	enum status status =
		user_access_write(&call->thread->process->space, call->buffer, sizeof(*header) + header->bytes, header);

	if (status != STATUS_OK)
		endpoint_give_up(call);
	return status;
}

static enum status return_locked(struct endpoint *endpoint, struct process *process,
				 const struct endpoint_answer *answer, struct outgoing *outgoing,
				 struct message_transfer *both)
{
	uint64_t bytes = answer->parcel.bytes;
	struct operation *call;

	TRY(find_served(endpoint, answer->call, &call));
	GUARD(answer->parcel.count <= call->accepts, STATUS_NOT_ACCEPTED);
	GUARD(bytes == 0 || bytes + sizeof(struct endpoint_message) <= call->bytes, STATUS_TOO_LONG);
	TRY(prepare(both, process, call->thread->process, outgoing->descriptor, (uint32_t)answer->parcel.count));
	finish_call(call, both, answer, outgoing, process);
	return STATUS_OK;
}

enum status endpoint_return(struct endpoint *endpoint, struct process *process, const struct endpoint_answer *answer)
{
	struct message_transfer both; /* neither is cleared: what is not filled in is not read */
	struct outgoing outgoing;
	enum status status;

	both.transfer.count = 0;
	GUARD(answer->answer <= ENDPOINT_MAX_ANSWER, STATUS_BAD_ARGUMENT);
	TRY(message_read(process, &answer->parcel, outgoing.descriptor, outgoing.data));
	spinlock_acquire(&endpoint->lock);
	status = return_locked(endpoint, process, answer, &outgoing, &both);
	spinlock_release(&endpoint->lock);
	transfer_finish(&both.transfer);
	return status;
}

/* ---- looking ---- */

void endpoint_read(struct endpoint *endpoint, struct endpoint_statistics *statistics)
{
	spinlock_acquire(&endpoint->lock);
	*statistics = (struct endpoint_statistics){
		.waiting_calls = endpoint->calls.count,
		.waiting_receivers = endpoint->receivers.count + endpoint->called.count,
		.served_calls = endpoint->served.count,
		.owners = endpoint->owners,
		.clients = endpoint->clients,
	};
	spinlock_release(&endpoint->lock);
}

static bool endpoint_is_valid(const struct endpoint *endpoint)
{
	bool is_idle =
		endpoint->calls.count + endpoint->receivers.count + endpoint->called.count + endpoint->served.count ==
		0;

	return (endpoint->receivers.count == 0 || endpoint->calls.count <= endpoint->called.count) &&
	       (endpoint->is_shut ? is_idle : endpoint->owners != 0) &&
	       endpoint->owners + endpoint->clients <= endpoint->references &&
	       operation_queue_is_valid(&endpoint->calls) && operation_queue_is_valid(&endpoint->receivers) &&
	       operation_queue_is_valid(&endpoint->called) && operation_queue_is_valid(&endpoint->served);
}

uint64_t endpoint_count(void)
{
	uint64_t count = 0;

	spinlock_acquire(&list_lock);
	for (const struct endpoint *endpoint = endpoints; endpoint != NULL; endpoint = endpoint->next)
		count++;
	spinlock_release(&list_lock);
	return count;
}

bool endpoint_all_are_valid(void)
{
	bool valid = true;

	spinlock_acquire(&list_lock);
	for (const struct endpoint *endpoint = endpoints; endpoint != NULL; endpoint = endpoint->next)
		valid = valid && endpoint_is_valid(endpoint);
	spinlock_release(&list_lock);
	return valid;
}
