#include "user/demos/elf-smoke/space_facts.h"

#include <elf.h>
#include <stddef.h>

#include "abi/capset.h"
#include "abi/memory_layout.h"
#include "abi/startup.h"
#include "lib/check.h"
#include "lib/status.h"
#include "lib/string.h"
#include "user/demos/elf-smoke/fact.h"
#include "user/demos/elf-smoke/start_state.h"
#include "user/runtime/print.h"
#include "user/runtime/program.h"

#define READ_WRITE (PROTECTION_READ | PROTECTION_WRITE)
#define GROWTH_PAGES 40u
#define SINGLE_PAGE(region) ((region).end - (region).start == PAGE_SIZE)

/* ---- the start-up stack ---- */

static void stack_is_aligned(void)
{
	EXPECT_EQUAL(start_state.stack % 16, 0);
	EXPECT_EQUAL((uint64_t)facts.argv, start_state.stack + 8);
	EXPECT_EQUAL(*(const uint64_t *)start_state.stack, (uint64_t)facts.argc);
}

/* Each argument's text follows the one before it, above the vectors, on the stack. The caller compares the texts. */
static void arguments_are_given(void)
{
	uint64_t after = 0;

	EXPECT(facts.argc >= 1 && facts.argv[facts.argc] == NULL);
	EXPECT(string_has_prefix(facts.argv[0], "elf-smoke")); /* or elf-smoke-pie */
	for (int i = 0; i < facts.argc; i++) {
		EXPECT((uint64_t)facts.argv[i] > (uint64_t)(facts.argv + facts.argc));
		EXPECT(after == 0 || (uint64_t)facts.argv[i] == after);
		after = (uint64_t)facts.argv[i] + strlen(facts.argv[i]) + 1;
		print("argument %d %s\n", i, facts.argv[i]);
	}
}

static void environment_is_empty(void)
{
	EXPECT(facts.envp == facts.argv + facts.argc + 1);
	EXPECT(facts.envp[0] == NULL);
}

static void auxiliary_vector_is_good(void)
{
	uint64_t name;
	static const struct {
		uint64_t type, value;
	} wanted[] = {
		{ AT_PAGESZ, PAGE_SIZE },
		{ AT_BASE, 0 },
		{ AT_UID, 0 },
		{ AT_EUID, 0 },
		{ AT_GID, 0 },
		{ AT_EGID, 0 },
		{ AT_SECURE, 0 },
		{ AUX_CAPOS_CAPSET, CAPSET_ADDRESS },
		{ AUX_CAPOS_RING, RING_ADDRESS },
	};

	for (uint32_t i = 0; i < COUNT_OF(wanted); i++) {
		uint64_t value;

		fact_find_auxiliary(wanted[i].type, &value);
		EXPECT_EQUAL(value, wanted[i].value);
	}
	fact_find_auxiliary(AT_EXECFN, &name);
	EXPECT_EQUAL(name, (uint64_t)facts.argv[0]);
}

/* The caller compares the numbers of two runs. */
static void random_bytes_are_random(void)
{
	uint64_t random[2];
	uint64_t address;

	fact_find_auxiliary(AT_RANDOM, &address);
	EXPECT(address != 0);
	memcpy(random, (const void *)address, sizeof(random)); /* bytes, not aligned */
	EXPECT(random[0] != 0 && random[1] != 0 && random[0] != random[1]);
	print("random %016lx%016lx\n", random[0], random[1]);
}

/* So much is there from the start or has grown since; below is room down to the limit, and a guard; no other page. */
static void stack_has_its_size_and_a_guard(void)
{
	struct virtual_memory_region region;
	struct virtual_memory_region guard;

	fact_expect_region(start_state.stack, PAGE_IMAGE, READ_WRITE, &region);
	EXPECT(region.end - region.start >= STARTUP_STACK_PAGES * PAGE_SIZE);
	EXPECT_EQUAL(region.end, facts.layout.stack.end);
	fact_expect_region(region.start - 1, PAGE_GUARD, PROTECTION_NONE, &guard);
	EXPECT_EQUAL(guard.start, facts.layout.guard.start);
	EXPECT_EQUAL(guard.end, region.start);
	EXPECT_EQUAL(facts.layout.guard.end, facts.layout.stack.start);
	EXPECT(facts.layout.guard.end - facts.layout.guard.start >= PAGE_SIZE);
}

/* A touch far below, as a large array makes, gives all pages between; what was never touched is zero. */
static void stack_grows(void)
{
	const uint64_t far = (start_state.stack & ~(PAGE_SIZE - 1)) - GROWTH_PAGES * PAGE_SIZE;
	struct virtual_memory_region region;

	EXPECT_EQUAL(*(const volatile uint64_t *)far, 0);
	fact_expect_region(far, PAGE_IMAGE, READ_WRITE, &region);
	EXPECT_EQUAL(region.start, far);
	fact_expect_region(far + PAGE_SIZE, PAGE_LAZY, READ_WRITE, &region);
	*(volatile uint64_t *)(far + PAGE_SIZE) = 1;
	fact_expect_region(far + PAGE_SIZE, PAGE_IMAGE, READ_WRITE, &region);
	fact_expect_region(far - 1, PAGE_GUARD, PROTECTION_NONE, &region);
}

