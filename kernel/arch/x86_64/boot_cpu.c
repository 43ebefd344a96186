#include "kernel/arch/x86_64/boot_cpu.h"

#include <cpuid.h>

#define LEAF_FEATURES 0x01u
#define LEAF_TOPOLOGY 0x0bu

/* SDM vol. 2, CPUID: leaf 0Bh is there if its EBX is not 0, and gives the x2APIC id in EDX; leaf 1 has 8 bits of it. */
uint32_t boot_cpu_apic_id(void)
{
	uint32_t eax;
	uint32_t ebx;
	uint32_t ecx;
	uint32_t edx;

	if (__get_cpuid_count(LEAF_TOPOLOGY, 0, &eax, &ebx, &ecx, &edx) && ebx != 0)
		return edx;
	if (!__get_cpuid(LEAF_FEATURES, &eax, &ebx, &ecx, &edx))
		return 0;
	return ebx >> 24;
}
