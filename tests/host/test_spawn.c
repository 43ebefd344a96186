/* links: HOST_TASK_KERNEL */
/* A program from ELF bytes: every byte of what it finds, and nothing left behind of what was refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "abi/startup.h"
#include "kernel/mem/user_access.h"
#include "kernel/task/program_image.h"
#include "kernel/task/spawn.h"
#include "lib/check.h"
#include "tests/host/actor.h"
#include "tests/host/host_support.h"
#include "tests/host/program_file.h"
#include "tests/host/task_scheduler.h"
#include "tests/host/task_snapshot.h"

#define FRAMES 1024u

/* Of a process with no random offset. */
#define STACK_START (USER_LIMIT - LAYOUT_DEFAULT_STACK)
#define STACK_THERE (USER_LIMIT - STARTUP_STACK_PAGES * PAGE_SIZE)
#define READ PROTECTION_READ
#define READ_WRITE (PROTECTION_READ | PROTECTION_WRITE)
#define READ_EXECUTE (PROTECTION_READ | PROTECTION_EXECUTE)

/* ---- spawning ---- */

static const char three_words[] = "program\0\0a word";
static const struct process_grant own[] = {
	{ .name = "memory", .kind = PROCESS_GRANT_OWN, .interface = INTERFACE_VIRTUAL_MEMORY },
	{ .name = "threads", .kind = PROCESS_GRANT_OWN, .interface = INTERFACE_THREAD_CONTROL },
	{ .name = "park", .kind = PROCESS_GRANT_OWN, .interface = INTERFACE_PARK_SPACE },
};

/* By the machine: no parent, no random offset. */
static enum status spawn_words(const struct elf_source *source, const struct string_list *words,
			       const uint64_t limits[LEDGER_COUNT], struct process **process)
{
	const struct spawn_request request = {
		.name = "spawned",
		.source = source,
		.strings = { *words, { NULL, 0, 0 } },
		.limits = limits,
		.priority = THREAD_PRIORITY_DEFAULT + 1,
		.layout = { .flags = PROCESS_LAYOUT_FIXED },
		.grant = own,
		.grants = COUNT_OF(own),
	};
	uint64_t id;

	TRY(spawn_process(&request, process, NULL, &id));
	assert_int_equal(id, (*process)->id);
	process_start(*process);
	return STATUS_OK;
}

/* On the heap at its exact size, so that sanitizers and valgrind see any read past the end. */
static enum status spawn_size(const struct program_file *file, uint64_t size, struct process **process)
{
	const struct string_list words = { three_words, 3, sizeof(three_words) };
	uint64_t limits[LEDGER_COUNT];
	void *image = malloc(size == 0 ? 1 : size);
	struct memory_file bytes = { image, size };
	struct elf_source source = program_image_of_file(&bytes);
	enum status status;

	assert_non_null(image);
	memcpy(image, file, size);
	task_machine_limits(limits, TASK_MACHINE_PLENTY);
	status = spawn_words(&source, &words, limits, process);
	free(image);
	return status;
}

static struct thread *first_thread(struct process *process)
{
	return process->slot[0].thread;
}

/* It has run, and ended. */
static void end_process(struct process *process)
{
	assert_true(process_is_valid(process));
	actor_end_thread(first_thread(process), 0);
	assert_true(process->ended);
	process_end_use(process);
}

static struct process *spawn_good(const struct program_file *file)
{
	struct process *process;

	assert_int_equal(spawn_size(file, sizeof(*file), &process), STATUS_OK);
	assert_true(process_is_valid(process));
	assert_true(address_space_is_valid(&process->space, machine_kernel_root()));
	assert_true(heap_is_valid());
	return process;
}

/* A refusal with nothing left behind. */
static void assert_refused(const struct program_file *file, uint64_t size, enum status expected)
{
	struct task_snapshot before;
	struct process *process;

	task_snapshot_take(&before, NULL);
	assert_int_equal(spawn_size(file, size, &process), expected);
	assert_true(task_snapshot_holds(&before, NULL));
}

/* ---- what the program finds ---- */

static void read_bytes(struct process *process, uint64_t address, void *to, uint64_t bytes)
{
	assert_int_equal(user_access_read(&process->space, address, bytes, to), STATUS_OK);
}

