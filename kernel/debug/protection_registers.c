#include "kernel/debug/protection_registers.h"

#include <stdbool.h>
#include <stddef.h>

#include "kernel/arch/x86_64/features.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/offsets.h"
#include "kernel/arch/x86_64/probe.h"
#include "kernel/arch/x86_64/probe_step.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/debug/protection_report.h"
#include "lib/check.h"

#define BIT(number) (UINT64_C(1) << (number))
#define HOLE UINT64_C(0x0000800000000000)

#define MSR_PAT 0x277u
#define MSR_LSTAR 0xc0000082u
#define MSR_CSTAR 0xc0000083u
#define MSR_FS_BASE 0xc0000100u
#define MSR_KERNEL_GS_BASE 0xc0000102u
#define MSR_UNKNOWN 0x12345678u

#define ANY NEEDS_NOTHING
#define GENERAL OUTCOME_EXCEPTION(TRAP_GENERAL_PROTECTION)
#define ALLOWED                       \
	{                             \
		OUTCOME_ALLOWED, 0, 0 \
	}
#define LOST                       \
	{                          \
		OUTCOME_LOST, 0, 0 \
	}

static uint64_t cr8_now(void)
{
	return 0; /* nothing is kept back here */
}

static uint64_t xcr0_now(void)
{
	return BIT(0) | BIT(1) | (features_get()->avx ? BIT(2) : 0); /* fpu.c */
}

struct register_case {
	struct expectation expected;
	uint64_t (*now)(void);
	void (*write)(uint64_t value);
	uint64_t toggled; /* bits */
};

/* clang-format off */
static const struct register_case register_cases[] = {
	{ { "cr0-paging-off-in-long-mode", ANY, GENERAL, LOST, {} }, cr0_read, probe_step_cr0, BIT(31) },
	{ { "cr0-protection-off", ANY, GENERAL, LOST, {} }, cr0_read, probe_step_cr0, BIT(0) },
	{ { "cr0-not-write-through-with-cache", ANY, GENERAL, ALLOWED, {} }, cr0_read, probe_step_cr0, BIT(29) },
	{ { "cr0-upper-half", ANY, GENERAL, ALLOWED, {} }, cr0_read, probe_step_cr0, BIT(32) },
	{ { "cr3-beyond-physical-addresses", NEEDS_SPARE_ADDRESS_BITS, GENERAL, LOST, {} },
		cr3_read, probe_step_cr3, BIT(51) },
	{ { "cr4-pae-off-in-long-mode", ANY, GENERAL, LOST, {} }, cr4_read, probe_step_cr4, BIT(5) },
	{ { "cr4-57-bit-addresses-in-long-mode", NEEDS_LA57, GENERAL, {}, {} }, cr4_read, probe_step_cr4, BIT(12) },
	{ { "cr4-reserved-bit", ANY, GENERAL, LOST, {} }, cr4_read, probe_step_cr4, BIT(15) },
	{ { "cr4-upper-half", ANY, GENERAL, LOST, {} }, cr4_read, probe_step_cr4, BIT(40) },
	{ { "cr8-reserved-bit", ANY, GENERAL, ALLOWED, {} }, cr8_now, probe_step_cr8, BIT(4) },
	{ { "dr7-upper-half", ANY, GENERAL, {}, {} }, probe_step_dr7_now, probe_step_dr7, BIT(32) },
	{ { "xcr0-without-x87", NEEDS_XSAVE, GENERAL, {}, {} }, xcr0_now, probe_step_xcr0, BIT(0) },
	{ { "xcr0-avx-without-sse", NEEDS_XSAVE, GENERAL, {}, {} }, xcr0_now, probe_step_xcr0, BIT(1) },
	{ { "xcr0-reserved-bit", NEEDS_XSAVE, GENERAL, {}, {} }, xcr0_now, probe_step_xcr0, BIT(62) },
	{ { "wrfsbase-in-the-hole", NEEDS_FSGSBASE, GENERAL, ALLOWED, {} }, fs_base_read, probe_step_fs_base, HOLE },
};

struct msr_case {
	struct expectation expected;
	void (*step)(uint64_t msr);
	uint32_t number;
	uint64_t toggled;
};

static const struct msr_case msr_cases[] = {
	{ { "msr-read-unknown", ANY, GENERAL, ALLOWED, {} }, probe_step_read_msr, MSR_UNKNOWN, 0 },
	{ { "msr-write-unknown", ANY, GENERAL, ALLOWED, {} }, probe_step_write_msr, MSR_UNKNOWN, 0 },
	{ { "msr-efer-reserved-bit", ANY, GENERAL, ALLOWED, {} }, probe_step_write_msr, MSR_EFER, BIT(20) },
	{ { "msr-efer-long-mode-off", ANY, GENERAL, ALLOWED, {} }, probe_step_write_msr, MSR_EFER, BIT(8) },
	{ { "msr-lstar-in-the-hole", ANY, GENERAL, ALLOWED, {} }, probe_step_write_msr, MSR_LSTAR, HOLE },
	{ { "msr-cstar-in-the-hole", ANY, GENERAL, ALLOWED, {} }, probe_step_write_msr, MSR_CSTAR, HOLE },
	{ { "msr-fs-base-in-the-hole", ANY, GENERAL, ALLOWED, {} }, probe_step_write_msr, MSR_FS_BASE, HOLE },
	{ { "msr-kernel-gs-base-in-the-hole", ANY, GENERAL, ALLOWED, {} }, probe_step_write_msr, MSR_KERNEL_GS_BASE, HOLE },
	{ { "msr-pat-unknown-type", ANY, GENERAL, ALLOWED, {} }, probe_step_write_msr, MSR_PAT, 4 },
};
/* clang-format on */

static struct outcome outcome_of(bool came_back, const struct probe_fault *fault)
{
	if (came_back)
		return (struct outcome){ OUTCOME_ALLOWED, 0, 0 };
	return (struct outcome){ OUTCOME_FAULT, (uint32_t)fault->vector, (uint32_t)fault->error };
}

static void run_register(const struct register_case *at)
{
	struct probe_fault fault;
	uint64_t before;
	bool came_back;

	if (!protection_report_can_ask(&at->expected))
		return;
	before = at->now();
	came_back = probe_call(at->write, before ^ at->toggled, &fault);
	if (came_back)
		at->write(before);
	protection_report_seen(&at->expected, outcome_of(came_back, &fault));
}

static void run_msr(const struct msr_case *at)
{
	struct probe_step_msr request = { at->number, at->toggled };
	struct probe_fault fault;
	bool came_back;

	if (!protection_report_can_ask(&at->expected))
		return;
	if (at->number != MSR_UNKNOWN)
		request.value ^= rdmsr(at->number);
	came_back = probe_call(at->step, (uint64_t)&request, &fault);
	if (came_back && at->number != MSR_UNKNOWN)
		wrmsr(at->number, request.value ^ at->toggled);
	protection_report_seen(&at->expected, outcome_of(came_back, &fault));
}

static void store_descriptors(void)
{
	static const struct expectation expected = { "umip-spares-the-kernel", ANY, ALLOWED, {}, {} };
	struct probe_fault fault;
	bool came_back = probe_call(probe_step_store_descriptors, 0, &fault);

	protection_report_seen(&expected, outcome_of(came_back, &fault));
}

void protection_registers_run(void)
{
	for (uint32_t i = 0; i < COUNT_OF(register_cases); i++)
		run_register(&register_cases[i]);
	for (uint32_t i = 0; i < COUNT_OF(msr_cases); i++)
		run_msr(&msr_cases[i]);
	store_descriptors();
}
