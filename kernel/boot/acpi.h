/*
 * CPUs, APICs, wiring of the ISA interrupts and PM timer from the firmware's ACPI tables (ACPI 6.5, chapter 5). Nothing
 * that a table says is believed: lengths are bounded before they are used, sums are checked, and what does not fit is
 * left out. Pure but for the callback, so that host tests feed it good and hostile tables.
 */
#ifndef CAPOS_KERNEL_BOOT_ACPI_H
#define CAPOS_KERNEL_BOOT_ACPI_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "lib/address.h"

#define ACPI_MAX_CPUS 64u
#define ACPI_MAX_IO_APICS 16u
#define ACPI_ISA_INTERRUPTS 16u
#define ACPI_LOCAL_APIC_DEFAULT UINT64_C(0xfee00000)

/* A pointer to `bytes` of physical memory, valid until the next call; null if there is no such memory. */
typedef const void *acpi_map_t(paddr_t address, uint64_t bytes);

struct acpi_io_apic {
	paddr_t address;   /* of its registers, on 16 bytes, below 4 GiB; no two have the same */
	uint32_t gsi_base; /* global number of its first line */
};

/* Where the line of an old interrupt leads, and what it looks like there. */
struct acpi_isa_interrupt {
	uint32_t gsi;
	bool is_level;      /* else edge */
	bool is_active_low; /* else high */
};

struct acpi_interrupts {
	uint32_t io_apics; /* what does not fit is left out */
	struct acpi_io_apic io_apic[ACPI_MAX_IO_APICS];
	struct acpi_isa_interrupt isa[ACPI_ISA_INTERRUPTS];
};

struct acpi_machine {
	uint32_t cpus;          /* at least 1; entry 0 is the boot CPU */
	uint32_t cpus_left_out; /* did not fit */
	uint32_t local_apic_id[ACPI_MAX_CPUS];
	uint64_t local_apic;
	struct acpi_interrupts interrupts;
	uint16_t pm_timer_port; /* 0: none */
	bool pm_timer_is_32_bit;
};

/* Look for the RSDP where a BIOS leaves it: in the EBDA, or from E0000h to FFFFFh. ACPI_NOT_FOUND. */
enum status acpi_find_rsdp(acpi_map_t *map, paddr_t *rsdp);

/*
 * Fill in `machine`, in any case: at the least one CPU, `boot_apic_id`, with its APIC at the default address, no I/O
 * APIC, and each ISA interrupt at the GSI of its own number, edge-triggered and active high (as the bus has them). The
 * status is the first fault met: ACPI_NOT_FOUND (memory that cannot be mapped, or no RSDP at that address),
 * ACPI_BAD_CHECKSUM, ACPI_BAD_TABLE. Tables after a faulty one are still read; a faulty table contributes nothing.
 */
enum status acpi_collect(acpi_map_t *map, paddr_t rsdp, uint32_t boot_apic_id, struct acpi_machine *machine);

#endif
