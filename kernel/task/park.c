#include "kernel/task/park.h"

#include "kernel/mem/address_space.h"
#include "kernel/mem/user_access.h"
#include "kernel/task/process.h"
#include "lib/check.h"

#define WORD_BYTES 4u

static struct process *process_of_space(struct address_space *space)
{
	return (struct process *)((uint8_t *)space - __builtin_offsetof(struct process, space));
}

/* Neighbouring words go to different buckets. */
static struct operation_queue *bucket_of(struct process *process, uint64_t address)
{
	return &process->parked[(address / WORD_BYTES ^ address >> 12) % PROCESS_PARK_BUCKETS];
}

static enum status check_address(uint64_t address)
{
	struct uaddr_range range;

	GUARD(address % WORD_BYTES == 0, STATUS_MISALIGNED);
	return uaddr_range_of_bytes(address, WORD_BYTES, &range);
}

static void count(struct process *process, uint64_t change)
{
	__atomic_fetch_add(&process->space.parked, change, __ATOMIC_RELAXED);
}

void park_forget(const struct operation *operation)
{
	count(operation->thread->process, UINT64_MAX);
}

static void wake(struct process *process, struct operation *operation, enum status status)
{
	operation_dequeue(operation);
	count(process, UINT64_MAX);
	operation_complete(operation, status, 0);
}

/* The address space is locked. */
static enum status wait_locked(struct process *process, struct operation *operation, uint32_t expected)
{
	enum status status;
	uint32_t word;

	spinlock_acquire(&process->park_lock);
	status = user_access_read_private_word(&process->space, operation->buffer, &word);
	if (status == STATUS_OK && word != expected)
		status = STATUS_WOULD_BLOCK;
	if (status == STATUS_OK) {
		operation_enqueue(bucket_of(process, operation->buffer), operation);
		count(process, 1);
	}
	spinlock_release(&process->park_lock);
	return status;
}

enum status park_wait(struct operation *operation, uint64_t address, uint32_t expected)
{
	struct process *process = operation->thread->process;
	struct uaddr_range range;
	enum status status;

	TRY(check_address(address));
	TRY(uaddr_range_of_bytes(address, WORD_BYTES, &range));
	operation->buffer = address;
	operation->guard = &process->park_lock;
	address_space_lock(&process->space, range);
	status = wait_locked(process, operation, expected);
	address_space_unlock(&process->space, range);
	return status;
}

enum status park_wake(struct process *process, uint64_t address, uint64_t most, uint64_t *woken)
{
	struct operation *next;

	TRY(check_address(address));
	*woken = 0;
	spinlock_acquire(&process->park_lock);
	for (struct operation *operation = bucket_of(process, address)->first; operation != NULL && *woken < most;
	     operation = next) {
		next = operation->next;
		if (operation->buffer != address)
			continue;
		wake(process, operation, STATUS_OK);
		++*woken;
	}
	spinlock_release(&process->park_lock);
	return STATUS_OK;
}

/* Upcall of kernel/mem: the pages of `range` have lost their frames. The space is locked. */
void task_pages_gone(struct address_space *space, struct uaddr_range range)
{
	struct process *process = process_of_space(space);
	struct operation *next;

	spinlock_acquire(&process->park_lock);
	for (uint32_t i = 0; i < PROCESS_PARK_BUCKETS; i++) {
		for (struct operation *operation = process->parked[i].first; operation != NULL; operation = next) {
			next = operation->next;
			if (operation->buffer >= uaddr_to_u64(range.start) &&
			    operation->buffer < uaddr_to_u64(range.end))
				wake(process, operation, STATUS_GONE);
		}
	}
	spinlock_release(&process->park_lock);
}
