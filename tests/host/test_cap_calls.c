/* links: HOST_TASK_KERNEL */
/* Calls through a ring: each refused where something can run out, and then nothing has changed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "abi/endpoint_abi.h"
#include "abi/frame_allocator_abi.h"
#include "abi/memory_object_abi.h"
#include "abi/timer_abi.h"
#include "kernel/cap/dispatch.h"
#include "kernel/mem/kernel_stack.h"
#include "kernel/mem/user_access.h"
#include "lib/check.h"
#include "tests/host/call_scene.h"
#include "tests/host/sweep.h"

#define READ_WRITE (PROTECTION_READ | PROTECTION_WRITE)
#define GIB (UINT64_C(1) << 30)
#define FREE_PLACE (7 * GIB - 4 * PAGE_SIZE) /* nothing around it; over a boundary of two levels */
#define MOST_LIMITS 3000u
#define FIRST_GENERATION (UINT32_C(1) << HANDLE_GENERATION_SHIFT)

/* ---- the operations ---- */

static enum status allocate(uint64_t pages, uint64_t flags)
{
	handle_t next = FIRST_GENERATION | scene.process->caps.used; /* no slot was freed before */
	struct ring_completion completion = COMPLETION_OF(scene.frames, FRAME_ALLOCATOR_ALLOCATE, pages, flags);
	enum status status = call_scene_status(completion);

	if (status == STATUS_OK) {
		assert_int_equal(completion.flags, COMPLETION_HAS_CAPABILITY);
		assert_int_equal(completion.capability, next);
		assert_int_equal(completion.interface, INTERFACE_MEMORY_OBJECT);
		assert_int_equal(completion.value, 0);
	}
	return status;
}

static enum status allocate_one(void)
{
	return allocate(1, 0);
}

static enum status allocate_scattered(void)
{
	return allocate(1100, 0);
}

static enum status allocate_contiguous(void)
{
	return allocate(300, FRAME_ALLOCATOR_CONTIGUOUS);
}

static enum status allocate_aligned(void)
{
	return allocate(520, FRAME_ALLOCATOR_ALIGN_2MIB);
}

static enum status map_object(void)
{
	return STATUS_OF(scene.object, MEMORY_OBJECT_MAP, 0, PAGE_SIZE, 600 * PAGE_SIZE, PROTECTION_READ, 0);
}

static enum status map_object_fixed(void)
{
	return STATUS_OF(scene.object, MEMORY_OBJECT_MAP, FREE_PLACE, 100 * PAGE_SIZE, 8 * PAGE_SIZE, READ_WRITE,
			 MEMORY_OBJECT_FIXED);
}

static enum status unmap_object(void)
{
	return STATUS_OF(scene.object, MEMORY_OBJECT_UNMAP, SCENE_MAPPED, SCENE_MAPPED_PAGES * PAGE_SIZE);
}

static enum status protect_object(void)
{
	return STATUS_OF(scene.object, MEMORY_OBJECT_PROTECT, SCENE_MAPPED + PAGE_SIZE, 10 * PAGE_SIZE,
			 PROTECTION_NONE);
}

static enum status object_info(void)
{
	return STATUS_OF(scene.object, MEMORY_OBJECT_INFO, SCENE_WRITABLE + PAGE_SIZE - 5,
			 sizeof(struct memory_object_info));
}

static enum status release_object(void)
{
	return call_scene_release(scene.object);
}

static enum status release_timer(void)
{
	return call_scene_release(scene.timer);
}

static enum status map_memory(void)
{
	return STATUS_OF(scene.memory, VIRTUAL_MEMORY_MAP, FREE_PLACE, 600 * PAGE_SIZE, READ_WRITE,
			 VIRTUAL_MEMORY_FIXED);
}

static enum status reserve_memory(void)
{
	return STATUS_OF(scene.memory, VIRTUAL_MEMORY_RESERVE, FREE_PLACE, 3 * GIB, VIRTUAL_MEMORY_FIXED);
}

