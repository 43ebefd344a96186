#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "lib/check.h"
#include "lib/elf_plan.h"
#include "tests/host/host_support.h"

#define FILE_BYTES 0x3000u
#define MAX_HEADERS 20u

#define TEXT_ADDRESS UINT64_C(0x400000)
#define DATA_ADDRESS UINT64_C(0x402800)
#define TEXT_BYTES 0x1800u
#define DATA_OFFSET 0x1800u
#define DATA_BYTES 0x400u
#define DATA_MEMORY 0x3000u

/* A file in parts, so that a test can spoil one and write the rest as it was. */
struct image {
	Elf64_Ehdr header;
	Elf64_Phdr program[MAX_HEADERS];
	size_t size;
};

enum {
	LOAD_TEXT,
	LOAD_DATA,
	TLS,
	STACK
};

/* A static program as linkers make it: headers and text, data with bss, TLS in the data, a plain stack. */
static struct image image_good(void)
{
	struct image image = { .size = FILE_BYTES };

	image.header = (Elf64_Ehdr){
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = TEXT_ADDRESS + 0x1000,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 4,
	};
	image.program[LOAD_TEXT] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_vaddr = TEXT_ADDRESS,
		.p_filesz = TEXT_BYTES,
		.p_memsz = TEXT_BYTES,
		.p_align = 0x1000,
	};
	image.program[LOAD_DATA] = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_W,
		.p_offset = DATA_OFFSET,
		.p_vaddr = DATA_ADDRESS,
		.p_filesz = DATA_BYTES,
		.p_memsz = DATA_MEMORY,
		.p_align = 0x1000,
	};
	image.program[TLS] = (Elf64_Phdr){
		.p_type = PT_TLS,
		.p_flags = PF_R,
		.p_offset = DATA_OFFSET + 0x40,
		.p_vaddr = DATA_ADDRESS + 0x40,
		.p_filesz = 0x20,
		.p_memsz = 0x50,
		.p_align = 16,
	};
	image.program[STACK] = (Elf64_Phdr){ .p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W };
	return image;
}

/* The bytes of the file, on the heap at its exact size, so that sanitizers and valgrind see any read past the end. */
static uint8_t *image_write(const struct image *image)
{
	const size_t table = sizeof(image->program);
	uint8_t *whole = calloc(1, FILE_BYTES + table);
	uint8_t *exact = malloc(image->size == 0 ? 1 : image->size);

	assert_non_null(whole);
	assert_non_null(exact);
	memcpy(whole, &image->header, sizeof(image->header));
	if (image->header.e_phoff <= FILE_BYTES)
		memcpy(whole + image->header.e_phoff, image->program, table);
	memcpy(exact, whole, image->size);
	free(whole);
	return exact;
}

static enum status make(const struct image *image, struct elf_plan *plan)
{
	uint8_t *bytes = image_write(image);
	const enum status status = elf_plan_make(bytes, image->size, plan);

	if (status == STATUS_OK)
		assert_true(elf_plan_is_valid(plan, image->size));
	free(bytes);
	return status;
}

static enum status answer(const struct image *image)
{
	struct elf_plan plan;

	return make(image, &plan);
}