static uint64_t read_word(struct process *process, uint64_t address)
{
	uint64_t word;

	read_bytes(process, address, &word, sizeof(word));
	return word;
}

static void assert_zero(struct process *process, uint64_t start, uint64_t end)
{
	uint8_t bytes[64];

	for (uint64_t address = start; address < end; address += sizeof(bytes)) {
		uint64_t count = end - address < sizeof(bytes) ? end - address : sizeof(bytes);

		read_bytes(process, address, bytes, count);
		for (uint64_t i = 0; i < count; i++)
			assert_int_equal(bytes[i], 0);
	}
}

static void assert_bytes(struct process *process, uint64_t address, const void *expected, uint64_t count)
{
	uint8_t *found = malloc(count);

	assert_non_null(found);
	read_bytes(process, address, found, count);
	assert_memory_equal(found, expected, count);
	free(found);
}

static void test_segments(void **state)
{
	const struct program_file file = program_file_good();
	struct process *process;

	(void)state;
	task_machine_start(FRAMES);
	process = spawn_good(&file);
	assert_string_equal(process->name, "spawned");
	assert_int_equal(first_thread(process)->entry, file.header.e_entry);
	for (uint32_t i = 0; i < PROGRAM_LOADS; i++) {
		const Elf64_Phdr *load = &file.program[i];
		uint64_t end = load->p_vaddr + load->p_memsz;

		assert_zero(process, load->p_vaddr & ~(PAGE_SIZE - 1), load->p_vaddr);
		assert_bytes(process, load->p_vaddr, (const uint8_t *)&file + load->p_offset, load->p_filesz);
		assert_zero(process, load->p_vaddr + load->p_filesz, (end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1));
	}
	end_process(process);
	task_machine_stop();
}

/* Exactly these regions: so no page is writable and executable, and the guard is where it should be. */
static void test_regions(void **state)
{
	const struct virtual_memory_region expected[] = {
		{ CAPSET_ADDRESS, CAPSET_ADDRESS + PAGE_SIZE, PAGE_BOOTSTRAP, READ },
		{ RING_ADDRESS, RING_ADDRESS + PAGE_SIZE, PAGE_BOOTSTRAP, READ_WRITE },
		{ 0x400000, 0x402000, PAGE_IMAGE, READ_EXECUTE },
		{ 0x403000, 0x404000, PAGE_IMAGE, READ },
		{ 0x405000, 0x407000, PAGE_IMAGE, READ_WRITE },
		{ 0x407000, 0x409000, PAGE_LAZY, READ_WRITE },  /* no byte of the file */
		{ 0x409000, 0x40a000, PAGE_IMAGE, READ_WRITE }, /* TLS */
		{ STACK_START - LAYOUT_DEFAULT_GUARD, STACK_THERE, PAGE_GUARD, PROTECTION_NONE },
		{ STACK_THERE, USER_LIMIT, PAGE_IMAGE, READ_WRITE },
	};
	const struct program_file file = program_file_good();
	struct virtual_memory_region region = { .end = 0 };
	struct memory_statistics statistics;
	struct process *process;
	uint64_t pages = 0;

	(void)state;
	task_machine_start(FRAMES);
	process = spawn_good(&file);
	for (uint32_t i = 0; i < COUNT_OF(expected); i++) {
		assert_int_equal(address_space_next_region(&process->space, region.end, &region), STATUS_OK);
		assert_int_equal(region.start, expected[i].start);
		assert_int_equal(region.end, expected[i].end);
		assert_int_equal(region.kind, expected[i].kind);
		assert_int_equal(region.protection, expected[i].protection);
		pages += region.kind == PAGE_GUARD ? 0 : (region.end - region.start) / PAGE_SIZE;
	}
	assert_int_equal(address_space_next_region(&process->space, region.end, &region), STATUS_NOT_FOUND);
	process_read_statistics(process, &statistics);
	assert_int_equal(statistics.ledger[LEDGER_IMAGE].used, pages);
	assert_int_equal(statistics.ledger[LEDGER_VIRTUAL_RESERVATION].used, 0);
	assert_int_equal(statistics.ledger[LEDGER_FRAME_GRANT].used, 0);
	assert_int_equal(statistics.ledger[LEDGER_CAP_SLOTS].used, COUNT_OF(own));
	end_process(process);
	task_machine_stop();
}

