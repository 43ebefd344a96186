#include "kernel/boot/limine.h"

#include <stdbool.h>
#include <stdint.h>

#include "kernel/boot/early_memory.h"
#include "lib/bits.h"
#include "lib/check.h"
#include "lib/string.h"

#define LIMINE_MEMORY_ENTRIES_MAX 4096u
#define PHYSICAL_LIMIT (UINT64_C(1) << 52) /* no x86-64 CPU has more address bits */

/* An address of the loader's as a physical one: it may be of its direct map, or physical already. */
static enum status limine_physical(const struct boot_info *info, limine_address_t address, paddr_t *physical)
{
	const uint64_t raw = address >= info->early_map ? address - info->early_map : address;

	GUARD(raw < PHYSICAL_LIMIT, STATUS_BAD_ARGUMENT);
	*physical = paddr_from_u64(raw);
	return STATUS_OK;
}

static enum status limine_read(const struct boot_info *info, void *to, limine_address_t from, uint64_t bytes)
{
	paddr_t physical;

	GUARD(from != 0, STATUS_BOOT_MISSING);
	TRY(limine_physical(info, from, &physical));
	return early_memory_copy(to, physical, bytes);
}

/* An address from an array of them, then what it leads to. */
static enum status limine_read_element(const struct boot_info *info, void *to, limine_address_t array, uint64_t index,
				       uint64_t bytes)
{
	limine_address_t element;

	GUARD(array <= UINT64_MAX - index * sizeof(element), STATUS_BAD_ARGUMENT);
	TRY(limine_read(info, &element, array + index * sizeof(element), sizeof(element)));
	return limine_read(info, to, element, bytes);
}

static enum status limine_read_string(const struct boot_info *info, char *to, uint64_t size, limine_address_t from)
{
	paddr_t physical;

	GUARD(from != 0, STATUS_BOOT_MISSING);
	TRY(limine_physical(info, from, &physical));
	return early_memory_copy_string(to, size, physical);
}

/* The one answer that is read on trust: it says what all others mean. It lies in the direct map that it describes. */
static enum status limine_read_direct_map(const volatile struct limine_requests *requests, struct boot_info *info)
{
	const limine_address_t address = requests->direct_map.response;

	GUARD(address != 0, STATUS_BOOT_MISSING);
	GUARD(address % sizeof(uint64_t) == 0, STATUS_BAD_ARGUMENT);
	const uint64_t offset = ((const struct limine_direct_map *)(uintptr_t)address)->offset;
	GUARD(u64_is_page_aligned(offset) && offset <= address, STATUS_BAD_ARGUMENT);
	info->early_map = offset;
	info->early_map_limit = UINT64_MAX;
	early_memory_set(info->early_map, PHYSICAL_LIMIT, 0);
	return STATUS_OK;
}

/*
 * The image and the modules share a type, which also covers the loader's copy of the ELF file: all of it can be
 * reclaimed once boot_info has marked what is really in use.
 */
static enum memory_kind limine_memory_kind(uint64_t type)
{
	switch (type) {
	case LIMINE_MEMORY_USABLE:
		return MEMORY_USABLE;
	case LIMINE_MEMORY_ACPI_RECLAIMABLE:
		return MEMORY_ACPI_RECLAIMABLE;
	case LIMINE_MEMORY_ACPI_NVS:
		return MEMORY_ACPI_NVS;
	case LIMINE_MEMORY_BAD:
		return MEMORY_BAD;
	case LIMINE_MEMORY_LOADER_RECLAIMABLE:
	case LIMINE_MEMORY_IMAGE_AND_MODULES:
		return MEMORY_LOADER_RECLAIMABLE;
	case LIMINE_MEMORY_FRAMEBUFFER:
		return MEMORY_FRAMEBUFFER;
	}
	return MEMORY_RESERVED;
}

/*
 * memory_map_add rounds reclaimable ranges outwards; the image-and-modules type need not be whole pages, and a page
 * that is only partly the loader's must not become free. So those are rounded inwards here.
 */
static enum status limine_add(struct memory_map *map, struct limine_memory_entry entry)
{
	const enum memory_kind kind = limine_memory_kind(entry.type);

	if (kind == MEMORY_LOADER_RECLAIMABLE && entry.base < PHYSICAL_LIMIT && entry.length < PHYSICAL_LIMIT) {
		const uint64_t start = bits_align_up(entry.base, PAGE_SIZE);
		const uint64_t end = (entry.base + entry.length) & ~(uint64_t)(PAGE_SIZE - 1);

		entry.base = start;
		entry.length = start < end ? end - start : 0;
	}
	return memory_map_add(map, entry.base, entry.length, kind);
}

static enum status limine_read_memory_map(const volatile struct limine_requests *requests, struct boot_info *info)
{
	struct limine_memory_map answer;

	TRY(limine_read(info, &answer, requests->memory_map.response, sizeof(answer)));
	GUARD(answer.count <= LIMINE_MEMORY_ENTRIES_MAX, STATUS_MEMORY_MAP_TOO_LONG);
	for (uint64_t i = 0; i < answer.count; i++) {
		struct limine_memory_entry entry;

		TRY(limine_read_element(info, &entry, answer.entries, i, sizeof(entry)));
		TRY(limine_add(&info->map, entry));
	}