static void test_good(void **state)
{
	const struct image image = image_good();
	struct elf_plan plan;

	(void)state;
	assert_int_equal(make(&image, &plan), STATUS_OK);
	assert_int_equal(plan.segments, 2);
	assert_int_equal(plan.entry, TEXT_ADDRESS + 0x1000);
	assert_int_equal(plan.image_pages, 2 + 4);
	assert_int_equal(plan.program_headers, TEXT_ADDRESS + sizeof(Elf64_Ehdr));
	assert_int_equal(plan.program_header_count, 4);

	assert_int_equal(uaddr_to_u64(plan.segment[0].pages.start), TEXT_ADDRESS);
	assert_int_equal(uaddr_to_u64(plan.segment[0].pages.end), TEXT_ADDRESS + 0x2000);
	assert_int_equal(plan.segment[0].protection, PROTECTION_READ | PROTECTION_EXECUTE);
	assert_int_equal(plan.segment[0].file_offset, 0);
	assert_int_equal(plan.segment[0].file_bytes, TEXT_BYTES);

	assert_int_equal(uaddr_to_u64(plan.segment[1].pages.start), 0x402000);
	assert_int_equal(uaddr_to_u64(plan.segment[1].pages.end), 0x406000);
	assert_int_equal(plan.segment[1].protection, PROTECTION_READ | PROTECTION_WRITE);
	assert_int_equal(plan.segment[1].address, DATA_ADDRESS);
	assert_int_equal(plan.segment[1].file_offset, DATA_OFFSET);
	assert_int_equal(plan.segment[1].file_bytes, DATA_BYTES);

	assert_true(plan.has_tls);
	assert_int_equal(plan.tls_file_offset, DATA_OFFSET + 0x40);
	assert_int_equal(plan.tls_file_bytes, 0x20);
	assert_int_equal(plan.tls_memory_bytes, 0x50);
	assert_int_equal(plan.tls_alignment, 16);
}

/* Loads in any order come out sorted. */
static void test_sorts(void **state)
{
	struct image image = image_good();
	struct elf_plan plan;
	const Elf64_Phdr text = image.program[LOAD_TEXT];

	(void)state;
	image.program[LOAD_TEXT] = image.program[LOAD_DATA];
	image.program[LOAD_DATA] = text;
	assert_int_equal(make(&image, &plan), STATUS_OK);
	assert_int_equal(plan.segments, 2);
	assert_int_equal(plan.segment[0].address, TEXT_ADDRESS);
	assert_int_equal(plan.segment[1].address, DATA_ADDRESS);
}

static void test_ignored_headers(void **state)
{
	const uint32_t types[] = { PT_NULL,      PT_NOTE,         PT_PHDR,     PT_DYNAMIC,
				   PT_GNU_RELRO, PT_GNU_EH_FRAME, 0x6474e553u, 0x70000001u };
	struct elf_plan plan;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		struct image image = image_good();

		image.program[TLS] = (Elf64_Phdr){ .p_type = types[i], .p_offset = UINT64_MAX, .p_filesz = UINT64_MAX };
		assert_int_equal(make(&image, &plan), STATUS_OK);
		assert_int_equal(plan.segments, 2);
		assert_false(plan.has_tls);
	}

	struct image image = image_good();

	image.program[TLS] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_offset = UINT64_MAX, .p_align = 3 };
	assert_int_equal(make(&image, &plan), STATUS_OK); /* memory size 0 */
	assert_int_equal(plan.segments, 2);
}

static void test_program_headers_not_loaded(void **state)
{
	struct image image = image_good();
	struct elf_plan plan;

	(void)state;
	image.header.e_phoff = 0x2000; /* behind the bytes of both loads */
	assert_int_equal(make(&image, &plan), STATUS_OK);
	assert_int_equal(plan.program_headers, 0);
	assert_int_equal(plan.program_header_count, 4);
}

static void test_truncated(void **state)
{
	struct image image = image_good();

	(void)state;
	for (image.size = 0; image.size < sizeof(Elf64_Ehdr) + 4 * sizeof(Elf64_Phdr); image.size++)
		assert_int_equal(answer(&image), STATUS_ELF_TRUNCATED);
	for (; image.size < DATA_OFFSET + DATA_BYTES; image.size += 7)
		assert_int_equal(answer(&image), STATUS_ELF_SEGMENT_OUTSIDE_FILE);
	image.size = DATA_OFFSET + DATA_BYTES - 1;
	assert_int_equal(answer(&image), STATUS_ELF_SEGMENT_OUTSIDE_FILE);
	image.size++;
	assert_int_equal(answer(&image), STATUS_OK);
	image = image_good();
	image.header.e_phoff = UINT64_MAX - 10;
	assert_int_equal(answer(&image), STATUS_ELF_TRUNCATED);
	image.header.e_phoff = FILE_BYTES - 4 * sizeof(Elf64_Phdr) + 1;
	assert_int_equal(answer(&image), STATUS_ELF_TRUNCATED);
}

