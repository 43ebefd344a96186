#include "kernel/arch/x86_64/features.h"

#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/log.h"
#include "kernel/arch/x86_64/offsets.h"
#include "kernel/arch/x86_64/panic.h"
#include "kernel/arch/x86_64/smap.h"

#define CR0_WRITE_PROTECT (UINT64_C(1) << 16)
#define CR4_MACHINE_CHECK (UINT64_C(1) << 6)
#define CR4_PCID (UINT64_C(1) << 17)
#define CR4_GLOBAL_PAGES (UINT64_C(1) << 7)
#define CR4_PERFORMANCE_COUNTERS (UINT64_C(1) << 8)
#define CR4_UMIP (UINT64_C(1) << 11)
#define CR4_FSGSBASE (UINT64_C(1) << 16)
#define CR4_SMEP (UINT64_C(1) << 20)
#define CR4_SMAP (UINT64_C(1) << 21)

#define EFER_NO_EXECUTE (UINT64_C(1) << 11)

#define MSR_SYSENTER_CS 0x174u

#define CPUID_EXTENDED 0x80000000u
#define CPUID_HYPERVISOR 0x40000000u

static struct cpu_features features;

static bool bit(uint32_t word, unsigned number)
{
	return (word >> number & 1) != 0;
}

/* A CPUID leaf, or zeros if the CPU has none of that number. */
static struct cpuid_result leaf_or_zero(uint32_t leaf)
{
	if (cpuid(leaf & CPUID_EXTENDED, 0).eax < leaf)
		return (struct cpuid_result){ 0 };
	return cpuid(leaf, 0);
}

static void copy_word(char *text, uint32_t word)
{
	for (unsigned i = 0; i < 4; i++)
		text[i] = (char)(word >> 8 * i);
}

static void detect_vendor(void)
{
	struct cpuid_result r = cpuid(0, 0);

	copy_word(features.vendor, r.ebx);
	copy_word(features.vendor + 4, r.edx);
	copy_word(features.vendor + 8, r.ecx);
}

/* The signatures "TCGTCGTCGTCG" and "KVMKVMKVM\0\0\0", by their first four letters. */
static void detect_hypervisor(void)
{
	uint32_t signature = features.hypervisor ? cpuid(CPUID_HYPERVISOR, 0).ebx : 0;

	features.hypervisor_is_tcg = signature == 0x54474354;
	features.hypervisor_is_kvm = signature == 0x4b4d564b;
}

void features_detect(void)
{
	struct cpuid_result one = cpuid(1, 0);
	struct cpuid_result seven = leaf_or_zero(7);
	struct cpuid_result extended = leaf_or_zero(CPUID_EXTENDED + 1);
	struct cpuid_result power = leaf_or_zero(CPUID_EXTENDED + 7);
	struct cpuid_result sizes = leaf_or_zero(CPUID_EXTENDED + 8);

	features = (struct cpu_features){
		.nx = bit(extended.edx, 20),
		.smep = bit(seven.ebx, 7),
		.smap = bit(seven.ebx, 20),
		.umip = bit(seven.ecx, 2),
		.global_pages = bit(one.edx, 13),
		.pcid = bit(one.ecx, 17),
		.invpcid = bit(seven.ebx, 10),
		.fsgsbase = bit(seven.ebx, 0),
		.page_1gib = bit(extended.edx, 26),
		.la57 = bit(seven.ecx, 16),
		.xsave = bit(one.ecx, 26),
		.avx = bit(one.ecx, 26) && bit(one.ecx, 28),
		.x2apic = bit(one.ecx, 21),
		.tsc_deadline = bit(one.ecx, 24),
		.tsc_invariant = bit(power.edx, 8),
		.rdrand = bit(one.ecx, 30),
		.rdseed = bit(seven.ebx, 18),
		.machine_check = bit(one.edx, 7),
		.sysenter = bit(one.edx, 11),
		.hypervisor = bit(one.ecx, 31),
		.hwcap = one.edx,
		.physical_bits = sizes.eax ? sizes.eax & 0xff : 36,
	};
	detect_vendor();
	detect_hypervisor();
	if (!features.nx)
		panic("this CPU cannot keep data from being executed (no NX)");
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NO_EXECUTE);
}

