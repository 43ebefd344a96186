/*
 * What protection is tried with: one instruction or a few, for probe_call, which says what came of it. Those that get
 * by without a fault have changed no more than they say.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_PROBE_STEP_H
#define CAPOS_KERNEL_ARCH_X86_64_PROBE_STEP_H

#include <stdint.h>

/* 8 bytes at the address; a written 0xc3 stays a RET. */
void probe_step_read(uint64_t address);
void probe_step_write(uint64_t address);
void probe_step_execute(uint64_t address); /* calls it; a RET is there, or a fault */

/* The same, in the window that STAC opens; behind a CLAC; and with AC set by POPF. SMAP only. */
void probe_step_read_open(uint64_t address);
void probe_step_write_open(uint64_t address);
void probe_step_read_shut(uint64_t address);
void probe_step_read_by_flag(uint64_t address);

/* Read through the stack segment. */
void probe_step_read_stack(uint64_t address);

/* Push with the address as stack pointer: does not come back. */
void probe_step_push(uint64_t address);

/* The rest ignore what they do not name. */
void probe_step_call_nmi_gate(uint64_t argument);
void probe_step_call_machine_check_gate(uint64_t argument);
void probe_step_breakpoint(uint64_t argument);
void probe_step_undefined(uint64_t argument);
void probe_step_divide_by_zero(uint64_t argument);
void probe_step_trace(uint64_t argument);             /* one instruction with TF */
void probe_step_store_descriptors(uint64_t argument); /* SGDT, SIDT, SLDT, STR, SMSW */

void probe_step_cr0(uint64_t value);
void probe_step_cr3(uint64_t value);
void probe_step_cr4(uint64_t value);
void probe_step_cr8(uint64_t value);
void probe_step_dr7(uint64_t value);
void probe_step_xcr0(uint64_t value);
void probe_step_fs_base(uint64_t base); /* WRFSBASE */

struct probe_step_msr {
	uint32_t number;
	uint64_t value;
};

/* The argument is the address of a struct probe_step_msr. */
void probe_step_read_msr(uint64_t msr);
void probe_step_write_msr(uint64_t msr);

uint64_t probe_step_dr7_now(void);

#endif
