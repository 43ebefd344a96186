#include "tests/host/task_snapshot.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "kernel/mem/kernel_stack.h"
#include "kernel/mem/page_walk.h"
#include "kernel/task/process_tree.h"
#include "tests/host/sweep.h"
#include "tests/host/task_machine.h"

#define MOST_VALUES 3000u

/* ---- one process ---- */

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

static bool is_ring(uint64_t address)
{
	return address >= RING_ADDRESS && address < RING_ADDRESS + THREAD_MAX * PAGE_SIZE;
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
		else if (!is_ring(address))
			digest_add_page(&snapshot->bytes, direct_map_of_frame(pte_frame(table[i])));
	}
}

static void take_threads(struct task_snapshot *snapshot, const struct process *process)
{
	for (uint32_t i = 0; i < THREAD_MAX; i++) {
		digest_add(&snapshot->threads, (uint64_t)(uintptr_t)process->slot[i].thread);
		digest_add(&snapshot->threads, process->slot[i].state);
		digest_add(&snapshot->threads, process->slot[i].generation);
	}
	digest_add(&snapshot->threads, process->live);
	digest_add(&snapshot->threads, process->threads);
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
	take_threads(snapshot, process);
	digest_add(&snapshot->counts, process->references);
	digest_add(&snapshot->counts, process->holds);
	digest_add(&snapshot->counts, process->promised_slots);
	digest_add(&snapshot->counts, process->message_bytes);
	digest_add(&snapshot->counts, process->space.parked);
}

/* ---- all of it ---- */

void task_snapshot_take(struct task_snapshot *snapshot, struct process *process)
{
	struct process *other;

	memset(snapshot, 0, sizeof(*snapshot));
	(void)kernel_stack_trim();
	snapshot->free = frame_free_count();
	frame_count_uses(snapshot->uses);
	heap_statistics_read(&snapshot->heap);
	memory_object_count(&snapshot->objects);
	snapshot->stack_pages = task_machine_stack_pages();
	while (process_tree_at(snapshot->processes, &other) == STATUS_OK) {
		if (snapshot->processes < TASK_SNAPSHOT_PROCESSES)
			snapshot->id[snapshot->processes] = other->id;
		snapshot->processes++;
		process_end_use(other);
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
	       SAME(id) && SAME(ledger) && SAME(caps) && SAME(slots) && SAME(tables) && SAME(bytes) && SAME(threads) &&
	       SAME(counts);
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

uint64_t task_snapshot_refuse_promises(task_attempt_t *function)
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

void task_snapshot_limit_ledgers(task_attempt_t *function)
{
	uint64_t limits[LEDGER_COUNT];
	uint64_t needs[LEDGER_COUNT];

	task_machine_limits(limits, TASK_MACHINE_PLENTY);
	assert_int_equal(function(limits, needs), STATUS_OK);
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		limit_one(function, (enum ledger_kind)kind, needs[kind]);
}

void task_snapshot_read_peaks(struct process *process, uint64_t peaks[LEDGER_COUNT])
{
	struct memory_statistics statistics;

	process_read_statistics(process, &statistics);
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		peaks[kind] = statistics.ledger[kind].peak;
}
