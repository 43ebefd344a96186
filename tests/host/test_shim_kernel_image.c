/* links: boot/shim/kernel_image.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <string.h>

#include "boot/shim/kernel_image.h"
#include "boot/shim/placement.h"
#include "boot/shim/report.h"
#include "lib/check.h"

#define BASE UINT64_C(0xffffffff80100000)
#define PAGE UINT64_C(0x1000)
#define FILE_BYTES 0x4000u
#define SEGMENTS 3u
#define MAPPED_MAX 8u

struct kernel_file {
	Elf64_Ehdr header;
	Elf64_Phdr program[KERNEL_IMAGE_MAX_SEGMENTS + 1];
};

static struct kernel_file parts;
static uint64_t file_size;
static struct kernel_image plan;
static const char *refusal;
static jmp_buf refused;

static struct loader_mapping mapped[MAPPED_MAX];
static size_t mapped_count;

/* In place of the loader's own: a refusal ends the call that is tested. */
_Noreturn void report_refuse(const char *why)
{
	refusal = why;
	longjmp(refused, 1);
}

void placement_fill(void *memory, uint64_t bytes)
{
	memset(memory, (uint8_t)PLACEMENT_PATTERN, bytes);
}

void loader_paging_map(struct loader_paging *paging, struct loader_mapping mapping)
{
	(void)paging;
	assert_true(mapped_count < MAPPED_MAX);
	mapped[mapped_count++] = mapping;
}

static Elf64_Phdr load(uint64_t address, uint64_t offset, uint64_t file_bytes, uint64_t memory_bytes, uint32_t flags)
{
	return (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | flags,
		.p_offset = offset,
		.p_vaddr = address,
		.p_paddr = 0x100000,
		.p_filesz = file_bytes,
		.p_memsz = memory_bytes,
		.p_align = PAGE,
	};
}

/* Text, constants, data with bss; then tests change one thing each. */
static int start_over(void **state)
{
	(void)state;
	parts = (struct kernel_file){
		.header = {
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_entry = BASE + 0x10,
			.e_phoff = offsetof(struct kernel_file, program),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = SEGMENTS,
		},
		.program = {
			load(BASE, PAGE, 0x800, 0x800, PF_X),
			load(BASE + PAGE, 2 * PAGE, PAGE, PAGE, 0),
			load(BASE + 4 * PAGE + 0x80, 3 * PAGE + 0x80, 0x100, PAGE, PF_W),
		},
	};
	file_size = FILE_BYTES;
	refusal = "";
	mapped_count = 0;
	return 0;
}

static struct byte_span file(void)
{
	static uint8_t bytes[FILE_BYTES];
	memset(bytes, 0x5a, sizeof(bytes));
	memcpy(bytes, &parts, sizeof(parts));
	return (struct byte_span){ bytes, file_size };
}

static const char *make_plan(void)
{
	if (setjmp(refused) == 0)
		kernel_image_plan(file(), &plan);
	return refusal;
}

static void test_plan(void **state)
{
	(void)state;
	assert_string_equal(make_plan(), "");
	assert_int_equal(plan.entry, BASE + 0x10);
	assert_int_equal(plan.base, BASE);
	assert_int_equal(plan.bytes, 6 * PAGE);
	assert_int_equal(plan.alignment, PAGE);
	assert_int_equal(plan.segments, SEGMENTS);
}

/* The whole block: file bytes, zeroes up to p_memsz, and the pattern wherever no segment is. */
static void test_load(void **state)
{
	static uint8_t memory[6 * PAGE];

	(void)state;
	assert_string_equal(make_plan(), "");
	kernel_image_load(&plan, file(), memory);
	for (uint64_t i = 0; i < sizeof(memory); i++) {
		uint8_t wanted = (uint8_t)PLACEMENT_PATTERN;
		if (i < 0x800 || (i >= PAGE && i < 2 * PAGE) || (i >= 4 * PAGE + 0x80 && i < 4 * PAGE + 0x180))
			wanted = 0x5a;
		else if (i >= 4 * PAGE + 0x180 && i < 5 * PAGE + 0x80)
			wanted = 0;
		assert_int_equal(memory[i], wanted);
	}
}

static void test_map(void **state)
{
	static const uint64_t flags[SEGMENTS] = { 0, LOADER_PAGING_NO_EXECUTE,
						  LOADER_PAGING_NO_EXECUTE | LOADER_PAGING_WRITE };
	static const uint64_t first_page[SEGMENTS] = { 0, 1, 4 };
	static const uint64_t pages[SEGMENTS] = { 1, 1, 2 };
	const uint64_t physical = 0x7777000;

	(void)state;
	assert_string_equal(make_plan(), "");
	kernel_image_map(&plan, physical, NULL);
	assert_int_equal(mapped_count, SEGMENTS);
	for (size_t i = 0; i < SEGMENTS; i++) {
		assert_int_equal(mapped[i].virtual, BASE + first_page[i] * PAGE);
		assert_int_equal(mapped[i].physical, physical + first_page[i] * PAGE);
		assert_int_equal(mapped[i].bytes, pages[i] * PAGE);
		assert_int_equal(mapped[i].flags, flags[i]);
		assert_false(mapped[i].large);
	}
}

