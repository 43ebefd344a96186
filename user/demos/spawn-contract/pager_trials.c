#include "user/demos/spawn-contract/pager_trials.h"

#include <stddef.h>

#include "abi/user_fault_abi.h"
#include "lib/check.h"
#include "user/demos/spawn-contract/register_hold.h"
#include "user/demos/spawn-contract/stack_trials.h"
#include "user/runtime/fault_client.h"
#include "user/runtime/user_thread.h"
#include "user/testing/trial.h"

/* ---- a handler of its own: a pager ---- */

static struct {
	enum status (*mend)(const struct thread_fault *fault);
	struct user_thread thread;
	uint32_t ready;
	uint32_t faults;
} pager;

/* Until another handler, or none, is named. */
static int64_t page_in(void *ignored)
{
	struct thread_fault fault;
	enum status status;
	uint64_t self;

	(void)ignored;
	TRY(thread_client_self(trial.threads, &self));
	TRY(fault_client_set_handler(trial.threads, self));
	__atomic_store_n(&pager.ready, 1, __ATOMIC_RELEASE);
	status = fault_client_wait(trial.threads, &fault);
	while (status == STATUS_OK) {
		pager.faults++;
		TRY(pager.mend(&fault));
		status = fault_client_resume_and_wait(trial.threads, fault.thread_id, &fault);
	}
	return status == STATUS_GONE ? 0 : status;
}

static void start_pager(enum status (*how)(const struct thread_fault *fault))
{
	pager.mend = how;
	pager.ready = 0;
	pager.faults = 0;
	trial_thread(&pager.thread, page_in, NULL);
	EXPECT(trial_reaches(&pager.ready, 1));
}

static void stop_pager(void)
{
	EXPECT_OK(fault_client_set_handler(trial.threads, THREAD_NONE));
	trial_join(&pager.thread, 0);
}

/* ---- a collector's write barrier ---- */

#define HEAP_PAGES 32u
#define MUTATORS 4u
#define WRITES 12u
#define MARK 64u /* in each page, behind what the mutators write */

static struct {
	unsigned char *pages;
	uint32_t dirty;           /* a bit for each page: the pager saw a write to it */
	uint32_t wrote[MUTATORS]; /* what each really wrote to */
} heap;

static uint32_t heap_page(uint64_t address)
{
	return (uint32_t)((address - (uint64_t)heap.pages) / PAGE_SIZE);
}

static enum status note_write(const struct thread_fault *fault)
{
	const uint32_t page = heap_page(fault->address);

	GUARD(fault->kind == USER_FAULT_READ_ONLY && fault->access == PROTECTION_WRITE, STATUS_BAD_ARGUMENT);
	GUARD(page < HEAP_PAGES, STATUS_NOT_FOUND);
	heap.dirty |= 1u << page;
	return virtual_memory_client_protect(trial.memory, heap.pages + page * PAGE_SIZE, PAGE_SIZE, TRIAL_READ_WRITE);
}

static int64_t mutate(void *index)
{
	const uint64_t self = (uint64_t)index;

	for (uint64_t i = 0; i < WRITES; i++) {
		const uint64_t page = (self * 5 + i * (i + 3)) % HEAP_PAGES;

		if (heap.pages[page * PAGE_SIZE + MARK] != 'd')
			return 1; /* reading is no write */
		heap.pages[page * PAGE_SIZE + self] = (unsigned char)(page + 1);
		heap.wrote[self] |= 1u << page;
	}
	return 0;
}

static void write_barrier(void)
{
	struct user_thread thread[MUTATORS];
	uint32_t wrote = 0, pages = 0;
	void *range;

	EXPECT_OK(trial_map(HEAP_PAGES, &range));
	heap.pages = range;
	for (uint32_t i = 0; i < HEAP_PAGES; i++)
		heap.pages[i * PAGE_SIZE + MARK] = 'd';
	EXPECT_OK(virtual_memory_client_protect(trial.memory, range, TRIAL_BYTES(HEAP_PAGES), PROTECTION_READ));
	heap.dirty = 0;
	start_pager(note_write);
	for (uint64_t i = 0; i < MUTATORS; i++) {
		heap.wrote[i] = 0;
		trial_thread(&thread[i], mutate, (void *)i);
	}
	for (uint32_t i = 0; i < MUTATORS; i++) {
		trial_join(&thread[i], 0);
		wrote |= heap.wrote[i];
	}
	stop_pager();
	EXPECT_EQUAL(heap.dirty, wrote);
	for (uint32_t i = 0; i < HEAP_PAGES; i++)
		pages += wrote >> i & 1;
	EXPECT(pages > WRITES && pager.faults >= pages);
	for (uint32_t i = 0; i < MUTATORS * HEAP_PAGES; i++) {
		const uint32_t page = i / MUTATORS, self = i % MUTATORS;
		const uint32_t wanted = (heap.wrote[self] & 1u << page) != 0 ? page + 1 : 0;

		EXPECT_EQUAL(heap.pages[page * PAGE_SIZE + self], wanted);
	}
	EXPECT_OK(trial_unmap(range, HEAP_PAGES));
}

