#include "kernel/boot/pvh.h"

#include <stdint.h>

#include "kernel/boot/early_memory.h"
#include "lib/check.h"
#include "lib/string.h"

/* Xen, public/arch-x86/hvm/start_info.h. Version 0 ends at `memory_map`. */
struct pvh_start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t modules;
	uint64_t module_list;
	uint64_t command_line;
	uint64_t rsdp;
	uint64_t memory_map;
	uint32_t memory_map_entries;
	uint32_t reserved;
};

struct pvh_module {
	uint64_t address;
	uint64_t bytes;
	uint64_t command_line; /* not read: QEMU leaves it 0 */
	uint64_t reserved;
};

struct pvh_memory_entry {
	uint64_t base;
	uint64_t length;
	uint32_t type;
	uint32_t reserved;
};

_Static_assert(sizeof(struct pvh_start_info) == 56, "the loader's layout");
_Static_assert(sizeof(struct pvh_module) == 32, "the loader's layout");
_Static_assert(sizeof(struct pvh_memory_entry) == 24, "the loader's layout");

#define PVH_MAGIC 0x336ec578u
#define PVH_BYTES_VERSION_0 40u
#define PVH_MEMORY_ENTRIES_MAX 4096u

/* Types of the memory map: those of the BIOS call E820h (ACPI 6.5, 15.4). */
enum pvh_memory_type {
	PVH_MEMORY_RAM = 1,
	PVH_MEMORY_RESERVED = 2,
	PVH_MEMORY_ACPI = 3,
	PVH_MEMORY_NVS = 4,
	PVH_MEMORY_UNUSABLE = 5,
};

static enum memory_kind pvh_memory_kind(uint32_t type)
{
	switch (type) {
	case PVH_MEMORY_RAM:
		return MEMORY_USABLE;
	case PVH_MEMORY_ACPI:
		return MEMORY_ACPI_RECLAIMABLE;
	case PVH_MEMORY_NVS:
		return MEMORY_ACPI_NVS;
	case PVH_MEMORY_UNUSABLE:
		return MEMORY_BAD;
	}
	return MEMORY_RESERVED;
}

static enum status pvh_read_start_info(paddr_t from, struct pvh_start_info *start)
{
	*start = (struct pvh_start_info){ 0 };
	TRY(early_memory_copy(start, from, PVH_BYTES_VERSION_0));
	GUARD(start->magic == PVH_MAGIC, STATUS_BOOT_BAD_MAGIC);
	if (start->version >= 1)
		TRY(early_memory_copy(start, from, sizeof(*start)));
	return STATUS_OK;
}

static enum status pvh_read_memory_map(const struct pvh_start_info *start, struct memory_map *map)
{
	GUARD(start->memory_map != 0 && start->memory_map_entries != 0, STATUS_BOOT_MISSING);
	GUARD(start->memory_map_entries <= PVH_MEMORY_ENTRIES_MAX, STATUS_MEMORY_MAP_TOO_LONG);
	GUARD(start->memory_map <= UINT64_MAX - PVH_MEMORY_ENTRIES_MAX * sizeof(struct pvh_memory_entry),
	      STATUS_BAD_ARGUMENT);

	for (uint32_t i = 0; i < start->memory_map_entries; i++) {
		struct pvh_memory_entry entry;

		TRY(early_memory_copy(&entry, paddr_from_u64(start->memory_map + i * sizeof(entry)), sizeof(entry)));
		TRY(memory_map_add(map, entry.base, entry.length, pvh_memory_kind(entry.type)));
	}
	return STATUS_OK;
}

static enum status pvh_read_module(const struct pvh_start_info *start, struct boot_info *info)
{
	struct pvh_module module;

	GUARD(start->modules == 1, STATUS_BOOT_MODULE_COUNT);
	TRY(early_memory_copy(&module, paddr_from_u64(start->module_list), sizeof(module)));
	info->package = paddr_from_u64(module.address);
	info->package_bytes = module.bytes;
	return STATUS_OK;
}

enum status pvh_collect(paddr_t start_info, struct boot_info *info, const char **what)
{
	struct pvh_start_info start;

	info->door = BOOT_DOOR_PVH;
	(void)string_copy(info->loader, sizeof(info->loader), "PVH");

	*what = "PVH start info";
	TRY(pvh_read_start_info(start_info, &start));
	*what = "PVH memory map";
	TRY(pvh_read_memory_map(&start, &info->map));
	*what = "PVH command line";
	if (start.command_line != 0)
		TRY(early_memory_copy_string(info->command_line, sizeof(info->command_line),
					     paddr_from_u64(start.command_line)));
	*what = "boot package: the loader must give exactly one module (-initrd)";
	TRY(pvh_read_module(&start, info));

	info->has_rsdp = start.rsdp != 0;
	info->rsdp = paddr_from_u64(start.rsdp);
	return STATUS_OK;
}