static enum status commit_memory(void)
{
	return STATUS_OF(scene.memory, VIRTUAL_MEMORY_COMMIT, SCENE_WRITABLE, SCENE_END - SCENE_WRITABLE, READ_WRITE);
}

static enum status decommit_memory(void)
{
	return STATUS_OF(scene.memory, VIRTUAL_MEMORY_DECOMMIT, SCENE_WRITABLE, SCENE_END - SCENE_WRITABLE);
}

static enum status protect_memory(void)
{
	return STATUS_OF(scene.memory, VIRTUAL_MEMORY_PROTECT, SCENE_NO_ACCESS, 2 * PAGE_SIZE, READ_WRITE);
}

static enum status unmap_memory(void)
{
	return STATUS_OF(scene.memory, VIRTUAL_MEMORY_UNMAP, SCENE_WRITABLE + PAGE_SIZE, 3 * PAGE_SIZE);
}

static enum status query_memory(void)
{
	return STATUS_OF(scene.memory, VIRTUAL_MEMORY_QUERY, SCENE_READABLE, SCENE_WRITABLE,
			 sizeof(struct virtual_memory_region));
}

static enum status read_statistics(void)
{
	return STATUS_OF(scene.memory, VIRTUAL_MEMORY_STATISTICS, SCENE_WRITABLE + 1, sizeof(struct memory_statistics));
}

static enum status restrict_object(void)
{
	return STATUS_OF(scene.object, MEMORY_OBJECT_RESTRICT, PAGE_SIZE, 5 * PAGE_SIZE, MEMORY_OBJECT_READ_ONLY);
}

static enum status create_endpoint(void)
{
	return STATUS_OF(scene.endpoints, ENDPOINT_FACTORY_CREATE, 0);
}

static enum status make_client(void)
{
	return STATUS_OF(scene.endpoint, ENDPOINT_MAKE_CLIENT, 99, 1);
}

static enum status endpoint_statistics(void)
{
	return STATUS_OF(scene.endpoint, ENDPOINT_STATISTICS, SCENE_WRITABLE, sizeof(struct endpoint_statistics));
}

struct call_case {
	enum status (*run)(void);
	uint32_t slots;    /* used before it, at least */
	uint32_t promises; /* that it makes; ANY: as many as it needs */
};

#define ANY UINT32_MAX

/* An allocation promises the page of its slot, if the table must grow; its frames; and perhaps a slab's frame. */
static struct call_case operations[] = {
	{ allocate_one, 0, 1 },
	{ allocate_one, CAP_SLOTS_PER_PAGE, 2 },
	{ allocate_scattered, 0, 1 },
	{ allocate_scattered, CAP_SLOTS_PER_PAGE, 2 },
	{ allocate_contiguous, 0, 1 },
	{ allocate_contiguous, CAP_SLOTS_PER_PAGE, 2 },
	{ allocate_aligned, 0, 1 },
	{ allocate_aligned, CAP_SLOTS_PER_PAGE, 2 },
	{ map_object, 0, 1 },
	{ map_object_fixed, 0, 1 },
	{ unmap_object, 0, 0 },
	{ protect_object, 0, 0 },
	{ object_info, 0, 0 },
	{ release_object, 0, 0 },
	{ release_timer, 0, 0 },
	{ map_memory, 0, 1 },
	{ reserve_memory, 0, 1 },
	{ commit_memory, 0, 1 },
	{ decommit_memory, 0, ANY },
	{ protect_memory, 0, ANY },
	{ unmap_memory, 0, ANY },
	{ query_memory, 0, 0 },
	{ read_statistics, 0, 0 },
	{ restrict_object, 0, 0 },
	{ restrict_object, CAP_SLOTS_PER_PAGE, 1 },
	{ create_endpoint, 0, 0 },
	{ create_endpoint, CAP_SLOTS_PER_PAGE, 1 },
	{ make_client, 0, 0 },
	{ make_client, CAP_SLOTS_PER_PAGE, 1 },
	{ endpoint_statistics, 0, 0 },
};

