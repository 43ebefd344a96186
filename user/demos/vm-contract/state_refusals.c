#include "user/demos/vm-contract/state_refusals.h"

#include "lib/check.h"
#include "user/demos/vm-contract/contract.h"

#define OBJECT_PAGES 4u

/*
 * The scene: sixteen pages in a row, and mappings of two objects.
 *
 *   page  0  empty          4  read-write       8  reserved        12  other object, 4 pages
 *         1  empty          5  read-only        9  reserved
 *         2  reserved       6  no access       10  object, page 0
 *         3  reserved       7  reserved        11  object, page 1
 */
static struct {
	uint64_t page[17];
	struct memory_object_client object, other;
} scene;

static enum status map_at(struct memory_object_client object, uint64_t address, uint64_t pages)
{
	struct memory_object_window window = { .hint = (const void *)address,
					       .length = BYTES(pages),
					       .protection = READ_WRITE,
					       .flags = MEMORY_OBJECT_FIXED };
	void *mapped;

	return memory_object_client_map(object, &window, &mapped);
}

static enum status set_scene(void)
{
	void *start;

	TRY(contract_reserve(16, &start));
	for (uint32_t i = 0; i <= 16; i++)
		scene.page[i] = (uint64_t)start + BYTES(i);
	TRY(contract_unmap(start, 2));
	TRY(contract_unmap(contract_page(start, 10), 6));
	TRY(contract_commit(contract_page(start, 4), 1, READ_WRITE));
	TRY(contract_commit(contract_page(start, 5), 1, READ_ONLY));
	TRY(contract_commit(contract_page(start, 6), 1, PROTECTION_NONE));
	TRY(contract_allocate(OBJECT_PAGES, &scene.object));
	TRY(contract_allocate(OBJECT_PAGES, &scene.other));
	TRY(map_at(scene.object, scene.page[10], 2));
	return map_at(scene.other, scene.page[12], 4);
}

static enum status clear_scene(void)
{
	TRY(contract_unmap((const void *)scene.page[2], 8));
	TRY(memory_object_client_unmap(scene.object, (const void *)scene.page[10], BYTES(2)));
	TRY(memory_object_client_unmap(scene.other, (const void *)scene.page[12], BYTES(4)));
	TRY(ring_client_release(scene.object.handle));
	return ring_client_release(scene.other.handle);
}

static uint64_t text_page(void)
{
	return (uint64_t)text_page & ~(uint64_t)(PAGE_SIZE - 1);
}

static uint64_t stack_page(void)
{
	uint64_t here = 0;

	return (uint64_t)&here & ~(uint64_t)(PAGE_SIZE - 1);
}

/* Ranges that are not wholly our own reservation: for all four operations that need one. */
static void refuse_foreign_ranges(const char *name, uint16_t operation, uint64_t argument)
{
	const struct {
		const char *why;
		uint64_t address, pages;
	} range[] = {
		{ "nothing there", scene.page[0], 2 },
		{ "begins before the reservation", scene.page[1], 2 },
		{ "begins in the reservation, ends outside", scene.page[9], 2 },
		{ "mapping of an object", scene.page[10], 1 },
		{ "program text", text_page(), 1 },
		{ "stack", stack_page(), 1 },
		{ "nearly all of the user half", BOOTSTRAP_END, (USER_LIMIT - BOOTSTRAP_END) / PAGE_SIZE },
	};

	for (uint32_t i = 0; i < COUNT_OF(range); i++)
		contract_refuse(
			name, range[i].why,
			REQUEST(contract.memory.handle, operation, range[i].address, BYTES(range[i].pages), argument),
			STATUS_NOT_RESERVED);
}

static void refuse_uncommitted(void)
{
	const struct {
		const char *why;
		uint64_t first, pages;
	} range[] = {
		{ "reserved only", 7, 2 },
		{ "begins uncommitted", 3, 2 },
		{ "ends uncommitted", 6, 2 },
		{ "committed in the middle", 2, 8 },
	};

	for (uint32_t i = 0; i < COUNT_OF(range); i++)
		contract_refuse("protect", range[i].why,
				REQUEST(contract.memory.handle, VIRTUAL_MEMORY_PROTECT, scene.page[range[i].first],
					BYTES(range[i].pages), READ_ONLY),
				STATUS_NOT_COMMITTED);
}