/* Any size and alignment: the block ends where FS points, aligned; the first word there points to itself. */
static void check_tls(uint64_t file_bytes, uint64_t memory_bytes, uint64_t align)
{
	struct program_file file = program_file_good();
	Elf64_Phdr *tls = &file.program[PROGRAM_TLS];
	struct process *process;
	uint64_t pointer, block, end;

	tls->p_offset = 0x2000;
	tls->p_vaddr = 0x406000;
	tls->p_filesz = file_bytes;
	tls->p_memsz = memory_bytes;
	tls->p_align = align;
	process = spawn_good(&file);
	pointer = first_thread(process)->segments.fs_base;
	end = uaddr_to_u64(process->layout.image.end);
	align = align == 0 ? 1 : align;
	block = pointer - (memory_bytes + align - 1) / align * align;
	assert_int_equal(pointer % 64, 0);
	assert_int_equal(pointer % align, 0);
	assert_in_range(pointer, 0, end - 64);
	assert_int_equal(read_word(process, pointer), pointer);
	if (file_bytes != 0)
		assert_bytes(process, block, (const uint8_t *)&file + tls->p_offset, file_bytes);
	assert_zero(process, block & ~(PAGE_SIZE - 1), block);
	assert_zero(process, block + file_bytes, pointer);
	assert_zero(process, pointer + 8, end);
	end_process(process);
}

static void test_tls(void **state)
{
	static const uint64_t sizes[] = { 0, 1, 8, 63, 64, 65, 0xfc0, 0xfc1, 0x1000, 0x1001, 0x5678, 1 << 20 };
	static const uint64_t aligns[] = { 0, 1, 8, 16, 64, 128, 4096 };
	struct program_file file = program_file_good();
	struct process *process;

	(void)state;
	task_machine_start(FRAMES);
	for (uint32_t i = 0; i < COUNT_OF(sizes); i++) {
		for (uint32_t j = 0; j < COUNT_OF(aligns); j++) {
			uint64_t most = sizes[i] < 0xf00 ? sizes[i] : 0xf00; /* what the data's file bytes have */

			check_tls(0, sizes[i], aligns[j]);
			check_tls(most / 2, sizes[i], aligns[j]);
			check_tls(most, sizes[i], aligns[j]);
		}
	}
	file.program[PROGRAM_TLS].p_type = PT_NOTE; /* a program without TLS has its thread control block too */
	process = spawn_good(&file);
	assert_int_equal(read_word(process, first_thread(process)->segments.fs_base),
			 first_thread(process)->segments.fs_base);
	assert_int_equal(first_thread(process)->segments.fs_base % 64, 0);
	end_process(process);
	task_machine_stop();
}

static void assert_string_at(struct process *process, uint64_t address, const char *expected)
{
	assert_in_range(address, first_thread(process)->user_stack, USER_LIMIT - 1);
	assert_bytes(process, address, expected, strlen(expected) + 1);
}

