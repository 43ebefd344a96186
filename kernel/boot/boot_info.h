/*
 * The one thing that both doors (PVH and Limine) end in: loader data made trustworthy. After boot_info_collect nothing
 * of the loader's is read again but the boot package, whose frames the memory map keeps as MEMORY_BOOT_PACKAGE.
 */
#ifndef CAPOS_KERNEL_BOOT_BOOT_INFO_H
#define CAPOS_KERNEL_BOOT_BOOT_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "kernel/boot/acpi.h"
#include "lib/address.h"
#include "lib/memory_map.h"

#define BOOT_MAX_CPUS 64u
#define BOOT_COMMAND_LINE_BYTES 256u
#define BOOT_ENTROPY_WORDS 4u

enum boot_door {
	BOOT_DOOR_PVH,
	BOOT_DOOR_LIMINE,
};

struct boot_info {
	enum boot_door door;
	char loader[64];
	char command_line[BOOT_COMMAND_LINE_BYTES];
	struct memory_map map;
	uint64_t early_map; /* kernel virtual address at which the loader (or our PVH entry) maps physical 0 ... */
	uint64_t early_map_limit; /* ... up to this physical address, for usable and package memory */
	paddr_t kernel_physical;  /* of the image's first byte; the image is physically contiguous */
	uint64_t kernel_virtual;
	uint64_t kernel_bytes; /* from first to last byte, bss included */
	paddr_t package;       /* boot package, as a byte range */
	uint64_t package_bytes;
	bool has_rsdp;
	paddr_t rsdp;
	uint32_t cpus; /* from the MADT; 1 without one; the boot CPU is cpu 0 */
	uint32_t local_apic_id[BOOT_MAX_CPUS];
	paddr_t local_apic;                /* MMIO base */
	struct acpi_interrupts interrupts; /* I/O APICs where no RAM is: none without ACPI tables */
	uint16_t pm_timer_port;            /* ACPI PM timer, 0 if there is none */
	bool pm_timer_is_32_bit;
	uint64_t entropy[BOOT_ENTROPY_WORDS]; /* what the loader has gathered, good or bad */
	uint32_t entropy_words;               /* of them */
};

/* The kernel's one boot_info, valid after boot_info_collect(). */
const struct boot_info *boot_info_get(void);

/*
 * Read what the loader left, once, on the boot CPU, with the early map still in use. On failure *what says which thing
 * in one line, for the console.
 */
enum status boot_info_collect(const char **what);

/*
 * Second step, once, when the kernel's own page tables stand: CPUs, APICs and PM timer from the ACPI tables, which may
 * lie outside the early map. `map` gives a pointer to `bytes` of physical memory, valid until its next call, or a
 * null pointer. A machine without tables is no error; on any failure (*what says which table) the boot_info still
 * describes a machine that can run: at the least the boot CPU.
 */
enum status boot_info_collect_acpi(const void *(*map)(paddr_t address, uint64_t bytes), const char **what);

#endif