static void begin(const struct call_case *operation)
{
	call_scene_begin();
	call_scene_fill_table(operation->slots);
}

/* ---- what runs out ---- */

static struct task_snapshot snapshot;

static enum status run(void *operation)
{
	return ((const struct call_case *)operation)->run();
}

static void remember(void *operation)
{
	(void)operation;
	task_snapshot_take(&snapshot, scene.process);
}

static bool is_unchanged(void *operation)
{
	(void)operation;
	return task_snapshot_holds(&snapshot, scene.process);
}

static void leave_room(void *operation, enum ledger_kind kind, uint64_t room)
{
	struct account *account = &scene.process->account;

	(void)operation;
	machine_set_limit(account, kind, account->ledger.of[kind].used + room);
}

static struct sweep sweep_of(struct call_case *operation)
{
	return (struct sweep){ operation, run, remember, is_unchanged, leave_room, MOST_LIMITS };
}

static void test_refused_promise(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < COUNT_OF(operations); i++) {
		struct sweep sweep = sweep_of(&operations[i]);
		uint64_t promises;

		begin(&operations[i]);
		promises = sweep_promises(&sweep);
		if (operations[i].promises != ANY)
			assert_int_equal(promises, operations[i].promises);
		call_scene_end();
	}
}

static void learn_needs(const struct call_case *operation, uint64_t needs[LEDGER_COUNT])
{
	struct memory_statistics before;
	struct memory_statistics after;

	begin(operation);
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		machine_set_limit(&scene.process->account, (enum ledger_kind)kind, TASK_MACHINE_PLENTY);
	process_read_statistics(scene.process, &before);
	assert_int_equal(operation->run(), STATUS_OK);
	process_read_statistics(scene.process, &after);
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		needs[kind] = after.ledger[kind].peak - before.ledger[kind].used;
	call_scene_end();
}

static void test_limited_ledger(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < COUNT_OF(operations); i++) {
		struct sweep sweep = sweep_of(&operations[i]);
		uint64_t needs[LEDGER_COUNT];

		learn_needs(&operations[i], needs);
		for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++) {
			const struct resource_ledger *ledger;

			if (needs[kind] == 0)
				continue;
			begin(&operations[i]);
			sweep_ledger(&sweep, (enum ledger_kind)kind, needs[kind]);
			ledger = &scene.process->account.ledger;
			assert_int_equal(resource_ledger_peak(ledger, (enum ledger_kind)kind), ledger->of[kind].limit);
			call_scene_end();
		}
	}
}

/* Frames enough, but no two of them side by side. */
static void test_no_run(void **state)
{
	static frame_t taken[SCENE_FRAMES];
	static const uint32_t slots[] = { 0, CAP_SLOTS_PER_PAGE };
	struct task_snapshot before;

	(void)state;
	for (uint32_t i = 0; i < COUNT_OF(slots); i++) {
		uint32_t count = 0;

		call_scene_begin();
		call_scene_fill_table(slots[i]);
		while (frame_allocate(FRAME_KERNEL, NULL, &taken[count]) == STATUS_OK)
			count++;
		for (uint32_t j = 0; j < count; j++)
			if (frame_to_u64(taken[j]) % 2 == 0)
				frame_free(taken[j], FRAME_KERNEL, NULL);
		task_snapshot_take(&before, scene.process);
		assert_int_equal(allocate(2, FRAME_ALLOCATOR_CONTIGUOUS), STATUS_NO_CONTIGUOUS_RUN);
		assert_int_equal(allocate(512, FRAME_ALLOCATOR_ALIGN_2MIB), STATUS_NO_CONTIGUOUS_RUN);
		assert_int_equal(allocate(SCENE_FRAMES, 0), STATUS_OUT_OF_MEMORY);
		assert_true(task_snapshot_holds(&before, scene.process));
		assert_int_equal(allocate(100, 0), STATUS_OK);
		for (uint32_t j = 0; j < count; j++)
			if (frame_to_u64(taken[j]) % 2 != 0)
				frame_free(taken[j], FRAME_KERNEL, NULL);
		call_scene_end();
	}
}

