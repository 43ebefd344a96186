#include "user/demos/kv-client/kv_connection.h"

#include <stddef.h>

#include "abi/memory_layout.h"
#include "lib/check.h"
#include "lib/string.h"
#include "user/runtime/ring_client.h"

enum status kv_connection_open(struct kv_connection *connection, struct frame_allocator_client frames, uint64_t pages,
			       enum kv_answer *answer)
{
	const struct memory_object_window window = { .length = pages * PAGE_SIZE,
						     .protection = PROTECTION_READ | PROTECTION_WRITE };
	struct transfer_descriptor transfer = { .kind = TRANSFER_KIND_COPY }; /* unmapping takes a capability */
	struct endpoint_reply reply;
	void *address;

	TRY(frame_allocator_client_allocate(frames, pages, 0, &connection->object));
	TRY(memory_object_client_map(connection->object, &window, &address));
	connection->buffer = address;
	connection->bytes = window.length;
	transfer.capability = connection->object.handle;
	TRY(endpoint_client_call(
		connection->session,
		&(struct endpoint_request){ .method = KV_SHARE, .transfer = &transfer, .transfers = 1 }, &reply));
	*answer = (enum kv_answer)reply.answer;
	return STATUS_OK;
}

static enum status call(const struct kv_connection *connection, enum kv_method method, const struct kv_name *name,
			const struct kv_place *place, struct endpoint_reply *reply)
{
	struct kv_message message = { .request = { place->offset, place->length } };
	const struct endpoint_request request = { .method = (uint16_t)method,
						  .parameters = &message,
						  .parameter_bytes = sizeof(message.request) + name->length };

	GUARD(name->length <= sizeof(message.key), STATUS_TOO_LONG);
	memcpy(message.key, name->bytes, name->length);
	return endpoint_client_call(connection->session, &request, reply);
}

enum status kv_connection_put(const struct kv_connection *connection, const struct kv_name *name,
			      const struct kv_place *place, enum kv_answer *answer)
{
	struct endpoint_reply reply;

	TRY(call(connection, KV_PUT, name, place, &reply));
	*answer = (enum kv_answer)reply.answer;
	return STATUS_OK;
}

enum status kv_connection_get(const struct kv_connection *connection, const struct kv_name *name,
			      const struct kv_place *place, uint64_t *length, enum kv_answer *answer)
{
	struct endpoint_reply reply;

	TRY(call(connection, KV_GET, name, place, &reply));
	*length = reply.value;
	*answer = (enum kv_answer)reply.answer;
	return STATUS_OK;
}

enum status kv_connection_delete(const struct kv_connection *connection, const struct kv_name *name,
				 enum kv_answer *answer)
{
	struct endpoint_reply reply;

	TRY(call(connection, KV_DELETE, name, &(struct kv_place){ 0 }, &reply));
	*answer = (enum kv_answer)reply.answer;
	return STATUS_OK;
}

enum status kv_connection_close(const struct kv_connection *connection)
{
	TRY(memory_object_client_unmap(connection->object, connection->buffer, connection->bytes));
	TRY(ring_client_release(connection->object.handle));
	return ring_client_release(connection->session.handle);
}