/* ---- a region that grows as it is touched ---- */

#define REGION_PAGES 64u

static char *region;

static enum status supply(const struct thread_fault *fault)
{
	GUARD(fault->kind == USER_FAULT_UNCOMMITTED, STATUS_BAD_ARGUMENT);
	return virtual_memory_client_commit(trial.memory, (const void *)(fault->address & ~(uint64_t)(PAGE_SIZE - 1)),
					    PAGE_SIZE, TRIAL_READ_WRITE);
}

/* Every second page, from both ends. */
static int64_t use_region(void *index)
{
	for (uint64_t i = 0; i < REGION_PAGES; i += 2) {
		const uint64_t page = (uint64_t)index % 2 == 0 ? i : REGION_PAGES - 2 - i;

		__atomic_fetch_add((uint64_t *)(void *)(region + page * PAGE_SIZE), 1, __ATOMIC_RELAXED);
	}
	return 0;
}

static void region_grows(void)
{
	const uint64_t before = trial_used(LEDGER_FRAME_GRANT);
	struct user_thread thread[4];
	void *range;

	EXPECT_OK(virtual_memory_client_reserve(trial.memory, NULL, TRIAL_BYTES(REGION_PAGES), 0, &range));
	region = range;
	start_pager(supply);
	for (uint64_t i = 0; i < COUNT_OF(thread); i++)
		trial_thread(&thread[i], use_region, (void *)i);
	for (uint32_t i = 0; i < COUNT_OF(thread); i++)
		trial_join(&thread[i], 0);
	stop_pager();
	EXPECT_EQUAL(trial_used(LEDGER_FRAME_GRANT) - before, REGION_PAGES / 2);
	EXPECT(pager.faults >= REGION_PAGES / 2);
	for (uint32_t i = 0; i < REGION_PAGES; i += 2)
		EXPECT_EQUAL(*(uint64_t *)(void *)(region + i * PAGE_SIZE), COUNT_OF(thread));
	EXPECT_OK(trial_unmap(range, REGION_PAGES));
}

static int64_t hold_registers(void *first)
{
	return (int64_t)register_hold((uint64_t)first * 3, REGION_PAGES / 2, (uint64_t)first);
}

static void registers_are_kept_over_faults(void)
{
	struct user_thread thread[2];
	void *range;

	EXPECT_OK(virtual_memory_client_reserve(trial.memory, NULL, TRIAL_BYTES(REGION_PAGES), 0, &range));
	start_pager(supply);
	for (uint64_t i = 0; i < COUNT_OF(thread); i++)
		trial_thread(&thread[i], hold_registers, (char *)range + i * TRIAL_BYTES(REGION_PAGES / 2));
	for (uint32_t i = 0; i < COUNT_OF(thread); i++)
		trial_join(&thread[i], 0);
	stop_pager();
	EXPECT_EQUAL(pager.faults, REGION_PAGES);
	EXPECT_OK(trial_unmap(range, REGION_PAGES));
}

/* ---- the stack of a thread, which its maker lets grow ---- */

#define PAGES_MORE 8u

static struct {
	struct user_thread thread;
	uint32_t is_known;
} deep;

static int64_t go_deep(void *bytes)
{
	const volatile uint8_t one = 1;

	if (!trial_reaches(&deep.is_known, 1))
		return 1;
	return stack_trials_recurse((uint64_t)bytes, &one) != 0 ? 0 : 2;
}

/* What is below its stack is reserved, and the program's own to fill. */
static enum status grow_stack(const struct thread_fault *fault)
{
	const uint64_t guard = (uint64_t)deep.thread.memory;
	void *page = (void *)(fault->address & ~(PAGE_SIZE - 1));

