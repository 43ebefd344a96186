/*
 * Entry of each program. The kernel gives RSP, 16-byte aligned, at argc, and zero in all other registers
 * (abi/startup.h). A zero frame pointer ends the chain of frames; the call leaves RSP + 8 aligned as the ABI asks.
 */
	.section .text.program_entry, "ax", @progbits
	.global _start
	.type _start, @function
_start:
	xorl %ebp, %ebp
	movq %rsp, %rdi
	call program_start
	ud2
	.size _start, . - _start

	.section .note.GNU-stack, "", @progbits
