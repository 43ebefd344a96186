/*
 * Where both doors meet: the entry of a 64-bit loader (the ELF entry), and the step onto the kernel's own stack.
 */
#include "kernel/arch/x86_64/boot_layout.h"

/* kernel.ld compares these with its own. */
	.globl	boot_layout_virtual_base, boot_layout_load_address
	.set	boot_layout_virtual_base, KERNEL_VIRTUAL_BASE
	.set	boot_layout_load_address, KERNEL_LOAD_ADDRESS

	.section .bss.boot_stack, "aw", @nobits
	.balign	4096
	.globl	boot_stack_guard, boot_stack, boot_stack_top
	.type	boot_stack_guard, @object
boot_stack_guard:	/* cpu_boot_guard gives it to whoever unmaps it */
	.skip	4096
	.size	boot_stack_guard, . - boot_stack_guard
	.type	boot_stack, @object
boot_stack:
	.skip	BOOT_STACK_BYTES
	.size	boot_stack, . - boot_stack
boot_stack_top:

	.section .text.boot, "ax", @progbits
	.code64

/*
 * Limine: long mode, image mapped at its virtual address, interrupts off, a stack in memory that will be reclaimed.
 * Its answers lie in boot_limine_requests; boot_pvh_start_info is 0, which says that this door was taken.
 */
	.globl	boot_limine_entry
	.type	boot_limine_entry, @function
boot_limine_entry:
	cli
	cld

/* In: long mode, the image mapped. A frame pointer of 0 and a return address into here end every backtrace. */
	.globl	boot_enter_kernel
	.type	boot_enter_kernel, @function
boot_enter_kernel:
	movq	$boot_stack_top, %rsp
	xorl	%ebp, %ebp
#ifdef __SSP_STRONG__	/* a compiler's word: functions of this build look at the guard */
	call	stack_guard_init
#endif
	call	kernel_main
	ud2
	.size	boot_enter_kernel, . - boot_enter_kernel
	.size	boot_limine_entry, . - boot_limine_entry

	.section .note.GNU-stack, "", @progbits
