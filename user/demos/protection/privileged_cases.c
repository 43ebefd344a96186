#include "user/demos/protection/privileged_cases.h"

#include "lib/check.h"
#include "user/demos/protection/privileged_code.h"

#define ANY NEEDS_NOTHING
#define HOLE UINT64_C(0x0000800000000000)
#define KERNEL_HALF UINT64_C(0xffff800000400000) /* RAM of every machine that boots */
#define EXCEPTION(vector) FAULT(vector, 0, USER_FAULT_EXCEPTION)
#define NOT_CANONICAL(vector) FAULT(vector, 0, USER_FAULT_NON_CANONICAL)
#define OWN_ACCESS PAGE_FAULT(PRESENT, USER_FAULT_PRIVILEGED) /* of the CPU's, to the program's stack */

/* clang-format off */
static const struct ring3_case cases[] = {
	/* privileged instructions */
	{ "hlt", ANY, code_hlt, 0, GENERAL(0), {} },
	{ "cli", ANY, code_cli, 0, GENERAL(0), {} },
	{ "sti", ANY, code_sti, 0, GENERAL(0), {} },
	{ "clts", ANY, code_clts, 0, GENERAL(0), {} },
	{ "invd", ANY, code_invd, 0, GENERAL(0), {} },
	{ "wbinvd", ANY, code_wbinvd, 0, GENERAL(0), {} },
	{ "lgdt", ANY, code_lgdt, 0, GENERAL(0), {} },
	{ "lidt", ANY, code_lidt, 0, GENERAL(0), {} },
	{ "lldt", ANY, code_lldt, 0, GENERAL(0), {} },
	{ "ltr", ANY, code_ltr, 0, GENERAL(0), {} },
	{ "lmsw", ANY, code_lmsw, 0, GENERAL(0), {} },
	{ "invlpg", ANY, code_invlpg, 0, GENERAL(0), {} },
	{ "swapgs", ANY, code_swapgs, 0, GENERAL(0), {} },
	{ "invpcid", NEEDS_INVPCID, code_invpcid, 0, GENERAL(0), {} },
	{ "xsetbv", NEEDS_XSAVE, code_xsetbv, 0, GENERAL(0), {} },
	{ "rdpmc", ANY, code_rdpmc, 0, GENERAL(0), {} },
	{ "sysret", ANY, code_sysret, 0, GENERAL(0), {} },
	{ "sysexit", NEEDS_INTEL, code_sysexit, 0, GENERAL(0), {} },
	{ "sysenter", NEEDS_INTEL, code_sysenter, 0, GENERAL(0), {} },
	{ "sysexit-amd", NEEDS_AMD, code_sysexit, 0, UNDEFINED, {} },
	{ "sysenter-amd", NEEDS_AMD, code_sysenter, 0, UNDEFINED, {} },

	/* control and debug registers */
	{ "from-cr0", ANY, code_from_cr0, 0, GENERAL(0), {} },
	{ "from-cr2", ANY, code_from_cr2, 0, GENERAL(0), {} },
	{ "from-cr3", ANY, code_from_cr3, 0, GENERAL(0), {} },
	{ "from-cr4", ANY, code_from_cr4, 0, GENERAL(0), {} },
	{ "from-cr8", ANY, code_from_cr8, 0, GENERAL(0), {} },
	{ "to-cr0", ANY, code_to_cr0, 0, GENERAL(0), {} },
	{ "to-cr3", ANY, code_to_cr3, 0, GENERAL(0), {} },
	{ "to-cr4", ANY, code_to_cr4, 0, GENERAL(0), {} },
	{ "to-cr8", ANY, code_to_cr8, 0, GENERAL(0), {} },
	{ "from-dr7", ANY, code_from_dr7, 0, GENERAL(0), {} },
	{ "to-dr0", ANY, code_to_dr0, 0, GENERAL(0), {} },
	{ "to-dr7", ANY, code_to_dr7, 0, GENERAL(0), {} },

	/* model-specific registers */
	{ "rdmsr-efer", ANY, code_read_efer, 0, GENERAL(0), {} },
	{ "rdmsr-fs-base", ANY, code_read_fs_base, 0, GENERAL(0), {} },
	{ "wrmsr-efer", ANY, code_write_efer, 0, GENERAL(0), {} },
	{ "wrmsr-lstar", ANY, code_write_lstar, 0, GENERAL(0), {} },

	/* UMIP */
	{ "umip-sgdt", NEEDS_UMIP, code_sgdt, 0, GENERAL(0), {} },
	{ "umip-sidt", NEEDS_UMIP, code_sidt, 0, GENERAL(0), {} },
	{ "umip-sldt", NEEDS_UMIP, code_sldt, 0, GENERAL(0), {} },
	{ "umip-str", NEEDS_UMIP, code_str, 0, GENERAL(0), {} },
	{ "umip-smsw", NEEDS_UMIP, code_smsw, 0, GENERAL(0), {} },

	/* no such instruction: SMAP's in ring 3, virtual machines, SMM, protection keys, what 64-bit mode has not */
	{ "stac", ANY, code_stac, 0, UNDEFINED, {} },
	{ "clac", ANY, code_clac, 0, UNDEFINED, {} },
	{ "vmcall", ANY, code_vmcall, 0, UNDEFINED, {} },
	{ "vmmcall", ANY, code_vmmcall, 0, UNDEFINED, {} },
	{ "vmxon", ANY, code_vmxon, 0, UNDEFINED, {} },
	{ "vmrun", ANY, code_vmrun, 0, UNDEFINED, {} },
	{ "rsm", ANY, code_rsm, 0, UNDEFINED, {} },
	{ "monitor", ANY, code_monitor, 0, UNDEFINED, {} },
	{ "mwait", ANY, code_mwait, 0, UNDEFINED, {} },
	{ "wrpkru", ANY, code_wrpkru, 0, UNDEFINED, {} },
	{ "ud2", ANY, code_undefined, 0, UNDEFINED, {} },
	{ "push-segment", ANY, code_push_segment, 0, UNDEFINED, {} },
	{ "lock-nop", ANY, code_lock_nop, 0, UNDEFINED, {} },
	{ "into", ANY, code_into, 0, UNDEFINED, {} },
	{ "too-long", ANY, code_too_long, 0, GENERAL(0), {} },

	/* ports */
	{ "port-in-byte", ANY, code_in_byte, 0, GENERAL(0), {} },
	{ "port-in-immediate", ANY, code_in_immediate, 0, GENERAL(0), {} },
	{ "port-in-long", ANY, code_in_long, 0, GENERAL(0), {} },
	{ "port-in-string", ANY, code_in_string, 0, GENERAL(0), {} },
	{ "port-out-immediate", ANY, code_out_immediate, 0, GENERAL(0), {} },
	{ "port-out-word", ANY, code_out_word, 0, GENERAL(0), {} },
	{ "port-out-long", ANY, code_out_long, 0, GENERAL(0), {} },
	{ "port-out-string", ANY, code_out_string, 0, GENERAL(0), {} },

	/* interrupts called for: the error code names the gate (SDM vol. 3, 6.13); TCG puts it one bit too high */
	{ "int-nmi", ANY, code_int_nmi, 0, GENERAL(2 << 3 | 2), GENERAL(2 << 4 | 2) },
	{ "int-overflow", ANY, code_int_overflow, 0, GENERAL(4 << 3 | 2), GENERAL(4 << 4 | 2) },
	{ "int-double-fault", ANY, code_int_double_fault, 0, GENERAL(8 << 3 | 2), GENERAL(8 << 4 | 2) },
	{ "int-page-fault", ANY, code_int_page_fault, 0, GENERAL(14 << 3 | 2), GENERAL(14 << 4 | 2) },
	{ "int-legacy", ANY, code_int_legacy, 0, GENERAL(32 << 3 | 2), GENERAL(32 << 4 | 2) },
	{ "int-timer", ANY, code_int_timer, 0, GENERAL(64 << 3 | 2), GENERAL(64 << 4 | 2) },
	{ "int-shootdown", ANY, code_int_shootdown, 0, GENERAL(65 << 3 | 2), GENERAL(65 << 4 | 2) },
	{ "int-linux", ANY, code_int_linux, 0, GENERAL(128 << 3 | 2), GENERAL(128 << 4 | 2) },
	{ "int-spurious", ANY, code_int_spurious, 0, GENERAL(255 << 3 | 2), GENERAL(255 << 4 | 2) },
	{ "int-breakpoint", ANY, code_int_breakpoint, 0, EXCEPTION(3), {} },
	{ "breakpoint", ANY, code_breakpoint, 0, EXCEPTION(3), {} },
	{ "ice-breakpoint", ANY, code_ice_breakpoint, 0, EXCEPTION(1), UNDEFINED },
	{ "divide", ANY, code_divide, 0, EXCEPTION(0), {} },

	/* segments: the error code is the selector; TCG looks at a program's stack as the kernel, which SMAP refuses */
	{ "ss-kernel", ANY, code_ss_kernel, 0, GENERAL(0x10), {} },
	{ "ss-null", ANY, code_ss_null, 0, GENERAL(0), {} },
	{ "ss-code", ANY, code_ss_code, 0, GENERAL(0x20), {} },
	{ "ds-kernel", ANY, code_ds_kernel, 0, GENERAL(0x10), {} },
	{ "ds-kernel-code", ANY, code_ds_kernel_code, 0, GENERAL(0x8), {} },
	{ "ds-task-state", ANY, code_ds_task_state, 0, GENERAL(0x28), {} },
	{ "ds-local", ANY, code_ds_local, 0, GENERAL(0x4), {} },
	{ "ds-beyond", ANY, code_ds_beyond, 0, GENERAL(0x38), {} },
	{ "fs-kernel", ANY, code_fs_kernel, 0, GENERAL(0x10), {} },
	{ "gs-kernel", ANY, code_gs_kernel, 0, GENERAL(0x10), {} },
	{ "ds-null", ANY, code_ds_null, 0, ALLOWED, {} },
	{ "far-return-kernel", NEEDS_SMAP, code_far_return_kernel, 0, GENERAL(0x8), OWN_ACCESS },
	{ "far-return-kernel-as-ring3", NEEDS_SMAP, code_far_return_kernel_as_ring3, 0, GENERAL(0x8), OWN_ACCESS },
	{ "far-jump-kernel", ANY, code_far_jump_kernel, 0, GENERAL(0x8), {} },
	{ "far-call-kernel", ANY, code_far_call_kernel, 0, GENERAL(0x8), {} },
	{ "iret-kernel", NEEDS_SMAP, code_iret_kernel, 0, GENERAL(0x8), OWN_ACCESS },
	{ "far-call-task", ANY, code_far_call_task, 0, GENERAL(0x28), {} },
	{ "iret-kernel-stack", NEEDS_SMAP, code_iret_kernel_stack, 0, GENERAL(0x10), OWN_ACCESS },
	{ "iret-nested", ANY, code_iret_nested, 0, GENERAL(0), {} },
	{ "verify-kernel", ANY, code_verify_kernel, 0, ALLOWED, {} },

	/* flags */
	{ "iret-io-privilege", NEEDS_SMAP, code_iret_io_privilege, 0, ALLOWED, OWN_ACCESS },
	{ "popf-io-privilege", ANY, code_popf_io_privilege, 0, ALLOWED, {} },
	{ "popf-interrupts", ANY, code_popf_interrupts, 0, ALLOWED, {} },
	{ "alignment-flag", ANY, code_alignment_flag, 0, ALLOWED, {} },
	{ "trace", ANY, code_trace, 0, EXCEPTION(1), {} },

	/* the way into the kernel, with whatever a program may bring along */
	{ "trace-system-call", ANY, code_trace_system_call, 0, EXCEPTION(1), {} },
	{ "trace-breakpoint", ANY, code_trace_breakpoint, 0, EXCEPTION(3), {} },
	{ "trace-undefined", ANY, code_trace_undefined, 0, UNDEFINED, {} },
	{ "system-call-odd-flags", ANY, code_system_call_odd_flags, 0, ALLOWED, {} },
	{ "system-call-hole-stack", ANY, code_system_call_hole_stack, 0, ALLOWED, {} },
	{ "system-call-kernel-gs", NEEDS_FSGSBASE, code_system_call_kernel_gs, 0, ALLOWED, {} },

	/* segment bases */
	{ "wrfsbase-kernel", NEEDS_FSGSBASE, code_wrfsbase_kernel, KERNEL_HALF,
		PAGE_FAULT(USER | PRESENT, USER_FAULT_KERNEL_ADDRESS), {} },
	{ "wrfsbase-hole", NEEDS_FSGSBASE, code_wrfsbase_hole, 0, GENERAL(0), ALLOWED },
	{ "wrgsbase-hole", NEEDS_FSGSBASE, code_wrgsbase_hole, 0, GENERAL(0), ALLOWED },

	/* alignment that an instruction insists on */
	{ "misaligned-fxsave", ANY, code_misaligned_fxsave, 0, GENERAL(0), {} },
	{ "misaligned-vector", ANY, code_misaligned_vector, 0, GENERAL(0), {} },

	/* addresses that are none */
	{ "jump-hole", ANY, code_jump_hole, HOLE, NOT_CANONICAL(13), {} },
	{ "call-hole", ANY, code_call_hole, HOLE, NOT_CANONICAL(13), {} },
	{ "jump-hole-by-memory", ANY, code_jump_hole_by_memory, HOLE, NOT_CANONICAL(13), {} },
	{ "jump-hole-by-r9", ANY, code_jump_hole_by_r9, HOLE, NOT_CANONICAL(13), {} },
	{ "return-hole", ANY, code_return_hole, HOLE, NOT_CANONICAL(13), {} },
	{ "push-hole", ANY, code_push_hole, HOLE + 64, NOT_CANONICAL(12), NOT_CANONICAL(13) },
	{ "read-hole-by-stack-segment", ANY, code_read_hole_by_stack_segment, HOLE,
		NOT_CANONICAL(12), NOT_CANONICAL(13) },
};
/* clang-format on */

const struct ring3_case *privileged_cases(uint32_t *count)
{
	*count = COUNT_OF(cases);
	return cases;
}
