/* links: HOST_TASK_KERNEL */
/* Where the parts of a process lie: what its spawner asks for is what lib/layout says, or a refusal. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "abi/startup.h"
#include "kernel/mem/demand.h"
#include "kernel/mem/kernel_stack.h"
#include "kernel/mem/user_access.h"
#include "kernel/task/program_image.h"
#include "kernel/task/spawn.h"
#include "lib/check.h"
#include "tests/host/actor.h"
#include "tests/host/program_file.h"
#include "tests/host/task_snapshot.h"

#define FRAMES 1024u
#define LINKED UINT64_C(0x400000) /* where program_file_good() lies */
#define SEED UINT64_C(4711)
#define SEEDED PROCESS_LAYOUT_SEEDED
#define FIXED PROCESS_LAYOUT_FIXED
#define HEAP_OFFSET PROCESS_LAYOUT_HEAP_OFFSET

/* The same program, position-independent. */
static struct program_file movable_file(void)
{
	struct program_file file = program_file_good();

	file.header.e_type = ET_DYN;
	file.header.e_entry -= LINKED;
	for (uint32_t i = 0; i < PROGRAM_STACK; i++)
		file.program[i].p_vaddr -= LINKED;
	return file;
}

static enum status spawn(const struct program_file *file, struct process_layout_wish wish, struct process **process)
{
	struct memory_file bytes = { (const uint8_t *)file, sizeof(*file) };
	const struct elf_source source = program_image_of_file(&bytes);
	uint64_t limits[LEDGER_COUNT];
	const struct spawn_request request = {
		.name = "spawned",
		.source = &source,
		.strings = { { "spawned", 1, 8 }, { NULL, 0, 0 } },
		.limits = limits,
		.layout = wish,
	};
	uint64_t id;

	task_machine_limits(limits, TASK_MACHINE_PLENTY);
	TRY(spawn_process(&request, process, NULL, &id));
	process_start(*process);
	assert_true(layout_is_valid(&(*process)->layout));
	assert_true(process_is_valid(*process));
	assert_true(address_space_is_valid(&(*process)->space, machine_kernel_root()));
	return STATUS_OK;
}

static void end_process(struct process *process)
{
	actor_end_thread(process->slot[0].thread, 0);
	assert_true(process->ended);
	process_end_use(process);
}

/* As capos-layout would print it for the program of these tests, with its thread control block behind it. */
static struct layout expected_layout(struct process_layout_wish wish, bool is_movable)
{
	const struct layout_profile *profile = layout_profile_of(LAYOUT_AMD64);
	struct layout_request request = layout_request_of(profile);
	struct layout layout;

	if (wish.kind != PROCESS_LAYOUT_DEFAULT)
		request.kind = (enum layout_kind)(wish.kind - 1);
	request.is_random = (wish.flags & FIXED) == 0;
	request.has_heap_offset = (wish.flags & HEAP_OFFSET) != 0;
	request.image_is_movable = is_movable;
	request.image_bytes = 0x9000 + PAGE_SIZE;
	if (wish.stack_limit != 0)
		request.stack_limit = wish.stack_limit;
	request.random = layout_draw_seeded(wish.seed);
	assert_int_equal(layout_make(profile, &request, &layout), STATUS_OK);
	return layout;
}

static void assert_range(struct uaddr_range is, struct uaddr_range expected)
{
	assert_int_equal(uaddr_to_u64(is.start), uaddr_to_u64(expected.start));
	assert_int_equal(uaddr_to_u64(is.end), uaddr_to_u64(expected.end));
}

static void assert_layout(const struct layout *is, const struct layout *expected)
{
	assert_int_equal(is->kind, expected->kind);
	assert_int_equal(is->mmap_direction, expected->mmap_direction);
	assert_int_equal(is->gap, expected->gap);
	assert_range(is->hole, expected->hole);
	assert_range(is->window, expected->window);
	assert_range(is->image, expected->image);
	assert_range(is->heap, expected->heap);
	assert_range(is->mmap, expected->mmap);
	assert_range(is->guard, expected->guard);
	assert_range(is->stack, expected->stack);
}

