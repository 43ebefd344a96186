/* links: HOST_TASK_KERNEL */
/* Narrower capabilities of a memory object: what is not in them cannot be reached through them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "abi/memory_object_abi.h"
#include "kernel/mem/user_access.h"
#include "lib/check.h"
#include "tests/host/call_scene.h"
#include "tests/host/host_support.h"

#define READ PROTECTION_READ
#define READ_WRITE (PROTECTION_READ | PROTECTION_WRITE)
#define PAGES(count) ((count)*PAGE_SIZE)
#define PLACE (UINT64_C(5) << 32)

static handle_t narrow(handle_t object, uint64_t first, uint64_t pages, uint64_t flags)
{
	struct ring_completion completion =
		COMPLETION_OF(object, MEMORY_OBJECT_RESTRICT, PAGES(first), PAGES(pages), flags);

	assert_int_equal(call_scene_status(completion), STATUS_OK);
	assert_int_equal(completion.interface, INTERFACE_MEMORY_OBJECT);
	return completion.capability;
}

static struct memory_object_info info_of(handle_t object)
{
	struct memory_object_info info;

	assert_int_equal(STATUS_OF(object, MEMORY_OBJECT_INFO, SCENE_WRITABLE, sizeof(info)), STATUS_OK);
	actor_read(&scene.actor, SCENE_WRITABLE, &info, sizeof(info));
	return info;
}

static void mark_pages(void)
{
	struct memory_object *object = actor_object(&scene.actor, scene.object);

	for (uint64_t page = 0; page < object->pages; page++)
		*(uint64_t *)direct_map_of_frame(memory_object_frame(object, page)) = page;
}

static uint64_t marked_at(uint64_t address)
{
	uint64_t page;

	actor_read(&scene.actor, address, &page, sizeof(page));
	return page;
}

/* Its own offset 0 is its first page, at each depth; it costs what its source does. */
static void test_window(void **state)
{
	uint64_t grant, first = 0, pages = SCENE_OBJECT_PAGES;
	handle_t object;

	(void)state;
	call_scene_begin();
	mark_pages();
	object = scene.object;
	for (uint32_t depth = 0; depth < 5; depth++) {
		grant = actor_used(&scene.actor, LEDGER_FRAME_GRANT);
		first += 7;
		pages -= 20;
		object = narrow(object, 7, pages, 0);
		assert_int_equal(actor_used(&scene.actor, LEDGER_FRAME_GRANT), grant + SCENE_OBJECT_PAGES);
		assert_int_equal(info_of(object).page_count, pages);
		assert_int_equal(info_of(object).size, PAGES(pages));
		assert_int_equal(info_of(object).holds, depth + 2);
		assert_int_equal(
			STATUS_OF(object, MEMORY_OBJECT_MAP, PLACE, 0, PAGES(pages), READ, MEMORY_OBJECT_FIXED),
			STATUS_OK);
		assert_int_equal(marked_at(PLACE), first);
		assert_int_equal(marked_at(PLACE + PAGES(pages - 1)), first + pages - 1);
		assert_int_equal(STATUS_OF(object, MEMORY_OBJECT_UNMAP, PLACE, PAGES(pages)), STATUS_OK);
		assert_int_equal(STATUS_OF(object, MEMORY_OBJECT_MAP, 0, 0, PAGES(pages + 1), READ),
				 STATUS_BEYOND_OBJECT);
		assert_int_equal(STATUS_OF(object, MEMORY_OBJECT_MAP, 0, PAGES(pages), PAGES(1), READ),
				 STATUS_BEYOND_OBJECT);
		actor_assert_valid(&scene.actor);
	}
	call_scene_end();
}

static void test_read_only(void **state)
{
	handle_t object, inner;

	(void)state;
	call_scene_begin();
	object = narrow(scene.object, 0, 10, MEMORY_OBJECT_READ_ONLY);
	inner = narrow(object, 2, 3, 0); /* does not give back what its source has not */
	for (uint32_t i = 0; i < 2; i++) {
		handle_t one = i == 0 ? object : inner;

		assert_int_equal(info_of(one).flags & MEMORY_OBJECT_INFO_READ_ONLY, MEMORY_OBJECT_INFO_READ_ONLY);
		assert_int_equal(STATUS_OF(one, MEMORY_OBJECT_MAP, PLACE, 0, PAGES(1), READ_WRITE, 1),
				 STATUS_NOT_PERMITTED);
		assert_int_equal(STATUS_OF(one, MEMORY_OBJECT_MAP, PLACE, 0, PAGES(1), READ, 1), STATUS_OK);
		assert_int_equal(STATUS_OF(one, MEMORY_OBJECT_PROTECT, PLACE, PAGES(1), READ_WRITE),
				 STATUS_NOT_PERMITTED);
		assert_int_equal(STATUS_OF(one, MEMORY_OBJECT_PROTECT, PLACE, PAGES(1), PROTECTION_NONE), STATUS_OK);
		assert_int_equal(STATUS_OF(one, MEMORY_OBJECT_PROTECT, PLACE, PAGES(1), READ | PROTECTION_EXECUTE),
				 STATUS_OK);
		assert_int_equal(STATUS_OF(one, MEMORY_OBJECT_UNMAP, PLACE, PAGES(1)), STATUS_OK);
	}
	assert_int_equal(info_of(scene.object).flags & MEMORY_OBJECT_INFO_READ_ONLY, 0);
	call_scene_end();
}

