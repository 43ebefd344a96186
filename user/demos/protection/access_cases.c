#include "user/demos/protection/access_cases.h"

#include "abi/memory_layout.h"
#include "lib/check.h"
#include "user/demos/protection/privileged_code.h"
#include "user/runtime/virtual_memory_client.h"
#include "user/testing/trial.h"

#define RET 0xc3 /* its machine code */
#define PLACE UINT64_C(0x20000000)
#define DIRECT_MAP UINT64_C(0xffff800000400000) /* RAM of every machine that boots */
#define KERNEL_TEXT UINT64_C(0xffffffff80100000)
#define DEVICES UINT64_C(0xffffc00000000000)
#define NOTHING_OF_KERNEL UINT64_C(0xffffe00000000000)
#define LAST_BYTE UINT64_MAX
#define HOLE UINT64_C(0x0000800000000000)
#define HOLE_END UINT64_C(0xffff7fffffffffff)

/* At PLACE: pages that may be read and written, with a RET at the start of each. */
static void place_pages(uint32_t pages)
{
	void *at;

	CHECK(virtual_memory_client_map(trial.memory, (const void *)PLACE, TRIAL_BYTES(pages), TRIAL_READ_WRITE,
					VIRTUAL_MEMORY_FIXED, &at) == STATUS_OK);
	for (uint32_t i = 0; i < pages; i++)
		(void)code_write_byte(PLACE + i * PAGE_SIZE);
}

static void protect(uint32_t protection)
{
	CHECK(virtual_memory_client_protect(trial.memory, (const void *)PLACE, PAGE_SIZE, protection) == STATUS_OK);
}

static void place_shut(void)
{
	place_pages(1);
	protect(PROTECTION_NONE);
}

static void place_reserved(void)
{
	void *at;

	CHECK(virtual_memory_client_reserve(trial.memory, (const void *)PLACE, PAGE_SIZE, VIRTUAL_MEMORY_FIXED, &at) ==
	      STATUS_OK);
}

/* ---- nothing there ---- */

static bool read_null(void)
{
	return code_read_byte(0);
}

static bool write_null(void)
{
	return code_write_byte(0);
}

static bool execute_null(void)
{
	return code_call(0);
}

static bool read_last_page(void)
{
	return code_read_byte(USER_LIMIT);
}

static bool execute_last_page(void)
{
	return code_call(USER_LIMIT);
}

static bool read_uncommitted(void)
{
	place_reserved();
	return code_read_byte(PLACE);
}

static bool write_uncommitted(void)
{
	place_reserved();
	return code_write_byte(PLACE);
}

static bool read_unmapped(void)
{
	place_pages(1);
	CHECK(trial_unmap((const void *)PLACE, 1) == STATUS_OK);
	return code_read_byte(PLACE);
}

static bool write_decommitted(void)
{
	place_pages(1);
	CHECK(virtual_memory_client_decommit(trial.memory, (const void *)PLACE, PAGE_SIZE) == STATUS_OK);
	return code_write_byte(PLACE);
}

/* The first byte may be written, the last one is on no page. */
static bool write_over_the_edge(void)
{
	place_pages(1);
	return code_write_4_bytes(PLACE + PAGE_SIZE - 2);
}

/* ---- not so ---- */

static bool read_shut(void)
{
	place_shut();
	return code_read_byte(PLACE);
}

static bool write_shut(void)
{
	place_shut();
	return code_write_byte(PLACE);
}

static bool execute_shut(void)
{
	place_shut();
	return code_call(PLACE);
}

static bool write_read_only(void)
{
	place_pages(1);
	protect(PROTECTION_READ);
	return code_write_byte(PLACE);
}

static bool write_executable(void)
{
	place_pages(1);
	protect(PROTECTION_READ | PROTECTION_EXECUTE);
	return code_write_byte(PLACE);
}

static bool execute_data(void)
{
	place_pages(1);
	return code_call(PLACE);
}

static bool execute_read_only(void)
{
	place_pages(1);
	protect(PROTECTION_READ);
	return code_call(PLACE);
}

/* It has been executed before, so a translation for it was there. */
static bool execute_no_more(void)
{
	place_pages(1);
	protect(PROTECTION_READ | PROTECTION_EXECUTE);
	(void)code_call(PLACE);
	protect(TRIAL_READ_WRITE);
	return code_call(PLACE);
}

