#include "user/demos/kv-service/kv_session.h"

#include <stddef.h>

#include "abi/memory_layout.h"
#include "lib/check.h"
#include "user/runtime/ring_client.h"

/* Slot 0 begins with KV_SESSIONS, as KV_MASTER_BADGE would be its first. */
void kv_session_init(struct kv_sessions *sessions)
{
	sessions->open = 0;
	for (uint64_t i = 0; i < KV_SESSIONS; i++)
		sessions->slot[i] = (struct kv_session){ .badge = i };
}

enum status kv_session_open(struct kv_sessions *sessions, uint64_t space, struct kv_session **session)
{
	struct kv_session *slot = sessions->slot;

	GUARD(sessions->open < KV_SESSIONS, STATUS_BUSY);
	while (slot->is_open)
		slot++;
	*slot = (struct kv_session){ .badge = slot->badge + KV_SESSIONS, .space = space, .is_open = true };
	sessions->open++;
	*session = slot;
	return STATUS_OK;
}

enum status kv_session_find(struct kv_sessions *sessions, uint64_t badge, struct kv_session **session)
{
	struct kv_session *slot = &sessions->slot[badge % KV_SESSIONS];

	GUARD(slot->is_open && slot->badge == badge, STATUS_NOT_FOUND);
	*session = slot;
	return STATUS_OK;
}

enum status kv_session_share(struct kv_session *session, struct memory_object_client object)
{
	struct memory_object_window window = { .protection = PROTECTION_READ | PROTECTION_WRITE };
	struct memory_object_info info;
	void *address;

	GUARD(session->buffer == NULL, STATUS_OCCUPIED);
	TRY(memory_object_client_info(object, &info));
	window.length = info.size;
	TRY(memory_object_client_map(object, &window, &address));
	session->object = object;
	session->buffer = address;
	session->bytes = info.size;
	return STATUS_OK;
}

enum status kv_session_close(struct kv_sessions *sessions, struct kv_session *session)
{
	if (session->buffer != NULL) {
		/* Unmap first: without the capability nothing could unmap it any more. */
		TRY(memory_object_client_unmap(session->object, session->buffer, session->bytes));
		TRY(ring_client_release(session->object.handle));
	}
	session->buffer = NULL;
	session->is_open = false;
	sessions->open--;
	return STATUS_OK;
}
