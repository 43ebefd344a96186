/* links: HOST_TASK_KERNEL */
/* Calls that no program should make: each has its answer, negative in the completion, and changes nothing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "abi/boot_package_abi.h"
#include "abi/console_abi.h"
#include "abi/endpoint_abi.h"
#include "abi/frame_allocator_abi.h"
#include "abi/memory_object_abi.h"
#include "abi/process_abi.h"
#include "abi/thread_control_abi.h"
#include "abi/timer_abi.h"
#include "kernel/mem/direct_map.h"
#include "kernel/mem/user_access.h"
#include "lib/check.h"
#include "tests/host/call_scene.h"
#include "tests/host/host_support.h"

#define NONE PROTECTION_NONE
#define READ PROTECTION_READ
#define READ_WRITE (PROTECTION_READ | PROTECTION_WRITE)
#define PAGES(count) ((count)*PAGE_SIZE)
#define FAR (UINT64_C(7) << 40)
#define LENGTH_LIMIT (USER_LIMIT - USER_START)

/* ---- capabilities, opcodes, operations ---- */

static void assert_refused(uint64_t first, enum status expected)
{
	const uint64_t argument[6] = { SCENE_WRITABLE, PAGES(1), 0, 0, 0, 0 };
	struct task_snapshot before;

	task_snapshot_take(&before, scene.process);
	assert_int_equal(call_scene_status(call_scene_submit(first, argument)), expected);
	assert_true(task_snapshot_holds(&before, scene.process));
}

static void test_opcodes(void **state)
{
	(void)state;
	call_scene_begin();
	for (uint32_t opcode = 0; opcode < 256; opcode++) {
		uint64_t word = (uint64_t)scene.memory << 32 | VIRTUAL_MEMORY_DECOMMIT << 16 | opcode;

		if (opcode >= RING_OPCODE_COUNT)
			assert_refused(word, STATUS_UNSUPPORTED);
		for (uint64_t flag = 1 << 8; flag <= 1 << 15; flag <<= 1)
			assert_refused(word | flag, STATUS_UNSUPPORTED);
	}
	assert_refused(RING_NOP, STATUS_OK);
	call_scene_end();
}

/* Only a CALL of a client facet accepts capabilities. */
static void test_accepts(void **state)
{
	(void)state;
	call_scene_begin();

	const handle_t capability[] = {
		scene.memory,    scene.frames,  scene.timer,    scene.console, scene.threads, scene.park,
		scene.endpoints, scene.spawner, scene.endpoint, scene.object,  scene.package, scene.client,
	};

	for (uint32_t opcode = 0; opcode < RING_OPCODE_COUNT; opcode++) {
		for (uint32_t i = 0; i < COUNT_OF(capability); i++) {
			const uint64_t first = actor_first((enum ring_opcode)opcode, 0, capability[i]);

			if (opcode == RING_CALL && capability[i] == scene.client)
				continue;
			for (uint64_t accepts = 1; accepts <= UINT8_MAX; accepts++)
				assert_refused(first | accepts << 8, STATUS_UNSUPPORTED);
		}
	}
	call_scene_end();
}

/* What is for one interface alone is refused on every other one. */
static void test_interfaces(void **state)
{
	(void)state;
	call_scene_begin();

	const handle_t capability[] = {
		scene.memory,    scene.frames,  scene.timer,    scene.console, scene.threads, scene.park,
		scene.endpoints, scene.spawner, scene.endpoint, scene.client,  scene.object,  scene.package,
	};
	const struct {
		enum ring_opcode opcode;
		handle_t fits;
	} opcode[] = {
		{ RING_RECEIVE, scene.endpoint },
		{ RING_RETURN, scene.endpoint },
		{ RING_PARK, scene.park },
		{ RING_UNPARK, scene.park },
	};

	for (uint32_t i = 0; i < COUNT_OF(opcode); i++)
		for (uint32_t j = 0; j < COUNT_OF(capability); j++)
			if (capability[j] != opcode[i].fits)
				assert_refused(actor_first(opcode[i].opcode, 0, capability[j]), STATUS_WRONG_INTERFACE);
	call_scene_end();
}

