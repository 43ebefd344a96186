#include "kernel/arch/x86_64/descriptors.h"

#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/offsets.h"

/* Code and data descriptors of long mode (SDM vol. 3, 3.4.5 and 5.2.1): base and limit do not count. */
#define DESCRIPTOR_ACCESSED (UINT64_C(1) << 40)
#define DESCRIPTOR_WRITABLE (UINT64_C(1) << 41) /* data; for code: readable */
#define DESCRIPTOR_CODE (UINT64_C(1) << 43)
#define DESCRIPTOR_SEGMENT (UINT64_C(1) << 44) /* code or data, not a system descriptor */
#define DESCRIPTOR_RING3 (UINT64_C(3) << 45)
#define DESCRIPTOR_PRESENT (UINT64_C(1) << 47)
#define DESCRIPTOR_LONG (UINT64_C(1) << 53)
#define DESCRIPTOR_TYPE_TASK_STATE (UINT64_C(9) << 40) /* 64-bit TSS, available */

#define DESCRIPTOR_DATA (DESCRIPTOR_PRESENT | DESCRIPTOR_SEGMENT | DESCRIPTOR_WRITABLE | DESCRIPTOR_ACCESSED)

static void set_task_state_descriptor(uint64_t entry[2], const struct task_state *state)
{
	uint64_t base = (uint64_t)state;
	uint64_t limit = sizeof(*state) - 1;

	entry[0] = DESCRIPTOR_PRESENT | DESCRIPTOR_TYPE_TASK_STATE | limit | (base & 0xffffff) << 16 |
		   (base >> 24 & 0xff) << 56;
	entry[1] = base >> 32;
}

void descriptors_build(struct cpu *cpu, const uint64_t stack_top[INTERRUPT_STACKS])
{
	uint64_t *table = cpu->descriptor_table;

	table[SELECTOR_KERNEL_CODE / 8] = DESCRIPTOR_DATA | DESCRIPTOR_CODE | DESCRIPTOR_LONG;
	table[SELECTOR_KERNEL_DATA / 8] = DESCRIPTOR_DATA;
	table[SELECTOR_USER_DATA / 8] = DESCRIPTOR_DATA | DESCRIPTOR_RING3;
	table[SELECTOR_USER_CODE / 8] = DESCRIPTOR_DATA | DESCRIPTOR_CODE | DESCRIPTOR_LONG | DESCRIPTOR_RING3;
	set_task_state_descriptor(&table[SELECTOR_TASK_STATE / 8], &cpu->task_state);

	for (unsigned i = 0; i < INTERRUPT_STACKS; i++) {
		uint64_t top = stack_top[i] - 16;
		*(struct cpu **)top = cpu;
		cpu->task_state.ist[i] = top;
	}
	cpu->task_state.io_map_base = sizeof(cpu->task_state);
}

/* CS changes by a far return; SS must be the writable kernel segment; the others mean nothing in ring 0. */
static void load_segments(void)
{
	__asm__ volatile("pushq %0\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\n\t"
			 "movl %1, %%ss\n\t"
			 "movl %2, %%ds\n\t"
			 "movl %2, %%es\n\t"
			 "movl %2, %%fs\n\t"
			 "movl %2, %%gs\n\t"
			 :
			 : "i"(SELECTOR_KERNEL_CODE), "r"(SELECTOR_KERNEL_DATA), "r"(0)
			 : "rax", "memory");
}

void descriptors_load(struct cpu *cpu)
{
	struct descriptor_pointer pointer = {
		.limit = sizeof(cpu->descriptor_table) - 1,
		.base = (uint64_t)cpu->descriptor_table,
	};

	lgdt(&pointer);
	load_segments();
	wrmsr(MSR_GS_BASE, (uint64_t)cpu); /* after the selector, whose load clears the base */
	/*
	 * INIT leaves a present LDT of 64 KiB at address 0 (SDM vol. 3, table 10-1), where a program could have memory.
	 * With a null one every selector that names it is refused (SDM vol. 3, 2.4.2; vol. 2, LLDT).
	 */
	lldt(0);
	ltr(SELECTOR_TASK_STATE);
}
