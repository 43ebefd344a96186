/*
 * Entry of each thread but the first. The kernel gives RSP, 16-byte aligned, the argument in RDI, the ring in RSI, and
 * zero in all other registers (abi/thread_control_abi.h). A zero frame pointer ends the chain of frames; the call leaves
 * RSP + 8 aligned as the ABI asks.
 */
	.section .text.user_thread_entry, "ax", @progbits
	.global user_thread_entry
	.type user_thread_entry, @function
user_thread_entry:
	xorl %ebp, %ebp
	call user_thread_begin
	ud2
	.size user_thread_entry, . - user_thread_entry

	.section .note.GNU-stack, "", @progbits