static void test_operations(void **state)
{
	(void)state;
	call_scene_begin();

	const struct {
		handle_t capability;
		uint32_t operations;
	} interface[] = {
		{ scene.memory, VIRTUAL_MEMORY_OPERATION_COUNT },
		{ scene.frames, FRAME_ALLOCATOR_OPERATION_COUNT },
		{ scene.object, MEMORY_OBJECT_OPERATION_COUNT },
		{ scene.timer, TIMER_OPERATION_COUNT },
		{ scene.console, CONSOLE_OPERATION_COUNT },
		{ scene.threads, THREAD_CONTROL_OPERATION_COUNT },
		{ scene.park, 0 },
		{ scene.endpoints, ENDPOINT_FACTORY_OPERATION_COUNT },
		{ scene.endpoint, ENDPOINT_OPERATION_COUNT },
		{ scene.spawner, PROCESS_SPAWNER_OPERATION_COUNT },
		{ scene.package, BOOT_PACKAGE_OPERATION_COUNT },
	};

	for (uint32_t i = 0; i < COUNT_OF(interface); i++) {
		assert_refused(actor_first(RING_CALL, (uint16_t)interface[i].operations, interface[i].capability),
			       STATUS_UNSUPPORTED);
		assert_refused(actor_first(RING_CALL, UINT16_MAX, interface[i].capability), STATUS_UNSUPPORTED);
	}
	call_scene_end();
}

static void test_capabilities(void **state)
{
	struct ring_completion completion;
	handle_t stale;

	(void)state;
	call_scene_begin();
	completion = COMPLETION_OF(scene.frames, FRAME_ALLOCATOR_ALLOCATE, 1);
	assert_int_equal(call_scene_status(completion), STATUS_OK);
	stale = completion.capability;
	assert_int_equal(call_scene_release(stale), STATUS_OK);

	const handle_t wrong[] = {
		HANDLE_NONE,
		1,
		stale,
		stale + (UINT32_C(1) << HANDLE_GENERATION_SHIFT), /* the next one there, not given out yet */
		scene.memory + (UINT32_C(1) << HANDLE_GENERATION_SHIFT),
		scene.memory & HANDLE_INDEX_MASK,
		scene.memory | UINT32_C(0xffff0000),
		scene.memory + CAP_SLOTS_PER_PAGE,
		scene.memory | HANDLE_INDEX_MASK,
		UINT32_MAX,
	};

	for (uint32_t i = 0; i < COUNT_OF(wrong); i++) {
		for (uint32_t opcode = RING_RECEIVE; opcode <= RING_UNPARK; opcode++)
			assert_refused(actor_first((enum ring_opcode)opcode, 0, wrong[i]), STATUS_NO_SUCH_CAPABILITY);
		for (uint32_t operation = 0; operation < VIRTUAL_MEMORY_OPERATION_COUNT; operation++)
			assert_refused(actor_first(RING_CALL, (uint16_t)operation, wrong[i]),
				       STATUS_NO_SUCH_CAPABILITY);
	}
	completion = COMPLETION_OF(scene.frames, FRAME_ALLOCATOR_ALLOCATE, 1);
	assert_int_equal(completion.capability, stale + (UINT32_C(1) << HANDLE_GENERATION_SHIFT));
	call_scene_end();
}

/* ---- arguments ---- */

enum target {
	MEMORY,
	FRAMES,
	OBJECT
};

struct bad_call {
	enum target target;
	uint16_t operation;
	uint64_t argument[6];
	enum status status;
};

