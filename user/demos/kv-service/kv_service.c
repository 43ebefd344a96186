/*
 * kv-service: a key-value store in a process of its own (user/protocol/kv_protocol.h). One thread, one endpoint; an
 * answer that cannot be refused and the wait for the next call are one system call.
 *
 * No client is trusted. What a call says is checked before it is used, what it brings is kept or given up, and a client
 * that ends in the middle of a call costs nothing but the answer that nobody takes.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/check.h"
#include "lib/string.h"
#include "user/demos/kv-service/kv_session.h"
#include "user/demos/kv-service/kv_table.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/endpoint_client.h"
#include "user/runtime/memory_object_client.h"
#include "user/runtime/program.h"
#include "user/runtime/ring_client.h"
#include "user/runtime/user_heap.h"

/* A call and what will be said to it. */
struct exchange {
	struct endpoint_buffer call;
	struct endpoint_answer answer;
	struct transfer_descriptor facet; /* that goes with the answer, if one does */
	struct kv_statistics statistics;
	bool keeps_capability; /* the one that came with the call */
	bool is_last;
};

static struct endpoint_client requests;
static struct user_heap heap;
static struct kv_table table;
static struct kv_sessions sessions;
static uint64_t served;

/* ---- what a session asks for ---- */

static enum kv_answer share(struct kv_session *session, struct exchange *exchange)
{
	const struct endpoint_message *message = &exchange->call.message;
	enum status status;

	if (message->capabilities != 1 || message->capability[0].interface != INTERFACE_MEMORY_OBJECT)
		return KV_BAD_REQUEST;
	status = kv_session_share(session, (struct memory_object_client){ message->capability[0].capability });
	exchange->keeps_capability = status == STATUS_OK;
	if (status == STATUS_OCCUPIED)
		return KV_BAD_REQUEST;
	return status == STATUS_OK ? KV_OK : KV_FULL;
}

static enum kv_answer put(const struct kv_session *session, const struct kv_key *key, const struct kv_request *request)
{
	const struct kv_value value = { session->buffer + request->offset, request->length };

	return kv_table_put(&table, key, &value) == STATUS_OK ? KV_OK : KV_FULL;
}

static enum kv_answer get(const struct kv_session *session, const struct kv_key *key, const struct kv_request *request,
			  uint64_t *length)
{
	struct kv_value value;

	if (kv_table_get(&table, key, &value) != STATUS_OK)
		return KV_NOT_FOUND;
	*length = value.length;
	if (value.length > request->length)
		return KV_NO_ROOM;
	memcpy(session->buffer + request->offset, value.bytes, value.length);
	return KV_OK;
}

static bool is_inside(const struct kv_session *session, const struct kv_request *request)
{
	return request->offset <= session->bytes && request->length <= session->bytes - request->offset;
}

static enum kv_answer access(const struct kv_session *session, struct exchange *exchange)
{
	const struct endpoint_message *message = &exchange->call.message;
	struct kv_message said;
	struct kv_key key;

	if (message->bytes <= sizeof(said.request) || message->bytes > sizeof(said))
		return KV_BAD_REQUEST;
	memcpy(&said, exchange->call.bytes, message->bytes);
	key = (struct kv_key){ session->space, said.key, (uint32_t)(message->bytes - sizeof(said.request)) };
	served++;
	if (message->method == KV_DELETE)
		return kv_table_delete(&table, &key) == STATUS_OK ? KV_OK : KV_NOT_FOUND;
	if (session->buffer == NULL)
		return KV_NO_BUFFER;
	if (!is_inside(session, &said.request))
		return KV_OUTSIDE;
	return message->method == KV_PUT ? put(session, &key, &said.request)
					 : get(session, &key, &said.request, &exchange->answer.value);
}

static enum kv_answer serve_session(struct exchange *exchange)
{
	struct kv_session *session;

	if (kv_session_find(&sessions, exchange->call.message.badge, &session) != STATUS_OK)
		return KV_NO_SESSION;
	switch (exchange->call.message.method) {
	case KV_SHARE:
		return share(session, exchange);
	case KV_PUT:
	case KV_GET:
	case KV_DELETE:
		return access(session, exchange);
	}
	return KV_BAD_REQUEST;
}

/* ---- what the master asks for ---- */

static enum kv_answer open_session(struct exchange *exchange)
{
	struct kv_session *session;
	struct endpoint_facet facet;
	uint64_t space;

	if (exchange->call.message.bytes != sizeof(space))
		return KV_BAD_REQUEST;
	memcpy(&space, exchange->call.bytes, sizeof(space));
	if (kv_session_open(&sessions, space, &session) != STATUS_OK)
		return KV_FULL;
	if (endpoint_client_make_client(requests, session->badge, false, &facet) != STATUS_OK) {
		CHECK(kv_session_close(&sessions, session) == STATUS_OK); /* it shares nothing yet */
		return KV_FULL;
	}
	exchange->facet = (struct transfer_descriptor){ facet.handle, TRANSFER_KIND_MOVE };
	exchange->answer.transfer = &exchange->facet;
	exchange->answer.transfers = 1;
	exchange->answer.value = session->badge;
	return KV_OK;
}

