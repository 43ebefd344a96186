#include "user/runtime/resident.h"

#include "abi/memory_layout.h"

#define LINKERS __attribute__((visibility("hidden")))

/* Of program.ld: what may be written, thread-local storage's template first. */
extern LINKERS const char program_data_start[];
extern LINKERS const char program_data_end[];

static void touch(uint64_t start, uint64_t end)
{
	for (uint64_t page = start & ~(PAGE_SIZE - 1); page < end; page += PAGE_SIZE)
		(void)*(const volatile char *)page;
}

void resident_make(uint64_t stack_bytes)
{
	const uint64_t here = (uint64_t)__builtin_frame_address(0);

	touch((uint64_t)program_data_start, (uint64_t)program_data_end);
	touch(here - stack_bytes, here);
}
