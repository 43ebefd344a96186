/* links: kernel/boot/acpi.c tests/host/acpi_tables.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/check.h"
#include "tests/host/acpi_tables.h"
#include "tests/host/host_support.h"

static void test_good(void **state)
{
	struct acpi_machine machine;

	(void)state;
	assert_int_equal(acpi_tables_collect(&machine), STATUS_OK);
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
	acpi_tables_put_rsdp(RSDP, 0);
	acpi_tables_put_header(ROOT, "RSDT", HEADER + 8);
	acpi_tables_put_u32(ROOT + HEADER, MADT);
	acpi_tables_put_u32(ROOT + HEADER + 4, FADT);
	acpi_tables_seal_table(ROOT);
	assert_int_equal(acpi_tables_collect(&machine), STATUS_OK);
	assert_int_equal(machine.cpus, 2);
	assert_int_equal(machine.pm_timer_port, 0x608);
}

static void test_madt_entries(void **state)
{
	struct acpi_machine machine;
	uint32_t at = MADT + MADT_HEADER;

	(void)state;
	acpi_tables_put_cpu(&at, 7, ONLINE_CAPABLE);
	acpi_tables_put_cpu(&at, BOOT_ID, ENABLED);
	acpi_tables_put_cpu(&at, 3, 0);          /* neither there nor to come */
	acpi_tables_put_cpu(&at, 0xff, ENABLED); /* broadcast */
	acpi_tables_put_x2apic_cpu(&at, 300, ENABLED);
	acpi_tables_put_x2apic_cpu(&at, BOOT_ID, ENABLED); /* the same CPU again */
	acpi_tables_put_x2apic_cpu(&at, UINT32_MAX, ENABLED);
	acpi_tables_put_cpu(&at, 4, ENABLED | ONLINE_CAPABLE);
	acpi_tables_memory[at] = 5; /* local APIC address override */
	acpi_tables_memory[at + 1] = 12;
	acpi_tables_put_u64(at + 4, UINT64_C(0x4fee00000));
	at += 12;
	acpi_tables_memory[at] = 200; /* a type of the future */
	acpi_tables_memory[at + 1] = 2;
	at += 2;
	acpi_tables_finish_madt(at);

	assert_int_equal(acpi_tables_collect(&machine), STATUS_OK);
	assert_int_equal(machine.cpus, 4);
	assert_int_equal(machine.local_apic_id[1], 300);
	assert_int_equal(machine.local_apic_id[2], 4);
	assert_int_equal(machine.local_apic_id[3], 7); /* not there yet, so last */
	assert_int_equal(machine.local_apic, UINT64_C(0x4fee00000));
}

static void test_too_many_cpus(void **state)
{
	struct acpi_machine machine;
	uint32_t at = MADT + MADT_HEADER;

	(void)state;
	for (uint8_t id = 0; id < ACPI_MAX_CPUS + 6; id++)
		acpi_tables_put_cpu(&at, id, ENABLED);
	acpi_tables_finish_madt(at);
	assert_int_equal(acpi_tables_collect(&machine), STATUS_OK);
	assert_int_equal(machine.cpus, ACPI_MAX_CPUS);
	assert_int_equal(machine.cpus_left_out, 6);
}

/* A fault in one of the two tables costs nothing of the other. */
static void expect_bad_madt(enum status expected)
{
	struct acpi_machine machine;

	assert_int_equal(acpi_tables_collect(&machine), expected);
	assert_int_equal(machine.cpus, 1);
	assert_int_equal(machine.local_apic, ACPI_LOCAL_APIC_DEFAULT);
	assert_int_equal(machine.pm_timer_port, 0x608);
}

