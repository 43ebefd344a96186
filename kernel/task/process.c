#include "kernel/task/process.h"

#include <stddef.h>

#include "kernel/arch/x86_64/interrupt_window.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/kernel_stack.h"
#include "kernel/mem/memory_object.h"
#include "kernel/mem/paging.h"
#include "lib/check.h"
#include "lib/string.h"

/* What every process costs the kernel besides its page tables: its struct and its kernel stack. */
#define PROCESS_KERNEL_BYTES (sizeof(struct process) + KERNEL_STACK_PAGES * PAGE_SIZE)

static struct spinlock process_list_lock = SPINLOCK_INIT;
static struct process *process_list; /* process_list_lock */
static uint64_t next_id = 1;         /* process_list_lock */

/* ---- capability table pages ---- */

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

static void destroy_table(struct process *process)
{
	struct cap_table *table = &process->caps;

	if (table->page == NULL)
		return;
	for (uint32_t i = 0; i < table->pages; i++)
		give_table_page(process, table->page[i]);
	give_table_page(process, table->page);
	table->page = NULL;
}

static enum status create_table(struct process *process)
{
	struct charge charge = { .kinds = 0 };

	charge_add(&charge, LEDGER_KERNEL_OBJECT, PAGE_SIZE);
	TRY(account_charge_and_promise(&process->account, &charge, 1));
	cap_table_init(&process->caps, take_table_page(process));
	return STATUS_OK;
}

enum status process_plan_capability(struct process *process, struct charge *charge, struct capability_plan *plan)
{
	bool grows;

	spinlock_acquire(&process->cap_lock);
	grows = !cap_table_has_free(&process->caps);
	spinlock_release(&process->cap_lock);
	GUARD(!grows || process->caps.pages < CAP_TABLE_PAGES, STATUS_OVER_CAP_SLOTS);
	plan->frames = grows ? 1 : 0;
	charge_add(charge, LEDGER_CAP_SLOTS, 1);
	charge_add(charge, LEDGER_KERNEL_OBJECT, plan->frames * PAGE_SIZE);
	return STATUS_OK;
}

handle_t process_reserve_capability(struct process *process, const struct capability_plan *plan)
{
	handle_t handle;

	spinlock_acquire(&process->cap_lock);
	if (plan->frames != 0)
		CHECK(cap_table_add_page(&process->caps, take_table_page(process)) == STATUS_OK);
	CHECK(cap_table_reserve(&process->caps, &handle) == STATUS_OK);
	spinlock_release(&process->cap_lock);
	return handle;
}

void process_publish_capability(struct process *process, handle_t handle, const struct cap_hold *hold)
{
	spinlock_acquire(&process->cap_lock);
	cap_table_publish(&process->caps, handle, hold);
	spinlock_release(&process->cap_lock);
}

enum status process_add_capability(struct process *process, const struct cap_hold *hold, handle_t *handle)
{
	struct charge charge = { .kinds = 0 };
	struct capability_plan plan;

	TRY(process_plan_capability(process, &charge, &plan));
	TRY(account_charge_and_promise(&process->account, &charge, plan.frames));
	*handle = process_reserve_capability(process, &plan);
	process_publish_capability(process, *handle, hold);
	return STATUS_OK;
}

/* What a hold of an object is charged, beside its slot. */
static struct charge charge_of_hold(const struct cap_hold *hold)
{
	struct charge charge = { .kinds = 0 };

	charge_add(&charge, LEDGER_CAP_SLOTS, 1);
	if (hold->interface == INTERFACE_MEMORY_OBJECT) {
		const struct memory_object *object = hold->object;

		charge_add(&charge, LEDGER_FRAME_GRANT, object->pages);
		charge_add(&charge, LEDGER_KERNEL_OBJECT, memory_object_kernel_bytes(object->pages, object->flags));
	}
	return charge;
}

enum status process_release_capability(struct process *process, handle_t handle)
{
	enum status status;
	struct cap_hold hold;
	struct charge refund;

	spinlock_acquire(&process->cap_lock);
	status = cap_table_remove(&process->caps, handle, &hold);
	spinlock_release(&process->cap_lock);
	TRY(status);
	refund = charge_of_hold(&hold);
	if (hold.interface == INTERFACE_MEMORY_OBJECT)
		memory_object_drop_hold(hold.object);
	account_refund(&process->account, &refund);
	return STATUS_OK;
}

void process_end_use(const struct cap_hold *hold)
{
	if (hold->interface == INTERFACE_MEMORY_OBJECT)
		memory_object_end_use(hold->object);
}

/* ---- life ---- */

static void list_add(struct process *process)
{
	spinlock_acquire(&process_list_lock);
	process->id = next_id++;
	process->next = process_list;
	process_list = process;
	spinlock_release(&process_list_lock);
}