	GUARD(fault->kind == USER_FAULT_UNCOMMITTED && fault->thread_id == deep.thread.id, STATUS_BAD_ARGUMENT);
	GUARD(fault->address >= guard && fault->address < guard + USER_THREAD_GUARD_BYTES, STATUS_NOT_FOUND);
	return virtual_memory_client_commit(trial.memory, page, PAGE_SIZE, TRIAL_READ_WRITE);
}

static void stack_of_a_thread_grows(void)
{
	deep.is_known = 0;
	start_pager(grow_stack);
	trial_thread(&deep.thread, go_deep, (void *)(uint64_t)(USER_THREAD_STACK_BYTES + TRIAL_BYTES(PAGES_MORE)));
	__atomic_store_n(&deep.is_known, 1, __ATOMIC_RELEASE);
	trial_join(&deep.thread, 0);
	stop_pager();
	EXPECT(pager.faults >= PAGES_MORE - 1 && pager.faults <= PAGES_MORE + 2);
}

/* ---- no frame for a page that was promised ---- */

#define LAZY_PAGES 4u

static struct {
	char *pages; /* all that the machine had */
	uint64_t count, given;
	uint32_t is_full;
} ballast;

static enum status give_ballast(const struct thread_fault *fault)
{
	GUARD(fault->kind == USER_FAULT_OUT_OF_MEMORY, STATUS_BAD_ARGUMENT);
	GUARD(ballast.given < ballast.count, STATUS_NOT_FOUND);
	return virtual_memory_client_decommit(trial.memory, ballast.pages + TRIAL_BYTES(ballast.given++), PAGE_SIZE);
}

static int64_t touch_lazy_pages(void *pages)
{
	while (__atomic_load_n(&ballast.is_full, __ATOMIC_ACQUIRE) == 0)
		if (thread_client_yield(trial.threads) != STATUS_OK)
			return 2;
	for (uint32_t i = 0; i < LAZY_PAGES; i++) {
		if (*(volatile uint64_t *)(void *)((char *)pages + TRIAL_BYTES(i)) != 0)
			return 1;
		((volatile char *)pages)[TRIAL_BYTES(i)] = 1;
	}
	return 0;
}

static void take_all_frames(void)
{
	enum status status = STATUS_OUT_OF_MEMORY;
	void *range = NULL;

	for (ballast.count = trial_statistics().system_free_frames; ballast.count > 0; ballast.count--) {
		status = trial_map(ballast.count, &range);
		if (status != STATUS_OUT_OF_MEMORY)
			break;
	}
	EXPECT_OK(status);
	ballast.pages = range;
	ballast.given = 0;
	__atomic_store_n(&ballast.is_full, 1, __ATOMIC_RELEASE);
}

static void memory_is_found_for_a_promised_page(void)
{
	struct user_thread thread;
	void *lazy;

	EXPECT_OK(virtual_memory_client_map(trial.memory, NULL, TRIAL_BYTES(LAZY_PAGES), TRIAL_READ_WRITE,
					    VIRTUAL_MEMORY_LAZY, &lazy));
	start_pager(give_ballast);
	ballast.is_full = 0;
	trial_thread(&thread, touch_lazy_pages, lazy);
	take_all_frames();
	trial_join(&thread, 0);
	stop_pager();
	EXPECT(pager.faults > 0);
	EXPECT_EQUAL(pager.faults, ballast.given);
	EXPECT_OK(trial_unmap(ballast.pages, ballast.count));
	EXPECT_OK(trial_unmap(lazy, LAZY_PAGES));
}

void pager_trials_check(void)
{
	static const struct trial_case cases[] = {
		{ "write-barrier", write_barrier },
		{ "region-grows", region_grows },
		{ "registers-are-kept-over-faults", registers_are_kept_over_faults },
		{ "stack-of-a-thread-grows", stack_of_a_thread_grows },
	};
	const struct memory_statistics statistics = trial_statistics();
	const struct ledger_reading grant = statistics.ledger[LEDGER_FRAME_GRANT];

	trial_check(cases, COUNT_OF(cases));
	/* Who may not take all frames of the machine cannot show what happens then. */
	if (grant.limit - grant.used >= statistics.system_free_frames)
		trial_check_one("", "memory-is-found-for-a-promised-page", memory_is_found_for_a_promised_page);
}
