#include "kernel/debug/selftest.h"

#include <stddef.h>

#include "kernel/arch/x86_64/context.h"
#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/features.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/log.h"
#include "kernel/arch/x86_64/panic.h"
#include "kernel/arch/x86_64/probe.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/debug/invariant.h"
#include "kernel/mem/anonymous.h"
#include "kernel/mem/frame.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/kernel_stack.h"
#include "kernel/mem/paging.h"
#include "lib/check.h"
#include "lib/status.h"
#include "lib/string.h"

#define TEST_ADDRESS UINT64_C(0x10000000)
#define TEST_PAGES 3u

static void passed(const char *name)
{
	log_line("selftest: ok %s", name);
}

static void require(bool holds, const char *name)
{
	if (!holds)
		panic("selftest: FAILED %s", name);
}

/* A space with a few committed pages, and its own account. */
struct fixture {
	struct account account;
	struct address_space space;
	struct uaddr_range range;
};

/* OUT_OF_MEMORY: nothing is left of it. */
static enum status fixture_try(struct fixture *fixture)
{
	const uint64_t limits[LEDGER_COUNT] = { 1u << 20, 1u << 12, 1u << 12, 1u << 8, 16, 1u << 16 };
	const struct placement placement = { TEST_ADDRESS, TEST_PAGES * PAGE_SIZE, true };
	enum status status;

	*fixture = (struct fixture){ 0 };
	resource_ledger_init(&fixture->account.ledger, limits);
	TRY(address_space_create(&fixture->space, &fixture->account, paging_root_table()));
	status = anonymous_map(&fixture->space, &placement, PROTECTION_READ | PROTECTION_WRITE, &fixture->range);
	if (status != STATUS_OK)
		address_space_destroy(&fixture->space);
	return status;
}

static void fixture_make(struct fixture *fixture)
{
	require(fixture_try(fixture) == STATUS_OK, "a space with pages");
}

/* What CPU 1 does for the test, in its interrupt handler. */
struct remote {
	struct address_space *space;
	uint64_t address;
	uint64_t value;
	bool readable;
};

static void remote_enter(void *argument)
{
	struct remote *remote = argument;

	cr3_write(address_space_enter_cpu(remote->space, cpu_index()));
	cpu_current()->active_root = cr3_read();
}

static void remote_leave(void *argument)
{
	struct remote *remote = argument;

	paging_load_kernel_root();
	address_space_leave_cpu(remote->space, cpu_index());
}

static void remote_read(void *argument)
{
	struct remote *remote = argument;

	remote->readable = probe_read64(remote->address, &remote->value, true);
}

/*
 * A page that one CPU unmaps is unreachable on the other as soon as the call returns. CPU 1 has the translation cached,
 * which emulators keep until they are told, so leaving the shootdown out makes this fail.
 */
static void test_stale_translation(void)
{
	struct fixture fixture;
	struct remote remote = { .space = &fixture.space, .address = TEST_ADDRESS };
	struct uaddr_range page = { uaddr_from_u64(TEST_ADDRESS), uaddr_from_u64(TEST_ADDRESS + PAGE_SIZE) };

	fixture_make(&fixture);
	smp_call(1, remote_enter, &remote);
	smp_call(1, remote_read, &remote);
	require(remote.readable && remote.value == 0, "page is there on the other CPU");
	require(anonymous_unmap(&fixture.space, page) == STATUS_OK, "unmap");
	smp_call(1, remote_read, &remote);
	require(!remote.readable, "an unmapped page is unreachable on the other CPU");
	passed("stale-tlb-unmap");

	remote.address += PAGE_SIZE;
	smp_call(1, remote_read, &remote);
	require(remote.readable, "second page is there");
	page = (struct uaddr_range){ page.end, uaddr_from_u64(TEST_ADDRESS + 2 * PAGE_SIZE) };
	require(anonymous_protect(&fixture.space, page, PROTECTION_NONE) == STATUS_OK, "protect");
	smp_call(1, remote_read, &remote);
	require(!remote.readable, "a page with no access is unreachable on the other CPU");
	passed("stale-tlb-protect");
	smp_call(1, remote_leave, &remote);
	address_space_destroy(&fixture.space);
}

/*
 * The same while the other CPU has the space not loaded, and may have kept its translations under its PCID: it must not
 * find them again when it comes back.
 */
static void test_stale_reentry(void)
{
	struct fixture fixture;
	struct remote remote = { .space = &fixture.space, .address = TEST_ADDRESS };
	struct uaddr_range page = { uaddr_from_u64(TEST_ADDRESS), uaddr_from_u64(TEST_ADDRESS + PAGE_SIZE) };

	fixture_make(&fixture);
	for (unsigned i = 0; i < 2; i++) { /* the second time without a flush, where the CPU has PCIDs */
		smp_call(1, remote_enter, &remote);
		smp_call(1, remote_read, &remote);
		require(remote.readable, "page is there on the other CPU");
		smp_call(1, remote_leave, &remote);
	}
	require(anonymous_unmap(&fixture.space, page) == STATUS_OK, "unmap");
	smp_call(1, remote_enter, &remote);
	smp_call(1, remote_read, &remote);
	require(!remote.readable, "a page unmapped meanwhile is unreachable after coming back");
	smp_call(1, remote_leave, &remote);
	address_space_destroy(&fixture.space);
	passed("stale-tlb-reentry");
}

