/*
 * The instructions of privileged_code.h. Each function that gets by gives 1, or what it says there.
 */
#define HOLE 0x0000800000000000
#define KERNEL_HALF 0xffff800000400000 /* RAM of every machine that boots */
#define KERNEL_CODE 0x08
#define KERNEL_DATA 0x10
#define USER_DATA 0x1b
#define USER_CODE 0x23
#define TASK_STATE 0x28

#define FLAG_TRACE 0x100
#define FLAG_INTERRUPT 0x200
#define FLAG_DIRECTION 0x400
#define FLAG_IO_PRIVILEGE 0x3000
#define FLAG_NESTED_TASK 0x4000
#define FLAG_ALIGNMENT 0x40000

#define MSR_EFER 0xc0000080
#define MSR_LSTAR 0xc0000082
#define MSR_FS_BASE 0xc0000100

	.macro code name
	.globl code_\name
	.type code_\name, @function
code_\name:
	.endm

	.macro done name
	movl $1, %eax
	ret
	.size code_\name, . - code_\name
	.endm

	.macro one name, instruction:vararg
	code \name
	\instruction
	done \name
	.endm

	.macro read_msr number
	movl $\number, %ecx
	rdmsr
	.endm

	.macro write_msr number
	movl $\number, %ecx
	xorl %eax, %eax
	xorl %edx, %edx
	wrmsr
	.endm

	.macro load_selector selector, register
	movl $\selector, %eax
	movl %eax, %\register
	.endm

	.macro set_flags flags
	pushfq
	orq $\flags, (%rsp)
	popfq
	.endm

	.section .text.privileged_code, "ax", @progbits
	.code64

	one read_byte, movb (%rdi), %al
	one read_8_bytes, movq (%rdi), %rax
	one write_byte, movb $0xc3, (%rdi) /* RET, as whatever is executed is to be */
	one write_4_bytes, movl $0, (%rdi)
	one call, call *%rdi

	one hlt, hlt
	one cli, cli
	one sti, sti
	one clts, clts
	one invd, invd
	one wbinvd, wbinvd
	one lgdt, lgdt -16(%rsp)
	one lidt, lidt -16(%rsp)
	one lldt, lldt -16(%rsp)
	one ltr, ltr -16(%rsp)
	one lmsw, lmsw -16(%rsp)
	one invlpg, invlpg (%rsp)
	one swapgs, swapgs
	one from_cr0, movq %cr0, %rax
	one from_cr2, movq %cr2, %rax
	one from_cr3, movq %cr3, %rax
	one from_cr4, movq %cr4, %rax
	one from_cr8, movq %cr8, %rax
	one to_cr0, movq %rax, %cr0
	one to_cr3, movq %rax, %cr3
	one to_cr4, movq %rax, %cr4
	one to_cr8, movq %rax, %cr8
	one from_dr7, movq %dr7, %rax
	one to_dr0, movq %rax, %dr0
	one to_dr7, movq %rax, %dr7
	one read_efer, read_msr MSR_EFER
	one read_fs_base, read_msr MSR_FS_BASE
	one write_efer, write_msr MSR_EFER
	one write_lstar, write_msr MSR_LSTAR
	one rdpmc, rdpmc

	code invpcid
	xorl %eax, %eax
	invpcid -16(%rsp), %rax
	done invpcid

	code xsetbv
	xorl %ecx, %ecx
	xorl %edx, %edx
	movl $7, %eax
	xsetbv
	done xsetbv

	one sgdt, sgdt -16(%rsp)
	one sidt, sidt -16(%rsp)
	one sldt, sldt %eax
	one str, str %eax
	one smsw, smsw %eax

	one stac, .byte 0x0f, 0x01, 0xcb
	one clac, .byte 0x0f, 0x01, 0xca
	one vmcall, .byte 0x0f, 0x01, 0xc1
	one vmmcall, .byte 0x0f, 0x01, 0xd9
	one vmxon, .byte 0xf3, 0x0f, 0xc7, 0x34, 0x24 /* (%rsp) */
	one vmrun, .byte 0x0f, 0x01, 0xd8
	one rsm, .byte 0x0f, 0xaa
	one monitor, .byte 0x0f, 0x01, 0xc8
	one mwait, .byte 0x0f, 0x01, 0xc9
	one sysret, .byte 0x48, 0x0f, 0x07
	one sysexit, .byte 0x48, 0x0f, 0x35
	one sysenter, .byte 0x0f, 0x34
	one undefined, ud2
	one push_segment, .byte 0x06 /* none in 64-bit mode */
	one lock_nop, .byte 0xf0, 0x90

	code wrpkru
	xorl %eax, %eax
	xorl %ecx, %ecx
	xorl %edx, %edx
	.byte 0x0f, 0x01, 0xef
	done wrpkru

	code too_long /* 16 bytes */
	.fill 15, 1, 0x66
	nop
	done too_long

	code in_byte
	movl $0x3fd, %edx
	inb %dx, %al
	done in_byte

	one in_immediate, inb $0x60, %al

	code in_long
	movl $0xcf8, %edx
	inl %dx, %eax
	done in_long

	code in_string
	leaq -16(%rsp), %rdi
	movl $0x1f0, %edx
	insb
	done in_string

	one out_immediate, outb %al, $0xf4

	code out_word
	movl $0x604, %edx
	outw %ax, %dx
	done out_word

	code out_long
	movl $0xcf8, %edx
	outl %eax, %dx
	done out_long

	code out_string
	leaq -16(%rsp), %rsi
	movl $0x3f8, %edx
	outsb
	done out_string

	one int_nmi, int $2
	one int_breakpoint, .byte 0xcd, 3
	one int_overflow, int $4
	one int_double_fault, int $8
	one int_page_fault, int $14
	one int_legacy, int $0x20
	one int_timer, int $0x40
	one int_shootdown, int $0x41
	one int_linux, int $0x80
	one int_spurious, int $0xff
	one breakpoint, int3
	one ice_breakpoint, .byte 0xf1
	one into, .byte 0xce

	code divide
	xorl %eax, %eax
	xorl %ecx, %ecx
	xorl %edx, %edx
	divl %ecx
	done divide

	one ss_kernel, load_selector KERNEL_DATA, ss
	one ss_null, load_selector 0, ss
	one ss_code, load_selector USER_CODE, ss
	one ds_kernel, load_selector KERNEL_DATA, ds
	one ds_kernel_code, load_selector KERNEL_CODE, ds
	one ds_task_state, load_selector TASK_STATE | 3, ds
	one ds_local, load_selector 7, ds
	one ds_beyond, load_selector 0x3b, ds
	one fs_kernel, load_selector KERNEL_DATA, fs
	one gs_kernel, load_selector KERNEL_DATA, gs
	one ds_null, load_selector 0, ds

	code far_return_kernel
	leaq 1f(%rip), %rax
	pushq $KERNEL_CODE
	pushq %rax
	lretq
