#include "user/demos/spawn-contract/elf_trials.h"

#include <elf.h>
#include <stddef.h>

#include "lib/check.h"
#include "lib/string.h"
#include "user/runtime/program.h"
#include "user/testing/trial.h"
#include "user/testing/trial_child.h"

#define PAGE_MASK (PAGE_SIZE - 1)
#define HEADERS_MAX 16u
#define MOVABLE_PROGRAM "spawn-contract-pie"
#define MUCH_BSS_PAGES 1024u

/* This program's file in a memory object, mapped; and what is changed of it for one attempt. */
static struct {
	struct memory_object_client object;
	uint8_t *bytes;
	uint64_t size, pages, given; /* bytes; given: said to be the program */
	Elf64_Ehdr *header;
	Elf64_Phdr *program;                   /* headers */
	Elf64_Phdr *text, *data, *tls, *stack; /* of these */
} elf;

struct bad_elf {
	const char *why;
	enum status wanted;
	void (*change)(void);
};

static const struct bad_elf *current;

/* The low bits of a load's address must stay those of its offset. */
static void place(Elf64_Phdr *load, uint64_t address)
{
	load->p_vaddr = address | (load->p_offset & PAGE_MASK);
}

static void cut_in_the_header(void)
{
	elf.given = sizeof(Elf64_Ehdr) - 1;
}

static void cut_in_the_table(void)
{
	elf.given = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
}

static void table_past_the_end(void)
{
	elf.header->e_phoff = UINT64_MAX - 8;
}

static void bad_magic(void)
{
	elf.header->e_ident[EI_MAG2] = 'X';
}

static void of_32_bits(void)
{
	elf.header->e_ident[EI_CLASS] = ELFCLASS32;
}

static void big_endian(void)
{
	elf.header->e_ident[EI_DATA] = ELFDATA2MSB;
}

static void bad_version(void)
{
	elf.header->e_version = 2;
}

static void bad_identification_version(void)
{
	elf.header->e_ident[EI_VERSION] = 0;
}

static void core(void)
{
	elf.header->e_type = ET_CORE;
}

static void relocatable(void)
{
	elf.header->e_type = ET_REL;
}

static void of_another_machine(void)
{
	elf.header->e_machine = EM_AARCH64;
}

static void bad_header_size(void)
{
	elf.header->e_ehsize = 52;
}

static void bad_entry_size(void)
{
	elf.header->e_phentsize = 32;
}

static void no_headers(void)
{
	elf.header->e_phnum = 0;
}

static void no_loads(void)
{
	for (uint32_t i = 0; i < elf.header->e_phnum; i++)
		elf.program[i].p_type = PT_NOTE;
}

static void too_many_headers(void)
{
	elf.header->e_phnum = 65;
}

static void segment_past_the_end(void)
{
	elf.data->p_offset += elf.size & ~PAGE_MASK;
}

static void segment_offset_wraps(void)
{
	elf.text->p_offset = (UINT64_MAX & ~PAGE_MASK) | (elf.text->p_vaddr & PAGE_MASK);
}

static void file_larger_than_memory(void)
{
	elf.text->p_memsz = elf.text->p_filesz - 1;
}

static void segment_wraps(void)
{
	place(elf.text, UINT64_MAX & ~PAGE_MASK);
	elf.text->p_memsz = UINT64_C(1) << 20;
}

static void segment_in_the_kernel(void)
{
	place(elf.text, UINT64_C(0xffff800000000000));
}

static void segment_on_null(void)
{
	place(elf.text, 0x1000);
}

static void segment_on_capset(void)
{
	place(elf.data, CAPSET_ADDRESS);
}

static void segment_on_rings(void)
{
	place(elf.data, RING_ADDRESS + 3 * PAGE_SIZE);
}

static void segments_overlap(void)
{
	place(elf.data, elf.text->p_vaddr & ~PAGE_MASK);
}

static void writable_and_executable(void)
{
	elf.text->p_flags = PF_R | PF_W | PF_X;
}

static void alignment_no_power_of_two(void)
{
	elf.text->p_align = 3 * PAGE_SIZE;
}

static void address_and_offset_differ(void)
{
	elf.text->p_vaddr += 16;
}

static void entry_in_data(void)
{
	elf.header->e_entry = elf.data->p_vaddr;
}

