/*
 * The capabilities of a process: its table, with what each costs. All calls are for any thread of any process, but for
 * process_capability_release_all.
 */
#ifndef CAPOS_KERNEL_TASK_PROCESS_CAPABILITY_H
#define CAPOS_KERNEL_TASK_PROCESS_CAPABILITY_H

#include "kernel/task/hold.h"
#include "kernel/task/process.h"

/* An empty table; charged. OVER_KERNEL_OBJECT, OUT_OF_MEMORY. And its end: no capability is left, or it never was. */
enum status process_capability_create_table(struct process *process);
void process_capability_destroy_table(struct process *process);

/*
 * Room for `slots` more capabilities, as part of one operation's charge:
 *   plan     adds slots to `charge`, and pages if the table must grow; OVER_CAP_SLOTS: no more ids. What it counts on
 *            stays free for it until it is used or cancelled.
 *   cancel   the operation failed later on; or
 *   reserve  takes the pages that were promised and as many slots, which cannot fail; publish follows for each
 *   publish  fills in the hold's origin: the id of the process that gives it, or its own for what an operation results
 * in
 */
struct capability_plan {
	uint32_t slots;  /* of the free ones, set aside */
	uint64_t frames; /* to be promised by the caller */
};

enum status process_capability_plan(struct process *process, uint32_t slots, struct charge *charge,
				    struct capability_plan *plan);
void process_capability_cancel(struct process *process, const struct capability_plan *plan);
void process_capability_reserve(struct process *process, const struct capability_plan *plan, uint32_t slots,
				handle_t handle[]);
void process_capability_publish(struct process *process, handle_t handle, struct cap_hold *hold, uint64_t origin);

/* All of it for one capability whose object is counted already, by the caller: OVER_*, OUT_OF_MEMORY. */
enum status process_capability_add(struct process *process, struct cap_hold *hold, uint64_t origin, handle_t *handle);

/* Give up one capability: NO_SUCH_CAPABILITY. What it cost is refunded. */
enum status process_capability_release(struct process *process, handle_t handle);

/* Every capability, in bounded steps; no other thread of it runs any more. */
void process_capability_release_all(struct process *process);

/* The hold of an id, copied, with a use, which the caller ends (hold_end_use). NO_SUCH_CAPABILITY. */
static inline enum status process_capability_use(struct process *process, handle_t handle, struct cap_hold *hold)
{
	const struct cap_hold *found;
	enum status status;

	spinlock_acquire(&process->cap_lock);
	status = cap_table_find(&process->caps, handle, &found);
	if (status == STATUS_OK) {
		*hold = *found;
		if (hold_is_counted(hold))
			hold_use(hold);
	}
	spinlock_release(&process->cap_lock);
	return status;
}

/* The same, of one interface: WRONG_INTERFACE, too. */
enum status process_capability_use_interface(struct process *process, handle_t handle, enum interface_id interface,
					     struct cap_hold *hold);

/* Sum of what its capabilities cost, and whether table and objects are valid. At rest. */
bool process_capability_count(struct process *process, struct charge *charge);

#endif
