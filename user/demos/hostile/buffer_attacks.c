#include "user/demos/hostile/buffer_attacks.h"

#include <stddef.h>

#include "lib/check.h"
#include "lib/string.h"
#include "user/demos/hostile/attack.h"
#include "user/runtime/open_operation.h"
#include "user/runtime/program.h"
#include "user/runtime/user_thread.h"

#define ROUNDS 120u
#define PAGES 3u
#define CANARY 0xa5

/* The pages in the middle of five: what lies around them must stay. */
static struct {
	unsigned char *pages;
	struct memory_object_client object;
	uint32_t stop;
	struct endpoint_client endpoint;
	struct endpoint_facet facet;
	struct process_client ended;
} scene;

/* Where the buffer begins: on one page, or across two. */
static void *buffer(uint32_t round)
{
	return scene.pages + PAGE_SIZE * (round % 2) + (round % 3 == 0 ? PAGE_SIZE - 24 : 64);
}

/* ---- who disturbs; each leaves the pages as it found them, content aside ---- */

static enum status unmap_and_map(void)
{
	void *address;

	TRY(trial_unmap(scene.pages, PAGES));
	return virtual_memory_client_map(trial.memory, scene.pages, TRIAL_BYTES(PAGES), TRIAL_READ_WRITE,
					 VIRTUAL_MEMORY_FIXED, &address);
}

static enum status decommit_and_commit(void)
{
	TRY(virtual_memory_client_decommit(trial.memory, scene.pages, TRIAL_BYTES(PAGES)));
	return virtual_memory_client_commit(trial.memory, scene.pages, TRIAL_BYTES(PAGES), TRIAL_READ_WRITE);
}

static enum status forbid_and_allow(void)
{
	TRY(virtual_memory_client_protect(trial.memory, scene.pages + PAGE_SIZE, PAGE_SIZE, PROTECTION_NONE));
	return virtual_memory_client_protect(trial.memory, scene.pages, TRIAL_BYTES(PAGES), TRIAL_READ_WRITE);
}

static enum status protect_and_allow(void)
{
	TRY(virtual_memory_client_protect(trial.memory, scene.pages, TRIAL_BYTES(PAGES), PROTECTION_READ));
	return virtual_memory_client_protect(trial.memory, scene.pages, TRIAL_BYTES(PAGES), TRIAL_READ_WRITE);
}

static enum status map_object(void)
{
	const struct memory_object_window window = { .hint = scene.pages,
						     .length = TRIAL_BYTES(PAGES),
						     .protection = TRIAL_READ_WRITE,
						     .flags = MEMORY_OBJECT_FIXED };
	void *address;

	return memory_object_client_map(scene.object, &window, &address);
}

static enum status unmap_object_and_map(void)
{
	TRY(memory_object_client_unmap(scene.object, scene.pages, TRIAL_BYTES(PAGES)));
	return map_object();
}

static const struct {
	const char *name;
	enum status (*disturb)(void);
	bool is_object;
} disturbers[] = {
	{ "unmap", unmap_and_map, false },
	{ "decommit", decommit_and_commit, false },
	{ "forbid", forbid_and_allow, false },
	{ "write-protect", protect_and_allow, false },
	{ "unmap the object", unmap_object_and_map, true },
};

static int64_t disturb(void *index)
{
	while (__atomic_load_n(&scene.stop, __ATOMIC_ACQUIRE) == 0) {
		const enum status status = disturbers[(uint64_t)index].disturb();

		if (status != STATUS_OK)
			return status;
	}
	return 0;
}

/* ---- who is disturbed ---- */

static enum status write_statistics(void *at)
{
	return virtual_memory_client_statistics(trial.memory, at);
}

static enum status write_file(void *at)
{
	const struct boot_package_span span = { .buffer = at, .bytes = 2000 };
	uint64_t count;

	return boot_package_client_read(trial.package, &span, &count);
}

static enum status write_invariants(void *at)
{
	return inspector_client_memory(trial.inspector, at);
}

static enum status read_name(void *at)
{
	const struct ring_submission request = { .opcode = RING_CALL,
						 .operation = BOOT_PACKAGE_FIND,
						 .capability = trial.package.handle,
						 .argument = { (uint64_t)at, 60 } };

	return ring_client_call_plain(&request);
}