static void entry_nowhere(void)
{
	elf.header->e_entry = 0x10;
}

static void two_tls(void)
{
	elf.stack->p_type = PT_TLS;
}

static void tls_too_large(void)
{
	elf.tls->p_memsz = UINT64_C(1) << 21;
}

static void tls_outside_loads(void)
{
	elf.tls->p_offset = elf.size;
	elf.tls->p_filesz = 8;
	elf.tls->p_memsz = 8;
}

static void tls_badly_aligned(void)
{
	elf.tls->p_align = 24;
}

static void interpreter(void)
{
	elf.stack->p_type = PT_INTERP;
}

static void unreadable(void)
{
	elf.text->p_flags = PF_X;
}

static void too_large(void)
{
	place(elf.data, UINT64_C(1) << 32);
	elf.data->p_memsz = UINT64_C(1) << 41;
}

static void executable_stack(void)
{
	elf.stack->p_flags |= PF_X;
}

static void over_the_image_limit(void)
{
	elf.data->p_memsz += UINT64_C(1) << 21;
}

static void into_the_stack(void)
{
	place(elf.data, UINT64_C(0x7ff000000000));
	elf.tls->p_type = PT_NOTE; /* it lies in there */
}

static void around_the_window(void)
{
	place(elf.data, USER_START);
	elf.data->p_memsz = elf.data->p_filesz;
	elf.tls->p_type = PT_NOTE;
}

static const struct bad_elf bad[] = {
	{ "cut in the header", STATUS_ELF_TRUNCATED, cut_in_the_header },
	{ "cut in the table", STATUS_ELF_TRUNCATED, cut_in_the_table },
	{ "table past the end", STATUS_ELF_TRUNCATED, table_past_the_end },
	{ "bad magic", STATUS_ELF_BAD_MAGIC, bad_magic },
	{ "of 32 bits", STATUS_ELF_NOT_64_BIT, of_32_bits },
	{ "big endian", STATUS_ELF_NOT_LITTLE_ENDIAN, big_endian },
	{ "bad version", STATUS_ELF_BAD_VERSION, bad_version },
	{ "bad identification version", STATUS_ELF_BAD_VERSION, bad_identification_version },
	{ "core", STATUS_ELF_NOT_EXECUTABLE, core },
	{ "relocatable", STATUS_ELF_NOT_EXECUTABLE, relocatable },
	{ "of another machine", STATUS_ELF_WRONG_MACHINE, of_another_machine },
	{ "bad header size", STATUS_ELF_BAD_HEADER_SIZE, bad_header_size },
	{ "bad entry size", STATUS_ELF_BAD_HEADER_SIZE, bad_entry_size },
	{ "no headers", STATUS_ELF_NO_SEGMENTS, no_headers },
	{ "no loads", STATUS_ELF_NO_SEGMENTS, no_loads },
	{ "too many headers", STATUS_ELF_TOO_MANY_SEGMENTS, too_many_headers },
	{ "segment past the end", STATUS_ELF_SEGMENT_OUTSIDE_FILE, segment_past_the_end },
	{ "segment offset wraps", STATUS_ELF_SEGMENT_OUTSIDE_FILE, segment_offset_wraps },
	{ "file larger than memory", STATUS_ELF_FILE_LARGER_THAN_MEMORY, file_larger_than_memory },
	{ "segment wraps", STATUS_ELF_SEGMENT_WRAPS, segment_wraps },
	{ "segment in the kernel", STATUS_ELF_SEGMENT_NOT_USER, segment_in_the_kernel },
	{ "segment on null", STATUS_ELF_SEGMENT_NOT_USER, segment_on_null },
	{ "segment on CapSet", STATUS_ELF_SEGMENT_ON_BOOTSTRAP, segment_on_capset },
	{ "segment on rings", STATUS_ELF_SEGMENT_ON_BOOTSTRAP, segment_on_rings },
	{ "segments overlap", STATUS_ELF_SEGMENTS_OVERLAP, segments_overlap },
	{ "writable and executable", STATUS_ELF_WRITE_AND_EXECUTE, writable_and_executable },
	{ "alignment no power of two", STATUS_ELF_BAD_ALIGNMENT, alignment_no_power_of_two },
	{ "address and offset differ", STATUS_ELF_BAD_ALIGNMENT, address_and_offset_differ },
	{ "entry in data", STATUS_ELF_ENTRY_NOT_EXECUTABLE, entry_in_data },
	{ "entry nowhere", STATUS_ELF_ENTRY_NOT_EXECUTABLE, entry_nowhere },
	{ "two TLS", STATUS_ELF_TWO_TLS, two_tls },
	{ "TLS too large", STATUS_ELF_BAD_TLS, tls_too_large },
	{ "TLS outside loads", STATUS_ELF_BAD_TLS, tls_outside_loads },
	{ "TLS badly aligned", STATUS_ELF_BAD_TLS, tls_badly_aligned },
	{ "interpreter", STATUS_ELF_HAS_INTERPRETER, interpreter },
	{ "unreadable", STATUS_ELF_SEGMENT_UNREADABLE, unreadable },
	{ "too large", STATUS_ELF_TOO_LARGE, too_large },
	{ "executable stack", STATUS_ELF_EXECUTABLE_STACK, executable_stack },
	{ "over the image limit", STATUS_OVER_IMAGE, over_the_image_limit },
	{ "into the stack", STATUS_LAYOUT_IMAGE_TOO_HIGH, into_the_stack },
	{ "around the window", STATUS_BOOTSTRAP_RANGE, around_the_window },
};

