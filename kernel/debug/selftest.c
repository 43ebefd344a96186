#include "kernel/debug/selftest.h"

#include <stddef.h>

#include "kernel/arch/x86_64/clock.h"
#include "kernel/arch/x86_64/context.h"
#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/features.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/interrupt_window.h"
#include "kernel/arch/x86_64/log.h"
#include "kernel/arch/x86_64/panic.h"
#include "kernel/arch/x86_64/probe.h"
#include "kernel/arch/x86_64/smp.h"
#include "kernel/debug/invariant.h"
#include "kernel/debug/test_space.h"
#include "kernel/mem/anonymous.h"
#include "kernel/mem/frame.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/kernel_stack.h"
#include "kernel/mem/paging.h"
#include "lib/check.h"
#include "lib/status.h"
#include "lib/string.h"

#define CR4_PCID (UINT64_C(1) << 17)
#define CR4_SMAP (UINT64_C(1) << 21)
#define PCID_MASK UINT64_C(0xfff) /* of CR3 (SDM vol. 3, 4.10.1) */

#define ALARM_NS UINT64_C(1000000)
#define ALARM_LIMIT_NS UINT64_C(5000000000)

static void passed(const char *name)
{
	log_line("selftest: ok %s", name);
}

static void require(bool holds, const char *name)
{
	if (!holds)
		panic("selftest: FAILED %s", name);
}

/* What CPU 1 does for the test, in its interrupt handler. */
struct remote {
	struct test_space *space;
	uint64_t address;  /* of the first of REMOTE_PAGES pages */
	uint32_t readable; /* pages, when it looked */
};

/* Several, because a cache of translations may have lost one by chance. */
#define REMOTE_PAGES (TEST_SPACE_PAGES / 2)

static void remote_enter(void *argument)
{
	struct remote *remote = argument;

	test_space_enter(remote->space);
}

static void remote_leave(void *argument)
{
	struct remote *remote = argument;

	test_space_leave(remote->space);
}

static void remote_read(void *argument)
{
	struct remote *remote = argument;
	uint64_t value;

	remote->readable = 0;
	for (uint32_t i = 0; i < REMOTE_PAGES; i++)
		remote->readable += probe_read64(remote->address + i * PAGE_SIZE, &value, true) && value == 0;
}

/*
 * Bochs keeps no translation that SMAP is asked about at each access, so that a test would see nothing there: CPU 1
 * goes without SMAP meanwhile.
 */
static void remote_forgo_smap(void *cr4)
{
	*(uint64_t *)cr4 = cr4_read();
	cr4_write(cr4_read() & ~CR4_SMAP);
}

static void remote_take_back(void *cr4)
{
	cr4_write(*(const uint64_t *)cr4);
}

static struct uaddr_range remote_range(const struct remote *remote)
{
	return (struct uaddr_range){ uaddr_from_u64(remote->address),
				     uaddr_from_u64(remote->address + REMOTE_PAGES * PAGE_SIZE) };
}

/*
 * Pages that one CPU unmaps are unreachable on the other as soon as the call returns. CPU 1 has the translations
 * cached, which emulators keep until they are told, so leaving the shootdown out makes this fail.
 */
static void test_stale_translation(void)
{
	struct test_space space;
	struct remote remote = { .space = &space, .address = TEST_SPACE_ADDRESS };

	test_space_make(&space);
	smp_call(1, remote_enter, &remote);
	smp_call(1, remote_read, &remote);
	require(remote.readable == REMOTE_PAGES, "pages are there on the other CPU");
	require(anonymous_unmap(&space.space, remote_range(&remote)) == STATUS_OK, "unmap");
	smp_call(1, remote_read, &remote);
	require(remote.readable == 0, "an unmapped page is unreachable on the other CPU");
	passed("stale-tlb-unmap");

	remote.address += REMOTE_PAGES * PAGE_SIZE;
	smp_call(1, remote_read, &remote);
	require(remote.readable == REMOTE_PAGES, "further pages are there");
	require(anonymous_protect(&space.space, remote_range(&remote), PROTECTION_NONE) == STATUS_OK, "protect");
	smp_call(1, remote_read, &remote);
	require(remote.readable == 0, "a page with no access is unreachable on the other CPU");
	passed("stale-tlb-protect");
	smp_call(1, remote_leave, &remote);
	test_space_destroy(&space);
}

/*
 * The same while the other CPU has the space not loaded, and may have kept its translations under its PCID: it must not
 * find them again when it comes back.
 */
static void test_stale_reentry(void)
{
	struct test_space space;
	struct remote remote = { .space = &space, .address = TEST_SPACE_ADDRESS };

	test_space_make(&space);
	for (unsigned i = 0; i < 2; i++) { /* the second time without a flush, where the CPU has PCIDs */
		smp_call(1, remote_enter, &remote);
		smp_call(1, remote_read, &remote);
		require(remote.readable == REMOTE_PAGES, "pages are there on the other CPU");
		smp_call(1, remote_leave, &remote);
	}
	require(anonymous_unmap(&space.space, remote_range(&remote)) == STATUS_OK, "unmap");
	smp_call(1, remote_enter, &remote);
	smp_call(1, remote_read, &remote);
	require(remote.readable == 0, "a page unmapped meanwhile is unreachable after coming back");
	smp_call(1, remote_leave, &remote);
	test_space_destroy(&space);
	passed("stale-tlb-reentry");
}