static void check_vector(struct process *process, const struct program_file *file, uint64_t vector, uint64_t name)
{
	static const uint64_t zero[] = { AT_BASE, AT_UID, AT_EUID, AT_GID, AT_EGID, AT_SECURE };
	uint64_t value[64] = { 0 };
	bool found[64] = { false };
	uint64_t capset = 0;
	uint64_t ring = 0;
	uint64_t type;

	for (; (type = read_word(process, vector)) != AT_NULL; vector += 16) {
		uint64_t one = read_word(process, vector + 8);

		if (type == AUX_CAPOS_CAPSET)
			capset = one;
		else if (type == AUX_CAPOS_RING)
			ring = one;
		else {
			assert_in_range(type, 1, COUNT_OF(value) - 1);
			assert_false(found[type]);
			value[type] = one;
			found[type] = true;
		}
	}
	assert_int_equal(capset, CAPSET_ADDRESS);
	assert_int_equal(ring, RING_ADDRESS);
	assert_int_equal(value[AT_PHDR], file->program[PROGRAM_TEXT].p_vaddr + file->header.e_phoff);
	assert_int_equal(value[AT_PHENT], sizeof(Elf64_Phdr));
	assert_int_equal(value[AT_PHNUM], PROGRAM_HEADERS);
	assert_int_equal(value[AT_PAGESZ], PAGE_SIZE);
	assert_int_equal(value[AT_ENTRY], file->header.e_entry);
	assert_int_equal(value[AT_EXECFN], name);
	assert_int_equal(value[AT_HWCAP], MACHINE_HWCAP);
	assert_int_equal(value[AT_CLKTCK], 100);
	for (uint32_t i = 0; i < COUNT_OF(zero); i++)
		assert_true(found[zero[i]] && value[zero[i]] == 0);
	assert_in_range(value[AT_RANDOM], vector + 16, USER_LIMIT - 16);
	assert_true(read_word(process, value[AT_RANDOM]) != read_word(process, value[AT_RANDOM] + 8));
}

static void check_stack(struct process *process, const struct program_file *file, const char *const *argument,
			uint32_t count)
{
	uint64_t pointer = first_thread(process)->user_stack;
	uint64_t name = count == 0 ? 0 : read_word(process, pointer + 8);

	assert_int_equal(pointer % 16, 0);
	assert_in_range(pointer, USER_LIMIT - PAGE_SIZE, USER_LIMIT - 16);
	assert_int_equal(read_word(process, pointer), count);
	for (uint32_t i = 0; i < count; i++)
		assert_string_at(process, read_word(process, pointer + 8 + i * 8), argument[i]);
	assert_int_equal(read_word(process, pointer + 8 + count * 8), 0);
	assert_int_equal(read_word(process, pointer + 16 + count * 8), 0); /* no environment */
	check_vector(process, file, pointer + 24 + count * 8, name);
	assert_zero(process, STACK_THERE, pointer);
}

static enum status spawn_list(const struct program_file *file, const char *text, uint32_t count, uint32_t bytes,
			      struct process **process)
{
	const struct string_list words = { text, count, bytes };
	struct memory_file image = { (const uint8_t *)file, sizeof(*file) };
	struct elf_source source = program_image_of_file(&image);
	uint64_t limits[LEDGER_COUNT];

	task_machine_limits(limits, TASK_MACHINE_PLENTY);
	return spawn_words(&source, &words, limits, process);
}

/* Each number of strings, and each length of one until there is no room; after the first refusal only refusals. */
static void test_stack(void **state)
{
	static const char *const some[] = { "program", "", "a word", "last" };
	const struct program_file file = program_file_good();
	const char *many[PROCESS_MAX_STRINGS + 1];
	static char text[PROCESS_MAX_STRING_BYTES + 64];
	struct task_snapshot before;
	struct process *process;
	uint32_t bytes = 0;

	(void)state;
	task_machine_start(FRAMES);
	task_snapshot_take(&before, NULL);
	for (uint32_t count = 0; count <= PROCESS_MAX_STRINGS + 1; count++) {
		enum status status = spawn_list(&file, text, count, bytes, &process);

		assert_int_equal(status, count <= PROCESS_MAX_STRINGS ? STATUS_OK : STATUS_TOO_LONG);
		if (status == STATUS_OK) {
			check_stack(process, &file, many, count);
			end_process(process);
		}
		assert_true(task_snapshot_holds(&before, NULL));
		if (count > PROCESS_MAX_STRINGS)
			break;
		many[count] = some[count % COUNT_OF(some)];
		memcpy(text + bytes, many[count], strlen(many[count]) + 1);
		bytes += (uint32_t)strlen(many[count]) + 1;
	}
	memset(text, 'x', sizeof(text));
	for (uint32_t length = PROCESS_MAX_STRING_BYTES - 20; length < PROCESS_MAX_STRING_BYTES + 20; length++) {
		enum status status;

		text[length - 1] = 0;
		many[0] = text;
		status = spawn_list(&file, text, 1, length, &process);
		assert_int_equal(status, length <= PROCESS_MAX_STRING_BYTES ? STATUS_OK : STATUS_TOO_LONG);
		if (status == STATUS_OK) {
			check_stack(process, &file, many, 1);
			end_process(process);
		}
		assert_true(task_snapshot_holds(&before, NULL));
		text[length - 1] = 'x';
	}
	task_machine_stop();
}