static void test_bad_madt(void **state)
{
	const uint32_t last = MADT + MADT_HEADER + 8;

	(void)state;
	acpi_tables_memory[MADT + 20]++;
	expect_bad_madt(STATUS_ACPI_BAD_CHECKSUM);

	acpi_tables_put_good_machine();
	acpi_tables_memory[last + 1] = 0; /* an entry that would never end */
	acpi_tables_seal_table(MADT);
	expect_bad_madt(STATUS_ACPI_BAD_TABLE);

	acpi_tables_put_good_machine();
	acpi_tables_memory[last + 1] = 9; /* one byte past the table */
	acpi_tables_seal_table(MADT);
	expect_bad_madt(STATUS_ACPI_BAD_TABLE);

	acpi_tables_put_good_machine();
	acpi_tables_put_header(MADT, "APIC", MADT_HEADER + 9); /* an entry of one byte */
	acpi_tables_seal_table(MADT);
	expect_bad_madt(STATUS_ACPI_BAD_TABLE);

	acpi_tables_put_good_machine();
	acpi_tables_put_header(MADT, "APIC", MADT_HEADER - 1);
	acpi_tables_seal_table(MADT);
	expect_bad_madt(STATUS_ACPI_BAD_TABLE);

	acpi_tables_put_good_machine();
	acpi_tables_put_u32(MADT + HEADER, (uint32_t)LOCAL_APIC + 8);
	acpi_tables_seal_table(MADT);
	expect_bad_madt(STATUS_ACPI_BAD_TABLE);

	acpi_tables_put_good_machine();
	acpi_tables_put_u32(MADT + 4, HEADER - 1);
	expect_bad_madt(STATUS_ACPI_BAD_TABLE);

	acpi_tables_put_good_machine();
	acpi_tables_put_u32(MADT + 4, UINT32_MAX);
	expect_bad_madt(STATUS_ACPI_BAD_TABLE);

	acpi_tables_put_good_machine();
	acpi_tables_put_u32(MADT + 4, 0x100000); /* allowed, but not all of it is memory */
	memmove(acpi_tables_memory + MEMORY_BYTES - 0x1000, acpi_tables_memory + MADT, 0x100);
	acpi_tables_put_u64(ROOT + HEADER + 16, MEMORY_BYTES - 0x1000);
	acpi_tables_seal_table(ROOT);
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
	memset(acpi_tables_memory + at, 0xee, 64);
	for (uint32_t i = 0; i < COUNT_OF(entries); i++) {
		acpi_tables_memory[at] = entries[i].type;
		acpi_tables_memory[at + 1] = entries[i].bytes;
		if (entries[i].type == 1)
			acpi_tables_put_u32(at + 4, 0xfec00000);
		if (entries[i].type == 2)
			acpi_tables_put_u16(at + 2, 4 << 8); /* ISA interrupt 4 */
		if (entries[i].type == 2)
			acpi_tables_memory[at + 8] = 0xf;
		at += acpi_tables_memory[at + 1];
	}
	acpi_tables_finish_madt(at);
	assert_int_equal(acpi_tables_collect(&machine), STATUS_OK);
	assert_int_equal(machine.cpus, 1);
	assert_int_equal(machine.local_apic, LOCAL_APIC);
	assert_int_equal(machine.interrupts.io_apics, 0);
	assert_int_equal(machine.interrupts.isa[4].gsi, 4);
	assert_false(machine.interrupts.isa[4].is_level);
}

static void test_fadt(void **state)
{
	struct acpi_machine machine;

	(void)state;
	acpi_tables_put_fadt(1u << 8);
	assert_int_equal(acpi_tables_collect(&machine), STATUS_OK);
	assert_true(machine.pm_timer_is_32_bit);

	acpi_tables_put_fadt(1u << 20); /* hardware-reduced: the field means nothing */
	assert_int_equal(acpi_tables_collect(&machine), STATUS_OK);
	assert_int_equal(machine.pm_timer_port, 0);

	acpi_tables_put_good_machine();
	acpi_tables_memory[FADT + 208] = 1; /* extended address in I/O space */
	acpi_tables_put_u64(FADT + 212, 0xb008);
	acpi_tables_seal_table(FADT);
	assert_int_equal(acpi_tables_collect(&machine), STATUS_OK);
	assert_int_equal(machine.pm_timer_port, 0xb008);

	acpi_tables_memory[FADT + 208] = 0; /* in memory space: the old field holds */
	acpi_tables_seal_table(FADT);
	assert_int_equal(acpi_tables_collect(&machine), STATUS_OK);
	assert_int_equal(machine.pm_timer_port, 0x608);

	acpi_tables_memory[FADT + 91] = 0; /* no timer block */
	acpi_tables_seal_table(FADT);
	assert_int_equal(acpi_tables_collect(&machine), STATUS_OK);
	assert_int_equal(machine.pm_timer_port, 0);
}

