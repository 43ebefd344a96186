/*
 * Entry state that the kernel is promised: CS 28h, data segments 30h, every general register 0 but RSP, RFLAGS 2,
 * a stack whose return address is 0. Offsets are those of struct handover.
 */
#define CODE_SELECTOR 0x28
#define DATA_SELECTOR 0x30

	.section .rodata
	.global handover_code, handover_code_end
handover_code:
	movq 0(%rdi), %rax
	movq %rax, %cr3
	lgdt 48(%rdi)
	lidt 64(%rdi)
	movq 8(%rdi), %rsp
	pushq $CODE_SELECTOR
	leaq 1f(%rip), %rax
	pushq %rax
	lretq
1:	movl $DATA_SELECTOR, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl %eax, %fs
	movl %eax, %gs

	/* The stack as the kernel finds it: below its top the 0 return address, then what RET takes to get there. */
	movq 8(%rdi), %rsp
	pushq $0
	pushq 16(%rdi)

	movq 32(%rdi), %rcx
	movq 40(%rdi), %rax
	movq 24(%rdi), %rdi
	rep stosq

	pushq $2
	popfq
	movl $0, %eax
	movl $0, %ebx
	movl $0, %ecx
	movl $0, %edx
	movl $0, %esi
	movl $0, %edi
	movl $0, %ebp
	movl $0, %r8d
	movl $0, %r9d
	movl $0, %r10d
	movl $0, %r11d
	movl $0, %r12d
	movl $0, %r13d
	movl $0, %r14d
	movl $0, %r15d
	ret
handover_code_end:

	.section .note.GNU-stack, "", @progbits
