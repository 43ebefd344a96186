/*
 * What the loader below us (GRUB or QEMU) gave, in one form for both doors. Everything but the kernel and package bytes
 * has been copied here, so nothing else of that loader's must be kept.
 */
#ifndef CAPOS_SHIM_BOOT_SOURCE_H
#define CAPOS_SHIM_BOOT_SOURCE_H

#include <stdint.h>

#include "lib/memory_map.h"

#define BOOT_SOURCE_COMMAND_LINE_BYTES 2048u
#define BOOT_SOURCE_RSDP_BYTES 36u /* ACPI 2.0 and later; version 1 has 20 */

struct byte_span {
	const uint8_t *bytes;
	uint64_t size;
};

/* Values of the Limine protocol. */
enum firmware {
	FIRMWARE_BIOS = 0,
	FIRMWARE_EFI32 = 1,
	FIRMWARE_EFI64 = 2,
};

struct boot_source {
	struct memory_map map;
	struct byte_span kernel;  /* ELF file, below 4 GiB; size 0 if none was given */
	struct byte_span package; /* boot package, below 4 GiB; size 0 if none was given */
	char command_line[BOOT_SOURCE_COMMAND_LINE_BYTES];
	uint8_t rsdp[BOOT_SOURCE_RSDP_BYTES];
	uint32_t rsdp_bytes; /* 0: none */
	enum firmware firmware;
};

/* Both fill `source`, which is all zero before, from physical memory that is mapped one to one; both refuse bad data.
 */
void multiboot2_read(uint32_t magic, uint32_t information, struct boot_source *source);
void pvh_source_read(uint32_t start_info, struct boot_source *source);

/* One entry of an E820-like map; multiboot2 and PVH use the same type numbers. */
void boot_source_add_memory(struct boot_source *source, uint64_t base, uint64_t length, uint32_t type);

/* Words are joined with one blank. */
void boot_source_add_words(struct boot_source *source, const char *words);

/* Copies the RSDP at `bytes` (36 of them readable if it says revision 2) if it has the signature. */
void boot_source_set_rsdp(struct boot_source *source, const uint8_t *bytes);

#endif
