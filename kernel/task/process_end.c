#include "kernel/task/process_end.h"

#include <stddef.h>

#include "kernel/arch/x86_64/interrupt_window.h"
#include "kernel/mem/bootstrap_page.h"
#include "kernel/mem/user_access.h"
#include "kernel/task/fault_handler.h"
#include "kernel/task/process_thread.h"
#include "kernel/task/process_tree.h"
#include "kernel/task/scheduler.h"
#include "lib/check.h"

/* Locked. The first reason stands. */
static void set_ending(struct process *process, const struct process_exit *exit)
{
	if (process->ending)
		return;
	process->exit = *exit;
	process->exit.process_id = process->id;
	__atomic_store_n(&process->ending, true, __ATOMIC_RELEASE);
}

void process_end_begin_locked(struct process *process, const struct process_exit *exit)
{
	const struct thread *self = thread_current();

	if (process->live != 0)
		set_ending(process, exit);
	for (uint32_t i = 0, left = process->live; left != 0; i++) {
		if (process->slot[i].thread == NULL)
			continue;
		left--;
		if (process->slot[i].thread != self)
			scheduler_prod(process->slot[i].thread);
	}
}

void process_end_begin(struct process *process, const struct process_exit *exit)
{
	spinlock_acquire(&process->lock);
	process_end_begin_locked(process, exit);
	spinlock_release(&process->lock);
}

void process_end_if_asked(void)
{
	if (UNLIKELY(process_end_is_asked(thread_current()->process)))
		process_end_thread(thread_current()->process->exit.code);
}

/* From here on nobody prods it. True for the last one: then the process is ending. */
static bool leave_slot(struct process *process, struct thread *thread, int64_t code)
{
	struct process_exit exit = { .code = code, .end = PROCESS_EXITED };
	struct thread_slot *slot = &process->slot[thread->index];
	struct user_fault fault;
	bool is_last, leaves_faults;

	spinlock_acquire(&process->lock);
	leaves_faults = fault_handler_leave(process, thread, &fault);
	slot->thread = NULL;
	slot->state = THREAD_SLOT_LEAVING;
	slot->code = code;
	is_last = --process->live == 0;
	if (is_last)
		set_ending(process, &exit);
	spinlock_release(&process->lock);
	if (leaves_faults)
		user_fault_log(process, &fault);
	return is_last;
}

_Noreturn void process_end_thread(int64_t code)
{
	struct thread *thread = thread_current();
	struct process *process = thread->process;

	scheduler_keep_running();
	operation_cancel_all(thread);
	if (!process_end_is_asked(process))
		bootstrap_page_unmap(&process->space, thread->ring_address); /* else it goes with the space */
	scheduler_leave_space(); /* before it is counted out: the last one takes the space apart */
	if (leave_slot(process, thread, code))
		process_release_everything(process);
	scheduler_end();
}

/*
 * It has ended: some of those who wait are told. Each of them has a use of the record; the program's own ends before
 * the last ones are told, so that whoever was told finds nothing left but what handles, and others who wait, keep.
 * True: there are more, and the record is still ours.
 */
static bool tell_some(struct process *process)
{
	struct operation *operation;
	uint32_t left = OPERATION_STEP;
	bool is_last, is_waited_for;

	spinlock_acquire(&process->lock);
	is_last = process->waits.count <= OPERATION_STEP;
	is_waited_for = process->waits.count != 0;
	if (is_last && is_waited_for)
		process_end_use(process);
	for (; (operation = process->waits.first) != NULL && left != 0; left--) {
		operation_dequeue(operation);
		operation_complete(operation, STATUS_OK, (uint64_t)process->exit.code);
	}
	spinlock_release(&process->lock);
	if (!is_waited_for)
		process_end_use(process);
	return !is_last;
}

/* All threads are gone, and everything that was the program's: what is left is the record. */
static void finish(struct process *process)
{
	struct resource_ledger left;

	account_refund_one(&process->account, LEDGER_KERNEL_OBJECT, PROCESS_KERNEL_BYTES);
	account_read(&process->account, &left);
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		CHECK(left.of[kind].used == 0);
	process_tree_orphan(process);
	process_tree_return_limits(process);
	spinlock_acquire(&process->lock);
	process->exit.run_ns = process->run_ns;
	process->ended = true; /* nobody else comes to wait */
	spinlock_release(&process->lock);
	while (tell_some(process))
		interrupt_window_open();
	process_tree_tell_watcher();
}

void process_reclaim_thread(struct thread *thread)
{
	struct process *process = thread->process;
	uint32_t index = thread->index;
	uint64_t run_ns = run_time_read(&thread->run_time, 0); /* it has stopped */
	bool is_last;

	thread_destroy(thread);
	spinlock_acquire(&process->lock);
	process->run_ns += run_ns;
	process->slot[index].run_ns = run_ns;
	process->slot[index].state = THREAD_SLOT_ENDED;
	process_thread_report(process, index);
	is_last = --process->threads == 0;
	spinlock_release(&process->lock);
	if (is_last)
		finish(process);
}

/* ---- telling ---- */

void process_end_read(struct process *process, struct process_exit *exit)
{
	spinlock_acquire(&process->lock);
	*exit = process->exit;
	spinlock_release(&process->lock);
}

enum status process_end_hand_out(const struct operation *operation)
{
	struct process_exit exit;

	process_end_read(operation->object, &exit);
	return user_access_write(&operation->thread->process->space, operation->buffer, sizeof(exit), &exit);
}

void process_end_wait(struct process *process, struct operation *operation)
{
	process_use(process);
	operation->object = process;
	operation->guard = &process->lock;
	spinlock_acquire(&process->lock);
	if (process->ended)
		operation_complete(operation, STATUS_OK, (uint64_t)process->exit.code);
	else
		operation_enqueue(&process->waits, operation);
	spinlock_release(&process->lock);
}
