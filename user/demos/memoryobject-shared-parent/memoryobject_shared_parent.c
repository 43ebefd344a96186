/*
 * memoryobject-shared-parent: one memory object, two processes. Allocates and maps it, shares it with
 * memoryobject-shared-child, and sees in its own mapping what the child wrote. In two forms: the object is granted to
 * the child at its start; or passed to it by a call, and again and again written and read while both have it mapped.
 *
 * Last line: "N passed, N failed". What a refused step leaves behind ends with the program.
 */
#include <stddef.h>
#include <stdint.h>

#include "lib/check.h"
#include "lib/status.h"
#include "user/protocol/random_sequence.h"
#include "user/protocol/shared_page.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/endpoint_client.h"
#include "user/runtime/frame_allocator_client.h"
#include "user/runtime/memory_object_client.h"
#include "user/runtime/print.h"
#include "user/runtime/process_client.h"
#include "user/runtime/ring_client.h"
#include "user/runtime/virtual_memory_client.h"

#define PAGES UINT64_C(4)
#define OBJECT_BYTES (PAGES * PAGE_SIZE)
#define ROUNDS 3u
#define CHILD "memoryobject-shared-child"

static struct process_spawner_client spawner;
static struct endpoint_factory_client endpoints;
static struct frame_allocator_client frames;
static struct virtual_memory_client memory;
static handle_t console;

static struct memory_object_client object;
static struct shared_page *page; /* our mapping of it, PAGES of them */
static struct random_sequence questions;
static uint32_t passed, failed;

static void check(bool holds, const char *what)
{
	passed += holds;
	failed += !holds;
	print("parent: %s %s\n", holds ? "ok" : "FAILED", what);
}

static enum status find_capabilities(void)
{
	TRY(capset_client_find("spawner", INTERFACE_PROCESS_SPAWNER, &spawner.handle));
	TRY(capset_client_find("endpoints", INTERFACE_ENDPOINT_FACTORY, &endpoints.handle));
	TRY(capset_client_find("frames", INTERFACE_FRAME_ALLOCATOR, &frames.handle));
	TRY(capset_client_find("memory", INTERFACE_VIRTUAL_MEMORY, &memory.handle));
	return capset_client_find("console", INTERFACE_CONSOLE, &console);
}

/* ---- the pages ---- */

static void ask(void)
{
	for (uint64_t i = 0; i < PAGES; i++)
		for (uint64_t word = 0; word < SHARED_PAGE_WORDS; word++)
			page[i].question[word] = random_sequence_next(&questions);
}

static bool is_answered(void)
{
	for (uint64_t i = 0; i < PAGES; i++)
		for (uint64_t word = 0; word < SHARED_PAGE_WORDS; word++)
			if (page[i].answer[word] != shared_page_answer(page[i].question[word]))
				return false;
	return true;
}

/* How many capabilities name the object, in all processes, and how many of its pages are mapped. */
static enum status check_sharers(uint32_t sharers, const char *what)
{
	struct memory_object_info info;

	TRY(memory_object_client_info(object, &info));
	check(info.holds == sharers && info.mapped_pages == sharers * PAGES, what);
	return STATUS_OK;
}

static enum status allocate_and_map(void)
{
	const struct memory_object_window window = { .length = OBJECT_BYTES,
						     .protection = PROTECTION_READ | PROTECTION_WRITE };
	void *address;

	TRY(frame_allocator_client_allocate(frames, PAGES, 0, &object));
	TRY(memory_object_client_map(object, &window, &address));
	page = address;
	return check_sharers(1, "allocated and mapped 4 pages");
}

static enum status unmap_and_release(void)
{
	TRY(memory_object_client_unmap(object, page, OBJECT_BYTES));
	return ring_client_release(object.handle);
}

/* ---- the child ---- */

/* Everything that a child will have: no more than it needs. */
static enum status describe_child(struct process_builder *child)
{
	TRY(process_builder_init(child, CHILD));
	TRY(process_builder_program(child, CHILD));
	TRY(process_builder_argument(child, CHILD));
	TRY(process_builder_grant_copy(child, "console", console));
	process_builder_limit(child, LEDGER_FRAME_GRANT, 2 * PAGES); /* the object as a hold, and mapped */
	process_builder_limit(child, LEDGER_IMAGE, 64);
	process_builder_limit(child, LEDGER_PAGE_TABLE, 16);
	process_builder_limit(child, LEDGER_CAP_SLOTS, 8);
	process_builder_limit(child, LEDGER_KERNEL_OBJECT, 65536);
	return STATUS_OK;
}

