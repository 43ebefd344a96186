/* links: kernel/boot/acpi.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "kernel/boot/acpi.h"
#include "lib/check.h"
#include "tests/host/host_support.h"

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

static uint8_t memory[MEMORY_BYTES];
static uint8_t *mapped;

/* What the callback promises and no more: as many bytes as were asked for, and gone at the next call. */
static const void *map(paddr_t address, uint64_t bytes)
{
	free(mapped);
	mapped = NULL;
	if (bytes > MEMORY_BYTES || paddr_to_u64(address) > MEMORY_BYTES - bytes)
		return NULL;
	mapped = malloc(bytes);
	assert_non_null(mapped);
	memcpy(mapped, memory + paddr_to_u64(address), bytes);
	return mapped;
}

static void put_u16(uint32_t at, uint16_t value)
{
	memory[at] = (uint8_t)value;
	memory[at + 1] = (uint8_t)(value >> 8);
}

static void put_u32(uint32_t at, uint32_t value)
{
	put_u16(at, (uint16_t)value);
	put_u16(at + 2, (uint16_t)(value >> 16));
}

static void put_u64(uint32_t at, uint64_t value)
{
	put_u32(at, (uint32_t)value);
	put_u32(at + 4, (uint32_t)(value >> 32));
}

/* Make [start, start + bytes) sum to zero by its byte `at`. */
static void seal(uint32_t start, uint32_t bytes, uint32_t at)
{
	uint8_t sum = 0;

	memory[at] = 0;
	for (uint32_t i = 0; i < bytes; i++)
		sum = (uint8_t)(sum + memory[start + i]);
	memory[at] = (uint8_t)-sum;
}

static void seal_table(uint32_t start)
{
	uint32_t length;

	memcpy(&length, memory + start + 4, sizeof(length));
	seal(start, length, start + 9);
}

static void put_signature(uint32_t start, const char *signature)
{
	for (uint32_t i = 0; signature[i] != '\0'; i++)
		memory[start + i] = (uint8_t)signature[i];
}

static void put_header(uint32_t start, const char *signature, uint32_t length)
{
	put_signature(start, signature);
	put_u32(start + 4, length);
}

static void put_rsdp(uint32_t at, uint8_t revision)
{
	put_signature(at, "RSD PTR ");
	memory[at + 15] = revision;
	put_u32(at + 16, ROOT);
	seal(at, 20, at + 8);
	if (revision >= 2) {
		put_u32(at + 20, 36);
		put_u64(at + 24, ROOT);
		seal(at, 36, at + 32);
	}
}

static void put_cpu(uint32_t *at, uint8_t id, uint32_t flags)
{
	memory[*at] = 0;
	memory[*at + 1] = 8;
	memory[*at + 3] = id;
	put_u32(*at + 4, flags);
	*at += 8;
}

static void put_x2apic_cpu(uint32_t *at, uint32_t id, uint32_t flags)
{
	memory[*at] = 9;
	memory[*at + 1] = 16;
	put_u32(*at + 4, id);
	put_u32(*at + 8, flags);
	*at += 16;
}

static void put_io_apic(uint32_t *at, uint32_t address, uint32_t gsi_base)
{
	memory[*at] = 1;
	memory[*at + 1] = 12;
	memory[*at + 2] = 9; /* its id: of no use */
	put_u32(*at + 4, address);
	put_u32(*at + 8, gsi_base);
	*at += 12;
}

static void put_override(uint32_t *at, uint8_t bus, uint8_t source, uint32_t gsi, uint16_t flags)
{
	memory[*at] = 2;
	memory[*at + 1] = 10;
	memory[*at + 2] = bus;
	memory[*at + 3] = source;
	put_u32(*at + 4, gsi);
	put_u16(*at + 8, flags);
	*at += 10;
}

static void finish_madt(uint32_t end)
{
	put_header(MADT, "APIC", end - MADT);
	put_u32(MADT + HEADER, (uint32_t)LOCAL_APIC);
	seal_table(MADT);
}

