#include "kernel/arch/x86_64/fpu.h"

#include <stdbool.h>
#include <stddef.h>

#include "kernel/arch/x86_64/features.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/log.h"
#include "lib/check.h"

#define CR0_MONITOR_COPROCESSOR (UINT64_C(1) << 1)
#define CR0_EMULATION (UINT64_C(1) << 2)
#define CR0_TASK_SWITCHED (UINT64_C(1) << 3)
#define CR0_NUMERIC_ERROR (UINT64_C(1) << 5)
#define CR4_OSFXSR (UINT64_C(1) << 9)
#define CR4_OSXMMEXCPT (UINT64_C(1) << 10)
#define CR4_OSXSAVE (UINT64_C(1) << 18)

#define XCR0_X87 1u
#define XCR0_SSE 2u
#define XCR0_AVX 4u

#define CPUID_XSAVE 0xdu
#define CPUID_XSAVE_AVX 2u /* the sub-leaf of a component has its number: EAX bytes at offset EBX */
#define CPUID_XSAVEOPT 1u  /* bit of EAX of sub-leaf 1 */

#define CPUID_SIZES 0x80000008u
#define CPUID_ERROR_POINTERS (1u << 2) /* bit of EBX; AMD */

_Static_assert(offsetof(struct fpu_state, mxcsr) == 24, "layout of the hardware");
_Static_assert(offsetof(struct fpu_state, header) == 512, "layout of the hardware");
_Static_assert(offsetof(struct fpu_state, avx) == 576, "layout of the hardware");

/* System V ABI, 3.4.1: x87 in extended precision, all exceptions of both masked, round to nearest. */
static const struct fpu_state initial_state = { .control_word = 0x37f, .mxcsr = 0x1f80 };

enum fpu_way {
	FPU_UNDECIDED = 0,
	FPU_FXSAVE,
	FPU_XSAVE,
	FPU_XSAVEOPT,
};

/* Decided by the boot CPU, the same for all. */
static enum fpu_way way;
static uint32_t components;
static bool leaves_error_pointers;

static bool avx_fits(void)
{
	struct cpuid_result avx = cpuid(CPUID_XSAVE, CPUID_XSAVE_AVX);

	return avx.eax <= sizeof(initial_state.avx) && avx.ebx == offsetof(struct fpu_state, avx);
}

/*
 * Older CPUs of AMD, and of Hygon, neither save nor load the pointers of the last x87 instruction while no exception is
 * pending, so that a program would see those of another (AMD APM vol. 5, FXRSTOR; CVE-2006-1056).
 */
static bool detect_error_pointers(void)
{
	char first = features_get()->vendor[0];
	bool is_amd = first == 'A' || first == 'H'; /* AuthenticAMD, HygonGenuine */

	return is_amd && (cpuid(CPUID_SIZES, 0).ebx & CPUID_ERROR_POINTERS) == 0;
}

static void decide(void)
{
	const struct cpu_features *features = features_get();

	leaves_error_pointers = detect_error_pointers();
	way = FPU_FXSAVE;
	if (!features->xsave)
		return;
	way = (cpuid(CPUID_XSAVE, 1).eax & CPUID_XSAVEOPT) != 0 ? FPU_XSAVEOPT : FPU_XSAVE;
	components = XCR0_X87 | XCR0_SSE;
	if (features->avx && avx_fits())
		components |= XCR0_AVX;
	else if (features->avx)
		log_line("WARNING: the AVX state of this CPU has another layout: programs get no AVX");
}

void fpu_init(void)
{
	uint64_t cr0 = cr0_read() & ~(CR0_EMULATION | CR0_TASK_SWITCHED);
	uint64_t cr4 = cr4_read() | CR4_OSFXSR | CR4_OSXMMEXCPT;

	if (way == FPU_UNDECIDED)
		decide();
	cr0_write(cr0 | CR0_MONITOR_COPROCESSOR | CR0_NUMERIC_ERROR);
	if (way != FPU_FXSAVE) {
		cr4_write(cr4 | CR4_OSXSAVE);
		xcr0_write(components);
		/* What the components enabled take, by the CPU's own count (SDM vol. 1, 13.2). */
		CHECK(cpuid(CPUID_XSAVE, 0).ebx <= sizeof(struct fpu_state));
	} else {
		cr4_write(cr4);
	}
	fpu_restore(&initial_state);
}

void fpu_state_init(struct fpu_state *state)
{
	*state = initial_state;
}

void fpu_save(struct fpu_state *state)
{
	switch (way) {
	case FPU_XSAVEOPT:
		__asm__ volatile("xsaveopt64 %0" : "+m"(*state) : "a"(components), "d"(0));
		break;
	case FPU_XSAVE:
		__asm__ volatile("xsave64 %0" : "+m"(*state) : "a"(components), "d"(0));
		break;
	case FPU_FXSAVE:
		__asm__ volatile("fxsave64 %0" : "+m"(*state));
		break;
	case FPU_UNDECIDED:
		CHECK(way != FPU_UNDECIDED);
		break;
	}
}

/* An x87 load of the kernel's own, with nothing pending, so that the pointers are the kernel's. */
static void replace_error_pointers(void)
{
	static const uint32_t zero;

	__asm__ volatile("fnclex; emms; fildl %0" : : "m"(zero));
}

void fpu_restore(const struct fpu_state *state)
{
	if (leaves_error_pointers)
		replace_error_pointers();
	if (way != FPU_FXSAVE)
		__asm__ volatile("xrstor64 %0" : : "m"(*state), "a"(components), "d"(0));
	else
		__asm__ volatile("fxrstor64 %0" : : "m"(*state));
}
