/*
 * Where another CPU begins: real mode, CS = AP_TRAMPOLINE_PHYSICAL >> 4, IP = 0, interrupts off. smp.c copies this to
 * that page, which is never run where it was linked, and puts struct ap_start into the same page.
 */
#include "kernel/arch/x86_64/boot_layout.h"
#include "kernel/arch/x86_64/offsets.h"

#define AT(label) (AP_TRAMPOLINE_PHYSICAL + ((label) - trampoline))
#define START (AP_TRAMPOLINE_PHYSICAL + AP_START_OFFSET)

#define CODE_32 0x08
#define DATA_32 0x10
#define CODE_64 0x18

#define CR0_PE 0x1
#define CR0_PE_ET_WP_PG 0x80010011
#define CR0_NOT_CD_NW 0x9fffffff
#define CR4_PAE 0x20
#define EFER_LME_NXE 0x900

	.section .ap_trampoline, "a", @progbits
	.code16
trampoline:
	cli
	cld
	xorw	%ax, %ax
	movw	%ax, %ds
	lgdtl	AT(gdt_pointer)
	movl	%cr0, %eax
	orl	$CR0_PE, %eax
	movl	%eax, %cr0
	ljmpl	$CODE_32, $AT(protected)

	.code32
protected:
	movl	$DATA_32, %eax
	movl	%eax, %ds
	movl	%eax, %ss

	/* Into long mode: SDM vol. 3, 10.8.5. INIT leaves the caches off (CD, NW). NXE comes before a table that has NX. */
	movl	%cr4, %eax
	orl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	START + AP_START_ROOT, %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME_NXE, %eax
	wrmsr
	movl	%cr0, %eax
	andl	$CR0_NOT_CD_NW, %eax
	orl	$CR0_PE_ET_WP_PG, %eax
	movl	%eax, %cr0
	ljmp	$CODE_64, $AT(long_mode)

	.code64
long_mode:
	/*
	 * The gate: whoever takes the address of the struct cpu out of it goes on, on that CPU's stack. From here on the
	 * page holds nothing that differs between CPUs: it may be another's turn already.
	 */
	movl	$START, %ebx
	xorl	%edi, %edi
	movq	AP_START_GATE(%rbx), %rax
	xchgq	%rdi, (%rax)
	testq	%rdi, %rdi
	jz	1f
	movq	CPU_START_STACK(%rdi), %rsp
	movq	AP_START_ENTRY(%rbx), %rax
	xorl	%ebp, %ebp
	call	*%rax	/* does not return */
1:	cli
	hlt
	jmp	1b

	.balign	8
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff	/* CODE_32: flat, ring 0, accessed */
	.quad	0x00cf93000000ffff	/* DATA_32: flat, ring 0, accessed */
	.quad	0x00af9b000000ffff	/* CODE_64: ring 0, accessed */
gdt_end:
gdt_pointer:
	.word	gdt_end - gdt - 1
	.long	AT(gdt)

	.section .note.GNU-stack, "", @progbits
