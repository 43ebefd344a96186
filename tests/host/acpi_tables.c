#include "tests/host/acpi_tables.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

uint8_t acpi_tables_memory[MEMORY_BYTES];
static uint8_t *mapped;

/* What the callback promises and no more: as many bytes as were asked for, and gone at the next call. */
const void *acpi_tables_map(paddr_t address, uint64_t bytes)
{
	free(mapped);
	mapped = NULL;
	if (bytes > MEMORY_BYTES || paddr_to_u64(address) > MEMORY_BYTES - bytes)
		return NULL;
	mapped = malloc(bytes);
	assert_non_null(mapped);
	memcpy(mapped, acpi_tables_memory + paddr_to_u64(address), bytes);
	return mapped;
}

void acpi_tables_put_u16(uint32_t at, uint16_t value)
{
	acpi_tables_memory[at] = (uint8_t)value;
	acpi_tables_memory[at + 1] = (uint8_t)(value >> 8);
}

void acpi_tables_put_u32(uint32_t at, uint32_t value)
{
	acpi_tables_put_u16(at, (uint16_t)value);
	acpi_tables_put_u16(at + 2, (uint16_t)(value >> 16));
}

void acpi_tables_put_u64(uint32_t at, uint64_t value)
{
	acpi_tables_put_u32(at, (uint32_t)value);
	acpi_tables_put_u32(at + 4, (uint32_t)(value >> 32));
}

/* Make [start, start + bytes) sum to zero by its byte `at`. */
void acpi_tables_seal(uint32_t start, uint32_t bytes, uint32_t at)
{
	uint8_t sum = 0;

	acpi_tables_memory[at] = 0;
	for (uint32_t i = 0; i < bytes; i++)
		sum = (uint8_t)(sum + acpi_tables_memory[start + i]);
	acpi_tables_memory[at] = (uint8_t)-sum;
}

void acpi_tables_seal_table(uint32_t start)
{
	uint32_t length;

	memcpy(&length, acpi_tables_memory + start + 4, sizeof(length));
	acpi_tables_seal(start, length, start + 9);
}

void acpi_tables_put_signature(uint32_t start, const char *signature)
{
	for (uint32_t i = 0; signature[i] != '\0'; i++)
		acpi_tables_memory[start + i] = (uint8_t)signature[i];
}

void acpi_tables_put_header(uint32_t start, const char *signature, uint32_t length)
{
	acpi_tables_put_signature(start, signature);
	acpi_tables_put_u32(start + 4, length);
}

void acpi_tables_put_rsdp(uint32_t at, uint8_t revision)
{
	acpi_tables_put_signature(at, "RSD PTR ");
	acpi_tables_memory[at + 15] = revision;
	acpi_tables_put_u32(at + 16, ROOT);
	acpi_tables_seal(at, 20, at + 8);
	if (revision >= 2) {
		acpi_tables_put_u32(at + 20, 36);
		acpi_tables_put_u64(at + 24, ROOT);
		acpi_tables_seal(at, 36, at + 32);
	}
}

void acpi_tables_put_cpu(uint32_t *at, uint8_t id, uint32_t flags)
{
	acpi_tables_memory[*at] = 0;
	acpi_tables_memory[*at + 1] = 8;
	acpi_tables_memory[*at + 3] = id;
	acpi_tables_put_u32(*at + 4, flags);
	*at += 8;
}

void acpi_tables_put_x2apic_cpu(uint32_t *at, uint32_t id, uint32_t flags)
{
	acpi_tables_memory[*at] = 9;
	acpi_tables_memory[*at + 1] = 16;
	acpi_tables_put_u32(*at + 4, id);
	acpi_tables_put_u32(*at + 8, flags);
	*at += 16;
}

void acpi_tables_put_io_apic(uint32_t *at, uint32_t address, uint32_t gsi_base)
{
	acpi_tables_memory[*at] = 1;
	acpi_tables_memory[*at + 1] = 12;
	acpi_tables_memory[*at + 2] = 9; /* its id: of no use */
	acpi_tables_put_u32(*at + 4, address);
	acpi_tables_put_u32(*at + 8, gsi_base);
	*at += 12;
}

void acpi_tables_put_override(uint32_t *at, uint8_t bus, uint8_t source, uint32_t gsi, uint16_t flags)
{
	acpi_tables_memory[*at] = 2;
	acpi_tables_memory[*at + 1] = 10;
	acpi_tables_memory[*at + 2] = bus;
	acpi_tables_memory[*at + 3] = source;
	acpi_tables_put_u32(*at + 4, gsi);
	acpi_tables_put_u16(*at + 8, flags);
	*at += 10;
}

void acpi_tables_finish_madt(uint32_t end)
{
	acpi_tables_put_header(MADT, "APIC", end - MADT);
	acpi_tables_put_u32(MADT + HEADER, (uint32_t)LOCAL_APIC);
	acpi_tables_seal_table(MADT);
}

void acpi_tables_put_fadt(uint32_t flags)
{
	acpi_tables_put_header(FADT, "FACP", FADT_BYTES);
	acpi_tables_put_u32(FADT + 76, 0x608);
	acpi_tables_memory[FADT + 91] = 4;
	acpi_tables_put_u32(FADT + 112, flags);
	acpi_tables_seal_table(FADT);
}

/* Two CPUs and a PM timer, by way of an XSDT with a null entry in it. */
void acpi_tables_put_good_machine(void)
{
	uint32_t at = MADT + MADT_HEADER;

	memset(acpi_tables_memory, 0, sizeof(acpi_tables_memory));
	acpi_tables_put_rsdp(RSDP, 2);
	acpi_tables_put_header(ROOT, "XSDT", HEADER + 24);
	acpi_tables_put_u64(ROOT + HEADER, FADT);
	acpi_tables_put_u64(ROOT + HEADER + 16, MADT);
	acpi_tables_seal_table(ROOT);
	acpi_tables_put_cpu(&at, 0, ENABLED);
	acpi_tables_put_cpu(&at, BOOT_ID, ENABLED);
	acpi_tables_finish_madt(at);
	acpi_tables_put_fadt(0);
}

enum status acpi_tables_collect(struct acpi_machine *machine)
{
	const enum status status = acpi_collect(acpi_tables_map, paddr_from_u64(RSDP), BOOT_ID, machine);

	/* Whatever the tables say, the machine can run. */
	assert_true(machine->cpus >= 1 && machine->cpus <= ACPI_MAX_CPUS);
	assert_int_equal(machine->local_apic_id[0], BOOT_ID);
	assert_true(machine->local_apic != 0 && machine->local_apic % PAGE_SIZE == 0);
	assert_true(machine->interrupts.io_apics <= ACPI_MAX_IO_APICS);
	for (uint32_t i = 0; i < machine->interrupts.io_apics; i++) {
		const uint64_t address = paddr_to_u64(machine->interrupts.io_apic[i].address);

		assert_true(address != 0 && address % 16 == 0 && address <= UINT32_MAX);
		for (uint32_t j = 0; j < i; j++)
			assert_true(paddr_to_u64(machine->interrupts.io_apic[j].address) != address);
	}
	for (uint32_t i = 0; i < machine->cpus; i++) {
		for (uint32_t j = 0; j < i; j++)
			assert_int_not_equal(machine->local_apic_id[i], machine->local_apic_id[j]);
	}
	return status;
}

int acpi_tables_reset(void **state)
{
	(void)state;
	acpi_tables_put_good_machine();
	return 0;
}

int acpi_tables_forget(void **state)
{
	(void)state;
	free(mapped);
	mapped = NULL;
	return 0;
}
