/*
 * SYSCALL and the way back, and the first way into ring 3. Counted in instructions: a call that does nothing is the
 * ruler of the ring (abi/syscall_abi.h has the register contract).
 */
#include "kernel/arch/x86_64/offsets.h"

	.section .text, "ax", @progbits
	.code64

/*
 * In: RCX = return address, R11 = flags, RSP the program's, GS base the program's; interrupts off and DF, AC, TF clear
 * by SFMASK. The kernel stack that cpu_set_kernel_stack gives is 8 below a multiple of 16, so that the three words
 * pushed leave it aligned for a call.
 *
 * RBX, RBP and R12 to R15 survive because C functions keep them. The other registers are zeroed: they hold what the
 * kernel last computed with.
 *
 * SYSRETQ with a non-canonical RCX would fault in ring 0 on the program's stack. RCX is the address after a SYSCALL
 * instruction; the last page below the canonical hole is never mapped (USER_LIMIT), so it is canonical.
 */
	.balign	64
	.globl	syscall_entry
	.type	syscall_entry, @function
syscall_entry:
	swapgs
	movq	%rsp, %gs:CPU_SYSCALL_USER_STACK
	movq	%gs:CPU_SYSCALL_KERNEL_STACK, %rsp
	pushq	%gs:CPU_SYSCALL_USER_STACK
	pushq	%rcx
	pushq	%r11
	testq	%rax, %rax
	jnz	2f
	call	syscall_cap_enter
1:	popq	%r11
	popq	%rcx
	xorl	%edi, %edi
	xorl	%esi, %esi
	xorl	%edx, %edx
	xorl	%r8d, %r8d
	xorl	%r9d, %r9d
	xorl	%r10d, %r10d
	popq	%rsp
	swapgs
	sysretq
2:	cmpq	$SYSCALL_EXIT_NUMBER, %rax
	jne	3f
	call	syscall_exit
	ud2
3:	movq	$-STATUS_UNSUPPORTED_NUMBER, %rax
	jmp	1b
	.size	syscall_entry, . - syscall_entry

/*
 * void user_mode_enter(rip in RDI, rsp in RSI, the program's RDI in RDX, its RSI in RCX). By IRETQ, since SYSRETQ would
 * leave RCX and R11 not zero.
 */
	.globl	user_mode_enter
	.type	user_mode_enter, @function
user_mode_enter:
	pushq	$SELECTOR_USER_DATA
	pushq	%rsi
	pushq	$USER_MODE_FLAGS
	pushq	$SELECTOR_USER_CODE
	pushq	%rdi
	movq	%rdx, %rdi
	movq	%rcx, %rsi
	xorl	%eax, %eax
	xorl	%ebx, %ebx
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	xorl	%ebp, %ebp
	xorl	%r8d, %r8d
	xorl	%r9d, %r9d
	xorl	%r10d, %r10d
	xorl	%r11d, %r11d
	xorl	%r12d, %r12d
	xorl	%r13d, %r13d
	xorl	%r14d, %r14d
	xorl	%r15d, %r15d
	swapgs
	jmp	trap_return_user
	.size	user_mode_enter, . - user_mode_enter

	.section .note.GNU-stack, "", @progbits
