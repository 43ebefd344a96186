/* Inspector: abi/inspector_abi.h. Looks, changes nothing. */
#include "abi/inspector_abi.h"

#include "kernel/arch/x86_64/clock.h"
#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/cap/call.h"
#include "kernel/debug/invariant.h"
#include "kernel/mem/boot_memory.h"
#include "kernel/mem/frame.h"
#include "kernel/mem/kernel_stack.h"
#include "kernel/mem/memory_object.h"
#include "kernel/task/hold.h"
#include "kernel/task/process_layout.h"
#include "kernel/task/process_thread.h"
#include "kernel/task/process_tree.h"
#include "kernel/task/scheduler.h"
#include "kernel/task/world.h"
#include "lib/check.h"
#include "lib/string.h"

static enum status memory(struct call *call)
{
	uint64_t cached = kernel_stack_cached() * KERNEL_STACK_PAGES; /* ready to be given out, so as good as free */
	uint64_t counts[FRAME_USE_COUNT];
	struct frame_statistics frames;
	struct inspector_memory result;

	frame_count_uses(counts);
	frame_statistics_read(&frames);
	result = (struct inspector_memory){
		.total_frames = frame_table_count - counts[FRAME_UNUSABLE],
		.free_frames = frames.free + cached,
		.stacked_frames = frames.stacked,
		.kernel_frames = counts[FRAME_KERNEL] + counts[FRAME_PACKAGE] + counts[FRAME_CAP_TABLE] +
				 counts[FRAME_OBJECT_INDEX] + counts[FRAME_TASK] - cached,
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

	TRY(process_tree_at(call->argument[0], &found));
	process_read_statistics(found, &statistics);
	result.process_id = found->id;
	result.parent_id = process_tree_parent_id(found);
	(void)string_copy(result.name, sizeof(result.name), found->name);
	spinlock_acquire(&found->lock);
	result.threads = found->live;
	result.ended = found->ended;
	spinlock_release(&found->lock);
	result.run_ns = process_run_ns(found);
	result.frame_grant_pages = statistics.ledger[LEDGER_FRAME_GRANT].used;
	result.image_pages = statistics.ledger[LEDGER_IMAGE].used;
	result.page_table_pages = statistics.ledger[LEDGER_PAGE_TABLE].used;
	process_end_use(found);
	return call_write_result(call, call->argument[1], call->argument[2], &result, sizeof(result));
}

/*
 * A process whose storage is there, and stays: all others are held at a point where none is taken apart. The caller
 * starts them again. NOT_FOUND: nothing is held then.
 */
static enum status hold_process(uint64_t id, struct process **process)
{
	enum status status;

	world_stop();
	status = process_tree_find(id, process);
	if (status == STATUS_OK && (*process)->ended) {
		process_end_use(*process);
		status = STATUS_NOT_FOUND;
	}
	if (status != STATUS_OK)
		world_start();
	return status;
}

static void let_process_go(struct process *process)
{
	process_end_use(process);
	world_start();
}

static enum status region(struct call *call)
{
	struct virtual_memory_region result;
	struct process *found;
	enum status status;

	TRY(hold_process(call->argument[0], &found));
	status = address_space_next_region(&found->space, call->argument[1], &result);
	let_process_go(found);
	TRY(status);
	return call_write_result(call, call->argument[2], call->argument[3], &result, sizeof(result));
}

static struct inspector_range range_of(struct uaddr_range range)
{
	return (struct inspector_range){ uaddr_to_u64(range.start), uaddr_to_u64(range.end) };
}

static enum status layout(struct call *call)
{
	struct inspector_layout result;
	struct process *found;

	TRY(hold_process(call->argument[0], &found));
	result = (struct inspector_layout){
		.kind = process_layout_kind(&found->layout),
		.maps_upward = found->layout.mmap_direction == LAYOUT_UPWARD,
		.gap = found->layout.gap,
		.hole = range_of(found->layout.hole),
		.window = range_of(found->layout.window),
		.image = range_of(found->layout.image),
		.heap = range_of(found->layout.heap),
		.map = range_of(found->layout.mmap),
		.guard = range_of(found->layout.guard),
		.stack = range_of(found->layout.stack),
	};
	let_process_go(found);
	return call_write_result(call, call->argument[1], call->argument[2], &result, sizeof(result));
}

static void describe_capability(const struct cap_hold *hold, handle_t handle, struct inspector_capability *result)
{
	result->slot = handle & HANDLE_INDEX_MASK;
	result->capability = handle;
	result->interface = hold->interface;
	result->mode = hold->mode;
	result->object = hold_object_number(hold);
	result->holds = hold_count(hold);
	result->origin = cap_hold_origin(hold);
	if (hold->interface != INTERFACE_MEMORY_OBJECT) {
		result->badge = hold->badge;
		return;
	}
	result->pages = memory_object_window(hold).pages;
	if (memory_object_window(hold).is_read_only)
		result->flags |= INSPECTOR_CAPABILITY_READ_ONLY;
	if (result->pages != ((const struct memory_object *)hold->object)->pages)
		result->flags |= INSPECTOR_CAPABILITY_PART;
}

static enum status capability(struct call *call)
{
	struct inspector_capability result = { 0 };
	const struct cap_hold *hold;
	struct process *found;
	enum status status;
	handle_t handle;

