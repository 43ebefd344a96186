/*
 * A client's session with the key-value service (user/protocol/kv_protocol.h): the facet, and the buffer that is shared
 * through it. Values are written to and found in the buffer, at offsets of the caller's choice.
 */
#ifndef CAPOS_USER_DEMOS_KV_CLIENT_KV_CONNECTION_H
#define CAPOS_USER_DEMOS_KV_CLIENT_KV_CONNECTION_H

#include <stdint.h>

#include "abi/status.h"
#include "user/protocol/kv_protocol.h"
#include "user/runtime/endpoint_client.h"
#include "user/runtime/frame_allocator_client.h"
#include "user/runtime/memory_object_client.h"

struct kv_connection {
	struct endpoint_facet session;
	struct memory_object_client object;
	uint8_t *buffer;
	uint64_t bytes;
};

/* Where a value lies in the buffer, and for a GET how much room there is. */
struct kv_place {
	uint64_t offset, length;
};

struct kv_name {
	const void *bytes;
	uint32_t length; /* 1 to KV_MAX_KEY_BYTES */
};

/*
 * Each answers OK for every answer of the service; GONE: it has ended. The answers are those of its method; the other
 * statuses are those of RING_CALL.
 */

/* Allocate the buffer and share it. Also the refusals of ALLOCATE and MAP; what was taken then stays with the program.
 */
enum status kv_connection_open(struct kv_connection *connection, struct frame_allocator_client frames, uint64_t pages,
			       enum kv_answer *answer);

enum status kv_connection_put(const struct kv_connection *connection, const struct kv_name *name,
			      const struct kv_place *place, enum kv_answer *answer);

/* *length: of the value, for KV_OK and KV_NO_ROOM. */
enum status kv_connection_get(const struct kv_connection *connection, const struct kv_name *name,
			      const struct kv_place *place, uint64_t *length, enum kv_answer *answer);

enum status kv_connection_delete(const struct kv_connection *connection, const struct kv_name *name,
				 enum kv_answer *answer);

/* Give up buffer and facet. The service's part of the buffer ends with the session, which its master closes. */
enum status kv_connection_close(const struct kv_connection *connection);

#endif
