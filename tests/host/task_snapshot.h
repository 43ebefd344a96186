/*
 * How all or nothing is seen: everything that an operation could leave behind, before and after it.
 */
#ifndef CAPOS_TESTS_HOST_TASK_SNAPSHOT_H
#define CAPOS_TESTS_HOST_TASK_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/mem/frame.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/memory_object.h"
#include "kernel/task/process.h"

#define TASK_SNAPSHOT_PROCESSES 16u /* that are listed */

struct task_snapshot {
	uint64_t free;
	uint64_t uses[FRAME_USE_COUNT];
	struct heap_statistics heap;
	struct memory_object_census objects;
	uint64_t stack_pages;
	uint64_t processes;
	uint64_t id[TASK_SNAPSHOT_PROCESSES]; /* in the order of the list */

	/* of one process, if one was named */
	struct ledger_reading ledger[LEDGER_COUNT];
	struct cap_table caps;
	uint64_t slots;   /* digest of all its slots */
	uint64_t tables;  /* digest of its page tables */
	uint64_t bytes;   /* digest of its pages but the rings */
	uint64_t threads; /* digest of its thread places, and how many */
	uint64_t counts;  /* digest of references, holds, promised slots, bytes of messages, sleepers */
};

/* `process` may be NULL. Stacks that are kept mapped for later are no difference: they are given back. */
void task_snapshot_take(struct task_snapshot *snapshot, struct process *process);

/* Whether nothing has changed; says what has. */
bool task_snapshot_holds(const struct task_snapshot *before, struct process *process);

/*
 * Something that is made with these limits. On STATUS_OK it is looked at and taken apart again, and `needs` has what
 * was taken of each ledger at most.
 */
typedef enum status task_attempt_t(const uint64_t limits[LEDGER_COUNT], uint64_t needs[LEDGER_COUNT]);

/* The k-th promise of frames refused, for each k, until none is left: OUT_OF_MEMORY, nothing changed. How many. */
uint64_t task_snapshot_refuse_promises(task_attempt_t *function);

/* Each ledger limited to each value below the need: its own refusal, nothing changed; and at the need it works. */
void task_snapshot_limit_ledgers(task_attempt_t *function);

/* The peak of each ledger, which is what an attempt tells. */
void task_snapshot_read_peaks(struct process *process, uint64_t peaks[LEDGER_COUNT]);

#endif
