/*
 * ipc-zerocopy-consumer: receives records whose bytes lie in a memory object that it shares with the producer
 * (user/protocol/record_protocol.h). Compares each with its checksum and replies in place. Exit code 0 if the producer
 * said that it was the end.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/check.h"
#include "user/protocol/record_protocol.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/endpoint_client.h"
#include "user/runtime/memory_object_client.h"
#include "user/runtime/print.h"
#include "user/runtime/program.h"
#include "user/runtime/ring_client.h"

/* A receive buffer of the longest call that there is. */
struct call {
	struct endpoint_message message;
	struct record_notice notice;
};

static struct memory_object_client object;
static struct record *records; /* NULL: nothing was shared yet */
static uint64_t expected;      /* the next record's number */

static enum record_answer map_records(handle_t handle)
{
	const struct memory_object_window window = { .length = RECORD_COUNT * PAGE_SIZE,
						     .protection = PROTECTION_READ | PROTECTION_WRITE };
	void *address;

	object.handle = handle;
	if (memory_object_client_map(object, &window, &address) != STATUS_OK)
		return RECORD_NO_ROOM;
	records = address;
	print("consumer: mapped %lu records\n", RECORD_COUNT);
	return RECORD_OK;
}

/* Give up whatever came with a call and is not kept: who receives a capability pays for it. */
static enum status release_all(const struct endpoint_message *message)
{
	for (uint32_t i = 0; i < message->capabilities; i++)
		TRY(ring_client_release(message->capability[i].capability));
	return STATUS_OK;
}

static enum record_answer share(const struct endpoint_message *message)
{
	if (records != NULL || message->capabilities != 1)
		return RECORD_BAD_CALL;
	if (message->capability[0].interface != INTERFACE_MEMORY_OBJECT)
		return RECORD_BAD_CALL;
	return map_records(message->capability[0].capability);
}

/*
 * The producer may write to the record while we read it: the length is read once and then checked. A consumer that went
 * on with the payload would have to take a copy and check that; this one only replies.
 */
static enum record_answer take_record(const struct record_notice *notice, uint64_t *reply_checksum)
{
	struct record *record = &records[notice->sequence % RECORD_COUNT];
	const uint64_t bytes = __atomic_load_n(&record->bytes, __ATOMIC_RELAXED);

	if (bytes > sizeof(record->payload))
		return RECORD_BAD_CHECKSUM;
	if (record_checksum(record->payload, bytes) != notice->checksum) {
		print("consumer: record %lu refused: checksum\n", notice->sequence);
		return RECORD_BAD_CHECKSUM;
	}
	for (uint64_t i = 0; i < bytes; i++)
		record->payload[i] = record_reply(record->payload[i]);
	*reply_checksum = record_checksum(record->payload, bytes);
	print("consumer: record %lu: %lu bytes, checksum 0x%lx\n", notice->sequence, bytes, notice->checksum);
	return RECORD_OK;
}

static enum record_answer take_notice(const struct call *call, uint64_t *value)
{
	enum record_answer answer;

	if (records == NULL || call->message.bytes != sizeof(call->notice))
		return RECORD_BAD_CALL;
	*value = expected;
	if (call->notice.sequence != expected)
		return RECORD_OUT_OF_ORDER;
	answer = take_record(&call->notice, value);
	expected += answer == RECORD_OK;
	return answer;
}

static enum record_answer carry_out(const struct call *call, uint64_t *value)
{
	switch (call->message.method) {
	case RECORD_SHARE:
		return share(&call->message);
	case RECORD_SEND:
		return take_notice(call, value);
	case RECORD_END:
		return RECORD_OK;
	}
	return RECORD_BAD_CALL;
}

static enum status serve(struct endpoint_client endpoint)
{
	struct call call = { .message = { .method = RECORD_SHARE } };

	while (call.message.method != RECORD_END) {
		struct endpoint_answer answer = { 0 };
		bool is_kept;

		TRY(endpoint_client_receive(endpoint, (struct endpoint_intake){ &call, sizeof(call), 1 }));
		answer.call = call.message.call;
		answer.answer = carry_out(&call, &answer.value);
		is_kept = call.message.method == RECORD_SHARE && answer.answer == RECORD_OK;
		if (!is_kept)
			TRY(release_all(&call.message));
		TRY(endpoint_client_return(endpoint, &answer));
	}
	return STATUS_OK;
}

/* Unmap before release: without the capability nothing could unmap it any more. */
static enum status give_back(void)
{
	GUARD(records != NULL, STATUS_NOT_FOUND);
	TRY(memory_object_client_unmap(object, records, RECORD_COUNT * PAGE_SIZE));
	TRY(ring_client_release(object.handle));
	print("consumer: unmapped and released\n");
	return STATUS_OK;
}

static enum status run(void)
{
	struct endpoint_client endpoint;

	TRY(capset_client_find(RECORD_ENDPOINT, INTERFACE_ENDPOINT, &endpoint.handle));
	TRY(serve(endpoint));
	return give_back();
}

int main(int argc, char **argv, char **envp)
{
	(void)argc;
	(void)argv;
	(void)envp;
	return program_code(run());
}
