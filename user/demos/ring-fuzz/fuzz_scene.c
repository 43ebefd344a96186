#include "user/demos/ring-fuzz/fuzz_scene.h"

#include <stddef.h>

#include "abi/thread_control_abi.h"
#include "lib/check.h"
#include "lib/string.h"
#include "user/runtime/program.h"
#include "user/runtime/system_call.h"
#include "user/testing/trial.h"

#define MOST_PAGES 6u /* of one range, usually */
#define MOST_NS 300000u
#define PLACES UINT64_C(0x100000000) /* hints: some pages from here on */

static uint64_t below(struct random_sequence *random, uint64_t limit)
{
	return random_sequence_below(random, limit);
}

void fuzz_scene_make(struct fuzz_scene *scene)
{
	static const char name[] = "manifest";
	struct process_builder *builder = &scene->builder;

	scene->base[INTERFACE_VIRTUAL_MEMORY] = trial.memory.handle;
	scene->base[INTERFACE_FRAME_ALLOCATOR] = trial.frames.handle;
	scene->base[INTERFACE_TIMER] = trial.timer.handle;
	scene->base[INTERFACE_BOOT_PACKAGE] = trial.package.handle;
	scene->base[INTERFACE_INSPECTOR] = trial.inspector.handle;
	scene->base[INTERFACE_PROCESS_SPAWNER] = trial.spawner.handle;
	scene->base[INTERFACE_ENDPOINT_FACTORY] = trial.endpoints.handle;
	scene->base[INTERFACE_THREAD_CONTROL] = trial.threads.handle;
	scene->base[INTERFACE_PARK_SPACE] = trial.park.handle;
	memcpy(scene->name, name, sizeof(name));
	CHECK(process_builder_init(builder, "fuzz-child") == STATUS_OK);
	CHECK(process_builder_program(builder, "nothing") == STATUS_OK);
	CHECK(process_builder_argument(builder, "nothing") == STATUS_OK);
	CHECK(process_builder_grant_usual(builder) == STATUS_OK);
	process_builder_limit(builder, LEDGER_VIRTUAL_RESERVATION, 16);
	process_builder_limit(builder, LEDGER_FRAME_GRANT, 16);
	process_builder_limit(builder, LEDGER_IMAGE, 48);
	process_builder_limit(builder, LEDGER_PAGE_TABLE, 16);
	process_builder_limit(builder, LEDGER_CAP_SLOTS, 8);
	process_builder_limit(builder, LEDGER_KERNEL_OBJECT, 10 * PAGE_SIZE);
	scene->request = process_builder_request(builder);
}

static bool gives_address(const struct fuzz_operation *operation)
{
	if (operation->opcode != RING_CALL)
		return false;
	return operation->interface == INTERFACE_VIRTUAL_MEMORY &&
	       (operation->operation == VIRTUAL_MEMORY_MAP || operation->operation == VIRTUAL_MEMORY_RESERVE);
}

void fuzz_scene_keep(struct fuzz_scene *scene, struct random_sequence *random, const struct fuzz_operation *operation,
		     handle_t capability, const struct ring_completion *completion)
{
	const uint64_t place = below(random, FUZZ_KEPT);

	if ((completion->flags & COMPLETION_HAS_CAPABILITY) != 0 && completion->interface < INTERFACE_COUNT)
		scene->made[completion->interface][place] = completion->capability;
	if (operation->opcode == RING_RECEIVE)
		scene->call[place] = completion->value;
	else if (operation->interface == INTERFACE_MEMORY_OBJECT && operation->operation == MEMORY_OBJECT_MAP)
		scene->mapped[place] = (struct fuzz_mapping){ capability, completion->value };
	else if (gives_address(operation))
		scene->address[place] = completion->value;
	else if (operation->interface == INTERFACE_VIRTUAL_MEMORY && operation->operation == VIRTUAL_MEMORY_BREAK)
		scene->heap_end = completion->value;
}

handle_t fuzz_scene_made(const struct fuzz_scene *scene, struct random_sequence *random, uint32_t interface)
{
	return scene->made[interface % INTERFACE_COUNT][below(random, FUZZ_KEPT)];
}

handle_t fuzz_scene_capability(const struct fuzz_scene *scene, struct random_sequence *random, uint32_t interface)
{
	for (uint32_t i = 0; i < FUZZ_KEPT; i++) {
		const handle_t made = fuzz_scene_made(scene, random, interface);

		if (made != HANDLE_NONE)
			return made;
	}
	return scene->base[interface];
}

uint64_t fuzz_scene_address(const struct fuzz_scene *scene, struct random_sequence *random)
{
	uint64_t address = 0;

	for (uint32_t i = 0; i < FUZZ_KEPT && address == 0; i++)
		address = scene->address[below(random, FUZZ_KEPT)];
	return below(random, 2) == 0 ? address : address + below(random, MOST_PAGES) * PAGE_SIZE;
}

static uint64_t draw_call(const struct fuzz_scene *scene, struct random_sequence *random)
{
	uint64_t call = 0;

	for (uint32_t i = 0; i < FUZZ_KEPT && call == 0; i++)
		call = scene->call[below(random, FUZZ_KEPT)];
	return call;
}

static uint64_t any_capability(const struct fuzz_scene *scene, struct random_sequence *random)
{
	return fuzz_scene_capability(scene, random, (uint32_t)below(random, INTERFACE_COUNT));
}

static uint64_t make_transfers(struct fuzz_scene *scene, struct random_sequence *random)
{
	for (uint32_t i = 0; i < TRANSFER_MAX; i++) {
		/* mostly what there are many of */
		scene->transfer[i].capability = below(random, 8) == 0
							? (handle_t)any_capability(scene, random)
							: fuzz_scene_made(scene, random, INTERFACE_MEMORY_OBJECT);
		scene->transfer[i].kind = (uint32_t)(below(random, 16) == 0 ? below(random, 4) : 1 + below(random, 2));
	}
	return (uint64_t)scene->transfer;
}

