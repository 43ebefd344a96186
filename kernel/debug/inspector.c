/* Inspector: abi/inspector_abi.h. Looks, changes nothing. */
#include "abi/inspector_abi.h"

#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/cap/call.h"
#include "kernel/debug/invariant.h"
#include "kernel/mem/boot_memory.h"
#include "kernel/mem/frame.h"
#include "kernel/mem/memory_object.h"
#include "lib/check.h"
#include "lib/string.h"

static enum status memory(struct call *call)
{
	uint64_t counts[FRAME_USE_COUNT];
	struct frame_statistics frames;
	struct inspector_memory result;

	frame_count_uses(counts);
	frame_statistics_read(&frames);
	result = (struct inspector_memory){
		.total_frames = frame_table_count - counts[FRAME_UNUSABLE],
		.free_frames = frames.free,
		.stacked_frames = frames.stacked,
		.kernel_frames = counts[FRAME_KERNEL] + counts[FRAME_PACKAGE] + counts[FRAME_CAP_TABLE] +
				 counts[FRAME_OBJECT_INDEX],
		.heap_frames = counts[FRAME_HEAP],
		.table_frames = counts[FRAME_TABLE],
		.user_frames =
			counts[FRAME_ANONYMOUS] + counts[FRAME_IMAGE] + counts[FRAME_BOOTSTRAP] + counts[FRAME_OBJECT],
		.free_blocks = frames.free_blocks,
		.cpus = cpu_online_count(),
	};
	return call_write_result(call, call->argument[0], call->argument[1], &result, sizeof(result));
}

static enum status process(struct call *call)
{
	struct inspector_process result = { 0 };
	struct memory_statistics statistics;
	struct process *found;

	TRY(process_at(call->argument[0], &found));
	process_read_statistics(found, &statistics);
	result.process_id = found->id;
	(void)string_copy(result.name, sizeof(result.name), found->name);
	result.threads = 1;
	result.frame_grant_pages = statistics.ledger[LEDGER_FRAME_GRANT].used;
	result.image_pages = statistics.ledger[LEDGER_IMAGE].used;
	result.page_table_pages = statistics.ledger[LEDGER_PAGE_TABLE].used;
	return call_write_result(call, call->argument[1], call->argument[2], &result, sizeof(result));
}

static enum status region(struct call *call)
{
	struct virtual_memory_region result;
	struct process *found;

	TRY(process_find(call->argument[0], &found));
	TRY(address_space_next_region(&found->space, call->argument[1], &result));
	return call_write_result(call, call->argument[2], call->argument[3], &result, sizeof(result));
}

static enum status capability(struct call *call)
{
	struct inspector_capability result = { 0 };
	const struct cap_hold *hold;
	struct process *found;
	enum status status;
	handle_t handle;

	TRY(process_find(call->argument[0], &found));
	GUARD(call->argument[1] <= CAP_TABLE_MAX_SLOTS, STATUS_NOT_FOUND);
	spinlock_acquire(&found->cap_lock);
	status = cap_table_next(&found->caps, (uint32_t)call->argument[1], &handle, &hold);
	if (status == STATUS_OK) {
		result.slot = handle & HANDLE_INDEX_MASK;
		result.capability = handle;
		result.interface = hold->interface;
		result.mode = hold->mode;
		result.badge = hold->badge;
		if (hold->interface == INTERFACE_MEMORY_OBJECT)
			result.pages = ((const struct memory_object *)hold->object)->pages;
	}
	spinlock_release(&found->cap_lock);
	TRY(status);
	return call_write_result(call, call->argument[2], call->argument[3], &result, sizeof(result));
}

static enum status ledger(struct call *call)
{
	struct memory_statistics result;
	struct process *found;

	TRY(process_find(call->argument[0], &found));
	process_read_statistics(found, &result);
	return call_write_result(call, call->argument[1], call->argument[2], &result, sizeof(result));
}

static enum status ring(struct call *call)
{
	struct inspector_ring result = { 0 };
	const struct thread *thread;
	struct process *found;

	TRY(process_find(call->argument[0], &found));
	thread = &found->thread;
	result.sq_head = (uint32_t)thread->ring_state.sq_head;
	result.sq_tail = ring_load_acquire(&thread->ring->header.sq_tail);
	result.cq_head = ring_load_acquire(&thread->ring->header.cq_head);
	result.cq_tail = (uint32_t)thread->ring_state.cq_tail;
	result.submissions = thread->ring_state.sq_head;
	result.completions = thread->ring_state.cq_tail;
	result.refused = thread->refused;
	return call_write_result(call, call->argument[1], call->argument[2], &result, sizeof(result));
}

static enum status check(struct call *call)
{
	struct inspector_check result;

	invariant_check_all(&result);
	return call_write_result(call, call->argument[0], call->argument[1], &result, sizeof(result));
}

static enum status zone(struct call *call)
{
	const struct memory_map *map = boot_memory_map();
	struct inspector_zone result = { 0 };

	GUARD(call->argument[0] < map->count, STATUS_NOT_FOUND);
	result.start_frame = frame_to_u64(map->entry[call->argument[0]].frames.start);
	result.end_frame = frame_to_u64(map->entry[call->argument[0]].frames.end);
	result.kind = map->entry[call->argument[0]].kind;
	return call_write_result(call, call->argument[1], call->argument[2], &result, sizeof(result));
}

static enum status cpu(struct call *call)
{
	struct inspector_cpu result = { 0 };
	const struct cpu *found;

	GUARD(call->argument[0] < cpu_online_count(), STATUS_NOT_FOUND);
	found = cpu_at((uint32_t)call->argument[0]);
	result.local_apic_id = found->local_apic_id;
	result.stacked_frames = frame_stack_depth(found->index);
	result.interrupts = found->interrupts;
	result.shootdowns = found->shootdowns;
	return call_write_result(call, call->argument[1], call->argument[2], &result, sizeof(result));
}

static call_handler_t *const handlers[] = {
	[INSPECTOR_MEMORY] = memory,         [INSPECTOR_PROCESS] = process, [INSPECTOR_REGION] = region,
	[INSPECTOR_CAPABILITY] = capability, [INSPECTOR_LEDGER] = ledger,   [INSPECTOR_RING] = ring,
	[INSPECTOR_CHECK] = check,           [INSPECTOR_ZONE] = zone,       [INSPECTOR_CPU] = cpu,
};

_Static_assert(COUNT_OF(handlers) == INSPECTOR_OPERATION_COUNT, "a handler for each operation");

const struct call_table inspector_calls = { handlers, COUNT_OF(handlers) };
