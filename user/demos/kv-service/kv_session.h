/*
 * The sessions of the service: for each, its badge, the space of its keys, and the buffer that its client shares.
 *
 * A slot of the table gives out badges that differ by KV_SESSIONS, so a badge says its slot and is never used again:
 * a facet that outlives its session reaches none.
 */
#ifndef CAPOS_USER_DEMOS_KV_SERVICE_KV_SESSION_H
#define CAPOS_USER_DEMOS_KV_SERVICE_KV_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "user/protocol/kv_protocol.h"
#include "user/runtime/memory_object_client.h"

struct kv_session {
	uint64_t badge; /* of the session that is open, or that was the last one here */
	uint64_t space;
	bool is_open;
	struct memory_object_client object; /* while `buffer` is not NULL */
	uint8_t *buffer;                    /* our mapping of all of it; NULL: nothing was shared yet */
	uint64_t bytes;
};

struct kv_sessions {
	struct kv_session slot[KV_SESSIONS];
	uint64_t open;
};

/* No badge is KV_MASTER_BADGE. */
void kv_session_init(struct kv_sessions *sessions);

/* A new one, with a badge that no other had. BUSY: KV_SESSIONS are open. */
enum status kv_session_open(struct kv_sessions *sessions, uint64_t space, struct kv_session **session);

/* NOT_FOUND: no such session, or it was closed. */
enum status kv_session_find(struct kv_sessions *sessions, uint64_t badge, struct kv_session **session);

/* Map the object; the session has it now. OCCUPIED: it has one. The refusals of MAP: the object is the caller's still.
 */
enum status kv_session_share(struct kv_session *session, struct memory_object_client object);

/* Unmap and release what its client shared. The refusals of UNMAP and RELEASE, which leave it open. */
enum status kv_session_close(struct kv_sessions *sessions, struct kv_session *session);

#endif