#define EXPECT_HEADER(field, value, expected)                \
	do {                                                 \
		struct image image_ = image_good();          \
		image_.header.field = (value);               \
		assert_int_equal(answer(&image_), expected); \
	} while (0)

static void test_header_refusals(void **state)
{
	(void)state;
	EXPECT_HEADER(e_ident[EI_MAG0], 0x7e, STATUS_ELF_BAD_MAGIC);
	EXPECT_HEADER(e_ident[EI_MAG1], 'e', STATUS_ELF_BAD_MAGIC);
	EXPECT_HEADER(e_ident[EI_MAG2], 0, STATUS_ELF_BAD_MAGIC);
	EXPECT_HEADER(e_ident[EI_MAG3], 'G', STATUS_ELF_BAD_MAGIC);
	EXPECT_HEADER(e_ident[EI_CLASS], ELFCLASS32, STATUS_ELF_NOT_64_BIT);
	EXPECT_HEADER(e_ident[EI_CLASS], 0, STATUS_ELF_NOT_64_BIT);
	EXPECT_HEADER(e_ident[EI_DATA], ELFDATA2MSB, STATUS_ELF_NOT_LITTLE_ENDIAN);
	EXPECT_HEADER(e_ident[EI_VERSION], 2, STATUS_ELF_BAD_VERSION);
	EXPECT_HEADER(e_version, 0, STATUS_ELF_BAD_VERSION);
	EXPECT_HEADER(e_type, ET_NONE, STATUS_ELF_NOT_EXECUTABLE);
	EXPECT_HEADER(e_type, ET_REL, STATUS_ELF_NOT_EXECUTABLE);
	EXPECT_HEADER(e_type, ET_CORE, STATUS_ELF_NOT_EXECUTABLE);
	EXPECT_HEADER(e_machine, EM_386, STATUS_ELF_WRONG_MACHINE);
	EXPECT_HEADER(e_machine, EM_AARCH64, STATUS_ELF_WRONG_MACHINE);
	EXPECT_HEADER(e_ehsize, sizeof(Elf64_Ehdr) - 1, STATUS_ELF_BAD_HEADER_SIZE);
	EXPECT_HEADER(e_phentsize, sizeof(Elf64_Phdr) + 8, STATUS_ELF_BAD_HEADER_SIZE);
	EXPECT_HEADER(e_phentsize, 0, STATUS_ELF_BAD_HEADER_SIZE);
	EXPECT_HEADER(e_phnum, 0, STATUS_ELF_NO_SEGMENTS);
	EXPECT_HEADER(e_phnum, PN_XNUM, STATUS_ELF_TOO_MANY_SEGMENTS);
	EXPECT_HEADER(e_phnum, 65, STATUS_ELF_TOO_MANY_SEGMENTS);
}

static void test_no_loads(void **state)
{
	struct image image = image_good();

	(void)state;
	image.program[LOAD_TEXT].p_type = PT_NULL;
	image.program[LOAD_DATA].p_type = PT_NOTE;
	assert_int_equal(answer(&image), STATUS_ELF_NO_SEGMENTS);
}

static void test_too_many_loads(void **state)
{
	struct image image = image_good();

	(void)state;
	image.header.e_phoff = 0x2000;
	for (uint16_t i = STACK; i < MAX_HEADERS; i++) {
		image.program[i] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R, .p_memsz = 1 };
		image.program[i].p_vaddr = 0x800000 + UINT64_C(0x1000) * i;
		image.header.e_phnum = (Elf64_Half)(i + 1);
		assert_int_equal(answer(&image),
				 i < ELF_PLAN_MAX_SEGMENTS + 1 ? STATUS_OK : STATUS_ELF_TOO_MANY_SEGMENTS);
	}
}