/*
 * Heap blocks of every size while only so many frames may be had: the rest is promised to us, so the next promise is
 * refused. Freed in another order. Whether all blocks were given.
 */
static bool fill_heap(uint64_t frames)
{
	void *block[64];
	const uint64_t free_frames = frame_free_count();
	enum status status = STATUS_OK;
	uint32_t count = 0;

	require(frame_promise(free_frames - frames) == STATUS_OK, "all frames but a few are promised");
	while (count < COUNT_OF(block) && status == STATUS_OK) {
		status = heap_allocate(1 + count * 16, &block[count]);
		count += status == STATUS_OK;
	}
	require(status == STATUS_OK || status == STATUS_OUT_OF_MEMORY, "a heap without frames is out of memory");
	require(status == STATUS_OK || frame_free_count() == 0, "the heap refuses only if no frame may be had");
	require(heap_is_valid(), "heap with blocks is valid");
	for (uint32_t i = 0; i < count; i += 2)
		heap_free(block[i], 1 + i * 16);
	for (uint32_t i = 1; i < count; i += 2)
		heap_free(block[i], 1 + i * 16);
	require(frame_free_count() == frames, "heap gives its frames back");
	frame_promise_return(free_frames - frames);
	require(heap_is_valid() && frame_free_count() == free_frames, "heap is empty again");
	return count == COUNT_OF(block);
}

/* The first promise of a frame refused, then the second, until none is. */
static void test_heap(void)
{
	uint64_t refusals = 0;

	while (!fill_heap(refusals))
		refusals++;
	require(refusals > 1, "promises of the heap were refused");
	passed("heap");
}

/* A space with pages, while only so many frames may be had: made whole, or not at all. */
static bool make_space(uint64_t frames)
{
	const uint64_t free_frames = frame_free_count();
	struct fixture fixture;
	enum status status;

	require(frame_promise(free_frames - frames) == STATUS_OK, "all frames but a few are promised");
	status = fixture_try(&fixture);
	require(status == STATUS_OK || status == STATUS_OUT_OF_MEMORY, "a space without frames is out of memory");
	if (status == STATUS_OK)
		address_space_destroy(&fixture.space);
	require(frame_free_count() == frames, "space gives its frames back");
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		require(fixture.account.ledger.of[kind].used == 0, "space gives its charges back");
	frame_promise_return(free_frames - frames);
	return status == STATUS_OK;
}

static void test_refusals(void)
{
	uint64_t refusals = 0;

	while (!make_space(refusals))
		refusals++;
	require(refusals > TEST_PAGES, "promises of a space were refused");
	passed("refused-promises");
}

/* On a CPU with SMAP the kernel gets at a program's page only when it says so; and then it does. */
static void test_user_pages(void)
{
	struct fixture fixture;
	uint64_t value;

	fixture_make(&fixture);
	cr3_write(address_space_enter_cpu(&fixture.space, cpu_index()));
	require(probe_read64(TEST_ADDRESS, &value, true), "a program's page is readable when asked for");
	require(probe_read64(TEST_ADDRESS, &value, false) != features_get()->smap, "SMAP keeps the kernel off it");
	require(probe_write64(TEST_ADDRESS, 1, false) != features_get()->smap, "SMAP keeps the kernel from writing");
	paging_load_kernel_root();
	address_space_leave_cpu(&fixture.space, cpu_index());
	address_space_destroy(&fixture.space);
	passed("user-pages-are-shut");
}

static void test_kernel_writes(void)
{
	uint64_t value;

	require(!probe_write64((uint64_t)(uintptr_t)&selftest_run, 0, false), "text is read-only");
	require(probe_read64((uint64_t)(uintptr_t)&selftest_run, &value, false), "text is readable");
	passed("kernel-text-read-only");
}

void selftest_run(void)
{
	struct inspector_check check;

	test_heap();
	test_refusals();
	test_kernel_writes();
	test_user_pages();
	if (cpu_online_count() > 1) {
		test_stale_translation();
		test_stale_reentry();
	} else {
		log_line("selftest: left out stale-tlb (one CPU)");
	}
	invariant_check_all(&check);
	require(check.broken == 0, check.first_broken);
	log_line("selftest: passed, %llu invariants hold", (unsigned long long)check.checked);
}

/* Calls itself until the stack is used up; each call keeps something, or it would be a jump. */
static __attribute__((noinline)) uint64_t use_up_stack(uint64_t depth)
{
	volatile uint64_t kept[16] = { depth };

	return depth == UINT64_MAX ? 0 : use_up_stack(depth + 1) + kept[0];
}

static void use_up(void *argument)
{
	(void)argument;
	(void)use_up_stack(0);
}

static void overflow_thread_stack(void)
{
	uint64_t boot_context;
	uint64_t top;

	require(kernel_stack_create(&top) == STATUS_OK, "a kernel stack");
	context_switch(&boot_context, context_prepare(top, use_up, NULL));
}

void selftest_overflow(const char *stack)
{
	if (string_equal(stack, "boot"))
		use_up(NULL);
	else if (string_equal(stack, "cpu") && cpu_online_count() > 1)
		smp_call(1, use_up, NULL);
	else if (string_equal(stack, "thread"))
		overflow_thread_stack();
	else
		log_line("selftest: no stack \"%s\" to overflow (boot, thread; cpu if there are two)", stack);
}
