#include "user/runtime/load_offset.h"

uint64_t load_offset_of(const Elf64_Phdr *headers, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		if (headers[i].p_type == PT_PHDR)
			return (uint64_t)headers - headers[i].p_vaddr;
	}
	return 0;
}
