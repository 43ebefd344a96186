/* links: kernel/mem/boot_memory.c kernel/mem/shortage.c kernel/mem/frame.c kernel/mem/address_space.c
   kernel/mem/address_space_audit.c kernel/mem/page_walk.c kernel/mem/page_gap.c kernel/mem/memory_object.c
   kernel/mem/heap.c kernel/mem/account.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "abi/memory_layout.h"
#include "kernel/mem/boot_memory.h"
#include "kernel/mem/shortage.h"
#include "tests/host/machine.h"

/* Two ranges with a hole between them; the second begins above the first limit. */
#define LOW_FRAMES 100u
#define HIGH_START 1000u
#define HIGH_FRAMES 50u
#define LIMIT (500 * PAGE_SIZE)

static void begin(void)
{
	struct memory_map map;

	memory_map_init(&map);
	assert_int_equal(memory_map_add(&map, 0, LOW_FRAMES * PAGE_SIZE, MEMORY_USABLE), STATUS_OK);
	assert_int_equal(memory_map_add(&map, HIGH_START * PAGE_SIZE, HIGH_FRAMES * PAGE_SIZE, MEMORY_USABLE),
			 STATUS_OK);
	boot_memory_init(&map, LIMIT);
}

static uint64_t frames(enum memory_kind kind)
{
	assert_true(memory_map_is_valid(boot_memory_map()));
	return memory_map_frames(boot_memory_map(), kind);
}

/* From the end of the highest range below the limit that has room, and never frame 0. */
static void test_take(void **state)
{
	paddr_t address;

	(void)state;
	begin();
	assert_int_equal(boot_memory_take(3, &address), STATUS_OK);
	assert_int_equal(paddr_to_u64(address), (LOW_FRAMES - 3) * PAGE_SIZE);
	assert_int_equal(boot_memory_take(LOW_FRAMES - 3, &address), STATUS_OUT_OF_MEMORY);
	assert_int_equal(boot_memory_take(LOW_FRAMES - 4, &address), STATUS_OK);
	assert_int_equal(paddr_to_u64(address), PAGE_SIZE);
	assert_int_equal(boot_memory_take(1, &address), STATUS_OUT_OF_MEMORY);
	assert_int_equal(frames(MEMORY_KERNEL_IMAGE), LOW_FRAMES - 1);
	boot_memory_raise_limit();
	assert_int_equal(boot_memory_take(1, &address), STATUS_OK);
	assert_int_equal(paddr_to_u64(address), (HIGH_START + HIGH_FRAMES - 1) * PAGE_SIZE);
	assert_int_equal(boot_memory_take(UINT64_MAX >> PAGE_SHIFT, &address), STATUS_OUT_OF_MEMORY);
	assert_int_equal(frames(MEMORY_USABLE), 1 + HIGH_FRAMES - 1);
}

/* What is borrowed comes back with what is the loader's; what is kept does not, and its neighbours do. */
static void test_borrow(void **state)
{
	paddr_t taken, borrowed, kept;

	(void)state;
	begin();
	assert_int_equal(boot_memory_take(1, &taken), STATUS_OK);
	assert_int_equal(boot_memory_borrow(4, &borrowed), STATUS_OK);
	assert_int_equal(boot_memory_borrow(4, &kept), STATUS_OK);
	assert_int_equal(paddr_to_u64(borrowed), paddr_to_u64(taken) - 4 * PAGE_SIZE);
	assert_int_equal(paddr_to_u64(kept), paddr_to_u64(borrowed) - 4 * PAGE_SIZE);
	assert_int_equal(frames(MEMORY_LOADER_RECLAIMABLE), 8);
	assert_int_equal(boot_memory_take(1, &taken), STATUS_OK);
	boot_memory_keep(kept, 4);
	assert_int_equal(frames(MEMORY_LOADER_RECLAIMABLE), 4);
	boot_memory_reclaim();
	assert_int_equal(frames(MEMORY_LOADER_RECLAIMABLE), 0);
	assert_int_equal(frames(MEMORY_KERNEL_IMAGE), 1 + 4 + 1);
	assert_int_equal(frames(MEMORY_USABLE), LOW_FRAMES + HIGH_FRAMES - 6);
	assert_int_equal(boot_memory_take(4, &taken), STATUS_OK);
	assert_int_equal(paddr_to_u64(taken), paddr_to_u64(borrowed));
}

/* What is refused on purpose changes nothing, and the next one is given. */
static void test_shortage(void **state)
{
	paddr_t address;

	(void)state;
	machine_start(1024); /* whoever refuses counts by CPU */
	begin();
	shortage_begin_boot(2);
	assert_int_equal(boot_memory_take(1, &address), STATUS_OK);
	assert_int_equal(boot_memory_take(1, &address), STATUS_OUT_OF_MEMORY);
	assert_int_equal(frames(MEMORY_USABLE), LOW_FRAMES + HIGH_FRAMES - 1);
	assert_int_equal(boot_memory_take(1, &address), STATUS_OK);
	shortage_begin_boot(0);
	machine_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_take),
		cmocka_unit_test(test_borrow),
		cmocka_unit_test(test_shortage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
