/* links: kernel/boot/pvh.c kernel/boot/early_memory.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "kernel/boot/early_memory.h"
#include "kernel/boot/pvh.h"

#define MEMORY_BYTES 0x4000u
#define START 0x100u
#define MAP 0x1000u
#define MODULES 0x2000u
#define LINE 0x3000u
#define MAGIC 0x336ec578u

/* From the heap, and all of it known to the early memory: a read past the end is seen by the sanitizers. */
static uint8_t *memory;
static struct boot_info info;
static const char *what;

static void put_u32(uint64_t at, uint32_t value)
{
	memcpy(memory + at, &value, sizeof(value));
}

static void put_u64(uint64_t at, uint64_t value)
{
	memcpy(memory + at, &value, sizeof(value));
}

static void put_entry(uint32_t index, uint64_t base, uint64_t length, uint32_t type)
{
	put_u64(MAP + index * 24, base);
	put_u64(MAP + index * 24 + 8, length);
	put_u32(MAP + index * 24 + 16, type);
}

static int reset(void **state)
{
	(void)state;
	free(memory);
	memory = calloc(1, MEMORY_BYTES);
	assert_non_null(memory);
	early_memory_set((uintptr_t)memory, MEMORY_BYTES, NULL);
	put_u32(START, MAGIC);
	put_u32(START + 4, 1);
	put_u32(START + 12, 1);
	put_u64(START + 16, MODULES);
	put_u64(START + 24, LINE);
	put_u64(START + 32, 0xf59e0);
	put_u64(START + 40, MAP);
	put_u32(START + 48, 4);
	put_entry(0, 0, 0x9fc00, 1);
	put_entry(1, 0x9fc00, 0x400, 2);
	put_entry(2, 0x100000, 0x700000, 1);
	put_entry(3, 0, 0, 0); /* as microvm ends its map */
	put_u64(MODULES, 0x700200);
	put_u64(MODULES + 8, 513);
	memcpy(memory + LINE, "init=shell once", 16);
	return 0;
}

static int finish(void **state)
{
	(void)state;
	free(memory);
	memory = NULL;
	return 0;
}

static enum status collect_at(uint64_t start)
{
	memset(&info, 0, sizeof(info));
	memory_map_init(&info.map);
	what = NULL;
	const enum status status = pvh_collect(paddr_from_u64(start), &info, &what);

	assert_non_null(what);
	assert_true(memory_map_is_valid(&info.map));
	return status;
}

static enum status collect(void)
{
	return collect_at(START);
}

static void test_good(void **state)
{
	(void)state;
	assert_int_equal(collect(), STATUS_OK);
	assert_int_equal(info.door, BOOT_DOOR_PVH);
	assert_string_equal(info.command_line, "init=shell once");
	assert_int_equal(paddr_to_u64(info.package), 0x700200);
	assert_int_equal(info.package_bytes, 513);
	assert_true(info.has_rsdp);
	assert_int_equal(paddr_to_u64(info.rsdp), 0xf59e0);
	assert_int_equal(info.map.count, 3);
	assert_int_equal(info.map.dropped, 1);
	assert_int_equal(memory_map_frames(&info.map, MEMORY_USABLE), 0x9f + 0x700);
	assert_int_equal(memory_map_frames(&info.map, MEMORY_RESERVED), 1);
}

static void test_kinds(void **state)
{
	static const struct {
		uint32_t type;
		enum memory_kind kind;
	} rows[] = {
		{ 0, MEMORY_RESERVED },         { 1, MEMORY_USABLE },   { 2, MEMORY_RESERVED },
		{ 3, MEMORY_ACPI_RECLAIMABLE }, { 4, MEMORY_ACPI_NVS }, { 5, MEMORY_BAD },
		{ 6, MEMORY_RESERVED },         { 7, MEMORY_RESERVED }, { UINT32_MAX, MEMORY_RESERVED },
	};

	(void)state;
	put_u32(START + 48, 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_entry(0, 0x100000, 0x1000, rows[i].type);
		assert_int_equal(collect(), STATUS_OK);
		assert_int_equal(info.map.count, 1);
		assert_int_equal(info.map.entry[0].kind, rows[i].kind);
	}
}

