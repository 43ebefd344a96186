/* links: kernel/boot/limine.c kernel/boot/early_memory.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "kernel/boot/early_memory.h"
#include "kernel/boot/limine.h"

/*
 * Physical memory: a page that nobody may touch, two of the loader's, one of the firmware's, and then whatever a test
 * says. The direct map puts it at `memory`.
 */
#define MEMORY_BYTES 0x4000u
#define LOADER_START 0x1000u
#define LOADER_END 0x3000u
#define FIRMWARE 0x3000u
#define IMAGE_VIRTUAL UINT64_C(0xffffffff80100000)
#define IMAGE_PHYSICAL UINT64_C(0x7f53000)
#define PACKAGE 0x700000u

static uint8_t *memory;
static struct limine_requests requests;
static struct boot_info info;
static const char *what;
static uint64_t arena; /* physical; next free byte of the loader's */

static limine_address_t virtual_of(uint64_t physical)
{
	return (uintptr_t)memory + physical;
}

static limine_address_t put(const void *bytes, uint64_t length)
{
	const uint64_t at = arena;

	assert_true(length <= LOADER_END - at);
	memcpy(memory + at, bytes, length);
	arena = (at + length + 7) & ~UINT64_C(7);
	return virtual_of(at);
}

static limine_address_t put_string(const char *text)
{
	return put(text, strlen(text) + 1);
}

static void put_memory_map(const struct limine_memory_entry *entries, uint64_t count)
{
	limine_address_t pointers[32];

	assert_true(count <= 32);
	for (uint64_t i = 0; i < count; i++)
		pointers[i] = put(&entries[i], sizeof(entries[i]));
	const struct limine_memory_map answer = { 0, count, put(pointers, count * sizeof(pointers[0])) };
	requests.memory_map.response = put(&answer, sizeof(answer));
}

static void put_modules(uint64_t count, const struct limine_file *file)
{
	const limine_address_t pointers[] = { put(file, sizeof(*file)), put(file, sizeof(*file)) };
	const struct limine_modules answer = { 0, count, put(pointers, sizeof(pointers)) };

	requests.modules.response = put(&answer, sizeof(answer));
}

static limine_address_t put_one_address(limine_address_t address)
{
	const struct limine_one_address answer = { 0, address };

	return put(&answer, sizeof(answer));
}

static const struct limine_memory_entry good_map[] = {
	{ LOADER_START, LOADER_END - LOADER_START, LIMINE_MEMORY_LOADER_RECLAIMABLE },
	{ FIRMWARE, 0x1000, LIMINE_MEMORY_RESERVED },
	{ 0x100000, 0x600000, LIMINE_MEMORY_USABLE },
	{ 0x700000, 0x2800, LIMINE_MEMORY_IMAGE_AND_MODULES }, /* not whole pages */
	{ IMAGE_PHYSICAL, 0x80000, LIMINE_MEMORY_IMAGE_AND_MODULES },
	{ 0xc0000000, 0x1000, LIMINE_MEMORY_FRAMEBUFFER },
};

static int reset(void **state)
{
	(void)state;
	free(memory);
	memory = aligned_alloc(PAGE_SIZE, MEMORY_BYTES);
	assert_non_null(memory);
	memset(memory, 0xee, MEMORY_BYTES);
	arena = LOADER_START;
	memset(&requests, 0, sizeof(requests));

	const struct limine_direct_map direct_map = { 0, virtual_of(0) };
	requests.direct_map.response = put(&direct_map, sizeof(direct_map));
	put_memory_map(good_map, sizeof(good_map) / sizeof(good_map[0]));
	const struct limine_image_address image = { 0, IMAGE_PHYSICAL, IMAGE_VIRTUAL };
	requests.image_address.response = put(&image, sizeof(image));
	put_modules(1, &(struct limine_file){ 0, virtual_of(PACKAGE), 513, 0, 0 });
	requests.rsdp.response = put_one_address(virtual_of(0xf59e0));
	const struct limine_loader loader = { 0, put_string("Loader"), put_string("8.2.0") };
	requests.loader.response = put(&loader, sizeof(loader));
	return 0;
}

static int finish(void **state)
{
	(void)state;
	free(memory);
	memory = NULL;
	return 0;
}

static enum status collect(void)
{
	memset(&info, 0, sizeof(info));
	memory_map_init(&info.map);
	info.kernel_virtual = IMAGE_VIRTUAL;
	what = NULL;
	const enum status status = limine_collect(&requests, &info, &what);

	assert_non_null(what);
	assert_true(memory_map_is_valid(&info.map));
	return status;
}

