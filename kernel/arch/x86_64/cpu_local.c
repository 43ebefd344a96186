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
_Static_assert(sizeof(struct cpu) <= PAGE_SIZE, "the last page of CPU_MEMORY_BYTES");

static struct cpu boot_cpu;
static uint8_t boot_exception_stacks[3][CPU_EXCEPTION_STACK_BYTES] __attribute__((aligned(16)));

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

/* `stacks` are three in a row. The rest of *cpu is 0. */
static void cpu_build(struct cpu *cpu, uint32_t index, uint64_t stacks)
{
	const uint64_t tops[3] = {
		stacks + CPU_EXCEPTION_STACK_BYTES,
		stacks + 2 * CPU_EXCEPTION_STACK_BYTES,
		stacks + 3 * CPU_EXCEPTION_STACK_BYTES,
	};

	cpu->self = cpu;
	cpu->index = index;
	cpu->bit = UINT64_C(1) << index;
	descriptors_build(cpu, tops);
	cpus[index] = cpu;
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
	cpu_build(&boot_cpu, 0, (uint64_t)boot_exception_stacks);
	trap_init();
	cpu_load(&boot_cpu);
	cpu_set_online(&boot_cpu);
}

void cpu_prepare(uint32_t index, void *memory)
{
	uint64_t stacks = (uint64_t)memory + CPU_IDLE_STACK_BYTES;
	void *cpu = (uint8_t *)memory + CPU_MEMORY_BYTES - PAGE_SIZE;

	CHECK(index > 0 && index < CPU_MAX && !cpus[index]);
	page_zero(cpu);
	cpu_build(cpu, index, stacks);
}

uint64_t cpu_idle_stack_top(const struct cpu *cpu)
{
	return (uint64_t)cpu - 3 * CPU_EXCEPTION_STACK_BYTES;
}

void cpu_set_kernel_stack(uint64_t top)
{
	struct cpu *cpu = cpu_current();

	cpu->task_state.rsp[0] = top;
	cpu->syscall_kernel_stack = top - 8; /* syscall_entry.S pushes three words and calls with RSP aligned */
}
