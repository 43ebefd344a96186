/* links: kernel/boot/acpi.c tests/host/acpi_tables.c */
/* I/O APICs and where the interrupts of the ISA bus lead. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/host/acpi_tables.h"

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
	assert_int_equal(acpi_tables_collect(&machine), STATUS_OK);
	assert_int_equal(machine.interrupts.io_apics, 0);

	acpi_tables_put_io_apic(&at, 0xfec00000, 0);
	acpi_tables_put_io_apic(&at, 0, 24);          /* nowhere */
	acpi_tables_put_io_apic(&at, 0xfec01008, 24); /* not where registers can be */
	acpi_tables_put_io_apic(&at, 0xfec00000, 24); /* the same once more */
	acpi_tables_put_io_apic(&at, 0xfffffff0, UINT32_MAX);
	acpi_tables_finish_madt(at);
	assert_int_equal(acpi_tables_collect(&machine), STATUS_OK);
	assert_int_equal(machine.interrupts.io_apics, 2);
	assert_int_equal(paddr_to_u64(machine.interrupts.io_apic[0].address), 0xfec00000);
	assert_int_equal(machine.interrupts.io_apic[0].gsi_base, 0);
	assert_int_equal(paddr_to_u64(machine.interrupts.io_apic[1].address), 0xfffffff0);
	assert_int_equal(machine.interrupts.io_apic[1].gsi_base, UINT32_MAX);

	at = MADT + MADT_HEADER;
	for (uint32_t i = 0; i < ACPI_MAX_IO_APICS + 5; i++)
		acpi_tables_put_io_apic(&at, 0xfec00000 + i * 0x1000, i * 24);
	acpi_tables_finish_madt(at);
	assert_int_equal(acpi_tables_collect(&machine), STATUS_OK);
	assert_int_equal(machine.interrupts.io_apics, ACPI_MAX_IO_APICS);
	expect_isa_as_the_bus(&machine);
}

static void test_overrides(void **state)
{
	struct acpi_machine machine;
	uint32_t at = MADT + MADT_HEADER;

	(void)state;
	acpi_tables_put_override(&at, 0, 0, 2, 0);             /* as the bus has it */
	acpi_tables_put_override(&at, 0, 1, 17, 0x5);          /* high, edge */
	acpi_tables_put_override(&at, 0, 4, 20, 0xf);          /* low, level */
	acpi_tables_put_override(&at, 0, 5, 5, 0xd);           /* high, level */
	acpi_tables_put_override(&at, 0, 15, UINT32_MAX, 0x3); /* low, as the bus: edge */
	acpi_tables_put_override(&at, 0, 9, 9, 0xf);
	acpi_tables_put_override(&at, 0, 9, 30, 0xfff0); /* the last one counts; bits without a meaning */
	acpi_tables_finish_madt(at);
	assert_int_equal(acpi_tables_collect(&machine), STATUS_OK);
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
	acpi_tables_put_override(&at, 0, 16, 20, 0xf);
	acpi_tables_finish_madt(at);
	assert_int_equal(acpi_tables_collect(&machine), STATUS_OK);
	expect_isa_as_the_bus(&machine);
	assert_int_equal(machine.pm_timer_port, 0x608); /* which is said behind the last of them */

	at = MADT + MADT_HEADER;
	acpi_tables_put_override(&at, 1, 4, 20, 0xf);
	acpi_tables_put_override(&at, 0, 255, 20, 0xf);
	acpi_tables_put_override(&at, 0, 4, 20, 0xe); /* polarity 2 */
	acpi_tables_put_override(&at, 0, 4, 20, 0xb); /* trigger 2 */
	acpi_tables_finish_madt(at);
	assert_int_equal(acpi_tables_collect(&machine), STATUS_OK);
	expect_isa_as_the_bus(&machine);

	at = MADT + MADT_HEADER;
	acpi_tables_put_io_apic(&at, 0xfec00000, 0);
	acpi_tables_put_override(&at, 0, 4, 20, 0xf);
	acpi_tables_finish_madt(at);
	acpi_tables_memory[at - 9]++; /* its length: one byte past the table */
	acpi_tables_seal_table(MADT);
	assert_int_equal(acpi_tables_collect(&machine), STATUS_ACPI_BAD_TABLE);
	assert_int_equal(machine.interrupts.io_apics, 0);
	expect_isa_as_the_bus(&machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_io_apics, acpi_tables_reset, acpi_tables_forget),
		cmocka_unit_test_setup_teardown(test_overrides, acpi_tables_reset, acpi_tables_forget),
		cmocka_unit_test_setup_teardown(test_bad_overrides, acpi_tables_reset, acpi_tables_forget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