#define EXPECT_LOAD(which, field, value, expected)           \
	do {                                                 \
		struct image image_ = image_good();          \
		image_.program[which].field = (value);       \
		assert_int_equal(answer(&image_), expected); \
	} while (0)

static void test_load_file_bytes(void **state)
{
	(void)state;
	EXPECT_LOAD(LOAD_DATA, p_filesz, DATA_MEMORY + 1, STATUS_ELF_FILE_LARGER_THAN_MEMORY);
	EXPECT_LOAD(LOAD_TEXT, p_memsz, TEXT_BYTES - 1, STATUS_ELF_FILE_LARGER_THAN_MEMORY);
	EXPECT_LOAD(LOAD_TEXT, p_memsz, 0, STATUS_ELF_FILE_LARGER_THAN_MEMORY);
	EXPECT_LOAD(LOAD_DATA, p_offset, DATA_OFFSET + 0x10000, STATUS_ELF_SEGMENT_OUTSIDE_FILE);
	EXPECT_LOAD(LOAD_DATA, p_offset, 0 - UINT64_C(0x800), STATUS_ELF_SEGMENT_OUTSIDE_FILE);
	EXPECT_LOAD(LOAD_DATA, p_filesz, FILE_BYTES - DATA_OFFSET + 1, STATUS_ELF_SEGMENT_OUTSIDE_FILE);
	EXPECT_LOAD(LOAD_DATA, p_filesz, FILE_BYTES - DATA_OFFSET, STATUS_OK);

	struct image image = image_good(); /* offset + bytes is 0x800, modulo 2^64 */

	image.program[LOAD_DATA].p_offset = 0 - UINT64_C(0x800);
	image.program[LOAD_DATA].p_filesz = 0x1000;
	assert_int_equal(answer(&image), STATUS_ELF_SEGMENT_OUTSIDE_FILE);
}

static void test_load_addresses(void **state)
{
	(void)state;
	EXPECT_LOAD(LOAD_DATA, p_memsz, 0 - DATA_ADDRESS, STATUS_ELF_SEGMENT_WRAPS);
	EXPECT_LOAD(LOAD_DATA, p_memsz, UINT64_MAX, STATUS_ELF_SEGMENT_WRAPS);
	EXPECT_LOAD(LOAD_DATA, p_vaddr, 0 - UINT64_C(0x800), STATUS_ELF_SEGMENT_WRAPS);
	EXPECT_LOAD(LOAD_DATA, p_memsz, 0 - DATA_ADDRESS - 1, STATUS_ELF_SEGMENT_NOT_USER);
	EXPECT_LOAD(LOAD_DATA, p_vaddr, 0x800, STATUS_ELF_SEGMENT_NOT_USER);
	EXPECT_LOAD(LOAD_DATA, p_vaddr, USER_START - 0x800, STATUS_ELF_SEGMENT_NOT_USER);
	EXPECT_LOAD(LOAD_DATA, p_vaddr, USER_LIMIT - 0x800, STATUS_ELF_SEGMENT_NOT_USER);
	EXPECT_LOAD(LOAD_DATA, p_vaddr, USER_LIMIT + 0x800, STATUS_ELF_SEGMENT_NOT_USER);
	EXPECT_LOAD(LOAD_DATA, p_vaddr, UINT64_C(0xffffffff80000800), STATUS_ELF_SEGMENT_NOT_USER);
	EXPECT_LOAD(LOAD_DATA, p_memsz, USER_LIMIT - DATA_ADDRESS + 1, STATUS_ELF_SEGMENT_NOT_USER);
	EXPECT_LOAD(LOAD_DATA, p_vaddr, BOOTSTRAP_START + 0x800, STATUS_ELF_SEGMENT_ON_BOOTSTRAP);
	EXPECT_LOAD(LOAD_DATA, p_vaddr, BOOTSTRAP_START - DATA_MEMORY + 0x800, STATUS_ELF_SEGMENT_ON_BOOTSTRAP);
	EXPECT_LOAD(LOAD_DATA, p_vaddr, BOOTSTRAP_END - 0x800, STATUS_ELF_SEGMENT_ON_BOOTSTRAP);
	EXPECT_LOAD(LOAD_DATA, p_vaddr, TEXT_ADDRESS + 0x1800, STATUS_ELF_SEGMENTS_OVERLAP);
	EXPECT_LOAD(LOAD_DATA, p_vaddr, TEXT_ADDRESS - 0x1800, STATUS_ELF_SEGMENT_ON_BOOTSTRAP);
	EXPECT_LOAD(LOAD_TEXT, p_memsz, 0x2001, STATUS_ELF_SEGMENTS_OVERLAP); /* one page shared, no byte */
	EXPECT_LOAD(LOAD_TEXT, p_memsz, 0x2000, STATUS_OK);
}

