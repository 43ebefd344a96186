/*
 * The way in for exceptions and interrupts, and the way out: 256 stubs of TRAP_STUB_BYTES, which make all vectors look
 * alike (error code, vector), then one of two paths into trap_dispatch.
 *
 * On entry interrupts are off (interrupt gates). DF and AC are as the interrupted code left them: a program may have
 * set both, so both are cleared.
 */
#include "kernel/arch/x86_64/offsets.h"

	/* In the order of struct trap_frame, from its end. */
	.macro	PUSH_REGISTERS
	pushq	%rax
	pushq	%rbx
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%rbp
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	.endm

	/* And drop vector and error code. */
	.macro	POP_REGISTERS
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rbp
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rbx
	popq	%rax
	addq	$16, %rsp
	.endm

	/* CLAC is an invalid opcode on a CPU without SMAP. */
	.macro	CLEAR_FLAGS
	cld
	cmpb	$0, smap_is_on(%rip)
	je	.Lno_smap\@
	clac
.Lno_smap\@:
	.endm

	.section .text, "ax", @progbits
	.code64

	.balign	TRAP_STUB_BYTES
	.globl	trap_stubs
	.type	trap_stubs, @function
trap_stubs:
	.set	vector, 0
	.rept	256
	.balign	TRAP_STUB_BYTES
	/* The CPU pushes an error code for 8, 10-14, 17, 21, 29 and 30 (SDM vol. 3, 6.15; 29, 30: AMD). */
	.if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
	pushq	$0
	.endif
	pushq	$vector
	.if vector == VECTOR_NMI || vector == VECTOR_DOUBLE_FAULT || vector == VECTOR_MACHINE_CHECK
	jmp	trap_own_stack
	.elseif vector == VECTOR_DEBUG
	jmp	trap_debug
	.else
	jmp	trap_common
	.endif
	.set	vector, vector + 1
	.endr
	.size	trap_stubs, . - trap_stubs

/*
 * CS of the interrupted code says whose GS base is loaded. That is right for every vector without a stack of its own:
 * they come from ring 3, from kernel code that has exchanged GS already, or from trap_return_user (below).
 */
	.type	trap_common, @function
trap_common:
	testb	$3, TRAP_STUB_CODE_SEGMENT(%rsp)
	jz	1f
	swapgs
trap_from_program:
	PUSH_REGISTERS
	xorl	%ebp, %ebp	/* a backtrace ends where the program was left */
	jmp	2f
1:	PUSH_REGISTERS
2:	CLEAR_FLAGS
	movq	%rsp, %rdi
	call	trap_dispatch
	testb	$3, TRAP_FRAME_CODE_SEGMENT(%rsp)
	jz	3f
	swapgs
	POP_REGISTERS

/*
 * In: the program's registers and GS base, RSP at the five words of IRETQ. If those words are refused (a jump to a
 * non-canonical address can leave one in RIP), the fault arrives with kernel CS and the program's GS base; its fixup
 * turns it into a general protection fault of the program.
 */
	.globl	trap_return_user
trap_return_user:
	iretq
	.pushsection __fixup_table, "a", @progbits	/* fixup.h */
	.quad	trap_return_user, trap_bad_return
	.popsection
3:	POP_REGISTERS
	iretq
	.size	trap_common, . - trap_common

	.type	trap_bad_return, @function
trap_bad_return:
	pushq	$0
	pushq	$VECTOR_GENERAL_PROTECTION
	jmp	trap_common
	.size	trap_bad_return, . - trap_bad_return

/*
 * Vectors with a stack of their own may come between SYSCALL and SWAPGS, and a program may load any value into its GS
 * base (WRGSBASE), so neither CS nor the base tells whose base is loaded. The stack does: the word above its frames is
 * the address of the CPU it belongs to (descriptors.h). The base found is put back at the end; SWAPGS has no part here.
 */
	.type	trap_own_stack, @function
trap_own_stack:
	PUSH_REGISTERS
	CLEAR_FLAGS
	xorl	%ebp, %ebp
	movl	$MSR_GS_BASE, %ecx
	rdmsr
	shlq	$32, %rdx
	orq	%rdx, %rax
	movq	%rax, %rbx
	movq	TRAP_FRAME_BYTES(%rsp), %rax
	movq	%rax, %rdx
	shrq	$32, %rdx
	wrmsr
	movq	%rsp, %rdi
	call	trap_dispatch
	movl	$MSR_GS_BASE, %ecx
	movl	%ebx, %eax
	movq	%rbx, %rdx
	shrq	$32, %rdx
	wrmsr
	POP_REGISTERS
	iretq
	.size	trap_own_stack, . - trap_own_stack

/*
 * A debug exception may come before the first instruction of the SYSCALL entry (trap.c), so it has a stack of its own. One
 * of a program's is no different from its other exceptions, and its thread may be left: vector, error code and the five words
 * of the CPU go to the thread's stack, where the CPU would have put them (cpu_set_kernel_stack: 8 above the word).
 */
	.type	trap_debug, @function
trap_debug:
	testb	$3, TRAP_STUB_CODE_SEGMENT(%rsp)
	jz	trap_own_stack
	swapgs
	pushq	%rax
	pushq	%rcx
	movq	%gs:CPU_SYSCALL_KERNEL_STACK, %rax
	subq	$64, %rax
	.set	word, 0
	.rept	9	/* the two saved registers too */
	movq	word * 8(%rsp), %rcx
	movq	%rcx, word * 8(%rax)
	.set	word, word + 1
	.endr
	movq	%rax, %rsp
	popq	%rcx
	popq	%rax
	jmp	trap_from_program
	.size	trap_debug, . - trap_debug

	.section .note.GNU-stack, "", @progbits
