/*
 * All that an operation on an address space may change: every entry of every table, the ledgers, the frames by use, the
 * kernel's heap. For tests of refusals, after which everything must be as it was.
 */
#ifndef CAPOS_TESTS_HOST_SPACE_SNAPSHOT_H
#define CAPOS_TESTS_HOST_SPACE_SNAPSHOT_H

#include <stdint.h>

#include "kernel/mem/address_space.h"
#include "kernel/mem/heap.h"

#define SPACE_SNAPSHOT_ENTRIES 32768u

struct space_snapshot {
	uint32_t count;
	struct space_snapshot_entry {
		uint64_t address;
		pte_t entry;
		uint64_t level;
	} entry[SPACE_SNAPSHOT_ENTRIES];
	struct resource_ledger ledger;
	uint64_t free;
	uint64_t uses[FRAME_USE_COUNT];
	uint64_t heap_break;
	struct heap_statistics heap;
};

void space_snapshot_take(struct space_snapshot *snapshot, const struct address_space *space);

/* It is as it was then: asserts. */
void space_snapshot_assert_equal(const struct space_snapshot *old, const struct address_space *space);

#endif
