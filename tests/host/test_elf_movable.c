/* Position-independent programs: a plan that counts from 0, and where it may be put. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/check.h"
#include "lib/elf_plan.h"
#include "tests/host/host_support.h"
#include "tests/host/program_file.h"

#define LINKED UINT64_C(0x400000) /* where program_file_good() lies */
#define TWO_MIB UINT64_C(0x200000)

static enum status make(const struct program_file *file, struct elf_plan *plan)
{
	const enum status status = elf_plan_make(file, sizeof(*file), plan);

	if (status == STATUS_OK)
		assert_true(elf_plan_is_valid(plan, sizeof(*file)));
	return status;
}

/* The same file, position-independent, linked to lie at `start`. */
static struct program_file file_linked_at(uint64_t start)
{
	struct program_file file = program_file_good();

	file.header.e_type = ET_DYN;
	file.header.e_entry += start - LINKED;
	for (uint32_t i = 0; i < PROGRAM_STACK; i++)
		file.program[i].p_vaddr += start - LINKED;
	return file;
}

/* All that `plan` says is what `fixed` says, `delta` lower. */
static void assert_shifted(const struct elf_plan *plan, const struct elf_plan *fixed, uint64_t delta)
{
	assert_int_equal(plan->segments, fixed->segments);
	assert_int_equal(plan->entry, fixed->entry - delta);
	assert_int_equal(plan->image_pages, fixed->image_pages);
	assert_int_equal(plan->program_headers, fixed->program_headers - delta);
	assert_int_equal(plan->program_header_count, fixed->program_header_count);
	assert_int_equal(plan->tls_file_offset, fixed->tls_file_offset);
	assert_int_equal(plan->tls_memory_bytes, fixed->tls_memory_bytes);
	for (uint32_t i = 0; i < fixed->segments; i++) {
		const struct elf_segment *is = &plan->segment[i], *was = &fixed->segment[i];

		assert_int_equal(uaddr_to_u64(is->pages.start), uaddr_to_u64(was->pages.start) - delta);
		assert_int_equal(uaddr_to_u64(is->pages.end), uaddr_to_u64(was->pages.end) - delta);
		assert_int_equal(is->address, was->address - delta);
		assert_int_equal(is->file_offset, was->file_offset);
		assert_int_equal(is->file_bytes, was->file_bytes);
		assert_int_equal(is->protection, was->protection);
	}
}

static struct elf_plan fixed_plan(void)
{
	const struct program_file file = program_file_good();
	struct elf_plan plan;

	assert_int_equal(make(&file, &plan), STATUS_OK);
	assert_false(plan.is_movable);
	assert_int_equal(uaddr_to_u64(elf_plan_range(&plan).start), LINKED);
	assert_int_equal(uaddr_to_u64(elf_plan_range(&plan).end), 0x409000);
	return plan;
}

/* Wherever the linker counts from, on the null page and on the window too, the plan counts from 0. */
static void test_counts_from_zero(void **state)
{
	static const uint64_t starts[] = { 0, 0x1000, 0x10000, BOOTSTRAP_START, LINKED, UINT64_C(0x7f0000000000) };
	const struct elf_plan fixed = fixed_plan();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(starts); i++) {
		const struct program_file file = file_linked_at(starts[i]);
		struct elf_plan plan;

		assert_int_equal(make(&file, &plan), STATUS_OK);
		assert_true(plan.is_movable);
		assert_int_equal(plan.alignment, PAGE_SIZE);
		assert_shifted(&plan, &fixed, LINKED);
		assert_int_equal(uaddr_to_u64(elf_plan_range(&plan).start), 0);
		assert_int_equal(uaddr_to_u64(elf_plan_range(&plan).end), 0x9000);
	}
}

/* Placed it is a plan like that of a fixed program, to the last field. */
static void test_place(void **state)
{
	static const uint64_t starts[] = { USER_START, BOOTSTRAP_END, LINKED, UINT64_C(0x555555554000),
					   USER_LIMIT - 0x9000 };
	const struct elf_plan fixed = fixed_plan();
	const struct program_file file = file_linked_at(0);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(starts); i++) {
		struct elf_plan plan;

		assert_int_equal(make(&file, &plan), STATUS_OK);
		assert_int_equal(elf_plan_place(&plan, starts[i]), STATUS_OK);
		assert_false(plan.is_movable);
		assert_true(elf_plan_is_valid(&plan, sizeof(file)));
		assert_shifted(&plan, &fixed, LINKED - starts[i]);
		assert_int_equal(uaddr_to_u64(elf_plan_range(&plan).start), starts[i]);
	}
}

