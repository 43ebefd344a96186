/* links: user/runtime/thread_block.c user/runtime/load_offset.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tests/host/host_support.h"
#include "user/runtime/load_offset.h"
#include "user/runtime/thread_block.h"

#define ROOM 32768u
#define LARGEST 4096u

static uint8_t image_bytes[LARGEST];
static uint8_t room[ROOM] __attribute__((aligned(4096)));

/* Storage for the image ends where the offsets of the linker want it, and nothing outside it is written. */
static void check_block(const struct thread_image *image, uint64_t end_offset)
{
	const uint64_t rounded =
		image->memory_bytes == 0 ? 0 : (image->memory_bytes + image->alignment - 1) & ~(image->alignment - 1);
	uint64_t control, own;
	uint8_t *storage;
	void *start;

	memset(room, 0, sizeof(room));
	control = thread_block_build(image, room + end_offset, &start);
	storage = (uint8_t *)control - rounded;
	memcpy(&own, (const void *)control, sizeof(own));
	assert_int_equal(own, control);
	assert_int_equal(control % (image->alignment == 0 ? 1 : image->alignment), 0);
	assert_int_equal(control % THREAD_BLOCK_CONTROL_BYTES, 0);
	assert_true(control + THREAD_BLOCK_CONTROL_BYTES <= (uint64_t)room + end_offset);
	assert_true((uint64_t)start <= (uint64_t)storage && (uint64_t)storage - (uint64_t)start < 16);
	assert_int_equal((uint64_t)start % 16, 0);
	assert_true((uint64_t)room + end_offset - (uint64_t)start <= thread_block_bytes(image));
	if (image->file_bytes > 0)
		assert_memory_equal(storage, image->bytes, image->file_bytes);
	memset(storage, 0, image->file_bytes);
	memset((void *)control, 0, sizeof(control));
	for (uint64_t i = 0; i < ROOM; i++)
		assert_int_equal(room[i], 0);
}

static void test_random_images(void **state)
{
	const uint64_t rounds = host_rounds(300);
	struct host_random random;

	(void)state;
	host_random_init(&random, "thread_block", 1);
	for (uint64_t i = 0; i < LARGEST; i++)
		image_bytes[i] = (uint8_t)(1 + host_random_below(&random, 255));
	for (uint64_t i = 0; i < rounds; i++) {
		struct thread_image image = { .bytes = image_bytes };

		image.alignment = UINT64_C(1) << host_random_below(&random, 13);
		image.memory_bytes = host_random_below(&random, LARGEST + 1);
		image.file_bytes = host_random_below(&random, image.memory_bytes + 1);
		check_block(&image, ROOM - host_random_below(&random, 4096));
	}
}

static void test_no_image(void **state)
{
	const Elf64_Phdr headers[] = { { .p_type = PT_LOAD, .p_vaddr = 0x400000, .p_memsz = 4096, .p_align = 4096 } };
	const struct thread_image image = thread_block_image(headers, 1);

	(void)state;
	assert_int_equal(image.memory_bytes, 0);
	check_block(&image, ROOM);
}

static void test_image_of_headers(void **state)
{
	const Elf64_Phdr headers[] = {
		{ .p_type = PT_LOAD, .p_vaddr = 0x400000, .p_memsz = 4096, .p_align = 4096 },
		{ .p_type = PT_TLS, .p_vaddr = 0x401000, .p_filesz = 24, .p_memsz = 100, .p_align = 32 },
	};
	const struct thread_image image = thread_block_image(headers, 2);

	(void)state;
	assert_int_equal((uint64_t)image.bytes, 0x401000);
	assert_int_equal(image.file_bytes, 24);
	assert_int_equal(image.memory_bytes, 100);
	assert_int_equal(image.alignment, 32);
	assert_int_equal(thread_block_image(headers, 0).memory_bytes, 0);
}

/* The headers of a program that is linked at 0x1000 and lies wherever this test does. */
static void test_image_of_moved_headers(void **state)
{
	const Elf64_Phdr headers[] = {
		{ .p_type = PT_PHDR, .p_vaddr = 0x1040, .p_memsz = 2 * sizeof(Elf64_Phdr) },
		{ .p_type = PT_TLS, .p_vaddr = 0x3000, .p_filesz = 24, .p_memsz = 100, .p_align = 32 },
	};
	const uint64_t offset = (uint64_t)headers - 0x1040;

	(void)state;
	assert_int_equal(load_offset_of(headers, 2), offset);
	assert_int_equal((uint64_t)thread_block_image(headers, 2).bytes, 0x3000 + offset);
	assert_int_equal(load_offset_of(headers + 1, 1), 0);
	assert_int_equal((uint64_t)thread_block_image(headers + 1, 1).bytes, 0x3000);
}

/* What was in the file is as it was in the image; the rest of the storage stays. */
static void test_renew(void **state)
{
	const struct thread_image image = {
		.bytes = image_bytes, .file_bytes = 24, .memory_bytes = 100, .alignment = 32
	};
	uint64_t control;
	void *start;

	(void)state;
	memset(room, 0, sizeof(room));
	control = thread_block_build(&image, room + ROOM, &start);
	memset((void *)(control - 128), 0x55, 128);
	thread_block_renew(&image, control);
	assert_memory_equal((void *)(control - 128), image_bytes, 24);
	for (uint64_t i = 24; i < 128; i++)
		assert_int_equal(*(uint8_t *)(control - 128 + i), 0x55);
	assert_int_equal(*(uint64_t *)control, control);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_images),
		cmocka_unit_test(test_no_image),
		cmocka_unit_test(test_image_of_headers),
		cmocka_unit_test(test_image_of_moved_headers),
		cmocka_unit_test(test_renew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