static void test_bad_fadt(void **state)
{
	struct acpi_machine machine;

	(void)state;
	acpi_tables_put_u32(FADT + 76, 0x10608);
	acpi_tables_seal_table(FADT);
	assert_int_equal(acpi_tables_collect(&machine), STATUS_ACPI_BAD_TABLE);
	assert_int_equal(machine.pm_timer_port, 0);
	assert_int_equal(machine.cpus, 2);

	acpi_tables_put_good_machine();
	acpi_tables_put_header(FADT, "FACP", 115);
	acpi_tables_seal_table(FADT);
	assert_int_equal(acpi_tables_collect(&machine), STATUS_ACPI_BAD_TABLE);
	assert_int_equal(machine.cpus, 2);
}

static void expect_no_tables(enum status expected)
{
	struct acpi_machine machine;

	assert_int_equal(acpi_tables_collect(&machine), expected);
	assert_int_equal(machine.cpus, 1);
	assert_int_equal(machine.local_apic, ACPI_LOCAL_APIC_DEFAULT);
	assert_int_equal(machine.pm_timer_port, 0);
}

static void test_bad_root(void **state)
{
	(void)state;
	acpi_tables_memory[RSDP] = 'X';
	expect_no_tables(STATUS_ACPI_NOT_FOUND);

	acpi_tables_put_good_machine();
	acpi_tables_memory[RSDP + 10]++;
	expect_no_tables(STATUS_ACPI_BAD_CHECKSUM);

	acpi_tables_put_good_machine();
	acpi_tables_memory[RSDP + 33]++; /* in the extended part only */
	expect_no_tables(STATUS_ACPI_BAD_CHECKSUM);

	acpi_tables_put_good_machine();
	acpi_tables_put_u32(RSDP + 20, 35);
	expect_no_tables(STATUS_ACPI_BAD_TABLE);
	acpi_tables_put_u32(RSDP + 20, UINT32_MAX);
	expect_no_tables(STATUS_ACPI_BAD_TABLE);

	acpi_tables_put_good_machine();
	acpi_tables_put_u64(RSDP + 24, UINT64_MAX - 8);
	acpi_tables_seal(RSDP, 36, RSDP + 32);
	expect_no_tables(STATUS_ACPI_NOT_FOUND);

	acpi_tables_put_good_machine();
	acpi_tables_put_signature(ROOT, "RSDT");
	acpi_tables_seal_table(ROOT);
	expect_no_tables(STATUS_ACPI_BAD_TABLE);

	acpi_tables_put_good_machine();
	acpi_tables_put_u32(ROOT + 4, HEADER + 8 * 513);
	acpi_tables_seal_table(ROOT);
	expect_no_tables(STATUS_ACPI_BAD_TABLE);
}

static void test_bad_root_entry(void **state)
{
	struct acpi_machine machine;

	(void)state;
	acpi_tables_put_u64(ROOT + HEADER + 8, MEMORY_BYTES - HEADER + 1);
	acpi_tables_seal_table(ROOT);
	assert_int_equal(acpi_tables_collect(&machine), STATUS_ACPI_NOT_FOUND);
	assert_int_equal(machine.cpus, 2);
	assert_int_equal(machine.pm_timer_port, 0x608);
}

