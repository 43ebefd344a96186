#include "user/shell/inspect.h"

#include "abi/interface.h"
#include "abi/memory_layout.h"
#include "lib/check.h"
#include "lib/ledger.h"
#include "lib/status.h"
#include "lib/string.h"
#include "user/runtime/print.h"
#include "user/runtime/program.h"
#include "user/shell/size_text.h"

static bool refuse(const char *command, enum status status)
{
	print("%s: %s\n", command, status_name(status));
	return false;
}

/* The process that the command names, or the shell; says so if there is none. */
static bool find_process(struct shell *shell, const struct words *words, uint64_t *process_id)
{
	struct inspector_process process;
	enum status status;

	*process_id = program_process_id();
	if (words->count > 1 && !words_number(words->word[1], process_id)) {
		print("%s: PID is a number, not %s\n", words->word[0], words->word[1]);
		return false;
	}
	for (uint64_t i = 0; (status = inspector_client_process(shell->inspector, i, &process)) == STATUS_OK; i++) {
		if (process.process_id == *process_id)
			return true;
	}
	if (status != STATUS_NOT_FOUND)
		return refuse(words->word[0], status);
	print("%s: no process %lu; `ps` lists them\n", words->word[0], *process_id);
	return false;
}

bool inspect_ps(struct shell *shell, const struct words *words)
{
	struct inspector_process process;
	enum status status;

	print("%6s %-20s %7s %12s %10s %10s\n", "PID", "NAME", "THREADS", "FRAME GRANT", "IMAGE", "TABLES");
	for (uint64_t i = 0; (status = inspector_client_process(shell->inspector, i, &process)) == STATUS_OK; i++)
		print("%6lu %-20.*s %7lu %12lu %10lu %10lu\n", process.process_id, (int)sizeof(process.name),
		      process.name, process.threads, process.frame_grant_pages, process.image_pages,
		      process.page_table_pages);
	return status == STATUS_NOT_FOUND ? true : refuse(words->word[0], status);
}

static const char *page_kind_text(uint32_t kind)
{
	static const char *const text[PAGE_KIND_COUNT] = {
		[PAGE_EMPTY] = "empty",     [PAGE_RESERVED] = "reserved", [PAGE_ANONYMOUS] = "anonymous",
		[PAGE_BORROWED] = "object", [PAGE_IMAGE] = "image",       [PAGE_BOOTSTRAP] = "bootstrap",
		[PAGE_GUARD] = "guard",     [PAGE_LAZY] = "lazy",
	};

	return kind < PAGE_KIND_COUNT ? text[kind] : "unknown";
}

static void show_region(const struct virtual_memory_region *region)
{
	uint64_t pages = (region->end - region->start) >> PAGE_SHIFT;

	print("%016lx-%016lx %c%c%c %-10s %10lu pages (%s)\n", region->start, region->end,
	      (region->protection & PROTECTION_READ) != 0 ? 'r' : '-',
	      (region->protection & PROTECTION_WRITE) != 0 ? 'w' : '-',
	      (region->protection & PROTECTION_EXECUTE) != 0 ? 'x' : '-', page_kind_text(region->kind), pages,
	      size_text_of_pages(pages).text);
}

bool inspect_maps(struct shell *shell, const struct words *words)
{
	struct virtual_memory_region region;
	uint64_t process_id, address = 0;
	enum status status;

	if (!find_process(shell, words, &process_id))
		return false;
	while ((status = inspector_client_region(shell->inspector, process_id, address, &region)) == STATUS_OK) {
		show_region(&region);
		address = region.end;
	}
	return status == STATUS_NOT_FOUND ? true : refuse(words->word[0], status);
}

