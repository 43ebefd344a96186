#include "kernel/arch/x86_64/fpu.h"

#include <stddef.h>
#include <stdint.h>

#include "kernel/arch/x86_64/features.h"
#include "kernel/arch/x86_64/instructions.h"

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

/* FXSAVE area and XSAVE header (SDM vol. 1, 10.5.1 and 13.4). A header of zeros says: each component as after reset. */
struct fpu_image {
	uint16_t control_word;
	uint16_t status_word;
	uint32_t tags_and_opcode;
	uint64_t instruction_pointer, data_pointer;
	uint32_t mxcsr;
	uint32_t mxcsr_mask;
	uint8_t registers[480];
	uint8_t header[64];
} __attribute__((aligned(64)));

_Static_assert(offsetof(struct fpu_image, mxcsr) == 24, "layout of the hardware");
_Static_assert(offsetof(struct fpu_image, header) == 512, "layout of the hardware");

/* System V ABI, 3.4.1: x87 in extended precision, all exceptions of both masked, round to nearest. */
static const struct fpu_image initial_state = { .control_word = 0x37f, .mxcsr = 0x1f80 };

static uint32_t enabled_components(void)
{
	return XCR0_X87 | XCR0_SSE | (features_get()->avx ? XCR0_AVX : 0);
}

void fpu_init(void)
{
	uint64_t cr0 = cr0_read() & ~(CR0_EMULATION | CR0_TASK_SWITCHED);
	uint64_t cr4 = cr4_read() | CR4_OSFXSR | CR4_OSXMMEXCPT;

	cr0_write(cr0 | CR0_MONITOR_COPROCESSOR | CR0_NUMERIC_ERROR);
	if (features_get()->xsave) {
		cr4_write(cr4 | CR4_OSXSAVE);
		xcr0_write(enabled_components());
	} else {
		cr4_write(cr4);
	}
	fpu_reset_user();
}

void fpu_reset_user(void)
{
	if (features_get()->xsave)
		__asm__ volatile("xrstor64 %0" : : "m"(initial_state), "a"(enabled_components()), "d"(0) : "memory");
	else
		__asm__ volatile("fxrstor64 %0" : : "m"(initial_state) : "memory");
}