/* Each kind with each set of flags, fixed program and movable: the place of each part, and what the space knows. */
static void test_kinds(void **state)
{
	static const uint32_t flags[] = { FIXED, SEEDED, SEEDED | HEAP_OFFSET };
	const struct program_file file[] = { program_file_good(), movable_file() };
	struct process *process;

	(void)state;
	task_machine_start(FRAMES);
	for (uint32_t kind = 0; kind < PROCESS_LAYOUT_COUNT; kind++) {
		for (uint32_t i = 0; i < COUNT_OF(flags) * COUNT_OF(file); i++) {
			const struct process_layout_wish wish = {
				.kind = kind,
				.flags = flags[i / 2],
				.seed = flags[i / 2] == FIXED ? 0 : SEED + kind,
			};
			const struct layout expected = expected_layout(wish, i % 2 == 1);
			const struct space_areas *areas;

			assert_int_equal(spawn(&file[i % 2], wish, &process), STATUS_OK);
			assert_layout(&process->layout, &expected);
			assert_int_equal(process_layout_kind(&process->layout),
					 kind == PROCESS_LAYOUT_DEFAULT ? PROCESS_LAYOUT_FLEXIBLE : kind);
			areas = &process->space.areas;
			assert_range(areas->map, expected.mmap);
			assert_range(areas->heap, expected.heap);
			assert_range(areas->stack, expected.stack);
			assert_range(areas->guard, expected.guard);
			assert_int_equal(areas->map_upward, expected.mmap_direction == LAYOUT_UPWARD);
			end_process(process);
		}
	}
	task_machine_stop();
}

/* Nothing asked: flexible, and another layout each time. */
static void test_default_is_random(void **state)
{
	const struct program_file file = movable_file();
	struct layout before = { .kind = LAYOUT_CLASSIC };
	struct process *process;

	(void)state;
	task_machine_start(FRAMES);
	for (uint32_t i = 0; i < 20; i++) {
		assert_int_equal(spawn(&file, (struct process_layout_wish){ 0 }, &process), STATUS_OK);
		assert_int_equal(process->layout.kind, LAYOUT_FLEXIBLE);
		assert_true(uaddr_to_u64(process->layout.image.start) != uaddr_to_u64(before.image.start));
		assert_true(uaddr_to_u64(process->layout.stack.end) != uaddr_to_u64(before.stack.end));
		assert_true(uaddr_to_u64(process->layout.mmap.end) != uaddr_to_u64(before.mmap.end));
		before = process->layout;
		end_process(process);
	}
	task_machine_stop();
}

static void assert_loaded(struct process *process, const struct program_file *file, uint64_t moved)
{
	uint8_t found[PROGRAM_FILE_BYTES];

	for (uint32_t i = 0; i < PROGRAM_LOADS; i++) {
		const Elf64_Phdr *load = &file->program[i];

		assert_int_equal(user_access_read(&process->space, load->p_vaddr + moved, load->p_filesz, found),
				 STATUS_OK);
		assert_memory_equal(found, (const uint8_t *)file + load->p_offset, load->p_filesz);
	}
	assert_int_equal(process->slot[0].thread->entry, file->header.e_entry + moved);
}

/* The value of one entry of the vector: behind argc, one argument, and the 0 of either list. */
static uint64_t vector_value(struct process *process, uint64_t type)
{
	uint64_t at = process->slot[0].thread->user_stack + 32, entry[2];

	for (;; at += sizeof(entry)) {
		assert_int_equal(user_access_read(&process->space, at, sizeof(entry), entry), STATUS_OK);
		assert_int_not_equal(entry[0], AT_NULL);
		if (entry[0] == type)
			return entry[1];
	}
}

/* Every byte where the layout has the image; entry and program headers are told as they lie. */
static void test_movable(void **state)
{
	const struct program_file file = movable_file();
	struct process *process;

	(void)state;
	task_machine_start(FRAMES);
	for (uint64_t seed = 0; seed < 50; seed++) {
		uint64_t start;

		assert_int_equal(spawn(&file, (struct process_layout_wish){ .flags = SEEDED, .seed = seed }, &process),
				 STATUS_OK);
		start = uaddr_to_u64(process->layout.image.start);
		assert_true(start >= LINKED);
		assert_loaded(process, &file, start);
		assert_int_equal(vector_value(process, AT_ENTRY), start + file.header.e_entry);
		assert_int_equal(vector_value(process, AT_PHDR), start + file.header.e_phoff);
		assert_int_equal(vector_value(process, AT_BASE), 0);
		assert_in_range(process->slot[0].thread->segments.fs_base, start + 0x9000, start + 0xa000 - 64);
		end_process(process);
	}
	task_machine_stop();
}

/* The loader obeys the largest alignment of a load. */
static void test_aligned(void **state)
{
	struct program_file file = movable_file();
	struct process *process;

	(void)state;
	file.program[PROGRAM_TEXT].p_align = UINT64_C(1) << 21;
	task_machine_start(FRAMES);
	for (uint64_t seed = 0; seed < 20; seed++) {
		assert_int_equal(spawn(&file, (struct process_layout_wish){ .flags = SEEDED, .seed = seed }, &process),
				 STATUS_OK);
		assert_int_equal(uaddr_to_u64(process->layout.image.start) % (UINT64_C(1) << 21), 0);
		assert_loaded(process, &file, uaddr_to_u64(process->layout.image.start));
		end_process(process);
	}
	task_machine_stop();
}

