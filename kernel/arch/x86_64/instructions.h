/*
 * One inline function per machine instruction that C has no words for. STAC and CLAC are in smap.h, port I/O in port.h.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_INSTRUCTIONS_H
#define CAPOS_KERNEL_ARCH_X86_64_INSTRUCTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct cpuid_result {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid_result cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_result r;
	__asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
	return r;
}

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t low, high;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
	return (uint64_t)high << 32 | low;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" : : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

static inline uint64_t cr0_read(void)
{
	uint64_t value;
	__asm__ volatile("movq %%cr0, %0" : "=r"(value) : : "memory");
	return value;
}

static inline void cr0_write(uint64_t value)
{
	__asm__ volatile("movq %0, %%cr0" : : "r"(value) : "memory");
}

/* Address of the last page fault. */
static inline uint64_t cr2_read(void)
{
	uint64_t value;
	__asm__ volatile("movq %%cr2, %0" : "=r"(value) : : "memory");
	return value;
}

static inline uint64_t cr3_read(void)
{
	uint64_t value;
	__asm__ volatile("movq %%cr3, %0" : "=r"(value) : : "memory");
	return value;
}

static inline void cr3_write(uint64_t value)
{
	__asm__ volatile("movq %0, %%cr3" : : "r"(value) : "memory");
}

static inline uint64_t cr4_read(void)
{
	uint64_t value;
	__asm__ volatile("movq %%cr4, %0" : "=r"(value) : : "memory");
	return value;
}

static inline void cr4_write(uint64_t value)
{
	__asm__ volatile("movq %0, %%cr4" : : "r"(value) : "memory");
}

/* Extended control register 0: the state components that XSAVE and the CPU may use. Needs CR4.OSXSAVE. */
static inline void xcr0_write(uint64_t value)
{
	__asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

/* Drop this CPU's translations of the page at `address`, global ones too. */
static inline void invlpg(uint64_t address)
{
	__asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

static inline uint64_t rdtsc(void)
{
	uint32_t low, high;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* All loads and stores before it are done before anything after it begins. */
static inline void memory_fence(void)
{
	__asm__ volatile("mfence; lfence" : : : "memory");
}

static inline void cpu_pause(void)
{
	__asm__ volatile("pause" : : : "memory");
}

static inline void cli(void)
{
	__asm__ volatile("cli" : : : "memory");
}

static inline void sti(void)
{
	__asm__ volatile("sti" : : : "memory");
}

static inline void hlt(void)
{
	__asm__ volatile("hlt" : : : "memory");
}

/*
 * Sleep until the next interrupt, take it, and come back with interrupts off. STI holds interrupts back for one more
 * instruction, so none can slip in between it and HLT.
 */
static inline void sti_hlt_cli(void)
{
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}

/* Take what interrupts are pending, and come back with interrupts off. */
static inline void sti_nop_cli(void)
{
	__asm__ volatile("sti; nop; cli" : : : "memory");
}

static inline bool interrupts_are_on(void)
{
	uint64_t flags;
	__asm__ volatile("pushfq; popq %0" : "=r"(flags) : : "memory");
	return (flags & 0x200) != 0;
}

struct descriptor_pointer {
	uint16_t limit; /* bytes - 1 */
	uint64_t base;
} __attribute__((packed));

static inline void lidt(const struct descriptor_pointer *pointer)
{
	__asm__ volatile("lidt %0" : : "m"(*pointer) : "memory");
}

static inline void lgdt(const struct descriptor_pointer *pointer)
{
	__asm__ volatile("lgdt %0" : : "m"(*pointer) : "memory");
}

static inline void lldt(uint16_t selector)
{
	__asm__ volatile("lldt %0" : : "r"(selector) : "memory");
}

static inline void ltr(uint16_t selector)
{
	__asm__ volatile("ltr %0" : : "r"(selector) : "memory");
}

/* RDFSBASE and the like need CR4.FSGSBASE; a base written is canonical. */
static inline uint64_t fs_base_read(void)
{
	uint64_t base;
	__asm__ volatile("rdfsbase %0" : "=r"(base));
	return base;
}

static inline void fs_base_write(uint64_t base)
{
	__asm__ volatile("wrfsbase %0" : : "r"(base) : "memory");
}

/*
 * The program's GS, while the kernel's is loaded: exchange, use, exchange back, in one piece, so that nothing of the
 * compiler's comes in between. Interrupts off; the entries with a stack of their own can cope with it.
 */
static inline uint64_t hidden_gs_base_read(void)
{
	uint64_t base;
	__asm__ volatile("swapgs; rdgsbase %0; swapgs" : "=r"(base));
	return base;
}

/* Null selector, this base. */
static inline void hidden_gs_load(uint64_t base)
{
	__asm__ volatile("swapgs; movl %1, %%gs; wrgsbase %0; swapgs" : : "r"(base), "r"(0) : "memory");
}

/* Null selector; base 0 or as it was. */
static inline void hidden_gs_clear(void)
{
	__asm__ volatile("swapgs; movl %0, %%gs; swapgs" : : "r"(0) : "memory");
}

/* The other selectors that mean nothing in ring 0 become null; FS base 0 or as it was. */
static inline void data_segments_clear(void)
{
	__asm__ volatile("movl %0, %%ds; movl %0, %%es; movl %0, %%fs" : : "r"(0) : "memory");
}

#endif
