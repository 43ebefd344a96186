#include "tests/host/task_machine.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "kernel/arch/x86_64/clock.h"
#include "kernel/arch/x86_64/context.h"
#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/fpu.h"
#include "kernel/arch/x86_64/random.h"
#include "kernel/arch/x86_64/tlb.h"
#include "kernel/arch/x86_64/user_mode.h"
#include "kernel/cap/call.h"
#include "kernel/mem/kernel_stack.h"
#include "kernel/mem/page_walk.h"
#include "kernel/mem/paging.h"
#include "lib/check.h"
#include "tests/host/sweep.h"

#define STACK_SLOTS 4096u /* as many as kernel_stack.c has */
#define STACK_WINDOW_PAGES (STACK_SLOTS * (KERNEL_STACK_PAGES + 1))
#define MOST_VALUES 30000u

static frame_t stack_frame[STACK_WINDOW_PAGES]; /* 0: not mapped */
static uint64_t stack_pages;
static uint64_t clock_ns;
static uint64_t random_words;

/* ---- windows ---- */

static frame_t *stack_entry(uint64_t address)
{
	uint64_t page = (address - STACK_WINDOW_START) >> PAGE_SHIFT;

	CHECK(page < STACK_WINDOW_PAGES && page % (KERNEL_STACK_PAGES + 1) != 0);
	return &stack_frame[page];
}

/* A table may be missing on the way: so this can fail. The kernel keeps such tables; here they are never needed. */
enum status paging_map_page(uint64_t address, frame_t frame)
{
	frame_t *entry = stack_entry(address);

	TRY(frame_promise(1));
	frame_promise_return(1);
	CHECK(frame_to_u64(*entry) == 0);
	*entry = frame;
	stack_pages++;
	return STATUS_OK;
}

frame_t paging_unmap_page(uint64_t address)
{
	frame_t *entry = stack_entry(address);
	frame_t frame = *entry;

	CHECK(frame_to_u64(frame) != 0);
	*entry = frame_from_u64(0);
	stack_pages--;
	return frame;
}

void tlb_flush_kernel(vaddr_t start, vaddr_t end)
{
	CHECK(vaddr_to_u64(start) < vaddr_to_u64(end));
}

const pte_t *paging_root_table(void)
{
	return machine_kernel_root();
}

uint64_t task_machine_stack_pages(void)
{
	return stack_pages;
}

/* ---- CPU and devices ---- */

uint64_t random_u64(void)
{
	return UINT64_C(0x9e3779b97f4a7c15) * ++random_words;
}

uint64_t clock_now_ns(void)
{
	return clock_ns;
}

void task_machine_set_clock(uint64_t nanoseconds)
{
	clock_ns = nanoseconds;
}

uint64_t context_prepare(uint64_t stack_top, void (*entry)(void *argument), void *argument)
{
	CHECK(stack_top % 16 == 0 && entry != NULL && argument != NULL);
	return stack_top;
}

void context_switch(uint64_t *save_stack, uint64_t load_stack)
{
	(void)save_stack;
	(void)load_stack;
	CHECK(false && "no thread runs here");
}

void paging_load_kernel_root(void)
{
	CHECK(false && "no thread runs here");
}

void cpu_set_kernel_stack(uint64_t top)
{
	(void)top;
	CHECK(false && "no thread runs here");
}

void fpu_state_init(struct fpu_state *state)
{
	memset(state, 0, sizeof(*state));
}

_Noreturn void user_mode_enter(uint64_t rip, uint64_t rsp, uint64_t rdi, uint64_t rsi)
{
	(void)rip;
	(void)rsp;
	(void)rdi;
	(void)rsi;
	CHECK(false && "no thread runs here");
	__builtin_unreachable();
}

const struct call_table console_calls = { NULL, 0 };
const struct call_table boot_package_calls = { NULL, 0 };
const struct call_table inspector_calls = { NULL, 0 };
const struct call_table system_control_calls = { NULL, 0 };

/* ---- the machine ---- */

void task_machine_start(uint64_t frames)
{
	machine_start(frames);
	memset(stack_frame, 0, sizeof(stack_frame));
	stack_pages = 0;
	clock_ns = 0;
	(void)frame_refuse_promise(UINT64_MAX);
}

void task_machine_stop(void)
{
	struct task_snapshot end;

	task_snapshot_take(&end, NULL);
	assert_int_equal(end.processes, 0);
	assert_int_equal(end.objects.objects, 0);
	assert_int_equal(end.heap.blocks, 0);
	assert_int_equal(end.stack_pages, 0);
	assert_int_equal(end.free, machine_frames());
	assert_true(heap_is_valid());
	machine_stop();
}

void task_machine_limits(uint64_t limits[LEDGER_COUNT], uint64_t limit)
{
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		limits[kind] = limit;
}

/* ---- snapshots ---- */

/* FNV-1a, a word a step. */
static void digest_add(uint64_t *digest, uint64_t word)
{
	*digest = (*digest ^ word) * UINT64_C(0x100000001b3);
}

static void digest_add_page(uint64_t *digest, const void *page)
{
	for (uint32_t i = 0; i < PAGE_SIZE / sizeof(uint64_t); i++) {
		uint64_t word;

		memcpy(&word, (const uint8_t *)page + i * sizeof(word), sizeof(word));
		digest_add(digest, word);
	}
}

