#include "kernel/task/process_tree.h"

#include <stddef.h>

#include "kernel/arch/x86_64/spinlock.h"
#include "kernel/task/scheduler.h"
#include "lib/check.h"

static struct spinlock tree_lock = SPINLOCK_INIT(LOCK_TREE);
static struct process *processes; /* tree_lock; the newest first */
static uint64_t process_count;    /* atomic; in the list, or not quite freed */
static uint64_t last_id;          /* atomic */
static struct thread *watcher;    /* fixed once set */

enum status process_tree_carve(struct process *parent, const uint64_t limits[LEDGER_COUNT])
{
	enum status status;

	spinlock_acquire(&parent->account.lock);
	status = resource_ledger_shrink(&parent->account.ledger, limits);
	spinlock_release(&parent->account.lock);
	return status;
}

void process_tree_carve_undo(struct process *parent, const uint64_t limits[LEDGER_COUNT])
{
	spinlock_acquire(&parent->account.lock);
	resource_ledger_grow(&parent->account.ledger, limits);
	spinlock_release(&parent->account.lock);
}

void process_tree_return_limits(struct process *process)
{
	uint64_t limits[LEDGER_COUNT];
	struct resource_ledger ledger;

	account_read(&process->account, &ledger);
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		limits[kind] = ledger.of[kind].limit;
	spinlock_acquire(&tree_lock);
	if (process->parent != NULL)
		process_tree_carve_undo(process->parent, limits);
	process->parent = NULL;
	spinlock_release(&tree_lock);
}

void process_tree_add(struct process *process)
{
	spinlock_acquire(&tree_lock);
	process->next = processes;
	process->previous = NULL;
	if (processes != NULL)
		processes->previous = process;
	processes = process;
	__atomic_fetch_add(&process_count, 1, __ATOMIC_RELAXED);
	spinlock_release(&tree_lock);
}

void process_tree_remove(struct process *process)
{
	spinlock_acquire(&tree_lock);
	if (process->previous != NULL)
		process->previous->next = process->next;
	else
		processes = process->next;
	if (process->next != NULL)
		process->next->previous = process->previous;
	spinlock_release(&tree_lock);
}

void process_tree_count_down(void)
{
	__atomic_fetch_sub(&process_count, 1, __ATOMIC_RELEASE);
}

void process_tree_orphan(struct process *process)
{
	spinlock_acquire(&tree_lock);
	for (struct process *child = processes; child != NULL; child = child->next)
		if (child->parent == process)
			child->parent = process->parent;
	spinlock_release(&tree_lock);
}

/* 2^48 of them, one a microsecond, last for nine years (CAP_ORIGIN_LIMIT). */
uint64_t process_tree_next_id(void)
{
	return __atomic_add_fetch(&last_id, 1, __ATOMIC_RELAXED);
}

enum status process_tree_at(uint64_t index, struct process **process)
{
	struct process *found;

	spinlock_acquire(&tree_lock);
	for (found = processes; found != NULL; found = found->next) {
		if (index != 0)
			index--;
		else if (process_use_unless_gone(found))
			break;
	}
	spinlock_release(&tree_lock);
	GUARD(found != NULL, STATUS_NOT_FOUND);
	*process = found;
	return STATUS_OK;
}

enum status process_tree_find(uint64_t id, struct process **process)
{
	struct process *found;

	spinlock_acquire(&tree_lock);
	for (found = processes; found != NULL; found = found->next)
		if (found->id == id && process_use_unless_gone(found))
			break;
	spinlock_release(&tree_lock);
	GUARD(found != NULL, STATUS_NOT_FOUND);
	*process = found;
	return STATUS_OK;
}

uint64_t process_tree_parent_id(struct process *process)
{
	uint64_t id;

	spinlock_acquire(&tree_lock);
	id = process->parent != NULL ? process->parent->id : 0;
	spinlock_release(&tree_lock);
	return id;
}

uint64_t process_tree_count(void)
{
	return __atomic_load_n(&process_count, __ATOMIC_ACQUIRE);
}

void process_tree_watch(struct thread *thread)
{
	CHECK(watcher == NULL);
	watcher = thread;
}

void process_tree_tell_watcher(void)
{
	if (watcher != NULL)
		scheduler_wake(watcher);
}

bool process_tree_is_valid(void)
{
	uint64_t count = 0;
	bool valid = true;

	spinlock_acquire(&tree_lock);
	for (const struct process *process = processes; process != NULL; process = process->next) {
		count++;
		valid = valid && (process->previous != NULL ? process->previous->next : processes) == process;
		valid = valid && (process->parent == NULL || !process->parent->ended);
	}
	valid = valid && count == process_tree_count();
	spinlock_release(&tree_lock);
	return valid;
}
