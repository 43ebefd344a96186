/*
 * ipc-zerocopy-producer: transfers one memory object to ipc-zerocopy-consumer and then exchanges records with it
 * through the pages that both have mapped. Calls carry sequence numbers and checksums alone
 * (user/protocol/record_protocol.h). A record that was spoiled after its checksum was taken must be refused.
 *
 * Last line: "N passed, N failed". What a refused step leaves behind ends with the program.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/check.h"
#include "lib/status.h"
#include "user/protocol/random_sequence.h"
#include "user/protocol/record_protocol.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/endpoint_client.h"
#include "user/runtime/frame_allocator_client.h"
#include "user/runtime/memory_object_client.h"
#include "user/runtime/print.h"
#include "user/runtime/process_client.h"
#include "user/runtime/ring_client.h"

#define CONSUMER "ipc-zerocopy-consumer"

static struct process_spawner_client spawner;
static struct endpoint_factory_client endpoints;
static struct frame_allocator_client frames;
static handle_t console;

static struct memory_object_client object;
static struct record *records; /* our mapping of it, RECORD_COUNT of them */
static struct endpoint_facet facet;
static uint32_t passed, failed;

static enum status find_capabilities(void)
{
	TRY(capset_client_find("spawner", INTERFACE_PROCESS_SPAWNER, &spawner.handle));
	TRY(capset_client_find("endpoints", INTERFACE_ENDPOINT_FACTORY, &endpoints.handle));
	TRY(capset_client_find("frames", INTERFACE_FRAME_ALLOCATOR, &frames.handle));
	return capset_client_find("console", INTERFACE_CONSOLE, &console);
}

static enum status allocate_records(void)
{
	const struct memory_object_window window = { .length = RECORD_COUNT * PAGE_SIZE,
						     .protection = PROTECTION_READ | PROTECTION_WRITE };
	void *address;

	TRY(frame_allocator_client_allocate(frames, RECORD_COUNT, 0, &object));
	TRY(memory_object_client_map(object, &window, &address));
	records = address;
	print("producer: mapped %lu records\n", RECORD_COUNT);
	return STATUS_OK;
}

/* The endpoint's owner is the consumer alone: should it end, our calls end too, with GONE. */
static enum status spawn_consumer(struct process_client *consumer)
{
	struct process_builder builder;
	struct endpoint_client endpoint;

	TRY(endpoint_client_create(endpoints, &endpoint));
	TRY(endpoint_client_make_client(endpoint, 0, false, &facet));
	TRY(process_builder_init(&builder, CONSUMER));
	TRY(process_builder_program(&builder, CONSUMER));
	TRY(process_builder_argument(&builder, CONSUMER));
	TRY(process_builder_grant_copy(&builder, "console", console));
	TRY(process_builder_grant_move(&builder, RECORD_ENDPOINT, endpoint.handle));
	process_builder_limit(&builder, LEDGER_FRAME_GRANT, 2 * RECORD_COUNT); /* the object as a hold, and mapped */
	process_builder_limit(&builder, LEDGER_IMAGE, 64);
	process_builder_limit(&builder, LEDGER_PAGE_TABLE, 16);
	process_builder_limit(&builder, LEDGER_CAP_SLOTS, 8);
	process_builder_limit(&builder, LEDGER_KERNEL_OBJECT, 65536);
	return process_client_spawn(spawner, &builder, consumer);
}

/* A call that the consumer must answer with RECORD_OK. */
static enum status call(const struct endpoint_request *request)
{
	struct endpoint_reply reply;

	TRY(endpoint_client_call(facet, request, &reply));
	GUARD(reply.answer == RECORD_OK, STATUS_BAD_ARGUMENT);
	return STATUS_OK;
}

/* A copy: moved away, we could not unmap it any more. */
static enum status transfer_object(void)
{
	const struct transfer_descriptor transfer = { .capability = object.handle, .kind = TRANSFER_KIND_COPY };

	TRY(call(&(struct endpoint_request){ .method = RECORD_SHARE, .transfer = &transfer, .transfers = 1 }));
	print("producer: transferred one memory object\n");
	return STATUS_OK;
}

