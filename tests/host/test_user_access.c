/* links: kernel/mem/user_access.c kernel/mem/validate.c kernel/mem/address_space.c kernel/mem/address_space_audit.c
   kernel/mem/anonymous.c kernel/mem/anonymous_image.c kernel/mem/demand.c kernel/mem/page_placement.c
   kernel/mem/page_walk.c kernel/mem/page_gap.c kernel/mem/memory_object.c kernel/mem/heap.c kernel/mem/frame.c
   kernel/mem/shortage.c kernel/mem/account.c */
/* The one place where a program's address becomes bytes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "kernel/mem/anonymous.h"
#include "kernel/mem/user_access.h"
#include "lib/check.h"
#include "tests/host/host_support.h"
#include "tests/host/machine.h"

#define FRAMES 4096u
#define READ_WRITE (PROTECTION_READ | PROTECTION_WRITE)

/* Pages from BASE on: 4 writable, over a 2 MiB boundary, 1 readable, 1 executable, 1 without access, 1 reserved. */
#define WRITABLE UINT64_C(0x7fffe000)
#define READABLE (WRITABLE + 4 * PAGE_SIZE)
#define EXECUTABLE (READABLE + PAGE_SIZE)
#define NO_ACCESS (EXECUTABLE + PAGE_SIZE)
#define RESERVED (NO_ACCESS + PAGE_SIZE)
#define NOTHING (RESERVED + PAGE_SIZE)
#define SCENE_BYTES (6 * PAGE_SIZE) /* readable ones */

static struct account account;
static struct address_space space;
static uint8_t memory[SCENE_BYTES]; /* what the readable part holds */
static uint8_t buffer[SCENE_BYTES + 64];

static struct uaddr_range pages_at(uint64_t start, uint64_t pages)
{
	return (struct uaddr_range){ uaddr_from_u64(start), uaddr_from_u64(start + pages * PAGE_SIZE) };
}

static void begin(void)
{
	struct placement scene = { WRITABLE, NOTHING - WRITABLE, true };
	struct uaddr_range range;

	machine_start(FRAMES);
	machine_account(&account, UINT64_C(1) << 40);
	assert_int_equal(address_space_create(&space, &account, machine_kernel_root()), STATUS_OK);
	assert_int_equal(anonymous_reserve(&space, &scene, &range), STATUS_OK);
	for (uint64_t page = 7; page-- > 0;) /* frames in another order than the addresses */
		assert_int_equal(anonymous_commit(&space, pages_at(WRITABLE + page * PAGE_SIZE, 1), READ_WRITE),
				 STATUS_OK);
	for (uint32_t i = 0; i < SCENE_BYTES; i++)
		memory[i] = (uint8_t)(i * 31 + i / 253);
	assert_int_equal(user_access_write(&space, WRITABLE, SCENE_BYTES, memory), STATUS_OK);
	assert_int_equal(anonymous_protect(&space, pages_at(READABLE, 1), PROTECTION_READ), STATUS_OK);
	assert_int_equal(anonymous_protect(&space, pages_at(EXECUTABLE, 1), PROTECTION_READ | PROTECTION_EXECUTE),
			 STATUS_OK);
	assert_int_equal(anonymous_protect(&space, pages_at(NO_ACCESS, 1), PROTECTION_NONE), STATUS_OK);
}

static void end(void)
{
	assert_int_equal(spinlock_is_held(&space.lock), false);
	address_space_destroy(&space);
	machine_stop();
}

static void assert_memory_holds(void)
{
	assert_int_equal(user_access_read(&space, WRITABLE, SCENE_BYTES, buffer), STATUS_OK);
	assert_memory_equal(buffer, memory, SCENE_BYTES);
}

