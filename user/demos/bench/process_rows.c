/* What takes a second process: calls, sharing, and making one. The second one is this program, with an argument. */
#include <stddef.h>

#include "abi/memory_layout.h"
#include "lib/string.h"
#include "user/demos/bench/bench.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/endpoint_client.h"
#include "user/runtime/frame_allocator_client.h"
#include "user/runtime/process_client.h"
#include "user/runtime/ring_client.h"

#define ROUNDS 64u
#define SHARED_PAGES UINT64_C(16)
#define READ_WRITE (PROTECTION_READ | PROTECTION_WRITE)

enum method {
	METHOD_NOTHING,
	METHOD_SHARE, /* one memory object is moved along: map it, look at it, let it go */
};

/* ---- the second process ---- */

static void look_at_shared(struct virtual_memory_client memory, const struct endpoint_message *message)
{
	struct memory_object_client object = { message->capability[0].capability };
	const struct memory_object_window window = { .length = SHARED_PAGES * PAGE_SIZE, .protection = READ_WRITE };
	void *address;

	(void)memory;
	bench_require_ok(memory_object_client_map(object, &window, &address), "server maps");
	for (uint64_t page = 0; page < SHARED_PAGES; page++) {
		uint64_t *word = (uint64_t *)((uint8_t *)address + page * PAGE_SIZE);

		bench_require(*word == page + 1, "server sees the client's pages");
		*word = ~page;
	}
	bench_require_ok(memory_object_client_unmap(object, address, window.length), "server unmaps");
	bench_require_ok(ring_client_release(object.handle), "server releases");
}

int bench_serve(void)
{
	struct virtual_memory_client memory;
	struct endpoint_client endpoint;
	struct endpoint_message message;
	enum status returned;

	bench_require_ok(capset_client_find("memory", INTERFACE_VIRTUAL_MEMORY, &memory.handle), "memory");
	bench_require_ok(capset_client_find("service", INTERFACE_ENDPOINT, &endpoint.handle), "service");
	bench_require_ok(endpoint_client_receive(endpoint, (struct endpoint_intake){ &message, sizeof(message), 1 }),
			 "receive");
	for (;;) {
		struct endpoint_answer answer = { .call = message.call, .value = message.call };

		if (message.method == METHOD_SHARE)
			look_at_shared(memory, &message);
		bench_require_ok(
			endpoint_client_return_receive(
				endpoint, &answer, (struct endpoint_intake){ &message, sizeof(message), 1 }, &returned),
			"receive");
		bench_require_ok(returned, "return");
	}
}

/* ---- the first ---- */

static void spawn(struct process_spawner_client spawner, const struct process_builder *builder,
		  struct process_client *process)
{
	bench_require_ok(process_client_spawn(spawner, builder, process), "spawn");
}

static void prepare(struct process_builder *builder, const char *program, const char *what)
{
	bench_require_ok(process_builder_init(builder, program), "builder");
	bench_require_ok(process_builder_program(builder, program), "builder");
	bench_require_ok(process_builder_argument(builder, program), "builder");
	bench_require_ok(process_builder_argument(builder, what), "builder");
	process_builder_limit(builder, LEDGER_IMAGE, 200);
	process_builder_limit(builder, LEDGER_PAGE_TABLE, 50);
	process_builder_limit(builder, LEDGER_CAP_SLOTS, 16);
	process_builder_limit(builder, LEDGER_FRAME_GRANT, 4 * SHARED_PAGES);
	process_builder_limit(builder, LEDGER_VIRTUAL_RESERVATION, 1024);
	process_builder_limit(builder, LEDGER_KERNEL_OBJECT, 1u << 20);
}

static void bench_round_trip(struct endpoint_facet facet)
{
	struct endpoint_request request = { .method = METHOD_NOTHING };
	struct endpoint_reply reply;
	struct stopwatch watch;
	uint64_t last = 0;

	stopwatch_init(&watch);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		stopwatch_start(&watch);
		bench_require_ok(endpoint_client_call(facet, &request, &reply), "call");
		stopwatch_stop(&watch);
		bench_require(reply.answer == 0 && reply.value > last, "the answer is of this call");
		last = reply.value;
	}
	bench_report("ipc-round-trip", &watch, ROUNDS);
}