static bool execute_executable(void)
{
	place_pages(1);
	protect(PROTECTION_READ | PROTECTION_EXECUTE);
	return code_call(PLACE);
}

/* An instruction of two bytes (0F 0B), the second of which may not be executed. */
static bool execute_over_the_edge(void)
{
	place_pages(2);
	*(volatile unsigned char *)(PLACE + PAGE_SIZE - 1) = 0x0f;
	*(volatile unsigned char *)(PLACE + PAGE_SIZE) = 0x0b;
	protect(PROTECTION_READ | PROTECTION_EXECUTE);
	return code_call(PLACE + PAGE_SIZE - 1);
}

static bool execute_stack(void)
{
	volatile unsigned char code[1] = { RET };

	return code_call((uint64_t)code);
}

static bool execute_variable(void)
{
	static volatile unsigned char code[1] = { RET };

	return code_call((uint64_t)code);
}

static bool execute_constant(void)
{
	static const volatile unsigned char code[1] = { RET };

	return code_call((uint64_t)code);
}

static bool write_text(void)
{
	return code_write_byte((uint64_t)&read_null);
}

static bool write_constant(void)
{
	static const unsigned char constant = RET;

	return code_write_byte((uint64_t)&constant);
}

static bool write_capset(void)
{
	return code_write_byte(CAPSET_ADDRESS);
}

static bool execute_capset(void)
{
	return code_call(CAPSET_ADDRESS);
}

static bool execute_ring(void)
{
	return code_call(RING_ADDRESS);
}

/* ---- not yet ---- */

/* Down from here: the stack's pages, then the room into which it may grow, and its guard as one with that. */
static struct virtual_memory_region below_the_stack(void)
{
	struct virtual_memory_region region = { .kind = PAGE_EMPTY };
	uint64_t address = (uint64_t)&region;

	do {
		CHECK(virtual_memory_client_query(trial.memory, (const void *)address, &region) == STATUS_OK);
		address = region.start - 1;
	} while (region.kind != PAGE_GUARD);
	return region;
}

static bool write_guard(void)
{
	return code_write_byte(below_the_stack().start);
}

static bool write_room(void)
{
	return code_write_byte(below_the_stack().end - 3 * PAGE_SIZE);
}

static bool execute_room(void)
{
	return code_call(below_the_stack().end - PAGE_SIZE);
}

/* At PLACE: a page that nobody has touched. */
static void place_lazy(uint32_t protection)
{
	void *at;

	CHECK(virtual_memory_client_map(trial.memory, (const void *)PLACE, PAGE_SIZE, protection,
					VIRTUAL_MEMORY_FIXED | VIRTUAL_MEMORY_LAZY, &at) == STATUS_OK);
}

static bool write_lazy(void)
{
	place_lazy(TRIAL_READ_WRITE);
	return code_write_byte(PLACE);
}

static bool execute_lazy(void)
{
	place_lazy(TRIAL_READ_WRITE);
	return code_call(PLACE);
}

static bool write_lazy_read_only(void)
{
	place_lazy(PROTECTION_READ);
	return code_write_byte(PLACE);
}

static bool read_lazy_shut(void)
{
	place_lazy(PROTECTION_NONE);
	return code_read_byte(PLACE);
}

/* ---- the kernel's ---- */

static bool read_direct_map(void)
{
	return code_read_byte(DIRECT_MAP);
}

static bool write_direct_map(void)
{
	return code_write_byte(DIRECT_MAP);
}

static bool execute_direct_map(void)
{
	return code_call(DIRECT_MAP);
}

static bool read_kernel_text(void)
{
	return code_read_byte(KERNEL_TEXT);
}

static bool write_kernel_text(void)
{
	return code_write_byte(KERNEL_TEXT);
}

static bool execute_kernel_text(void)
{
	return code_call(KERNEL_TEXT);
}

static bool read_devices(void)
{
	return code_read_byte(DEVICES);
}

static bool write_devices(void)
{
	return code_write_byte(DEVICES);
}

static bool read_nothing_of_kernel(void)
{
	return code_read_byte(NOTHING_OF_KERNEL);
}