/* Reading, writing and asking, all refused, and nothing moved in either direction. */
static void assert_refused(uint64_t address, uint64_t bytes, enum status reading, enum status writing)
{
	static uint8_t source[sizeof(buffer)];
	uint8_t untouched[sizeof(buffer)];

	memset(untouched, 0xee, sizeof(untouched));
	memset(buffer, 0xee, sizeof(buffer));
	if (reading != STATUS_OK) {
		assert_int_equal(user_access_read(&space, address, bytes, buffer), reading);
		assert_memory_equal(buffer, untouched, sizeof(buffer));
	}
	memset(source, 0x11, sizeof(source));
	assert_int_equal(user_access_write(&space, address, bytes, source), writing);
	assert_int_equal(user_access_check(&space, address, bytes, true), writing);
	assert_memory_holds();
}

static void test_straddling(void **state)
{
	static const uint64_t offsets[] = { 0, 1, 4095, 4096, 4097, 8191 };
	static const uint64_t lengths[] = { 1, 2, 4095, 4096, 4097, 8190, 8192 };

	(void)state;
	begin();
	for (uint32_t i = 0; i < COUNT_OF(offsets) * COUNT_OF(lengths); i++) {
		uint64_t offset = offsets[i % COUNT_OF(offsets)];
		uint64_t bytes = lengths[i / COUNT_OF(offsets)];

		memset(buffer, 0xee, sizeof(buffer));
		assert_int_equal(user_access_read(&space, WRITABLE + offset, bytes, buffer), STATUS_OK);
		assert_memory_equal(buffer, memory + offset, bytes);
		assert_int_equal(buffer[bytes], 0xee);
		if (offset + bytes > 4 * PAGE_SIZE)
			continue;
		memset(memory + offset, (int)i, bytes);
		assert_int_equal(user_access_check(&space, WRITABLE + offset, bytes, true), STATUS_OK);
		assert_int_equal(user_access_write(&space, WRITABLE + offset, bytes, memory + offset), STATUS_OK);
		assert_memory_holds();
	}
	end();
}

static void test_protections(void **state)
{
	(void)state;
	begin();
	assert_refused(READABLE, 1, STATUS_OK, STATUS_BUFFER_FAULT);
	assert_refused(EXECUTABLE, 1, STATUS_OK, STATUS_BUFFER_FAULT);
	assert_refused(NO_ACCESS, 1, STATUS_BUFFER_FAULT, STATUS_BUFFER_FAULT);
	assert_refused(RESERVED, 1, STATUS_BUFFER_FAULT, STATUS_BUFFER_FAULT);
	assert_refused(NOTHING, 1, STATUS_BUFFER_FAULT, STATUS_BUFFER_FAULT);
	assert_refused(0, 1, STATUS_BUFFER_FAULT, STATUS_BUFFER_FAULT);
	assert_refused(USER_START - 8, 16, STATUS_BUFFER_FAULT, STATUS_BUFFER_FAULT);
	assert_refused(BOOTSTRAP_START, 8, STATUS_BUFFER_FAULT, STATUS_BUFFER_FAULT);
	end();
}

/* The last byte decides: what lies before it is not written. */
static void test_partial(void **state)
{
	(void)state;
	begin();
	assert_refused(WRITABLE, 4 * PAGE_SIZE + 1, STATUS_OK, STATUS_BUFFER_FAULT);
	assert_refused(READABLE - 1, 2, STATUS_OK, STATUS_BUFFER_FAULT);
	assert_refused(WRITABLE + 1, 6 * PAGE_SIZE, STATUS_BUFFER_FAULT, STATUS_BUFFER_FAULT);
	assert_refused(NO_ACCESS - 1, 2, STATUS_BUFFER_FAULT, STATUS_BUFFER_FAULT);
	assert_refused(WRITABLE - 1, 2, STATUS_BUFFER_FAULT, STATUS_BUFFER_FAULT);
	end();
}

