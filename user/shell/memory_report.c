#include "user/shell/memory_report.h"

#include "abi/memory_layout.h"
#include "lib/memory_map.h"
#include "lib/status.h"
#include "user/runtime/print.h"
#include "user/shell/size_text.h"

static void show_totals(const struct inspector_memory *memory)
{
	print("frames total %lu free %lu stacked %lu kernel %lu heap %lu tables %lu user %lu\n", memory->total_frames,
	      memory->free_frames, memory->stacked_frames, memory->kernel_frames, memory->heap_frames,
	      memory->table_frames, memory->user_frames);
	print("memory total %s, free %s, kernel %s, user %s; %lu free blocks of 2 MiB\n",
	      size_text_of_pages(memory->total_frames).text, size_text_of_pages(memory->free_frames).text,
	      size_text_of_pages(memory->kernel_frames + memory->heap_frames + memory->table_frames).text,
	      size_text_of_pages(memory->user_frames).text, memory->free_blocks);
}

static enum status show_zones(struct shell *shell)
{
	struct inspector_zone zone;
	enum status status;

	for (uint64_t i = 0; (status = inspector_client_zone(shell->inspector, i, &zone)) == STATUS_OK; i++) {
		const char *kind =
			zone.kind < MEMORY_KIND_COUNT ? memory_kind_name((enum memory_kind)zone.kind) : "unknown";
		uint64_t pages = zone.end_frame - zone.start_frame;

		print("zone %012lx-%012lx %-20s %8lu frames (%s)\n", zone.start_frame << PAGE_SHIFT,
		      zone.end_frame << PAGE_SHIFT, kind, pages, size_text_of_pages(pages).text);
	}
	return status;
}

static enum status show_cpus(struct shell *shell)
{
	struct inspector_cpu cpu;
	enum status status;

	for (uint64_t i = 0; (status = inspector_client_cpu(shell->inspector, i, &cpu)) == STATUS_OK; i++)
		print("cpu %lu apic %u stacked %u interrupts %lu shootdowns %lu switches %lu busy %lu ms\n", i,
		      cpu.local_apic_id, cpu.stacked_frames, cpu.interrupts, cpu.shootdowns, cpu.switches,
		      cpu.busy_ns / 1000000);
	return status;
}

bool memory_report_show(struct shell *shell, const struct words *words)
{
	struct inspector_memory memory;
	enum status status = inspector_client_memory(shell->inspector, &memory);

	(void)words;
	if (status == STATUS_OK) {
		show_totals(&memory);
		status = show_zones(shell);
	}
	if (status == STATUS_NOT_FOUND)
		status = show_cpus(shell);
	if (status == STATUS_NOT_FOUND)
		return true;
	print("mem: %s\n", status_name(status));
	return false;
}
