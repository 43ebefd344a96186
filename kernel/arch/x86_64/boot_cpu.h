/* Who the boot CPU is. */
#ifndef CAPOS_KERNEL_ARCH_X86_64_BOOT_CPU_H
#define CAPOS_KERNEL_ARCH_X86_64_BOOT_CPU_H

#include <stdint.h>

/* The local APIC id of the CPU that calls, as CPUID gives it: all 32 bits where the CPU has leaf 0Bh. */
uint32_t boot_cpu_apic_id(void);

#endif
