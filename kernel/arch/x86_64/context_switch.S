/* The step from one kernel stack to another. The frame is struct context_frame of context.c. */

	.section .text, "ax", @progbits
	.code64

/* void context_switch(uint64_t *save_stack in RDI, uint64_t load_stack in RSI): keeps what C functions must keep. */
	.globl	context_switch
	.type	context_switch, @function
context_switch:
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret
	.size	context_switch, . - context_switch

/* Where a context of context_prepare begins: R12 = entry, R13 = argument, RBP = 0, the stack empty. */
	.globl	context_begin
	.type	context_begin, @function
context_begin:
	movq	%r13, %rdi
	call	*%r12
	ud2
	.size	context_begin, . - context_begin

	.section .note.GNU-stack, "", @progbits
