#include "user/demos/elf-smoke/image_facts.h"

#include <elf.h>
#include <stddef.h>

#include "abi/memory_layout.h"
#include "lib/check.h"
#include "lib/status.h"
#include "lib/string.h"
#include "user/demos/elf-smoke/fact.h"
#include "user/runtime/load_offset.h"
#include "user/runtime/program.h"

#define MANY_WORDS 3000u /* some pages */
#define FILL UINT64_C(0x5aa5c33c12345678)

struct linked {
	const char *name;
	const struct linked *next;
};

/* Volatile, so that what is looked at is memory and not what the compiler knows. */
static volatile uint64_t data[MANY_WORDS] = { [0] = 1, [1 ... MANY_WORDS - 2] = FILL, [MANY_WORDS - 1] = 2 };
static volatile uint64_t zero[MANY_WORDS];
static const volatile uint64_t constant[MANY_WORDS] = { [0] = 3, [1 ... MANY_WORDS - 2] = ~FILL, [MANY_WORDS - 1] = 4 };
static struct linked second = { "second", NULL };
static struct linked first = { "first", &second };
static volatile uint8_t aligned[3] __attribute__((aligned(2048))) = { 7, 8, 9 };

static bool is_filled(const volatile uint64_t *word, uint64_t start, uint64_t middle, uint64_t end)
{
	for (uint32_t i = 1; i < MANY_WORDS - 1; i++) {
		if (word[i] != middle)
			return false;
	}
	return word[0] == start && word[MANY_WORDS - 1] == end;
}

static void data_is_initialised(void)
{
	EXPECT(is_filled(data, 1, FILL, 2));
	EXPECT((uint64_t)aligned % 2048 == 0);
	EXPECT(aligned[0] == 7 && aligned[1] == 8 && aligned[2] == 9);
	for (uint32_t i = 0; i < MANY_WORDS; i++)
		data[i] = i;
	for (uint32_t i = 0; i < MANY_WORDS; i++)
		EXPECT_EQUAL(data[i], i);
}

static void pointers_in_data_are_good(void)
{
	const struct linked *volatile at = &first;

	EXPECT(string_equal(at->name, "first"));
	EXPECT(at->next == &second);
	EXPECT(string_equal(at->next->name, "second"));
	EXPECT(at->next->next == NULL);
}

static void bss_is_zero(void)
{
	EXPECT(is_filled(zero, 0, 0, 0));
	for (uint32_t i = 0; i < MANY_WORDS; i++)
		zero[i] = i;
	for (uint32_t i = 0; i < MANY_WORDS; i++)
		EXPECT_EQUAL(zero[i], i);
}

static void constants_are_there(void)
{
	EXPECT(is_filled(constant, 3, ~FILL, 4));
}

/* The program headers as the auxiliary vector gives them; *count 0 if they are not good. */
static const Elf64_Phdr *program_headers(uint64_t *count)
{
	uint64_t address;
	uint64_t entry_bytes;

	fact_find_auxiliary(AT_PHDR, &address);
	fact_find_auxiliary(AT_PHENT, &entry_bytes);
	fact_find_auxiliary(AT_PHNUM, count);
	if (entry_bytes != sizeof(Elf64_Phdr) || address == 0)
		*count = 0;
	return (const Elf64_Phdr *)address;
}

static uint32_t protection_of(const Elf64_Phdr *header)
{
	return ((header->p_flags & PF_R) != 0 ? PROTECTION_READ : 0) |
	       ((header->p_flags & PF_W) != 0 ? PROTECTION_WRITE : 0) |
	       ((header->p_flags & PF_X) != 0 ? PROTECTION_EXECUTE : 0);
}

/* From the load's first byte to its last: image pages, of which those without a byte of the file may still be lazy. */
static void expect_mapped(uint64_t address, const Elf64_Phdr *load)
{
	const uint64_t file_end = address + load->p_filesz, end = address + load->p_memsz;
	struct virtual_memory_region region = { .end = address };

	while (region.end < end) {
		EXPECT_EQUAL(virtual_memory_client_query(facts.memory, (const void *)region.end, &region), STATUS_OK);
		EXPECT_EQUAL(region.protection, protection_of(load));
		EXPECT(region.kind == PAGE_IMAGE ||
		       (region.kind == PAGE_LAZY && region.start >= file_end - file_end % PAGE_SIZE));
	}
}

