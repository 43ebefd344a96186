#include "kernel/task/process_capability.h"

#include <stddef.h>

#include "kernel/arch/x86_64/interrupt_window.h"
#include "kernel/mem/frame.h"
#include "kernel/mem/memory_object.h"
#include "lib/check.h"

/* A page for the table, or its directory: charged in bytes and promised by the caller. */
static void *take_table_page(const struct process *process)
{
	return direct_map_of_frame(frame_take_zeroed(FRAME_CAP_TABLE, process));
}

static void give_table_page(struct process *process, void *page)
{
	frame_free(direct_map_frame(page), FRAME_CAP_TABLE, process);
	account_refund_one(&process->account, LEDGER_KERNEL_OBJECT, PAGE_SIZE);
}

enum status process_capability_create_table(struct process *process)
{
	struct charge charge = { .kinds = 0 };

	charge_add(&charge, LEDGER_KERNEL_OBJECT, PAGE_SIZE);
	TRY(account_charge_and_promise(&process->account, &charge, 1));
	cap_table_init(&process->caps, take_table_page(process));
	return STATUS_OK;
}

void process_capability_destroy_table(struct process *process)
{
	struct cap_table *table = &process->caps;

	if (table->page == NULL)
		return;
	for (uint32_t i = 0; i < table->pages; i++)
		give_table_page(process, table->page[i]);
	give_table_page(process, table->page);
	table->page = NULL;
	table->pages = 0;
}

/* Free slots that no operation under way counts on. Locked. */
static uint32_t spare_slots(const struct process *process)
{
	const struct cap_table *table = &process->caps;

	return table->slots - table->used - table->retired - process->promised_slots;
}

/*
 * Several operations may plan at once, so each counts on free slots of its own, or brings all the pages that it needs;
 * what two of them bring too much stays for later.
 */
enum status process_capability_plan(struct process *process, uint32_t slots, struct charge *charge,
				    struct capability_plan *plan)
{
	enum status status = STATUS_OK;

	*plan = (struct capability_plan){ 0, 0 };
	spinlock_acquire(&process->cap_lock);
	if (spare_slots(process) >= slots) {
		plan->slots = slots;
		process->promised_slots += slots;
	} else {
		plan->frames = (slots + CAP_SLOTS_PER_PAGE - 1) / CAP_SLOTS_PER_PAGE;
		if (process->caps.pages + process->promised_pages + plan->frames > CAP_TABLE_PAGES)
			status = STATUS_OVER_CAP_SLOTS;
		else
			process->promised_pages += (uint32_t)plan->frames;
	}
	spinlock_release(&process->cap_lock);
	TRY(status);
	charge_add(charge, LEDGER_CAP_SLOTS, slots);
	charge_add(charge, LEDGER_KERNEL_OBJECT, plan->frames * PAGE_SIZE);
	return STATUS_OK;
}

void process_capability_cancel(struct process *process, const struct capability_plan *plan)
{
	spinlock_acquire(&process->cap_lock);
	process->promised_slots -= plan->slots;
	process->promised_pages -= (uint32_t)plan->frames;
	spinlock_release(&process->cap_lock);
}

void process_capability_reserve(struct process *process, const struct capability_plan *plan, uint32_t slots,
				handle_t handle[])
{
	spinlock_acquire(&process->cap_lock);
	for (uint64_t i = 0; i < plan->frames; i++)
		CHECK(cap_table_add_page(&process->caps, take_table_page(process)) == STATUS_OK);
	process->promised_slots -= plan->slots;
	process->promised_pages -= (uint32_t)plan->frames;
	for (uint32_t i = 0; i < slots; i++)
		CHECK(cap_table_reserve(&process->caps, &handle[i]) == STATUS_OK);
	spinlock_release(&process->cap_lock);
}

void process_capability_publish(struct process *process, handle_t handle, struct cap_hold *hold, uint64_t origin)
{
	cap_hold_set_origin(hold, origin);
	spinlock_acquire(&process->cap_lock);
	cap_table_publish(&process->caps, handle, hold);
	spinlock_release(&process->cap_lock);
}

enum status process_capability_add(struct process *process, struct cap_hold *hold, uint64_t origin, handle_t *handle)
{
	struct charge charge = { .kinds = 0 };
	struct capability_plan plan;
	enum status status;

	TRY(process_capability_plan(process, 1, &charge, &plan));
	hold_charge(hold, &charge);
	charge.amount[LEDGER_CAP_SLOTS]--; /* counted by both */
	status = account_charge_and_promise(&process->account, &charge, plan.frames);
	if (status != STATUS_OK) {
		process_capability_cancel(process, &plan);
		return status;
	}
	process_capability_reserve(process, &plan, 1, handle);
	process_capability_publish(process, *handle, hold, origin);
	return STATUS_OK;
}

enum status process_capability_use_interface(struct process *process, handle_t handle, enum interface_id interface,
					     struct cap_hold *hold)
{
	TRY(process_capability_use(process, handle, hold));
	if (hold->interface == interface)
		return STATUS_OK;
	hold_end_use(hold);
	return STATUS_WRONG_INTERFACE;
}

enum status process_capability_release(struct process *process, handle_t handle)
{
	struct charge refund = { .kinds = 0 };
	enum status status;
	struct cap_hold hold;

	spinlock_acquire(&process->cap_lock);
	status = cap_table_remove(&process->caps, handle, &hold);
	spinlock_release(&process->cap_lock);
	TRY(status);
	hold_charge(&hold, &refund);
	hold_drop(&hold);
	account_refund(&process->account, &refund);
	return STATUS_OK;
}

void process_capability_release_all(struct process *process)
{
	const struct cap_hold *hold;
	uint32_t index = 0;
	handle_t handle;

	if (process->caps.page == NULL)
		return;
	while (cap_table_next(&process->caps, index, &handle, &hold) == STATUS_OK) {
		CHECK(process_capability_release(process, handle) == STATUS_OK);
		index = (handle & HANDLE_INDEX_MASK) + 1;
		interrupt_window_open();
	}
}

bool process_capability_count(struct process *process, struct charge *charge)
{
	const struct cap_hold *hold;
	uint32_t index = 0;
	handle_t handle;
	bool valid;

	spinlock_acquire(&process->cap_lock);
	valid = cap_table_is_valid(&process->caps);
	charge_add(charge, LEDGER_KERNEL_OBJECT, (process->caps.pages + 1) * PAGE_SIZE);
	while (cap_table_next(&process->caps, index, &handle, &hold) == STATUS_OK) {
		hold_charge(hold, charge);
		index = (handle & HANDLE_INDEX_MASK) + 1;
	}
	spinlock_release(&process->cap_lock);
	return valid;
}