static void test_good(void **state)
{
	(void)state;
	assert_int_equal(collect(), STATUS_OK);
	assert_int_equal(info.door, BOOT_DOOR_LIMINE);
	assert_string_equal(info.loader, "Loader 8.2.0");
	assert_string_equal(info.command_line, "");
	assert_int_equal(info.early_map, virtual_of(0));
	assert_int_equal(paddr_to_u64(info.kernel_physical), IMAGE_PHYSICAL);
	assert_int_equal(paddr_to_u64(info.package), PACKAGE);
	assert_int_equal(info.package_bytes, 513);
	assert_true(info.has_rsdp);
	assert_int_equal(paddr_to_u64(info.rsdp), 0xf59e0);
	assert_int_equal(memory_map_frames(&info.map, MEMORY_USABLE), 0x600);
	/* The page that is only partly the module's is not anyone's. */
	assert_int_equal(memory_map_frames(&info.map, MEMORY_LOADER_RECLAIMABLE), 2 + 2 + 0x80);
	assert_int_equal(memory_map_frames(&info.map, MEMORY_KERNEL_IMAGE), 0);
	assert_int_equal(memory_map_frames(&info.map, MEMORY_FRAMEBUFFER), 1);
}

/* Some loaders give physical addresses for some things. */
static void test_physical(void **state)
{
	(void)state;
	requests.rsdp.response = put_one_address(0xf59e0);
	put_modules(1, &(struct limine_file){ 0, PACKAGE, 513, 0, 0 });
	assert_int_equal(collect(), STATUS_OK);
	assert_int_equal(paddr_to_u64(info.rsdp), 0xf59e0);
	assert_int_equal(paddr_to_u64(info.package), PACKAGE);
}

static void test_required(void **state)
{
	struct limine_requests whole;

	(void)state;
	whole = requests;
	requests.base_revision[2] = LIMINE_BASE_REVISION;
	assert_int_equal(collect(), STATUS_BOOT_BASE_REVISION);
	requests = whole;
	requests.direct_map.response = 0;
	assert_int_equal(collect(), STATUS_BOOT_MISSING);
	requests = whole;
	requests.memory_map.response = 0;
	assert_int_equal(collect(), STATUS_BOOT_MISSING);
	requests = whole;
	requests.image_address.response = 0;
	assert_int_equal(collect(), STATUS_BOOT_MISSING);
	requests = whole;
	requests.modules.response = 0;
	assert_int_equal(collect(), STATUS_BOOT_MODULE_COUNT);
	requests = whole;
	requests.rsdp.response = 0;
	requests.loader.response = 0;
	assert_int_equal(collect(), STATUS_OK);
	assert_false(info.has_rsdp);
	assert_string_equal(info.loader, "Limine protocol");
}

/* Whatever leads to memory that the loader does not promise to map is refused, not read. */
static void test_outside(void **state)
{
	struct limine_requests whole;

	(void)state;
	whole = requests;
	requests.image_address.response = virtual_of(FIRMWARE);
	assert_int_equal(collect(), STATUS_BAD_ARGUMENT);
	requests.image_address.response = virtual_of(FIRMWARE - 8); /* begins well */
	assert_int_equal(collect(), STATUS_BAD_ARGUMENT);
	requests.image_address.response = virtual_of(UINT64_C(1) << 40);
	assert_int_equal(collect(), STATUS_BAD_ARGUMENT);
	requests.image_address.response = UINT64_MAX - 7;
	assert_int_equal(collect(), STATUS_BAD_ARGUMENT);
	requests = whole;
	requests.modules.response = virtual_of(0);
	assert_int_equal(collect(), STATUS_BAD_ARGUMENT);
	requests = whole;
	requests.loader.response = virtual_of(FIRMWARE); /* for messages only */
	assert_int_equal(collect(), STATUS_OK);
	assert_string_equal(info.loader, "Limine protocol");
	requests = whole;
	requests.direct_map.response += 4;
	assert_int_equal(collect(), STATUS_BAD_ARGUMENT);
}

static void test_memory_map(void **state)
{
	struct limine_memory_map answer = { 0, UINT64_MAX, virtual_of(LOADER_START) };

	(void)state;
	requests.memory_map.response = put(&answer, sizeof(answer));
	assert_int_equal(collect(), STATUS_MEMORY_MAP_TOO_LONG);
	answer.count = 1;
	answer.entries = UINT64_MAX - 3;
	requests.memory_map.response = put(&answer, sizeof(answer));
	assert_int_equal(collect(), STATUS_BAD_ARGUMENT);
	answer.entries = 0;
	requests.memory_map.response = put(&answer, sizeof(answer));
	assert_int_equal(collect(), STATUS_BOOT_MISSING);

	/* Types of later revisions, and entries that wrap or are far too long. */
	const struct limine_memory_entry odd[] = {
		{ LOADER_START, LOADER_END - LOADER_START, LIMINE_MEMORY_LOADER_RECLAIMABLE },
		{ 0x10000, 0x1000, LIMINE_MEMORY_RESERVED_MAPPED },
		{ 0x20000, 0x1000, UINT64_MAX },
		{ 0x30800, 0x800, LIMINE_MEMORY_IMAGE_AND_MODULES },
		{ UINT64_MAX - 10, 100, LIMINE_MEMORY_IMAGE_AND_MODULES },
	};
	put_memory_map(odd, sizeof(odd) / sizeof(odd[0]));
	assert_int_equal(collect(), STATUS_OK);
	assert_int_equal(memory_map_frames(&info.map, MEMORY_RESERVED), 2);
	assert_int_equal(memory_map_frames(&info.map, MEMORY_LOADER_RECLAIMABLE), 2);
	assert_int_equal(info.map.dropped, 2);
}

