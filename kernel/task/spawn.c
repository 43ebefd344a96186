#include "kernel/task/spawn.h"

#include <stddef.h>

#include "kernel/mem/bootstrap_page.h"
#include "kernel/task/process_capability.h"
#include "kernel/task/process_thread.h"
#include "kernel/task/program_image.h"
#include "kernel/task/transfer.h"
#include "lib/check.h"
#include "lib/string.h"

_Static_assert(sizeof(((struct process_grant *)0)->name) == CAPSET_NAME_BYTES, "a grant's name fits");

/* One spawn on its way. */
struct spawning {
	const struct spawn_request *request;
	struct process *process;
	struct capset_page *capset;
	struct transfer transfer;
	struct transfer_item item[CAPSET_MAX]; /* COPY and MOVE grants, in order */

	/* what the parent pays for the handle */
	struct charge charge;
	struct capability_plan plan;
};

/* ---- the CapSet ---- */

static bool has_name(const struct capset_page *capset, const char *name)
{
	for (uint32_t i = 0; i < capset->count; i++)
		if (string_equal(capset->entry[i].name, name))
			return true;
	return false;
}

static enum status add_entry(struct capset_page *capset, const char *name, uint32_t interface,
			     struct capset_entry **entry)
{
	GUARD(capset->count < CAPSET_MAX, STATUS_TOO_LONG);
	GUARD(name[0] != 0 && string_length(name, CAPSET_NAME_BYTES) < CAPSET_NAME_BYTES, STATUS_BAD_ARGUMENT);
	GUARD(!has_name(capset, name), STATUS_BAD_ARGUMENT);
	*entry = &capset->entry[capset->count++];
	(void)string_copy((*entry)->name, CAPSET_NAME_BYTES, name);
	(*entry)->interface = interface;
	return STATUS_OK;
}

static enum status map_capset(struct spawning *spawning)
{
	void *page;

	TRY(bootstrap_page_map(&spawning->process->space, CAPSET_ADDRESS, PROTECTION_READ, &page));
	spawning->capset = page;
	spawning->capset->magic = CAPSET_MAGIC;
	spawning->capset->version = CAPSET_VERSION;
	spawning->capset->entry_bytes = sizeof(struct capset_entry);
	spawning->capset->process_id = spawning->process->id;
	return STATUS_OK;
}

/* ---- grants ---- */

static enum status grant_new(struct spawning *spawning, const char *name, struct cap_hold hold)
{
	const struct process *parent = spawning->request->parent;
	struct capset_entry *entry;

	TRY(add_entry(spawning->capset, name, hold.interface, &entry));
	return process_capability_add(spawning->process, &hold, parent == NULL ? 0 : parent->id, &entry->capability);
}

/* Authority over the child's own parts, which anyone who may make it may give it. */
static enum status grant_own(struct spawning *spawning, const struct process_grant *grant)
{
	struct process *process = spawning->process;
	struct cap_hold hold = { .mode = TRANSFER_NONE, .object = process };

	GUARD(grant->interface == INTERFACE_VIRTUAL_MEMORY || grant->interface == INTERFACE_THREAD_CONTROL ||
		      grant->interface == INTERFACE_PARK_SPACE,
	      STATUS_BAD_ARGUMENT);
	hold.interface = (uint8_t)grant->interface;
	if (hold.interface == INTERFACE_VIRTUAL_MEMORY)
		hold.object = &process->space;
	return grant_new(spawning, grant->name, hold);
}

/* COPY and MOVE: named now, moved when all else is certain. */
static enum status grant_later(struct spawning *spawning, const struct process_grant *grant)
{
	struct transfer_item *item = &spawning->item[spawning->transfer.count];
	struct capset_entry *entry;

	TRY(add_entry(spawning->capset, grant->name, INTERFACE_NONE, &entry));
	item->source = grant->capability;
	item->kind = grant->kind == PROCESS_GRANT_COPY ? TRANSFER_KIND_COPY : TRANSFER_KIND_MOVE;
	item->target = spawning->capset->count - 1; /* until prepare: the place of its entry */
	spawning->transfer.count++;
	return STATUS_OK;
}

static enum status grant_one(struct spawning *spawning, const struct process_grant *grant)
{
	GUARD(grant->unused == 0, STATUS_BAD_ARGUMENT);
	if (grant->kind == PROCESS_GRANT_OWN)
		return grant_own(spawning, grant);
	GUARD(grant->kind == PROCESS_GRANT_COPY || grant->kind == PROCESS_GRANT_MOVE, STATUS_BAD_ARGUMENT);
	GUARD(grant->interface == 0, STATUS_BAD_ARGUMENT);
	return grant_later(spawning, grant);
}

