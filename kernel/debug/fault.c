#include "kernel/debug/fault.h"

#ifdef KERNEL_WATCH

#include <stddef.h>
#include <stdint.h>

#include "kernel/arch/x86_64/clock.h"
#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/halt.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/interrupt_window.h"
#include "kernel/arch/x86_64/log.h"
#include "kernel/arch/x86_64/spinlock.h"
#include "kernel/debug/test_space.h"
#include "kernel/mem/anonymous.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/kernel_stack.h"
#include "kernel/mem/paging.h"
#include "kernel/task/scheduler.h"
#include "lib/check.h"
#include "lib/string.h"

#define READ_WRITE (PROTECTION_READ | PROTECTION_WRITE)
#define TOO_LONG_NS UINT64_C(10000000)
#define BLOCK_BYTES 40u
#define ARRAY_WORDS 4u

/* What no compiler knows. */
static volatile uint32_t bits = 32;
static uint32_t *volatile nowhere;

/* ---- locks ---- */

static struct spinlock inner = SPINLOCK_INIT(LOCK_HEAP);
static struct spinlock outer = SPINLOCK_INIT(LOCK_PROCESS);
static struct spinlock other = SPINLOCK_INIT(LOCK_PROCESS);
static struct spinlock nameless;

static void lock_order(void)
{
	spinlock_acquire(&inner);
	spinlock_acquire(&outer);
}

static void lock_same_class(void)
{
	spinlock_acquire(&outer);
	spinlock_acquire(&other);
}

static void lock_again(void)
{
	spinlock_acquire(&inner);
	spinlock_acquire(&inner);
}

static void lock_nameless(void)
{
	spinlock_acquire(&nameless);
}

static void lock_not_held(void)
{
	spinlock_release(&inner);
}

static void lock_with_interrupts(void)
{
	sti();
	spinlock_acquire(&inner);
}

static void lock_over_window(void)
{
	spinlock_acquire(&inner);
	interrupt_window_open();
}

static void lock_asleep(void)
{
	spinlock_acquire(&inner);
	scheduler_idle();
}

/* ---- time ---- */

static void lock_too_long(void)
{
	spinlock_acquire(&inner);
	clock_wait_ns(TOO_LONG_NS);
	spinlock_release(&inner);
}

static void interrupts_off_too_long(void)
{
	interrupt_window_open();
	clock_wait_ns(TOO_LONG_NS);
	interrupt_window_open();
}

/* ---- page tables: an entry changed behind the back of the operations, then one of them comes by ---- */

static struct test_space space;

static pte_t *page_entry(uint32_t page)
{
	return test_space_entry(&space, TEST_SPACE_ADDRESS + page * PAGE_SIZE, 1);
}

/* Changes nothing: they are committed. */
static void operate_on(uint32_t first, uint32_t end)
{
	const uint64_t start = TEST_SPACE_ADDRESS;
	const struct uaddr_range range = uaddr_range_make(start + first * PAGE_SIZE, start + end * PAGE_SIZE);

	CHECK(anonymous_commit(&space.space, range, READ_WRITE) == STATUS_OK);
}

static void page_executable(void)
{
	test_space_make(&space);
	*page_entry(1) = pte_toggle(*page_entry(1), PTE_NO_EXECUTE);
	operate_on(0, TEST_SPACE_PAGES);
}

static void page_of_another(void)
{
	static struct test_space owner;

	test_space_make(&space);
	test_space_make(&owner);
	*page_entry(2) = *test_space_entry(&owner, TEST_SPACE_ADDRESS, 1);
	operate_on(0, TEST_SPACE_PAGES);
}

static void page_uncounted(void)
{
	test_space_make(&space);
	*page_entry(3) = pte_uniform(PAGE_EMPTY);
	operate_on(0, 1);
}

static void page_elsewhere(void)
{
	test_space_make(&space);
	*page_entry(4) = pte_toggle(*page_entry(4), PTE_NO_EXECUTE);
	operate_on(0, 1);
}

