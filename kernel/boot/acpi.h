/*
 * CPUs, local APIC and PM timer from the firmware's ACPI tables (ACPI 6.5, chapter 5). Nothing that a table says is
 * believed: lengths are bounded before they are used, sums are checked, and what does not fit is left out. Pure but for
 * the callback, so that host tests feed it good and hostile tables.
 */
#ifndef CAPOS_KERNEL_BOOT_ACPI_H
#define CAPOS_KERNEL_BOOT_ACPI_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "lib/address.h"

#define ACPI_MAX_CPUS 64u
#define ACPI_LOCAL_APIC_DEFAULT UINT64_C(0xfee00000)

/* A pointer to `bytes` of physical memory, valid until the next call; null if there is no such memory. */
typedef const void *acpi_map_t(paddr_t address, uint64_t bytes);

struct acpi_machine {
	uint32_t cpus;          /* at least 1; entry 0 is the boot CPU */
	uint32_t cpus_left_out; /* did not fit */
	uint32_t local_apic_id[ACPI_MAX_CPUS];
	uint64_t local_apic;
	uint16_t pm_timer_port; /* 0: none */
	bool pm_timer_is_32_bit;
};

/* Look for the RSDP where a BIOS leaves it: in the EBDA, or from E0000h to FFFFFh. ACPI_NOT_FOUND. */
enum status acpi_find_rsdp(acpi_map_t *map, paddr_t *rsdp);

/*
 * Fill in `machine`, in any case: at the least one CPU, `boot_apic_id`, with its APIC at the default address. The
 * status is the first fault met: ACPI_NOT_FOUND (memory that cannot be mapped, or no RSDP at that address),
 * ACPI_BAD_CHECKSUM, ACPI_BAD_TABLE. Tables after a faulty one are still read; a faulty table contributes nothing.
 */
enum status acpi_collect(acpi_map_t *map, paddr_t rsdp, uint32_t boot_apic_id, struct acpi_machine *machine);

#endif