static void test_alignment_of_the_block(void **state)
{
	(void)state;
	for (size_t i = 0; i < SEGMENTS; i++)
		parts.program[i].p_align = 1;
	assert_string_equal(make_plan(), "");
	assert_int_equal(plan.alignment, PAGE);

	/* The block begins at a multiple of the largest alignment, below the first segment if need be. */
	parts.program[0].p_align = 0x200000;
	parts.program[0].p_vaddr = KERNEL_IMAGE_LOWEST + PAGE;
	parts.header.e_entry = parts.program[0].p_vaddr;
	assert_string_equal(make_plan(), "");
	assert_int_equal(plan.alignment, 0x200000);
	assert_int_equal(plan.base, KERNEL_IMAGE_LOWEST);
}

struct spoilt {
	const char *refusal;
	void (*spoil)(void);
};

static void truncate_header(void)
{
	file_size = sizeof(Elf64_Ehdr) - 1;
}

static void spoil_magic(void)
{
	parts.header.e_ident[EI_MAG1] = 'F';
}

static void make_32_bit(void)
{
	parts.header.e_ident[EI_CLASS] = ELFCLASS32;
}

static void make_big_endian(void)
{
	parts.header.e_ident[EI_DATA] = ELFDATA2MSB;
}

static void make_other_machine(void)
{
	parts.header.e_machine = EM_AARCH64;
}

static void make_relocatable(void)
{
	parts.header.e_type = ET_DYN;
}

static void spoil_header_size(void)
{
	parts.header.e_phentsize = 32;
}

static void move_headers_out(void)
{
	parts.header.e_phoff = UINT64_MAX - 8;
}

static void lengthen_headers(void)
{
	parts.header.e_phnum = UINT16_MAX;
}

static void add_interpreter(void)
{
	parts.program[1].p_type = PT_INTERP;
}

static void move_load_low(void)
{
	parts.program[0].p_vaddr = KERNEL_IMAGE_LOWEST - PAGE;
}

static void wrap_load(void)
{
	parts.program[2].p_memsz = UINT64_C(0x80000000);
}

static void reach_the_end(void)
{
	parts.program[2].p_vaddr = UINT64_MAX - 2 * PAGE + 1 + 0x80;
	parts.program[2].p_memsz = PAGE;
}

static void lengthen_file_part(void)
{
	parts.program[1].p_filesz = parts.program[1].p_memsz + 1;
}

static void move_load_out(void)
{
	parts.program[1].p_offset = FILE_BYTES;
}

static void cut_load(void)
{
	file_size = 3 * PAGE + 0x17f;
}

static void spoil_alignment(void)
{
	parts.program[0].p_align = 0x1800;
}

static void shift_load(void)
{
	parts.program[0].p_vaddr += 0x10;
}

static void overlap(void)
{
	parts.program[0].p_memsz = PAGE + 1;
}

static void swap(void)
{
	const Elf64_Phdr first = parts.program[0];
	parts.program[0] = parts.program[1];
	parts.program[1] = first;
}

static void add_many(void)
{
	for (uint32_t i = 0; i <= KERNEL_IMAGE_MAX_SEGMENTS; i++)
		parts.program[i] = load(BASE + i * PAGE, PAGE, 1, 1, PF_X);
	parts.header.e_phnum = KERNEL_IMAGE_MAX_SEGMENTS + 1;
}

static void remove_all(void)
{
	parts.header.e_phnum = 0;
}

static void enter_data(void)
{
	parts.header.e_entry = BASE + PAGE;
}

static void enter_past_text(void)
{
	parts.header.e_entry = BASE + 0x800;
}

static const struct spoilt spoilt[] = {
	{ "the kernel is not an ELF file", truncate_header },
	{ "the kernel is not an ELF file", spoil_magic },
	{ "the kernel is not an ELF file for x86-64", make_32_bit },
	{ "the kernel is not an ELF file for x86-64", make_big_endian },
	{ "the kernel is not an ELF file for x86-64", make_other_machine },
	{ "the kernel is not a fixed executable (ET_EXEC)", make_relocatable },
	{ "the kernel's program headers have a wrong size", spoil_header_size },
	{ "the kernel's program headers lie outside the file", move_headers_out },
	{ "the kernel's program headers lie outside the file", lengthen_headers },
	{ "the kernel wants an interpreter", add_interpreter },
	{ "a PT_LOAD of the kernel lies below 0xffffffff80000000", move_load_low },
	{ "a PT_LOAD of the kernel reaches the end of the address space", wrap_load },
	{ "a PT_LOAD of the kernel reaches the end of the address space", reach_the_end },
	{ "a PT_LOAD of the kernel has more bytes in the file than in memory", lengthen_file_part },
	{ "a PT_LOAD of the kernel lies outside the file", move_load_out },
	{ "a PT_LOAD of the kernel lies outside the file", cut_load },
	{ "a PT_LOAD of the kernel has a bad alignment", spoil_alignment },
	{ "a PT_LOAD of the kernel is not aligned as it says", shift_load },
	{ "two PT_LOADs of the kernel share a page or are not in order", overlap },
	{ "two PT_LOADs of the kernel share a page or are not in order", swap },
	{ "the kernel has too many PT_LOADs", add_many },
	{ "the kernel has no PT_LOAD", remove_all },
	{ "the kernel's entry point lies in no executable PT_LOAD", enter_data },
	{ "the kernel's entry point lies in no executable PT_LOAD", enter_past_text },
};

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(spoilt); i++) {
		(void)start_over(NULL);
		spoilt[i].spoil();
		assert_string_equal(make_plan(), spoilt[i].refusal);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_plan, start_over),
		cmocka_unit_test_setup(test_load, start_over),
		cmocka_unit_test_setup(test_map, start_over),
		cmocka_unit_test_setup(test_alignment_of_the_block, start_over),
		cmocka_unit_test(test_refusals),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