static void test_outside(void **state)
{
	static const uint64_t kernel[] = { USER_LIMIT, UINT64_C(1) << 47, UINT64_C(0xffff800000000000),
					   UINT64_C(0xffffffff80000000), UINT64_MAX - 100 };

	(void)state;
	begin();
	for (uint32_t i = 0; i < COUNT_OF(kernel); i++)
		assert_refused(kernel[i], 8, STATUS_NOT_USER_ADDRESS, STATUS_NOT_USER_ADDRESS);
	assert_refused(USER_LIMIT - 4, 8, STATUS_NOT_USER_ADDRESS, STATUS_NOT_USER_ADDRESS);
	assert_refused(WRITABLE, USER_LIMIT, STATUS_NOT_USER_ADDRESS, STATUS_NOT_USER_ADDRESS);
	assert_refused(WRITABLE, UINT64_MAX, STATUS_RANGE_WRAPS, STATUS_RANGE_WRAPS);
	assert_refused(UINT64_MAX, 2, STATUS_RANGE_WRAPS, STATUS_RANGE_WRAPS);
	assert_refused(UINT64_MAX - 7, UINT64_MAX, STATUS_RANGE_WRAPS, STATUS_RANGE_WRAPS);
	end();
}

/* 0 bytes are fine wherever the program may point to, mapped or not, page-aligned or not. */
static void test_no_bytes(void **state)
{
	static const uint64_t places[] = {
		0,       1,           WRITABLE,      WRITABLE + 5, READABLE + 7, NO_ACCESS, NO_ACCESS + 1,
		NOTHING, NOTHING + 9, USER_LIMIT - 1
	};

	(void)state;
	begin();
	for (uint32_t i = 0; i < COUNT_OF(places); i++) {
		assert_int_equal(user_access_read(&space, places[i], 0, buffer), STATUS_OK);
		assert_int_equal(user_access_write(&space, places[i], 0, buffer), STATUS_OK);
		assert_int_equal(user_access_check(&space, places[i], 0, true), STATUS_OK);
	}
	assert_refused(UINT64_C(1) << 63, 0, STATUS_NOT_USER_ADDRESS, STATUS_NOT_USER_ADDRESS);
	end();
}

/* ---- what has no frame yet ---- */

#define LAZY UINT64_C(0x40000000) /* 8 pages writable, then 2 readable, 2 without access, and 2 of an image */
#define STACK_END UINT64_C(0x7fffffff0000)
#define STACK_PAGES 64u
#define GUARD_PAGES 4u

static void begin_lazy(void)
{
	struct space_areas areas = {
		.map = uaddr_range_make(USER_START, ADDRESS_SPACE_MAP_TOP),
		.stack = pages_at(STACK_END - STACK_PAGES * PAGE_SIZE, STACK_PAGES),
		.guard = pages_at(STACK_END - (STACK_PAGES + GUARD_PAGES) * PAGE_SIZE, GUARD_PAGES),
	};
	struct placement placement = { LAZY, 12 * PAGE_SIZE, true };
	struct uaddr_range range;

	begin();
	address_space_set_areas(&space, &areas);
	assert_int_equal(anonymous_map_stack(&space, &areas, 1), STATUS_OK);
	assert_int_equal(anonymous_map_lazy(&space, &placement, READ_WRITE, &range), STATUS_OK);
	assert_int_equal(anonymous_protect(&space, pages_at(LAZY + 8 * PAGE_SIZE, 2), PROTECTION_READ), STATUS_OK);
	assert_int_equal(anonymous_protect(&space, pages_at(LAZY + 10 * PAGE_SIZE, 2), PROTECTION_NONE), STATUS_OK);
	assert_int_equal(anonymous_map_image_lazy(&space, pages_at(LAZY + 12 * PAGE_SIZE, 2), READ_WRITE), STATUS_OK);
}

/* What the last step took of frames and of the image ledger. */
static void assert_taken(uint64_t *free, uint64_t frames, uint64_t *image, uint64_t pages)
{
	assert_int_equal(frame_free_count() + frames, *free);
	assert_int_equal(account.ledger.of[LEDGER_IMAGE].used, *image + pages);
	*free -= frames;
	*image += pages;
}