static void test_bootstrap_edges(void **state)
{
	struct image image = image_good();

	(void)state;
	image.program[TLS].p_type = PT_NULL;
	image.program[LOAD_DATA].p_vaddr = BOOTSTRAP_START - 0x2800;
	image.program[LOAD_DATA].p_memsz = 0x2800;
	assert_int_equal(answer(&image), STATUS_OK);
	image.program[LOAD_DATA].p_memsz++;
	assert_int_equal(answer(&image), STATUS_ELF_SEGMENT_ON_BOOTSTRAP);
}

static void test_too_large(void **state)
{
	struct image image = image_good();

	(void)state;
	image.program[TLS].p_type = PT_NULL;
	image.program[LOAD_DATA].p_vaddr = UINT64_C(0x10000000800);
	image.program[LOAD_DATA].p_memsz = (ELF_PLAN_MAX_PAGES - 2) * 4096 - 0x800;
	assert_int_equal(answer(&image), STATUS_OK);
	image.program[LOAD_DATA].p_memsz++;
	assert_int_equal(answer(&image), STATUS_ELF_TOO_LARGE);
	image.program[LOAD_DATA].p_memsz = UINT64_C(0x600000000000);
	assert_int_equal(answer(&image), STATUS_ELF_TOO_LARGE);
}

static void test_alignment(void **state)
{
	(void)state;
	EXPECT_LOAD(LOAD_DATA, p_align, 3, STATUS_ELF_BAD_ALIGNMENT);
	EXPECT_LOAD(LOAD_DATA, p_align, 0x1800, STATUS_ELF_BAD_ALIGNMENT);
	EXPECT_LOAD(LOAD_DATA, p_align, UINT64_MAX, STATUS_ELF_BAD_ALIGNMENT);
	EXPECT_LOAD(LOAD_DATA, p_align, 0x200000, STATUS_ELF_BAD_ALIGNMENT); /* not congruent */
	EXPECT_LOAD(LOAD_DATA, p_offset, DATA_OFFSET - 1, STATUS_ELF_BAD_ALIGNMENT);
	EXPECT_LOAD(LOAD_TEXT, p_align, 0, STATUS_OK);
	EXPECT_LOAD(LOAD_TEXT, p_align, 1, STATUS_OK);
	EXPECT_LOAD(LOAD_TEXT, p_align, 0x200000, STATUS_OK);

	/* Bytes are copied, so a small alignment frees a load from congruence modulo the page. */
	struct image image = image_good();

	image.program[TLS].p_type = PT_NULL;
	image.program[LOAD_DATA].p_align = 16;
	image.program[LOAD_DATA].p_offset = DATA_OFFSET - 0x10;
	assert_int_equal(answer(&image), STATUS_OK);
}