/* Not so many strings in so many bytes. */
static void test_bad_strings(void **state)
{
	const struct program_file file = program_file_good();
	struct task_snapshot before;
	struct process *process;

	(void)state;
	task_machine_start(FRAMES);
	task_snapshot_take(&before, NULL);
	assert_int_equal(spawn_list(&file, "one\0two", 1, 8, &process), STATUS_BAD_ARGUMENT);
	assert_int_equal(spawn_list(&file, "one\0two", 3, 8, &process), STATUS_BAD_ARGUMENT);
	assert_int_equal(spawn_list(&file, "one\0two", 1, 7, &process), STATUS_BAD_ARGUMENT);
	assert_int_equal(spawn_list(&file, "one\0two", 0, 3, &process), STATUS_BAD_ARGUMENT);
	assert_int_equal(spawn_list(&file, "", 1, 0, &process), STATUS_BAD_ARGUMENT);
	assert_true(task_snapshot_holds(&before, NULL));
	task_machine_stop();
}

static void test_bootstrap(void **state)
{
	const struct program_file file = program_file_good();
	struct capset_page capset;
	struct process *process;
	struct thread *thread;
	struct ring_page ring;
	struct cap_hold hold;

	(void)state;
	task_machine_start(FRAMES);
	process = spawn_good(&file);
	thread = first_thread(process);
	assert_ptr_equal(task_scheduler_log.last_added, thread);
	assert_int_equal(process->priority, THREAD_PRIORITY_DEFAULT + 1);
	assert_int_equal(thread->priority, THREAD_PRIORITY_DEFAULT);
	read_bytes(process, CAPSET_ADDRESS, &capset, sizeof(capset));
	assert_int_equal(capset.magic, CAPSET_MAGIC);
	assert_int_equal(capset.version, CAPSET_VERSION);
	assert_int_equal(capset.entry_bytes, sizeof(struct capset_entry));
	assert_int_equal(capset.process_id, process->id);
	assert_int_equal(capset.count, COUNT_OF(own));
	for (uint32_t i = 0; i < COUNT_OF(own); i++) {
		assert_string_equal(capset.entry[i].name, own[i].name);
		assert_int_equal(capset.entry[i].interface, own[i].interface);
		assert_int_equal(process_capability_use(process, capset.entry[i].capability, &hold), STATUS_OK);
		assert_ptr_equal(hold.object, i == 0 ? (void *)&process->space : (void *)process);
		assert_int_equal(hold.mode, TRANSFER_NONE);
	}
	assert_zero(process, CAPSET_ADDRESS + offsetof(struct capset_page, entry[COUNT_OF(own)]),
		    CAPSET_ADDRESS + PAGE_SIZE);
	read_bytes(process, RING_ADDRESS, &ring, sizeof(ring));
	assert_int_equal(ring_check(&ring), STATUS_OK);
	assert_zero(process, RING_ADDRESS + offsetof(struct ring_header, sq_tail), RING_ADDRESS + PAGE_SIZE);
	assert_memory_equal(thread->ring, &ring, sizeof(ring));
	assert_int_equal(user_access_check(&process->space, CAPSET_ADDRESS, PAGE_SIZE, true), STATUS_BUFFER_FAULT);
	assert_int_equal(user_access_check(&process->space, RING_ADDRESS, PAGE_SIZE, true), STATUS_OK);
	end_process(process);
	task_machine_stop();
}

/* ---- what is refused ---- */

struct spoiled {
	size_t offset, bytes; /* of the file: this field becomes ... */
	uint64_t value;
	enum status status;
};

