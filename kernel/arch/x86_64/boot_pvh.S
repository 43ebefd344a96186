/*
 * The PVH door: the note that names it, and the way from its 32-bit entry to boot_enter_kernel.
 *
 * At entry (Xen's x86/HVM direct boot ABI): 32-bit flat protected mode, paging off, interrupts off, EBX = physical
 * address of the start info, no stack, the image at its physical addresses, .bss zero. All code and data here is linked
 * high; until paging is on it is reached at its low address.
 */
#include "kernel/arch/x86_64/boot_layout.h"

#define LOW(symbol) ((symbol) - KERNEL_VIRTUAL_BASE)

#define PAGE_BYTES 4096
#define PTE_TABLE 0x3   /* present, writable */
#define PTE_2MIB 0x83   /* the same, and a page of 2 MiB */
#define TABLE_ENTRIES 512
#define MAPPED_GIB 4

#define CR0_PE_ET_WP_PG 0x80010011
#define CR0_NOT_CD_NW 0x9fffffff
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100
#define CPUID_EXTENDED 0x80000000
#define CPUID_LONG_MODE_BIT 29

#define SELECTOR_CODE 0x08
#define SELECTOR_DATA 0x10

#define COM1 0x3f8
#define COM1_LINE_STATUS 0x3fd
#define LINE_STATUS_ROOM 0x20
#define DEBUG_EXIT_PORT 0xf4
#define DEBUG_EXIT_REFUSED 17 /* as machine_halt(1) */

	.section .note.pvh, "a", @note
	.balign	4
	.long	4		/* bytes of the name */
	.long	8		/* bytes of the value */
	.long	18		/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	.quad	LOW(boot_pvh_entry)

	.section .text.boot, "ax", @progbits
	.code32
	.globl	boot_pvh_entry
	.type	boot_pvh_entry, @function
boot_pvh_entry:
	cli
	cld
	movl	%ebx, LOW(boot_pvh_start_info)

	movl	$CPUID_EXTENDED, %eax
	cpuid
	cmpl	$(CPUID_EXTENDED + 1), %eax
	jb	boot_pvh_refuse
	movl	$(CPUID_EXTENDED + 1), %eax
	cpuid
	btl	$CPUID_LONG_MODE_BIT, %edx
	jnc	boot_pvh_refuse

	/* Four page directories: physical 0 to 4 GiB. High halves of all entries are 0, as .bss is. */
	movl	$LOW(boot_directories), %edi
	movl	$PTE_2MIB, %eax
	movl	$(MAPPED_GIB * TABLE_ENTRIES), %ecx
1:	movl	%eax, (%edi)
	addl	$0x200000, %eax
	addl	$8, %edi
	decl	%ecx
	jnz	1b

	/* One table names the four for both the identity map (until the jump) and the early map. */
	movl	$LOW(boot_directories) + PTE_TABLE, %eax
	movl	%eax, LOW(boot_low_table)
	movl	%eax, LOW(boot_image_table) + 510 * 8 /* KERNEL_VIRTUAL_BASE: physical 0 to 1 GiB */
	addl	$PAGE_BYTES, %eax
	movl	%eax, LOW(boot_low_table) + 8
	addl	$PAGE_BYTES, %eax
	movl	%eax, LOW(boot_low_table) + 16
	addl	$PAGE_BYTES, %eax
	movl	%eax, LOW(boot_low_table) + 24
	movl	$LOW(boot_low_table) + PTE_TABLE, LOW(boot_top_table)
	movl	$LOW(boot_low_table) + PTE_TABLE, LOW(boot_top_table) + 256 * 8 /* BOOT_PVH_MAP */
	movl	$LOW(boot_image_table) + PTE_TABLE, LOW(boot_top_table) + 511 * 8

	/* Into long mode: SDM vol. 3, 10.8.5. CD and NW are still set where no firmware ran. */
	movl	%cr4, %eax
	orl	$CR4_PAE, %eax
	movl	%eax, %cr4
	movl	$LOW(boot_top_table), %eax
	movl	%eax, %cr3
	movl	$MSR_EFER, %ecx
	rdmsr
	orl	$EFER_LME, %eax
	wrmsr
	movl	%cr0, %eax
	andl	$CR0_NOT_CD_NW, %eax
	orl	$CR0_PE_ET_WP_PG, %eax
	movl	%eax, %cr0
	lgdt	LOW(boot_gdt_low)
	ljmp	$SELECTOR_CODE, $LOW(boot_pvh_long)
	.size	boot_pvh_entry, . - boot_pvh_entry

/* No silent end: say it on the serial port, then leave as machine_halt(1) would. */
boot_pvh_refuse:
	movl	$LOW(boot_refusal), %esi
1:	lodsb
	testb	%al, %al
	jz	3f
	movb	%al, %ah
	movl	$0x10000, %ecx
	movw	$COM1_LINE_STATUS, %dx
2:	inb	%dx, %al
	testb	$LINE_STATUS_ROOM, %al
	loopz	2b
	movb	%ah, %al
	movw	$COM1, %dx
	outb	%al, %dx
	jmp	1b
3:	movb	$DEBUG_EXIT_REFUSED, %al
	outb	%al, $DEBUG_EXIT_PORT
4:	cli
	hlt
	jmp	4b

	.code64
boot_pvh_long:
	movq	$boot_pvh_high, %rax
	jmp	*%rax
boot_pvh_high:
	/* From here on nothing uses the identity map: the descriptor table is named by its high address too. */
	lgdt	boot_gdt_high(%rip)
	movl	$SELECTOR_DATA, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %ss
	movl	%eax, %fs
	movl	%eax, %gs
	jmp	boot_enter_kernel

	.section .rodata.boot, "a", @progbits
	.balign	8
boot_gdt:
	.quad	0
	.quad	0x00af9b000000ffff	/* SELECTOR_CODE: 64-bit code, ring 0, accessed */
	.quad	0x00cf93000000ffff	/* SELECTOR_DATA: writable, ring 0, accessed */
boot_gdt_end:
boot_gdt_low:
	.word	boot_gdt_end - boot_gdt - 1
	.long	LOW(boot_gdt)
boot_gdt_high:
	.word	boot_gdt_end - boot_gdt - 1
	.quad	boot_gdt
boot_refusal:
	.asciz	"capos: cannot boot: this CPU has no long mode\n"

	.section .data.boot, "aw", @progbits
	.balign	4
	.globl	boot_pvh_start_info
	.type	boot_pvh_start_info, @object
boot_pvh_start_info:
	.long	0
	.size	boot_pvh_start_info, 4

	.section .bss.boot_tables, "aw", @nobits
	.balign	PAGE_BYTES
boot_top_table:
	.skip	PAGE_BYTES
boot_low_table:
	.skip	PAGE_BYTES
boot_image_table:
	.skip	PAGE_BYTES
boot_directories:
	.skip	MAPPED_GIB * PAGE_BYTES

	.section .note.GNU-stack, "", @progbits