/* Pages that the whole object mapped: those outside the window are not the narrower one's to change. */
static void test_other_pages(void **state)
{
	handle_t object;

	(void)state;
	call_scene_begin();
	object = narrow(scene.object, 10, 5, 0); /* the scene maps 3 .. 22 */
	for (uint64_t page = 3; page < 3 + SCENE_MAPPED_PAGES; page++) {
		bool is_inside = page >= 10 && page < 15;
		uint64_t address = SCENE_MAPPED + PAGES(page - 3);
		struct task_snapshot before;

		task_snapshot_take(&before, scene.process);
		assert_int_equal(STATUS_OF(object, MEMORY_OBJECT_PROTECT, address, PAGES(1), READ),
				 is_inside ? STATUS_OK : STATUS_NOT_PERMITTED);
		if (!is_inside) {
			assert_int_equal(STATUS_OF(object, MEMORY_OBJECT_UNMAP, address, PAGES(1)),
					 STATUS_NOT_PERMITTED);
			assert_true(task_snapshot_holds(&before, scene.process));
		}
	}
	assert_int_equal(STATUS_OF(object, MEMORY_OBJECT_UNMAP, SCENE_MAPPED + PAGES(6), PAGES(6)),
			 STATUS_NOT_PERMITTED);
	assert_int_equal(STATUS_OF(object, MEMORY_OBJECT_UNMAP, SCENE_MAPPED + PAGES(7), PAGES(6)),
			 STATUS_NOT_PERMITTED);
	assert_int_equal(STATUS_OF(object, MEMORY_OBJECT_UNMAP, SCENE_MAPPED + PAGES(7), PAGES(5)), STATUS_OK);
	assert_int_equal(STATUS_OF(scene.object, MEMORY_OBJECT_UNMAP, SCENE_MAPPED, PAGES(7)), STATUS_OK);
	actor_assert_valid(&scene.actor);
	call_scene_end();
}

/* Another object's pages are refused as such, in the window or not. */
static void test_other_object(void **state)
{
	handle_t object;

	(void)state;
	call_scene_begin();
	object = narrow(scene.other, 0, SCENE_OTHER_PAGES, 0);
	assert_int_equal(STATUS_OF(object, MEMORY_OBJECT_UNMAP, SCENE_MAPPED, PAGES(1)), STATUS_OTHER_OBJECT);
	assert_int_equal(STATUS_OF(object, MEMORY_OBJECT_PROTECT, SCENE_MAPPED, PAGES(1), READ), STATUS_OTHER_OBJECT);
	call_scene_end();
}

static void test_refused(void **state)
{
	const struct {
		uint64_t offset, length, flags;
		enum status status;
	} bad[] = {
		{ 0, PAGES(1), 2, STATUS_UNSUPPORTED },
		{ 0, PAGES(1), UINT64_C(1) << 63, STATUS_UNSUPPORTED },
		{ 0, 0, 0, STATUS_ZERO_LENGTH },
		{ 1, PAGES(1), 0, STATUS_MISALIGNED },
		{ 0, PAGES(1) - 1, 0, STATUS_MISALIGNED },
		{ 0, PAGES(11), 0, STATUS_BEYOND_OBJECT },
		{ PAGES(10), PAGES(1), 0, STATUS_BEYOND_OBJECT },
		{ PAGES(9), PAGES(2), 1, STATUS_BEYOND_OBJECT },
		{ 0 - PAGES(1), PAGES(2), 0, STATUS_BEYOND_OBJECT },
	};
	struct task_snapshot before;
	handle_t object;

	(void)state;
	call_scene_begin();
	object = narrow(scene.object, 20, 10, 0);
	task_snapshot_take(&before, scene.process);
	for (uint32_t i = 0; i < COUNT_OF(bad); i++) {
		assert_int_equal(STATUS_OF(object, MEMORY_OBJECT_RESTRICT, bad[i].offset, bad[i].length, bad[i].flags),
				 bad[i].status);
		assert_true(task_snapshot_holds(&before, scene.process));
	}
	call_scene_end();
}

/* Random narrowing of narrowings against first and count; each maps exactly what it should. */
static void test_random(void **state)
{
	struct host_random random;

	(void)state;
	host_random_init(&random, "memory_restrict", 81);
	call_scene_begin();
	mark_pages();
	for (uint64_t round = host_rounds(200); round > 0; round--) {
		uint64_t first = 0, pages = SCENE_OBJECT_PAGES;
		handle_t object = scene.object;
		bool is_read_only = false;

		while (pages > 1 && !host_random_once_in(&random, 5)) {
			uint64_t skip = host_random_below(&random, pages);
			uint64_t flags = host_random_once_in(&random, 4);
			handle_t outer = object;

			is_read_only = is_read_only || flags != 0;
			first += skip;
			pages = 1 + host_random_below(&random, pages - skip);
			object = narrow(outer, skip, pages, flags);
			if (outer != scene.object)
				assert_int_equal(call_scene_release(outer), STATUS_OK);
		}
		assert_int_equal(STATUS_OF(object, MEMORY_OBJECT_MAP, PLACE, PAGES(pages - 1), PAGES(1), READ, 1),
				 STATUS_OK);
		assert_int_equal(marked_at(PLACE), first + pages - 1);
		assert_int_equal(STATUS_OF(object, MEMORY_OBJECT_PROTECT, PLACE, PAGES(1), READ_WRITE),
				 is_read_only ? STATUS_NOT_PERMITTED : STATUS_OK);
		assert_int_equal(STATUS_OF(object, MEMORY_OBJECT_UNMAP, PLACE, PAGES(1)), STATUS_OK);
		if (object != scene.object)
			assert_int_equal(call_scene_release(object), STATUS_OK);
	}
	call_scene_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_window),      cmocka_unit_test(test_read_only),
		cmocka_unit_test(test_other_pages), cmocka_unit_test(test_other_object),
		cmocka_unit_test(test_refused),     cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