static const struct bad_call bad_calls[] = {
	{ FRAMES, FRAME_ALLOCATOR_ALLOCATE, { 0 }, STATUS_ZERO_LENGTH },
	{ FRAMES, FRAME_ALLOCATOR_ALLOCATE, { 1, 4 }, STATUS_UNSUPPORTED },
	{ FRAMES, FRAME_ALLOCATOR_ALLOCATE, { 1, UINT64_C(1) << 32 }, STATUS_UNSUPPORTED },
	{ FRAMES, FRAME_ALLOCATOR_ALLOCATE, { MEMORY_OBJECT_MAX_PAGES + 1 }, STATUS_TOO_LONG },
	{ FRAMES, FRAME_ALLOCATOR_ALLOCATE, { UINT64_MAX }, STATUS_TOO_LONG },
	{ FRAMES, FRAME_ALLOCATOR_ALLOCATE, { MEMORY_OBJECT_MAX_PAGES }, STATUS_OUT_OF_MEMORY },
	{ FRAMES, FRAME_ALLOCATOR_ALLOCATE, { SCENE_FRAMES }, STATUS_OUT_OF_MEMORY },

	{ OBJECT, MEMORY_OBJECT_MAP, { 0, 0, 0, READ }, STATUS_ZERO_LENGTH },
	{ OBJECT, MEMORY_OBJECT_MAP, { 0, 0, 1, READ }, STATUS_MISALIGNED },
	{ OBJECT, MEMORY_OBJECT_MAP, { 0, 1, PAGES(1), READ }, STATUS_MISALIGNED },
	{ OBJECT, MEMORY_OBJECT_MAP, { FAR + 1, 0, PAGES(1), READ, MEMORY_OBJECT_FIXED }, STATUS_MISALIGNED },
	{ OBJECT, MEMORY_OBJECT_MAP, { 0, 0, PAGES(SCENE_OBJECT_PAGES + 1), READ }, STATUS_BEYOND_OBJECT },
	{ OBJECT, MEMORY_OBJECT_MAP, { 0, PAGES(SCENE_OBJECT_PAGES), PAGES(1), READ }, STATUS_BEYOND_OBJECT },
	{ OBJECT, MEMORY_OBJECT_MAP, { 0, PAGES(SCENE_OBJECT_PAGES - 1), PAGES(2), READ }, STATUS_BEYOND_OBJECT },
	{ OBJECT, MEMORY_OBJECT_MAP, { 0, 0 - PAGES(1), PAGES(2), READ }, STATUS_BEYOND_OBJECT },
	{ OBJECT, MEMORY_OBJECT_MAP, { 0, 0, 0 - PAGES(1), READ }, STATUS_NOT_USER_ADDRESS },
	{ OBJECT, MEMORY_OBJECT_MAP, { 0, 0, PAGES(1), PROTECTION_WRITE }, STATUS_BAD_PROTECTION },
	{ OBJECT, MEMORY_OBJECT_MAP, { 0, 0, PAGES(1), 7 }, STATUS_BAD_PROTECTION },
	{ OBJECT, MEMORY_OBJECT_MAP, { 0, 0, PAGES(1), READ | UINT64_C(1) << 32 }, STATUS_BAD_PROTECTION },
	{ OBJECT, MEMORY_OBJECT_MAP, { 0, 0, PAGES(1), READ, 2 }, STATUS_UNSUPPORTED },
	{ OBJECT, MEMORY_OBJECT_MAP, { 0, 0, PAGES(1), READ, 1 | UINT64_C(1) << 63 }, STATUS_UNSUPPORTED },
	{ OBJECT, MEMORY_OBJECT_MAP, { 0, 0, PAGES(1), READ, 1 }, STATUS_NOT_USER_ADDRESS },
	{ OBJECT, MEMORY_OBJECT_MAP, { CAPSET_ADDRESS, 0, PAGES(1), READ, 1 }, STATUS_BOOTSTRAP_RANGE },
	{ OBJECT, MEMORY_OBJECT_MAP, { BOOTSTRAP_END - PAGES(1), 0, PAGES(2), READ, 1 }, STATUS_BOOTSTRAP_RANGE },
	{ OBJECT, MEMORY_OBJECT_MAP, { SCENE_WRITABLE, 0, PAGES(1), READ, 1 }, STATUS_OCCUPIED },
	{ OBJECT, MEMORY_OBJECT_MAP, { SCENE_RESERVED, 0, PAGES(1), READ, 1 }, STATUS_OCCUPIED },
	{ OBJECT, MEMORY_OBJECT_MAP, { SCENE_GUARD, 0, PAGES(1), READ, 1 }, STATUS_OCCUPIED },
	{ OBJECT, MEMORY_OBJECT_MAP, { SCENE_IMAGE - PAGES(2), 0, PAGES(3), READ, 1 }, STATUS_OCCUPIED },
	{ OBJECT, MEMORY_OBJECT_MAP, { SCENE_MAPPED - PAGES(1), 0, PAGES(2), READ, 1 }, STATUS_OCCUPIED },
	{ OBJECT, MEMORY_OBJECT_UNMAP, { SCENE_MAPPED, 0 }, STATUS_ZERO_LENGTH },
	{ OBJECT, MEMORY_OBJECT_UNMAP, { SCENE_MAPPED, 1 }, STATUS_MISALIGNED },
	{ OBJECT, MEMORY_OBJECT_UNMAP, { SCENE_MAPPED - PAGES(1), PAGES(2) }, STATUS_NOT_BORROWED },
	{ OBJECT, MEMORY_OBJECT_UNMAP, { SCENE_MAPPED, PAGES(SCENE_MAPPED_PAGES + 1) }, STATUS_NOT_BORROWED },
	{ OBJECT, MEMORY_OBJECT_UNMAP, { SCENE_WRITABLE, PAGES(1) }, STATUS_NOT_BORROWED },
	{ OBJECT, MEMORY_OBJECT_UNMAP, { USER_START, LENGTH_LIMIT }, STATUS_BOOTSTRAP_RANGE },
	{ OBJECT, MEMORY_OBJECT_UNMAP, { BOOTSTRAP_END, USER_LIMIT - BOOTSTRAP_END }, STATUS_NOT_BORROWED },
	{ OBJECT, MEMORY_OBJECT_UNMAP, { 0 - PAGES(1), PAGES(2) }, STATUS_RANGE_WRAPS },
	{ OBJECT, MEMORY_OBJECT_PROTECT, { SCENE_MAPPED, PAGES(1), 6 }, STATUS_BAD_PROTECTION },
	{ OBJECT, MEMORY_OBJECT_PROTECT, { SCENE_MAPPED, PAGES(SCENE_MAPPED_PAGES + 1), NONE }, STATUS_NOT_BORROWED },
	{ OBJECT, MEMORY_OBJECT_PROTECT, { SCENE_IMAGE, PAGES(1), READ_WRITE }, STATUS_NOT_BORROWED },
	{ OBJECT, MEMORY_OBJECT_INFO, { SCENE_WRITABLE, 31 }, STATUS_TOO_LONG },

	{ MEMORY, VIRTUAL_MEMORY_MAP, { 0, 0, READ }, STATUS_ZERO_LENGTH },
	{ MEMORY, VIRTUAL_MEMORY_MAP, { 0, PAGES(1) + 1, READ }, STATUS_MISALIGNED },
	{ MEMORY, VIRTUAL_MEMORY_MAP, { 0, LENGTH_LIMIT + PAGES(1), READ }, STATUS_NOT_USER_ADDRESS },
	{ MEMORY, VIRTUAL_MEMORY_MAP, { 0, LENGTH_LIMIT, READ }, STATUS_NO_SPACE },
	{ MEMORY, VIRTUAL_MEMORY_MAP, { 0, PAGES(SCENE_FRAMES), READ }, STATUS_OUT_OF_MEMORY },
	{ MEMORY, VIRTUAL_MEMORY_MAP, { 0, PAGES(1), 8 }, STATUS_BAD_PROTECTION },
	{ MEMORY, VIRTUAL_MEMORY_MAP, { 0, PAGES(1), READ, 4 }, STATUS_UNSUPPORTED },
	{ MEMORY, VIRTUAL_MEMORY_MAP, { SCENE_MAPPED, PAGES(1), READ, 3 }, STATUS_OCCUPIED },
	{ MEMORY, VIRTUAL_MEMORY_MAP, { 0, PAGES(1), 8, 2 }, STATUS_BAD_PROTECTION },
	{ MEMORY, VIRTUAL_MEMORY_MAP, { SCENE_MAPPED, PAGES(1), READ, 1 }, STATUS_OCCUPIED },
	{ MEMORY, VIRTUAL_MEMORY_MAP, { RING_ADDRESS, PAGES(1), READ, 1 }, STATUS_BOOTSTRAP_RANGE },
	{ MEMORY, VIRTUAL_MEMORY_MAP, { USER_LIMIT, PAGES(1), READ, 1 }, STATUS_NOT_USER_ADDRESS },
	{ MEMORY, VIRTUAL_MEMORY_RESERVE, { FAR, 0 - PAGES(1), 1 }, STATUS_RANGE_WRAPS },
	{ MEMORY, VIRTUAL_MEMORY_RESERVE, { 0, PAGES(1), UINT64_C(1) << 40 }, STATUS_UNSUPPORTED },
	{ MEMORY, VIRTUAL_MEMORY_RESERVE, { 0, PAGES(1), 2 }, STATUS_UNSUPPORTED },
	{ MEMORY, VIRTUAL_MEMORY_RESERVE, { SCENE_END - PAGES(1), PAGES(2), 1 }, STATUS_OCCUPIED },
	{ MEMORY, VIRTUAL_MEMORY_COMMIT, { SCENE_RESERVED, PAGES(1), 2 }, STATUS_BAD_PROTECTION },
	{ MEMORY, VIRTUAL_MEMORY_COMMIT, { SCENE_RESERVED, PAGES(4), READ }, STATUS_NOT_RESERVED },
	{ MEMORY, VIRTUAL_MEMORY_COMMIT, { SCENE_MAPPED, PAGES(1), READ }, STATUS_NOT_RESERVED },
	{ MEMORY, VIRTUAL_MEMORY_COMMIT, { SCENE_GUARD, PAGES(1), READ }, STATUS_NOT_RESERVED },
	{ MEMORY, VIRTUAL_MEMORY_COMMIT, { SCENE_RESERVED, PAGES(1), READ, 1 }, STATUS_UNSUPPORTED },
	{ MEMORY, VIRTUAL_MEMORY_COMMIT, { SCENE_RESERVED, PAGES(1), READ, 4 }, STATUS_UNSUPPORTED },
	{ MEMORY, VIRTUAL_MEMORY_COMMIT, { SCENE_RESERVED, PAGES(4), READ, 2 }, STATUS_NOT_RESERVED },
	{ MEMORY, VIRTUAL_MEMORY_COMMIT, { SCENE_IMAGE, PAGES(1), READ, 2 }, STATUS_NOT_RESERVED },
	{ MEMORY, VIRTUAL_MEMORY_DECOMMIT, { SCENE_IMAGE, PAGES(1) }, STATUS_NOT_RESERVED },
	{ MEMORY, VIRTUAL_MEMORY_DECOMMIT, { SCENE_WRITABLE - PAGES(1), PAGES(2) }, STATUS_NOT_RESERVED },
	{ MEMORY, VIRTUAL_MEMORY_PROTECT, { SCENE_READABLE, PAGES(2), READ_WRITE }, STATUS_NOT_COMMITTED },
	{ MEMORY, VIRTUAL_MEMORY_PROTECT, { SCENE_IMAGE, PAGES(1), READ_WRITE }, STATUS_NOT_RESERVED },
	{ MEMORY, VIRTUAL_MEMORY_PROTECT, { SCENE_MAPPED, PAGES(1), READ }, STATUS_NOT_RESERVED },
	{ MEMORY, VIRTUAL_MEMORY_PROTECT, { RING_ADDRESS, PAGES(1), READ }, STATUS_BOOTSTRAP_RANGE },
	{ MEMORY, VIRTUAL_MEMORY_PROTECT, { SCENE_READABLE, PAGES(1), 7 }, STATUS_BAD_PROTECTION },
	{ MEMORY, VIRTUAL_MEMORY_UNMAP, { SCENE_MAPPED, PAGES(1) }, STATUS_NOT_RESERVED },
	{ MEMORY, VIRTUAL_MEMORY_UNMAP, { SCENE_IMAGE, PAGES(1) }, STATUS_NOT_RESERVED },
	{ MEMORY, VIRTUAL_MEMORY_UNMAP, { SCENE_WRITABLE, SCENE_IMAGE - SCENE_WRITABLE }, STATUS_NOT_RESERVED },
	{ MEMORY, VIRTUAL_MEMORY_UNMAP, { SCENE_WRITABLE + 8, PAGES(1) }, STATUS_MISALIGNED },
	{ MEMORY, VIRTUAL_MEMORY_UNMAP, { CAPSET_ADDRESS, PAGES(1) }, STATUS_BOOTSTRAP_RANGE },
	{ MEMORY, VIRTUAL_MEMORY_UNMAP, { 0, PAGES(16) }, STATUS_NOT_USER_ADDRESS },
	{ MEMORY, VIRTUAL_MEMORY_QUERY, { USER_LIMIT, SCENE_WRITABLE, 24 }, STATUS_NOT_USER_ADDRESS },
	{ MEMORY, VIRTUAL_MEMORY_QUERY, { UINT64_MAX, SCENE_WRITABLE, 24 }, STATUS_NOT_USER_ADDRESS },
	{ MEMORY, VIRTUAL_MEMORY_QUERY, { SCENE_IMAGE, SCENE_WRITABLE, 23 }, STATUS_TOO_LONG },
	{ MEMORY, VIRTUAL_MEMORY_STATISTICS, { SCENE_WRITABLE, 159 }, STATUS_TOO_LONG },
	{ MEMORY, VIRTUAL_MEMORY_BREAK, { SCENE_END }, STATUS_UNSUPPORTED }, /* the scene has no heap */
};