static void test_permissions(void **state)
{
	(void)state;
	EXPECT_LOAD(LOAD_DATA, p_flags, PF_R | PF_W | PF_X, STATUS_ELF_WRITE_AND_EXECUTE);
	EXPECT_LOAD(LOAD_DATA, p_flags, PF_W | PF_X, STATUS_ELF_WRITE_AND_EXECUTE);
	EXPECT_LOAD(LOAD_DATA, p_flags, 0, STATUS_ELF_SEGMENT_UNREADABLE);
	EXPECT_LOAD(LOAD_DATA, p_flags, PF_W, STATUS_ELF_SEGMENT_UNREADABLE);
	EXPECT_LOAD(LOAD_TEXT, p_flags, PF_X, STATUS_ELF_SEGMENT_UNREADABLE);
	EXPECT_LOAD(LOAD_DATA, p_flags, PF_MASKOS, STATUS_ELF_SEGMENT_UNREADABLE);
	EXPECT_LOAD(STACK, p_flags, PF_R | PF_W | PF_X, STATUS_ELF_EXECUTABLE_STACK);
	EXPECT_LOAD(STACK, p_type, PT_INTERP, STATUS_ELF_HAS_INTERPRETER);
}

static void test_entry(void **state)
{
	(void)state;
	EXPECT_HEADER(e_entry, 0, STATUS_ELF_ENTRY_NOT_EXECUTABLE);
	EXPECT_HEADER(e_entry, TEXT_ADDRESS - 1, STATUS_ELF_ENTRY_NOT_EXECUTABLE);
	EXPECT_HEADER(e_entry, TEXT_ADDRESS, STATUS_OK);
	EXPECT_HEADER(e_entry, TEXT_ADDRESS + TEXT_BYTES - 1, STATUS_OK);
	EXPECT_HEADER(e_entry, TEXT_ADDRESS + TEXT_BYTES, STATUS_ELF_ENTRY_NOT_EXECUTABLE); /* same page, no code */
	EXPECT_HEADER(e_entry, DATA_ADDRESS, STATUS_ELF_ENTRY_NOT_EXECUTABLE);
	EXPECT_HEADER(e_entry, UINT64_MAX, STATUS_ELF_ENTRY_NOT_EXECUTABLE);
	EXPECT_LOAD(LOAD_TEXT, p_flags, PF_R, STATUS_ELF_ENTRY_NOT_EXECUTABLE);
}

static void test_tls(void **state)
{
	(void)state;
	EXPECT_LOAD(STACK, p_type, PT_TLS, STATUS_ELF_TWO_TLS);
	EXPECT_LOAD(TLS, p_filesz, 0x51, STATUS_ELF_BAD_TLS);
	EXPECT_LOAD(TLS, p_memsz, ELF_PLAN_MAX_TLS_BYTES + 1, STATUS_ELF_BAD_TLS);
	EXPECT_LOAD(TLS, p_memsz, UINT64_MAX, STATUS_ELF_BAD_TLS);
	EXPECT_LOAD(TLS, p_memsz, ELF_PLAN_MAX_TLS_BYTES, STATUS_OK);
	EXPECT_LOAD(TLS, p_align, 12, STATUS_ELF_BAD_TLS);
	EXPECT_LOAD(TLS, p_align, 8192, STATUS_ELF_BAD_TLS);
	EXPECT_LOAD(TLS, p_align, 128, STATUS_ELF_BAD_TLS); /* the block does not start so aligned */
	EXPECT_LOAD(TLS, p_align, 64, STATUS_OK);
	EXPECT_LOAD(TLS, p_align, 0, STATUS_OK);
	EXPECT_LOAD(TLS, p_offset, DATA_OFFSET + 0x50, STATUS_ELF_BAD_TLS); /* not where the load puts it */
	EXPECT_LOAD(TLS, p_vaddr, DATA_ADDRESS + 0x50, STATUS_ELF_BAD_TLS);
	EXPECT_LOAD(TLS, p_offset, DATA_OFFSET + DATA_BYTES, STATUS_ELF_BAD_TLS); /* behind the file bytes */
	EXPECT_LOAD(TLS, p_offset, UINT64_MAX, STATUS_ELF_BAD_TLS);
}

