#include "kernel/task/console_start.h"

#include <stddef.h>

#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/ioapic.h"
#include "kernel/arch/x86_64/log.h"
#include "kernel/arch/x86_64/serial.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/mem/paging.h"
#include "lib/check.h"
#include "lib/status.h"

_Static_assert(IOAPIC_MAX == ACPI_MAX_IO_APICS, "each that the tables name has a place");

static enum status add_io_apic(const struct acpi_io_apic *io_apic)
{
	volatile void *registers;

	TRY(paging_map_device(io_apic->address, IOAPIC_REGISTER_BYTES, &registers));
	return ioapic_add(registers, io_apic->gsi_base);
}

static void add_io_apics(const struct acpi_interrupts *interrupts)
{
	for (uint32_t i = 0; i < interrupts->io_apics; i++) {
		const struct acpi_io_apic *io_apic = &interrupts->io_apic[i];
		const enum status status = add_io_apic(io_apic);

		if (status != STATUS_OK)
			log_line("I/O APIC at 0x%llx: %s; going on without it",
				 (unsigned long long)paddr_to_u64(io_apic->address), status_name(status));
	}
}

/* NULL, or why not. */
static const char *start_interrupts(const struct acpi_isa_interrupt *line)
{
	const struct ioapic_route route = {
		.gsi = line->gsi,
		.is_level = line->is_level,
		.is_active_low = line->is_active_low,
		.vector = TRAP_SERIAL,
		.local_apic_id = apic_id(),
	};
	const enum status status = ioapic_route(&route);

	if (status != STATUS_OK)
		return status == STATUS_NOT_FOUND ? "no I/O APIC has its interrupt" : "this CPU's APIC id is too high";
	if (serial_start_interrupts())
		return NULL;
	CHECK(ioapic_mask(line->gsi) == STATUS_OK);
	return "its interrupt does not arrive";
}

void console_start(const struct acpi_interrupts *interrupts, bool polled)
{
	const char *why;

	add_io_apics(interrupts);
	if (polled)
		why = "as asked";
	else if (ioapic_count() == 0)
		why = "no I/O APIC";
	else
		why = start_interrupts(&interrupts->isa[SERIAL_ISA_INTERRUPT]);
	if (why != NULL)
		log_line("console: polled, %s", why);
}