static handle_t handle_of(enum target target)
{
	const handle_t handle[] = { [MEMORY] = scene.memory, [FRAMES] = scene.frames, [OBJECT] = scene.object };

	return handle[target];
}

static void test_arguments(void **state)
{
	struct task_snapshot before;

	(void)state;
	call_scene_begin();
	task_snapshot_take(&before, scene.process);
	for (uint32_t i = 0; i < COUNT_OF(bad_calls); i++) {
		const struct bad_call *bad = &bad_calls[i];
		uint64_t first = actor_first(RING_CALL, bad->operation, handle_of(bad->target));

		assert_int_equal(call_scene_status(call_scene_submit(first, bad->argument)), bad->status);
		assert_true(task_snapshot_holds(&before, scene.process));
	}
	/* Mapped pages are not the other object's to change. */
	assert_int_equal(STATUS_OF(scene.other, MEMORY_OBJECT_UNMAP, SCENE_MAPPED, PAGE_SIZE), STATUS_OTHER_OBJECT);
	assert_int_equal(STATUS_OF(scene.other, MEMORY_OBJECT_PROTECT, SCENE_MAPPED, PAGE_SIZE, NONE),
			 STATUS_OTHER_OBJECT);
	assert_true(task_snapshot_holds(&before, scene.process));
	call_scene_end();
}