/* Zero-initialised thread variables only: nothing of the file. */
static void test_tls_without_file_bytes(void **state)
{
	struct image image = image_good();
	struct elf_plan plan;

	(void)state;
	image.program[TLS].p_filesz = 0;
	image.program[TLS].p_offset = UINT64_MAX;
	assert_int_equal(make(&image, &plan), STATUS_OK);
	assert_true(plan.has_tls);
	assert_int_equal(plan.tls_file_bytes, 0);
	assert_int_equal(plan.tls_memory_bytes, 0x50);
}

static void test_is_valid_refuses(void **state)
{
	const struct image image = image_good();
	struct elf_plan good, plan;

	(void)state;
	assert_int_equal(make(&image, &good), STATUS_OK);
	assert_false(elf_plan_is_valid(&good, DATA_OFFSET + DATA_BYTES - 1));

#define EXPECT_INVALID(change)                                      \
	do {                                                        \
		plan = good;                                        \
		change;                                             \
		assert_false(elf_plan_is_valid(&plan, FILE_BYTES)); \
	} while (0)
	EXPECT_INVALID(plan.segments = 0);
	EXPECT_INVALID(plan.segments = ELF_PLAN_MAX_SEGMENTS + 1);
	EXPECT_INVALID(plan.image_pages++);
	EXPECT_INVALID(plan.entry = DATA_ADDRESS);
	EXPECT_INVALID(plan.entry = 0);
	EXPECT_INVALID(plan.segment[0] = good.segment[1]; plan.segment[1] = good.segment[0]);
	EXPECT_INVALID(plan.segment[0].protection |= PROTECTION_WRITE);
	EXPECT_INVALID(plan.segment[1].protection = PROTECTION_NONE);
	EXPECT_INVALID(plan.segment[1].address = TEXT_ADDRESS);
	EXPECT_INVALID(plan.segment[1].file_bytes = 0x3801);
	EXPECT_INVALID(plan.segment[0].pages.end = uaddr_from_u64(TEXT_ADDRESS + 0x1801));
	EXPECT_INVALID(plan.alignment = 0);
	EXPECT_INVALID(plan.alignment = 0x800);
	EXPECT_INVALID(plan.alignment = 0x3000);
	EXPECT_INVALID(plan.is_movable = true); /* it does not begin within its first page */
	EXPECT_INVALID(plan.tls_alignment = 0);
	EXPECT_INVALID(plan.tls_alignment = 8192);
	EXPECT_INVALID(plan.tls_file_bytes = plan.tls_memory_bytes + 1);
	EXPECT_INVALID(plan.tls_memory_bytes = ELF_PLAN_MAX_TLS_BYTES + 1);
	EXPECT_INVALID(plan.tls_file_offset = FILE_BYTES);
	EXPECT_INVALID(plan.has_tls = false);
	EXPECT_INVALID(plan.program_headers = 1);
	EXPECT_INVALID(plan.program_header_count = 0);
#undef EXPECT_INVALID
}

static bool is_elf_status(enum status status)
{
	return status == STATUS_OK || (status >= STATUS_ELF_TRUNCATED && status <= STATUS_ELF_EXECUTABLE_STACK);
}

