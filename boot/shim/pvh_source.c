/*
 * PVH start information (Xen, public/arch-x86/hvm/start_info.h). The one module is an archive of two files: the kernel
 * and its boot package.
 */
#include <stddef.h>

#include "boot/shim/boot_source.h"
#include "boot/shim/report.h"
#include "lib/archive.h"

#define START_INFO_MAGIC 0x336ec578u
#define KERNEL_NAME "kernel.elf"
#define PACKAGE_NAME "boot.cpio"
#define LIMIT_OF_IDENTITY (UINT64_C(1) << 32)

struct start_info {
	uint32_t magic, version, flags, modules;
	uint64_t module_list, command_line, rsdp;
	uint64_t memory_map; /* from version 1 on, as are the fields below */
	uint32_t memory_map_entries, reserved;
};

struct module_entry {
	uint64_t address, size, command_line, reserved;
};

struct memory_entry {
	uint64_t base, length;
	uint32_t type, reserved;
};

static const void *identity(uint64_t physical)
{
	if (physical >= LIMIT_OF_IDENTITY)
		report_refuse("PVH data lies above 4 GiB");
	return (const void *)(uintptr_t)physical;
}

/* An absent file leaves a span of size 0, which shim_main refuses by name. */
static struct byte_span file_of_archive(const struct archive *archive, const char *name)
{
	uint32_t index;
	if (archive_find(archive, name, &index) != STATUS_OK)
		return (struct byte_span){ NULL, 0 };
	return (struct byte_span){ archive->file[index].data, archive->file[index].size };
}

static void read_module(const struct start_info *info, struct boot_source *source)
{
	static struct archive archive;
	if (info->modules == 0)
		report_refuse("no initrd: give an archive of " KERNEL_NAME " and " PACKAGE_NAME);
	const struct module_entry *module = identity(info->module_list);
	size_t failed_at;
	if (archive_parse(identity(module->address), module->size, &archive, &failed_at) != STATUS_OK)
		report_refuse("the initrd is not a newc cpio archive of " KERNEL_NAME " and " PACKAGE_NAME);
	source->kernel = file_of_archive(&archive, KERNEL_NAME);
	source->package = file_of_archive(&archive, PACKAGE_NAME);
}

void pvh_source_read(uint32_t start_info, struct boot_source *source)
{
	const struct start_info *info = identity(start_info);
	if (info->magic != START_INFO_MAGIC)
		report_refuse("not entered by a PVH loader");
	if (info->version < 1)
		report_refuse("the PVH loader gives no memory map");
	const struct memory_entry *entry = identity(info->memory_map);
	for (uint32_t i = 0; i < info->memory_map_entries; i++)
		boot_source_add_memory(source, entry[i].base, entry[i].length, entry[i].type);
	if (info->command_line != 0)
		boot_source_add_words(source, identity(info->command_line));
	if (info->rsdp != 0)
		boot_source_set_rsdp(source, identity(info->rsdp));
	read_module(info, source);
	source->firmware = FIRMWARE_BIOS;
}