/* ---- result buffers ---- */

struct buffer {
	uint64_t end; /* the buffer ends here */
	enum status status;
};

/* By their ends, so that a buffer of any size begins on the page before. */
static const struct buffer buffers[] = {
	{ SCENE_WRITABLE + PAGES(1), STATUS_OK },
	{ SCENE_WRITABLE + PAGES(1) + 1, STATUS_OK }, /* over a page boundary */
	{ SCENE_READABLE, STATUS_OK },
	{ SCENE_READABLE + 1, STATUS_BUFFER_FAULT },
	{ SCENE_READABLE + PAGES(1), STATUS_BUFFER_FAULT },
	{ SCENE_RESERVED + PAGES(1), STATUS_BUFFER_FAULT },
	{ SCENE_NO_ACCESS + PAGES(1), STATUS_BUFFER_FAULT },
	{ SCENE_EXECUTABLE + PAGES(1), STATUS_BUFFER_FAULT },
	{ SCENE_END + 1, STATUS_BUFFER_FAULT },
	{ SCENE_WRITABLE + 1, STATUS_BUFFER_FAULT }, /* nothing before it */
	{ SCENE_IMAGE + PAGES(1), STATUS_BUFFER_FAULT },
	{ SCENE_GUARD + PAGES(1), STATUS_BUFFER_FAULT },
	{ SCENE_MAPPED + 1, STATUS_BUFFER_FAULT },
	{ SCENE_MAPPED + PAGES(1), STATUS_OK }, /* a page of a memory object is as good as any */
	{ SCENE_MAPPED + PAGES(SCENE_MAPPED_PAGES) + 1, STATUS_BUFFER_FAULT },
	{ CAPSET_ADDRESS + PAGES(1), STATUS_BUFFER_FAULT },
	{ RING_ADDRESS + PAGES(1), STATUS_OK }, /* its own ring is its own affair */
	{ USER_START, STATUS_BUFFER_FAULT },
	{ USER_START + 1, STATUS_BUFFER_FAULT },
	{ 200, STATUS_BUFFER_FAULT },
	{ USER_LIMIT, STATUS_BUFFER_FAULT },
	{ USER_LIMIT + 1, STATUS_NOT_USER_ADDRESS },
	{ UINT64_C(1) << 47, STATUS_NOT_USER_ADDRESS },
	{ (UINT64_C(1) << 47) + 1000, STATUS_NOT_USER_ADDRESS },
	{ UINT64_C(1) << 62, STATUS_NOT_USER_ADDRESS },
	{ DIRECT_MAP_START + PAGES(300), STATUS_NOT_USER_ADDRESS },
	{ UINT64_C(0xffffffff80100000), STATUS_NOT_USER_ADDRESS },
	{ UINT64_MAX, STATUS_NOT_USER_ADDRESS },
	{ 0, STATUS_RANGE_WRAPS },
	{ 7, STATUS_RANGE_WRAPS },
};