static void test_find_rsdp(void **state)
{
	paddr_t found;

	(void)state;
	assert_int_equal(acpi_find_rsdp(acpi_tables_map, &found), STATUS_OK);
	assert_int_equal(paddr_to_u64(found), RSDP);

	acpi_tables_put_u16(0x40e, EBDA >> 4);
	acpi_tables_put_rsdp(EBDA + 0x3e0, 0);
	assert_int_equal(acpi_find_rsdp(acpi_tables_map, &found), STATUS_OK);
	assert_int_equal(paddr_to_u64(found), EBDA + 0x3e0);

	/* A segment that is none is not followed. */
	acpi_tables_put_u16(0x40e, 0x1000);
	acpi_tables_put_rsdp(0x10000, 0);
	assert_int_equal(acpi_find_rsdp(acpi_tables_map, &found), STATUS_OK);
	assert_int_equal(paddr_to_u64(found), RSDP);

	acpi_tables_memory[RSDP + 9]++;
	acpi_tables_put_rsdp(RSDP + 8 + 0x100, 0); /* not on 16 bytes */
	assert_int_equal(acpi_find_rsdp(acpi_tables_map, &found), STATUS_ACPI_NOT_FOUND);
}

/* One entry of each type that is read. */
static void put_each_entry(void)
{
	uint32_t at = MADT + MADT_HEADER;

	acpi_tables_put_cpu(&at, 0, ENABLED);
	acpi_tables_put_x2apic_cpu(&at, BOOT_ID, ENABLED);
	acpi_tables_put_io_apic(&at, 0xfec00000, 0);
	acpi_tables_put_override(&at, 0, 4, 20, 0xf);
	acpi_tables_finish_madt(at);
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

		acpi_tables_put_good_machine();
		put_each_entry();
		for (uint64_t damage = host_random_below(&random, 4) + 1; damage > 0; damage--) {
			const uint32_t table = tables[host_random_below(&random, COUNT_OF(tables))];

			acpi_tables_memory[table + host_random_below(&random, 96)] = (uint8_t)host_random_u64(&random);
		}
		for (uint32_t i = 0; i < 3; i++) {
			uint32_t length;

			memcpy(&length, acpi_tables_memory + tables[i] + 4, sizeof(length));
			if (length >= HEADER && length <= MEMORY_BYTES - tables[i])
				acpi_tables_seal_table(tables[i]);
		}
		acpi_tables_seal(RSDP, 20, RSDP + 8);
		acpi_tables_seal(RSDP, 36, RSDP + 32);
		(void)(acpi_tables_collect(&machine) == STATUS_OK);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, acpi_tables_reset, acpi_tables_forget),
		cmocka_unit_test_setup_teardown(test_version_1, acpi_tables_reset, acpi_tables_forget),
		cmocka_unit_test_setup_teardown(test_madt_entries, acpi_tables_reset, acpi_tables_forget),
		cmocka_unit_test_setup_teardown(test_too_many_cpus, acpi_tables_reset, acpi_tables_forget),
		cmocka_unit_test_setup_teardown(test_bad_madt, acpi_tables_reset, acpi_tables_forget),
		cmocka_unit_test_setup_teardown(test_short_entries, acpi_tables_reset, acpi_tables_forget),
		cmocka_unit_test_setup_teardown(test_fadt, acpi_tables_reset, acpi_tables_forget),
		cmocka_unit_test_setup_teardown(test_bad_fadt, acpi_tables_reset, acpi_tables_forget),
		cmocka_unit_test_setup_teardown(test_bad_root, acpi_tables_reset, acpi_tables_forget),
		cmocka_unit_test_setup_teardown(test_bad_root_entry, acpi_tables_reset, acpi_tables_forget),
		cmocka_unit_test_setup_teardown(test_find_rsdp, acpi_tables_reset, acpi_tables_forget),
		cmocka_unit_test_setup_teardown(test_random_damage, acpi_tables_reset, acpi_tables_forget),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