1:	done far_return_kernel

	code far_return_kernel_as_ring3
	leaq 1f(%rip), %rax
	pushq $KERNEL_CODE | 3
	pushq %rax
	lretq
1:	done far_return_kernel_as_ring3

	code far_jump_kernel
	movl $1f, -16(%rsp)
	movw $KERNEL_CODE, -12(%rsp)
	ljmpl *-16(%rsp)
1:	done far_jump_kernel

	code far_call_kernel
	movl $1f, -16(%rsp)
	movw $KERNEL_CODE, -12(%rsp)
	lcalll *-16(%rsp)
1:	done far_call_kernel

	code far_call_task
	movl $1f, -16(%rsp)
	movw $TASK_STATE, -12(%rsp)
	lcalll *-16(%rsp)
1:	done far_call_task

	.macro interrupt_return code, stack, flags
	movq %rsp, %rdx
	pushq $\stack
	pushq %rdx
	pushfq
	orq $\flags, (%rsp)
	pushq $\code
	leaq 1f(%rip), %rax
	pushq %rax
	iretq
1:
	.endm

	code iret_kernel
	interrupt_return KERNEL_CODE, KERNEL_DATA, 0
	done iret_kernel

	code iret_kernel_stack
	interrupt_return USER_CODE, KERNEL_DATA, 0
	done iret_kernel_stack

	code iret_nested
	set_flags FLAG_NESTED_TASK
	iretq
	done iret_nested

	/* 1 if the two bits are 0 as before */
	code iret_io_privilege
	interrupt_return USER_CODE, USER_DATA, FLAG_IO_PRIVILEGE
	pushfq
	popq %rax
	testl $FLAG_IO_PRIVILEGE, %eax
	sete %al
	ret
	.size code_iret_io_privilege, . - code_iret_io_privilege

	code popf_io_privilege
	set_flags FLAG_IO_PRIVILEGE
	pushfq
	popq %rax
	testl $FLAG_IO_PRIVILEGE, %eax
	sete %al
	ret
	.size code_popf_io_privilege, . - code_popf_io_privilege

	/* 1 if interrupts are still on */
	code popf_interrupts
	pushfq
	andq $~FLAG_INTERRUPT, (%rsp)
	popfq
	pushfq
	popq %rax
	testl $FLAG_INTERRUPT, %eax
	setne %al
	ret
	.size code_popf_interrupts, . - code_popf_interrupts

	code alignment_flag
	set_flags FLAG_ALIGNMENT
	movq -17(%rsp), %rax
	pushfq
	andq $~FLAG_ALIGNMENT, (%rsp)
	popfq
	done alignment_flag

	code trace
	set_flags FLAG_TRACE
	nop
	nop
	done trace

	.macro cap_enter_nothing
	xorl %eax, %eax
	xorl %edi, %edi
	xorl %esi, %esi
	syscall
	.endm

	code trace_system_call /* SYSCALL is the one instruction that is traced: the exception comes after it */
	xorl %eax, %eax
	xorl %edi, %edi
	xorl %esi, %esi
	set_flags FLAG_TRACE
	syscall
	nop
	nop
	done trace_system_call

	code trace_breakpoint /* the same with another way in: INT clears the flag (SDM vol. 3, 17.3.1.4) */
	set_flags FLAG_TRACE
	int3
	nop
	done trace_breakpoint

	code trace_undefined
	set_flags FLAG_TRACE
	ud2
	done trace_undefined

	code system_call_odd_flags
	set_flags FLAG_DIRECTION | FLAG_NESTED_TASK | FLAG_ALIGNMENT
	cap_enter_nothing
	cld
	pushfq
	andq $~(FLAG_NESTED_TASK | FLAG_ALIGNMENT), (%rsp)
	popfq
	done system_call_odd_flags

	code system_call_hole_stack
	pushq %rbx
	movq %rsp, %rbx
	movabsq $HOLE, %rsp
	cap_enter_nothing
	movq %rbx, %rsp
	popq %rbx
	done system_call_hole_stack

	code system_call_kernel_gs
	movabsq $KERNEL_HALF, %rax
	wrgsbase %rax
	cap_enter_nothing
	xorl %eax, %eax
	wrgsbase %rax
	done system_call_kernel_gs

	code wrfsbase_kernel
	rdfsbase %rdx
	movabsq $KERNEL_HALF, %rax
	wrfsbase %rax
	movq %fs:0, %rax
	wrfsbase %rdx
	done wrfsbase_kernel

	code wrfsbase_hole
	rdfsbase %rdx
	movabsq $HOLE, %rax
	wrfsbase %rax
	wrfsbase %rdx
	done wrfsbase_hole

	code wrgsbase_hole
	rdgsbase %rdx
	movabsq $HOLE, %rax
	wrgsbase %rax
	wrgsbase %rdx
	done wrgsbase_hole

	/* 1 if the kernel's segments are not even told of */
	code verify_kernel
	movl $KERNEL_DATA, %eax
	verr %ax
	setne %al
	movl $KERNEL_CODE, %ecx
	lar %ecx, %edx
	setne %cl
	andb %cl, %al
	ret
	.size code_verify_kernel, . - code_verify_kernel

	one misaligned_fxsave, fxsave -511(%rsp)
	one misaligned_vector, movaps %xmm0, -31(%rsp)

	/* RAX is no address, whatever it is taken for. */
	code jump_hole
	movabsq $HOLE, %rcx
	xorl %eax, %eax
	jmp *%rcx
	.size code_jump_hole, . - code_jump_hole

	code jump_hole_by_r9
	movabsq $HOLE, %r9
	xorl %eax, %eax
	jmp *%r9
	.size code_jump_hole_by_r9, . - code_jump_hole_by_r9

	code jump_hole_by_memory
	movabsq $HOLE, %rcx
	xorl %eax, %eax
	movq %rcx, -16(%rsp)
	jmp *-16(%rsp)
	.size code_jump_hole_by_memory, . - code_jump_hole_by_memory

	code call_hole
	movabsq $HOLE, %rcx
	xorl %eax, %eax
	call *%rcx
	done call_hole

	code return_hole
	movabsq $HOLE, %rcx
	xorl %eax, %eax
	pushq %rcx
	ret
	.size code_return_hole, . - code_return_hole

	code push_hole
	movabsq $HOLE + 64, %rsp
	pushq %rax
	ud2
	.size code_push_hole, . - code_push_hole

	code read_hole_by_stack_segment
	pushq %rbp
	movabsq $HOLE, %rbp
	movq (%rbp), %rax
	popq %rbp
	done read_hole_by_stack_segment

	code cpuid_word /* leaf in EDI, register in ESI */
	pushq %rbx
	movl %edi, %eax
	xorl %ecx, %ecx
	cpuid
	movl %eax, -24(%rsp)
	movl %ebx, -20(%rsp)
	movl %ecx, -16(%rsp)
	movl %edx, -12(%rsp)
	movl %esi, %esi
	movl -24(%rsp,%rsi,4), %eax
	popq %rbx
	ret
	.size code_cpuid_word, . - code_cpuid_word

	.section .note.GNU-stack, "", @progbits