static enum status spawn_image(struct process_client *process)
{
	struct process_builder builder;

	trial_child_build(&builder, "exit");
	process_builder_image(&builder, elf.object, elf.given);
	return trial_child_start(&builder, process);
}

static void refuse_current(void)
{
	uint8_t saved[sizeof(Elf64_Ehdr) + HEADERS_MAX * sizeof(Elf64_Phdr)];
	struct process_client process;
	enum status status;

	memcpy(saved, elf.bytes, sizeof(saved));
	elf.given = elf.size;
	current->change();
	status = spawn_image(&process);
	memcpy(elf.bytes, saved, sizeof(saved));
	EXPECT_STATUS(status, current->wanted);
}

static void good_image_runs(void)
{
	struct process_client process;

	elf.given = elf.size;
	EXPECT_OK(spawn_image(&process));
	trial_child_expect(process, PROCESS_EXITED, 0);
}

/* Its pages are charged, but of its frames only those are taken that are touched. */
static void much_bss_takes_no_frames(void)
{
	const uint64_t bytes = elf.data->p_memsz, before = trial_read().machine.free_frames;
	struct process_builder builder;
	struct process_client process;
	struct process_statistics statistics;
	uint64_t after;
	enum status status;

	trial_child_build(&builder, "sleep");
	trial_child_argument(&builder, 300);
	process_builder_image(&builder, elf.object, elf.size);
	process_builder_limit(&builder, LEDGER_IMAGE, MUCH_BSS_PAGES + 256);
	elf.data->p_memsz += TRIAL_BYTES(MUCH_BSS_PAGES);
	status = trial_child_start(&builder, &process);
	elf.data->p_memsz = bytes;
	EXPECT_OK(status);
	EXPECT_OK(process_client_statistics(process, &statistics));
	after = trial_read().machine.free_frames;
	trial_child_expect(process, PROCESS_EXITED, 0);
	EXPECT(statistics.memory.ledger[LEDGER_IMAGE].used > MUCH_BSS_PAGES);
	EXPECT(before - after < MUCH_BSS_PAGES / 2); /* all else of a child is some 200 */
}

/* What runs has pages of its own: the object may change, or go, at once. */
static void image_is_a_copy(void)
{
	struct process_client process[4];

	elf.given = elf.size;
	for (uint32_t i = 0; i < COUNT_OF(process); i++) {
		EXPECT_OK(spawn_image(&process[i]));
		memset(elf.bytes + PAGE_SIZE, 0xcc, elf.size - PAGE_SIZE);
		for (uint64_t at = PAGE_SIZE; at < elf.size;) {
			struct boot_package_span span = { .offset = at,
							  .buffer = elf.bytes + at,
							  .bytes = elf.size - at };
			uint64_t count;

			EXPECT_OK(boot_package_client_find(trial.package, trial.program, &span.index));
			EXPECT_OK(boot_package_client_read(trial.package, &span, &count));
			at += count;
		}
	}
	for (uint32_t i = 0; i < COUNT_OF(process); i++)
		trial_child_expect(process[i], PROCESS_EXITED, 0);
}