	GUARD(call->argument[1] <= CAP_TABLE_MAX_SLOTS, STATUS_NOT_FOUND);
	TRY(hold_process(call->argument[0], &found));
	status = cap_table_next(&found->caps, (uint32_t)call->argument[1], &handle, &hold);
	if (status == STATUS_OK)
		describe_capability(hold, handle, &result);
	let_process_go(found);
	TRY(status);
	return call_write_result(call, call->argument[2], call->argument[3], &result, sizeof(result));
}

static enum status ledger(struct call *call)
{
	struct memory_statistics result;
	struct process *found;

	TRY(process_tree_find(call->argument[0], &found));
	process_read_statistics(found, &result);
	process_end_use(found);
	return call_write_result(call, call->argument[1], call->argument[2], &result, sizeof(result));
}

/* The `index`th live thread: NOT_FOUND. The process is held. */
static enum status thread_at(struct process *process, uint64_t index, const struct thread **thread)
{
	for (uint32_t i = 0; i < THREAD_MAX; i++) {
		*thread = process->slot[i].thread;
		if (*thread != NULL && index-- == 0)
			return STATUS_OK;
	}
	return STATUS_NOT_FOUND;
}

static enum status ring(struct call *call)
{
	struct inspector_ring result = { 0 };
	const struct thread *thread;
	struct process *found;
	enum status status;

	TRY(hold_process(call->argument[0], &found));
	status = thread_at(found, call->argument[1], &thread);
	if (status == STATUS_OK) {
		result.sq_head = (uint32_t)thread->ring_state.sq_head;
		result.sq_tail = ring_load_acquire(&thread->ring->header.sq_tail);
		result.cq_head = ring_load_acquire(&thread->ring->header.cq_head);
		result.cq_tail = (uint32_t)thread->ring_state.cq_tail;
		result.submissions = thread->ring_state.sq_head;
		result.completions = thread->ring_state.cq_tail;
		result.refused = thread->refused;
	}
	let_process_go(found);
	TRY(status);
	return call_write_result(call, call->argument[2], call->argument[3], &result, sizeof(result));
}

/* One that stands faulted is woken for other reasons, too, and sleeps again. */
static enum inspector_thread_state state_of(const struct thread *thread)
{
	if (thread->fault_state != THREAD_FAULT_NONE)
		return INSPECTOR_THREAD_FAULTED;
	switch (thread->state) {
	case THREAD_READY:
		return INSPECTOR_THREAD_READY;
	case THREAD_RUNNING:
		return INSPECTOR_THREAD_RUNNING;
	case THREAD_BLOCKED:
	case THREAD_DEAD:
		break;
	}
	return INSPECTOR_THREAD_BLOCKED;
}

static enum status thread(struct call *call)
{
	struct inspector_thread result = { 0 };
	uint64_t now = clock_now_ns();
	const struct thread *found_thread;
	struct process *found;
	enum status status;

	TRY(hold_process(call->argument[0], &found));
	status = thread_at(found, call->argument[1], &found_thread);
	if (status == STATUS_OK)
		result = (struct inspector_thread){
			.thread_id = process_thread_id(found, found_thread),
			.state = state_of(found_thread),
			.cpu = found_thread->cpu,
			.priority = found_thread->priority,
			.open_operations = found_thread->open_count,
			.run_ns = run_time_read(&found_thread->run_time, now),
			.switches = found_thread->switches,
		};
	let_process_go(found);
	TRY(status);
	return call_write_result(call, call->argument[2], call->argument[3], &result, sizeof(result));
}

static enum status check(struct call *call)
{
	struct inspector_check result;

	world_stop();
	invariant_check_all(&result);
	world_start();
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
	struct scheduler_statistics scheduler;
	struct inspector_cpu result = { 0 };
	const struct cpu *found;

	GUARD(call->argument[0] < cpu_online_count(), STATUS_NOT_FOUND);
	found = cpu_at((uint32_t)call->argument[0]);
	result.local_apic_id = found->local_apic_id;
	result.stacked_frames = frame_stack_depth(found->index);
	result.interrupts = found->interrupts;
	result.shootdowns = found->shootdowns;
	scheduler_read(found->index, &scheduler);
	result.switches = scheduler.switches;
	result.busy_ns = scheduler.busy_ns;
	return call_write_result(call, call->argument[1], call->argument[2], &result, sizeof(result));
}

static call_handler_t *const handlers[] = {
	[INSPECTOR_MEMORY] = memory,         [INSPECTOR_PROCESS] = process, [INSPECTOR_REGION] = region,
	[INSPECTOR_CAPABILITY] = capability, [INSPECTOR_LEDGER] = ledger,   [INSPECTOR_RING] = ring,
	[INSPECTOR_CHECK] = check,           [INSPECTOR_ZONE] = zone,       [INSPECTOR_CPU] = cpu,
	[INSPECTOR_THREAD] = thread,         [INSPECTOR_LAYOUT] = layout,
};

_Static_assert(COUNT_OF(handlers) == INSPECTOR_OPERATION_COUNT, "a handler for each operation");

const struct call_table inspector_calls = { handlers, COUNT_OF(handlers) };