static void put_fadt(uint32_t flags)
{
	put_header(FADT, "FACP", FADT_BYTES);
	put_u32(FADT + 76, 0x608);
	memory[FADT + 91] = 4;
	put_u32(FADT + 112, flags);
	seal_table(FADT);
}

/* Two CPUs and a PM timer, by way of an XSDT with a null entry in it. */
static void put_good_machine(void)
{
	uint32_t at = MADT + MADT_HEADER;

	memset(memory, 0, sizeof(memory));
	put_rsdp(RSDP, 2);
	put_header(ROOT, "XSDT", HEADER + 24);
	put_u64(ROOT + HEADER, FADT);
	put_u64(ROOT + HEADER + 16, MADT);
	seal_table(ROOT);
	put_cpu(&at, 0, ENABLED);
	put_cpu(&at, BOOT_ID, ENABLED);
	finish_madt(at);
	put_fadt(0);
}

static enum status collect(struct acpi_machine *machine)
{
	const enum status status = acpi_collect(map, paddr_from_u64(RSDP), BOOT_ID, machine);

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

static int reset(void **state)
{
	(void)state;
	put_good_machine();
	return 0;
}

static int forget(void **state)
{
	(void)state;
	free(mapped);
	mapped = NULL;
	return 0;
}

static void test_good(void **state)
{
	struct acpi_machine machine;

	(void)state;
	assert_int_equal(collect(&machine), STATUS_OK);
	assert_int_equal(machine.cpus, 2);
	assert_int_equal(machine.cpus_left_out, 0);
	assert_int_equal(machine.local_apic_id[1], 0); /* the boot CPU comes first, not the MADT's first */
	assert_int_equal(machine.local_apic, LOCAL_APIC);
	assert_int_equal(machine.pm_timer_port, 0x608);
	assert_false(machine.pm_timer_is_32_bit);
}

static void test_version_1(void **state)
{
	struct acpi_machine machine;

	(void)state;
	put_rsdp(RSDP, 0);
	put_header(ROOT, "RSDT", HEADER + 8);
	put_u32(ROOT + HEADER, MADT);
	put_u32(ROOT + HEADER + 4, FADT);
	seal_table(ROOT);
	assert_int_equal(collect(&machine), STATUS_OK);
	assert_int_equal(machine.cpus, 2);
	assert_int_equal(machine.pm_timer_port, 0x608);
}

static void test_madt_entries(void **state)
{
	struct acpi_machine machine;
	uint32_t at = MADT + MADT_HEADER;

	(void)state;
	put_cpu(&at, 7, ONLINE_CAPABLE);
	put_cpu(&at, BOOT_ID, ENABLED);
	put_cpu(&at, 3, 0);          /* neither there nor to come */
	put_cpu(&at, 0xff, ENABLED); /* broadcast */
	put_x2apic_cpu(&at, 300, ENABLED);
	put_x2apic_cpu(&at, BOOT_ID, ENABLED); /* the same CPU again */
	put_x2apic_cpu(&at, UINT32_MAX, ENABLED);
	put_cpu(&at, 4, ENABLED | ONLINE_CAPABLE);
	memory[at] = 5; /* local APIC address override */
	memory[at + 1] = 12;
	put_u64(at + 4, UINT64_C(0x4fee00000));
	at += 12;
	memory[at] = 200; /* a type of the future */
	memory[at + 1] = 2;
	at += 2;
	finish_madt(at);

	assert_int_equal(collect(&machine), STATUS_OK);
	assert_int_equal(machine.cpus, 4);
	assert_int_equal(machine.local_apic_id[1], 300);
	assert_int_equal(machine.local_apic_id[2], 4);
	assert_int_equal(machine.local_apic_id[3], 7); /* not there yet, so last */
	assert_int_equal(machine.local_apic, UINT64_C(0x4fee00000));
}

static void expect_isa(const struct acpi_machine *machine, uint32_t irq, uint32_t gsi, bool is_level, bool is_low)
{
	assert_int_equal(machine->interrupts.isa[irq].gsi, gsi);
	assert_int_equal(machine->interrupts.isa[irq].is_level, is_level);
	assert_int_equal(machine->interrupts.isa[irq].is_active_low, is_low);
}

static void expect_isa_as_the_bus(const struct acpi_machine *machine)
{
	for (uint32_t irq = 0; irq < ACPI_ISA_INTERRUPTS; irq++)
		expect_isa(machine, irq, irq, false, false);
}

static void test_io_apics(void **state)
{
	struct acpi_machine machine;
	uint32_t at = MADT + MADT_HEADER;

	(void)state;
	assert_int_equal(collect(&machine), STATUS_OK);
	assert_int_equal(machine.interrupts.io_apics, 0);

	put_io_apic(&at, 0xfec00000, 0);
	put_io_apic(&at, 0, 24);          /* nowhere */
	put_io_apic(&at, 0xfec01008, 24); /* not where registers can be */
	put_io_apic(&at, 0xfec00000, 24); /* the same once more */
	put_io_apic(&at, 0xfffffff0, UINT32_MAX);
	finish_madt(at);
	assert_int_equal(collect(&machine), STATUS_OK);
	assert_int_equal(machine.interrupts.io_apics, 2);
	assert_int_equal(paddr_to_u64(machine.interrupts.io_apic[0].address), 0xfec00000);
	assert_int_equal(machine.interrupts.io_apic[0].gsi_base, 0);
	assert_int_equal(paddr_to_u64(machine.interrupts.io_apic[1].address), 0xfffffff0);
	assert_int_equal(machine.interrupts.io_apic[1].gsi_base, UINT32_MAX);

	at = MADT + MADT_HEADER;
	for (uint32_t i = 0; i < ACPI_MAX_IO_APICS + 5; i++)
		put_io_apic(&at, 0xfec00000 + i * 0x1000, i * 24);
	finish_madt(at);
	assert_int_equal(collect(&machine), STATUS_OK);
	assert_int_equal(machine.interrupts.io_apics, ACPI_MAX_IO_APICS);
	expect_isa_as_the_bus(&machine);
}

static void test_overrides(void **state)
{
	struct acpi_machine machine;
	uint32_t at = MADT + MADT_HEADER;

	(void)state;
	put_override(&at, 0, 0, 2, 0);             /* as the bus has it */
	put_override(&at, 0, 1, 17, 0x5);          /* high, edge */
	put_override(&at, 0, 4, 20, 0xf);          /* low, level */
	put_override(&at, 0, 5, 5, 0xd);           /* high, level */
	put_override(&at, 0, 15, UINT32_MAX, 0x3); /* low, as the bus: edge */
	put_override(&at, 0, 9, 9, 0xf);
	put_override(&at, 0, 9, 30, 0xfff0); /* the last one counts; bits without a meaning */
	finish_madt(at);
	assert_int_equal(collect(&machine), STATUS_OK);
	expect_isa(&machine, 0, 2, false, false);
	expect_isa(&machine, 1, 17, false, false);
	expect_isa(&machine, 2, 2, false, false);
	expect_isa(&machine, 4, 20, true, true);
	expect_isa(&machine, 5, 5, true, false);
	expect_isa(&machine, 15, UINT32_MAX, false, true);
	expect_isa(&machine, 9, 30, false, false);
}

/* They say nothing: another bus, no interrupt of it, a mode that is reserved, a table that is not whole. */
static void test_bad_overrides(void **state)
{
	struct acpi_machine machine;
	uint32_t at = MADT + MADT_HEADER;

	(void)state;
	put_override(&at, 1, 4, 20, 0xf);
	put_override(&at, 0, 16, 20, 0xf);
	put_override(&at, 0, 255, 20, 0xf);
	put_override(&at, 0, 4, 20, 0xe); /* polarity 2 */
	put_override(&at, 0, 4, 20, 0xb); /* trigger 2 */
	finish_madt(at);
	assert_int_equal(collect(&machine), STATUS_OK);
	expect_isa_as_the_bus(&machine);

	at = MADT + MADT_HEADER;
	put_io_apic(&at, 0xfec00000, 0);
	put_override(&at, 0, 4, 20, 0xf);
	finish_madt(at);
	memory[at - 9]++; /* its length: one byte past the table */
	seal_table(MADT);
	assert_int_equal(collect(&machine), STATUS_ACPI_BAD_TABLE);
	assert_int_equal(machine.interrupts.io_apics, 0);
	expect_isa_as_the_bus(&machine);
}

static void test_too_many_cpus(void **state)
{
	struct acpi_machine machine;
	uint32_t at = MADT + MADT_HEADER;

	(void)state;
	for (uint8_t id = 0; id < ACPI_MAX_CPUS + 6; id++)
		put_cpu(&at, id, ENABLED);
	finish_madt(at);
	assert_int_equal(collect(&machine), STATUS_OK);
	assert_int_equal(machine.cpus, ACPI_MAX_CPUS);
	assert_int_equal(machine.cpus_left_out, 6);
}

/* A fault in one of the two tables costs nothing of the other. */
static void expect_bad_madt(enum status expected)
{
	struct acpi_machine machine;

	assert_int_equal(collect(&machine), expected);
	assert_int_equal(machine.cpus, 1);
	assert_int_equal(machine.local_apic, ACPI_LOCAL_APIC_DEFAULT);
	assert_int_equal(machine.pm_timer_port, 0x608);
}

static void test_bad_madt(void **state)
{
	const uint32_t last = MADT + MADT_HEADER + 8;

	(void)state;
	memory[MADT + 20]++;
	expect_bad_madt(STATUS_ACPI_BAD_CHECKSUM);

	put_good_machine();
	memory[last + 1] = 0; /* an entry that would never end */
	seal_table(MADT);
	expect_bad_madt(STATUS_ACPI_BAD_TABLE);

	put_good_machine();
	memory[last + 1] = 9; /* one byte past the table */
	seal_table(MADT);
	expect_bad_madt(STATUS_ACPI_BAD_TABLE);

	put_good_machine();
	put_header(MADT, "APIC", MADT_HEADER + 9); /* an entry of one byte */
	seal_table(MADT);
	expect_bad_madt(STATUS_ACPI_BAD_TABLE);

	put_good_machine();
	put_header(MADT, "APIC", MADT_HEADER - 1);
	seal_table(MADT);
	expect_bad_madt(STATUS_ACPI_BAD_TABLE);

	put_good_machine();
	put_u32(MADT + HEADER, (uint32_t)LOCAL_APIC + 8);
	seal_table(MADT);
	expect_bad_madt(STATUS_ACPI_BAD_TABLE);

	put_good_machine();
	put_u32(MADT + 4, HEADER - 1);
	expect_bad_madt(STATUS_ACPI_BAD_TABLE);

	put_good_machine();
	put_u32(MADT + 4, UINT32_MAX);
	expect_bad_madt(STATUS_ACPI_BAD_TABLE);

	put_good_machine();
	put_u32(MADT + 4, 0x100000); /* allowed, but not all of it is memory */
	memmove(memory + MEMORY_BYTES - 0x1000, memory + MADT, 0x100);
	put_u64(ROOT + HEADER + 16, MEMORY_BYTES - 0x1000);
	seal_table(ROOT);
	expect_bad_madt(STATUS_ACPI_NOT_FOUND);
}

/* Entries whose type needs more bytes than they have say nothing; the table is no worse for it. */
static void test_short_entries(void **state)
{
	static const struct {
		uint8_t type, bytes; /* one too few */
	} entries[] = { { 0, 7 }, { 1, 11 }, { 2, 9 }, { 5, 11 }, { 9, 15 } };
	struct acpi_machine machine;
	uint32_t at = MADT + MADT_HEADER;

	(void)state;
	memset(memory + at, 0xee, 64);
	for (uint32_t i = 0; i < COUNT_OF(entries); i++) {
		memory[at] = entries[i].type;
		memory[at + 1] = entries[i].bytes;
		if (entries[i].type == 1)
			put_u32(at + 4, 0xfec00000);
		if (entries[i].type == 2)
			put_u16(at + 2, 4 << 8); /* ISA interrupt 4 */
		if (entries[i].type == 2)
			memory[at + 8] = 0xf;
		at += memory[at + 1];
	}
	finish_madt(at);
	assert_int_equal(collect(&machine), STATUS_OK);
	assert_int_equal(machine.cpus, 1);
	assert_int_equal(machine.local_apic, LOCAL_APIC);
	assert_int_equal(machine.interrupts.io_apics, 0);
	expect_isa_as_the_bus(&machine);
}

static void test_fadt(void **state)
{
	struct acpi_machine machine;

	(void)state;
	put_fadt(1u << 8);
	assert_int_equal(collect(&machine), STATUS_OK);
	assert_true(machine.pm_timer_is_32_bit);

	put_fadt(1u << 20); /* hardware-reduced: the field means nothing */
	assert_int_equal(collect(&machine), STATUS_OK);
	assert_int_equal(machine.pm_timer_port, 0);

	put_good_machine();
	memory[FADT + 208] = 1; /* extended address in I/O space */
	put_u64(FADT + 212, 0xb008);
	seal_table(FADT);
	assert_int_equal(collect(&machine), STATUS_OK);
	assert_int_equal(machine.pm_timer_port, 0xb008);

	memory[FADT + 208] = 0; /* in memory space: the old field holds */
	seal_table(FADT);
	assert_int_equal(collect(&machine), STATUS_OK);
	assert_int_equal(machine.pm_timer_port, 0x608);

	memory[FADT + 91] = 0; /* no timer block */
	seal_table(FADT);
	assert_int_equal(collect(&machine), STATUS_OK);
	assert_int_equal(machine.pm_timer_port, 0);
}

static void test_bad_fadt(void **state)
{
	struct acpi_machine machine;

	(void)state;
	put_u32(FADT + 76, 0x10608);
	seal_table(FADT);
	assert_int_equal(collect(&machine), STATUS_ACPI_BAD_TABLE);
	assert_int_equal(machine.pm_timer_port, 0);
	assert_int_equal(machine.cpus, 2);

	put_good_machine();
	put_header(FADT, "FACP", 115);
	seal_table(FADT);
	assert_int_equal(collect(&machine), STATUS_ACPI_BAD_TABLE);
	assert_int_equal(machine.cpus, 2);
}

static void expect_no_tables(enum status expected)
{
	struct acpi_machine machine;

	assert_int_equal(collect(&machine), expected);
	assert_int_equal(machine.cpus, 1);
	assert_int_equal(machine.local_apic, ACPI_LOCAL_APIC_DEFAULT);
	assert_int_equal(machine.pm_timer_port, 0);
}

static void test_bad_root(void **state)
{
	(void)state;
	memory[RSDP] = 'X';
	expect_no_tables(STATUS_ACPI_NOT_FOUND);

	put_good_machine();
	memory[RSDP + 10]++;
	expect_no_tables(STATUS_ACPI_BAD_CHECKSUM);

	put_good_machine();
	memory[RSDP + 33]++; /* in the extended part only */
	expect_no_tables(STATUS_ACPI_BAD_CHECKSUM);

	put_good_machine();
	put_u32(RSDP + 20, 35);
	expect_no_tables(STATUS_ACPI_BAD_TABLE);
	put_u32(RSDP + 20, UINT32_MAX);
	expect_no_tables(STATUS_ACPI_BAD_TABLE);

	put_good_machine();
	put_u64(RSDP + 24, UINT64_MAX - 8);
	seal(RSDP, 36, RSDP + 32);
	expect_no_tables(STATUS_ACPI_NOT_FOUND);

	put_good_machine();
	put_signature(ROOT, "RSDT");
	seal_table(ROOT);
	expect_no_tables(STATUS_ACPI_BAD_TABLE);

	put_good_machine();
	put_u32(ROOT + 4, HEADER + 8 * 513);
	seal_table(ROOT);
	expect_no_tables(STATUS_ACPI_BAD_TABLE);
}

static void test_bad_root_entry(void **state)
{
	struct acpi_machine machine;

	(void)state;
	put_u64(ROOT + HEADER + 8, MEMORY_BYTES - HEADER + 1);
	seal_table(ROOT);
	assert_int_equal(collect(&machine), STATUS_ACPI_NOT_FOUND);
	assert_int_equal(machine.cpus, 2);
	assert_int_equal(machine.pm_timer_port, 0x608);
}

static void test_find_rsdp(void **state)
{
	paddr_t found;

	(void)state;
	assert_int_equal(acpi_find_rsdp(map, &found), STATUS_OK);
	assert_int_equal(paddr_to_u64(found), RSDP);

	put_u16(0x40e, EBDA >> 4);
	put_rsdp(EBDA + 0x3e0, 0);
	assert_int_equal(acpi_find_rsdp(map, &found), STATUS_OK);
	assert_int_equal(paddr_to_u64(found), EBDA + 0x3e0);

	/* A segment that is none is not followed. */
	put_u16(0x40e, 0x1000);
	put_rsdp(0x10000, 0);
	assert_int_equal(acpi_find_rsdp(map, &found), STATUS_OK);
	assert_int_equal(paddr_to_u64(found), RSDP);

	memory[RSDP + 9]++;
	put_rsdp(RSDP + 8 + 0x100, 0); /* not on 16 bytes */
	assert_int_equal(acpi_find_rsdp(map, &found), STATUS_ACPI_NOT_FOUND);
}

/* One entry of each type that is read. */
static void put_each_entry(void)
{
	uint32_t at = MADT + MADT_HEADER;

	put_cpu(&at, 0, ENABLED);
	put_x2apic_cpu(&at, BOOT_ID, ENABLED);
	put_io_apic(&at, 0xfec00000, 0);
	put_override(&at, 0, 4, 20, 0xf);
	finish_madt(at);
}

/* Any damage to any byte, with sums made right again so that the parsers see it: no crash, and a machine that runs. */
static void test_random_damage(void **state)
{
	struct host_random random;
	struct acpi_machine machine;

	(void)state;
	host_random_init(&random, "test_acpi", 7);
	for (uint64_t round = host_rounds(20000); round > 0; round--) {
		static const uint32_t tables[] = { ROOT, MADT, FADT, RSDP };

		put_good_machine();
		put_each_entry();
		for (uint64_t damage = host_random_below(&random, 4) + 1; damage > 0; damage--) {
			const uint32_t table = tables[host_random_below(&random, COUNT_OF(tables))];

			memory[table + host_random_below(&random, 96)] = (uint8_t)host_random_u64(&random);
		}
		for (uint32_t i = 0; i < 3; i++) {
			uint32_t length;

			memcpy(&length, memory + tables[i] + 4, sizeof(length));
			if (length >= HEADER && length <= MEMORY_BYTES - tables[i])
				seal_table(tables[i]);
		}
		seal(RSDP, 20, RSDP + 8);
		seal(RSDP, 36, RSDP + 32);
		(void)(collect(&machine) == STATUS_OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, reset, forget),
		cmocka_unit_test_setup_teardown(test_version_1, reset, forget),
		cmocka_unit_test_setup_teardown(test_madt_entries, reset, forget),
		cmocka_unit_test_setup_teardown(test_io_apics, reset, forget),
		cmocka_unit_test_setup_teardown(test_overrides, reset, forget),
		cmocka_unit_test_setup_teardown(test_bad_overrides, reset, forget),
		cmocka_unit_test_setup_teardown(test_too_many_cpus, reset, forget),
		cmocka_unit_test_setup_teardown(test_bad_madt, reset, forget),
		cmocka_unit_test_setup_teardown(test_short_entries, reset, forget),
		cmocka_unit_test_setup_teardown(test_fadt, reset, forget),
		cmocka_unit_test_setup_teardown(test_bad_fadt, reset, forget),
		cmocka_unit_test_setup_teardown(test_bad_root, reset, forget),
		cmocka_unit_test_setup_teardown(test_bad_root_entry, reset, forget),
		cmocka_unit_test_setup_teardown(test_find_rsdp, reset, forget),
		cmocka_unit_test_setup_teardown(test_random_damage, reset, forget),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
