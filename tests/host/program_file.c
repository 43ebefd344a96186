#include "tests/host/program_file.h"

#include <stddef.h>

#include "tests/host/host_support.h"

static const Elf64_Ehdr good_header = {
	.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
	.e_type = ET_EXEC,
	.e_machine = EM_X86_64,
	.e_version = EV_CURRENT,
	.e_entry = 0x401234,
	.e_phoff = offsetof(struct program_file, program),
	.e_ehsize = sizeof(Elf64_Ehdr),
	.e_phentsize = sizeof(Elf64_Phdr),
	.e_phnum = PROGRAM_HEADERS,
};

/* type, flags, offset, address, physical address, bytes in the file, in memory, alignment */
static const Elf64_Phdr good_program[PROGRAM_HEADERS] = {
	[PROGRAM_TEXT] = { PT_LOAD, PF_R | PF_X, 0, 0x400000, 0, 0x1800, 0x1800, 0x1000 },
	[PROGRAM_RODATA] = { PT_LOAD, PF_R, 0x1800, 0x403800, 0, 0x600, 0x600, 0x1000 },
	[PROGRAM_DATA] = { PT_LOAD, PF_R | PF_W, 0x1e00, 0x405e00, 0, 0x1100, 0x3000, 0x1000 },
	[PROGRAM_TLS] = { PT_TLS, PF_R, 0x1e40, 0x405e40, 0, 0x33, 0x91, 16 },
	[PROGRAM_STACK] = { PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 16 },
};

struct program_file program_file_good(void)
{
	struct host_random random = { .state = 5 };
	struct program_file file = { .header = good_header };

	for (uint32_t i = 0; i < PROGRAM_HEADERS; i++)
		file.program[i] = good_program[i];
	for (uint32_t i = 0; i < sizeof(file.rest); i++)
		file.rest[i] = (uint8_t)(host_random_u64(&random) | 1);
	return file;
}