	/* From base revision 3 on the direct map has holes wherever memory is of other kinds. */
	early_memory_set(info->early_map, PHYSICAL_LIMIT, &info->map);
	return STATUS_OK;
}

static enum status limine_read_image_address(const volatile struct limine_requests *requests, struct boot_info *info)
{
	struct limine_image_address answer;

	TRY(limine_read(info, &answer, requests->image_address.response, sizeof(answer)));
	GUARD(answer.virtual_base <= info->kernel_virtual, STATUS_BAD_ARGUMENT);
	GUARD(answer.physical_base < PHYSICAL_LIMIT, STATUS_BAD_ARGUMENT);
	const uint64_t physical = answer.physical_base + (info->kernel_virtual - answer.virtual_base);
	GUARD(u64_is_page_aligned(physical) && physical < PHYSICAL_LIMIT, STATUS_BAD_ARGUMENT);
	info->kernel_physical = paddr_from_u64(physical);
	return STATUS_OK;
}

static enum status limine_read_module(const volatile struct limine_requests *requests, struct boot_info *info)
{
	struct limine_modules answer;
	struct limine_file file;

	/* A loader with no module to give leaves the request unanswered. */
	GUARD(requests->modules.response != 0, STATUS_BOOT_MODULE_COUNT);
	TRY(limine_read(info, &answer, requests->modules.response, sizeof(answer)));
	GUARD(answer.count == 1, STATUS_BOOT_MODULE_COUNT);
	TRY(limine_read_element(info, &file, answer.files, 0, sizeof(file)));
	TRY(limine_physical(info, file.address, &info->package));
	info->package_bytes = file.bytes;
	return STATUS_OK;
}

/* Loaders that do not know the command-line request give the line as the string of the image's file. */
static enum status limine_read_command_line(const volatile struct limine_requests *requests, struct boot_info *info)
{
	struct limine_one_address answer = { 0 };
	struct limine_file file;

	if (requests->command_line.response != 0) {
		TRY(limine_read(info, &answer, requests->command_line.response, sizeof(answer)));
	} else if (requests->image_file.response != 0) {
		TRY(limine_read(info, &answer, requests->image_file.response, sizeof(answer)));
		TRY(limine_read(info, &file, answer.address, sizeof(file)));
		answer.address = file.string;
	}
	if (answer.address == 0)
		return STATUS_OK;
	return limine_read_string(info, info->command_line, sizeof(info->command_line), answer.address);
}

/* For messages only: what cannot be read, or does not fit, is left out. */
static void limine_read_loader(const volatile struct limine_requests *requests, struct boot_info *info)
{
	struct limine_loader answer;
	const uint64_t size = sizeof(info->loader);

	(void)string_copy(info->loader, size, "Limine protocol");
	if (limine_read(info, &answer, requests->loader.response, sizeof(answer)) != STATUS_OK)
		return;
	if (limine_read_string(info, info->loader, size, answer.name) != STATUS_OK)
		return;

	const uint64_t name = string_length(info->loader, size - 2);
	info->loader[name] = ' ';
	if (limine_read_string(info, &info->loader[name + 1], size - name - 1, answer.version) != STATUS_OK)
		info->loader[name] = '\0';
}

/* Without an RSDP the machine has one CPU for us; that is no reason not to boot. */
static void limine_read_rsdp(const volatile struct limine_requests *requests, struct boot_info *info)
{
	struct limine_one_address answer;

	if (limine_read(info, &answer, requests->rsdp.response, sizeof(answer)) != STATUS_OK)
		return;
	info->has_rsdp = answer.address != 0 && limine_physical(info, answer.address, &info->rsdp) == STATUS_OK;
}

/* As much as was asked for, or less; without it there are other sources. */
static void limine_read_entropy(const volatile struct limine_requests *requests, struct boot_info *info)
{
	struct limine_entropy answer;
	uint64_t words;

	if (limine_read(info, &answer, requests->entropy.response, sizeof(answer)) != STATUS_OK)
		return;
	words = answer.count < BOOT_ENTROPY_WORDS ? answer.count : BOOT_ENTROPY_WORDS;
	if (words != 0 && limine_read(info, info->entropy, answer.words, words * sizeof(uint64_t)) == STATUS_OK)
		info->entropy_words = (uint32_t)words;
}

enum status limine_collect(const volatile struct limine_requests *requests, struct boot_info *info, const char **what)
{
	info->door = BOOT_DOOR_LIMINE;

	*what = "Limine base revision 2: the loader does not know it";
	GUARD(requests->base_revision[2] == 0, STATUS_BOOT_BASE_REVISION);
	*what = "Limine direct map (HHDM)";
	TRY(limine_read_direct_map(requests, info));
	*what = "Limine memory map";
	TRY(limine_read_memory_map(requests, info));
	*what = "Limine executable address";
	TRY(limine_read_image_address(requests, info));
	*what = "boot package: the loader must give exactly one module";
	TRY(limine_read_module(requests, info));
	*what = "Limine command line";
	TRY(limine_read_command_line(requests, info));
	limine_read_loader(requests, info);
	limine_read_rsdp(requests, info);
	limine_read_entropy(requests, info);
	return STATUS_OK;
}