struct refusal {
	struct process_layout_wish wish;
	enum status status;
};

static const struct refusal refusals[] = {
	{ { .kind = PROCESS_LAYOUT_COUNT }, STATUS_BAD_ARGUMENT },
	{ { .kind = UINT32_MAX }, STATUS_BAD_ARGUMENT },
	{ { .flags = 8 }, STATUS_BAD_ARGUMENT },
	{ { .flags = UINT32_C(1) << 31 }, STATUS_BAD_ARGUMENT },
	{ { .flags = FIXED | SEEDED }, STATUS_BAD_ARGUMENT },
	{ { .flags = FIXED | HEAP_OFFSET }, STATUS_BAD_ARGUMENT },
	{ { .seed = 1 }, STATUS_BAD_ARGUMENT },
	{ { .flags = FIXED, .seed = 1 }, STATUS_BAD_ARGUMENT },
	{ { .kind = PROCESS_LAYOUT_CLASSIC, .stack_limit = USER_LIMIT / 3 * 2 }, STATUS_LAYOUT_STACK_TOO_LARGE },
	{ { .kind = PROCESS_LAYOUT_CLASSIC, .stack_limit = UINT64_MAX }, STATUS_LAYOUT_STACK_TOO_LARGE },
	{ { .kind = PROCESS_LAYOUT_CLASSIC_RANDOM, .stack_limit = UINT64_MAX }, STATUS_LAYOUT_STACK_TOO_LARGE },
};

/* Nothing is left behind, and luck has no part in it. */
static void test_refusals(void **state)
{
	const struct program_file file = program_file_good();
	struct task_snapshot before;
	struct process *process;

	(void)state;
	task_machine_start(FRAMES);
	task_snapshot_take(&before, NULL);
	for (uint32_t i = 0; i < COUNT_OF(refusals); i++) {
		for (uint32_t round = 0; round < 3; round++) {
			assert_int_equal(spawn(&file, refusals[i].wish, &process), refusals[i].status);
			assert_true(task_snapshot_holds(&before, NULL));
		}
	}
	task_machine_stop();
}

/* Pages from the stack's end down to its limit, and not one more. */
static void test_stack_limit(void **state)
{
	static const uint64_t limits[] = { 1, PAGE_SIZE, 3 * PAGE_SIZE, 5 * PAGE_SIZE + 1, UINT64_C(1) << 20 };
	const struct program_file file = program_file_good();
	struct process *process;

	(void)state;
	task_machine_start(FRAMES);
	for (uint32_t i = 0; i < COUNT_OF(limits); i++) {
		const uint64_t bytes = (limits[i] + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
		uint64_t start;

		assert_int_equal(spawn(&file, (struct process_layout_wish){ .stack_limit = limits[i] }, &process),
				 STATUS_OK);
		start = uaddr_to_u64(process->layout.stack.start);
		assert_int_equal(uaddr_range_bytes(process->layout.stack), bytes);
		assert_int_equal(address_space_touch(&process->space, start - 1, PROTECTION_WRITE),
				 STATUS_STACK_OVERFLOW);
		assert_int_equal(address_space_touch(&process->space, start, PROTECTION_WRITE), STATUS_OK);
		assert_true(process_is_valid(process));
		end_process(process);
	}
	task_machine_stop();
}

/* Much bss is charged, takes no frame but for page tables, and is there when it is touched. */
static void test_much_bss(void **state)
{
	struct program_file file = program_file_good();
	const uint64_t bytes = UINT64_C(256) << 20;
	struct memory_statistics statistics;
	struct process *process;
	uint64_t before, at;

	(void)state;
	task_machine_start(FRAMES);
	before = frame_free_count();
	file.program[PROGRAM_DATA].p_memsz = bytes;
	assert_int_equal(spawn(&file, (struct process_layout_wish){ .flags = FIXED }, &process), STATUS_OK);
	process_read_statistics(process, &statistics);
	assert_true(statistics.ledger[LEDGER_IMAGE].used > bytes >> PAGE_SHIFT);
	assert_true(before - frame_free_count() < (bytes >> 21) + 64);
	at = file.program[PROGRAM_DATA].p_vaddr + bytes - 8;
	assert_int_equal(user_access_read(&process->space, at, sizeof(at), &at), STATUS_OK);
	assert_int_equal(at, 0);
	assert_true(process_is_valid(process));
	end_process(process);
	(void)kernel_stack_trim();
	assert_int_equal(frame_free_count(), before);
	task_machine_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),    cmocka_unit_test(test_default_is_random),
		cmocka_unit_test(test_movable),  cmocka_unit_test(test_aligned),
		cmocka_unit_test(test_refusals), cmocka_unit_test(test_stack_limit),
		cmocka_unit_test(test_much_bss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