/* FIXED onto anything that is not empty. */
static void refuse_occupied(void)
{
	handle_t memory = contract.memory.handle;
	const struct {
		const char *why;
		uint64_t address;
	} place[] = {
		{ "fixed onto reserved", scene.page[2] },      { "fixed onto committed", scene.page[4] },
		{ "fixed onto no access", scene.page[6] },     { "fixed onto a mapping", scene.page[10] },
		{ "fixed half onto reserved", scene.page[1] }, { "fixed onto text", text_page() },
		{ "fixed onto the stack", stack_page() },
	};

	for (uint32_t i = 0; i < COUNT_OF(place); i++) {
		contract_refuse("map", place[i].why,
				REQUEST(memory, VIRTUAL_MEMORY_MAP, place[i].address, BYTES(2), READ_WRITE,
					VIRTUAL_MEMORY_FIXED),
				STATUS_OCCUPIED);
		contract_refuse(
			"reserve", place[i].why,
			REQUEST(memory, VIRTUAL_MEMORY_RESERVE, place[i].address, BYTES(2), VIRTUAL_MEMORY_FIXED),
			STATUS_OCCUPIED);
		contract_refuse("object map", place[i].why,
				REQUEST(scene.object.handle, MEMORY_OBJECT_MAP, place[i].address, 0, BYTES(2),
					READ_WRITE, MEMORY_OBJECT_FIXED),
				STATUS_OCCUPIED);
	}
}

static void refuse_objects(void)
{
	handle_t object = scene.object.handle;
	const struct {
		const char *why;
		uint64_t address, pages;
		enum status wanted;
	} range[] = {
		{ "nothing there", scene.page[0], 1, STATUS_NOT_BORROWED },
		{ "reserved memory", scene.page[8], 1, STATUS_NOT_BORROWED },
		{ "committed memory", scene.page[4], 1, STATUS_NOT_BORROWED },
		{ "program text", text_page(), 1, STATUS_NOT_BORROWED },
		{ "another object", scene.page[12], 1, STATUS_OTHER_OBJECT },
		{ "begins in memory that is not the object's", scene.page[9], 2, STATUS_NOT_BORROWED },
		{ "ends in another object", scene.page[10], 3, STATUS_OTHER_OBJECT },
	};

	for (uint32_t i = 0; i < COUNT_OF(range); i++) {
		contract_refuse("object unmap", range[i].why,
				REQUEST(object, MEMORY_OBJECT_UNMAP, range[i].address, BYTES(range[i].pages)),
				range[i].wanted);
		contract_refuse(
			"object protect", range[i].why,
			REQUEST(object, MEMORY_OBJECT_PROTECT, range[i].address, BYTES(range[i].pages), READ_ONLY),
			range[i].wanted);
	}
}

static void refuse_beyond_object(void)
{
	const struct {
		const char *why;
		uint64_t offset, pages;
	} window[] = {
		{ "a page too long", 0, OBJECT_PAGES + 1 },
		{ "ends beyond the object", BYTES(OBJECT_PAGES - 1), 2 },
		{ "begins at its end", BYTES(OBJECT_PAGES), 1 },
		{ "begins far beyond it", BYTES(UINT64_C(1) << 40), 1 },
		{ "offset and length wrap", UINT64_MAX - PAGE_SIZE + 1, 2 },
	};

	for (uint32_t i = 0; i < COUNT_OF(window); i++)
		contract_refuse("object map", window[i].why,
				REQUEST(scene.object.handle, MEMORY_OBJECT_MAP, 0, window[i].offset,
					BYTES(window[i].pages), READ_ONLY),
				STATUS_BEYOND_OBJECT);
}

