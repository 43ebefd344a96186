/*
 * A process: one address space, one capability table, one account, threads.
 *
 * Life: process_create (empty) -> the spawner fills it -> threads run -> process_destroy, which first releases all
 * authority, then the storage. Every page, slot and byte it has is on its own account; process_destroy CHECKs that the
 * account ends at zero.
 */
#ifndef CAPOS_KERNEL_TASK_PROCESS_H
#define CAPOS_KERNEL_TASK_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "kernel/mem/account.h"
#include "kernel/mem/address_space.h"
#include "kernel/task/thread.h"
#include "kernel/task/user_fault.h"
#include "kernel/mem/memory_object.h"
#include "lib/cap_table.h"

#define PROCESS_NAME_BYTES 32u

struct process {
	struct account account;
	struct address_space space;

	struct spinlock cap_lock;
	struct cap_table caps; /* cap_lock */

	struct thread thread;

	/* fixed once it runs */
	uint64_t id;
	char name[PROCESS_NAME_BYTES];
	struct process *next; /* process list; process_list_lock */

	/* set by the thread that ends it */
	int64_t exit_code;
	struct user_fault fault; /* kind NONE: it called exit */
} __attribute__((aligned(16)));

/* A process without pages or capabilities, in the list. Limits are its own: OVER_*, OUT_OF_MEMORY. */
enum status process_create(const char *name, const uint64_t limits[LEDGER_COUNT], struct process **process);

/* Releases authority, then storage. No thread of it runs. */
void process_destroy(struct process *process);

/*
 * Room for one more capability, as part of one operation's charge:
 *   process_plan_capability     adds the slot to `charge`, and a page if the table must grow; OVER_CAP_SLOTS: no more
 * ids (the caller charges, and promises the frames that `plan` says) process_reserve_capability  takes page and slot,
 * which cannot fail; publish follows
 */
struct capability_plan {
	uint64_t frames; /* to be promised: 0 or 1 */
};

enum status process_plan_capability(struct process *process, struct charge *charge, struct capability_plan *plan);
handle_t process_reserve_capability(struct process *process, const struct capability_plan *plan);
void process_publish_capability(struct process *process, handle_t handle, const struct cap_hold *hold);

/* Charge, reserve and publish in one, for objects without a count of holds. OVER_CAP_SLOTS and as above. */
enum status process_add_capability(struct process *process, const struct cap_hold *hold, handle_t *handle);

/*
 * Give up one capability: NO_SUCH_CAPABILITY. A memory object's hold is dropped and refunded.
 */
enum status process_release_capability(struct process *process, handle_t handle);

/*
 * The hold of an id, copied. A memory object gets a use, which the caller ends (process_end_use). NO_SUCH_CAPABILITY.
 */
static inline enum status process_use_capability(struct process *process, handle_t handle, struct cap_hold *hold)
{
	const struct cap_hold *found;
	enum status status;

	spinlock_acquire(&process->cap_lock);
	status = cap_table_find(&process->caps, handle, &found);
	if (status == STATUS_OK) {
		*hold = *found;
		if (hold->interface == INTERFACE_MEMORY_OBJECT)
			memory_object_use(hold->object);
	}
	spinlock_release(&process->cap_lock);
	return status;
}

void process_end_use(const struct cap_hold *hold);

/* All ledgers, and what is free in the system. */
void process_read_statistics(struct process *process, struct memory_statistics *statistics);

/* The `index`th live process, or the one with an id: NOT_FOUND. No process ends while the caller looks at it. */
enum status process_at(uint64_t index, struct process **process);
enum status process_find(uint64_t id, struct process **process);

/*
 * The account agrees with the tables: virtual_reservation, frame_grant, image and page_table pages recomputed from the
 * page table and the capability table; and the table itself is valid.
 */
bool process_is_valid(struct process *process);

#endif