static void test_optional(void **state)
{
	(void)state;
	put_u64(START + 24, 0);
	put_u64(START + 32, 0);
	assert_int_equal(collect(), STATUS_OK);
	assert_string_equal(info.command_line, "");
	assert_false(info.has_rsdp);
}

static void test_start_info(void **state)
{
	(void)state;
	put_u32(START, MAGIC + 1);
	assert_int_equal(collect(), STATUS_BOOT_BAD_MAGIC);
	assert_int_equal(collect_at(MEMORY_BYTES - 39), STATUS_BAD_ARGUMENT);
	assert_int_equal(collect_at(UINT32_MAX), STATUS_BAD_ARGUMENT);

	/* Version 0 ends before the memory map, and may do so at the end of memory. */
	put_u32(MEMORY_BYTES - 40, MAGIC);
	assert_int_equal(collect_at(MEMORY_BYTES - 40), STATUS_BOOT_MISSING);
	put_u32(MEMORY_BYTES - 36, 1);
	assert_int_equal(collect_at(MEMORY_BYTES - 40), STATUS_BAD_ARGUMENT);
}

static void test_memory_map(void **state)
{
	(void)state;
	put_u64(START + 40, 0);
	assert_int_equal(collect(), STATUS_BOOT_MISSING);
	put_u64(START + 40, MAP);
	put_u32(START + 48, 0);
	assert_int_equal(collect(), STATUS_BOOT_MISSING);
	put_u32(START + 48, UINT32_MAX);
	assert_int_equal(collect(), STATUS_MEMORY_MAP_TOO_LONG);
	put_u32(START + 48, 4);
	put_u64(START + 40, UINT64_MAX - 23);
	assert_int_equal(collect(), STATUS_BAD_ARGUMENT);
	put_u64(START + 40, MEMORY_BYTES - 4 * 24 + 1);
	assert_int_equal(collect(), STATUS_BAD_ARGUMENT);

	/* A wrapping entry is counted and no more. */
	put_u64(START + 40, MAP);
	put_entry(1, UINT64_MAX - 5, 100, 1);
	assert_int_equal(collect(), STATUS_OK);
	assert_int_equal(info.map.dropped, 2);
}

static void test_command_line(void **state)
{
	(void)state;
	memset(memory + LINE, 'x', BOOT_COMMAND_LINE_BYTES - 1);
	assert_int_equal(collect(), STATUS_OK);
	assert_int_equal(strlen(info.command_line), BOOT_COMMAND_LINE_BYTES - 1);

	memory[LINE + BOOT_COMMAND_LINE_BYTES - 1] = 'x';
	assert_int_equal(collect(), STATUS_TOO_LONG);

	/* No terminator before the end of memory. */
	memset(memory + MEMORY_BYTES - 16, 'y', 16);
	put_u64(START + 24, MEMORY_BYTES - 16);
	assert_int_equal(collect(), STATUS_BAD_ARGUMENT);
	put_u64(START + 24, UINT64_MAX);
	assert_int_equal(collect(), STATUS_BAD_ARGUMENT);
}

static void test_modules(void **state)
{
	(void)state;
	put_u32(START + 12, 0);
	assert_int_equal(collect(), STATUS_BOOT_MODULE_COUNT);
	put_u32(START + 12, 2);
	assert_int_equal(collect(), STATUS_BOOT_MODULE_COUNT);
	put_u32(START + 12, 1);
	put_u64(START + 16, MEMORY_BYTES - 31);
	assert_int_equal(collect(), STATUS_BAD_ARGUMENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, reset, finish),
		cmocka_unit_test_setup_teardown(test_kinds, reset, finish),
		cmocka_unit_test_setup_teardown(test_optional, reset, finish),
		cmocka_unit_test_setup_teardown(test_start_info, reset, finish),
		cmocka_unit_test_setup_teardown(test_memory_map, reset, finish),
		cmocka_unit_test_setup_teardown(test_command_line, reset, finish),
		cmocka_unit_test_setup_teardown(test_modules, reset, finish),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
