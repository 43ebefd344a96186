#include "kernel/mem/cpu_memory.h"

#include "kernel/arch/x86_64/tlb.h"
#include "kernel/mem/boot_memory.h"
#include "kernel/mem/kernel_stack.h"
#include "kernel/mem/paging.h"
#include "lib/check.h"

#define CPU_MEMORY_START (STACK_WINDOW_START + KERNEL_STACK_SLOTS * KERNEL_STACK_SLOT_BYTES)

enum status cpu_memory_create(uint32_t index, struct cpu_memory **memory)
{
	uint64_t start = CPU_MEMORY_START + (index - 1) * sizeof(**memory);

	CHECK(index > 0 && index < CPU_MAX);
	for (uint64_t offset = 0; offset < sizeof(**memory); offset += PAGE_SIZE) {
		paddr_t page;

		if (cpu_memory_is_guard(offset))
			continue;
		TRY(boot_memory_take(1, &page));
		TRY(paging_map_page(start + offset, frame_from_paddr(page)));
	}
	*memory = (struct cpu_memory *)(uintptr_t)start;
	return STATUS_OK;
}

bool cpu_memory_guards(uint64_t address)
{
	uint64_t offset = address - CPU_MEMORY_START;

	for (uint32_t which = 0; which < CPU_BOOT_GUARDS; which++)
		if (address == cpu_boot_guard(which))
			return true;
	return offset < (CPU_MAX - 1) * sizeof(struct cpu_memory) &&
	       cpu_memory_is_guard(offset % sizeof(struct cpu_memory));
}

void cpu_memory_guard_boot(void)
{
	for (uint32_t which = 0; which < CPU_BOOT_GUARDS; which++) {
		uint64_t guard = cpu_boot_guard(which);

		(void)paging_unmap_page(guard);
		tlb_flush_kernel(vaddr_from_u64(guard), vaddr_from_u64(guard + PAGE_SIZE));
	}
}
