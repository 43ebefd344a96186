/*
 * Fill registers with numbers that come from one pattern, and see whether they are still there: over and over, while
 * other threads do the same with other patterns.
 *
 * uint64_t register_hold(uint64_t pattern, uint64_t rounds, uint64_t enters)
 *   Returns 0, or the number of the round (from the end, at least 1) in which something was lost. With `enters` 1 each
 *   round has a system call; with more it is an address, and each round writes to a page, from there upwards.
 * uint64_t register_has_avx(void)
 */
	.section .text.register_has_avx, "ax", @progbits
	.global register_has_avx
	.type register_has_avx, @function
register_has_avx:
	pushq %rbx
	movl $1, %eax
	xorl %ecx, %ecx
	cpuid
	movl %ecx, %eax
	shrl $27, %eax /* OSXSAVE and AVX side by side (SDM vol. 2, CPUID) */
	andl $3, %eax
	cmpl $3, %eax
	sete %al
	movzbl %al, %eax
	popq %rbx
	ret
	.size register_has_avx, . - register_has_avx

	.macro fill number
	leaq \number(%rbx), %rax
	movq %rax, %xmm\number
	punpcklqdq %xmm\number, %xmm\number
	.endm

	.macro fill_high number
	vinsertf128 $1, %xmm\number, %ymm\number, %ymm\number
	.endm

	.macro compare number
	leaq \number(%rbx), %rax
	movq %xmm\number, %rcx
	cmpq %rax, %rcx
	jne 8f
	movhlps %xmm\number, %xmm15
	movq %xmm15, %rcx
	cmpq %rax, %rcx
	jne 8f
	.endm

	.macro compare_high number
	leaq \number(%rbx), %rax
	vextractf128 $1, %ymm\number, %xmm15
	vmovq %xmm15, %rcx
	cmpq %rax, %rcx
	jne 8f
	.endm

	.macro each what
	.irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14
	\what \number
	.endr
	.endm

	.section .text.register_hold, "ax", @progbits
	.global register_hold
	.type register_hold, @function
register_hold:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	subq $40, %rsp
	movq %rdi, %rbx /* pattern */
	movq %rsi, %r12 /* rounds */
	movq %rdx, 16(%rsp)
	leaq 100(%rdi), %r14
	leaq 200(%rdi), %r15
	call register_has_avx
	movq %rax, %r13
	stmxcsr (%rsp)
	movl (%rsp), %eax
	andl $~0x6000, %eax
	movl %ebx, %ecx
	andl $3, %ecx
	shll $13, %ecx /* rounding control (SDM vol. 1, MXCSR) */
	orl %ecx, %eax
	movl %eax, 4(%rsp)
	ldmxcsr 4(%rsp)
	movl %ebx, 24(%rsp)
	fildl 24(%rsp)
	each fill
	testq %r13, %r13
	jz 1f
	each fill_high
1:	testq %r12, %r12
	jz 9f
	cmpq $1, 16(%rsp)
	jb 2f
	ja 4f
	xorl %eax, %eax
	xorl %edi, %edi
	xorl %esi, %esi
	syscall /* cap_enter(0, 0) */
	jmp 3f
4:	movq 16(%rsp), %rax
	movb $1, (%rax)
	addq $4096, 16(%rsp)
	jmp 3f
2:	movl $2000, %ecx
4:	decl %ecx
	jnz 4b
3:	each compare
	testq %r13, %r13
	jz 5f
	each compare_high
5:	leaq 100(%rbx), %rax
	cmpq %rax, %r14
	jne 8f
	leaq 200(%rbx), %rax
	cmpq %rax, %r15
	jne 8f
	stmxcsr 8(%rsp)
	movl 8(%rsp), %eax
	xorl 4(%rsp), %eax
	testl $0x6000, %eax
	jne 8f
	fistl 28(%rsp)
	movl 28(%rsp), %eax
	cmpl 24(%rsp), %eax
	jne 8f
	decq %r12
	jmp 1b
8:	movq %r12, %rbx
	jmp 7f
9:	xorl %ebx, %ebx
7:	fistpl 28(%rsp)
	ldmxcsr (%rsp)
	testq %r13, %r13
	jz 6f
	vzeroupper
6:	movq %rbx, %rax
	addq $40, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret
	.size register_hold, . - register_hold

	.section .note.GNU-stack, "", @progbits
