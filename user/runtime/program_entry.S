/*
 * Entry of each program. The kernel gives RSP, 16-byte aligned, at argc, and zero in all other registers but RSI
 * (abi/startup.h).
 */
	.section .text.program_entry, "ax", @progbits
	.global _start
	.type _start, @function
_start:
	jmp program_enter
	.size _start, . - _start

	.section .note.GNU-stack, "", @progbits