static void refuse_protections(void)
{
	static const struct {
		const char *why;
		uint64_t protection;
	} bad[] = {
		{ "writable and executable", PROTECTION_READ | PROTECTION_WRITE | PROTECTION_EXECUTE },
		{ "writable and executable, not readable", PROTECTION_WRITE | PROTECTION_EXECUTE },
		{ "writable, not readable", PROTECTION_WRITE },
		{ "executable, not readable", PROTECTION_EXECUTE },
		{ "unknown protection bit", PROTECTION_READ | 8 },
		{ "protection beyond 32 bits", PROTECTION_READ | UINT64_C(1) << 32 },
	};
	handle_t memory = contract.memory.handle, object = scene.object.handle;

	for (uint32_t i = 0; i < COUNT_OF(bad); i++) {
		contract_refuse("map", bad[i].why,
				REQUEST(memory, VIRTUAL_MEMORY_MAP, 0, BYTES(1), bad[i].protection, 0),
				STATUS_BAD_PROTECTION);
		contract_refuse("commit", bad[i].why,
				REQUEST(memory, VIRTUAL_MEMORY_COMMIT, scene.page[8], BYTES(1), bad[i].protection),
				STATUS_BAD_PROTECTION);
		contract_refuse("protect", bad[i].why,
				REQUEST(memory, VIRTUAL_MEMORY_PROTECT, scene.page[4], BYTES(1), bad[i].protection),
				STATUS_BAD_PROTECTION);
		contract_refuse("object map", bad[i].why,
				REQUEST(object, MEMORY_OBJECT_MAP, 0, 0, BYTES(1), bad[i].protection, 0),
				STATUS_BAD_PROTECTION);
		contract_refuse("object protect", bad[i].why,
				REQUEST(object, MEMORY_OBJECT_PROTECT, scene.page[10], BYTES(1), bad[i].protection),
				STATUS_BAD_PROTECTION);
	}
}

/* After all the refusals every page of the scene is what it was. */
static void scene_is_unchanged(void)
{
	static const struct {
		uint8_t kind, protection;
	} wanted[16] = {
		{ PAGE_EMPTY, 0 },
		{ PAGE_EMPTY, 0 },
		{ PAGE_RESERVED, 0 },
		{ PAGE_RESERVED, 0 },
		{ PAGE_ANONYMOUS, READ_WRITE },
		{ PAGE_ANONYMOUS, READ_ONLY },
		{ PAGE_ANONYMOUS, 0 },
		{ PAGE_RESERVED, 0 },
		{ PAGE_RESERVED, 0 },
		{ PAGE_RESERVED, 0 },
		{ PAGE_BORROWED, READ_WRITE },
		{ PAGE_BORROWED, READ_WRITE },
		{ PAGE_BORROWED, READ_WRITE },
		{ PAGE_BORROWED, READ_WRITE },
		{ PAGE_BORROWED, READ_WRITE },
		{ PAGE_BORROWED, READ_WRITE },
	};
	struct virtual_memory_region region;

	for (uint32_t i = 0; i < COUNT_OF(wanted); i++) {
		EXPECT_OK(virtual_memory_client_query(contract.memory, (const void *)scene.page[i], &region));
		EXPECT_EQUAL(region.kind, wanted[i].kind);
		EXPECT_EQUAL(region.protection, wanted[i].protection);
	}
}

void state_refusals_check(void)
{
	static const struct promise unchanged = { "refused-calls-change-no-page", scene_is_unchanged };

	CHECK(set_scene() == STATUS_OK);
	refuse_foreign_ranges("commit", VIRTUAL_MEMORY_COMMIT, READ_WRITE);
	refuse_foreign_ranges("decommit", VIRTUAL_MEMORY_DECOMMIT, 0);
	refuse_foreign_ranges("protect", VIRTUAL_MEMORY_PROTECT, READ_ONLY);
	refuse_foreign_ranges("unmap", VIRTUAL_MEMORY_UNMAP, 0);
	refuse_uncommitted();
	refuse_occupied();
	refuse_objects();
	refuse_beyond_object();
	refuse_protections();
	contract_check(&unchanged, 1);
	CHECK(clear_scene() == STATUS_OK);
}