static bool write_nothing_of_kernel(void)
{
	return code_write_byte(NOTHING_OF_KERNEL);
}

static bool execute_nothing_of_kernel(void)
{
	return code_call(NOTHING_OF_KERNEL);
}

static bool read_last_byte(void)
{
	return code_read_byte(LAST_BYTE);
}

/* A hint about an address is no access to it. */
static bool prefetch_kernel(void)
{
	__builtin_prefetch((const void *)KERNEL_TEXT);
	return true;
}

/* ---- no address ---- */

static bool read_hole(void)
{
	return code_read_byte(HOLE);
}

static bool write_hole(void)
{
	return code_write_byte(HOLE);
}

static bool read_hole_end(void)
{
	return code_read_byte(HOLE_END);
}

/* Begins below the hole, where nothing is mapped, and ends in it: that is looked at first. */
static bool read_over_the_hole(void)
{
	return code_read_8_bytes(HOLE - 4);
}

#define ANY NEEDS_NOTHING
#define KERNEL_FAULT(error) PAGE_FAULT(USER | (error), USER_FAULT_KERNEL_ADDRESS)
#define NOT_CANONICAL FAULT(13, 0, USER_FAULT_NON_CANONICAL)
#define UNRESERVED(error) PAGE_FAULT(USER | (error), USER_FAULT_UNRESERVED)
#define READ_ONLY PAGE_FAULT(USER | PRESENT | WRITE, USER_FAULT_READ_ONLY)
#define NO_EXECUTE PAGE_FAULT(USER | PRESENT | FETCH, USER_FAULT_NO_EXECUTE)

