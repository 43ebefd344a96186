/*
 * Exceptions and interrupts: one interrupt table for all CPUs, one way in, one way out.
 *
 * From ring 3 every exception goes to task_user_trap. From ring 0 an exception at an address of the fixup table resumes
 * there, and one in a function that a self-test has called for it ends that (probe.h); any other is a panic. Interrupts
 * come from the local APIC, for others, too; none of them switches threads by itself, but the way back to ring 3 does
 * (task_before_user).
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_TRAP_H
#define CAPOS_KERNEL_ARCH_X86_64_TRAP_H

#include <stdbool.h>
#include <stdint.h>

/* What the entry code leaves on the stack. The last five words are pushed by the CPU. */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector;
	uint64_t error; /* 0 for vectors without one */
	uint64_t rip, cs, rflags, rsp, ss;
};

enum trap_vector {
	TRAP_DIVIDE_ERROR = 0,
	TRAP_DEBUG = 1,
	TRAP_NMI = 2,
	TRAP_BREAKPOINT = 3,
	TRAP_OVERFLOW = 4,
	TRAP_BOUND = 5,
	TRAP_INVALID_OPCODE = 6,
	TRAP_NO_FPU = 7,
	TRAP_DOUBLE_FAULT = 8,
	TRAP_INVALID_TSS = 10,
	TRAP_SEGMENT_NOT_PRESENT = 11,
	TRAP_STACK = 12,
	TRAP_GENERAL_PROTECTION = 13,
	TRAP_PAGE_FAULT = 14,
	TRAP_X87 = 16,
	TRAP_ALIGNMENT = 17,
	TRAP_MACHINE_CHECK = 18,
	TRAP_SIMD = 19,
	TRAP_VIRTUALIZATION = 20,
	TRAP_CONTROL_PROTECTION = 21,
	TRAP_EXCEPTIONS = 32, /* vectors below are exceptions, above interrupts */

	TRAP_LEGACY = 0x20, /* 16 vectors of the masked PIC: can only be spurious */
	TRAP_TIMER = 0x40,
	TRAP_SHOOTDOWN = 0x41,
	TRAP_CALL = 0x42,
	TRAP_RESCHEDULE = 0x43, /* smp_interrupt */
	TRAP_SERIAL = 0x44,     /* by an I/O APIC, on the boot CPU */
	TRAP_SPURIOUS = 0xff,
};

/* Page-fault error code bits (SDM vol. 3, 4.7). */
#define PAGE_FAULT_PRESENT 1u
#define PAGE_FAULT_WRITE 2u
#define PAGE_FAULT_USER 4u /* not to be trusted for telling who faulted: use trap_is_from_user */
#define PAGE_FAULT_RESERVED 8u
#define PAGE_FAULT_FETCH 16u

static inline bool trap_is_from_user(const struct trap_frame *frame)
{
	return (frame->cs & 3) != 0;
}

/* Name of an exception ("page fault"); "interrupt" for vectors from 32 on. */
const char *trap_name(uint64_t vector);

/* Build the interrupt table. Once, by cpu_init_boot. */
void trap_init(void);

/* Load it on this CPU. */
void trap_load(void);

/*
 * Upcalls into kernel/task, interrupts off, on the kernel stack of cpu_set_kernel_stack.
 *
 * An exception of ring 3; `fault_address` is CR2 for a page fault, else 0. May change the frame and return, which
 * resumes the program, or never return.
 */
void task_user_trap(struct trap_frame *frame, uint64_t fault_address);

/*
 * Before the return to ring 3 from an interrupt or an exception, if this CPU's attention word is not 0: the upcall
 * takes it, and returns when it is 0. It may run other threads, return on another CPU, or never return. System calls
 * look at the word themselves.
 */
void task_before_user(void);

#endif
