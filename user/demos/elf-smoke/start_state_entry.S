/*
 * Takes the place of the runtime's entry: writes down all registers, then goes on as that one does (program_enter). Nothing but the
 * kernel has run before it.
 */
#include "user/demos/elf-smoke/start_state.h"

#define CPUID_FEATURES 1
#define OSXSAVE_AND_AVX 0x18000000 /* ECX bits 27 and 28 */
#define XSAVE_AVX 4

	.section .text.program_entry, "ax", @progbits
	.global _start
	.type _start, @function
_start:
	movq %rsp, start_state + START_STATE_STACK(%rip)
	movq %rax, start_state + START_STATE_GENERAL(%rip)
	movq %rbx, start_state + START_STATE_GENERAL + 8(%rip)
	movq %rcx, start_state + START_STATE_GENERAL + 16(%rip)
	movq %rdx, start_state + START_STATE_GENERAL + 24(%rip)
	movq %rsi, start_state + START_STATE_GENERAL + 32(%rip)
	movq %rdi, start_state + START_STATE_GENERAL + 40(%rip)
	movq %rbp, start_state + START_STATE_GENERAL + 48(%rip)
	movq %r8, start_state + START_STATE_GENERAL + 56(%rip)
	movq %r9, start_state + START_STATE_GENERAL + 64(%rip)
	movq %r10, start_state + START_STATE_GENERAL + 72(%rip)
	movq %r11, start_state + START_STATE_GENERAL + 80(%rip)
	movq %r12, start_state + START_STATE_GENERAL + 88(%rip)
	movq %r13, start_state + START_STATE_GENERAL + 96(%rip)
	movq %r14, start_state + START_STATE_GENERAL + 104(%rip)
	movq %r15, start_state + START_STATE_GENERAL + 112(%rip)
	pushfq
	popq start_state + START_STATE_FLAGS(%rip)
	movq %fs:0, %rax
	movq %rax, start_state + START_STATE_THREAD_POINTER(%rip)
	fxsave64 start_state + START_STATE_FXSAVE(%rip)
	movl $CPUID_FEATURES, %eax
	cpuid
	andl $OSXSAVE_AND_AVX, %ecx
	cmpl $OSXSAVE_AND_AVX, %ecx
	jne 1f
	movl $XSAVE_AVX, %eax
	xorl %edx, %edx
	xsave64 start_state + START_STATE_XSAVE(%rip)
1:	pcmpeqd %xmm15, %xmm15 /* for the next program to find, if the kernel let it */
	jmp program_enter
	.size _start, . - _start

	.section .note.GNU-stack, "", @progbits