/* clang-format off */
static const struct ring3_case cases[] = {
	{ "null-read", ANY, read_null, 0, UNRESERVED(0), {} },
	{ "null-write", ANY, write_null, 0, UNRESERVED(WRITE), {} },
	{ "null-execute", ANY, execute_null, 0, UNRESERVED(FETCH), {} },
	{ "last-page-read", ANY, read_last_page, USER_LIMIT, UNRESERVED(0), {} },
	{ "last-page-execute", ANY, execute_last_page, USER_LIMIT, UNRESERVED(FETCH), {} },
	{ "uncommitted-read", ANY, read_uncommitted, PLACE, PAGE_FAULT(USER, USER_FAULT_UNCOMMITTED), {} },
	{ "uncommitted-write", ANY, write_uncommitted, PLACE, PAGE_FAULT(USER | WRITE, USER_FAULT_UNCOMMITTED), {} },
	{ "unmapped-read", ANY, read_unmapped, PLACE, UNRESERVED(0), {} },
	{ "decommitted-write", ANY, write_decommitted, PLACE, PAGE_FAULT(USER | WRITE, USER_FAULT_UNCOMMITTED), {} },
	{ "write-over-the-edge", ANY, write_over_the_edge, PLACE + PAGE_SIZE, UNRESERVED(WRITE), {} },

	{ "guard-write", ANY, write_guard, ADDRESS_UNKNOWN, PAGE_FAULT(USER | WRITE, USER_FAULT_STACK_OVERFLOW), {} },
	{ "room-write", ANY, write_room, 0, ALLOWED, {} },
	{ "room-execute", ANY, execute_room, ADDRESS_UNKNOWN, PAGE_FAULT(USER | FETCH, USER_FAULT_GUARD), {} },
	{ "lazy-write", ANY, write_lazy, 0, ALLOWED, {} },
	{ "lazy-execute", ANY, execute_lazy, PLACE, PAGE_FAULT(USER | FETCH, USER_FAULT_NO_EXECUTE), {} },
	{ "lazy-read-only-write", ANY, write_lazy_read_only, PLACE, PAGE_FAULT(USER | WRITE, USER_FAULT_READ_ONLY), {} },
	{ "lazy-shut-read", ANY, read_lazy_shut, PLACE, PAGE_FAULT(USER, USER_FAULT_NO_ACCESS), {} },

	{ "shut-read", ANY, read_shut, PLACE, PAGE_FAULT(USER, USER_FAULT_NO_ACCESS), {} },
	{ "shut-write", ANY, write_shut, PLACE, PAGE_FAULT(USER | WRITE, USER_FAULT_NO_ACCESS), {} },
	{ "shut-execute", ANY, execute_shut, PLACE, PAGE_FAULT(USER | FETCH, USER_FAULT_NO_ACCESS), {} },
	{ "read-only-write", ANY, write_read_only, PLACE, READ_ONLY, {} },
	{ "executable-write", ANY, write_executable, PLACE, READ_ONLY, {} },
	{ "text-write", ANY, write_text, ADDRESS_UNKNOWN, READ_ONLY, {} },
	{ "constant-write", ANY, write_constant, ADDRESS_UNKNOWN, READ_ONLY, {} },
	{ "capset-write", ANY, write_capset, CAPSET_ADDRESS, READ_ONLY, {} },

	{ "executable-execute", ANY, execute_executable, 0, ALLOWED, {} },
	{ "data-execute", ANY, execute_data, PLACE, NO_EXECUTE, {} },
	{ "read-only-execute", ANY, execute_read_only, PLACE, NO_EXECUTE, {} },
	{ "executable-no-more", ANY, execute_no_more, PLACE, NO_EXECUTE, {} },
	{ "execute-over-the-edge", ANY, execute_over_the_edge, PLACE + PAGE_SIZE, NO_EXECUTE, {} },
	{ "stack-execute", ANY, execute_stack, ADDRESS_UNKNOWN, NO_EXECUTE, {} },
	{ "variable-execute", ANY, execute_variable, ADDRESS_UNKNOWN, NO_EXECUTE, {} },
	{ "constant-execute", ANY, execute_constant, ADDRESS_UNKNOWN, NO_EXECUTE, {} },
	{ "capset-execute", ANY, execute_capset, CAPSET_ADDRESS, NO_EXECUTE, {} },
	{ "ring-execute", ANY, execute_ring, RING_ADDRESS, NO_EXECUTE, {} },

	{ "direct-map-read", ANY, read_direct_map, DIRECT_MAP, KERNEL_FAULT(PRESENT), {} },
	{ "direct-map-write", ANY, write_direct_map, DIRECT_MAP, KERNEL_FAULT(PRESENT | WRITE), {} },
	{ "direct-map-execute", ANY, execute_direct_map, DIRECT_MAP, KERNEL_FAULT(PRESENT | FETCH), {} },
	{ "kernel-text-read", ANY, read_kernel_text, KERNEL_TEXT, KERNEL_FAULT(PRESENT), {} },
	{ "kernel-text-write", ANY, write_kernel_text, KERNEL_TEXT, KERNEL_FAULT(PRESENT | WRITE), {} },
	{ "kernel-text-execute", ANY, execute_kernel_text, KERNEL_TEXT, KERNEL_FAULT(PRESENT | FETCH), {} },
	{ "devices-read", ANY, read_devices, DEVICES, KERNEL_FAULT(PRESENT), {} },
	{ "devices-write", ANY, write_devices, DEVICES, KERNEL_FAULT(PRESENT | WRITE), {} },
	{ "kernel-nothing-read", ANY, read_nothing_of_kernel, NOTHING_OF_KERNEL, KERNEL_FAULT(0), {} },
	{ "kernel-nothing-write", ANY, write_nothing_of_kernel, NOTHING_OF_KERNEL, KERNEL_FAULT(WRITE), {} },
	{ "kernel-nothing-execute", ANY, execute_nothing_of_kernel, NOTHING_OF_KERNEL, KERNEL_FAULT(FETCH), {} },
	{ "last-byte-read", ANY, read_last_byte, LAST_BYTE, KERNEL_FAULT(0), {} },
	{ "kernel-prefetch", ANY, prefetch_kernel, 0, ALLOWED, {} },

	{ "hole-read", ANY, read_hole, HOLE, NOT_CANONICAL, {} },
	{ "hole-write", ANY, write_hole, HOLE, NOT_CANONICAL, {} },
	{ "hole-end-read", ANY, read_hole_end, HOLE_END, NOT_CANONICAL, {} },
	{ "read-over-the-hole", ANY, read_over_the_hole, HOLE - 4, NOT_CANONICAL, UNRESERVED(0) },
};
/* clang-format on */

const struct ring3_case *access_cases(uint32_t *count)
{
	*count = COUNT_OF(cases);
	return cases;
}