static void share_once(struct endpoint_facet facet, handle_t frames, struct stopwatch *watch)
{
	struct endpoint_request request = { .method = METHOD_SHARE, .transfers = 1 };
	struct transfer_descriptor transfer = { .kind = TRANSFER_KIND_COPY };
	struct frame_allocator_client allocator = { frames };
	const struct memory_object_window window = { .length = SHARED_PAGES * PAGE_SIZE, .protection = READ_WRITE };
	struct memory_object_client object;
	struct endpoint_reply reply;
	void *address;

	request.transfer = &transfer;
	stopwatch_start(watch);
	bench_require_ok(frame_allocator_client_allocate(allocator, SHARED_PAGES, 0, &object), "allocate");
	bench_require_ok(memory_object_client_map(object, &window, &address), "map");
	for (uint64_t page = 0; page < SHARED_PAGES; page++)
		*(uint64_t *)((uint8_t *)address + page * PAGE_SIZE) = page + 1;
	transfer.capability = object.handle;
	bench_require_ok(endpoint_client_call(facet, &request, &reply), "call");
	for (uint64_t page = 0; page < SHARED_PAGES; page++)
		bench_require(*(uint64_t *)((uint8_t *)address + page * PAGE_SIZE) == ~page, "the server's words");
	bench_require_ok(memory_object_client_unmap(object, address, window.length), "unmap");
	bench_require_ok(ring_client_release(object.handle), "release");
	stopwatch_stop(watch);
}

static void bench_share(struct endpoint_facet facet, handle_t frames)
{
	struct stopwatch watch;

	stopwatch_init(&watch);
	share_once(facet, frames, &watch);
	watch.total = 0; /* tables that the first round leaves behind */
	for (uint32_t i = 0; i < ROUNDS; i++)
		share_once(facet, frames, &watch);
	bench_report("share-16", &watch, ROUNDS);
}

void bench_calls(handle_t frames)
{
	static struct process_builder builder;
	struct endpoint_factory_client factory;
	struct process_spawner_client spawner;
	struct endpoint_client endpoint;
	struct process_client server;
	struct endpoint_facet facet;
	struct process_exit exit;

	bench_require_ok(capset_client_find("spawner", INTERFACE_PROCESS_SPAWNER, &spawner.handle), "spawner");
	bench_require_ok(capset_client_find("endpoints", INTERFACE_ENDPOINT_FACTORY, &factory.handle), "endpoints");
	bench_require_ok(endpoint_client_create(factory, &endpoint), "endpoint");
	bench_require_ok(endpoint_client_make_client(endpoint, 1, false, &facet), "facet");
	prepare(&builder, "bench", "serve");
	bench_require_ok(process_builder_grant_usual(&builder), "grant");
	bench_require_ok(process_builder_grant_move(&builder, "service", endpoint.handle), "grant");
	spawn(spawner, &builder, &server);
	bench_round_trip(facet);
	bench_share(facet, frames);
	bench_require_ok(process_client_kill(server), "kill");
	bench_require_ok(process_client_wait(server, &exit), "wait");
	bench_require_ok(ring_client_release(server.handle), "release");
	bench_require_ok(ring_client_release(facet.handle), "release");
}

void bench_spawn(void)
{
	static struct process_builder builder;
	struct process_spawner_client spawner;
	struct process_client process;
	struct process_exit exit;
	struct stopwatch watch;

	bench_require_ok(capset_client_find("spawner", INTERFACE_PROCESS_SPAWNER, &spawner.handle), "spawner");
	prepare(&builder, "nothing", "");
	stopwatch_init(&watch);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		stopwatch_start(&watch);
		spawn(spawner, &builder, &process);
		bench_require_ok(process_client_wait(process, &exit), "wait");
		bench_require_ok(ring_client_release(process.handle), "release");
		stopwatch_stop(&watch);
		bench_require(exit.end == PROCESS_EXITED && exit.code == 42, "the process ran");
	}
	bench_report("spawn-run-reap", &watch, ROUNDS);
}