static void test_lazy(void **state)
{
	uint64_t image;
	uint64_t free;

	(void)state;
	begin_lazy();
	free = frame_free_count();
	image = account.ledger.of[LEDGER_IMAGE].used;
	/* refused as a whole: no page of it gets a frame */
	assert_refused(LAZY, 9 * PAGE_SIZE, STATUS_OK, STATUS_BUFFER_FAULT);
	assert_refused(LAZY + 9 * PAGE_SIZE, PAGE_SIZE + 1, STATUS_BUFFER_FAULT, STATUS_BUFFER_FAULT);
	assert_refused(LAZY + 13 * PAGE_SIZE, PAGE_SIZE + 1, STATUS_BUFFER_FAULT, STATUS_BUFFER_FAULT);
	assert_refused(LAZY - 1, 2, STATUS_BUFFER_FAULT, STATUS_BUFFER_FAULT);
	assert_taken(&free, 0, &image, 0);
	/* new pages read zero, over a boundary and in one page */
	memset(memory, 0, 2 * PAGE_SIZE);
	assert_int_equal(user_access_read(&space, LAZY + 13 * PAGE_SIZE - 2, 4, buffer), STATUS_OK);
	assert_memory_equal(buffer, memory, 4);
	assert_taken(&free, 2, &image, 0);
	assert_int_equal(user_access_write(&space, LAZY + 13 * PAGE_SIZE - 2, 4, "lazy"), STATUS_OK);
	assert_int_equal(user_access_read(&space, LAZY + 13 * PAGE_SIZE, 2, buffer), STATUS_OK);
	assert_memory_equal(buffer, "zy", 2);
	assert_taken(&free, 0, &image, 0);
	end();
}

static void test_check_supplies(void **state)
{
	uint64_t image;
	uint64_t free;

	(void)state;
	begin_lazy();
	free = frame_free_count();
	image = account.ledger.of[LEDGER_IMAGE].used;
	assert_int_equal(user_access_check(&space, LAZY + 1, 4 * PAGE_SIZE, true), STATUS_OK);
	assert_taken(&free, 5, &image, 0);
	(void)machine_refuse_promise(0);
	assert_int_equal(user_access_write(&space, LAZY + 1, 4 * PAGE_SIZE, memory), STATUS_OK);
	assert_int_equal(user_access_check(&space, LAZY + 1, 5 * PAGE_SIZE, true), STATUS_OUT_OF_MEMORY);
	assert_taken(&free, 0, &image, 0);
	end();
}

static void test_room_of_the_stack(void **state)
{
	const uint64_t bottom = STACK_END - STACK_PAGES * PAGE_SIZE;
	uint64_t image;
	uint64_t free;

	(void)state;
	begin_lazy();
	free = frame_free_count();
	image = account.ledger.of[LEDGER_IMAGE].used;
	assert_refused(bottom - 1, 2, STATUS_BUFFER_FAULT, STATUS_BUFFER_FAULT);
	assert_refused(STACK_END - 3 * PAGE_SIZE, 3 * PAGE_SIZE + 1, STATUS_BUFFER_FAULT, STATUS_BUFFER_FAULT);
	assert_taken(&free, 0, &image, 0);
	/* two pages of room and the one that is there; then one deep below, which alone gets a frame */
	assert_int_equal(user_access_write(&space, STACK_END - 3 * PAGE_SIZE, 3 * PAGE_SIZE, memory), STATUS_OK);
	assert_taken(&free, 2, &image, 2);
	assert_int_equal(user_access_read(&space, bottom + 5 * PAGE_SIZE, 1, buffer), STATUS_OK);
	assert_int_equal(buffer[0], 0);
	assert_taken(&free, 1, &image, STACK_PAGES - 3 - 5);
	machine_set_limit(&account, LEDGER_IMAGE, image + 4);
	assert_int_equal(user_access_write(&space, bottom, 1, memory), STATUS_OVER_IMAGE);
	assert_taken(&free, 0, &image, 0);
	assert_int_equal(user_access_write(&space, bottom + PAGE_SIZE, 1, memory), STATUS_OK);
	assert_taken(&free, 1, &image, 4);
	end();
}