/* What CPU 1 has in CR3, and what it was given for it the second time. */
struct loaded {
	struct test_space *space;
	uint64_t cr3, cr4;
	bool flushes;
};

static void load_twice(void *argument)
{
	struct loaded *loaded = argument;

	test_space_enter(loaded->space);
	test_space_leave(loaded->space);
	loaded->flushes = (address_space_enter_cpu(&loaded->space->space, cpu_index()) & PTE_ROOT_NO_FLUSH) == 0;
	test_space_enter(loaded->space);
	loaded->cr3 = cr3_read();
	loaded->cr4 = cr4_read();
	test_space_leave(loaded->space);
}

/* Where a CPU has PCIDs, each space has its own, and comes back without a flush; also on the last CPU. */
static void test_pcid(void)
{
	struct test_space first, second;
	struct loaded one = { .space = &first }, other = { .space = &second };

	test_space_make(&first);
	test_space_make(&second);
	smp_call(0, load_twice, &one);
	smp_call(cpu_online_count() - 1, load_twice, &other);
	require((one.cr4 & CR4_PCID) != 0 && (other.cr4 & CR4_PCID) != 0, "PCIDs are switched on");
	require((one.cr3 & PCID_MASK) != 0 && (other.cr3 & PCID_MASK) != 0, "a space has a PCID");
	require((one.cr3 & PCID_MASK) != (other.cr3 & PCID_MASK), "two spaces have two PCIDs");
	require(!one.flushes && !other.flushes, "a space comes back without a flush");
	log_line("selftest: spaces are loaded with PCIDs %u and %u", (uint32_t)(one.cr3 & PCID_MASK),
		 (uint32_t)(other.cr3 & PCID_MASK));
	test_space_destroy(&first);
	test_space_destroy(&second);
	passed("pcid");
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
	struct test_space space;
	enum status status;

	require(frame_promise(free_frames - frames) == STATUS_OK, "all frames but a few are promised");
	status = test_space_try(&space);
	require(status == STATUS_OK || status == STATUS_OUT_OF_MEMORY, "a space without frames is out of memory");
	if (status == STATUS_OK)
		test_space_destroy(&space);
	require(frame_free_count() == frames, "space gives its frames back");
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		require(space.account.ledger.of[kind].used == 0, "space gives its charges back");
	frame_promise_return(free_frames - frames);
	return status == STATUS_OK;
}

static void test_refusals(void)
{
	uint64_t refusals = 0;

	while (!make_space(refusals))
		refusals++;
	require(refusals > TEST_SPACE_PAGES, "promises of a space were refused");
	passed("refused-promises");
}

/* On a CPU with SMAP the kernel gets at a program's page only when it says so; and then it does. */
static void test_user_pages(void)
{
	struct test_space space;
	uint64_t value;

	test_space_make(&space);
	test_space_enter(&space);
	require(probe_read64(TEST_SPACE_ADDRESS, &value, true), "a program's page is readable when asked for");
	require(probe_read64(TEST_SPACE_ADDRESS, &value, false) != features_get()->smap,
		"SMAP keeps the kernel off it");
	require(probe_write64(TEST_SPACE_ADDRESS, 1, false) != features_get()->smap,
		"SMAP keeps the kernel from writing");
	test_space_leave(&space);
	test_space_destroy(&space);
	passed("user-pages-are-shut");
}

static void test_kernel_writes(void)
{
	uint64_t value;

	require(!probe_write64((uint64_t)(uintptr_t)&selftest_run, 0, false), "text is read-only");
	require(probe_read64((uint64_t)(uintptr_t)&selftest_run, &value, false), "text is readable");
	passed("kernel-text-read-only");
}

static bool has_rung(void)
{
	interrupt_window_open();
	return (__atomic_load_n(&cpu_current()->attention, __ATOMIC_RELAXED) & CPU_ATTENTION_TIMER) != 0;
}

/* Each interrupt before was ended, the serial port's too: else none of its class would come any more. */
static void test_alarm(void)
{
	uint64_t start = clock_now_ns();

	clock_set_alarm(start + ALARM_NS);
	while (!has_rung() && clock_now_ns() - start < ALARM_LIMIT_NS)
		continue;
	require(has_rung(), "an alarm rings");
	__atomic_fetch_and(&cpu_current()->attention, ~(uint64_t)CPU_ATTENTION_TIMER, __ATOMIC_RELAXED);
	passed("alarm");
}

void selftest_run(void)
{
	struct inspector_check check;
	uint64_t cr4;

	test_heap();
	test_refusals();
	test_kernel_writes();
	test_user_pages();
	test_alarm();
	if (features_get()->pcid)
		test_pcid();
	else
		log_line("selftest: left out pcid (no PCIDs)");
	if (cpu_online_count() > 1) {
		smp_call(1, remote_forgo_smap, &cr4);
		test_stale_translation();
		test_stale_reentry();
		smp_call(1, remote_take_back, &cr4);
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