/* A call that answers with a struct: where its buffer's arguments are. */
struct answer {
	enum target target;
	uint16_t operation;
	uint32_t buffer; /* argument of its address; the next one is its length */
	uint64_t bytes;
};

static const struct answer answers[] = {
	{ OBJECT, MEMORY_OBJECT_INFO, 0, sizeof(struct memory_object_info) },
	{ MEMORY, VIRTUAL_MEMORY_QUERY, 1, sizeof(struct virtual_memory_region) },
	{ MEMORY, VIRTUAL_MEMORY_STATISTICS, 0, sizeof(struct memory_statistics) },
};

static enum status ask(const struct answer *answer, uint64_t address, uint64_t bytes)
{
	uint64_t argument[6] = { SCENE_IMAGE };

	argument[answer->buffer] = address;
	argument[answer->buffer + 1] = bytes;
	return call_scene_status(
		call_scene_submit(actor_first(RING_CALL, answer->operation, handle_of(answer->target)), argument));
}

static void test_buffers(void **state)
{
	struct task_snapshot before;

	(void)state;
	for (uint32_t i = 0; i < COUNT_OF(answers); i++) {
		const struct answer *answer = &answers[i];

		call_scene_begin();
		for (uint32_t j = 0; j < COUNT_OF(buffers); j++) {
			uint64_t address = buffers[j].end - answer->bytes;

			task_snapshot_take(&before, scene.process);
			assert_int_equal(ask(answer, address, answer->bytes - 1), STATUS_TOO_LONG);
			assert_int_equal(ask(answer, address, 0), STATUS_TOO_LONG);
			assert_true(task_snapshot_holds(&before, scene.process));
			assert_int_equal(ask(answer, address, answer->bytes), buffers[j].status);
			if (buffers[j].status != STATUS_OK)
				assert_true(task_snapshot_holds(&before, scene.process));
			/* More room than the answer needs is never looked at. */
			assert_int_equal(ask(answer, address, UINT64_MAX), buffers[j].status);
		}
		call_scene_end();
	}
}

