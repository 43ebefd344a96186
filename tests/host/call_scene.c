#include "tests/host/call_scene.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "abi/frame_allocator_abi.h"
#include "abi/memory_object_abi.h"
#include "kernel/cap/dispatch.h"
#include "kernel/mem/anonymous.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/user_access.h"
#include "lib/check.h"

#define READ_WRITE (PROTECTION_READ | PROTECTION_WRITE)

struct call_scene scene;

static uint64_t next_user_data = 1000;

struct ring_completion call_scene_submit(uint64_t first, const uint64_t argument[6])
{
	struct thread *thread = &scene.process->thread;
	struct ring_completion completion;
	struct ring_submission *slot;
	struct ring_look look;

	assert_int_equal(ring_submitted(scene.ring), 0);
	CHECK(ring_submit_slot(scene.ring, &slot) == STATUS_OK);
	*(ring_word_t *)slot = first;
	slot->user_data = ++next_user_data;
	for (uint32_t i = 0; i < COUNT_OF(slot->argument); i++)
		slot->argument[i] = argument[i];
	ring_publish(scene.ring);
	look = ring_kernel_look(&thread->ring_state, scene.ring);
	assert_int_equal(look.pending, 1);
	assert_int_equal(look.waiting, 0);
	assert_int_equal(dispatch_queue(thread, look.pending, look.waiting), 1);
	assert_int_equal(ring_take(scene.ring, &completion), STATUS_OK);
	assert_int_equal(ring_completed(scene.ring), 0);
	assert_int_equal(ring_submitted(scene.ring), 0);
	assert_int_equal(completion.user_data, next_user_data);
	return completion;
}

enum status call_scene_status(struct ring_completion completion)
{
	assert_true(completion.result <= 0);
	if (completion.result != 0) {
		assert_int_equal(completion.flags, 0);
		assert_int_equal(completion.capability, HANDLE_NONE);
		assert_int_equal(completion.interface, INTERFACE_NONE);
	}
	return (enum status) - completion.result;
}

enum status call_scene_release(handle_t capability)
{
	return call_scene_status(
		call_scene_submit(call_scene_first(RING_RELEASE, 0, capability), (const uint64_t[6]){ 0 }));
}

/* ---- the scene ---- */

static handle_t grant(enum interface_id interface, void *object)
{
	const struct cap_hold hold = { .interface = interface, .mode = TRANSFER_COPY, .object = object };
	handle_t handle;

	assert_int_equal(process_add_capability(scene.process, &hold, &handle), STATUS_OK);
	return handle;
}

static struct uaddr_range pages_at(uint64_t start, uint64_t pages)
{
	return (struct uaddr_range){ uaddr_from_u64(start), uaddr_from_u64(start + pages * PAGE_SIZE) };
}

static void map_pages(uint64_t start, uint64_t pages, uint32_t protection)
{
	struct placement placement = { start, pages * PAGE_SIZE, true };
	struct uaddr_range range;

	assert_int_equal(anonymous_map(&scene.process->space, &placement, protection, &range), STATUS_OK);
}

static void map_all(void)
{
	struct address_space *space = &scene.process->space;
	struct placement reserved = { SCENE_RESERVED, PAGE_SIZE, true };
	struct uaddr_range range;
	unsigned level;

	assert_int_equal(anonymous_map_image(space, pages_at(RING_ADDRESS, 1), PAGE_BOOTSTRAP, READ_WRITE), STATUS_OK);
	assert_int_equal(anonymous_map_image(space, pages_at(CAPSET_ADDRESS, 1), PAGE_BOOTSTRAP, PROTECTION_READ),
			 STATUS_OK);
	scene.ring = direct_map_of_frame(pte_frame(address_space_entry(space, RING_ADDRESS, &level)));
	ring_init(scene.ring);
	scene.process->thread.ring = scene.ring;
	map_pages(SCENE_WRITABLE, 2, READ_WRITE);
	map_pages(SCENE_READABLE, 1, PROTECTION_READ);
	assert_int_equal(anonymous_reserve(space, &reserved, &range), STATUS_OK);
	map_pages(SCENE_NO_ACCESS, 1, PROTECTION_NONE);
	map_pages(SCENE_EXECUTABLE, 1, PROTECTION_READ | PROTECTION_EXECUTE);
	assert_int_equal(anonymous_map_image(space, pages_at(SCENE_IMAGE, 1), PAGE_IMAGE, PROTECTION_READ), STATUS_OK);
	assert_int_equal(anonymous_map_guard(space, pages_at(SCENE_GUARD, 1)), STATUS_OK);
	for (uint64_t i = 0; i < 2 * PAGE_SIZE; i += sizeof(i))
		assert_int_equal(user_access_write(space, SCENE_WRITABLE + i, sizeof(i), &i), STATUS_OK);
}

void call_scene_begin(void)
{
	uint64_t limits[LEDGER_COUNT];
	struct ring_completion completion;

	task_machine_start(SCENE_FRAMES);
	task_machine_limits(limits, TASK_MACHINE_PLENTY);
	assert_int_equal(process_create("caller", limits, &scene.process), STATUS_OK);
	map_all();
	scene.memory = grant(INTERFACE_VIRTUAL_MEMORY, &scene.process->space);
	scene.frames = grant(INTERFACE_FRAME_ALLOCATOR, NULL);
	scene.timer = grant(INTERFACE_TIMER, NULL);
	scene.console = grant(INTERFACE_CONSOLE, NULL);
	completion = COMPLETION_OF(scene.frames, FRAME_ALLOCATOR_ALLOCATE, SCENE_OBJECT_PAGES);
	assert_int_equal(call_scene_status(completion), STATUS_OK);
	scene.object = completion.capability;
	completion = COMPLETION_OF(scene.frames, FRAME_ALLOCATOR_ALLOCATE, SCENE_OTHER_PAGES);
	assert_int_equal(call_scene_status(completion), STATUS_OK);
	scene.other = completion.capability;
	assert_int_equal(STATUS_OF(scene.object, MEMORY_OBJECT_MAP, SCENE_MAPPED, 3 * PAGE_SIZE,
				   SCENE_MAPPED_PAGES * PAGE_SIZE, READ_WRITE, MEMORY_OBJECT_FIXED),
			 STATUS_OK);
}

void call_scene_end(void)
{
	assert_true(process_is_valid(scene.process));
	assert_true(address_space_is_valid(&scene.process->space, machine_kernel_root()));
	assert_true(frame_is_valid());
	assert_true(heap_is_valid());
	process_destroy(scene.process);
	task_machine_stop();
}

void call_scene_fill_table(uint32_t slots)
{
	while (scene.process->caps.used < slots)
		(void)grant(INTERFACE_TIMER, NULL);
}
