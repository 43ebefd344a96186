#include "user/demos/kv/kv_master.h"

#include <stddef.h>

#include "lib/check.h"
#include "lib/string.h"
#include "user/runtime/print.h"
#include "user/runtime/ring_client.h"

#define SERVICE "kv-service"
#define SERVICE_PAGES 1024u /* values, keys and buckets; buffers count twice, as a hold and mapped */
#define SERVICE_RESERVATION 65536u

static enum status describe_service(struct process_builder *builder, const struct kv_world *world)
{
	TRY(process_builder_init(builder, SERVICE));
	TRY(process_builder_program(builder, SERVICE));
	TRY(process_builder_argument(builder, SERVICE));
	TRY(process_builder_grant_copy(builder, "console", world->console));
	TRY(process_builder_grant_own(builder, "memory", INTERFACE_VIRTUAL_MEMORY));
	process_builder_priority(builder, KV_WORLD_PRIORITY);
	process_builder_limit(builder, LEDGER_VIRTUAL_RESERVATION, SERVICE_RESERVATION);
	process_builder_limit(builder, LEDGER_FRAME_GRANT, SERVICE_PAGES);
	process_builder_limit(builder, LEDGER_IMAGE, 64);
	process_builder_limit(builder, LEDGER_PAGE_TABLE, 128);
	process_builder_limit(builder, LEDGER_CAP_SLOTS, 8 + 2 * KV_SESSIONS);
	process_builder_limit(builder, LEDGER_KERNEL_OBJECT, 262144);
	return STATUS_OK;
}

/* The service alone owns the endpoint: should it end, every call ends too, with GONE. */
enum status kv_master_start(struct kv_master *master, const struct kv_world *world)
{
	struct process_builder builder;
	struct endpoint_client requests;

	TRY(describe_service(&builder, world));
	TRY(endpoint_client_create(world->endpoints, &requests));
	TRY(endpoint_client_make_client(requests, KV_MASTER_BADGE, false, &master->facet));
	TRY(process_builder_grant_move(&builder, KV_REQUESTS, requests.handle));
	return process_client_spawn(world->spawner, &builder, &master->service);
}

static enum status status_of(int32_t answer)
{
	switch ((enum kv_answer)answer) {
	case KV_OK:
		return STATUS_OK;
	case KV_NOT_FOUND:
		return STATUS_NOT_FOUND;
	case KV_FULL:
		return STATUS_BUSY;
	case KV_BAD_REQUEST:
	case KV_NO_SESSION:
	case KV_NO_BUFFER:
	case KV_OUTSIDE:
	case KV_NO_ROOM:
		break;
	}
	return STATUS_BAD_ARGUMENT;
}

static enum status call(const struct kv_master *master, const struct endpoint_request *request,
			struct endpoint_reply *reply)
{
	TRY(endpoint_client_call(master->facet, request, reply));
	return status_of(reply->answer);
}

enum status kv_master_open(const struct kv_master *master, uint64_t space, struct endpoint_facet *session,
			   uint64_t *badge)
{
	const struct endpoint_request request = {
		.method = KV_OPEN, .accepts = 1, .parameters = &space, .parameter_bytes = sizeof(space)
	};
	struct endpoint_reply reply;

	TRY(call(master, &request, &reply));
	GUARD(reply.capability.interface == INTERFACE_ENDPOINT_CLIENT, STATUS_WRONG_INTERFACE);
	session->handle = reply.capability.capability;
	*badge = reply.value;
	return STATUS_OK;
}

enum status kv_master_close(const struct kv_master *master, uint64_t badge)
{
	const struct endpoint_request request = { .method = KV_CLOSE,
						  .parameters = &badge,
						  .parameter_bytes = sizeof(badge) };
	struct endpoint_reply reply;

	return call(master, &request, &reply);
}

enum status kv_master_statistics(const struct kv_master *master, struct kv_statistics *statistics)
{
	struct endpoint_buffer result;
	const struct endpoint_request request = { .method = KV_READ_STATISTICS,
						  .result = &result,
						  .result_bytes = sizeof(result) };
	struct endpoint_reply reply;

	TRY(call(master, &request, &reply));
	GUARD(result.message.bytes == sizeof(*statistics), STATUS_BAD_ARGUMENT);
	memcpy(statistics, result.bytes, sizeof(*statistics));
	return STATUS_OK;
}

enum status kv_master_stop(const struct kv_master *master)
{
	struct endpoint_reply reply;
	struct process_exit exit;

	TRY(call(master, &(struct endpoint_request){ .method = KV_STOP }, &reply));
	TRY(process_client_wait(master->service, &exit));
	GUARD(exit.end == PROCESS_EXITED && exit.code == 0, STATUS_GONE);
	TRY(ring_client_release(master->service.handle));
	return ring_client_release(master->facet.handle);
}

void kv_master_kill(const struct kv_master *master)
{
	if (master->service.handle != HANDLE_NONE && process_client_kill(master->service) != STATUS_OK)
		print("kv: the service can't be killed\n");
}