/* A quiet service keeps nothing: with the last session and the last key gone, all its memory goes back. */
static void trim(void)
{
	if (sessions.open > 0)
		return;
	kv_table_trim(&table);
	user_heap_trim(&heap);
}

static enum kv_answer close_session(const struct exchange *exchange)
{
	struct kv_session *session;
	uint64_t badge;

	if (exchange->call.message.bytes != sizeof(badge))
		return KV_BAD_REQUEST;
	memcpy(&badge, exchange->call.bytes, sizeof(badge));
	if (kv_session_find(&sessions, badge, &session) != STATUS_OK)
		return KV_NOT_FOUND;
	if (kv_session_close(&sessions, session) != STATUS_OK)
		return KV_FULL;
	trim();
	return KV_OK;
}

static enum kv_answer read_statistics(struct exchange *exchange)
{
	exchange->statistics = (struct kv_statistics){ .sessions = sessions.open,
						       .keys = table.keys,
						       .value_bytes = table.value_bytes,
						       .heap_pages = heap.statistics.pages,
						       .requests = served };
	exchange->answer.bytes = &exchange->statistics;
	exchange->answer.byte_count = sizeof(exchange->statistics);
	return KV_OK;
}

static enum kv_answer serve_master(struct exchange *exchange)
{
	switch (exchange->call.message.method) {
	case KV_OPEN:
		return open_session(exchange);
	case KV_CLOSE:
		return close_session(exchange);
	case KV_READ_STATISTICS:
		return read_statistics(exchange);
	case KV_STOP:
		exchange->is_last = true;
		return KV_OK;
	}
	return KV_BAD_REQUEST;
}

/* ---- all calls ---- */

static enum status carry_out(struct exchange *exchange)
{
	const struct endpoint_message *message = &exchange->call.message;

	exchange->answer = (struct endpoint_answer){ .call = message->call };
	exchange->keeps_capability = false;
	exchange->answer.answer = message->badge == KV_MASTER_BADGE ? serve_master(exchange) : serve_session(exchange);
	for (uint32_t i = exchange->keeps_capability; i < message->capabilities; i++)
		TRY(ring_client_release(message->capability[i].capability));
	return STATUS_OK;
}

/*
 * The caller can't take its answer. GONE: it has ended. NOT_ACCEPTED: it asks for a facet and takes none.
 * RECEIVER_LIMIT, TOO_LONG: no room for the facet or the bytes. Then it still waits, and is told so. A facet that did
 * not go is ours, and its session nobody's.
 */
static enum status repair(const struct exchange *exchange, enum status why)
{
	const enum kv_answer said = why == STATUS_NOT_ACCEPTED ? KV_BAD_REQUEST : KV_FULL;
	const struct endpoint_answer refused = { .call = exchange->answer.call, .answer = said };
	struct kv_session *session;

	if (exchange->answer.transfers > 0) {
		TRY(ring_client_release(exchange->facet.capability));
		TRY(kv_session_find(&sessions, exchange->answer.value, &session));
		TRY(kv_session_close(&sessions, session));
	}
	return why == STATUS_GONE ? STATUS_OK : endpoint_client_return(requests, &refused);
}

static enum status answer_alone(const struct exchange *exchange)
{
	const enum status returned = endpoint_client_return(requests, &exchange->answer);

	return returned == STATUS_OK ? STATUS_OK : repair(exchange, returned);
}

/* An answer that brings something may be refused, and must then be repaired before the next call is waited for. */
static enum status answer_and_receive(const struct exchange *exchange, struct endpoint_intake intake)
{
	const struct endpoint_answer answer = exchange->answer; /* the next call comes into its exchange */
	enum status returned;

	if (answer.transfers > 0 || answer.byte_count > 0) {
		TRY(answer_alone(exchange));
		return endpoint_client_receive(requests, intake);
	}
	TRY(endpoint_client_return_receive(requests, &answer, intake, &returned));
	return returned == STATUS_GONE ? STATUS_OK : returned;
}

static enum status serve(void)
{
	static struct exchange exchange;
	const struct endpoint_intake intake = { &exchange.call, sizeof(exchange.call), 1 };

	TRY(endpoint_client_receive(requests, intake));
	for (;;) {
		TRY(carry_out(&exchange));
		if (exchange.is_last)
			return endpoint_client_return(requests, &exchange.answer);
		TRY(answer_and_receive(&exchange, intake));
	}
}

static enum status run(void)
{
	struct virtual_memory_client memory;

	TRY(capset_client_find(KV_REQUESTS, INTERFACE_ENDPOINT, &requests.handle));
	TRY(capset_client_find("memory", INTERFACE_VIRTUAL_MEMORY, &memory.handle));
	user_heap_init(&heap, memory);
	kv_table_init(&table, &heap);
	kv_session_init(&sessions);
	return serve();
}

int main(int argc, char **argv, char **envp)
{
	enum status status;

	(void)argc;
	(void)argv;
	(void)envp;
	status = run();
	CHECK(kv_table_is_valid(&table));
	CHECK(user_heap_is_valid(&heap));
	return program_code(status);
}