/* The last id but none: objects are refused as any capability is. */
static void test_full_table(void **state)
{
	struct task_snapshot before;
	handle_t kept;

	(void)state;
	call_scene_begin();
	call_scene_fill_table(CAP_TABLE_MAX_SLOTS - 1);
	assert_int_equal(allocate_one(), STATUS_OK);
	kept = scene.timer;
	task_snapshot_take(&before, scene.process);
	assert_int_equal(allocate(1, 0), STATUS_OVER_CAP_SLOTS);
	assert_int_equal(allocate(600, FRAME_ALLOCATOR_CONTIGUOUS), STATUS_OVER_CAP_SLOTS);
	assert_true(task_snapshot_holds(&before, scene.process));
	assert_int_equal(call_scene_release(kept), STATUS_OK);
	assert_int_equal(COMPLETION_OF(scene.frames, FRAME_ALLOCATOR_ALLOCATE, 1).capability, kept + FIRST_GENERATION);
	call_scene_end();
}

/* ---- what an object is worth ---- */

static uint64_t used(enum ledger_kind kind)
{
	struct memory_statistics statistics;

	process_read_statistics(scene.process, &statistics);
	return statistics.ledger[kind].used;
}

static struct memory_object_info info_of(handle_t object)
{
	struct memory_object_info info;
	struct ring_completion completion =
		COMPLETION_OF(object, MEMORY_OBJECT_INFO, SCENE_WRITABLE, sizeof(struct memory_object_info));

	assert_int_equal(call_scene_status(completion), STATUS_OK);
	assert_int_equal(user_access_read(&scene.process->space, SCENE_WRITABLE, sizeof(info), &info), STATUS_OK);
	assert_int_equal(completion.value, info.page_count);
	assert_int_equal(info.size, info.page_count * PAGE_SIZE);
	return info;
}

static bool is_zero(uint64_t address, uint64_t bytes)
{
	for (uint64_t i = 0; i < bytes; i += sizeof(uint64_t)) {
		uint64_t word;

		if (user_access_read(&scene.process->space, address + i, sizeof(word), &word) != STATUS_OK || word != 0)
			return false;
	}
	return true;
}

/* One object of each kind from beginning to end: ledgers, zeroed pages, its numbers, one frame for each page. */
static void live_through(uint64_t pages, uint64_t flags)
{
	uint64_t granted = used(LEDGER_FRAME_GRANT);
	uint64_t bytes = used(LEDGER_KERNEL_OBJECT);
	struct ring_completion completion = COMPLETION_OF(scene.frames, FRAME_ALLOCATOR_ALLOCATE, pages, flags);
	handle_t object = completion.capability;
	uint64_t free_before;
	uint64_t start;

	assert_int_equal(call_scene_status(completion), STATUS_OK);
	assert_int_equal(used(LEDGER_FRAME_GRANT), granted + pages);
	assert_int_equal(used(LEDGER_KERNEL_OBJECT), bytes + memory_object_kernel_bytes(pages, flags));
	completion = COMPLETION_OF(object, MEMORY_OBJECT_MAP, 0, 0, pages * PAGE_SIZE, READ_WRITE);
	assert_int_equal(call_scene_status(completion), STATUS_OK);
	start = completion.value;
	assert_true(is_zero(start, pages * PAGE_SIZE));
	assert_int_equal(used(LEDGER_FRAME_GRANT), granted + 2 * pages);
	assert_int_equal(info_of(object).page_count, pages);
	assert_int_equal(info_of(object).mapped_pages, pages);
	assert_int_equal(info_of(object).holds, 1);
	assert_int_equal(info_of(object).flags, flags != 0 ? FRAME_ALLOCATOR_CONTIGUOUS : 0);
	for (uint64_t page = 0; page < pages; page++)
		assert_int_equal(user_access_write(&scene.process->space, start + page * PAGE_SIZE, 8, &page),
				 STATUS_OK);
	assert_int_equal(STATUS_OF(object, MEMORY_OBJECT_UNMAP, start + PAGE_SIZE, (pages - 1) * PAGE_SIZE), STATUS_OK);
	free_before = frame_free_count();
	assert_int_equal(call_scene_release(object), STATUS_OK);
	assert_true(frame_free_count() >= free_before + pages - 1);
	assert_int_equal(used(LEDGER_FRAME_GRANT), granted + 1); /* the mapping that is left */
	assert_int_equal(used(LEDGER_KERNEL_OBJECT), bytes);
	assert_true(is_zero(start, PAGE_SIZE)); /* page number 0, and still there */
	assert_int_equal(STATUS_OF(object, MEMORY_OBJECT_UNMAP, start, PAGE_SIZE), STATUS_NO_SUCH_CAPABILITY);
}