/* A write in two steps: finding the place supplies what is lazy, or refuses and changes nothing. */
static void test_place(void **state)
{
	const struct uaddr_range pages = pages_at(LAZY, 12);
	struct user_place place;
	uint64_t image;
	uint64_t free;

	(void)state;
	begin_lazy();
	free = frame_free_count();
	image = account.ledger.of[LEDGER_IMAGE].used;
	address_space_lock(&space, pages);
	assert_int_equal(user_access_find(&space, LAZY + 8 * PAGE_SIZE, 1, &place), STATUS_BUFFER_FAULT);
	assert_int_equal(user_access_find(&space, LAZY + 8 * PAGE_SIZE - 1, 2, &place), STATUS_BUFFER_FAULT);
	assert_int_equal(user_access_find(&space, USER_LIMIT, 1, &place), STATUS_NOT_USER_ADDRESS);
	(void)machine_refuse_promise(0);
	assert_int_equal(user_access_find(&space, LAZY, 1, &place), STATUS_OUT_OF_MEMORY);
	(void)machine_refuse_promise(0);
	assert_int_equal(user_access_find(&space, LAZY + PAGE_SIZE - 1, 2, &place), STATUS_OUT_OF_MEMORY);
	assert_taken(&free, 0, &image, 0);
	assert_int_equal(user_access_find(&space, LAZY + 2, 4, &place), STATUS_OK);
	user_access_put(&place, "once");
	assert_int_equal(user_access_find(&space, LAZY + 4 * PAGE_SIZE - 2, 4, &place), STATUS_OK);
	user_access_put(&place, "both");
	assert_taken(&free, 3, &image, 0);
	assert_int_equal(user_access_find(&space, STACK_END - 2 * PAGE_SIZE, PAGE_SIZE + 4, &place), STATUS_OK);
	user_access_put(&place, memory);
	assert_taken(&free, 1, &image, 1);
	address_space_unlock(&space, pages);
	assert_int_equal(user_access_read(&space, LAZY + 2, 4, buffer), STATUS_OK);
	assert_memory_equal(buffer, "once", 4);
	assert_int_equal(user_access_read(&space, LAZY + 4 * PAGE_SIZE - 2, 4, buffer), STATUS_OK);
	assert_memory_equal(buffer, "both", 4);
	assert_int_equal(user_access_read(&space, STACK_END - 2 * PAGE_SIZE, PAGE_SIZE + 4, buffer), STATUS_OK);
	assert_memory_equal(buffer, memory, PAGE_SIZE + 4);
	end();
}

/* A word to park on: zero where nobody has been, and private. */
static void test_private_word(void **state)
{
	struct uaddr_range page = pages_at(LAZY, 1);
	uint32_t word = 1;

	(void)state;
	begin_lazy();
	address_space_lock(&space, page);
	assert_int_equal(user_access_read_private_word(&space, LAZY + 8, &word), STATUS_OK);
	assert_int_equal(word, 0);
	assert_int_equal(user_access_read_private_word(&space, LAZY + 12 * PAGE_SIZE, &word), STATUS_OK);
	assert_int_equal(user_access_read_private_word(&space, LAZY + 10 * PAGE_SIZE, &word), STATUS_BUFFER_FAULT);
	(void)machine_refuse_promise(0);
	assert_int_equal(user_access_read_private_word(&space, LAZY + PAGE_SIZE, &word), STATUS_OUT_OF_MEMORY);
	address_space_unlock(&space, page);
	end();
}

static enum status expected_of(uint64_t address, uint64_t bytes, bool writing)
{
	uint64_t last = writing ? READABLE : NO_ACCESS;

	if (bytes == 0)
		return STATUS_OK;
	return address >= WRITABLE && address + bytes <= last ? STATUS_OK : STATUS_BUFFER_FAULT;
}

