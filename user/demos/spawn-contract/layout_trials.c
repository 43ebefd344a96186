#include "user/demos/spawn-contract/layout_trials.h"

#include <elf.h>
#include <stddef.h>

#include "abi/startup.h"
#include "lib/check.h"
#include "lib/layout.h"
#include "lib/string.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/program.h"
#include "user/testing/trial.h"
#include "user/testing/trial_child.h"

#define MOVABLE_PROGRAM "spawn-contract-pie"
#define SEED UINT64_C(0x5eed)
#define SPAWNS 12u
#define BSS_PAGES 9u
#define FIXED PROCESS_LAYOUT_FIXED
#define SEEDED PROCESS_LAYOUT_SEEDED
#define HEAP_OFFSET PROCESS_LAYOUT_HEAP_OFFSET

/* What a child writes down. */
struct report {
	struct inspector_layout layout;
	uint64_t text, data, bss, thread_local, stack; /* addresses of its own */
	uint64_t map, second_map;                      /* where mappings without a hint went */
	uint64_t entry, headers, base;                 /* of its auxiliary vector */
	uint64_t random[2];
};

struct wish {
	enum process_layout kind;
	uint32_t flags;
	uint64_t seed, stack_limit;
};

/* ---- in the child ---- */

static uint64_t data_word = 1;
static uint8_t bss[BSS_PAGES * PAGE_SIZE];
static _Thread_local uint64_t thread_word = 2;

static uint64_t auxiliary_value(uint64_t type)
{
	char **end = trial.argv + trial.argc + 1;

	while (*end != NULL)
		end++;
	for (const Elf64_auxv_t *entry = (const Elf64_auxv_t *)(end + 1); entry->a_type != AT_NULL; entry++) {
		if (entry->a_type == type)
			return entry->a_un.a_val;
	}
	return 0;
}

void layout_trials_role_report(void)
{
	struct memory_object_client object;
	struct report *report;
	void *first, *second;

	/* The very first mapping of the program; the object's is the next. */
	EXPECT_OK(trial_map(1, &first));
	EXPECT_OK(capset_client_find("report", INTERFACE_MEMORY_OBJECT, &object.handle));
	EXPECT_OK(trial_map_object(object, 1, TRIAL_READ_WRITE, &second));
	report = second;
	report->map = (uint64_t)first;
	report->second_map = (uint64_t)second;
	report->text = (uint64_t)&layout_trials_role_report;
	report->data = (uint64_t)&data_word;
	report->bss = (uint64_t)bss;
	report->thread_local = (uint64_t)&thread_word;
	report->stack = (uint64_t)trial.argv;
	report->entry = auxiliary_value(AT_ENTRY);
	report->headers = auxiliary_value(AT_PHDR);
	report->base = auxiliary_value(AT_BASE);
	const uint64_t random = auxiliary_value(AT_RANDOM);

	EXPECT(random != 0);
	memcpy(report->random, (const void *)random, sizeof(report->random));
	EXPECT(data_word == 1 && thread_word == 2);
	for (uint32_t page = 0; page < BSS_PAGES; page++)
		EXPECT_EQUAL(((volatile uint8_t *)bss)[page * PAGE_SIZE], 0);
	EXPECT_OK(inspector_client_layout(trial.inspector, program_process_id(), &report->layout));
}

/* ---- in the parent ---- */

static struct memory_object_client shared;
static struct report *seen; /* what the last child wrote */

static void build(struct process_builder *builder, const char *role, const char *program, struct wish wish)
{
	trial_child_build(builder, role);
	CHECK(process_builder_program(builder, program) == STATUS_OK);
	process_builder_layout(builder, wish.kind, wish.flags, wish.seed);
	process_builder_stack_limit(builder, wish.stack_limit);
}

/* Run a child that reports. */
static void look(const char *program, struct wish wish)
{
	struct process_builder builder;
	struct process_client process;

	memset(seen, 0, sizeof(*seen));
	build(&builder, "report", program, wish);
	trial_child_copy(&builder, "inspector", trial.inspector.handle);
	trial_child_copy(&builder, "report", shared.handle);
	EXPECT_OK(trial_child_start(&builder, &process));
	trial_child_expect(process, PROCESS_EXITED, 0);
}

static void expect_range(struct inspector_range is, struct uaddr_range wanted)
{
	EXPECT_EQUAL(is.start, uaddr_to_u64(wanted.start));
	EXPECT_EQUAL(is.end, uaddr_to_u64(wanted.end));
}

static bool is_in(uint64_t address, struct inspector_range range)
{
	return address >= range.start && address < range.end;
}

