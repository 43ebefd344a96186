/*
 * bool probe_enter(function in RDI, its argument in RSI, where to keep the stack pointer in RDX): true if the function
 * comes back. probe.c sends an exception to probe_leave, with the stack pointer kept and any registers.
 */
	.section .text, "ax", @progbits
	.code64

	.globl	probe_enter
	.type	probe_enter, @function
probe_enter:
	pushq	%rbp
	movq	%rsp, %rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	subq	$8, %rsp	/* aligned for a call */
	movq	%rsp, (%rdx)
	movq	%rdi, %rax
	movq	%rsi, %rdi
	call	*%rax
	movl	$1, %eax
	jmp	1f
	.globl	probe_leave
probe_leave:
	xorl	%eax, %eax
1:	addq	$8, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret
	.size	probe_enter, . - probe_enter

	.section .note.GNU-stack, "", @progbits
