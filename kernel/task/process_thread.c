#include "kernel/task/process_thread.h"

#include <stddef.h>

#include "kernel/mem/bootstrap_page.h"
#include "kernel/mem/user_access.h"
#include "kernel/task/scheduler.h"
#include "lib/check.h"
#include "lib/range.h"

#define ID_INDEX_BITS 8u

_Static_assert(THREAD_MAX <= 1u << ID_INDEX_BITS, "an id holds an index");
_Static_assert(RING_ADDRESS + THREAD_MAX * PAGE_SIZE <= BOOTSTRAP_END, "a ring for each");

static uint64_t id_of(const struct thread_slot *slot, uint32_t index)
{
	return (uint64_t)slot->generation << ID_INDEX_BITS | index;
}

static uint64_t ring_address(uint32_t index)
{
	return RING_ADDRESS + index * PAGE_SIZE;
}

/* ---- making ---- */

static enum status check_address(uint64_t address)
{
	struct uaddr_range range;

	GUARD(uaddr_range_of_bytes(address, 1, &range) == STATUS_OK, STATUS_NOT_USER_ADDRESS);
	return STATUS_OK;
}

static enum status check_start(const struct process *process, const struct thread_start *start)
{
	TRY(check_address(start->entry));
	TRY(check_address(start->tls));
	TRY(check_address(start->stack - 1)); /* of the last byte of it; 0 - 1 is none */
	GUARD(start->priority <= process->priority, STATUS_BAD_ARGUMENT);
	return STATUS_OK;
}

/* A place for one more. */
static enum status take_slot(struct process *process, uint32_t *index)
{
	enum status status = STATUS_BUSY;

	spinlock_acquire(&process->lock);
	for (uint32_t i = 0; i < THREAD_MAX; i++) {
		if (process->slot[i].state != THREAD_SLOT_FREE)
			continue;
		process->slot[i].state = THREAD_SLOT_TAKEN;
		*index = i;
		status = STATUS_OK;
		break;
	}
	spinlock_release(&process->lock);
	return status;
}

static void give_slot(struct process *process, uint32_t index)
{
	spinlock_acquire(&process->lock);
	process->slot[index].state = THREAD_SLOT_FREE;
	spinlock_release(&process->lock);
}

/* From now on it is among the process's threads; unless that has begun to end. */
static enum status fill_slot(struct process *process, struct thread *thread, uint64_t *id)
{
	struct thread_slot *slot = &process->slot[thread->index];
	enum status status = STATUS_GONE;

	spinlock_acquire(&process->lock);
	if (!process->ending) {
		slot->thread = thread;
		slot->state = THREAD_SLOT_LIVE;
		process->live++;
		process->threads++;
		*id = id_of(slot, thread->index);
		status = STATUS_OK;
	}
	spinlock_release(&process->lock);
	return status;
}

static enum status make_thread(struct process *process, uint32_t index, const struct thread_start *start,
			       struct thread **thread)
{
	enum status status;
	void *ring;

	TRY(thread_create(process, thread));
	status = bootstrap_page_map(&process->space, ring_address(index), PROTECTION_READ | PROTECTION_WRITE, &ring);
	if (status != STATUS_OK) {
		thread_cancel(*thread);
		return status;
	}
	ring_init_zeroed(ring); /* as its frame is */
	(*thread)->ring = ring;
	(*thread)->ring_address = ring_address(index);
	(*thread)->index = index;
	(*thread)->entry = start->entry;
	(*thread)->user_stack = start->stack;
	(*thread)->argument = start->argument;
	(*thread)->segments.fs_base = start->tls;
	(*thread)->priority = start->priority;
	return STATUS_OK;
}

static void unmake_thread(struct process *process, struct thread *thread)
{
	bootstrap_page_unmap(&process->space, thread->ring_address);
	thread_destroy(thread);
}