/* The layout is what lib/layout makes of the same request, here as on the host. */
static void expect_layout(struct wish wish, bool is_movable)
{
	const struct layout_profile *profile = layout_profile_of(LAYOUT_AMD64);
	struct layout_request request = layout_request_of(profile);
	struct layout layout;

	request.kind = (enum layout_kind)(seen->layout.kind - PROCESS_LAYOUT_CLASSIC);
	request.is_random = (wish.flags & FIXED) == 0;
	request.has_heap_offset = (wish.flags & HEAP_OFFSET) != 0;
	request.image_is_movable = is_movable;
	request.image_bytes = seen->layout.image.end - seen->layout.image.start;
	if (wish.stack_limit != 0)
		request.stack_limit = wish.stack_limit;
	request.random = layout_draw_seeded(wish.seed);
	EXPECT_OK(layout_make(profile, &request, &layout));
	EXPECT_EQUAL(seen->layout.kind, wish.kind == PROCESS_LAYOUT_DEFAULT ? PROCESS_LAYOUT_FLEXIBLE : wish.kind);
	EXPECT_EQUAL(seen->layout.maps_upward, layout.mmap_direction == LAYOUT_UPWARD);
	EXPECT_EQUAL(seen->layout.gap, layout.gap);
	expect_range(seen->layout.hole, layout.hole);
	expect_range(seen->layout.window, layout.window);
	expect_range(seen->layout.image, layout.image);
	expect_range(seen->layout.heap, layout.heap);
	expect_range(seen->layout.map, layout.mmap);
	expect_range(seen->layout.guard, layout.guard);
	expect_range(seen->layout.stack, layout.stack);
}

/* And the child was where its layout says. */
static void expect_places(void)
{
	const struct inspector_layout *layout = &seen->layout;

	EXPECT(is_in(seen->text, layout->image) && is_in(seen->data, layout->image));
	EXPECT(is_in(seen->bss, layout->image) && is_in(seen->bss + sizeof(bss) - 1, layout->image));
	EXPECT(is_in(seen->thread_local, layout->image) && seen->thread_local > seen->bss);
	EXPECT(is_in(seen->entry, layout->image));
	EXPECT_EQUAL(seen->headers, layout->image.start + sizeof(Elf64_Ehdr));
	EXPECT_EQUAL(seen->base, 0);
	EXPECT(is_in(seen->stack, layout->stack) && layout->stack.end - seen->stack < PAGE_SIZE);
	if (layout->maps_upward != 0) {
		EXPECT_EQUAL(seen->map, layout->map.start);
		EXPECT_EQUAL(seen->second_map, layout->map.start + PAGE_SIZE);
	} else {
		EXPECT_EQUAL(seen->map, layout->map.end - PAGE_SIZE);
		EXPECT_EQUAL(seen->second_map, layout->map.end - 2 * PAGE_SIZE);
	}
}

static void check_kinds(const char *program, bool is_movable)
{
	static const uint32_t flags[] = { FIXED, SEEDED, SEEDED | HEAP_OFFSET };

	for (uint32_t kind = 0; kind < PROCESS_LAYOUT_COUNT; kind++) {
		for (uint32_t i = 0; i < COUNT_OF(flags); i++) {
			const struct wish wish = {
				.kind = (enum process_layout)kind,
				.flags = flags[i],
				.seed = flags[i] == FIXED ? 0 : SEED + kind,
				.stack_limit = i == 0 ? 0 : UINT64_C(1) << 30,
			};

			look(program, wish);
			expect_layout(wish, is_movable);
			expect_places();
		}
	}
}

static void layouts_are_as_asked(void)
{
	check_kinds(trial.program, false);
}

static void position_independent_programs_run(void)
{
	check_kinds(MOVABLE_PROGRAM, true);
}

static void classic_maps_from_a_third(void)
{
	look(trial.program, (struct wish){ .kind = PROCESS_LAYOUT_CLASSIC });
	EXPECT_EQUAL(seen->map, UINT64_C(0x2aaaaaaab000));
	look(trial.program, (struct wish){ .kind = PROCESS_LAYOUT_CLASSIC, .flags = FIXED });
	EXPECT_EQUAL(seen->map, UINT64_C(0x2aaaaaaab000));
	EXPECT_EQUAL(seen->layout.stack.end, USER_LIMIT);
}

static void same_seed_same_layout(void)
{
	const struct wish wish = { .flags = SEEDED | HEAP_OFFSET, .seed = SEED };
	struct report first;

	look(MOVABLE_PROGRAM, wish);
	first = *seen;
	look(MOVABLE_PROGRAM, wish);
	EXPECT(memcmp(&first.layout, &seen->layout, sizeof(first.layout)) == 0);
	EXPECT(first.text == seen->text && first.bss == seen->bss && first.map == seen->map);
	EXPECT(memcmp(first.random, seen->random, sizeof(first.random)) != 0); /* the seed is of the layout alone */
	look(MOVABLE_PROGRAM, (struct wish){ .flags = SEEDED | HEAP_OFFSET, .seed = SEED + 1 });
	EXPECT(first.text != seen->text && first.stack != seen->stack && first.map != seen->map);
}