/* They lie right behind the ELF header, in the image; each load is mapped with its own protection, whole. */
static void segments_are_mapped_as_the_headers_say(void)
{
	uint32_t loads = 0;
	uint64_t count;
	const Elf64_Phdr *header = program_headers(&count);
	const Elf64_Ehdr *file = (const Elf64_Ehdr *)(const void *)((const char *)header - sizeof(Elf64_Ehdr));

	EXPECT(count > 0);
	EXPECT(memcmp(file->e_ident, ELFMAG, SELFMAG) == 0);
	EXPECT_EQUAL(file->e_phnum, count);
	for (uint64_t i = 0; i < count; i++) {
		if (header[i].p_type != PT_LOAD)
			continue;
		expect_mapped(header[i].p_vaddr + load_offset_of(header, count), &header[i]);
		loads++;
	}
	EXPECT(loads >= 3);
}

static void entry_is_in_text(void)
{
	struct virtual_memory_region region;
	uint64_t entry;

	fact_find_auxiliary(AT_ENTRY, &entry);
	fact_expect_region(entry, PAGE_IMAGE, PROTECTION_READ | PROTECTION_EXECUTE, &region);
}

/* What the file says of [offset, offset + bytes) is what lies at `address`. */
static void expect_file_bytes(uint64_t file, const uint8_t *address, uint64_t offset, uint64_t bytes)
{
	static uint8_t buffer[PAGE_SIZE];
	uint64_t done = 0;

	while (done < bytes) {
		struct boot_package_span span = { file, offset + done, buffer, sizeof(buffer) };
		uint64_t count = 0;

		if (bytes - done < sizeof(buffer))
			span.bytes = bytes - done;
		EXPECT_EQUAL(boot_package_client_read(facts.package, &span, &count), STATUS_OK);
		EXPECT(count > 0);
		EXPECT(memcmp(buffer, address + done, count) == 0);
		done += count;
	}
}

/* Of what is not writable, every byte; and of the TLS template, unless the program has relocated it. */
static void image_is_the_file(void)
{
	uint64_t count;
	uint64_t file = 0;
	const Elf64_Phdr *header = program_headers(&count);
	const uint64_t offset = load_offset_of(header, count);

	EXPECT_EQUAL(boot_package_client_find(facts.package, program_name(), &file), STATUS_OK);
	for (uint64_t i = 0; i < count; i++) {
		if ((header[i].p_type == PT_LOAD && (header[i].p_flags & PF_W) == 0) ||
		    (header[i].p_type == PT_TLS && offset == 0))
			expect_file_bytes(file, (const uint8_t *)(header[i].p_vaddr + offset), header[i].p_offset,
					  header[i].p_filesz);
	}
}

/* Up to the end of the last page of each segment: no byte of anybody else. */
static void tails_are_zero(void)
{
	uint64_t count;
	const Elf64_Phdr *header = program_headers(&count);

	for (uint64_t i = 0; i < count; i++) {
		uint64_t end = header[i].p_vaddr + header[i].p_memsz + load_offset_of(header, count);

		if (header[i].p_type == PT_LOAD)
			EXPECT(fact_is_zero((const void *)end, (PAGE_SIZE - end % PAGE_SIZE) % PAGE_SIZE));
	}
}

void image_facts_check(void)
{
	static const struct fact fact[] = {
		{ "data-is-initialised", data_is_initialised },
		{ "pointers-in-data-are-good", pointers_in_data_are_good },
		{ "bss-is-zero", bss_is_zero },
		{ "constants-are-there", constants_are_there },
		{ "segments-are-mapped-as-the-headers-say", segments_are_mapped_as_the_headers_say },
		{ "entry-is-in-text", entry_is_in_text },
		{ "image-is-the-file", image_is_the_file },
		{ "tails-are-zero", tails_are_zero },
	};

	fact_check(fact, COUNT_OF(fact));
}
