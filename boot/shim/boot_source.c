#include "boot/shim/boot_source.h"

#include <stddef.h>

#include "boot/shim/report.h"
#include "lib/check.h"
#include "lib/string.h"

#define RSDP_REVISION_OFFSET 15u
#define RSDP_VERSION_1_BYTES 20u

static enum memory_kind kind_of_type(uint32_t type)
{
	switch (type) {
	case 1:
		return MEMORY_USABLE;
	case 3:
		return MEMORY_ACPI_RECLAIMABLE;
	case 4:
		return MEMORY_ACPI_NVS;
	case 5:
		return MEMORY_BAD;
	default:
		return MEMORY_RESERVED;
	}
}

void boot_source_add_memory(struct boot_source *source, uint64_t base, uint64_t length, uint32_t type)
{
	if (memory_map_add(&source->map, base, length, kind_of_type(type)) != STATUS_OK)
		report_refuse("the memory map has too many entries");
}

void boot_source_add_words(struct boot_source *source, const char *words)
{
	char *line = source->command_line;
	size_t at = strlen(line);
	if (at > 0 && *words != '\0')
		line[at++] = ' ';
	for (; *words != '\0'; words++) {
		if (at + 1 >= BOOT_SOURCE_COMMAND_LINE_BYTES)
			report_refuse("the command line is too long");
		line[at++] = *words;
	}
	line[at] = '\0';
}

void boot_source_set_rsdp(struct boot_source *source, const uint8_t *bytes)
{
	static const char signature[8] = { 'R', 'S', 'D', ' ', 'P', 'T', 'R', ' ' };
	if (memcmp(bytes, signature, sizeof(signature)) != 0)
		return;
	source->rsdp_bytes = bytes[RSDP_REVISION_OFFSET] < 2 ? RSDP_VERSION_1_BYTES : BOOT_SOURCE_RSDP_BYTES;
	memcpy(source->rsdp, bytes, source->rsdp_bytes);
}
