/*
 * First instructions of the loader. Both doors enter 32-bit code with paging off and a flat address space; what they
 * leave is one pointer in EBX. From here: the first 4 GiB mapped one to one with 2 MiB pages, long mode, shim_main().
 */
#define MULTIBOOT2_HEADER_MAGIC 0xe85250d6
#define MULTIBOOT2_ARCHITECTURE_I386 0

#define DOOR_MULTIBOOT2 0 /* as enum shim_door in shim.c */
#define DOOR_PVH 1

#define CR0_PE_ET_WP_PG 0x80010011
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME_NXE 0x900
#define CPUID_NX_AND_LONG_MODE ((1 << 29) | (1 << 20))

#define PAGE_PRESENT_WRITABLE 0x3
#define PAGE_PRESENT_WRITABLE_2MIB 0x83

#define COM1 0x3f8
#define COM1_LINE_STATUS (COM1 + 5)
#define LINE_STATUS_EMPTY 0x20
#define EXIT_PORT 0xf4
#define EXIT_REFUSED 14

	.section .multiboot2, "a"
	.balign 8
multiboot2_header:
	.long MULTIBOOT2_HEADER_MAGIC
	.long MULTIBOOT2_ARCHITECTURE_I386
	.long multiboot2_header_end - multiboot2_header
	.long -(MULTIBOOT2_HEADER_MAGIC + MULTIBOOT2_ARCHITECTURE_I386 + (multiboot2_header_end - multiboot2_header))
	/* Information that must be there: modules (3), memory map (6). */
	.short 1, 0
	.long 16, 3, 6
	/* Modules on page boundaries. */
	.short 6, 0
	.long 8
	.short 0, 0
	.long 8
multiboot2_header_end:

	/* PVH: note type 18 (XEN_ELFNOTE_PHYS32_ENTRY). */
	.section .note.xen, "a", @note
	.balign 4
	.long 4, 8, 18
	.asciz "Xen"
	.quad shim_start_pvh

	.text
	.code32
	.global shim_start_multiboot2
shim_start_multiboot2:
	movl $DOOR_MULTIBOOT2, %esi
	jmp start

	.global shim_start_pvh
shim_start_pvh:
	movl $DOOR_PVH, %esi

start:
	cli
	cld
	movl $shim_stack_top, %esp
	movl %eax, %ebp /* magic; CPUID takes EAX to EDX */
	movl %ebx, %edi /* information */

	movl $0x80000000, %eax
	cpuid
	cmpl $0x80000001, %eax
	jb no_long_mode
	movl $0x80000001, %eax
	cpuid
	andl $CPUID_NX_AND_LONG_MODE, %edx
	cmpl $CPUID_NX_AND_LONG_MODE, %edx
	jne no_long_mode

	/* Four page directories side by side make one table of 2048 entries of 2 MiB. */
	xorl %ecx, %ecx
1:	movl %ecx, %eax
	shll $21, %eax
	orl $PAGE_PRESENT_WRITABLE_2MIB, %eax
	movl %eax, identity_directories(, %ecx, 8)
	incl %ecx
	cmpl $2048, %ecx
	jne 1b
	xorl %ecx, %ecx
	movl $identity_directories + PAGE_PRESENT_WRITABLE, %eax
2:	movl %eax, identity_pointers(, %ecx, 8)
	addl $4096, %eax
	incl %ecx
	cmpl $4, %ecx
	jne 2b
	movl $identity_pointers + PAGE_PRESENT_WRITABLE, shim_root

	movl $CR4_PAE, %eax
	movl %eax, %cr4
	movl $shim_root, %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	movl $EFER_LME_NXE, %eax
	xorl %edx, %edx
	wrmsr
	movl $CR0_PE_ET_WP_PG, %eax
	movl %eax, %cr0
	lgdt shim_gdt_pointer
	ljmp $0x08, $long_mode

no_long_mode:
	movl $no_long_mode_text, %ebx
3:	movw $COM1_LINE_STATUS, %dx
	inb %dx, %al
	testb $LINE_STATUS_EMPTY, %al
	jz 3b
	movb (%ebx), %al
	testb %al, %al
	jz 4f
	movw $COM1, %dx
	outb %al, %dx
	incl %ebx
	jmp 3b
4:	movb $EXIT_REFUSED, %al
	outb %al, $EXIT_PORT
5:	hlt
	jmp 5b

	.code64
long_mode:
	movl $0x10, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	movl $shim_stack_top, %esp
	movl %edi, %edx
	movl %esi, %edi
	movl %ebp, %esi
	xorl %ebp, %ebp
	call shim_main
	ud2

	/* Every vector of the loader's IDT; whatever went wrong, it ends in one line. CR2 is of use for most of them. */
	.global shim_exception
shim_exception:
	cld
	movq %cr2, %rdi
	movl $shim_stack_top, %esp
	call report_exception
	ud2

	.section .rodata
no_long_mode_text:
	.asciz "shim: this CPU lacks long mode or no-execute pages\r\n"
	.balign 8
shim_gdt:
	.quad 0
	.quad 0x00af9a000000ffff /* 08h: code, 64 bit */
	.quad 0x00cf92000000ffff /* 10h: data */
shim_gdt_pointer:
	.short shim_gdt_pointer - shim_gdt - 1
	.quad shim_gdt

	.bss
	.balign 4096
	.global shim_root
shim_root:
	.skip 4096
identity_pointers:
	.skip 4096
identity_directories:
	.skip 4 * 4096
	.skip 16384
shim_stack_top:

	.section .note.GNU-stack, "", @progbits
