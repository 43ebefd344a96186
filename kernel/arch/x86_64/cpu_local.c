#include "kernel/arch/x86_64/cpu_local.h"

#include <stddef.h>

#include "abi/memory_layout.h"
#include "kernel/arch/x86_64/offsets.h"
#include "kernel/arch/x86_64/page_zero.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/arch/x86_64/user_mode.h"
#include "lib/check.h"

_Static_assert(offsetof(struct cpu, self) == CPU_SELF, "offsets.h");
_Static_assert(offsetof(struct cpu, syscall_kernel_stack) == CPU_SYSCALL_KERNEL_STACK, "offsets.h");
_Static_assert(offsetof(struct cpu, syscall_user_stack) == CPU_SYSCALL_USER_STACK, "offsets.h");
_Static_assert(offsetof(struct cpu, start_stack) == CPU_START_STACK, "offsets.h");
_Static_assert(sizeof(struct cpu) <= PAGE_SIZE, "page_zero in cpu_prepare");
_Static_assert(sizeof(struct cpu_memory) % PAGE_SIZE == 0, "whole pages");

static struct cpu boot_cpu;
static struct exception_stack boot_exception_stacks[CPU_EXCEPTION_STACKS] __attribute__((aligned(4096)));

/* boot_entry.S: the page below the stack of kernel_main */
extern const uint8_t boot_stack_guard[];

static struct cpu *cpus[CPU_MAX];
static uint64_t online_mask;

struct cpu *cpu_at(uint32_t index)
{
	return cpus[index];
}

uint64_t cpu_online_mask(void)
{
	return __atomic_load_n(&online_mask, __ATOMIC_ACQUIRE);
}

uint32_t cpu_online_count(void)
{
	uint64_t mask = cpu_online_mask();

	return mask == 0 ? 0 : CPU_MAX - (uint32_t)__builtin_clzll(mask); /* indices are dense */
}

static void set_index(struct cpu *cpu, uint32_t index)
{
	cpu->index = index;
	cpu->bit = UINT64_C(1) << index;
	cpus[index] = cpu;
}

/* The rest of *cpu is 0. */
static void cpu_build(struct cpu *cpu, uint32_t index, struct exception_stack stacks[CPU_EXCEPTION_STACKS])
{
	uint64_t tops[CPU_EXCEPTION_STACKS];

	for (uint32_t i = 0; i < CPU_EXCEPTION_STACKS; i++)
		tops[i] = (uint64_t)(&stacks[i] + 1);
	cpu->self = cpu;
	descriptors_build(cpu, tops);
	set_index(cpu, index);
}

void cpu_load(struct cpu *cpu)
{
	descriptors_load(cpu);
	trap_load();
	user_mode_init();
}

void cpu_set_online(struct cpu *cpu)
{
	__atomic_fetch_or(&online_mask, cpu->bit, __ATOMIC_RELEASE);
}

void cpu_init_boot(void)
{
	cpu_build(&boot_cpu, 0, boot_exception_stacks);
	trap_init();
	cpu_load(&boot_cpu);
	cpu_set_online(&boot_cpu);
}

bool cpu_memory_is_guard(uint64_t offset)
{
	uint64_t in_stacks = offset - offsetof(struct cpu_memory, exception_stack);

	if (offset < sizeof(((struct cpu_memory *)NULL)->idle_guard))
		return true;
	return in_stacks < sizeof(((struct cpu_memory *)NULL)->exception_stack) &&
	       in_stacks % sizeof(struct exception_stack) < PAGE_SIZE;
}

void cpu_prepare(uint32_t index, struct cpu_memory *memory)
{
	struct cpu *cpu = &memory->cpu;

	CHECK(index > 0 && index < CPU_MAX && !cpus[index]);
	page_zero(cpu);
	cpu_build(cpu, index, memory->exception_stack);
	cpu->start_stack = (uint64_t)memory->idle_stack + sizeof(memory->idle_stack);
}

void cpu_retire(struct cpu *cpu)
{
	uint32_t last = cpu->index;
	struct cpu *moved;

	CHECK((cpu_online_mask() & cpu->bit) == 0);
	while (last + 1 < CPU_MAX && cpus[last + 1])
		last++;
	moved = cpus[last];
	cpus[last] = NULL;
	if (moved != cpu)
		set_index(moved, cpu->index);
}

uint64_t cpu_boot_guard(uint32_t which)
{
	CHECK(which < CPU_BOOT_GUARDS);
	return (uint64_t)(which < CPU_EXCEPTION_STACKS ? boot_exception_stacks[which].guard : boot_stack_guard);
}

void cpu_set_kernel_stack(uint64_t top)
{
	struct cpu *cpu = cpu_current();

	cpu->task_state.rsp[0] = top;
	cpu->syscall_kernel_stack = top - 8; /* syscall_entry.S pushes three words and calls with RSP aligned */
}
