#include "tests/host/call_scene.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "abi/frame_allocator_abi.h"
#include "abi/memory_object_abi.h"
#include "kernel/mem/anonymous.h"
#include "kernel/mem/user_access.h"
#include "lib/check.h"

#define READ_WRITE (PROTECTION_READ | PROTECTION_WRITE)

struct call_scene scene;

struct ring_completion call_scene_submit(uint64_t first, const uint64_t argument[6])
{
	return actor_call(scene.thread, first, argument);
}

enum status call_scene_status(struct ring_completion completion)
{
	return actor_status(&completion);
}

enum status call_scene_release(handle_t capability)
{
	return call_scene_status(call_scene_submit(actor_first(RING_RELEASE, 0, capability), (const uint64_t[6]){ 0 }));
}

/* ---- the scene ---- */

static handle_t grant(enum interface_id interface, void *object)
{
	return actor_grant(&scene.actor, interface, object != NULL ? TRANSFER_NONE : TRANSFER_COPY, object);
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

	assert_int_equal(anonymous_map_image(space, pages_at(CAPSET_ADDRESS, 1), PAGE_BOOTSTRAP, PROTECTION_READ),
			 STATUS_OK);
	assert_int_equal(anonymous_unmap(space, pages_at(ACTOR_MEMORY, ACTOR_MEMORY_PAGES + 1)), STATUS_OK);
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

static void grant_all(void)
{
	scene.memory = grant(INTERFACE_VIRTUAL_MEMORY, &scene.process->space);
	scene.frames = grant(INTERFACE_FRAME_ALLOCATOR, NULL);
	scene.timer = grant(INTERFACE_TIMER, NULL);
	scene.console = grant(INTERFACE_CONSOLE, NULL);
	scene.threads = grant(INTERFACE_THREAD_CONTROL, scene.process);
	scene.park = grant(INTERFACE_PARK_SPACE, scene.process);
	scene.endpoints = grant(INTERFACE_ENDPOINT_FACTORY, NULL);
	scene.spawner = grant(INTERFACE_PROCESS_SPAWNER, NULL);
	scene.package = grant(INTERFACE_BOOT_PACKAGE, NULL);
	scene.endpoint = actor_make_endpoint(&scene.actor);
	scene.client = actor_make_client(&scene.actor, scene.endpoint, 7, &scene.actor);
}

void call_scene_begin(void)
{
	struct ring_completion completion;

	task_machine_start(SCENE_FRAMES);
	actor_begin(&scene.actor, "caller");
	scene.process = scene.actor.process;
	scene.thread = scene.actor.thread;
	scene.ring = scene.thread->ring;
	map_all();
	grant_all();
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
	actor_end(&scene.actor);
	task_machine_stop();
}

void call_scene_fill_table(uint32_t slots)
{
	while (scene.process->caps.used < slots)
		(void)grant(INTERFACE_TIMER, NULL);
}
