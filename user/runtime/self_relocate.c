#include "user/runtime/self_relocate.h"

#include <elf.h>

#include "lib/string.h"
#include "user/runtime/load_offset.h"
#include "user/runtime/thread_block.h"

#define LINKERS __attribute__((visibility("hidden"))) /* found relative to RIP, so before they are relocated */

extern LINKERS const Elf64_Ehdr __ehdr_start;
extern LINKERS const Elf64_Rela program_relocations_start[];
extern LINKERS const Elf64_Rela program_relocations_end[];

/* The words need not be aligned. */
static void relocate(const Elf64_Rela *relocation, uint64_t offset)
{
	const uint64_t value = offset + (uint64_t)relocation->r_addend;

	memcpy((void *)(offset + relocation->r_offset), &value, sizeof(value));
}

uint64_t self_relocate(uint64_t thread_control)
{
	const Elf64_Phdr *headers = (const Elf64_Phdr *)((const char *)&__ehdr_start + __ehdr_start.e_phoff);
	const uint64_t offset = load_offset_of(headers, __ehdr_start.e_phnum);
	const uint64_t bytes = (uint64_t)program_relocations_end - (uint64_t)program_relocations_start;
	uint64_t unknown = 0;

	if (bytes == 0)
		return 0;
	for (uint64_t i = 0; i < bytes / sizeof(Elf64_Rela); i++) {
		const Elf64_Rela *relocation = &program_relocations_start[i];

		if (ELF64_R_TYPE(relocation->r_info) == R_X86_64_RELATIVE)
			relocate(relocation, offset);
		else
			unknown = relocation->r_info;
	}
	const struct thread_image image = thread_block_image(headers, __ehdr_start.e_phnum);

	thread_block_renew(&image, thread_control);
	return unknown;
}
