/*
 * ACPI tables for tests: a machine's memory with tables in it that a test may write to, and sums that it makes right.
 * acpi_tables_reset puts a good machine there; after the other functions of the kind put_ the table is to be sealed.
 */
#ifndef CAPOS_TESTS_HOST_ACPI_TABLES_H
#define CAPOS_TESTS_HOST_ACPI_TABLES_H

#include <stdint.h>

#include "abi/status.h"
#include "kernel/boot/acpi.h"

/* Where they lie. */
#define MEMORY_BYTES 0x110000u
#define RSDP 0xf0010u
#define ROOT 0x1000u
#define MADT 0x2000u
#define FADT 0x3003u /* tables need not be aligned */
#define EBDA 0x9fc00u
#define HEADER 36u
#define MADT_HEADER 44u
#define FADT_BYTES 244u
#define LOCAL_APIC UINT64_C(0xfee00000)
#define BOOT_ID 1u
#define ENABLED 1u
#define ONLINE_CAPABLE 2u

extern uint8_t acpi_tables_memory[MEMORY_BYTES];

/* What the callback promises and no more: as many bytes as were asked for, and gone at the next call. */
const void *acpi_tables_map(paddr_t address, uint64_t bytes);

void acpi_tables_put_u16(uint32_t at, uint16_t value);
void acpi_tables_put_u32(uint32_t at, uint32_t value);
void acpi_tables_put_u64(uint32_t at, uint64_t value);
void acpi_tables_put_signature(uint32_t start, const char *signature);
void acpi_tables_put_header(uint32_t start, const char *signature, uint32_t length);
void acpi_tables_put_rsdp(uint32_t at, uint8_t revision);

/* Make [start, start + bytes) sum to zero by its byte `at`; the same for a table as long as it says. */
void acpi_tables_seal(uint32_t start, uint32_t bytes, uint32_t at);
void acpi_tables_seal_table(uint32_t start);

/* Entries of the MADT, at *at, which moves behind them. And its header, with the sum. */
void acpi_tables_put_cpu(uint32_t *at, uint8_t id, uint32_t flags);
void acpi_tables_put_x2apic_cpu(uint32_t *at, uint32_t id, uint32_t flags);
void acpi_tables_put_io_apic(uint32_t *at, uint32_t address, uint32_t gsi_base);
void acpi_tables_put_override(uint32_t *at, uint8_t bus, uint8_t source, uint32_t gsi, uint16_t flags);
void acpi_tables_finish_madt(uint32_t end);

void acpi_tables_put_fadt(uint32_t flags);

/* Two CPUs and a PM timer, by way of an XSDT with a null entry in it. */
void acpi_tables_put_good_machine(void);

/* acpi_collect; and whatever the tables say, the machine can run. */
enum status acpi_tables_collect(struct acpi_machine *machine);

/* Before and after each test. */
int acpi_tables_reset(void **state);
int acpi_tables_forget(void **state);

#endif
