#include "kernel/arch/x86_64/probe.h"

#include "kernel/arch/x86_64/fixup.h"
#include "kernel/arch/x86_64/smap.h"

bool probe_read64(uint64_t address, uint64_t *value, bool user_access)
{
	uint64_t word = 0;
	uint32_t done = 0;

	if (user_access)
		smap_open();
	__asm__ volatile("1: movq (%2), %0\n\t"
			 "movl $1, %1\n"
			 "2:\n\t" FIXUP("1b", "2b")
			 : "+&r"(word), "+&r"(done)
			 : "r"(address)
			 : "memory");
	if (user_access)
		smap_close();
	*value = word;
	return done != 0;
}

bool probe_write64(uint64_t address, uint64_t value, bool user_access)
{
	uint32_t done = 0;

	if (user_access)
		smap_open();
	__asm__ volatile("1: movq %2, (%1)\n\t"
			 "movl $1, %0\n"
			 "2:\n\t" FIXUP("1b", "2b")
			 : "+&r"(done)
			 : "r"(address), "r"(value)
			 : "memory");
	if (user_access)
		smap_close();
	return done != 0;
}