/* All stacks of threads lie below one table of level 3, which is made a program's; then another stack is mapped. */
static void page_for_programs(void)
{
	const pte_t above = paging_root_table()[pte_index(STACK_WINDOW_START, PTE_LEVELS)];
	pte_t *table = direct_map_of_frame(pte_frame(above));
	pte_t *entry = &table[pte_index(STACK_WINDOW_START, PTE_LEVELS - 1)];
	uint64_t top;

	*entry = pte_toggle(*entry, PTE_USER);
	CHECK(kernel_stack_create(&top) == STATUS_OK);
}

/* ---- the heap ---- */

static uint8_t *take_block(void)
{
	void *block;

	CHECK(heap_allocate(BLOCK_BYTES, &block) == STATUS_OK);
	return block;
}

/* By a loop of its own, so that the compiler knows of no object to hold it against. */
static __attribute__((noinline)) void write_to(volatile uint8_t *to, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		to[i] = 1;
}

static void heap_overrun(void)
{
	uint8_t *block = take_block();

	write_to(block, BLOCK_BYTES + 1);
	heap_free(block, BLOCK_BYTES);
}

static void heap_underrun(void)
{
	uint8_t *block = take_block();

	write_to(block - 1, 1);
	heap_free(block, BLOCK_BYTES);
}

static void heap_use_after_free(void)
{
	uint8_t *block = take_block();

	(void)take_block(); /* or the slab would go with the block */
	heap_free(block, BLOCK_BYTES);
	write_to(block, 1);
	(void)take_block();
}

/* ---- what C leaves undefined; and the stack ---- */

static void undefined_shift(void)
{
	bits = UINT32_C(1) << bits;
}

static void undefined_sum(void)
{
	bits = (uint32_t)(INT32_MAX + (int32_t)bits);
}

static void undefined_index(void)
{
	uint32_t array[ARRAY_WORDS] = { bits };

	bits = array[ARRAY_WORDS * cpu_online_count()];
}

static void undefined_pointer(void)
{
	bits = *nowhere;
}

static void stack_overrun(void)
{
	uint8_t buffer[BLOCK_BYTES];

	write_to(buffer, BLOCK_BYTES + 2 * sizeof(uint64_t));
}

static const struct {
	const char *name;
	void (*commit)(void);
} faults[] = {
	{ "lock-order", lock_order },
	{ "lock-same-class", lock_same_class },
	{ "lock-again", lock_again },
	{ "lock-nameless", lock_nameless },
	{ "lock-not-held", lock_not_held },
	{ "lock-with-interrupts", lock_with_interrupts },
	{ "lock-over-window", lock_over_window },
	{ "lock-asleep", lock_asleep },
	{ "lock-too-long", lock_too_long },
	{ "interrupts-off-too-long", interrupts_off_too_long },
	{ "page-executable", page_executable },
	{ "page-of-another", page_of_another },
	{ "page-uncounted", page_uncounted },
	{ "page-elsewhere", page_elsewhere },
	{ "page-for-programs", page_for_programs },
	{ "heap-overrun", heap_overrun },
	{ "heap-underrun", heap_underrun },
	{ "heap-use-after-free", heap_use_after_free },
	{ "undefined-shift", undefined_shift },
	{ "undefined-sum", undefined_sum },
	{ "undefined-index", undefined_index },
	{ "undefined-pointer", undefined_pointer },
	{ "stack-overrun", stack_overrun },
};

void fault_commit(const char *name)
{
	for (uint32_t i = 0; i < COUNT_OF(faults); i++) {
		if (!string_equal(faults[i].name, name))
			continue;
		faults[i].commit();
		log_line("fault: nobody found out \"%s\"", name);
		machine_halt(1);
	}
	log_line("fault: there is no \"%s\" to commit", name);
	machine_halt(1);
}

#endif