static void test_bad_places(void **state)
{
	static const struct {
		uint64_t start;
		enum status status;
	} bad[] = {
		{ 0, STATUS_ELF_SEGMENT_NOT_USER },
		{ USER_START - PAGE_SIZE, STATUS_ELF_SEGMENT_NOT_USER },
		{ BOOTSTRAP_START - PAGE_SIZE, STATUS_ELF_SEGMENT_ON_BOOTSTRAP },
		{ BOOTSTRAP_START, STATUS_ELF_SEGMENT_ON_BOOTSTRAP },
		{ BOOTSTRAP_END - PAGE_SIZE, STATUS_ELF_SEGMENT_ON_BOOTSTRAP },
		{ USER_LIMIT - 0x8000, STATUS_ELF_SEGMENT_NOT_USER },
		{ USER_LIMIT, STATUS_ELF_SEGMENT_NOT_USER },
		{ UINT64_C(0xffffffff80000000), STATUS_ELF_SEGMENT_NOT_USER },
		{ UINT64_MAX - 0xfff, STATUS_ELF_SEGMENT_NOT_USER },
		{ LINKED + 0x800, STATUS_MISALIGNED },
		{ UINT64_MAX, STATUS_MISALIGNED },
	};
	const struct program_file file = file_linked_at(0);
	struct elf_plan plan, before;

	(void)state;
	assert_int_equal(make(&file, &plan), STATUS_OK);
	before = plan;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_int_equal(elf_plan_place(&plan, bad[i].start), bad[i].status);
		assert_memory_equal(&plan, &before, sizeof(plan));
	}
}

/* The largest alignment of a load is that of the place; what lies before the first load is part of the image. */
static void test_alignment(void **state)
{
	struct program_file file = file_linked_at(0);
	struct elf_plan plan;

	(void)state;
	file.program[PROGRAM_TEXT].p_align = TWO_MIB;
	assert_int_equal(make(&file, &plan), STATUS_OK);
	assert_int_equal(plan.alignment, TWO_MIB);
	assert_int_equal(elf_plan_place(&plan, 0x401000), STATUS_MISALIGNED);
	assert_int_equal(elf_plan_place(&plan, 0x400000), STATUS_OK);

	file = file_linked_at(TWO_MIB + 0x3000);
	file.program[PROGRAM_TEXT].p_align = TWO_MIB;
	file.program[PROGRAM_TEXT].p_offset = 0; /* not congruent any more */
	assert_int_equal(make(&file, &plan), STATUS_ELF_BAD_ALIGNMENT);
	file.program[PROGRAM_TEXT].p_align = 0x1000;
	file.program[PROGRAM_TLS].p_type = PT_NULL;
	file.program[PROGRAM_DATA].p_align = TWO_MIB;
	file.program[PROGRAM_DATA].p_vaddr = 4 * TWO_MIB + file.program[PROGRAM_DATA].p_offset;
	assert_int_equal(make(&file, &plan), STATUS_OK);
	assert_int_equal(plan.alignment, TWO_MIB);
	assert_int_equal(uaddr_to_u64(plan.segment[0].pages.start), 0x3000);
	assert_int_equal(plan.segment[2].address, 3 * TWO_MIB + file.program[PROGRAM_DATA].p_offset);
	assert_int_equal(uaddr_to_u64(elf_plan_range(&plan).start), 0);
}

static void test_alignment_too_large(void **state)
{
	struct program_file file = file_linked_at(0);
	struct elf_plan plan;

	(void)state;
	file.program[PROGRAM_TEXT].p_align = ELF_PLAN_MAX_ALIGNMENT;
	assert_int_equal(make(&file, &plan), STATUS_OK);
	file.program[PROGRAM_TEXT].p_align *= 2;
	assert_int_equal(make(&file, &plan), STATUS_ELF_BAD_ALIGNMENT);
	file.header.e_type = ET_EXEC; /* which lies where it says anyway */
	for (uint32_t i = 0; i < PROGRAM_STACK; i++)
		file.program[i].p_vaddr += UINT64_C(1) << 40;
	file.header.e_entry += UINT64_C(1) << 40;
	assert_int_equal(make(&file, &plan), STATUS_OK);
}