/* Nothing asked: flexible, and no two alike. */
static void layouts_are_random(void)
{
	struct report past[SPAWNS];

	for (uint32_t i = 0; i < SPAWNS; i++) {
		look(MOVABLE_PROGRAM, (struct wish){ .kind = PROCESS_LAYOUT_DEFAULT });
		expect_places();
		EXPECT_EQUAL(seen->layout.kind, PROCESS_LAYOUT_FLEXIBLE);
		past[i] = *seen;
		for (uint32_t j = 0; j < i; j++)
			EXPECT(past[j].text != seen->text && past[j].map != seen->map &&
			       past[j].layout.stack.end != seen->layout.stack.end &&
			       memcmp(past[j].random, seen->random, sizeof(seen->random)) != 0);
	}
}

/* Of who lives; and only to who has room for it. */
static void layout_of_nobody(void)
{
	const struct inspector_client inspector = trial.inspector;
	struct inspector_layout *nowhere = (struct inspector_layout *)CAPSET_ADDRESS;
	struct inspector_layout layout;
	struct process_client process;
	struct process_builder builder;

	EXPECT_STATUS(inspector_client_layout(inspector, UINT64_MAX, &layout), STATUS_NOT_FOUND);
	EXPECT_STATUS(inspector_client_layout(inspector, program_process_id(), nowhere), STATUS_BUFFER_FAULT);
	trial_child_build(&builder, "exit");
	EXPECT_OK(trial_child_start(&builder, &process));
	EXPECT_EQUAL(trial_child_wait(process).code, 0);
	EXPECT_STATUS(inspector_client_layout(inspector, process.process_id, &layout), STATUS_NOT_FOUND);
	EXPECT_OK(ring_client_release(process.handle));
}

/* ---- what is refused ---- */

static const struct refusal {
	const char *why;
	struct wish wish;
	enum status wanted;
} refusals[] = {
	{ "unknown kind", { .kind = PROCESS_LAYOUT_COUNT }, STATUS_BAD_ARGUMENT },
	{ "unknown flag", { .flags = 8 }, STATUS_BAD_ARGUMENT },
	{ "fixed with a seed", { .flags = FIXED | SEEDED }, STATUS_BAD_ARGUMENT },
	{ "fixed with a heap offset", { .flags = FIXED | HEAP_OFFSET }, STATUS_BAD_ARGUMENT },
	{ "a seed that is not asked for", { .seed = SEED }, STATUS_BAD_ARGUMENT },
	{ "classic, stack to the mappings",
	  { .kind = PROCESS_LAYOUT_CLASSIC, .stack_limit = USER_LIMIT / 3 * 2 },
	  STATUS_LAYOUT_STACK_TOO_LARGE },
	{ "classic-random, endless stack",
	  { .kind = PROCESS_LAYOUT_CLASSIC_RANDOM, .stack_limit = UINT64_MAX },
	  STATUS_LAYOUT_STACK_TOO_LARGE },
};

static const struct refusal *current;

static void refuse_current(void)
{
	struct process_builder builder;
	struct process_client process;

	build(&builder, "exit", trial.program, current->wish);
	EXPECT_STATUS(trial_child_start(&builder, &process), current->wanted);
}

void layout_trials_check(void)
{
	static const struct trial_case cases[] = {
		{ "layouts-are-as-asked", layouts_are_as_asked },
		{ "position-independent-programs-run", position_independent_programs_run },
		{ "classic-maps-from-a-third", classic_maps_from_a_third },
		{ "same-seed-same-layout", same_seed_same_layout },
		{ "layouts-are-random", layouts_are_random },
		{ "layout-of-nobody", layout_of_nobody },
	};
	void *address;

	CHECK(trial_object(1, &shared) == STATUS_OK);
	CHECK(trial_map_object(shared, 1, TRIAL_READ_WRITE, &address) == STATUS_OK);
	seen = address;
	trial_check(cases, COUNT_OF(cases));
	for (uint32_t i = 0; i < COUNT_OF(refusals); i++) {
		current = &refusals[i];
		trial_check_one("refuse layout: ", current->why, refuse_current);
	}
	CHECK(memory_object_client_unmap(shared, address, PAGE_SIZE) == STATUS_OK);
	CHECK(ring_client_release(shared.handle) == STATUS_OK);
}