/* Not a byte before the buffer, not a byte behind it, and the numbers that the kernel has. */
static void test_answers(void **state)
{
	static uint8_t before[2 * 4096];
	static uint8_t after[2 * 4096];
	const uint64_t offset = PAGE_SIZE - 13;
	struct memory_statistics statistics;
	struct virtual_memory_region region;

	(void)state;
	call_scene_begin();
	for (uint32_t i = 0; i < COUNT_OF(answers); i++) {
		uint64_t end = offset + answers[i].bytes;

		assert_int_equal(user_access_read(&scene.process->space, SCENE_WRITABLE, sizeof(before), before),
				 STATUS_OK);
		assert_int_equal(ask(&answers[i], SCENE_WRITABLE + offset, PAGES(1)), STATUS_OK);
		assert_int_equal(user_access_read(&scene.process->space, SCENE_WRITABLE, sizeof(after), after),
				 STATUS_OK);
		assert_memory_equal(before, after, offset);
		assert_memory_equal(before + end, after + end, sizeof(after) - end);
		assert_memory_not_equal(before + offset, after + offset, answers[i].bytes);
		if (answers[i].operation == VIRTUAL_MEMORY_STATISTICS && answers[i].target == MEMORY) {
			process_read_statistics(scene.process, &statistics);
			assert_memory_equal(after + offset, &statistics, sizeof(statistics));
		} else if (answers[i].target == MEMORY) {
			memcpy(&region, after + offset, sizeof(region));
			assert_int_equal(region.start, SCENE_IMAGE);
			assert_int_equal(region.end, SCENE_IMAGE + PAGE_SIZE);
			assert_int_equal(region.kind, PAGE_IMAGE);
			assert_int_equal(region.protection, READ);
		}
	}
	call_scene_end();
}

/* ---- anything at all ---- */

static uint64_t odd_argument(struct host_random *random)
{
	static const uint64_t places[] = {
		0,           SCENE_WRITABLE, SCENE_READABLE, SCENE_RESERVED, SCENE_END,  SCENE_EXECUTABLE,
		SCENE_IMAGE, SCENE_GUARD,    SCENE_MAPPED,   CAPSET_ADDRESS, USER_LIMIT, FAR
	};

	switch (host_random_below(random, 8)) {
	case 0:
	case 1:
		return host_random_below(random, 4);
	case 2:
	case 3:
	case 4:
		return PAGES(host_random_below(random, 30));
	case 5:
		return host_random_u64(random) >> host_random_below(random, 64);
	default:
		return places[host_random_below(random, COUNT_OF(places))] + PAGES(host_random_below(random, 5)) +
		       (host_random_once_in(random, 6) ? 3 : 0);
	}
}