/* Any bytes give a typed answer or a valid plan (make() asserts it). */
static void expect_safe(const uint8_t *bytes, size_t size, uint64_t *accepted)
{
	uint8_t *exact = malloc(size == 0 ? 1 : size);
	struct elf_plan plan;

	assert_non_null(exact);
	memcpy(exact, bytes, size);

	const enum status status = elf_plan_make(exact, size, &plan);

	free(exact);
	assert_true(is_elf_status(status));
	if (status != STATUS_OK)
		return;
	assert_true(elf_plan_is_valid(&plan, size));
	(*accepted)++;
}

#define HEADER_BYTES (sizeof(Elf64_Ehdr) + 4 * sizeof(Elf64_Phdr))

/* Each byte of all headers takes each value once. */
static void test_each_byte(void **state)
{
	const struct image image = image_good();
	uint8_t *bytes = image_write(&image);
	const uint64_t step = host_rounds(100) == 100 ? 1 : 17;
	uint64_t accepted = 0;

	(void)state;
	for (size_t at = 0; at < HEADER_BYTES; at++) {
		const uint8_t before = bytes[at];

		for (uint64_t value = 0; value < 256; value += step) {
			bytes[at] = (uint8_t)value;
			expect_safe(bytes, FILE_BYTES, &accepted);
		}
		bytes[at] = before;
	}
	assert_true(accepted > 0);
	free(bytes);
}

/* Numbers that headers go wrong with. */
static uint64_t odd_number(struct host_random *random)
{
	const uint64_t low[] = { 0, 1, 0x1000, FILE_BYTES, USER_START, BOOTSTRAP_START, BOOTSTRAP_END, TEXT_ADDRESS };
	const uint64_t high[] = { DATA_ADDRESS, USER_LIMIT, UINT64_C(1) << 47, UINT64_C(1) << 63, UINT64_MAX };
	const uint64_t edge = host_random_once_in(random, 2) ? low[host_random_below(random, COUNT_OF(low))]
							     : high[host_random_below(random, COUNT_OF(high))];

	return host_random_once_in(random, 3) ? host_random_u64(random) : edge + host_random_below(random, 5) - 2;
}

static void mutate(struct host_random *random, uint8_t *bytes)
{
	for (uint64_t changes = host_random_below(random, 4) + 1; changes > 0; changes--) {
		if (host_random_once_in(random, 2)) {
			bytes[host_random_below(random, HEADER_BYTES)] = (uint8_t)host_random_u64(random);
		} else {
			const uint64_t number = odd_number(random);

			memcpy(bytes + host_random_below(random, HEADER_BYTES / 8) * 8, &number, sizeof(number));
		}
	}
}

static void test_mutations(void **state)
{
	const struct image image = image_good();
	uint8_t *good = image_write(&image);
	uint8_t *bytes = malloc(FILE_BYTES);
	struct host_random random;
	uint64_t accepted = 0;

	(void)state;
	assert_non_null(bytes);
	host_random_init(&random, "elf_plan", 4);
	for (uint64_t round = host_rounds(100000); round > 0; round--) {
		const size_t size =
			host_random_once_in(&random, 8) ? host_random_below(&random, FILE_BYTES + 1) : FILE_BYTES;

		memcpy(bytes, good, FILE_BYTES);
		mutate(&random, bytes);
		expect_safe(bytes, size, &accepted);
	}
	assert_true(accepted > 0);
	free(bytes);
	free(good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_sorts),
		cmocka_unit_test(test_ignored_headers),
		cmocka_unit_test(test_program_headers_not_loaded),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_header_refusals),
		cmocka_unit_test(test_no_loads),
		cmocka_unit_test(test_too_many_loads),
		cmocka_unit_test(test_load_file_bytes),
		cmocka_unit_test(test_load_addresses),
		cmocka_unit_test(test_bootstrap_edges),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_alignment),
		cmocka_unit_test(test_permissions),
		cmocka_unit_test(test_entry),
		cmocka_unit_test(test_tls),
		cmocka_unit_test(test_tls_without_file_bytes),
		cmocka_unit_test(test_is_valid_refuses),
		cmocka_unit_test(test_each_byte),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
