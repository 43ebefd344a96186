#include "kernel/task/fault_handler.h"

#include <stddef.h>

#include "kernel/mem/user_access.h"
#include "kernel/task/process_end.h"
#include "kernel/task/process_thread.h"
#include "kernel/task/scheduler.h"
#include "lib/check.h"

#define ACCESS_SHIFT 32u /* in operation->word, above the kind */

/* ---- the list; locked ---- */

static void append(struct process *process, struct thread *thread)
{
	struct thread **link = &process->faulted;

	while (*link != NULL)
		link = &(*link)->next_faulted;
	*link = thread;
	thread->next_faulted = NULL;
	thread->fault_state = THREAD_FAULT_WAITING;
}

static void take_out(struct process *process, struct thread *thread)
{
	struct thread **link = &process->faulted;

	while (*link != thread)
		link = &(*link)->next_faulted;
	*link = thread->next_faulted;
	thread->fault_state = THREAD_FAULT_NONE;
}

static struct thread *first_waiting(const struct process *process)
{
	struct thread *thread = process->faulted;

	while (thread != NULL && thread->fault_state != THREAD_FAULT_WAITING)
		thread = thread->next_faulted;
	return thread;
}

static struct thread *find(const struct process *process, uint64_t id)
{
	struct thread *thread = process->faulted;

	while (thread != NULL && process_thread_id(process, thread) != id)
		thread = thread->next_faulted;
	return thread;
}

/* ---- telling; locked ---- */

/* The operation has a copy: the thread may be resumed before the handler has read of it. */
static void tell(const struct process *process, struct operation *operation, struct thread *thread)
{
	thread->fault_state = THREAD_FAULT_TOLD;
	operation->word = (uint64_t)thread->fault.kind | (uint64_t)thread->fault.access << ACCESS_SHIFT;
	operation->badge = thread->fault.address;
	operation->rip = thread->fault.rip;
	operation_answer(operation, 0, process_thread_id(process, thread));
}

/* Each fault that waits meets a FAULT_WAIT that does. */
static void match(struct process *process)
{
	struct operation *operation;
	struct thread *thread;

	while ((operation = process->fault_waits.first) != NULL && (thread = first_waiting(process)) != NULL) {
		operation_dequeue(operation);
		tell(process, operation, thread);
	}
}

enum status fault_handler_wait(struct operation *operation)
{
	struct process *process = operation->thread->process;
	enum status status = STATUS_GONE;

	operation->guard = &process->lock;
	spinlock_acquire(&process->lock);
	if (process->fault_handler == operation->thread) {
		operation_enqueue(&process->fault_waits, operation);
		match(process);
		status = STATUS_OK;
	}
	spinlock_release(&process->lock);
	return status;
}

/* Unless somebody has resumed it meanwhile. */
static void untell(struct process *process, uint64_t id)
{
	struct thread *thread;

	spinlock_acquire(&process->lock);
	thread = find(process, id);
	if (thread != NULL) {
		thread->fault_state = THREAD_FAULT_WAITING;
		match(process);
	}
	spinlock_release(&process->lock);
}

enum status fault_handler_hand_out(const struct operation *operation)
{
	struct process *process = operation->thread->process;
	const struct thread_fault report = {
		.thread_id = operation->completion.value,
		.kind = (uint32_t)operation->word,
		.access = (uint32_t)(operation->word >> ACCESS_SHIFT),
		.address = operation->badge,
		.rip = operation->rip,
	};
	enum status status = user_access_write(&process->space, operation->buffer, sizeof(report), &report);

	if (status != STATUS_OK)
		untell(process, report.thread_id);
	return status;
}

/* ---- standing ---- */

static bool stand(struct process *process, struct thread *thread, const struct user_fault *fault)
{
	bool stands;

	spinlock_acquire(&process->lock);
	stands = process->fault_handler != NULL && process->fault_handler != thread && !process->ending;
	if (stands) {
		thread->fault = *fault;
		append(process, thread);
		match(process);
	}
	spinlock_release(&process->lock);
	return stands;
}

static bool still_stands(struct process *process, const struct thread *thread)
{
	bool stands;

	spinlock_acquire(&process->lock);
	stands = thread->fault_state != THREAD_FAULT_NONE;
	spinlock_release(&process->lock);
	return stands;
}