static enum status send(const struct record_notice *notice, struct endpoint_reply *reply)
{
	const struct endpoint_request request = { .method = RECORD_SEND,
						  .parameters = notice,
						  .parameter_bytes = sizeof(*notice) };

	return endpoint_client_call(facet, &request, reply);
}

/* From a byte to the whole page. */
static uint64_t length_of(uint64_t sequence)
{
	return 1 + (sizeof(records->payload) - 1) * sequence / (RECORD_COUNT - 1);
}

static uint8_t payload_byte(uint64_t sequence, uint64_t index)
{
	struct random_sequence bytes = { .state = sequence << 32 | index };

	return (uint8_t)random_sequence_next(&bytes);
}

static struct record_notice write_record(uint64_t sequence)
{
	struct record *record = &records[sequence % RECORD_COUNT];

	record->bytes = length_of(sequence);
	for (uint64_t i = 0; i < record->bytes; i++)
		record->payload[i] = payload_byte(sequence, i);
	return (struct record_notice){ .sequence = sequence,
				       .checksum = record_checksum(record->payload, record->bytes) };
}

static bool is_replied(uint64_t sequence, uint64_t checksum)
{
	const struct record *record = &records[sequence % RECORD_COUNT];

	for (uint64_t i = 0; i < length_of(sequence); i++)
		if (record->payload[i] != record_reply(payload_byte(sequence, i)))
			return false;
	return checksum == record_checksum(record->payload, length_of(sequence));
}

static void check(bool holds, const char *what, uint64_t sequence)
{
	passed += holds;
	failed += !holds;
	print("producer: %s %s %lu\n", holds ? "ok" : "FAILED", what, sequence);
}

static enum status send_spoiled(uint64_t sequence)
{
	const struct record_notice notice = write_record(sequence);
	struct endpoint_reply reply;

	records[sequence % RECORD_COUNT].payload[0] ^= 1;
	TRY(send(&notice, &reply));
	check(reply.answer == RECORD_BAD_CHECKSUM, "refused: spoiled record", sequence);
	return STATUS_OK;
}

static enum status send_good(uint64_t sequence)
{
	const struct record_notice notice = write_record(sequence);
	struct endpoint_reply reply;

	TRY(send(&notice, &reply));
	check(reply.answer == RECORD_OK && is_replied(sequence, reply.value), "exchanged: record", sequence);
	return STATUS_OK;
}

static enum status exchange(void)
{
	TRY(send_spoiled(0));
	for (uint64_t sequence = 0; sequence < RECORD_COUNT; sequence++)
		TRY(send_good(sequence));
	return call(&(struct endpoint_request){ .method = RECORD_END });
}

static enum status finish(struct process_client consumer)
{
	struct memory_object_info info;
	struct process_exit exit;

	TRY(process_client_wait(consumer, &exit));
	check(exit.end == PROCESS_EXITED && exit.code == 0, "consumer ended with code", (uint64_t)exit.code);
	TRY(memory_object_client_info(object, &info));
	check(info.holds == 1 && info.mapped_pages == RECORD_COUNT, "pages mapped, all ours:", info.mapped_pages);
	TRY(ring_client_release(consumer.handle));
	TRY(ring_client_release(facet.handle));
	TRY(memory_object_client_unmap(object, records, RECORD_COUNT * PAGE_SIZE));
	return ring_client_release(object.handle);
}

static enum status run(void)
{
	struct process_client consumer;

	TRY(find_capabilities());
	TRY(spawn_consumer(&consumer));
	TRY(allocate_records());
	TRY(transfer_object());
	TRY(exchange());
	return finish(consumer);
}

int main(int argc, char **argv, char **envp)
{
	enum status status;

	(void)argc;
	(void)argv;
	(void)envp;
	status = run();
	if (status != STATUS_OK)
		print("FAILED ipc-zerocopy-producer: %s\n", status_name(status));
	failed += status != STATUS_OK;
	print("%u passed, %u failed\n", passed, failed);
	return failed == 0 ? 0 : 1;
}
