#include "user/demos/kv/kv_refusal.h"

#include "abi/memory_layout.h"
#include "lib/check.h"
#include "user/protocol/kv_protocol.h"
#include "user/runtime/endpoint_client.h"
#include "user/runtime/frame_allocator_client.h"
#include "user/runtime/print.h"
#include "user/runtime/ring_client.h"

#define SPACE UINT64_MAX /* no client has it */
#define KEY_BYTES 3u

/* One call of a session: what it says, and what must be answered. */
struct attempt {
	const char *what;
	uint16_t method;
	struct kv_request request;
	uint32_t key_bytes;
	enum kv_answer wanted;
};

static const struct attempt without_buffer[] = {
	{ "put without a buffer", KV_PUT, { 0, 1 }, KEY_BYTES, KV_NO_BUFFER },
	{ "get without a buffer", KV_GET, { 0, 1 }, KEY_BYTES, KV_NO_BUFFER },
	{ "share nothing", KV_SHARE, { 0 }, KEY_BYTES, KV_BAD_REQUEST },
};

static const struct attempt with_buffer[] = {
	{ "no such method", KV_DELETE + 1, { 0 }, KEY_BYTES, KV_BAD_REQUEST },
	{ "open a session", KV_OPEN, { 0 }, KEY_BYTES, KV_BAD_REQUEST },
	{ "stop", KV_STOP, { 0 }, KEY_BYTES, KV_BAD_REQUEST },
	{ "no key", KV_PUT, { 0, 1 }, 0, KV_BAD_REQUEST },
	{ "key too long", KV_PUT, { 0, 1 }, KV_MAX_KEY_BYTES + 1, KV_BAD_REQUEST },
	{ "offset outside", KV_PUT, { PAGE_SIZE + 1, 0 }, KEY_BYTES, KV_OUTSIDE },
	{ "length outside", KV_GET, { 1, PAGE_SIZE }, KEY_BYTES, KV_OUTSIDE },
	{ "range wraps", KV_PUT, { 1, UINT64_MAX }, KEY_BYTES, KV_OUTSIDE },
	{ "get what was not put", KV_GET, { 0, PAGE_SIZE }, KEY_BYTES, KV_NOT_FOUND },
	{ "delete what was not put", KV_DELETE, { 0 }, KEY_BYTES, KV_NOT_FOUND },
	{ "put a page", KV_PUT, { 0, PAGE_SIZE }, KEY_BYTES, KV_OK },
	{ "get into less than a page", KV_GET, { 0, PAGE_SIZE - 1 }, KEY_BYTES, KV_NO_ROOM },
	{ "get a page", KV_GET, { 0, PAGE_SIZE }, KEY_BYTES, KV_OK },
	{ "delete it", KV_DELETE, { 0 }, KEY_BYTES, KV_OK },
};

static const struct attempt after_close[] = {
	{ "put after the session's end", KV_PUT, { 0, 1 }, KEY_BYTES, KV_NO_SESSION },
	{ "share after the session's end", KV_SHARE, { 0 }, 0, KV_NO_SESSION },
};

static enum status try_one(struct endpoint_facet session, const struct attempt *attempt, uint64_t *wrong)
{
	struct {
		struct kv_request request;
		uint8_t key[KV_MAX_KEY_BYTES + 1];
	} message = { .request = attempt->request };
	const struct endpoint_request request = { .method = attempt->method,
						  .parameters = &message,
						  .parameter_bytes = sizeof(message.request) + attempt->key_bytes };
	struct endpoint_reply reply;

	TRY(endpoint_client_call(session, &request, &reply));
	if (reply.answer == (int32_t)attempt->wanted)
		return STATUS_OK;
	*wrong += 1;
	print("FAILED kv: %s: the service answers %d, not %d\n", attempt->what, reply.answer, (int)attempt->wanted);
	return STATUS_OK;
}

static enum status try_all(struct endpoint_facet session, const struct attempt *attempt, uint64_t count,
			   uint64_t *wrong)
{
	for (uint64_t i = 0; i < count; i++)
		TRY(try_one(session, &attempt[i], wrong));
	return STATUS_OK;
}

/* Twice: the second time is one too many, and what came with it must go back, or it would show in the ledgers. */
static enum status share(struct endpoint_facet session, struct memory_object_client buffer, uint64_t *wrong)
{
	const struct transfer_descriptor transfer = { buffer.handle, TRANSFER_KIND_COPY };
	const struct endpoint_request request = { .method = KV_SHARE, .transfer = &transfer, .transfers = 1 };
	struct endpoint_reply first, second;

	TRY(endpoint_client_call(session, &request, &first));
	TRY(endpoint_client_call(session, &request, &second));
	if (first.answer == KV_OK && second.answer == KV_BAD_REQUEST)
		return STATUS_OK;
	*wrong += 1;
	print("FAILED kv: share a buffer, twice: the service answers %d, %d\n", first.answer, second.answer);
	return STATUS_OK;
}

/* A session's facet that its master does not take: told so, and no session is open. */
static enum status open_for_nothing(const struct kv_master *master, uint64_t *wrong)
{
	const uint64_t space = SPACE;
	const struct endpoint_request request = { .method = KV_OPEN,
						  .parameters = &space,
						  .parameter_bytes = sizeof(space) };
	struct kv_statistics before, after;
	struct endpoint_reply reply;

	TRY(kv_master_statistics(master, &before));
	TRY(endpoint_client_call(master->facet, &request, &reply));
	TRY(kv_master_statistics(master, &after));
	if (reply.answer == KV_BAD_REQUEST && after.sessions == before.sessions)
		return STATUS_OK;
	*wrong += 1;
	print("FAILED kv: open a session without its facet: the service answers %d\n", reply.answer);
	return STATUS_OK;
}

enum status kv_refusal_check(const struct kv_master *master, const struct kv_world *world, uint64_t *wrong)
{
	struct memory_object_client buffer;
	struct endpoint_facet session;
	uint64_t badge;

	TRY(open_for_nothing(master, wrong));
	TRY(kv_master_open(master, SPACE, &session, &badge));
	TRY(try_all(session, without_buffer, COUNT_OF(without_buffer), wrong));
	TRY(frame_allocator_client_allocate(world->frames, 1, 0, &buffer));
	TRY(share(session, buffer, wrong));
	TRY(try_all(session, with_buffer, COUNT_OF(with_buffer), wrong));
	TRY(kv_master_close(master, badge));
	TRY(try_all(session, after_close, COUNT_OF(after_close), wrong));
	if (*wrong == 0)
		print("kv: the service answers and refuses as it must\n");
	TRY(ring_client_release(session.handle));
	return ring_client_release(buffer.handle);
}
