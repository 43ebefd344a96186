#include "kernel/boot/boot_info.h"

#include "kernel/arch/x86_64/boot_cpu.h"
#include "kernel/arch/x86_64/boot_layout.h"
#include "kernel/arch/x86_64/boot_limine.h"
#include "kernel/arch/x86_64/boot_pvh.h"
#include "kernel/arch/x86_64/image_bounds.h"
#include "kernel/arch/x86_64/log.h"
#include "kernel/boot/acpi.h"
#include "kernel/boot/early_memory.h"
#include "kernel/boot/limine.h"
#include "kernel/boot/pvh.h"
#include "lib/check.h"

/* A BIOS owns the end of the first megabyte, EBDA to ROM, and not each says so in its memory map. */
#define BIOS_START UINT64_C(0x9f000)
#define BIOS_END UINT64_C(0x100000)

_Static_assert(BOOT_MAX_CPUS == ACPI_MAX_CPUS, "one array is copied into the other");

static struct boot_info info;

/* The page for starting other CPUs was RAM that nobody uses: the firmware's own must not be written over. */
static bool trampoline_is_ram;

const struct boot_info *boot_info_get(void)
{
	return &info;
}

static enum status boot_info_enter_door(const char **what)
{
	info.kernel_virtual = (uint64_t)(uintptr_t)kernel_image_start;
	info.kernel_bytes = (uint64_t)(uintptr_t)kernel_image_end - info.kernel_virtual;
	if (boot_pvh_start_info == 0)
		return limine_collect(&boot_limine_requests, &info, what);

	info.kernel_physical = paddr_from_u64(info.kernel_virtual - KERNEL_VIRTUAL_BASE);
	info.early_map = BOOT_PVH_MAP;
	info.early_map_limit = BOOT_PVH_MAP_LIMIT;
	early_memory_set(info.early_map, info.early_map_limit, 0);
	return pvh_collect(paddr_from_u64(boot_pvh_start_info), &info, what);
}

/* Mark a range that must have been RAM, so that a loader's wrong number does not make RAM out of a device. */
static enum status boot_info_mark(paddr_t address, uint64_t bytes, enum memory_kind kind)
{
	GUARD(bytes != 0, STATUS_ZERO_LENGTH);
	GUARD(early_memory_is_ram(&info.map, address, bytes), STATUS_BAD_ARGUMENT);
	return memory_map_add(&info.map, paddr_to_u64(address), bytes, kind);
}

static enum status boot_info_mark_in_use(const char **what)
{
	*what = "kernel image: not inside the usable memory of the memory map";
	TRY(boot_info_mark(info.kernel_physical, info.kernel_bytes, MEMORY_KERNEL_IMAGE));
	*what = "boot package: empty, or not inside the usable memory of the memory map";
	TRY(boot_info_mark(info.package, info.package_bytes, MEMORY_BOOT_PACKAGE));
	*what = "boot package: outside the early map";
	GUARD(paddr_to_u64(info.package) + info.package_bytes <= info.early_map_limit, STATUS_BAD_ARGUMENT);
	return STATUS_OK;
}

static enum status boot_info_mark_low_memory(const char **what)
{
	*what = "memory map";
	trampoline_is_ram = early_memory_is_ram(&info.map, paddr_from_u64(AP_TRAMPOLINE_PHYSICAL), PAGE_SIZE);
	TRY(memory_map_add(&info.map, 0, PAGE_SIZE, MEMORY_RESERVED));
	TRY(memory_map_add(&info.map, AP_TRAMPOLINE_PHYSICAL, PAGE_SIZE, MEMORY_RESERVED));
	TRY(memory_map_add(&info.map, BIOS_START, BIOS_END - BIOS_START, MEMORY_RESERVED));
	return memory_map_check_usable(&info.map);
}

enum status boot_info_collect(const char **what)
{
	memory_map_init(&info.map);
	info.cpus = 1;
	info.local_apic_id[0] = boot_cpu_apic_id();
	info.local_apic = paddr_from_u64(ACPI_LOCAL_APIC_DEFAULT);

	TRY(boot_info_enter_door(what));
	TRY(boot_info_mark_in_use(what));
	TRY(boot_info_mark_low_memory(what));
	*what = "";
	return STATUS_OK;
}

/* Their registers are written: no table may make a device out of RAM, or of another device. */
static void boot_info_take_interrupts(const struct acpi_interrupts *from)
{
	info.interrupts = *from;
	info.interrupts.io_apics = 0;
	for (uint32_t i = 0; i < from->io_apics; i++) {
		const uint64_t page = frame_to_u64(frame_from_paddr(from->io_apic[i].address));

		if (page != frame_to_u64(frame_from_paddr(info.local_apic)) &&
		    !memory_map_has_ram(&info.map, frame_range_make(page, page + 1)))
			info.interrupts.io_apic[info.interrupts.io_apics++] = from->io_apic[i];
	}
}

static void boot_info_take_machine(const struct acpi_machine *machine)
{
	info.cpus = trampoline_is_ram ? machine->cpus : 1;
	for (uint32_t i = 0; i < info.cpus; i++)
		info.local_apic_id[i] = machine->local_apic_id[i];
	info.local_apic = paddr_from_u64(machine->local_apic);
	boot_info_take_interrupts(&machine->interrupts);
	info.pm_timer_port = machine->pm_timer_port;
	info.pm_timer_is_32_bit = machine->pm_timer_is_32_bit;

	if (machine->cpus_left_out != 0)
		log_line("%u CPUs beyond the first %u are left out", machine->cpus_left_out, BOOT_MAX_CPUS);
	if (info.cpus < machine->cpus)
		log_line("one CPU of %u is used: the firmware keeps the page at 0x%x", machine->cpus,
			 AP_TRAMPOLINE_PHYSICAL);
}

enum status boot_info_collect_acpi(const void *(*map)(paddr_t address, uint64_t bytes), const char **what)
{
	struct acpi_machine machine;

	*what = "";
	if (!info.has_rsdp) {
		if (acpi_find_rsdp(map, &info.rsdp) != STATUS_OK)
			return STATUS_OK;
		info.has_rsdp = true;
	}

	*what = "ACPI tables";
	enum status status = acpi_collect(map, info.rsdp, info.local_apic_id[0], &machine);
	boot_info_take_machine(&machine);
	TRY(status);
	*what = "";
	return STATUS_OK;
}
