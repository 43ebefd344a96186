/*
 * Segment descriptors and the task state segment of one CPU. The tables live in struct cpu.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_DESCRIPTORS_H
#define CAPOS_KERNEL_ARCH_X86_64_DESCRIPTORS_H

#include <stdint.h>

#define DESCRIPTOR_COUNT 7u /* null, kernel code, kernel data, user data, user code, task state (two) */

/* Task state segment (SDM vol. 3, 8.7). Packed: the stack pointers are not 8-byte aligned. */
struct task_state {
	uint32_t reserved0;
	uint64_t rsp[3]; /* stacks for rings 0 to 2 */
	uint64_t reserved1;
	uint64_t ist[7]; /* interrupt stacks 1 to 7 */
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t io_map_base; /* beyond the limit: no ports for ring 3 */
} __attribute__((packed));

_Static_assert(sizeof(struct task_state) == 104, "layout of the hardware");

/* Interrupt stack table entries, 1-based as the gates count them; 0 is the ordinary stack. */
enum interrupt_stack {
	INTERRUPT_STACK_NONE = 0,
	INTERRUPT_STACK_DOUBLE_FAULT = 1,
	INTERRUPT_STACK_NMI = 2,
	INTERRUPT_STACK_MACHINE_CHECK = 3,
	INTERRUPT_STACK_DEBUG = 4,
};

#define INTERRUPT_STACKS 4u

struct cpu;

/*
 * Fill the CPU's tables. `stack_top` has the tops of the exception stacks, from ist[0] on; the topmost 16
 * bytes of each then hold the address of `cpu`, by which the entry code of those exceptions finds its CPU whatever GS
 * holds.
 */
void descriptors_build(struct cpu *cpu, const uint64_t stack_top[INTERRUPT_STACKS]);

/*
 * Load them on this CPU, CS and SS included; the other segments and the local descriptor table become null. Sets the GS
 * base to `cpu`.
 */
void descriptors_load(struct cpu *cpu);

#endif