enum status process_thread_create(struct process *process, const struct thread_start *start, struct thread **thread,
				  uint64_t *id)
{
	enum status status;
	uint32_t index;

	TRY(check_start(process, start));
	TRY(take_slot(process, &index));
	status = make_thread(process, index, start, thread);
	if (status == STATUS_OK) {
		status = fill_slot(process, *thread, id);
		if (status != STATUS_OK)
			unmake_thread(process, *thread);
	}
	if (status != STATUS_OK)
		give_slot(process, index);
	return status;
}

void process_thread_discard(struct process *process, struct thread *thread)
{
	spinlock_acquire(&process->lock);
	process->slot[thread->index].thread = NULL;
	process->slot[thread->index].state = THREAD_SLOT_FREE;
	process->live--;
	process->threads--;
	spinlock_release(&process->lock);
	unmake_thread(process, thread);
}

/* ---- looking ---- */

/* The slot of an id that is still good: NOT_FOUND. Locked. */
static enum status find_slot(struct process *process, uint64_t id, struct thread_slot **slot)
{
	uint64_t index = id & ((1u << ID_INDEX_BITS) - 1);

	GUARD(index < THREAD_MAX, STATUS_NOT_FOUND);
	*slot = &process->slot[index];
	GUARD((*slot)->state >= THREAD_SLOT_LIVE && id_of(*slot, (uint32_t)index) == id, STATUS_NOT_FOUND);
	return STATUS_OK;
}

enum status process_thread_find(struct process *process, uint64_t id, struct thread **thread)
{
	struct thread_slot *slot;

	TRY(find_slot(process, id, &slot));
	GUARD(slot->thread != NULL, STATUS_NOT_FOUND);
	*thread = slot->thread;
	return STATUS_OK;
}

uint64_t process_thread_id(const struct process *process, const struct thread *thread)
{
	return id_of(&process->slot[thread->index],
		     thread->index); /* its own generation does not change while it lives */
}

enum status process_thread_set_priority(struct process *process, uint64_t id, uint64_t priority)
{
	struct thread *thread;
	enum status status;

	GUARD(priority <= process->priority, STATUS_BAD_ARGUMENT);
	spinlock_acquire(&process->lock);
	status = process_thread_find(process, id, &thread);
	if (status == STATUS_OK)
		scheduler_set_priority(thread, (uint32_t)priority);
	spinlock_release(&process->lock);
	return status;
}

/* ---- waiting ---- */

/* The slot has ended; it is free again afterwards. Locked, also against the waiter's end. */
static void answer(struct operation *operation, const struct thread_slot *slot)
{
	operation->badge = slot->run_ns;
	operation_complete(operation, STATUS_OK, (uint64_t)slot->code);
}

enum status process_thread_hand_out(const struct operation *operation)
{
	struct thread_exit report = { operation->word, (int64_t)operation->completion.value, operation->badge };

	return user_access_write(&operation->thread->process->space, operation->buffer, sizeof(report), &report);
}

static void free_slot(struct thread_slot *slot)
{
	slot->state = THREAD_SLOT_FREE;
	slot->generation++;
}

void process_thread_report(struct process *process, uint32_t index)
{
	struct thread_slot *slot = &process->slot[index];
	uint64_t id = id_of(slot, index);
	struct operation *next;
	bool was_told = false;

	for (struct operation *operation = process->thread_waits.first; operation != NULL; operation = next) {
		next = operation->next;
		if (operation->word != id)
			continue;
		operation_dequeue(operation);
		answer(operation, slot);
		was_told = true;
	}
	if (was_told)
		free_slot(slot);
}

enum status process_thread_wait(uint64_t id, struct operation *operation)
{
	struct process *process = operation->thread->process;
	struct thread_slot *slot;
	enum status status;

	GUARD(id != process_thread_id(process, operation->thread), STATUS_BAD_ARGUMENT);
	operation->guard = &process->lock;
	operation->word = id;
	spinlock_acquire(&process->lock);
	status = find_slot(process, id, &slot);
	if (status == STATUS_OK && slot->state == THREAD_SLOT_ENDED) {
		answer(operation, slot);
		free_slot(slot);
	} else if (status == STATUS_OK) {
		operation_enqueue(&process->thread_waits, operation);
	}
	spinlock_release(&process->lock);
	return status;
}
