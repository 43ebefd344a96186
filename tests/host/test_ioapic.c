/* links: kernel/arch/x86_64/ioapic.c */
/* Two I/O APICs as the data sheet has them, and places where none is. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "kernel/arch/x86_64/ioapic.h"
#include "kernel/arch/x86_64/mmio.h"
#include "lib/check.h"

#define MASKED 0x10000u
#define LEVEL 0x8000u
#define ACTIVE_LOW 0x2000u
#define LINES_MAX 240u

/* What is behind one page of registers. */
struct chip {
	uint8_t page[IOAPIC_REGISTER_BYTES]; /* only its address counts */
	bool is_there;
	uint32_t lines;
	uint32_t selected;
	uint32_t low[LINES_MAX], high[LINES_MAX];
};

static struct chip chip[3];

static struct chip *chip_of(const volatile uint8_t *registers)
{
	for (uint32_t i = 0; i < COUNT_OF(chip); i++)
		if (registers == chip[i].page)
			return &chip[i];
	fail_msg("registers of no chip");
	return NULL;
}

static uint32_t *entry_half(struct chip *of)
{
	assert_in_range(of->selected, 0x10, 0x10 + 2 * of->lines - 1);
	return of->selected % 2 == 0 ? &of->low[(of->selected - 0x10) / 2] : &of->high[(of->selected - 0x10) / 2];
}

uint32_t mmio_read(const volatile uint8_t *registers, uint32_t offset)
{
	struct chip *of = chip_of(registers);

	assert_int_equal(offset, 0x10);
	if (!of->is_there)
		return UINT32_MAX;
	if (of->selected == 1)
		return (of->lines - 1) << 16 | 0x11;
	return *entry_half(of);
}

void mmio_write(volatile uint8_t *registers, uint32_t offset, uint32_t value)
{
	struct chip *of = chip_of(registers);

	if (offset == 0)
		of->selected = value;
	else if (of->is_there)
		*entry_half(of) = value;
	assert_true(offset == 0 || offset == 0x10);
}

static void expect_masked(const struct chip *of, uint32_t except)
{
	for (uint32_t line = 0; line < of->lines; line++)
		assert_true(line == except || of->low[line] == MASKED);
}

/* In the order of a boot: what is added stays. */
static void test_add(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < COUNT_OF(chip); i++)
		memset(chip[i].low, 0, sizeof(chip[i].low)); /* as firmware may have left them: not masked */
	chip[0].is_there = chip[1].is_there = true;
	chip[0].lines = 24;
	chip[1].lines = LINES_MAX;
	assert_int_equal(ioapic_mask(0), STATUS_NOT_FOUND);
	assert_int_equal(ioapic_add(chip[2].page, 24), STATUS_NOT_FOUND);
	assert_int_equal(ioapic_count(), 0);
	assert_int_equal(ioapic_add(chip[1].page, 100), STATUS_OK);
	assert_int_equal(ioapic_add(chip[0].page, 0), STATUS_OK);
	assert_int_equal(ioapic_count(), 2);
	expect_masked(&chip[0], UINT32_MAX);
	expect_masked(&chip[1], UINT32_MAX);
}

static void test_route(void **state)
{
	struct ioapic_route route = { .gsi = 4, .vector = 0x44, .local_apic_id = 3 };

	(void)state;
	assert_int_equal(ioapic_route(&route), STATUS_OK);
	assert_int_equal(chip[0].low[4], 0x44);
	assert_int_equal(chip[0].high[4], 3u << 24);
	expect_masked(&chip[0], 4);
	assert_int_equal(ioapic_mask(4), STATUS_OK);
	expect_masked(&chip[0], UINT32_MAX);

	route = (struct ioapic_route){ 100 + LINES_MAX - 1, true, true, 0x80, 254 };
	assert_int_equal(ioapic_route(&route), STATUS_OK);
	assert_int_equal(chip[1].low[LINES_MAX - 1], LEVEL | ACTIVE_LOW | 0x80);
	assert_int_equal(chip[1].high[LINES_MAX - 1], 254u << 24);
	route.is_level = false;
	assert_int_equal(ioapic_route(&route), STATUS_OK);
	assert_int_equal(chip[1].low[LINES_MAX - 1], ACTIVE_LOW | 0x80);
	expect_masked(&chip[1], LINES_MAX - 1);
	assert_int_equal(ioapic_mask(route.gsi), STATUS_OK);
}

static void test_refuses(void **state)
{
	static const uint32_t of_nobody[] = { 24, 99, 100 + LINES_MAX, UINT32_MAX };
	struct ioapic_route route = { .gsi = 4, .vector = 0x44, .local_apic_id = 255 };

	(void)state;
	assert_int_equal(ioapic_route(&route), STATUS_UNSUPPORTED); /* all CPUs */
	route.local_apic_id = 256;                                  /* no room for its ninth bit */
	assert_int_equal(ioapic_route(&route), STATUS_UNSUPPORTED);
	route.local_apic_id = 0;
	for (uint32_t i = 0; i < COUNT_OF(of_nobody); i++) {
		route.gsi = of_nobody[i];
		assert_int_equal(ioapic_route(&route), STATUS_NOT_FOUND);
		assert_int_equal(ioapic_mask(of_nobody[i]), STATUS_NOT_FOUND);
	}
	expect_masked(&chip[0], UINT32_MAX);
	expect_masked(&chip[1], UINT32_MAX);
}

/* The last: nothing more fits. */
static void test_too_many(void **state)
{
	(void)state;
	while (ioapic_count() < IOAPIC_MAX)
		assert_int_equal(ioapic_add(chip[0].page, 0), STATUS_OK);
	assert_int_equal(ioapic_add(chip[0].page, 0), STATUS_NO_SPACE);
	assert_int_equal(ioapic_count(), IOAPIC_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_route),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