static void list_remove(const struct process *process)
{
	struct process **link = &process_list;

	spinlock_acquire(&process_list_lock);
	while (*link != process)
		link = &(*link)->next;
	*link = process->next;
	spinlock_release(&process_list_lock);
}

/* In this order, so that what failed and all after it was not done. */
static enum status create_parts(struct process *process)
{
	TRY(account_charge_one(&process->account, LEDGER_KERNEL_OBJECT, PROCESS_KERNEL_BYTES));
	TRY(create_table(process));
	TRY(thread_create(&process->thread, process));
	return address_space_create(&process->space, &process->account, paging_root_table());
}

static void destroy_parts(struct process *process)
{
	if (process->space.root_table != NULL)
		address_space_destroy(&process->space);
	thread_destroy(&process->thread);
	destroy_table(process);
}

enum status process_create(const char *name, const uint64_t limits[LEDGER_COUNT], struct process **process)
{
	enum status status;
	void *block;

	TRY(heap_allocate(sizeof(struct process), &block));
	*process = block;
	resource_ledger_init(&(*process)->account.ledger, limits);
	(void)string_copy((*process)->name, sizeof((*process)->name), name);
	status = create_parts(*process);
	if (status != STATUS_OK) {
		destroy_parts(*process);
		heap_free(*process, sizeof(struct process));
		return status;
	}
	list_add(*process);
	return STATUS_OK;
}

static void release_all_capabilities(struct process *process)
{
	const struct cap_hold *hold;
	uint32_t index = 0;
	handle_t handle;

	while (cap_table_next(&process->caps, index, &handle, &hold) == STATUS_OK) {
		CHECK(process_release_capability(process, handle) == STATUS_OK);
		index = (handle & HANDLE_INDEX_MASK) + 1;
		interrupt_window_open();
	}
}

void process_destroy(struct process *process)
{
	struct resource_ledger left;

	list_remove(process);
	release_all_capabilities(process);
	destroy_parts(process);
	account_refund_one(&process->account, LEDGER_KERNEL_OBJECT, PROCESS_KERNEL_BYTES);
	account_read(&process->account, &left);
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		CHECK(left.of[kind].used == 0);
	heap_free(process, sizeof(struct process));
}

enum status process_at(uint64_t index, struct process **process)
{
	struct process *found;

	spinlock_acquire(&process_list_lock);
	for (found = process_list; found != NULL && index > 0; index--)
		found = found->next;
	spinlock_release(&process_list_lock);
	GUARD(found != NULL, STATUS_NOT_FOUND);
	*process = found;
	return STATUS_OK;
}

enum status process_find(uint64_t id, struct process **process)
{
	struct process *found;

	spinlock_acquire(&process_list_lock);
	for (found = process_list; found != NULL && found->id != id;)
		found = found->next;
	spinlock_release(&process_list_lock);
	GUARD(found != NULL, STATUS_NOT_FOUND);
	*process = found;
	return STATUS_OK;
}

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
	statistics->system_free_frames = frames.free;
}

/* ---- validity ---- */

static bool holds_are_valid(struct process *process, struct charge *charge)
{
	const struct cap_hold *hold;
	uint32_t index = 0;
	bool valid = true;
	handle_t handle;

	while (cap_table_next(&process->caps, index, &handle, &hold) == STATUS_OK) {
		struct charge one = charge_of_hold(hold);

		for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
			charge->amount[kind] += one.amount[kind];
		if (hold->interface == INTERFACE_MEMORY_OBJECT)
			valid = valid && memory_object_is_valid(hold->object);
		index = (handle & HANDLE_INDEX_MASK) + 1;
	}
	return valid;
}

bool process_is_valid(struct process *process)
{
	struct address_space_census census;
	struct resource_ledger ledger;
	struct charge charge = { .kinds = 0 };
	bool valid;

	address_space_count(&process->space, &census);
	spinlock_acquire(&process->cap_lock);
	valid = cap_table_is_valid(&process->caps) && holds_are_valid(process, &charge);
	charge_add(&charge, LEDGER_KERNEL_OBJECT, PROCESS_KERNEL_BYTES + (process->caps.pages + 1) * PAGE_SIZE);
	spinlock_release(&process->cap_lock);
	charge_add(&charge, LEDGER_VIRTUAL_RESERVATION, census.pages[PAGE_RESERVED] + census.pages[PAGE_ANONYMOUS]);
	charge_add(&charge, LEDGER_FRAME_GRANT, census.pages[PAGE_ANONYMOUS] + census.pages[PAGE_BORROWED]);
	charge_add(&charge, LEDGER_IMAGE, census.pages[PAGE_IMAGE] + census.pages[PAGE_BOOTSTRAP]);
	charge_add(&charge, LEDGER_PAGE_TABLE, census.tables);
	account_read(&process->account, &ledger);
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		valid = valid && ledger.of[kind].used == charge.amount[kind];
	return valid && resource_ledger_is_valid(&ledger);
}
