/*
 * What the CPU can do, asked once on the boot CPU, and the switches of its memory protection, set on each.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_FEATURES_H
#define CAPOS_KERNEL_ARCH_X86_64_FEATURES_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"

struct cpu_features {
	bool nx, smep, smap, umip;        /* protection */
	bool global_pages, pcid, invpcid; /* TLB */
	bool fsgsbase, page_1gib, la57, xsave, avx;
	bool x2apic, tsc_deadline, tsc_invariant;
	bool rdrand, rdseed, machine_check, sysenter;
	bool hypervisor; /* some virtual machine; the next two say whose */
	bool hypervisor_is_tcg, hypervisor_is_kvm;
	uint32_t physical_bits; /* width of a physical address */
	uint32_t hwcap;         /* EDX of CPUID 1, which programs get as AT_HWCAP */
	char vendor[13];
};

/*
 * Ask, and switch NX on in EFER on this CPU, since page tables with the bit set fault without it. A CPU without NX is a
 * panic. Once, on the boot CPU, after cpu_init_boot.
 */
void features_detect(void);

/* Valid after features_detect. */
const struct cpu_features *features_get(void);

/*
 * Switch protection on, on this CPU, in this order: WP, global pages, SMEP, SMAP, UMIP, FSGSBASE, machine checks; and
 * SYSENTER and RDPMC off. The kernel's own page tables must be live: nothing it uses may be mapped for user access,
 * nothing it writes read-only.
 */
void features_enable_protection(void);

/*
 * One log line of what there is, one of what the kernel would use and must do without ("cpu lacks: nothing" if that is
 * none), and a warning for each of SMEP and SMAP that is missing.
 */
void features_report(void);

#endif
