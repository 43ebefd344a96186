#include "kernel/debug/invariant.h"

#include <stddef.h>

#include "kernel/mem/frame.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/kernel_stack.h"
#include "kernel/mem/memory_object.h"
#include "kernel/mem/paging.h"
#include "kernel/mem/paging_check.h"
#include "kernel/task/console_wait.h"
#include "kernel/task/endpoint.h"
#include "kernel/task/process_tree.h"
#include "kernel/task/scheduler.h"
#include "lib/check.h"
#include "lib/format.h"
#include "lib/string.h"

static void check(struct inspector_check *result, bool holds, const char *name)
{
	result->checked++;
	if (holds)
		return;
	if (result->broken == 0)
		(void)string_copy(result->first_broken, sizeof(result->first_broken), name);
	result->broken++;
}

static void check_for(struct inspector_check *result, bool holds, const char *name, const struct process *process)
{
	char full[INSPECTOR_CHECK_BYTES];

	(void)format(full, sizeof(full), "%s of process %llu", name, (unsigned long long)process->id);
	check(result, holds, full);
}

/* What processes must account for: frames, by use, and what lies on the heap for them. */
struct expected {
	uint64_t of[FRAME_USE_COUNT];
	struct heap_statistics heap;
};

static void check_process(struct inspector_check *result, struct process *process, struct expected *expected)
{
	struct address_space_census census;

	expected->of[FRAME_TASK]++;
	if (process->ended) {
		check_for(result, process_is_valid(process), "record", process);
		return;
	}
	check_for(result, address_space_is_valid(&process->space, paging_root_table()), "page table", process);
	check_for(result, process_is_valid(process), "ledgers and capability table", process);
	(void)process_recount_messages(process, &expected->heap);
	address_space_count(&process->space, &census);
	expected->of[FRAME_TABLE] += census.tables;
	expected->of[FRAME_ANONYMOUS] += census.pages[PAGE_ANONYMOUS];
	expected->of[FRAME_IMAGE] += census.pages[PAGE_IMAGE];
	expected->of[FRAME_BOOTSTRAP] += census.pages[PAGE_BOOTSTRAP];
	expected->of[FRAME_CAP_TABLE] += process->caps.pages + 1;
	expected->of[FRAME_TASK] += process->threads;
	expected->of[FRAME_KERNEL] += (uint64_t)process->threads * KERNEL_STACK_PAGES;
}

/* Endpoints, memory objects and the messages of calls: nothing else lies on the heap, or something has leaked. */
static void check_heap(struct inspector_check *result, const struct memory_object_census *objects,
		       struct heap_statistics recount, const struct heap_statistics *heap)
{
	heap_recount(&recount, endpoint_count(), sizeof(struct endpoint));
	heap_recount(&recount, objects->objects, sizeof(struct memory_object));
	check(result, heap->blocks == recount.blocks, "blocks of the heap belong to an object or a message");
	check(result, heap->bytes == recount.bytes, "bytes of the heap are those of objects and messages");
}

static void check_frames(struct inspector_check *result, const struct expected *expected)
{
	uint64_t counts[FRAME_USE_COUNT];
	struct frame_statistics frames;
	struct heap_statistics heap;
	struct memory_object_census objects;
	uint64_t all = 0;

	frame_count_uses(counts);
	memory_object_count(&objects);
	frame_statistics_read(&frames);
	heap_statistics_read(&heap);
	check_heap(result, &objects, expected->heap, &heap);
	check(result, counts[FRAME_FREE] == frames.free, "free frames are counted exactly");
	check(result, counts[FRAME_HEAP] == heap.frames, "heap frames belong to the heap");
	check(result, counts[FRAME_TABLE] == expected->of[FRAME_TABLE], "page-table frames belong to a process");
	check(result, counts[FRAME_ANONYMOUS] == expected->of[FRAME_ANONYMOUS], "anonymous frames belong to a process");
	check(result, counts[FRAME_IMAGE] == expected->of[FRAME_IMAGE], "image frames belong to a process");
	check(result, counts[FRAME_BOOTSTRAP] == expected->of[FRAME_BOOTSTRAP], "bootstrap frames belong to a process");
	check(result, counts[FRAME_CAP_TABLE] == expected->of[FRAME_CAP_TABLE],
	      "capability-table frames belong to a process");
	check(result, objects.valid, "memory objects");
	check(result, counts[FRAME_OBJECT] == objects.frames, "object frames belong to a memory object");
	check(result, counts[FRAME_OBJECT_INDEX] == objects.index_frames, "index frames belong to a memory object");
	check(result, counts[FRAME_TASK] == expected->of[FRAME_TASK], "task frames belong to a process or thread");
	check(result,
	      counts[FRAME_KERNEL] == frames.kernel_at_boot + paging_table_frames() + expected->of[FRAME_KERNEL],
	      "kernel frames are those of boot, tables and stacks");
	for (uint32_t use = 0; use < FRAME_USE_COUNT; use++)
		all += counts[use];
	check(result, all == frame_table_count, "every frame has exactly one use");
}

void invariant_check_all(struct inspector_check *result)
{
	struct expected expected = { .heap = { 0 } };
	struct paging_report report;
	struct process *process;
	uint64_t index = 0;
	bool paging_holds;

	*result = (struct inspector_check){ 0 };
	check(result, frame_is_valid(), "frame allocator");
	check(result, heap_is_valid(), "kernel heap");
	paging_holds = paging_check_run(&report); /* before what it says is looked at */
	check(result, paging_holds, report.broken != NULL ? report.broken : "kernel half");
	check(result, kernel_stack_is_valid(), "kernel stacks");
	expected.of[FRAME_KERNEL] += kernel_stack_cached() * KERNEL_STACK_PAGES;
	check(result, scheduler_is_valid(), "scheduler");
	check(result, process_tree_is_valid(), "process tree");
	check(result, endpoint_all_are_valid(), "endpoints");
	check(result, console_wait_is_valid(), "waits for input");
	expected.of[FRAME_TASK] += thread_kernel_count();
	expected.of[FRAME_KERNEL] += (uint64_t)thread_kernel_count() * KERNEL_STACK_PAGES;
	while (process_tree_at(index++, &process) == STATUS_OK) {
		check_process(result, process, &expected);
		process_end_use(process);
	}
	check_frames(result, &expected);
}