static void take_table(struct task_snapshot *snapshot, const pte_t *table, unsigned level, uint64_t base)
{
	for (uint32_t i = 0; i < (level == PTE_LEVELS ? PTE_ENTRIES / 2 : PTE_ENTRIES); i++) {
		uint64_t address = base + i * pte_span(level);

		if (pte_is_empty(table[i]))
			continue;
		digest_add(&snapshot->tables, address);
		digest_add(&snapshot->tables, pte_bits(table[i]));
		if (!pte_is_present(table[i]))
			continue;
		if (level > 1)
			take_table(snapshot, page_table_of(table[i]), level - 1, address);
		else if (address != RING_ADDRESS)
			digest_add_page(&snapshot->bytes, direct_map_of_frame(pte_frame(table[i])));
	}
}

static void take_process(struct task_snapshot *snapshot, struct process *process)
{
	struct memory_statistics statistics;

	process_read_statistics(process, &statistics);
	memcpy(snapshot->ledger, statistics.ledger, sizeof(snapshot->ledger));
	snapshot->caps = process->caps;
	for (uint32_t i = 0; i < process->caps.pages; i++)
		digest_add_page(&snapshot->slots, process->caps.page[i]);
	take_table(snapshot, process->space.root_table, PTE_LEVELS, 0);
}

void task_snapshot_take(struct task_snapshot *snapshot, struct process *process)
{
	struct process *other;

	memset(snapshot, 0, sizeof(*snapshot));
	(void)kernel_stack_trim(); /* stacks kept mapped are no difference */
	snapshot->free = frame_free_count();
	frame_count_uses(snapshot->uses);
	heap_statistics_read(&snapshot->heap);
	memory_object_count(&snapshot->objects);
	snapshot->stack_pages = stack_pages;
	while (process_at(snapshot->processes, &other) == STATUS_OK) {
		if (snapshot->processes < TASK_MACHINE_PROCESSES)
			snapshot->id[snapshot->processes] = other->id;
		snapshot->processes++;
	}
	if (process != NULL)
		take_process(snapshot, process);
}

static bool same(const char *what, const void *before, const void *now, size_t bytes)
{
	bool equal = memcmp(before, now, bytes) == 0;

	if (!equal)
		print_message("changed: %s\n", what);
	return equal;
}

#define SAME(field) same(#field, &before->field, &now.field, sizeof(now.field))

bool task_snapshot_holds(const struct task_snapshot *before, struct process *process)
{
	struct task_snapshot now;

	task_snapshot_take(&now, process);
	return SAME(free) && SAME(uses) && SAME(heap) && SAME(objects) && SAME(stack_pages) && SAME(processes) &&
	       SAME(id) && SAME(ledger) && SAME(caps) && SAME(slots) && SAME(tables) && SAME(bytes);
}

/* ---- sweeps ---- */

struct attempt {
	task_attempt_t *attempt;
	uint64_t limits[LEDGER_COUNT];
	uint64_t needs[LEDGER_COUNT];
	struct task_snapshot before;
};

static enum status attempt_run(void *subject)
{
	struct attempt *attempt = subject;

	return attempt->attempt(attempt->limits, attempt->needs);
}

static void attempt_remember(void *subject)
{
	task_snapshot_take(&((struct attempt *)subject)->before, NULL);
}

static bool attempt_is_unchanged(void *subject)
{
	return task_snapshot_holds(&((struct attempt *)subject)->before, NULL);
}

/* Nothing is used before it is made. */
static void attempt_leave_room(void *subject, enum ledger_kind kind, uint64_t room)
{
	((struct attempt *)subject)->limits[kind] = room;
}

static struct sweep sweep_of(struct attempt *attempt, task_attempt_t *function)
{
	*attempt = (struct attempt){ .attempt = function };
	task_machine_limits(attempt->limits, TASK_MACHINE_PLENTY);
	attempt_remember(attempt);
	return (struct sweep){ attempt,    attempt_run, attempt_remember, attempt_is_unchanged, attempt_leave_room,
			       MOST_VALUES };
}

uint64_t task_machine_refuse_promises(task_attempt_t *function)
{
	struct attempt attempt;
	struct sweep sweep = sweep_of(&attempt, function);
	uint64_t promises = sweep_promises(&sweep);

	assert_true(attempt_is_unchanged(&attempt));
	return promises;
}

static void limit_one(task_attempt_t *function, enum ledger_kind kind, uint64_t need)
{
	struct attempt attempt;
	struct sweep sweep = sweep_of(&attempt, function);

	sweep_ledger(&sweep, kind, need);
	assert_int_equal(attempt.needs[kind], need);
	assert_true(attempt_is_unchanged(&attempt));
}

void task_machine_limit_ledgers(task_attempt_t *function)
{
	uint64_t limits[LEDGER_COUNT];
	uint64_t needs[LEDGER_COUNT];

	task_machine_limits(limits, TASK_MACHINE_PLENTY);
	assert_int_equal(function(limits, needs), STATUS_OK);
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		limit_one(function, (enum ledger_kind)kind, needs[kind]);
}

void task_machine_read_peaks(struct process *process, uint64_t peaks[LEDGER_COUNT])
{
	struct memory_statistics statistics;

	process_read_statistics(process, &statistics);
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		peaks[kind] = statistics.ledger[kind].peak;
}