static void test_object(void **state)
{
	(void)state;
	call_scene_begin();
	live_through(2, 0);
	live_through(513, 0);
	live_through(40, FRAME_ALLOCATOR_CONTIGUOUS);
	live_through(512, FRAME_ALLOCATOR_ALIGN_2MIB);
	live_through(3, FRAME_ALLOCATOR_ALIGN_2MIB | FRAME_ALLOCATOR_CONTIGUOUS);
	call_scene_end();
}

/* Two holders: each pays for itself, and memory goes with the second. */
static void test_two_holders(void **state)
{
	struct cap_hold hold;
	uint64_t granted;
	uint64_t bytes;

	(void)state;
	call_scene_begin();
	assert_int_equal(process_capability_use(scene.process, scene.other, &hold), STATUS_OK);
	memory_object_add_hold(hold.object);
	hold_end_use(&hold);
	assert_int_equal(info_of(scene.other).holds, 2);
	granted = used(LEDGER_FRAME_GRANT);
	bytes = used(LEDGER_KERNEL_OBJECT);
	assert_int_equal(call_scene_release(scene.other), STATUS_OK);
	assert_int_equal(used(LEDGER_FRAME_GRANT), granted - SCENE_OTHER_PAGES);
	assert_int_equal(used(LEDGER_KERNEL_OBJECT), bytes - memory_object_kernel_bytes(SCENE_OTHER_PAGES, 0));
	granted = frame_free_count();
	memory_object_drop_hold(hold.object);
	assert_true(frame_free_count() >= granted + SCENE_OTHER_PAGES);
	call_scene_end();
}

/* ---- frames that lie idle ---- */

static enum status allocate_and_release(uint64_t pages)
{
	const struct ring_completion completion = COMPLETION_OF(scene.frames, FRAME_ALLOCATOR_ALLOCATE, pages);

	if (call_scene_status(completion) == STATUS_OK)
		assert_int_equal(call_scene_release(completion.capability), STATUS_OK);
	return call_scene_status(completion);
}

/* A stack that a thread left behind is no reason to refuse anybody a frame. */
static void test_idle_stacks(void **state)
{
	uint64_t most = 0;

	(void)state;
	call_scene_begin();
	(void)kernel_stack_trim();
	for (most = frame_free_count(); allocate_and_release(most) != STATUS_OK; most--)
		assert_true(most > 1);
	actor_end_thread(actor_add_thread(&scene.actor), 0);
	assert_true(kernel_stack_cached() != 0);
	assert_int_equal(allocate_and_release(most), STATUS_OK);
	assert_int_equal(kernel_stack_cached(), 0);
	assert_int_equal(allocate_and_release(most + 1), STATUS_OUT_OF_MEMORY);
	call_scene_end();
}

/* ---- the queue ---- */

/* Into the queue, to be carried out later. */
static void enqueue(uint64_t first, uint64_t user_data, uint64_t argument)
{
	struct ring_submission *slot;

	CHECK(ring_submit_slot(scene.ring, &slot) == STATUS_OK);
	*(ring_word_t *)slot = first;
	slot->user_data = user_data;
	slot->argument[0] = argument;
	ring_publish(scene.ring);
}