/* The child's ledgers refuse by their own names here: it is the spawner who chose them. */
static enum status grant_all(struct spawning *spawning)
{
	const struct spawn_request *request = spawning->request;
	uint32_t place[CAPSET_MAX];
	enum status status;
	uint32_t count;

	for (uint32_t i = 0; i < request->extras; i++)
		TRY(grant_new(spawning, request->extra[i].name, request->extra[i].hold));
	spawning->transfer = (struct transfer){ request->parent, spawning->process, 0, spawning->item, STATUS_OK };
	for (uint32_t i = 0; i < request->grants; i++)
		TRY(grant_one(spawning, &request->grant[i]));
	count = spawning->transfer.count;
	for (uint32_t i = 0; i < count; i++)
		place[i] = spawning->item[i].target;
	status = transfer_prepare(&spawning->transfer);
	GUARD(status != STATUS_RECEIVER_LIMIT, spawning->transfer.refusal);
	TRY(status);
	for (uint32_t i = 0; i < count; i++) {
		spawning->capset->entry[place[i]].capability = spawning->item[i].target;
		spawning->capset->entry[place[i]].interface = spawning->item[i].hold.interface;
	}
	return STATUS_OK;
}

/* ---- the parent's handle ---- */

static enum status pay_for_handle(struct spawning *spawning)
{
	struct process *parent = spawning->request->parent;
	enum status status;

	if (parent == NULL)
		return STATUS_OK;
	TRY(process_capability_plan(parent, 1, &spawning->charge, &spawning->plan));
	charge_add(&spawning->charge, LEDGER_KERNEL_OBJECT, PROCESS_KERNEL_BYTES);
	status = account_charge_and_promise(&parent->account, &spawning->charge, spawning->plan.frames);
	if (status != STATUS_OK)
		process_capability_cancel(parent, &spawning->plan);
	return status;
}

static void publish_handle(struct spawning *spawning, handle_t *handle)
{
	struct cap_hold hold = { .interface = INTERFACE_PROCESS_HANDLE, .mode = TRANSFER_NONE };

	if (spawning->request->parent == NULL)
		return;
	hold.object = spawning->process;
	process_add_hold(spawning->process);
	process_capability_reserve(spawning->request->parent, &spawning->plan, 1, handle);
	process_capability_publish(spawning->request->parent, *handle, &hold, spawning->request->parent->id);
}

/* ---- all of it ---- */

static enum status fill(struct spawning *spawning, const struct elf_plan *plan)
{
	const struct spawn_request *request = spawning->request;
	struct thread_start start;
	struct thread *thread;
	enum status status;
	uint64_t id;

	TRY(program_image_load(spawning->process, request->source, plan, request->strings, &start));
	start.priority = request->priority < THREAD_PRIORITY_DEFAULT ? request->priority : THREAD_PRIORITY_DEFAULT;
	TRY(process_thread_create(spawning->process, &start, &thread, &id));
	TRY(map_capset(spawning));
	TRY(grant_all(spawning));
	status = pay_for_handle(spawning);
	if (status != STATUS_OK)
		transfer_abort(&spawning->transfer);
	return status;
}

enum status spawn_process(const struct spawn_request *request, struct process **process, handle_t *handle,
			  uint64_t *process_id)
{
	struct process_template template = { request->name, request->parent, request->limits, request->priority };
	struct spawning spawning = { .request = request };
	struct elf_plan plan;
	struct layout layout;
	enum status status;

	GUARD(request->priority < THREAD_PRIORITIES, STATUS_BAD_ARGUMENT);
	GUARD(request->parent == NULL || request->priority <= request->parent->priority, STATUS_BAD_ARGUMENT);
	TRY(elf_plan_make_from(request->source, &plan));
	TRY(process_layout_make(&request->layout, &plan, &layout));
	TRY(process_create(&template, &spawning.process));
	spawning.process->layout = layout;
	status = fill(&spawning, &plan);
	if (status == STATUS_OK)
		transfer_commit(&spawning.transfer);
	transfer_finish(&spawning.transfer);
	if (status != STATUS_OK) {
		process_discard(spawning.process);
		return status;
	}
	publish_handle(&spawning, handle);
	*process_id = spawning.process->id;
	*process = spawning.process;
	if (request->parent == NULL)
		process_use(spawning.process);
	return STATUS_OK;
}