static void find_headers(void)
{
	elf.header = (Elf64_Ehdr *)elf.bytes;
	elf.program = (Elf64_Phdr *)(elf.bytes + elf.header->e_phoff);
	CHECK(elf.header->e_phoff == sizeof(Elf64_Ehdr) && elf.header->e_phnum <= HEADERS_MAX);
	for (uint32_t i = 0; i < elf.header->e_phnum; i++) {
		Elf64_Phdr *program = &elf.program[i];

		if (program->p_type == PT_LOAD && program->p_flags == (PF_R | PF_X))
			elf.text = program;
		else if (program->p_type == PT_LOAD && program->p_flags == (PF_R | PF_W))
			elf.data = program;
		else if (program->p_type == PT_TLS)
			elf.tls = program;
		else if (program->p_type == PT_GNU_STACK)
			elf.stack = program;
	}
	CHECK(elf.text != NULL && elf.data != NULL && elf.tls != NULL && elf.stack != NULL);
}

static void load(const char *program)
{
	struct boot_package_entry entry;
	struct boot_package_span span = { 0 };
	uint64_t count;
	void *address;

	CHECK(boot_package_client_find(trial.package, program, &span.index) == STATUS_OK);
	CHECK(boot_package_client_stat(trial.package, span.index, &entry) == STATUS_OK);
	elf.size = entry.size;
	elf.pages = (entry.size + PAGE_MASK) / PAGE_SIZE;
	CHECK(trial_object(elf.pages, &elf.object) == STATUS_OK);
	CHECK(trial_map_object(elf.object, elf.pages, TRIAL_READ_WRITE, &address) == STATUS_OK);
	elf.bytes = address;
	for (; span.offset < elf.size; span.offset += count) {
		span.buffer = elf.bytes + span.offset;
		span.bytes = elf.size - span.offset;
		CHECK(boot_package_client_read(trial.package, &span, &count) == STATUS_OK && count > 0);
	}
	find_headers();
}

static void unload(void)
{
	CHECK(memory_object_client_unmap(elf.object, elf.bytes, TRIAL_BYTES(elf.pages)) == STATUS_OK);
	CHECK(ring_client_release(elf.object.handle) == STATUS_OK);
}

/* ---- a position-independent program ---- */

/* The table that the program relocates itself by. */
static Elf64_Rela *relocations(uint64_t *count)
{
	const Elf64_Shdr *section = (const Elf64_Shdr *)(elf.bytes + elf.header->e_shoff);

	for (uint32_t i = 0; i < elf.header->e_shnum; i++) {
		if (section[i].sh_type != SHT_RELA)
			continue;
		*count = section[i].sh_size / sizeof(Elf64_Rela);
		return (Elf64_Rela *)(elf.bytes + section[i].sh_offset);
	}
	*count = 0;
	return NULL;
}

/* What the runtime does not know it does not guess: the program says so and ends. */
static void unknown_relocation_ends_it(void)
{
	struct process_client process;
	uint64_t count, kept;
	Elf64_Rela *table = relocations(&count);

	EXPECT(count > 0);
	elf.given = elf.size;
	for (uint64_t i = 0; i < count; i += count - 1) { /* the first and the last */
		kept = table[i].r_info;
		table[i].r_info = ELF64_R_INFO(0, R_X86_64_64);
		EXPECT_OK(spawn_image(&process));
		table[i].r_info = kept;
		trial_child_expect(process, PROCESS_EXITED, PROGRAM_ABORT_CODE);
	}
	good_image_runs();
}

void elf_trials_check(void)
{
	load(trial.program);
	trial_check_one("", "good-image-runs", good_image_runs);
	for (uint32_t i = 0; i < COUNT_OF(bad); i++) {
		current = &bad[i];
		trial_check_one("refuse image: ", current->why, refuse_current);
	}
	trial_check_one("", "much-bss-takes-no-frames", much_bss_takes_no_frames);
	trial_check_one("", "image-is-a-copy", image_is_a_copy);
	unload();
	load(MOVABLE_PROGRAM);
	trial_check_one("", "unknown-relocation-ends-it", unknown_relocation_ends_it);
	unload();
}