static enum status wait_for(struct process_client child, const char *what)
{
	struct process_exit exit;

	TRY(process_client_wait(child, &exit));
	check(exit.end == PROCESS_EXITED && exit.code == 0, what);
	return ring_client_release(child.handle);
}

/* First form: the object is in the child's CapSet. */
static enum status share_by_grant(void)
{
	struct process_builder builder;
	struct process_client child;

	TRY(allocate_and_map());
	ask();
	TRY(describe_child(&builder));
	TRY(process_builder_grant_copy(&builder, SHARED_PAGE_OBJECT, object.handle));
	TRY(process_client_spawn(spawner, &builder, &child));
	TRY(wait_for(child, "the child that was granted the object has ended well"));
	check(is_answered(), "its writes are in the pages that the parent has mapped");
	TRY(check_sharers(1, "it has unmapped the object and given it up"));
	return unmap_and_release();
}

static enum status call(struct endpoint_facet facet, enum shared_page_method method,
			const struct transfer_descriptor *transfer, const char *what)
{
	const struct endpoint_request request = { .method = (uint16_t)method,
						  .transfer = transfer,
						  .transfers = transfer != NULL };
	struct endpoint_reply reply;

	TRY(endpoint_client_call(facet, &request, &reply));
	check(reply.answer == 0, what);
	return STATUS_OK;
}

/* The endpoint's owner is the child alone: should it end, the parent's calls end too, with GONE. */
static enum status spawn_server(struct process_client *child, struct endpoint_facet *facet)
{
	struct process_builder builder;
	struct endpoint_client requests;

	TRY(endpoint_client_create(endpoints, &requests));
	TRY(endpoint_client_make_client(requests, 0, false, facet));
	TRY(describe_child(&builder));
	TRY(process_builder_grant_move(&builder, SHARED_PAGE_REQUESTS, requests.handle));
	return process_client_spawn(spawner, &builder, child);
}

/* Second form: the object comes by a call, and both sides work on it at the same time. */
static enum status share_by_call(void)
{
	struct process_client child;
	struct endpoint_facet facet;

	TRY(spawn_server(&child, &facet));
	TRY(allocate_and_map());
	TRY(call(facet, SHARED_PAGE_TAKE,
		 &(struct transfer_descriptor){ .capability = object.handle, .kind = TRANSFER_KIND_COPY },
		 "the child took the object that a call brought"));
	TRY(check_sharers(2, "both have it mapped"));
	for (uint32_t round = 0; round < ROUNDS; round++) {
		ask();
		TRY(call(facet, SHARED_PAGE_ANSWER, NULL, "the child has written"));
		check(is_answered(), "its writes are in the pages that the parent has mapped, while both live");
	}
	TRY(call(facet, SHARED_PAGE_DROP, NULL, "the child has unmapped it"));
	TRY(check_sharers(1, "only the parent has it"));
	TRY(unmap_and_release());
	TRY(ring_client_release(facet.handle));
	return wait_for(child, "the child that was called has ended well");
}

/* ---- both ---- */

static bool is_as_before(const struct memory_statistics *before, const struct memory_statistics *after)
{
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		if (after->ledger[kind].used != before->ledger[kind].used ||
		    after->ledger[kind].limit != before->ledger[kind].limit)
			return false;
	return true;
}

static enum status run(void)
{
	struct memory_statistics before, after;

	TRY(find_capabilities());
	TRY(virtual_memory_client_statistics(memory, &before));
	TRY(share_by_grant());
	TRY(share_by_call());
	TRY(virtual_memory_client_statistics(memory, &after));
	check(is_as_before(&before, &after), "unmapped and released: the ledgers are as before");
	return STATUS_OK;
}

int main(int argc, char **argv, char **envp)
{
	enum status status;

	(void)argc;
	(void)argv;
	(void)envp;
	status = run();
	if (status != STATUS_OK)
		print("FAILED memoryobject-shared-parent: %s\n", status_name(status));
	failed += status != STATUS_OK;
	print("%u passed, %u failed\n", passed, failed);
	return failed == 0 ? 0 : 1;
}