static const char *interface_text(uint32_t interface)
{
	static const char *const text[INTERFACE_COUNT] = {
		[INTERFACE_NONE] = "none",
		[INTERFACE_FRAME_ALLOCATOR] = "FrameAllocator",
		[INTERFACE_VIRTUAL_MEMORY] = "VirtualMemory",
		[INTERFACE_MEMORY_OBJECT] = "MemoryObject",
		[INTERFACE_CONSOLE] = "Console",
		[INTERFACE_TIMER] = "Timer",
		[INTERFACE_BOOT_PACKAGE] = "BootPackage",
		[INTERFACE_INSPECTOR] = "Inspector",
		[INTERFACE_SYSTEM_CONTROL] = "SystemControl",
	};

	return interface < INTERFACE_COUNT ? text[interface] : "unknown";
}

bool inspect_caps(struct shell *shell, const struct words *words)
{
	static const char *const mode[] = { "bound", "copy", "move" };
	struct inspector_capability capability;
	uint64_t process_id, slot = 0;
	enum status status;

	if (!find_process(shell, words, &process_id))
		return false;
	print("%5s %-10s %-16s %-8s %10s %10s\n", "SLOT", "ID", "INTERFACE", "TRANSFER", "BADGE", "PAGES");
	while ((status = inspector_client_capability(shell->inspector, process_id, slot, &capability)) == STATUS_OK) {
		print("%5u 0x%08x %-16s %-8s %10lu %10lu\n", capability.slot, capability.capability,
		      interface_text(capability.interface),
		      capability.mode < COUNT_OF(mode) ? mode[capability.mode] : "unknown", capability.badge,
		      capability.pages);
		slot = (uint64_t)capability.slot + 1;
	}
	return status == STATUS_NOT_FOUND ? true : refuse(words->word[0], status);
}

bool inspect_ledger(struct shell *shell, const struct words *words)
{
	struct memory_statistics statistics;
	uint64_t process_id;

	if (!find_process(shell, words, &process_id))
		return false;
	enum status status = inspector_client_ledger(shell->inspector, process_id, &statistics);

	if (status != STATUS_OK)
		return refuse(words->word[0], status);
	for (uint32_t i = 0; i < LEDGER_COUNT; i++) {
		const struct ledger_reading *reading = &statistics.ledger[i];

		print("%-26s used %lu limit %lu peak %lu", ledger_name((enum ledger_kind)i), reading->used,
		      reading->limit, reading->peak);
		if (i == LEDGER_KERNEL_OBJECT)
			print(" (%s)\n", size_text_of_bytes(reading->used).text);
		else if (i == LEDGER_CAP_SLOTS)
			print("\n");
		else
			print(" (%s)\n", size_text_of_pages(reading->used).text);
	}
	print("machine: %lu frames, %lu free (%s)\n", statistics.system_frames, statistics.system_free_frames,
	      size_text_of_pages(statistics.system_free_frames).text);
	return true;
}

bool inspect_ring(struct shell *shell, const struct words *words)
{
	struct inspector_ring ring;
	uint64_t process_id;

	if (!find_process(shell, words, &process_id))
		return false;
	enum status status = inspector_client_ring(shell->inspector, process_id, &ring);

	if (status != STATUS_OK)
		return refuse(words->word[0], status);
	print("submissions: head %u tail %u, %u waiting; %lu taken\n", ring.sq_head, ring.sq_tail,
	      ring.sq_tail - ring.sq_head, ring.submissions);
	print("completions: head %u tail %u, %u waiting; %lu given, %lu of them refusals\n", ring.cq_head, ring.cq_tail,
	      ring.cq_tail - ring.cq_head, ring.completions, ring.refused);
	return true;
}

bool inspect_check(struct shell *shell, const struct words *words)
{
	struct inspector_check check;
	enum status status = inspector_client_check(shell->inspector, &check);

	if (status != STATUS_OK)
		return refuse(words->word[0], status);
	print("check: %lu invariants, %lu broken", check.checked, check.broken);
	if (check.broken > 0)
		print(": %.*s", (int)sizeof(check.first_broken), check.first_broken);
	print("\n");
	return check.broken == 0;
}
