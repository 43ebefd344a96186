#include "kernel/boot/acpi.h"

#include "lib/check.h"
#include "lib/string.h"

#define PHYSICAL_LIMIT (UINT64_C(1) << 52)

/* The largest table read here, the MADT of a machine with thousands of CPUs, is a tenth of this. */
#define TABLE_BYTES_MAX 0x100000u
#define ROOT_ENTRIES_MAX 512u

/* Root pointer, 5.2.5.3. */
#define RSDP_SIGNATURE "RSD PTR "
#define RSDP_SIGNATURE_BYTES 8u
#define RSDP_BYTES_1 20u
#define RSDP_BYTES_2 36u
#define RSDP_REVISION 15u
#define RSDP_RSDT 16u
#define RSDP_LENGTH 20u
#define RSDP_XSDT 24u
#define RSDP_ALIGN 16u

/* Where a BIOS leaves it, 5.2.5.1. */
#define BIOS_EBDA_SEGMENT 0x40eu
#define BIOS_EBDA_START 0x80000u
#define BIOS_EBDA_END 0xa0000u
#define BIOS_EBDA_SEARCHED 1024u
#define BIOS_ROM_START 0xe0000u
#define BIOS_ROM_END 0x100000u

/* Common header, 5.2.6. */
#define HEADER_BYTES 36u
#define HEADER_LENGTH 4u

/* MADT, 5.2.12. I/O APIC: 5.2.12.3; interrupt source override, with the flags of MPS INTI: 5.2.12.5. */
#define MADT_LOCAL_APIC 36u
#define MADT_ENTRIES 44u
#define MADT_CPU_ENABLED 0x1u
#define MADT_CPU_ONLINE_CAPABLE 0x2u
#define MADT_BROADCAST_APIC 0xffu
#define MADT_BROADCAST_X2APIC UINT32_MAX

enum madt_entry_type {
	MADT_LOCAL_APIC_ENTRY = 0,
	MADT_IO_APIC_ENTRY = 1,
	MADT_INTERRUPT_OVERRIDE = 2,
	MADT_LOCAL_APIC_OVERRIDE = 5,
	MADT_LOCAL_X2APIC_ENTRY = 9,
};

#define IO_APIC_ALIGN 16u
#define OVERRIDE_BUS_ISA 0u
#define OVERRIDE_POLARITY(flags) ((flags)&3u)
#define OVERRIDE_TRIGGER(flags) ((flags) >> 2 & 3u)

/* Of the polarity and of the trigger alike. */
enum override_mode {
	OVERRIDE_AS_THE_BUS = 0, /* ISA: active high, edge */
	OVERRIDE_HIGH_OR_EDGE = 1,
	OVERRIDE_LOW_OR_LEVEL = 3,
};

/* FADT, 5.2.9. */
#define FADT_PM_TIMER 76u
#define FADT_PM_TIMER_LENGTH 91u
#define FADT_FLAGS 112u
#define FADT_X_PM_TIMER 208u
#define FADT_X_PM_TIMER_ADDRESS 212u
#define FADT_X_PM_TIMER_END 220u
#define FADT_FLAG_TIMER_32_BIT (1u << 8)
#define FADT_FLAG_HARDWARE_REDUCED (1u << 20)
#define GAS_SPACE_IO 1u

/* A table whose bytes are mapped, counted and summed. */
struct acpi_table {
	const uint8_t *bytes;
	uint32_t length;
};

/* Fields lie unaligned. `offset` + the field is inside the memory at `from`: the caller has compared. */

static uint16_t get_u16(const uint8_t *from, uint32_t offset)
{
	return (uint16_t)(from[offset] | from[offset + 1] << 8);
}

static uint32_t get_u32(const uint8_t *from, uint32_t offset)
{
	return get_u16(from, offset) | (uint32_t)get_u16(from, offset + 2) << 16;
}

static uint64_t get_u64(const uint8_t *from, uint32_t offset)
{
	return get_u32(from, offset) | (uint64_t)get_u32(from, offset + 4) << 32;
}

