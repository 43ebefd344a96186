#include "tests/host/space_snapshot.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "kernel/mem/page_walk.h"

static void add_table(struct space_snapshot *snapshot, const pte_t *table, unsigned level, uint64_t base)
{
	for (uint32_t i = 0; i < (level == PTE_LEVELS ? PTE_ENTRIES / 2 : PTE_ENTRIES); i++) {
		uint64_t address = base + i * pte_span(level);

		if (pte_is_empty(table[i]))
			continue;
		assert_true(snapshot->count < SPACE_SNAPSHOT_ENTRIES);
		snapshot->entry[snapshot->count++] = (struct space_snapshot_entry){ address, table[i], level };
		if (level > 1 && pte_is_present(table[i]))
			add_table(snapshot, page_table_of(table[i]), level - 1, address);
	}
}

void space_snapshot_take(struct space_snapshot *snapshot, const struct address_space *space)
{
	snapshot->count = 0;
	add_table(snapshot, space->root_table, PTE_LEVELS, 0);
	account_read(space->account, &snapshot->ledger);
	snapshot->free = frame_free_count();
	frame_count_uses(snapshot->uses);
	snapshot->heap_break = space->heap_break;
	heap_statistics_read(&snapshot->heap);
}

void space_snapshot_assert_equal(const struct space_snapshot *old, const struct address_space *space)
{
	static struct space_snapshot new;

	space_snapshot_take(&new, space);
	assert_int_equal(new.count, old->count);
	assert_memory_equal(new.entry, old->entry, old->count * sizeof(old->entry[0]));
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++) {
		assert_int_equal(new.ledger.of[kind].used, old->ledger.of[kind].used);
		assert_int_equal(resource_ledger_peak(&new.ledger, (enum ledger_kind)kind),
				 resource_ledger_peak(&old->ledger, (enum ledger_kind)kind));
	}
	assert_int_equal(new.free, old->free);
	assert_memory_equal(new.uses, old->uses, sizeof(old->uses));
	assert_int_equal(new.heap_break, old->heap_break);
	assert_memory_equal(&new.heap, &old->heap, sizeof(old->heap));
}