#define HEADER(field) offsetof(struct program_file, header.field), sizeof(((Elf64_Ehdr *)0)->field)
#define PROGRAM(index, field) \
	offsetof(struct program_file, program[PROGRAM_##index].field), sizeof(((Elf64_Phdr *)0)->field)

static const struct spoiled spoiled[] = {
	{ HEADER(e_ident[EI_MAG0]), 0x7e, STATUS_ELF_BAD_MAGIC },
	{ HEADER(e_ident[EI_MAG3]), 'f', STATUS_ELF_BAD_MAGIC },
	{ HEADER(e_ident[EI_CLASS]), ELFCLASS32, STATUS_ELF_NOT_64_BIT },
	{ HEADER(e_ident[EI_DATA]), ELFDATA2MSB, STATUS_ELF_NOT_LITTLE_ENDIAN },
	{ HEADER(e_ident[EI_VERSION]), 0, STATUS_ELF_BAD_VERSION },
	{ HEADER(e_version), 2, STATUS_ELF_BAD_VERSION },
	{ HEADER(e_type), ET_NONE, STATUS_ELF_NOT_EXECUTABLE },
	{ HEADER(e_type), ET_REL, STATUS_ELF_NOT_EXECUTABLE },
	{ HEADER(e_machine), EM_AARCH64, STATUS_ELF_WRONG_MACHINE },
	{ HEADER(e_ehsize), 52, STATUS_ELF_BAD_HEADER_SIZE },
	{ HEADER(e_phentsize), 32, STATUS_ELF_BAD_HEADER_SIZE },
	{ HEADER(e_phnum), 0, STATUS_ELF_NO_SEGMENTS },
	{ HEADER(e_phnum), 65, STATUS_ELF_TOO_MANY_SEGMENTS },
	{ HEADER(e_phnum), UINT16_MAX, STATUS_ELF_TOO_MANY_SEGMENTS },
	{ HEADER(e_phoff), PROGRAM_FILE_BYTES - 8, STATUS_ELF_TRUNCATED },
	{ HEADER(e_phoff), UINT64_MAX - 8, STATUS_ELF_TRUNCATED },
	{ HEADER(e_entry), 0, STATUS_ELF_ENTRY_NOT_EXECUTABLE },
	{ HEADER(e_entry), 0x401800, STATUS_ELF_ENTRY_NOT_EXECUTABLE },
	{ HEADER(e_entry), 0x405e00, STATUS_ELF_ENTRY_NOT_EXECUTABLE },
	{ PROGRAM(TEXT, p_filesz), 0x1801, STATUS_ELF_FILE_LARGER_THAN_MEMORY },
	{ PROGRAM(DATA, p_filesz), 0x1201, STATUS_ELF_SEGMENT_OUTSIDE_FILE },
	{ PROGRAM(DATA, p_offset), UINT64_MAX - 0x1ff, STATUS_ELF_SEGMENT_OUTSIDE_FILE },
	{ PROGRAM(TEXT, p_vaddr), UINT64_MAX - 0xfff, STATUS_ELF_SEGMENT_WRAPS },
	{ PROGRAM(DATA, p_memsz), UINT64_MAX, STATUS_ELF_SEGMENT_WRAPS },
	{ PROGRAM(TEXT, p_vaddr), 0, STATUS_ELF_SEGMENT_NOT_USER },
	{ PROGRAM(TEXT, p_vaddr), USER_LIMIT - 0x1000, STATUS_ELF_SEGMENT_NOT_USER },
	{ PROGRAM(TEXT, p_vaddr), UINT64_C(1) << 63, STATUS_ELF_SEGMENT_NOT_USER },
	{ PROGRAM(TEXT, p_vaddr), CAPSET_ADDRESS, STATUS_ELF_SEGMENT_ON_BOOTSTRAP },
	{ PROGRAM(TEXT, p_vaddr), BOOTSTRAP_START - 0x1000, STATUS_ELF_SEGMENT_ON_BOOTSTRAP },
	{ PROGRAM(TEXT, p_vaddr), BOOTSTRAP_END - 0x1000, STATUS_ELF_SEGMENT_ON_BOOTSTRAP },
	{ PROGRAM(RODATA, p_vaddr), 0x401800, STATUS_ELF_SEGMENTS_OVERLAP },
	{ PROGRAM(RODATA, p_vaddr), 0x408800, STATUS_ELF_SEGMENTS_OVERLAP },
	{ PROGRAM(TEXT, p_flags), PF_R | PF_W | PF_X, STATUS_ELF_WRITE_AND_EXECUTE },
	{ PROGRAM(DATA, p_flags), PF_W, STATUS_ELF_SEGMENT_UNREADABLE },
	{ PROGRAM(TEXT, p_flags), PF_X, STATUS_ELF_SEGMENT_UNREADABLE },
	{ PROGRAM(TEXT, p_align), 3, STATUS_ELF_BAD_ALIGNMENT },
	{ PROGRAM(DATA, p_offset), 0x1e01, STATUS_ELF_BAD_ALIGNMENT },
	{ PROGRAM(DATA, p_memsz), UINT64_C(1) << 41, STATUS_ELF_TOO_LARGE },
	{ PROGRAM(STACK, p_type), PT_INTERP, STATUS_ELF_HAS_INTERPRETER },
	{ PROGRAM(STACK, p_type), PT_TLS, STATUS_ELF_TWO_TLS },
	{ PROGRAM(STACK, p_flags), PF_R | PF_W | PF_X, STATUS_ELF_EXECUTABLE_STACK },
	{ PROGRAM(TLS, p_align), 24, STATUS_ELF_BAD_TLS },
	{ PROGRAM(TLS, p_align), 8192, STATUS_ELF_BAD_TLS },
	{ PROGRAM(TLS, p_vaddr), 0x405e50, STATUS_ELF_BAD_TLS },
	{ PROGRAM(TLS, p_filesz), 0x92, STATUS_ELF_BAD_TLS },
	{ PROGRAM(TLS, p_memsz), (1 << 20) + 1, STATUS_ELF_BAD_TLS },
	{ PROGRAM(TLS, p_offset), 0x2ef0, STATUS_ELF_BAD_TLS },
	/* Good headers, but no layout has room for it. */
	{ PROGRAM(TEXT, p_vaddr), USER_LIMIT - 0x2000, STATUS_ELF_ENTRY_NOT_EXECUTABLE },
	{ PROGRAM(RODATA, p_vaddr), USER_LIMIT - 0x800, STATUS_LAYOUT_IMAGE_TOO_HIGH },
	{ PROGRAM(RODATA, p_vaddr), USER_LIMIT - LAYOUT_MIN_GAP - 0x800, STATUS_LAYOUT_IMAGE_TOO_HIGH },
	{ PROGRAM(RODATA, p_vaddr), USER_START + 0x800, STATUS_BOOTSTRAP_RANGE },
	/* More page tables than the machine has frames. */
	{ PROGRAM(DATA, p_memsz), UINT64_C(1) << 33, STATUS_OUT_OF_MEMORY },
};

static void test_spoiled(void **state)
{
	(void)state;
	task_machine_start(FRAMES);
	for (uint32_t i = 0; i < COUNT_OF(spoiled); i++) {
		struct program_file file = program_file_good();

		memcpy((uint8_t *)&file + spoiled[i].offset, &spoiled[i].value, spoiled[i].bytes);
		assert_refused(&file, sizeof(file), spoiled[i].status);
	}
	task_machine_stop();
}

/* Every shorter file: the headers, or the last load, are not whole. */
static void test_truncated(void **state)
{
	const struct program_file file = program_file_good();
	uint64_t load_end = file.program[PROGRAM_DATA].p_offset + file.program[PROGRAM_DATA].p_filesz;

	(void)state;
	task_machine_start(FRAMES);
	for (uint64_t size = 0; size < load_end; size += size < 0x200 ? 1 : host_rounds(100) > 50 ? 13 : 331)
		assert_refused(&file, size,
			       size < offsetof(struct program_file, rest) ? STATUS_ELF_TRUNCATED
									  : STATUS_ELF_SEGMENT_OUTSIDE_FILE);
	assert_refused(&file, load_end - 1, STATUS_ELF_SEGMENT_OUTSIDE_FILE);
	task_machine_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_segments), cmocka_unit_test(test_regions),     cmocka_unit_test(test_tls),
		cmocka_unit_test(test_stack),    cmocka_unit_test(test_bad_strings), cmocka_unit_test(test_bootstrap),
		cmocka_unit_test(test_spoiled),  cmocka_unit_test(test_truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