const struct cpu_features *features_get(void)
{
	return &features;
}

static void cr4_set_if(bool has, uint64_t switch_bit)
{
	if (has)
		cr4_write(cr4_read() | switch_bit);
}

/*
 * What a loader may have left open: RDPMC in ring 3 (PCE, SDM vol. 3, 2.5), and SYSENTER, which is refused when its
 * code segment is null (SDM vol. 2, SYSENTER). TSD stays clear: programs may read the clock.
 */
static void close_unused_doors(void)
{
	cr4_write(cr4_read() & ~CR4_PERFORMANCE_COUNTERS);
	if (features.sysenter)
		wrmsr(MSR_SYSENTER_CS, 0);
}

void features_enable_protection(void)
{
	cr0_write(cr0_read() | CR0_WRITE_PROTECT);
	cr4_set_if(features.global_pages, CR4_GLOBAL_PAGES);
	cr4_set_if(features.smep, CR4_SMEP);
	if (features.smap)
		smap_set_on();
	cr4_set_if(features.smap, CR4_SMAP);
	cr4_set_if(features.umip, CR4_UMIP);
	cr4_set_if(features.fsgsbase, CR4_FSGSBASE);
	cr4_set_if(features.machine_check, CR4_MACHINE_CHECK);
	cr4_set_if(features.pcid, CR4_PCID); /* CR3 holds a page-aligned root: PCID 0 (SDM vol. 3, 4.10.1) */
	close_unused_doors();
}

static const char *name_if(bool has, const char *name)
{
	return has ? name : "";
}

/* Of what the kernel uses where it is; a CPU without NX has not come here. */
static void report_lacks(const struct cpu_features *f)
{
	const bool has_all = f->smep && f->smap && f->umip && f->global_pages && f->fsgsbase && f->pcid && f->xsave &&
			     f->rdrand && f->rdseed;

	log_line("cpu lacks:%s%s%s%s%s%s%s%s%s%s", name_if(!f->smep, " smep"), name_if(!f->smap, " smap"),
		 name_if(!f->umip, " umip"), name_if(!f->global_pages, " pge"), name_if(!f->fsgsbase, " fsgsbase"),
		 name_if(!f->pcid, " pcid"), name_if(!f->xsave, " xsave"), name_if(!f->rdrand, " rdrand"),
		 name_if(!f->rdseed, " rdseed"), name_if(has_all, " nothing"));
}

void features_report(void)
{
	const struct cpu_features *f = &features;

	log_line("cpu: %s%s: nx%s%s%s%s%s%s%s%s%s%s%s%s%s%s", f->vendor, name_if(f->hypervisor, " (virtual)"),
		 name_if(f->smep, " smep"), name_if(f->smap, " smap"), name_if(f->umip, " umip"),
		 name_if(f->global_pages, " pge"), name_if(f->pcid, " pcid"), name_if(f->invpcid, " invpcid"),
		 name_if(f->fsgsbase, " fsgsbase"), name_if(f->page_1gib, " 1gib"), name_if(f->x2apic, " x2apic"),
		 name_if(f->tsc_deadline, " tsc-deadline"), name_if(f->tsc_invariant, " invariant-tsc"),
		 name_if(f->rdrand, " rdrand"), name_if(f->rdseed, " rdseed"), name_if(f->avx, " avx"));
	report_lacks(f);
	if (!f->smep)
		log_line("WARNING: this CPU has no SMEP: the kernel could be made to execute a program's pages");
	if (!f->smap)
		log_line("WARNING: this CPU has no SMAP: the kernel could be made to read a program's pages unasked");
}
