/*
 * From the entry of a program to C: RSP at argc as the kernel gave it. First the program is put right for where it lies;
 * then program_start(stack, relocation that is not done). A zero frame pointer ends the chain of frames; the calls leave
 * RSP + 8 aligned as the ABI asks.
 */
	.section .text.program_enter, "ax", @progbits
	.global program_enter
	.hidden program_enter
	.type program_enter, @function
program_enter:
	xorl %ebp, %ebp
	movq %rsp, %rbx
	movq %fs:0, %rdi /* the thread control block: its first word is its own address */
	call self_relocate
	movq %rbx, %rdi
	movq %rax, %rsi
	call program_start
	ud2
	.size program_enter, . - program_enter

	.section .note.GNU-stack, "", @progbits
