#include "kernel/task/message.h"

#include <stddef.h>

#include "kernel/mem/heap.h"
#include "kernel/mem/user_access.h"
#include "kernel/task/process.h"
#include "lib/check.h"

_Static_assert(sizeof(struct message) + ENDPOINT_MAX_BYTES <= HEAP_MAX_BYTES, "one block");

static enum status check_parcel(const struct message_parcel *parcel)
{
	GUARD(parcel->bytes <= ENDPOINT_MAX_BYTES, STATUS_TOO_LONG);
	GUARD(parcel->count <= TRANSFER_MAX, STATUS_TOO_LONG);
	return STATUS_OK;
}

/* Each byte once; `data` has room for all of them. */
static enum status read_parcel(struct process *process, const struct message_parcel *parcel,
			       struct transfer_descriptor descriptor[TRANSFER_MAX], uint8_t *data)
{
	if (parcel->bytes != 0)
		TRY(user_access_read(&process->space, parcel->buffer, parcel->bytes, data));
	if (parcel->count == 0)
		return STATUS_OK;
	TRY(user_access_read(&process->space, parcel->descriptors, parcel->count * sizeof(*descriptor), descriptor));
	for (uint32_t i = 0; i < parcel->count; i++)
		GUARD(descriptor[i].kind == TRANSFER_KIND_COPY || descriptor[i].kind == TRANSFER_KIND_MOVE,
		      STATUS_BAD_ARGUMENT);
	return STATUS_OK;
}

enum status message_read(struct process *process, const struct message_parcel *parcel,
			 struct transfer_descriptor descriptor[TRANSFER_MAX], uint8_t *data)
{
	TRY(check_parcel(parcel));
	return read_parcel(process, parcel, descriptor, data);
}

/* Bytes that the message must have room for: those that are sent, or those that may come back. */
static uint64_t message_room(uint64_t bytes, uint64_t result_bytes)
{
	uint64_t room =
		result_bytes > sizeof(struct endpoint_message) ? result_bytes - sizeof(struct endpoint_message) : 0;

	if (room > ENDPOINT_MAX_BYTES)
		room = ENDPOINT_MAX_BYTES;
	return room > bytes ? room : bytes;
}

static enum status message_allocate(struct process *process, uint64_t size, struct message **message)
{
	struct charge charge = { .kinds = 0 };
	enum status status;
	void *block;

	charge_add(&charge, LEDGER_KERNEL_OBJECT, size);
	TRY(account_charge_and_promise(&process->account, &charge, 0));
	status = heap_allocate(size, &block);
	if (status != STATUS_OK) {
		account_cancel(&process->account, &charge);
		return status;
	}
	__atomic_fetch_add(&process->message_bytes, size, __ATOMIC_RELAXED);
	*message = block;
	(*message)->size = (uint32_t)size;
	return STATUS_OK;
}

enum status message_create(struct process *process, const struct message_parcel *parcel, uint64_t result_bytes,
			   struct message **message)
{
	enum status status;

	*message = NULL;
	GUARD((parcel->bytes | parcel->count | result_bytes) != 0, STATUS_OK);
	TRY(check_parcel(parcel));
	TRY(message_allocate(process, sizeof(struct message) + message_room(parcel->bytes, result_bytes), message));
	(*message)->header.bytes = (uint32_t)parcel->bytes;
	(*message)->capabilities = (uint32_t)parcel->count;
	status = read_parcel(process, parcel, (*message)->capability, (*message)->data);
	if (status != STATUS_OK)
		message_cancel(process, *message);
	return status;
}

/* How many bytes it was. */
static uint64_t free_message(struct process *process, struct message *message)
{
	uint64_t size = message->size;

	heap_free(message, size);
	__atomic_fetch_sub(&process->message_bytes, size, __ATOMIC_RELAXED);
	return size;
}

void message_destroy(struct process *process, struct message *message)
{
	account_refund_one(&process->account, LEDGER_KERNEL_OBJECT, free_message(process, message));
}

void message_cancel(struct process *process, struct message *message)
{
	struct charge charge = { .kinds = 0 };

	charge_add(&charge, LEDGER_KERNEL_OBJECT, free_message(process, message));
	account_cancel(&process->account, &charge);
}