static void test_random(void **state)
{
	struct host_random random;

	(void)state;
	host_random_init(&random, __func__, 6);
	begin();
	for (uint64_t i = 0; i < host_rounds(200000); i++) {
		uint64_t address = WRITABLE - 100 + host_random_below(&random, NOTHING - WRITABLE + 200);
		uint64_t bytes = host_random_below(&random, SCENE_BYTES >> host_random_below(&random, 12));
		uint64_t offset = address - WRITABLE;
		enum status status = expected_of(address, bytes, false);

		assert_int_equal(user_access_read(&space, address, bytes, buffer), status);
		if (status == STATUS_OK && bytes != 0)
			assert_memory_equal(buffer, memory + offset, bytes);
		status = expected_of(address, bytes, true);
		assert_int_equal(user_access_check(&space, address, bytes, true), status);
		for (uint64_t k = 0; k < bytes; k++)
			buffer[k] = (uint8_t)host_random_u64(&random);
		assert_int_equal(user_access_write(&space, address, bytes, buffer), status);
		if (status == STATUS_OK && bytes != 0)
			memcpy(memory + offset, buffer, bytes);
		if (i % 64 == 0)
			assert_memory_holds();
	}
	assert_memory_holds();
	end();
}

/* A write and a read of one word there; what was found before must not matter. */
static void expect_word(uint64_t address, enum status reading, enum status writing)
{
	uint64_t word = 0x5eed, read = 0;
	struct user_place place;

	assert_int_equal(user_access_write(&space, address, sizeof(word), &word), writing);
	assert_int_equal(user_access_find(&space, address, sizeof(word), &place), writing);
	assert_int_equal(user_access_read(&space, address, sizeof(read), &read), reading);
	if (writing == STATUS_OK)
		assert_int_equal(read, word);
	assert_true(address_space_is_valid(&space, machine_kernel_root()));
}

/* The page that was seen last is forgotten with each change, by whatever operation, and then looked up anew. */
static void test_seen(void **state)
{
	const struct uaddr_range page = pages_at(WRITABLE, 1);
	uint64_t word;

	(void)state;
	begin();
	expect_word(WRITABLE, STATUS_OK, STATUS_OK);
	assert_int_equal(anonymous_protect(&space, page, PROTECTION_READ), STATUS_OK);
	expect_word(WRITABLE, STATUS_OK, STATUS_BUFFER_FAULT);
	assert_int_equal(anonymous_protect(&space, page, PROTECTION_NONE), STATUS_OK);
	expect_word(WRITABLE, STATUS_BUFFER_FAULT, STATUS_BUFFER_FAULT);
	assert_int_equal(anonymous_protect(&space, page, READ_WRITE), STATUS_OK);
	expect_word(WRITABLE, STATUS_OK, STATUS_OK);
	assert_int_equal(anonymous_decommit(&space, page), STATUS_OK);
	expect_word(WRITABLE, STATUS_BUFFER_FAULT, STATUS_BUFFER_FAULT);
	assert_int_equal(anonymous_commit(&space, page, READ_WRITE), STATUS_OK);
	assert_int_equal(user_access_read(&space, WRITABLE, sizeof(word), &word), STATUS_OK);
	assert_int_equal(word, 0); /* another frame */
	expect_word(WRITABLE, STATUS_OK, STATUS_OK);
	assert_int_equal(anonymous_unmap(&space, page), STATUS_OK);
	expect_word(WRITABLE, STATUS_BUFFER_FAULT, STATUS_BUFFER_FAULT);
	/* Seen by a read alone, or for another page. */
	assert_int_equal(user_access_read(&space, READABLE, sizeof(word), &word), STATUS_OK);
	expect_word(READABLE, STATUS_OK, STATUS_BUFFER_FAULT);
	expect_word(WRITABLE + PAGE_SIZE, STATUS_OK, STATUS_OK);
	expect_word(NO_ACCESS, STATUS_BUFFER_FAULT, STATUS_BUFFER_FAULT);
	expect_word(0, STATUS_BUFFER_FAULT, STATUS_BUFFER_FAULT);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_straddling),
		cmocka_unit_test(test_protections),
		cmocka_unit_test(test_partial),
		cmocka_unit_test(test_outside),
		cmocka_unit_test(test_no_bytes),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_lazy),
		cmocka_unit_test(test_check_supplies),
		cmocka_unit_test(test_room_of_the_stack),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_private_word),
		cmocka_unit_test(test_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