/* The dynamic section is the program's own; an interpreter is not. */
static void test_headers(void **state)
{
	struct program_file file = file_linked_at(0);
	struct elf_plan plan;

	(void)state;
	file.program[PROGRAM_STACK].p_type = PT_DYNAMIC;
	assert_int_equal(make(&file, &plan), STATUS_OK);
	file.program[PROGRAM_STACK].p_type = PT_GNU_RELRO;
	assert_int_equal(make(&file, &plan), STATUS_OK);
	file.program[PROGRAM_STACK].p_type = PT_INTERP;
	assert_int_equal(make(&file, &plan), STATUS_ELF_HAS_INTERPRETER);
	file.program[PROGRAM_STACK] = (Elf64_Phdr){ .p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W | PF_X };
	assert_int_equal(make(&file, &plan), STATUS_ELF_EXECUTABLE_STACK);
}

/* What is refused of a fixed program is refused of a movable one. */
static void test_refusals(void **state)
{
	struct program_file file = file_linked_at(0);
	struct elf_plan plan;

	(void)state;
	file.program[PROGRAM_DATA].p_vaddr = UINT64_MAX - 0x11ff;
	assert_int_equal(make(&file, &plan), STATUS_ELF_SEGMENT_WRAPS);
	file.program[PROGRAM_DATA].p_vaddr = USER_LIMIT - 0x1200;
	assert_int_equal(make(&file, &plan), STATUS_ELF_SEGMENT_NOT_USER);
	file = file_linked_at(0);
	file.program[PROGRAM_RODATA].p_vaddr = 0x1800; /* one page of two protections */
	assert_int_equal(make(&file, &plan), STATUS_ELF_SEGMENTS_OVERLAP);
	file = file_linked_at(0);
	file.program[PROGRAM_TEXT].p_flags |= PF_W;
	assert_int_equal(make(&file, &plan), STATUS_ELF_WRITE_AND_EXECUTE);
	file = file_linked_at(0);
	file.header.e_entry = 0x2000;
	assert_int_equal(make(&file, &plan), STATUS_ELF_ENTRY_NOT_EXECUTABLE);
	file = file_linked_at(0);
	file.program[PROGRAM_DATA].p_memsz = UINT64_C(1) << 41;
	assert_int_equal(make(&file, &plan), STATUS_ELF_TOO_LARGE);
}

static void assert_file_pages(uint64_t address, uint64_t bytes, uint64_t start, uint64_t end)
{
	const uint64_t first = address & ~(PAGE_SIZE - 1);
	const struct elf_segment segment = {
		.pages = uaddr_range_make(first, first + 8 * PAGE_SIZE),
		.address = address,
		.file_bytes = bytes,
	};
	const struct uaddr_range pages = elf_plan_file_pages(&segment);

	assert_int_equal(uaddr_to_u64(pages.start), start);
	assert_int_equal(uaddr_to_u64(pages.end), end);
}

/* The last page with a byte of the file is the last that is not all zero. */
static void test_file_pages(void **state)
{
	(void)state;
	assert_file_pages(0x5000, 0, 0x5000, 0x5000);
	assert_file_pages(0x5e00, 0, 0x5000, 0x5000);
	assert_file_pages(0x5000, 1, 0x5000, 0x6000);
	assert_file_pages(0x5000, 0x1000, 0x5000, 0x6000);
	assert_file_pages(0x5000, 0x1001, 0x5000, 0x7000);
	assert_file_pages(0x5e00, 0x200, 0x5000, 0x6000);
	assert_file_pages(0x5e00, 0x201, 0x5000, 0x7000);
	assert_file_pages(0x5e00, 0x7200, 0x5000, 0xd000);
}

/* Any start gives a valid plan or a refusal that changes nothing; any damage a typed answer. */
static void test_random(void **state)
{
	struct host_random random;
	uint64_t placed = 0;

	(void)state;
	host_random_init(&random, "elf_movable", 7);
	for (uint64_t round = host_rounds(100000); round > 0; round--) {
		struct program_file file = file_linked_at(host_random_below(&random, 64) * PAGE_SIZE);
		const uint64_t start = host_random_u64(&random) >> host_random_below(&random, 64) & ~(PAGE_SIZE - 1);
		uint8_t *headers = (uint8_t *)&file;
		struct elf_plan plan, before;

		if (host_random_once_in(&random, 2))
			headers[host_random_below(&random, offsetof(struct program_file, rest))] ^=
				(uint8_t)(1u << host_random_below(&random, 8));
		if (make(&file, &plan) != STATUS_OK || !plan.is_movable)
			continue;
		before = plan;
		if (elf_plan_place(&plan, start) != STATUS_OK) {
			assert_memory_equal(&plan, &before, sizeof(plan));
			continue;
		}
		assert_true(elf_plan_is_valid(&plan, sizeof(file)));
		placed++;
	}
	assert_true(placed > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_from_zero),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_bad_places),
		cmocka_unit_test(test_alignment),
		cmocka_unit_test(test_alignment_too_large),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_file_pages),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