bool fault_handler_ask(const struct user_fault *fault)
{
	struct thread *thread = thread_current();
	struct process *process = thread->process;

	if (!user_fault_is_mendable(fault->kind) || !stand(process, thread, fault))
		return false;
	while (still_stands(process, thread)) {
		process_end_if_asked();
		scheduler_block(SCHEDULER_FOREVER);
	}
	scheduler_keep_running(); /* the handler, if this thread did not sleep after it was handed over to */
	process_end_if_asked();
	return true;
}

/* ---- ending; locked ---- */

/* The process ends by the fault of that thread, which is to be logged then. False: it is ending already. */
static bool end_by(struct process *process, const struct thread *thread, struct user_fault *fault)
{
	struct process_exit exit = user_fault_exit(&thread->fault);

	if (process->ending)
		return false;
	*fault = thread->fault;
	process_end_begin_locked(process, &exit);
	return true;
}

/* Nobody handles what stands faulted any more. */
static bool end_by_first(struct process *process, struct user_fault *fault)
{
	return process->faulted != NULL && end_by(process, process->faulted, fault);
}

bool fault_handler_leave(struct process *process, struct thread *thread, struct user_fault *fault)
{
	if (thread->fault_state != THREAD_FAULT_NONE)
		take_out(process, thread);
	if (process->fault_handler != thread)
		return false;
	CHECK(process->fault_waits.count == 0); /* it has taken back all that it had open */
	process->fault_handler = NULL;
	return end_by_first(process, fault);
}

/* ---- naming ---- */

/* Another from now on, or NULL: it knows nothing of what the one before was told. Locked. */
static void replace(struct process *process, struct thread *handler)
{
	struct operation *operation;

	while ((operation = process->fault_waits.first) != NULL) {
		operation_dequeue(operation);
		operation_complete(operation, STATUS_GONE, 0);
	}
	for (struct thread *thread = process->faulted; thread != NULL; thread = thread->next_faulted)
		thread->fault_state = THREAD_FAULT_WAITING;
	process->fault_handler = handler;
}

enum status fault_handler_set(struct process *process, uint64_t id)
{
	struct thread *handler = NULL;
	enum status status = STATUS_OK;
	struct user_fault fault;
	bool ends = false;

	spinlock_acquire(&process->lock);
	if (id != THREAD_NONE)
		status = process_thread_find(process, id, &handler);
	if (handler != NULL && handler->fault_state != THREAD_FAULT_NONE)
		status = STATUS_BUSY;
	if (status == STATUS_OK && handler != process->fault_handler) {
		replace(process, handler);
		ends = handler == NULL && end_by_first(process, &fault);
	}
	spinlock_release(&process->lock);
	if (ends)
		user_fault_log(process, &fault);
	return status;
}

/* ---- resuming ---- */

enum status fault_handler_resume(struct process *process, uint64_t id, enum thread_fault_action action)
{
	struct user_fault fault;
	struct thread *thread;
	bool ends = false;

	spinlock_acquire(&process->lock);
	thread = find(process, id);
	if (thread != NULL && action == THREAD_FAULT_END) {
		ends = end_by(process, thread, &fault);
	} else if (thread != NULL) {
		take_out(process, thread);
		scheduler_hand_over(thread);
	}
	spinlock_release(&process->lock);
	if (ends)
		user_fault_log(process, &fault);
	return thread != NULL ? STATUS_OK : STATUS_NOT_FOUND;
}

/* ---- looking ---- */

bool fault_handler_is_valid(const struct process *process)
{
	const struct thread *handler = process->fault_handler;
	uint32_t standing = 0, listed = 0;
	bool valid = operation_queue_is_valid(&process->fault_waits);

	for (uint32_t i = 0; i < THREAD_MAX; i++) {
		const struct thread *thread = process->slot[i].thread;

		standing += thread != NULL && thread->fault_state != THREAD_FAULT_NONE;
	}
	for (const struct thread *thread = process->faulted; thread != NULL; thread = thread->next_faulted) {
		listed++;
		valid = valid && thread->fault_state != THREAD_FAULT_NONE && thread != handler;
	}
	for (const struct operation *operation = process->fault_waits.first; operation != NULL;
	     operation = operation->next)
		valid = valid && operation->thread == handler;
	valid = valid && (process->fault_waits.count == 0 || first_waiting(process) == NULL);
	return valid && standing == listed && (listed == 0 || handler != NULL || process->ending);
}