static bool sums_to_zero(const uint8_t *bytes, uint32_t length)
{
	uint8_t sum = 0;

	for (uint32_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return sum == 0;
}

static enum status acpi_map_bytes(acpi_map_t *map, uint64_t address, uint32_t length, const uint8_t **bytes)
{
	GUARD(address != 0 && address < PHYSICAL_LIMIT, STATUS_ACPI_NOT_FOUND);
	*bytes = map(paddr_from_u64(address), length);
	GUARD(*bytes != 0, STATUS_ACPI_NOT_FOUND);
	return STATUS_OK;
}

static bool is_rsdp(const uint8_t *bytes)
{
	return memcmp(bytes, RSDP_SIGNATURE, RSDP_SIGNATURE_BYTES) == 0 && sums_to_zero(bytes, RSDP_BYTES_1);
}

/* One whole window at a time; the last place is one at which version 1 of the structure fits. */
static enum status acpi_search(acpi_map_t *map, uint32_t start, uint32_t end, paddr_t *rsdp)
{
	const uint8_t *window;

	TRY(acpi_map_bytes(map, start, end - start, &window));
	for (uint32_t at = 0; at + RSDP_BYTES_1 <= end - start; at += RSDP_ALIGN) {
		if (is_rsdp(window + at)) {
			*rsdp = paddr_from_u64(start + at);
			return STATUS_OK;
		}
	}
	return STATUS_ACPI_NOT_FOUND;
}

enum status acpi_find_rsdp(acpi_map_t *map, paddr_t *rsdp)
{
	const uint8_t *segment;

	if (acpi_map_bytes(map, BIOS_EBDA_SEGMENT, sizeof(uint16_t), &segment) == STATUS_OK) {
		const uint32_t ebda = (uint32_t)get_u16(segment, 0) << 4;

		if (ebda >= BIOS_EBDA_START && ebda <= BIOS_EBDA_END - BIOS_EBDA_SEARCHED &&
		    acpi_search(map, ebda, ebda + BIOS_EBDA_SEARCHED, rsdp) == STATUS_OK)
			return STATUS_OK;
	}
	return acpi_search(map, BIOS_ROM_START, BIOS_ROM_END, rsdp);
}

/* A table at a claimed address: its header first, then all of it, then its sum. */
static enum status acpi_open(acpi_map_t *map, uint64_t address, struct acpi_table *table)
{
	const uint8_t *bytes;

	TRY(acpi_map_bytes(map, address, HEADER_BYTES, &bytes));
	const uint32_t length = get_u32(bytes, HEADER_LENGTH);
	GUARD(length >= HEADER_BYTES && length <= TABLE_BYTES_MAX, STATUS_ACPI_BAD_TABLE);
	TRY(acpi_map_bytes(map, address, length, &bytes));
	/* Read again: the first look was at another mapping. */
	GUARD(get_u32(bytes, HEADER_LENGTH) == length, STATUS_ACPI_BAD_TABLE);
	GUARD(sums_to_zero(bytes, length), STATUS_ACPI_BAD_CHECKSUM);
	*table = (struct acpi_table){ bytes, length };
	return STATUS_OK;
}

static bool has_signature(const struct acpi_table *table, const char *signature)
{
	return memcmp(table->bytes, signature, 4) == 0;
}

static void machine_add_cpu(struct acpi_machine *machine, uint32_t apic_id)
{
	for (uint32_t i = 0; i < machine->cpus; i++) {
		if (machine->local_apic_id[i] == apic_id)
			return;
	}
	if (machine->cpus == ACPI_MAX_CPUS) {
		machine->cpus_left_out++;
		return;
	}
	machine->local_apic_id[machine->cpus++] = apic_id;
}

static void machine_add_cpu_entry(struct acpi_machine *machine, uint32_t apic_id, uint32_t flags, uint32_t wanted)
{
	if ((flags & (MADT_CPU_ENABLED | MADT_CPU_ONLINE_CAPABLE)) == wanted)
		machine_add_cpu(machine, apic_id);
}

static void machine_add_io_apic(struct acpi_interrupts *interrupts, uint32_t address, uint32_t gsi_base)
{
	if (address == 0 || address % IO_APIC_ALIGN != 0)
		return;
	for (uint32_t i = 0; i < interrupts->io_apics; i++)
		if (paddr_to_u64(interrupts->io_apic[i].address) == address)
			return;
	if (interrupts->io_apics < ACPI_MAX_IO_APICS)
		interrupts->io_apic[interrupts->io_apics++] =
			(struct acpi_io_apic){ paddr_from_u64(address), gsi_base };
}

static bool override_is_defined(uint16_t mode)
{
	return mode == OVERRIDE_AS_THE_BUS || mode == OVERRIDE_HIGH_OR_EDGE || mode == OVERRIDE_LOW_OR_LEVEL;
}

static void machine_add_override(struct acpi_interrupts *interrupts, const uint8_t *entry)
{
	const uint16_t flags = get_u16(entry, 8);
	const uint16_t polarity = OVERRIDE_POLARITY(flags), trigger = OVERRIDE_TRIGGER(flags);

	if (entry[2] != OVERRIDE_BUS_ISA || entry[3] >= ACPI_ISA_INTERRUPTS)
		return;
	if (!override_is_defined(polarity) || !override_is_defined(trigger))
		return;
	interrupts->isa[entry[3]] = (struct acpi_isa_interrupt){
		.gsi = get_u32(entry, 4),
		.is_level = trigger == OVERRIDE_LOW_OR_LEVEL,
		.is_active_low = polarity == OVERRIDE_LOW_OR_LEVEL,
	};
}

/* One entry of `length` bytes; those of unknown type, and those too short for theirs, say nothing. */
static void madt_read_entry(struct acpi_machine *machine, const uint8_t *entry, uint32_t length, uint32_t wanted)
{
	switch (entry[0]) {
	case MADT_LOCAL_APIC_ENTRY:
		if (length >= 8 && entry[3] != MADT_BROADCAST_APIC)
			machine_add_cpu_entry(machine, entry[3], get_u32(entry, 4), wanted);
		return;
	case MADT_LOCAL_X2APIC_ENTRY:
		if (length >= 16 && get_u32(entry, 4) != MADT_BROADCAST_X2APIC)
			machine_add_cpu_entry(machine, get_u32(entry, 4), get_u32(entry, 8), wanted);
		return;
	case MADT_IO_APIC_ENTRY:
		if (length >= 12)
			machine_add_io_apic(&machine->interrupts, get_u32(entry, 4), get_u32(entry, 8));
		return;
	case MADT_INTERRUPT_OVERRIDE:
		if (length >= 10)
			machine_add_override(&machine->interrupts, entry);
		return;
	case MADT_LOCAL_APIC_OVERRIDE:
		if (length >= 12)
			machine->local_apic = get_u64(entry, 4);
		return;
	}
}

static enum status madt_read_entries(struct acpi_machine *machine, const struct acpi_table *madt, uint32_t wanted)
{
	uint32_t at = MADT_ENTRIES;

	while (at < madt->length) {
		GUARD(madt->length - at >= 2, STATUS_ACPI_BAD_TABLE);
		const uint32_t length = madt->bytes[at + 1];
		GUARD(length >= 2 && length <= madt->length - at, STATUS_ACPI_BAD_TABLE);
		madt_read_entry(machine, madt->bytes + at, length, wanted);
		at += length;
	}
	return STATUS_OK;
}

/*
 * CPUs that are there come before those that may be plugged in later, so that the latter never crowd the former out.
 * Some firmware sets both flags for a CPU that is there.
 */
static enum status acpi_read_madt(struct acpi_machine *machine, const struct acpi_table *madt)
{
	struct acpi_machine result = *machine;

	GUARD(madt->length >= MADT_ENTRIES, STATUS_ACPI_BAD_TABLE);
	result.local_apic = get_u32(madt->bytes, MADT_LOCAL_APIC);
	TRY(madt_read_entries(&result, madt, MADT_CPU_ENABLED));
	TRY(madt_read_entries(&result, madt, MADT_CPU_ENABLED | MADT_CPU_ONLINE_CAPABLE));
	TRY(madt_read_entries(&result, madt, MADT_CPU_ONLINE_CAPABLE));
	GUARD(result.local_apic != 0 && result.local_apic < PHYSICAL_LIMIT, STATUS_ACPI_BAD_TABLE);
	GUARD((result.local_apic & (PAGE_SIZE - 1)) == 0, STATUS_ACPI_BAD_TABLE);
	*machine = result;
	return STATUS_OK;
}

/* The port as the extended field gives it, if it is there and names a port; else as the old field does. */
static enum status acpi_read_fadt(struct acpi_machine *machine, const struct acpi_table *fadt)
{
	GUARD(fadt->length >= FADT_FLAGS + sizeof(uint32_t), STATUS_ACPI_BAD_TABLE);
	const uint32_t flags = get_u32(fadt->bytes, FADT_FLAGS);
	uint64_t port = fadt->bytes[FADT_PM_TIMER_LENGTH] == 4 ? get_u32(fadt->bytes, FADT_PM_TIMER) : 0;

	if ((flags & FADT_FLAG_HARDWARE_REDUCED) != 0)
		return STATUS_OK;
	if (fadt->length >= FADT_X_PM_TIMER_END && fadt->bytes[FADT_X_PM_TIMER] == GAS_SPACE_IO &&
	    get_u64(fadt->bytes, FADT_X_PM_TIMER_ADDRESS) != 0)
		port = get_u64(fadt->bytes, FADT_X_PM_TIMER_ADDRESS);
	GUARD(port <= UINT16_MAX, STATUS_ACPI_BAD_TABLE);
	machine->pm_timer_port = (uint16_t)port;
	machine->pm_timer_is_32_bit = (flags & FADT_FLAG_TIMER_32_BIT) != 0;
	return STATUS_OK;
}

/* The root table's address, and whether its entries have 8 bytes (XSDT) or 4 (RSDT). */
static enum status acpi_read_rsdp(acpi_map_t *map, paddr_t rsdp, uint64_t *root, uint32_t *entry_bytes)
{
	const uint64_t address = paddr_to_u64(rsdp);
	const uint8_t *bytes;

	TRY(acpi_map_bytes(map, address, RSDP_BYTES_1, &bytes));
	GUARD(memcmp(bytes, RSDP_SIGNATURE, RSDP_SIGNATURE_BYTES) == 0, STATUS_ACPI_NOT_FOUND);
	GUARD(sums_to_zero(bytes, RSDP_BYTES_1), STATUS_ACPI_BAD_CHECKSUM);
	*root = get_u32(bytes, RSDP_RSDT);
	*entry_bytes = 4;
	if (bytes[RSDP_REVISION] < 2)
		return STATUS_OK;

	TRY(acpi_map_bytes(map, address, RSDP_BYTES_2, &bytes));
	const uint32_t length = get_u32(bytes, RSDP_LENGTH);
	GUARD(length >= RSDP_BYTES_2 && length <= PAGE_SIZE, STATUS_ACPI_BAD_TABLE);
	TRY(acpi_map_bytes(map, address, length, &bytes));
	GUARD(sums_to_zero(bytes, length), STATUS_ACPI_BAD_CHECKSUM);
	if (get_u64(bytes, RSDP_XSDT) != 0) {
		*root = get_u64(bytes, RSDP_XSDT);
		*entry_bytes = 8;
	}
	return STATUS_OK;
}

/* Entry `index` of the root table. Mapped anew each time: a table that was opened since has taken the mapping. */
static enum status acpi_read_root_entry(acpi_map_t *map, uint64_t root, uint32_t index, uint32_t entry_bytes,
					uint64_t *address)
{
	const uint8_t *bytes;

	TRY(acpi_map_bytes(map, root + HEADER_BYTES + (uint64_t)index * entry_bytes, entry_bytes, &bytes));
	*address = entry_bytes == 8 ? get_u64(bytes, 0) : get_u32(bytes, 0);
	return STATUS_OK;
}

/* A table that nothing here reads need not even be whole: firmware has such. */
static enum status acpi_read_table(acpi_map_t *map, uint64_t address, struct acpi_machine *machine)
{
	struct acpi_table table;
	const uint8_t *bytes;

	TRY(acpi_map_bytes(map, address, HEADER_BYTES, &bytes));
	if (memcmp(bytes, "APIC", 4) != 0 && memcmp(bytes, "FACP", 4) != 0)
		return STATUS_OK;
	TRY(acpi_open(map, address, &table));
	return has_signature(&table, "APIC") ? acpi_read_madt(machine, &table) : acpi_read_fadt(machine, &table);
}

enum status acpi_collect(acpi_map_t *map, paddr_t rsdp, uint32_t boot_apic_id, struct acpi_machine *machine)
{
	enum status first_fault = STATUS_OK;
	struct acpi_table root_table;
	uint64_t root;
	uint32_t entry_bytes;

	*machine = (struct acpi_machine){ .cpus = 1, .local_apic = ACPI_LOCAL_APIC_DEFAULT };
	machine->local_apic_id[0] = boot_apic_id;
	for (uint32_t irq = 0; irq < ACPI_ISA_INTERRUPTS; irq++)
		machine->interrupts.isa[irq].gsi = irq;

	TRY(acpi_read_rsdp(map, rsdp, &root, &entry_bytes));
	TRY(acpi_open(map, root, &root_table));
	GUARD(has_signature(&root_table, entry_bytes == 8 ? "XSDT" : "RSDT"), STATUS_ACPI_BAD_TABLE);
	const uint32_t entries = (root_table.length - HEADER_BYTES) / entry_bytes;
	GUARD(entries <= ROOT_ENTRIES_MAX, STATUS_ACPI_BAD_TABLE);

	for (uint32_t i = 0; i < entries; i++) {
		uint64_t address = 0;
		enum status status = acpi_read_root_entry(map, root, i, entry_bytes, &address);

		/* Firmware leaves null entries for tables that it does not have. */
		if (status == STATUS_OK && address != 0)
			status = acpi_read_table(map, address, machine);
		if (first_fault == STATUS_OK)
			first_fault = status;
	}
	return first_fault;
}
