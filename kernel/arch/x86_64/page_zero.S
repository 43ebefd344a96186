/*
 * Filling a page (page_zero.h): 4096 bytes in 16 rounds of 16 stores: about 300 instructions, and under emulation far fewer cycles than REP STOS.
 * Legacy SSE stores and loads leave the upper half of the AVX register alone.
 */

	/* In: RDI = page, XMM0 = pattern. Uses RAX. RAX runs from -4096 to 0, so its sign is the end of the loop. */
	.macro	STORE_PAGE
	addq	$4096, %rdi
	movq	$-4096, %rax
1:
	.irp	offset, 0, 16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240
	movaps	%xmm0, \offset(%rdi,%rax)
	.endr
	addq	$256, %rax
	jnz	1b
	.endm

	.section .text, "ax", @progbits
	.code64

/* void page_zero(void *page in RDI) */
	.globl	page_zero
	.type	page_zero, @function
page_zero:
	subq	$24, %rsp
	movups	%xmm0, (%rsp)
	xorps	%xmm0, %xmm0
	STORE_PAGE
	movups	(%rsp), %xmm0
	addq	$24, %rsp
	ret
	.size	page_zero, . - page_zero

/* void page_fill64(void *page in RDI, uint64_t word in RSI) */
	.globl	page_fill64
	.type	page_fill64, @function
page_fill64:
	subq	$24, %rsp
	movups	%xmm0, (%rsp)
	movq	%rsi, %xmm0
	punpcklqdq %xmm0, %xmm0
	STORE_PAGE
	movups	(%rsp), %xmm0
	addq	$24, %rsp
	ret
	.size	page_fill64, . - page_fill64

	.section .note.GNU-stack, "", @progbits
