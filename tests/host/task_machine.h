/*
 * A simulated machine under kernel/task and kernel/cap: tests/host/machine.h, and stand-ins for what is beyond it. The
 * stack window is a table of frames; no thread runs; the clock stands still until it is set. Interfaces that need
 * devices have no operations here.
 *
 * And how all or nothing is seen: a snapshot of everything that an operation could leave behind, and two sweeps.
 */
#ifndef CAPOS_TESTS_HOST_TASK_MACHINE_H
#define CAPOS_TESTS_HOST_TASK_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/mem/frame.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/memory_object.h"
#include "kernel/task/process.h"
#include "tests/host/machine.h"

#define TASK_MACHINE_PROCESSES 16u /* that a snapshot lists */
#define TASK_MACHINE_PLENTY (UINT64_C(1) << 40)

/* machine_start, with empty windows. */
void task_machine_start(uint64_t frames);

/* Everything valid, no process, object, block or stack left, and machine_stop. */
void task_machine_stop(void);

/* The same limit for each ledger. */
void task_machine_limits(uint64_t limits[LEDGER_COUNT], uint64_t limit);

/* What clock_now_ns says from now on. */
void task_machine_set_clock(uint64_t nanoseconds);

/* Pages that are mapped in the stack window. */
uint64_t task_machine_stack_pages(void);

struct task_snapshot {
	uint64_t free;
	uint64_t uses[FRAME_USE_COUNT];
	struct heap_statistics heap;
	struct memory_object_census objects;
	uint64_t stack_pages;
	uint64_t processes;
	uint64_t id[TASK_MACHINE_PROCESSES]; /* in the order of the list */

	/* of one process, if one was named */
	struct ledger_reading ledger[LEDGER_COUNT];
	struct cap_table caps;
	uint64_t slots;  /* digest of all its slots */
	uint64_t tables; /* digest of its page tables */
	uint64_t bytes;  /* digest of its pages but the ring */
};

/* `process` may be NULL. */
void task_snapshot_take(struct task_snapshot *snapshot, struct process *process);

/* Whether nothing has changed; says what has. */
bool task_snapshot_holds(const struct task_snapshot *before, struct process *process);

/*
 * Something that is made with these limits. On STATUS_OK it is looked at and taken apart again, and `needs` has what
 * was taken of each ledger at most.
 */
typedef enum status task_attempt_t(const uint64_t limits[LEDGER_COUNT], uint64_t needs[LEDGER_COUNT]);

/* The k-th promise of frames refused, for each k, until none is left: OUT_OF_MEMORY, nothing changed. How many. */
uint64_t task_machine_refuse_promises(task_attempt_t *function);

/* Each ledger limited to each value below the need: its own refusal, nothing changed; and at the need it works. */
void task_machine_limit_ledgers(task_attempt_t *function);

/* The peak of each ledger, which is what an attempt tells. */
void task_machine_read_peaks(struct process *process, uint64_t peaks[LEDGER_COUNT]);

#endif