static enum status read_request(void *at)
{
	const struct ring_submission request = { .opcode = RING_CALL,
						 .operation = PROCESS_SPAWNER_SPAWN,
						 .capability = trial.spawner.handle,
						 .argument = { (uint64_t)at, sizeof(struct process_spawn_request) } };

	return ring_client_call_plain(&request);
}

static enum status write_exit(void *at)
{
	const struct ring_submission request = { .opcode = RING_CALL,
						 .operation = PROCESS_HANDLE_WAIT,
						 .capability = scene.ended.handle,
						 .argument = { (uint64_t)at, sizeof(struct process_exit) } };

	return ring_client_call_plain(&request);
}

static int64_t do_nothing(void *ignored)
{
	(void)ignored;
	return 0;
}

static enum status write_thread_exit(void *at)
{
	struct user_thread thread;
	struct ring_submission *slot;
	int64_t code;
	enum status status;

	trial_thread(&thread, do_nothing, NULL);
	TRY(ring_client_begin(trial.threads.handle, THREAD_CONTROL_WAIT, &slot));
	slot->argument[0] = thread.id;
	slot->argument[1] = (uint64_t)at;
	slot->argument[2] = sizeof(struct thread_exit);
	status = ring_client_finish_plain();
	/* With a bad buffer it may have been waited for, or not. */
	thread.has_ended = status == STATUS_OK;
	if (user_thread_join(&thread, &code) != STATUS_OK) {
		thread.has_ended = true;
		CHECK(user_thread_join(&thread, &code) == STATUS_OK);
	}
	return status;
}

static enum status park(void *at)
{
	return park_client_park(trial.park, (const uint32_t *)((uint64_t)at & ~UINT64_C(3)), 0, 200000);
}

/* One call through our own endpoint, each of whose four buffers may be there. */
enum call_part {
	PART_PARAMETERS,
	PART_DESCRIPTORS,
	PART_RECEIVE,
	PART_ANSWER,
	PART_RESULT,
};

static enum status finish_call(uint64_t user_data)
{
	struct ring_completion completion;

	TRY(open_operation_wait(user_data, TRIAL_MS(10000), &completion));
	return ring_client_status(&completion);
}

static enum status call_with(enum call_part part, void *at)
{
	static struct endpoint_buffer received, result;
	static uint8_t bytes[256];
	const struct transfer_descriptor nothing[1] = { { trial.console.handle, TRANSFER_KIND_COPY } };
	const struct endpoint_request request = { .parameters = part == PART_PARAMETERS ? at : bytes,
						  .parameter_bytes = sizeof(bytes),
						  .result = part == PART_RESULT ? at : &result,
						  .result_bytes = sizeof(result.message) + sizeof(bytes),
						  .transfer = part == PART_DESCRIPTORS ? at : nothing,
						  .transfers = part == PART_DESCRIPTORS };
	struct endpoint_answer answer = { .bytes = part == PART_ANSWER ? at : bytes, .byte_count = sizeof(bytes) };
	enum status status, called;

	TRY(endpoint_client_call_submit(scene.facet, &request, 1));
	TRY(ring_client_enter(0, 0));
	status = open_operation_wait(1, 0, &(struct ring_completion){ 0 });
	if (status == STATUS_OK)
		return STATUS_BUFFER_FAULT; /* refused at once */
	struct ring_submission receive = { .opcode = RING_RECEIVE,
					   .capability = scene.endpoint.handle,
					   .argument = { part == PART_RECEIVE ? (uint64_t)at : (uint64_t)&received,
							 sizeof(received.message) + sizeof(bytes), 1 } };
	struct ring_completion completion;

	while ((status = ring_client_call(&receive, &completion)) == STATUS_BUFFER_FAULT)
		receive.argument[0] = (uint64_t)&received;
	TRY(status);
	answer.call = completion.value;
	while ((status = endpoint_client_return(scene.endpoint, &answer)) == STATUS_BUFFER_FAULT)
		answer.bytes = bytes;
	called = finish_call(1);
	if (called == STATUS_OK && status == STATUS_GONE)
		return STATUS_BAD_ARGUMENT; /* one is told of a fault, the other is not */
	return called;
}

static enum status read_parameters(void *at)
{
	return call_with(PART_PARAMETERS, at);
}

static enum status write_received(void *at)
{
	return call_with(PART_RECEIVE, at);
}

static enum status read_answer(void *at)
{
	return call_with(PART_ANSWER, at);
}

