/*
 * Single instructions that C has no words for (privileged_code.S). Each gives true if it gets by, and if then what it
 * was to leave alone is as before.
 */
#ifndef CAPOS_USER_DEMOS_PROTECTION_PRIVILEGED_CODE_H
#define CAPOS_USER_DEMOS_PROTECTION_PRIVILEGED_CODE_H

#include <stdbool.h>
#include <stdint.h>

/* EAX, EBX, ECX or EDX (0 to 3) of a CPUID leaf. */
uint32_t code_cpuid_word(uint32_t leaf, uint32_t number);

/* Accesses that compilers know better than to make: to null, across pages, to no address at all. */
bool code_read_byte(uint64_t address);
bool code_read_8_bytes(uint64_t address);
bool code_write_byte(uint64_t address); /* the machine code of RET */
bool code_write_4_bytes(uint64_t address);
bool code_call(uint64_t address);

bool code_hlt(void);
bool code_cli(void);
bool code_sti(void);
bool code_clts(void);
bool code_invd(void);
bool code_wbinvd(void);
bool code_lgdt(void);
bool code_lidt(void);
bool code_lldt(void);
bool code_ltr(void);
bool code_lmsw(void);
bool code_invlpg(void);
bool code_swapgs(void);
bool code_from_cr0(void);
bool code_from_cr2(void);
bool code_from_cr3(void);
bool code_from_cr4(void);
bool code_from_cr8(void);
bool code_to_cr0(void);
bool code_to_cr3(void);
bool code_to_cr4(void);
bool code_to_cr8(void);
bool code_from_dr7(void);
bool code_to_dr0(void);
bool code_to_dr7(void);
bool code_read_efer(void);
bool code_read_fs_base(void);
bool code_write_efer(void);
bool code_write_lstar(void);
bool code_rdpmc(void);
bool code_invpcid(void);
bool code_xsetbv(void);
bool code_sgdt(void);
bool code_sidt(void);
bool code_sldt(void);
bool code_str(void);
bool code_smsw(void);
bool code_stac(void);
bool code_clac(void);
bool code_vmcall(void);
bool code_vmmcall(void);
bool code_vmxon(void);
bool code_vmrun(void);
bool code_rsm(void);
bool code_monitor(void);
bool code_mwait(void);
bool code_sysret(void);
bool code_sysexit(void);
bool code_sysenter(void);
bool code_undefined(void);
bool code_push_segment(void);
bool code_lock_nop(void);
bool code_wrpkru(void);
bool code_too_long(void);
bool code_in_byte(void);
bool code_in_immediate(void);
bool code_in_long(void);
bool code_in_string(void);
bool code_out_immediate(void);
bool code_out_word(void);
bool code_out_long(void);
bool code_out_string(void);
bool code_int_nmi(void);
bool code_int_breakpoint(void);
bool code_int_overflow(void);
bool code_int_double_fault(void);
bool code_int_page_fault(void);
bool code_int_legacy(void);
bool code_int_timer(void);
bool code_int_shootdown(void);
bool code_int_linux(void);
bool code_int_spurious(void);
bool code_breakpoint(void);
bool code_ice_breakpoint(void);
bool code_into(void);
bool code_divide(void);
bool code_ss_kernel(void);
bool code_ss_null(void);
bool code_ss_code(void);
bool code_ds_kernel(void);
bool code_ds_kernel_code(void);
bool code_ds_task_state(void);
bool code_ds_local(void);
bool code_ds_beyond(void);
bool code_fs_kernel(void);
bool code_gs_kernel(void);
bool code_ds_null(void);
bool code_far_return_kernel(void);
bool code_far_return_kernel_as_ring3(void);
bool code_far_jump_kernel(void);
bool code_far_call_kernel(void);
bool code_far_call_task(void);
bool code_iret_kernel(void);
bool code_iret_kernel_stack(void);
bool code_iret_nested(void);
bool code_iret_io_privilege(void);
bool code_popf_io_privilege(void);
bool code_popf_interrupts(void);
bool code_alignment_flag(void);
bool code_trace(void);
bool code_trace_system_call(void);
bool code_trace_breakpoint(void);
bool code_trace_undefined(void);
bool code_system_call_odd_flags(void);
bool code_system_call_hole_stack(void);
bool code_system_call_kernel_gs(void);
bool code_wrfsbase_kernel(void);
bool code_wrfsbase_hole(void);
bool code_wrgsbase_hole(void);
bool code_verify_kernel(void);
bool code_misaligned_fxsave(void);
bool code_misaligned_vector(void);
bool code_jump_hole(void);
bool code_jump_hole_by_r9(void);
bool code_jump_hole_by_memory(void);
bool code_call_hole(void);
bool code_return_hole(void);
bool code_push_hole(void);
bool code_read_hole_by_stack_segment(void);

#endif