/* A buffer in the ring page is fine for the kernel, but would confuse this test. */
static bool is_near_ring(uint64_t argument)
{
	return argument + PAGES(1) > RING_ADDRESS && argument < RING_ADDRESS + PAGES(1);
}

/* Half of them in the order that most operations want: where, how much, how. */
static void odd_arguments(struct host_random *random, uint64_t argument[6])
{
	for (uint32_t i = 0; i < 6; i++)
		do
			argument[i] = odd_argument(random);
		while (is_near_ring(argument[i]));
	if (host_random_once_in(random, 2))
		return;
	argument[0] = SCENE_WRITABLE + PAGES(host_random_below(random, 12));
	argument[1] = PAGES(host_random_below(random, 4));
	argument[2] = PAGES(host_random_below(random, 4));
	argument[host_random_once_in(random, 2) ? 2 : 3] = host_random_below(random, 4);
	argument[4] = host_random_below(random, 2);
}

/* Capabilities that a changed bit may name, with operations that stay open, or end the thread. */
static bool may_not_complete(handle_t capability)
{
	return capability == scene.timer || capability == scene.console || capability == scene.threads ||
	       capability == scene.park || capability == scene.endpoint || capability == scene.client;
}

static uint64_t odd_first(struct host_random *random, handle_t *known)
{
	uint64_t chosen = host_random_below(random, 16); /* memory half the time */
	handle_t capability = known[chosen < 8 ? chosen : 0];

	if (host_random_once_in(random, 20))
		capability ^= UINT32_C(1) << host_random_below(random, 32);
	if (may_not_complete(capability))
		capability = HANDLE_NONE;
	if (capability != scene.memory && capability != scene.frames && host_random_once_in(random, 5))
		return (uint64_t)capability << 32 | RING_RELEASE;
	return (uint64_t)capability << 32 | host_random_below(random, 9) << 16 |
	       (host_random_once_in(random, 20) ? host_random_below(random, 1024) : RING_CALL);
}

/* A few steps from the scene's beginning. How many were not refused. */
static uint64_t wander(struct host_random *random)
{
	handle_t known[8];
	uint64_t accepted = 0;

	call_scene_begin();
	machine_set_limit(&scene.process->account, LEDGER_FRAME_GRANT,
			  scene.process->account.ledger.of[LEDGER_FRAME_GRANT].used + 150);
	for (uint32_t i = 0; i < COUNT_OF(known); i++)
		known[i] = i == 0 ? scene.memory : i == 1 ? scene.frames : i % 2 == 0 ? scene.object : scene.other;
	for (uint32_t step = 0; step < 100; step++) {
		uint64_t first = odd_first(random, known);
		struct ring_completion completion;
		struct task_snapshot before;
		uint64_t argument[6];

		odd_arguments(random, argument);
		task_snapshot_take(&before, scene.process);
		completion = call_scene_submit(first, argument);
		if (call_scene_status(completion) != STATUS_OK) {
			assert_true(task_snapshot_holds(&before, scene.process));
			continue;
		}
		accepted++;
		assert_true(process_is_valid(scene.process));
		if (completion.capability != HANDLE_NONE) /* memory and frames stay known */
			known[2 + host_random_below(random, 6)] = completion.capability;
	}
	call_scene_end();
	return accepted;
}

static void test_anything(void **state)
{
	uint64_t rounds = host_rounds(300);
	struct host_random random;
	uint64_t accepted = 0;

	(void)state;
	host_random_init(&random, "call_refusals", 21);
	for (uint64_t round = 0; round < rounds; round++)
		accepted += wander(&random);
	print_message("%u of %u calls accepted\n", (unsigned)accepted, (unsigned)rounds * 100);
	assert_true(accepted > rounds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opcodes),      cmocka_unit_test(test_accepts),
		cmocka_unit_test(test_interfaces),   cmocka_unit_test(test_operations),
		cmocka_unit_test(test_capabilities), cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_buffers),      cmocka_unit_test(test_answers),
		cmocka_unit_test(test_anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