static enum status write_result(void *at)
{
	return call_with(PART_RESULT, at);
}

static enum status read_descriptors(void *at)
{
	/* Zeros name nothing: a descriptor without a kind. */
	return call_with(PART_DESCRIPTORS, at);
}

static const struct {
	const char *name;
	enum status (*use)(void *at);
	enum status allowed[4]; /* beside OK and BUFFER_FAULT */
} victims[] = {
	{ "statistics are written", write_statistics, { STATUS_OK } },
	{ "a file is read", write_file, { STATUS_OK } },
	{ "the machine is counted", write_invariants, { STATUS_OK } },
	{ "a name is looked up", read_name, { STATUS_NOT_FOUND } },
	{ "a request is read", read_request, { STATUS_BAD_ARGUMENT, STATUS_TOO_LONG, STATUS_NOT_FOUND } },
	{ "an end is reported", write_exit, { STATUS_OK } },
	{ "a thread's end is reported", write_thread_exit, { STATUS_OK } },
	{ "a thread parks", park, { STATUS_TIMED_OUT, STATUS_GONE, STATUS_WOULD_BLOCK, STATUS_NOT_PRIVATE } },
	{ "parameters are read", read_parameters, { STATUS_OK } },
	{ "a call is received", write_received, { STATUS_OK } },
	{ "an answer is read", read_answer, { STATUS_OK } },
	{ "a result is written", write_result, { STATUS_OK } },
	{ "descriptors are read", read_descriptors, { STATUS_OK } },
};

static bool is_allowed(uint32_t victim, enum status status)
{
	if (status == STATUS_OK || status == STATUS_BUFFER_FAULT)
		return true;
	for (uint32_t i = 0; i < COUNT_OF(victims[victim].allowed); i++) {
		if (victims[victim].allowed[i] == status)
			return true;
	}
	return false;
}

static bool is_canary(const unsigned char *page)
{
	for (uint64_t i = 0; i < PAGE_SIZE; i++) {
		if (page[i] != CANARY)
			return false;
	}
	return true;
}

static void set_scene(bool is_object)
{
	struct process_builder builder;
	void *range;

	EXPECT_OK(trial_map(PAGES + 2, &range));
	memset(range, CANARY, TRIAL_BYTES(PAGES + 2));
	scene.pages = (unsigned char *)range + PAGE_SIZE;
	memset(scene.pages, 0, TRIAL_BYTES(PAGES));
	EXPECT_OK(trial_object(PAGES, &scene.object));
	if (is_object) {
		EXPECT_OK(trial_unmap(scene.pages, PAGES));
		EXPECT_OK(map_object());
	}
	EXPECT_OK(endpoint_client_create(trial.endpoints, &scene.endpoint));
	EXPECT_OK(endpoint_client_make_client(scene.endpoint, 0, true, &scene.facet));
	attack_build(&builder, "nothing", 0);
	EXPECT_OK(trial_child_start(&builder, &scene.ended));
	EXPECT_EQUAL(trial_child_wait(scene.ended).code, 0);
}

static void race(const struct attack *attack)
{
	struct user_thread thread;

	set_scene(disturbers[attack->first].is_object);
	if (trial.broken)
		return;
	trial_thread(&thread, disturb, (void *)(uint64_t)attack->first);
	for (uint32_t round = 0; round < ROUNDS && !attack_is_long_enough(round); round++) {
		const enum status status = victims[attack->second].use(buffer(round));

		if (!is_allowed(attack->second, status))
			trial_break("round %u gives %s", round, status_name(status));
	}
	__atomic_store_n(&scene.stop, 1, __ATOMIC_RELEASE);
	trial_join(&thread, 0);
	EXPECT(is_canary(scene.pages - PAGE_SIZE) && is_canary(scene.pages + TRIAL_BYTES(PAGES)));
}

void buffer_attacks_add(void)
{
	for (uint32_t i = 0; i < COUNT_OF(disturbers); i++) {
		for (uint32_t j = 0; j < COUNT_OF(victims); j++) {
			char subject[40];

			CHECK(string_copy(subject, sizeof(subject), disturbers[i].name));
			CHECK(string_copy(subject + strlen(subject), sizeof(subject) - strlen(subject), " while "));
			struct attack *attack = attack_add(subject, victims[j].name, race, ATTACK_EXITS);

			attack->first = i;
			attack->second = j;
		}
	}
}
