/*
 * A process: one address space, one capability table, one account, threads, and a place in the tree of processes.
 *
 * Life: process_create (empty, in nobody's sight) -> the spawner fills it -> process_start: threads run -> process_end,
 * by exit, fault or kill: every thread leaves at its next safe point -> the last one releases all authority, then the
 * storage -> when all threads are reclaimed the account ends at zero (CHECK), the limits go back to the parent, and who
 * waits is told. What is left is the record, for those who hold a ProcessHandle and pay for it.
 *
 * Locks: four of its own, each named at its field; kernel/arch/x86_64/lock_order.h has their order. Two of one kind are
 * never locked together.
 */
#ifndef CAPOS_KERNEL_TASK_PROCESS_H
#define CAPOS_KERNEL_TASK_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/process_abi.h"
#include "abi/status.h"
#include "abi/thread_control_abi.h"
#include "kernel/mem/account.h"
#include "kernel/mem/address_space.h"
#include "kernel/mem/heap.h"
#include "kernel/task/operation.h"
#include "kernel/task/thread.h"
#include "kernel/task/user_fault.h"
#include "lib/cap_table.h"
#include "lib/layout.h"

#define PROCESS_PARK_BUCKETS 16u

/* One thread's place: thread index, ring and id. Its id is `generation` << 8 | index. */
enum thread_slot_state {
	THREAD_SLOT_FREE = 0,
	THREAD_SLOT_TAKEN, /* its thread is being made; no id finds it */
	THREAD_SLOT_LIVE,
	THREAD_SLOT_LEAVING, /* it runs its last instructions in the kernel */
	THREAD_SLOT_ENDED,   /* reclaimed; the code waits for somebody to ask */
};

struct thread_slot {
	struct thread *thread; /* LIVE: may be prodded under the lock */
	int64_t code;
	uint64_t run_ns;
	uint32_t generation;
	uint32_t state; /* enum thread_slot_state */
};

/* One frame each. */
struct process {
	struct account account;
	struct address_space space;

	struct spinlock cap_lock;
	struct cap_table caps;   /* cap_lock */
	uint32_t promised_slots; /* cap_lock; free slots that operations under way count on */
	uint32_t promised_pages; /* cap_lock; that the table will grow by for others of them */

	struct spinlock park_lock;
	struct operation_queue parked[PROCESS_PARK_BUCKETS]; /* park_lock */

	struct spinlock lock;
	bool ending;                         /* lock to write; atomic */
	bool ended;                          /* lock; storage is gone */
	uint32_t live;                       /* lock; threads that have not left */
	uint32_t threads;                    /* lock; that are not reclaimed */
	uint64_t run_ns;                     /* lock; of reclaimed threads */
	struct thread_slot slot[THREAD_MAX]; /* lock */
	struct operation_queue thread_waits; /* lock */
	struct operation_queue waits;        /* lock; for its end */
	struct process_exit exit;            /* lock; valid once it is ending */
	struct thread *fault_handler;        /* lock; fault_handler.h; NULL: a fault ends the process */
	struct thread *faulted;              /* lock; in the order of their faults */
	struct operation_queue fault_waits;  /* lock; all of them the handler's */

	/* fixed once it runs */
	uint64_t id;
	uint32_t priority;
	char name[PROCESS_NAME_BYTES];
	struct layout layout;
	bool is_in_tree;

	uint64_t references; /* atomic: the tree while it lives, each hold and each use */
	uint64_t holds;      /* atomic: ProcessHandles */

	uint64_t message_bytes; /* atomic: of its queued messages */

	/* process_tree.c's lock */
	struct process *parent; /* who gets the limits back; NULL: the machine */
	struct process *next, *previous;
};

_Static_assert(sizeof(struct process) <= PAGE_SIZE, "one frame");

/* What a process costs in kernel memory, without capability pages and threads; each ProcessHandle costs the same. */
#define PROCESS_KERNEL_BYTES PAGE_SIZE

struct process_template {
	const char *name;
	struct process *parent; /* its limits are carved from; NULL: none are */
	const uint64_t *limits; /* LEDGER_COUNT */
	uint32_t priority;
};

/*
 * A process without pages, capabilities or threads, and in no list. OVER_*: the parent's limits, or what it costs is
 * more than its own; OUT_OF_MEMORY. The caller's reference.
 */
enum status process_create(const struct process_template *template, struct process **process);

/* Undo that and all that was put in. It never ran. */
void process_discard(struct process *process);

/* Into the tree, and its first thread becomes ready. From then on it may end at any time. */
void process_start(struct process *process);

/* One more ProcessHandle, one less. */
void process_add_hold(struct process *process);
void process_drop_hold(struct process *process);

/* The record stays while there is a use. */
void process_use(struct process *process);
bool process_use_unless_gone(struct process *process); /* for lists: false if the last use has ended */
void process_end_use(struct process *process);

/* The program's memory, with its authority released before; by the last thread, or for process_discard. */
void process_release_everything(struct process *process);

/* All ledgers, and what is free in the system. */
void process_read_statistics(struct process *process, struct memory_statistics *statistics);

/* Time that its threads have spent on CPUs. */
uint64_t process_run_ns(struct process *process);

/* Add the messages of its open calls to a recount of the heap. At rest. Returns their bytes, as they are charged. */
uint64_t process_recount_messages(const struct process *process, struct heap_statistics *recount);

/*
 * The account agrees with the tables: virtual_reservation, frame_grant, image and page_table pages recomputed from the
 * page table and the capability table, message_bytes from the open calls; and the table itself is valid. At rest
 * (world.h).
 */
bool process_is_valid(struct process *process);

#endif