/* A good one, or one with a word that is not. */
static uint64_t make_request(struct fuzz_scene *scene, struct random_sequence *random)
{
	uint64_t *word = (uint64_t *)&scene->request;

	scene->request = process_builder_request(&scene->builder);
	scene->request.layout = (uint32_t)below(random, PROCESS_LAYOUT_COUNT);
	if (below(random, 2) == 0)
		word[below(random, sizeof(scene->request) / sizeof(*word))] ^= UINT64_C(1) << below(random, 64);
	return (uint64_t)&scene->request;
}

/* Where raw threads begin: it ends itself, on a stack that others may use, too. */
static void end_thread(uint64_t threads, struct ring_page *ring)
{
	ring->submission[0] = (struct ring_submission){ .opcode = RING_CALL,
							.operation = THREAD_CONTROL_EXIT,
							.capability = (handle_t)threads };
	ring->header.sq_tail = 1;
	(void)system_call_cap_enter(1, CAP_ENTER_FOREVER);
	system_call_exit(0); /* the capability was none */
}

static uint64_t protection(struct random_sequence *random)
{
	static const uint32_t good[] = { PROTECTION_NONE, PROTECTION_READ, PROTECTION_READ | PROTECTION_WRITE,
					 PROTECTION_READ | PROTECTION_EXECUTE };

	return below(random, 16) == 0 ? below(random, 16) : good[below(random, COUNT_OF(good))];
}

static uint64_t hint(const struct fuzz_scene *scene, struct random_sequence *random)
{
	switch (below(random, 4)) {
	case 0:
		return PLACES + below(random, 64) * PAGE_SIZE;
	case 1:
		return fuzz_scene_address(scene, random);
	default:
		return 0;
	}
}

/* Some pages; now and then so many that tables of a higher level are split. */
static uint64_t length(struct random_sequence *random)
{
	if (below(random, 32) == 0)
		return UINT64_C(1) << (PAGE_SHIFT + below(random, 26));
	return (1 + below(random, MOST_PAGES)) * PAGE_SIZE;
}

static uint64_t make_number(const struct fuzz_scene *scene, struct random_sequence *random, enum fuzz_argument argument)
{
	if (argument == FUZZ_LENGTH)
		return length(random);
	if (argument == FUZZ_PROTECTION)
		return protection(random);
	if (argument == FUZZ_FLAGS)
		return below(random, 8) == 0 ? below(random, 16) : below(random, 2) * below(random, 3);
	if (argument == FUZZ_BYTES)
		return below(random, 16) == 0 ? below(random, 256) : 512 + below(random, 1024);
	if (argument == FUZZ_PAGES)
		return 1 + below(random, below(random, 16) == 0 ? 2000 : 8);
	if (argument == FUZZ_SMALL)
		return below(random, below(random, 4) == 0 ? 64 : 5);
	if (argument == FUZZ_OBJECT)
		return below(random, 4) == 0 ? below(random, 16) : program_process_id() + 8 - below(random, 16);
	if (argument == FUZZ_TIME)
		return below(random, MOST_NS);
	if (argument == FUZZ_TRANSFER_COUNT)
		return below(random, 2) == 0 ? 0 : below(random, TRANSFER_MAX + 2);
	if (argument == FUZZ_REQUEST_BYTES)
		return sizeof(scene->request);
	if (argument == FUZZ_BREAK)
		return below(random, 4) == 0 ? 0 : scene->heap_end + below(random, 40000) - below(random, 20000);
	return argument == FUZZ_ANY ? random_sequence_next(random) : 0;
}

uint64_t fuzz_scene_argument(struct fuzz_scene *scene, struct random_sequence *random, enum fuzz_argument argument)
{
	switch (argument) {
	case FUZZ_HINT:
		return hint(scene, random);
	case FUZZ_ADDRESS:
		return fuzz_scene_address(scene, random);
	case FUZZ_BUFFER:
		return (uint64_t)scene->buffer + below(random, 64);
	case FUZZ_WORD:
		return (uint64_t)&scene->word[below(random, COUNT_OF(scene->word))];
	case FUZZ_CALL:
		return draw_call(scene, random);
	case FUZZ_TICKET:
		return scene->ticket[below(random, FUZZ_KEPT)];
	case FUZZ_NAME:
		return (uint64_t)scene->name;
	case FUZZ_REQUEST:
		return make_request(scene, random);
	case FUZZ_TRANSFERS:
		return make_transfers(scene, random);
	case FUZZ_ENTRY:
		return (uint64_t)end_thread;
	case FUZZ_STACK: /* as a call leaves it */
		return (uint64_t)scene->stack[below(random, FUZZ_STACKS) + 1] - 8;
	case FUZZ_THREADS:
		return trial.threads.handle;
	case FUZZ_MAPPED: /* what belongs together is put there by who draws the capability */
		return scene->mapped[below(random, FUZZ_KEPT)].address;
	case FUZZ_ZERO:
	case FUZZ_LENGTH:
	case FUZZ_PROTECTION:
	case FUZZ_FLAGS:
	case FUZZ_BYTES:
	case FUZZ_PAGES:
	case FUZZ_SMALL:
	case FUZZ_OBJECT:
	case FUZZ_TIME:
	case FUZZ_TRANSFER_COUNT:
	case FUZZ_REQUEST_BYTES:
	case FUZZ_BREAK:
	case FUZZ_ANY:
		break;
	}
	return make_number(scene, random, argument);
}