/* Image, heap, mappings and stack lie one above the other, as lib/layout promises it, and this program in its own. */
static void layout_is_as_told(void)
{
	const struct inspector_layout *layout = &facts.layout;
	const uint64_t text = (uint64_t)&layout_is_as_told;
	struct virtual_memory_region region;

	EXPECT(layout->hole.start == 0 && layout->hole.end <= layout->image.start);
	EXPECT(layout->image.start <= text && text < layout->image.end);
	EXPECT(layout->image.end <= layout->heap.start && layout->heap.end <= layout->guard.start);
	EXPECT(layout->image.end <= layout->map.start && layout->map.end <= layout->guard.start);
	fact_expect_region(layout->image.end - 1, PAGE_IMAGE, READ_WRITE, &region); /* thread-local storage */
	EXPECT_EQUAL(region.end, layout->image.end);
	EXPECT(start_state.thread_pointer >= layout->image.end - PAGE_SIZE &&
	       start_state.thread_pointer < layout->image.end);
}

/* ---- the address space ---- */

static void capset_is_read_only(void)
{
	const struct capset_page *capset = (const struct capset_page *)CAPSET_ADDRESS;
	struct virtual_memory_region region;

	fact_expect_region(CAPSET_ADDRESS, PAGE_BOOTSTRAP, PROTECTION_READ, &region);
	EXPECT(region.start == CAPSET_ADDRESS && SINGLE_PAGE(region));
	EXPECT(capset->magic == CAPSET_MAGIC && capset->version == CAPSET_VERSION);
	EXPECT(capset->count > 0 && capset->count <= CAPSET_MAX);
	EXPECT_EQUAL(capset->entry_bytes, sizeof(struct capset_entry));
	EXPECT(fact_is_zero(&capset->entry[capset->count], (CAPSET_MAX - capset->count) * sizeof(struct capset_entry)));
}

static void ring_is_writable_and_not_executable(void)
{
	struct virtual_memory_region region;

	fact_expect_region(RING_ADDRESS, PAGE_BOOTSTRAP, READ_WRITE, &region);
	EXPECT(region.start == RING_ADDRESS && SINGLE_PAGE(region));
}

/* Walks all that is mapped, as the inspector lists it, and gives each region to `look` until one is wrong. */
static void walk(bool (*look)(const struct virtual_memory_region *region))
{
	struct virtual_memory_region region;
	uint64_t address = 0;
	uint32_t count = 0;

	while (inspector_client_region(facts.inspector, program_process_id(), address, &region) == STATUS_OK) {
		EXPECT(region.start >= address && region.end > region.start);
		if (!look(&region)) {
			fact_break("region 0x%lx-0x%lx of kind %u with protection %u", region.start, region.end,
				   region.kind, region.protection);
			return;
		}
		address = region.end;
		count++;
	}
	EXPECT(count >= 7); /* CapSet, ring, three segments, TLS, guard, stack; two may touch */
}

static bool is_not_writable_and_executable(const struct virtual_memory_region *region)
{
	return (region->protection & (PROTECTION_WRITE | PROTECTION_EXECUTE)) !=
	       (PROTECTION_WRITE | PROTECTION_EXECUTE);
}

static void no_page_is_writable_and_executable(void)
{
	walk(is_not_writable_and_executable);
}

/* Whole pages of the user half; the null pages empty; in the bootstrap window nothing but the two pages. */
static bool is_where_it_may_be(const struct virtual_memory_region *region)
{
	bool in_window = region->start < BOOTSTRAP_END && region->end > BOOTSTRAP_START;

	return region->start >= USER_START && region->end <= USER_LIMIT && region->start % PAGE_SIZE == 0 &&
	       region->end % PAGE_SIZE == 0 && region->kind != PAGE_EMPTY &&
	       in_window == (region->kind == PAGE_BOOTSTRAP) &&
	       (!in_window ||
		(SINGLE_PAGE(*region) && (region->start == CAPSET_ADDRESS || region->start == RING_ADDRESS)));
}

static void nothing_is_mapped_elsewhere(void)
{
	struct virtual_memory_region region;

	walk(is_where_it_may_be);
	EXPECT_EQUAL(virtual_memory_client_query(facts.memory, NULL, &region), STATUS_NOT_USER_ADDRESS);
	EXPECT_EQUAL(virtual_memory_client_query(facts.memory, (const void *)(USER_START - 1), &region),
		     STATUS_NOT_USER_ADDRESS);
}

void space_facts_check(void)
{
	static const struct fact fact[] = {
		{ "stack-is-aligned", stack_is_aligned },
		{ "arguments-are-given", arguments_are_given },
		{ "environment-is-empty", environment_is_empty },
		{ "auxiliary-vector-is-good", auxiliary_vector_is_good },
		{ "random-bytes-are-random", random_bytes_are_random },
		{ "stack-has-its-size-and-a-guard", stack_has_its_size_and_a_guard },
		{ "stack-grows", stack_grows },
		{ "layout-is-as-told", layout_is_as_told },
		{ "capset-is-read-only", capset_is_read_only },
		{ "ring-is-writable-and-not-executable", ring_is_writable_and_not_executable },
		{ "no-page-is-writable-and-executable", no_page_is_writable_and_executable },
		{ "nothing-is-mapped-elsewhere", nothing_is_mapped_elsewhere },
	};

	fact_check(fact, COUNT_OF(fact));
}
