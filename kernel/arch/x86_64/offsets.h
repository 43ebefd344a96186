/*
 * Numbers that the assembler and C share. Each offset is asserted against its struct in cpu_local.c, trap.c and
 * smp.c. Preprocessor text only: the .S files include this.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_OFFSETS_H
#define CAPOS_KERNEL_ARCH_X86_64_OFFSETS_H

/* struct cpu, through GS */
#define CPU_SELF 0
#define CPU_SYSCALL_KERNEL_STACK 8
#define CPU_SYSCALL_USER_STACK 16
#define CPU_START_STACK 24

/*
 * Selectors. SYSCALL loads CS and SS from two neighbours (kernel code, kernel data) and SYSRET from STAR[63:48] + 16
 * and + 8 (SDM vol. 2, SYSRET), which fixes the order: kernel code, kernel data, user data, user code.
 */
#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_USER_DATA 0x1b
#define SELECTOR_USER_CODE 0x23
#define SELECTOR_TASK_STATE 0x28

/* struct trap_frame */
#define TRAP_FRAME_BYTES 176
#define TRAP_FRAME_REGISTER_BYTES 120 /* r15 ... rax */
#define TRAP_FRAME_CODE_SEGMENT 144

/* From the stub on, before the general registers are pushed: vector, error, rip, cs. */
#define TRAP_STUB_RIP 16
#define TRAP_STUB_CODE_SEGMENT 24
#define TRAP_STUB_BYTES 16 /* length of each of the 256 stubs */

/* Vectors with a stack of their own: they may arrive at any instruction, also with a user stack or GS base loaded. */
#define VECTOR_DEBUG 1 /* only from ring 0 */
#define VECTOR_NMI 2
#define VECTOR_DOUBLE_FAULT 8
#define VECTOR_GENERAL_PROTECTION 13
#define VECTOR_MACHINE_CHECK 18

/* The system call numbers and the one refusal that syscall_entry.S knows; asserted against abi/ in user_mode.c. */
#define SYSCALL_EXIT_NUMBER 1
#define STATUS_UNSUPPORTED_NUMBER 7

#define USER_MODE_FLAGS 0x202 /* RFLAGS of a new program: interrupts on, and bit 1, which is always set */

#define MSR_EFER 0xc0000080
#define MSR_GS_BASE 0xc0000101

/* struct ap_start, the parameters in the trampoline page */
#define AP_START_OFFSET 0xf00 /* in the page */
#define AP_START_ROOT 0
#define AP_START_ENTRY 8
#define AP_START_CPU 16
#define AP_START_GATE 24
#define AP_START_BYTES 32

#endif
