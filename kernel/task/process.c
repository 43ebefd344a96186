#include "kernel/task/process.h"

#include <stddef.h>

#include "kernel/arch/x86_64/clock.h"
#include "kernel/mem/frame.h"
#include "kernel/mem/kernel_stack.h"
#include "kernel/mem/paging.h"
#include "kernel/task/endpoint.h"
#include "kernel/task/fault_handler.h"
#include "kernel/task/process_capability.h"
#include "kernel/task/process_thread.h"
#include "kernel/task/process_tree.h"
#include "kernel/task/scheduler.h"
#include "lib/check.h"
#include "lib/string.h"

/* ---- making ---- */

/* In this order, so that process_discard can take back what was done of it. */
static enum status create_parts(struct process *process)
{
	struct charge charge = { .kinds = 0 };

	charge_add(&charge, LEDGER_KERNEL_OBJECT, PROCESS_KERNEL_BYTES);
	TRY(account_charge_and_promise(&process->account, &charge, 0));
	TRY(process_capability_create_table(process));
	return address_space_create(&process->space, &process->account, paging_root_table());
}

/* As a program gave it, for logs and listings: one line of printable characters. */
static void copy_name(struct process *process, const char *name)
{
	(void)string_copy(process->name, sizeof(process->name), name);
	for (char *at = process->name; *at != 0; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
}

static enum status create_record(const struct process_template *template, struct process **process)
{
	frame_t frame;

	TRY(frame_allocate(FRAME_TASK, NULL, &frame));
	*process = direct_map_of_frame(frame);
	spinlock_name(&(*process)->lock, LOCK_PROCESS);
	spinlock_name(&(*process)->cap_lock, LOCK_CAP_TABLE);
	spinlock_name(&(*process)->park_lock, LOCK_PARK);
	spinlock_name(&(*process)->account.lock, LOCK_ACCOUNT);
	resource_ledger_init(&(*process)->account.ledger, template->limits);
	copy_name(*process, template->name);
	(*process)->parent = template->parent;
	(*process)->priority = template->priority;
	(*process)->references = 1;
	(*process)->id = process_tree_next_id();
	return STATUS_OK;
}

enum status process_create(const struct process_template *template, struct process **process)
{
	enum status status;

	if (template->parent != NULL)
		TRY(process_tree_carve(template->parent, template->limits));
	status = create_record(template, process);
	if (status != STATUS_OK) {
		if (template->parent != NULL)
			process_tree_carve_undo(template->parent, template->limits);
		return status;
	}
	status = create_parts(*process);
	if (status != STATUS_OK)
		process_discard(*process);
	return status;
}

void process_discard(struct process *process)
{
	for (uint32_t i = 0; i < THREAD_MAX; i++)
		if (process->slot[i].thread != NULL)
			process_thread_discard(process, process->slot[i].thread);
	process_release_everything(process);
	if (process->account.ledger.of[LEDGER_KERNEL_OBJECT].used != 0)
		account_refund_one(&process->account, LEDGER_KERNEL_OBJECT, PROCESS_KERNEL_BYTES);
	process_tree_return_limits(process);
	process->ended = true;
	process_end_use(process);
}

void process_start(struct process *process)
{
	process->is_in_tree = true;
	process_tree_add(process);
	scheduler_add(process->slot[0].thread); /* the only one, until it runs */
}

void process_release_everything(struct process *process)
{
	process_capability_release_all(process);
	if (process->space.root_table != NULL)
		address_space_destroy(&process->space);
	process_capability_destroy_table(process);
}

/* ---- references ---- */

void process_use(struct process *process)
{
	__atomic_fetch_add(&process->references, 1, __ATOMIC_RELAXED);
}

bool process_use_unless_gone(struct process *process)
{
	uint64_t references = __atomic_load_n(&process->references, __ATOMIC_RELAXED);

	while (references != 0)
		if (__atomic_compare_exchange_n(&process->references, &references, references + 1, true,
						__ATOMIC_RELAXED, __ATOMIC_RELAXED))
			return true;
	return false;
}

void process_end_use(struct process *process)
{
	bool was_in_tree;

	/* Acquire and release: whoever comes last sees all that the others did. */
	if (__atomic_sub_fetch(&process->references, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	CHECK(process->ended);
	was_in_tree = process->is_in_tree;
	if (was_in_tree)
		process_tree_remove(process);
	frame_free(direct_map_frame(process), FRAME_TASK, NULL);
	if (was_in_tree)
		process_tree_count_down(); /* last: whoever sees 0 finds every frame back */
}

void process_add_hold(struct process *process)
{
	__atomic_fetch_add(&process->holds, 1, __ATOMIC_RELAXED);
	process_use(process);
}

void process_drop_hold(struct process *process)
{
	__atomic_fetch_sub(&process->holds, 1, __ATOMIC_RELAXED);
	process_end_use(process);
}

/* ---- looking ---- */

void process_read_statistics(struct process *process, struct memory_statistics *statistics)
{
	struct frame_statistics frames;
	struct resource_ledger ledger;

	account_read(&process->account, &ledger);
	frame_statistics_read(&frames);
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		statistics->ledger[kind] =
			(struct ledger_reading){ ledger.of[kind].used, ledger.of[kind].limit,
						 resource_ledger_peak(&ledger, (enum ledger_kind)kind) };
	statistics->system_frames = frames.total;
	statistics->system_free_frames = frames.free + kernel_stack_cached() * KERNEL_STACK_PAGES;
}

uint64_t process_run_ns(struct process *process)
{
	uint64_t now = clock_now_ns();
	uint64_t run_ns;

	spinlock_acquire(&process->lock);
	run_ns = process->run_ns;
	for (uint32_t i = 0; i < THREAD_MAX; i++)
		if (process->slot[i].thread != NULL)
			run_ns += run_time_read(&process->slot[i].thread->run_time, now);
	spinlock_release(&process->lock);
	return run_ns;
}

static bool threads_are_valid(struct process *process, struct charge *charge)
{
	uint32_t live = 0;
	bool valid = true;

	for (uint32_t i = 0; i < THREAD_MAX; i++) {
		const struct thread_slot *slot = &process->slot[i];

		valid = valid && (slot->thread != NULL) == (slot->state == THREAD_SLOT_LIVE);
		if (slot->state != THREAD_SLOT_LIVE)
			continue;
		live++;
		valid = valid && slot->thread->process == process && slot->thread->index == i;
	}
	charge_add(charge, LEDGER_KERNEL_OBJECT, process->threads * THREAD_KERNEL_BYTES);
	return valid && live == process->live && live <= process->threads;
}

/* Each message is that of an open call, done or not. */
static uint64_t recount_messages_of(const struct thread *thread, struct heap_statistics *recount)
{
	uint64_t bytes = 0;

	for (uint32_t places = thread->places_used; places != 0; places &= places - 1) {
		const struct operation *operation = &thread->operation[__builtin_ctz(places)];

		if (operation->kind != OPERATION_CALL || operation->message == NULL)
			continue;
		heap_recount(recount, 1, operation->message->size);
		bytes += operation->message->size;
	}
	return bytes;
}

uint64_t process_recount_messages(const struct process *process, struct heap_statistics *recount)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < THREAD_MAX; i++)
		if (process->slot[i].thread != NULL)
			bytes += recount_messages_of(process->slot[i].thread, recount);
	return bytes;
}

static bool queues_are_valid(const struct process *process)
{
	uint64_t parked = 0;
	bool valid = operation_queue_is_valid(&process->waits) && operation_queue_is_valid(&process->thread_waits);

	for (uint32_t i = 0; i < PROCESS_PARK_BUCKETS; i++) {
		valid = valid && operation_queue_is_valid(&process->parked[i]);
		parked += process->parked[i].count;
	}
	return valid && parked == process->space.parked;
}

bool process_is_valid(struct process *process)
{
	struct address_space_census census;
	struct heap_statistics messages = { 0 };
	struct resource_ledger ledger;
	struct charge charge = { .kinds = 0 };
	bool valid;

	account_read(&process->account, &ledger);
	if (process->ended)
		return ledger.of[LEDGER_KERNEL_OBJECT].used == 0 && process->message_bytes == 0 &&
		       process->references >= process->holds;
	address_space_count(&process->space, &census);
	valid = process_capability_count(process, &charge) && threads_are_valid(process, &charge) &&
		queues_are_valid(process) && fault_handler_is_valid(process) && process->promised_slots == 0 &&
		process->promised_pages == 0 && process->message_bytes == process_recount_messages(process, &messages);
	charge_add(&charge, LEDGER_KERNEL_OBJECT, PROCESS_KERNEL_BYTES + process->message_bytes);
	charge_add(&charge, LEDGER_VIRTUAL_RESERVATION,
		   census.pages[PAGE_RESERVED] + census.pages[PAGE_ANONYMOUS] + census.pages[PAGE_LAZY]);
	charge_add(&charge, LEDGER_FRAME_GRANT,
		   census.pages[PAGE_ANONYMOUS] + census.pages[PAGE_LAZY] + census.pages[PAGE_BORROWED]);
	charge_add(&charge, LEDGER_IMAGE, census.pages[PAGE_IMAGE] + census.lazy_image + census.pages[PAGE_BOOTSTRAP]);
	charge_add(&charge, LEDGER_PAGE_TABLE, census.tables);
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		valid = valid && ledger.of[kind].used == charge.amount[kind];
	return valid && resource_ledger_is_valid(&ledger);
}
