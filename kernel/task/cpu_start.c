#include "kernel/task/cpu_start.h"

#include "kernel/arch/x86_64/boot_layout.h"
#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/log.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/mem/cpu_memory.h"
#include "kernel/mem/direct_map.h"
#include "kernel/mem/paging.h"
#include "kernel/task/scheduler.h"
#include "lib/check.h"

_Noreturn void task_ap_main(void)
{
	scheduler_idle();
}

static enum status prepare_cpu(uint32_t index)
{
	struct cpu_memory *memory;

	TRY(cpu_memory_create(index, &memory));
	cpu_prepare(index, memory);
	return STATUS_OK;
}

void cpu_start_all(const struct boot_info *info)
{
	paddr_t page = paddr_from_u64(AP_TRAMPOLINE_PHYSICAL);
	paddr_t root;
	uint32_t index;

	cpu_memory_guard_boot();
	if (info->cpus < 2)
		return;
	if (paging_make_start_root(page, &root) != STATUS_OK) {
		log_line("cpus: no memory to start the others");
		return;
	}
	for (index = 1; index < info->cpus; index++) {
		if (prepare_cpu(index) != STATUS_OK) {
			log_line("cpus: memory for %u of %u", index, info->cpus);
			break;
		}
	}
	if (!smp_start_all(info->local_apic_id, info->cpus, paddr_to_u64(root), direct_map_of_paddr(page)))
		paging_keep_start_root(root);
}