/* As many sleeps as a thread may have open, and one more. Each keeps a place in the completion queue. */
static void test_open_operations(void **state)
{
	struct ring_completion completion;

	(void)state;
	call_scene_begin();
	for (uint32_t i = 0; i < OPERATION_MAX; i++)
		enqueue(actor_first(RING_CALL, TIMER_SLEEP, scene.timer), i, UINT64_MAX);
	assert_int_equal(dispatch_queue(scene.thread, OPERATION_MAX, 0), 0);
	assert_int_equal(scene.thread->open_count, OPERATION_MAX);
	enqueue(actor_first(RING_CALL, TIMER_SLEEP, scene.timer), OPERATION_MAX, UINT64_MAX);
	assert_int_equal(dispatch_queue(scene.thread, 1, 0), 1);
	assert_int_equal(ring_take(scene.ring, &completion), STATUS_OK);
	assert_int_equal(completion.user_data, OPERATION_MAX);
	assert_int_equal(call_scene_status(completion), STATUS_BUSY);
	for (uint32_t i = 0; i < 3; i++)
		enqueue(actor_first(RING_NOP, 0, HANDLE_NONE), i, 0);
	/* So many wait and are open that two of three find room. */
	assert_int_equal(dispatch_queue(scene.thread, 3, RING_CQ_ENTRIES - OPERATION_MAX - 2),
			 RING_CQ_ENTRIES - OPERATION_MAX);
	assert_int_equal(ring_submitted(scene.ring), 1);
	call_scene_end();
}

/* One batch, each submission seeing what the one before it did; completions in the same order. */
static void test_batch(void **state)
{
	static const enum status expected[] = { STATUS_OK, STATUS_OK, STATUS_NO_SUCH_CAPABILITY,
						STATUS_NO_SUCH_CAPABILITY, STATUS_OK };
	struct ring_completion completion;
	struct ring_submission *slot[5];
	uint64_t submissions;
	uint64_t refused;

	(void)state;
	call_scene_begin();
	submissions = scene.thread->ring_state.sq_head;
	refused = scene.thread->refused;
	for (uint32_t i = 0; i < COUNT_OF(slot); i++)
		slot[i] = &scene.ring->submission[(scene.ring->header.sq_tail + i) % RING_SQ_ENTRIES];
	ring_fill(slot[0], RING_CALL, FRAME_ALLOCATOR_ALLOCATE, scene.frames, 100);
	slot[0]->argument[0] = 2;
	slot[0]->argument[1] = 0;
	ring_fill(slot[1], RING_RELEASE, 0, scene.other, 101);
	ring_fill(slot[2], RING_CALL, MEMORY_OBJECT_INFO, scene.other, 102);
	ring_fill(slot[3], RING_PARK, 0, scene.other, 103);
	ring_fill(slot[4], RING_CALL, TIMER_NOW, scene.timer, 104);
	task_machine_set_clock(123456789);
	ring_publish_batch(scene.ring, COUNT_OF(slot));
	assert_int_equal(dispatch_queue(scene.thread, COUNT_OF(slot), 0), COUNT_OF(slot));
	for (uint32_t i = 0; i < COUNT_OF(slot); i++) {
		assert_int_equal(ring_take(scene.ring, &completion), STATUS_OK);
		assert_int_equal(completion.user_data, 100 + i);
		assert_int_equal(call_scene_status(completion), expected[i]);
		assert_int_equal(completion.flags, i == 0 ? COMPLETION_HAS_CAPABILITY : 0);
	}
	assert_int_equal(completion.value, 123456789);
	assert_int_equal(scene.thread->ring_state.sq_head, submissions + COUNT_OF(slot));
	assert_int_equal(scene.thread->refused, refused + 2);
	call_scene_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused_promise), cmocka_unit_test(test_limited_ledger),
		cmocka_unit_test(test_no_run),          cmocka_unit_test(test_full_table),
		cmocka_unit_test(test_object),          cmocka_unit_test(test_two_holders),
		cmocka_unit_test(test_idle_stacks),     cmocka_unit_test(test_open_operations),
		cmocka_unit_test(test_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