static void test_image_address(void **state)
{
	struct limine_image_address image = { 0, IMAGE_PHYSICAL, IMAGE_VIRTUAL - 0x100000 };

	(void)state;
	requests.image_address.response = put(&image, sizeof(image));
	assert_int_equal(collect(), STATUS_OK);
	assert_int_equal(paddr_to_u64(info.kernel_physical), IMAGE_PHYSICAL + 0x100000);
	image.virtual_base = IMAGE_VIRTUAL + 0x1000;
	requests.image_address.response = put(&image, sizeof(image));
	assert_int_equal(collect(), STATUS_BAD_ARGUMENT);
	image = (struct limine_image_address){ 0, IMAGE_PHYSICAL + 8, IMAGE_VIRTUAL };
	requests.image_address.response = put(&image, sizeof(image));
	assert_int_equal(collect(), STATUS_BAD_ARGUMENT);
	image = (struct limine_image_address){ 0, UINT64_MAX - 4095, IMAGE_VIRTUAL };
	requests.image_address.response = put(&image, sizeof(image));
	assert_int_equal(collect(), STATUS_BAD_ARGUMENT);
}

static void test_modules(void **state)
{
	const struct limine_file file = { 0, virtual_of(PACKAGE), 513, 0, 0 };

	(void)state;
	put_modules(0, &file);
	assert_int_equal(collect(), STATUS_BOOT_MODULE_COUNT);
	put_modules(2, &file);
	assert_int_equal(collect(), STATUS_BOOT_MODULE_COUNT);
	put_modules(1, &(struct limine_file){ 0, UINT64_MAX, 513, 0, 0 });
	assert_int_equal(collect(), STATUS_BAD_ARGUMENT);
}

static void test_command_line(void **state)
{
	char line[BOOT_COMMAND_LINE_BYTES + 1];
	const struct limine_file file = { 0, 0, 0, 0, put_string("from=file") };

	(void)state;
	requests.image_file.response = put_one_address(put(&file, sizeof(file)));
	assert_int_equal(collect(), STATUS_OK);
	assert_string_equal(info.command_line, "from=file");

	requests.command_line.response = put_one_address(put_string("init=shell"));
	assert_int_equal(collect(), STATUS_OK);
	assert_string_equal(info.command_line, "init=shell");

	memset(line, 'x', sizeof(line));
	line[BOOT_COMMAND_LINE_BYTES] = '\0';
	requests.command_line.response = put_one_address(put_string(line));
	assert_int_equal(collect(), STATUS_TOO_LONG);

	/* It runs out of the loader's memory before it ends. */
	memset(memory + LOADER_END - 8, 'x', 8);
	requests.command_line.response = put_one_address(virtual_of(LOADER_END - 8));
	assert_int_equal(collect(), STATUS_BAD_ARGUMENT);
}

/* So much as is asked for; an answer that cannot be read is no reason not to boot. */
static void test_entropy(void **state)
{
	const uint64_t words[BOOT_ENTROPY_WORDS + 2] = { 11, 22, 33, 44, 55, 66 };
	struct limine_entropy answer = { 0, BOOT_ENTROPY_WORDS + 2, put(words, sizeof(words)) };

	(void)state;
	assert_int_equal(collect(), STATUS_OK);
	assert_int_equal(info.entropy_words, 0);
	requests.entropy.response = put(&answer, sizeof(answer));
	assert_int_equal(collect(), STATUS_OK);
	assert_int_equal(info.entropy_words, BOOT_ENTROPY_WORDS);
	assert_memory_equal(info.entropy, words, sizeof(info.entropy));
	answer.count = 1;
	requests.entropy.response = put(&answer, sizeof(answer));
	assert_int_equal(collect(), STATUS_OK);
	assert_int_equal(info.entropy_words, 1);
	answer.count = 0;
	requests.entropy.response = put(&answer, sizeof(answer));
	assert_int_equal(collect(), STATUS_OK);
	assert_int_equal(info.entropy_words, 0);
	answer = (struct limine_entropy){ 0, 2, virtual_of(LOADER_END - 8) }; /* into the firmware's page */
	requests.entropy.response = put(&answer, sizeof(answer));
	assert_int_equal(collect(), STATUS_OK);
	assert_int_equal(info.entropy_words, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_good, reset, finish),
		cmocka_unit_test_setup_teardown(test_physical, reset, finish),
		cmocka_unit_test_setup_teardown(test_required, reset, finish),
		cmocka_unit_test_setup_teardown(test_outside, reset, finish),
		cmocka_unit_test_setup_teardown(test_memory_map, reset, finish),
		cmocka_unit_test_setup_teardown(test_image_address, reset, finish),
		cmocka_unit_test_setup_teardown(test_modules, reset, finish),
		cmocka_unit_test_setup_teardown(test_command_line, reset, finish),
		cmocka_unit_test_setup_teardown(test_entropy, reset, finish),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
