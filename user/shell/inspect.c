#include "user/shell/inspect.h"

#include "abi/memory_layout.h"
#include "abi/process_abi.h"
#include "lib/check.h"
#include "lib/layout_pieces.h"
#include "lib/ledger.h"
#include "lib/status.h"
#include "lib/string.h"
#include "user/runtime/print.h"
#include "user/runtime/program.h"
#include "user/shell/interface_text.h"
#include "user/shell/size_text.h"
#include "user/shell/variable.h"

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

const char *inspect_thread_state(uint32_t state)
{
	switch ((enum inspector_thread_state)state) {
	case INSPECTOR_THREAD_READY:
		return "ready";
	case INSPECTOR_THREAD_RUNNING:
		return "running";
	case INSPECTOR_THREAD_BLOCKED:
		return "blocked";
	case INSPECTOR_THREAD_FAULTED:
		return "faulted";
	}
	return "unknown";
}

/* The most active of its threads says what a process does. */
static const char *process_state_text(struct shell *shell, const struct inspector_process *process)
{
	bool is_ready = false, is_faulted = false;
	struct inspector_thread thread;

	if (process->ended != 0)
		return "ended";
	for (uint64_t i = 0; inspector_client_thread(shell->inspector, process->process_id, i, &thread) == STATUS_OK;
	     i++) {
		if (thread.state == INSPECTOR_THREAD_RUNNING)
			return "running";
		is_ready |= thread.state == INSPECTOR_THREAD_READY;
		is_faulted |= thread.state == INSPECTOR_THREAD_FAULTED;
	}
	if (is_ready)
		return "ready";
	return is_faulted ? "faulted" : "blocked";
}

bool inspect_ps(struct shell *shell, const struct words *words)
{
	struct inspector_process process;
	enum status status;

	print("%6s %6s %-20s %-8s %7s %10s %8s %8s %8s\n", "PID", "PARENT", "NAME", "STATE", "THREADS", "CPU ms",
	      "FRAMES", "IMAGE", "TABLES");
	for (uint64_t i = 0; (status = inspector_client_process(shell->inspector, i, &process)) == STATUS_OK; i++)
		print("%6lu %6lu %-20.*s %-8s %7u %10lu %8lu %8lu %8lu\n", process.process_id, process.parent_id,
		      (int)sizeof(process.name), process.name, process_state_text(shell, &process), process.threads,
		      process.run_ns / 1000000, process.frame_grant_pages, process.image_pages,
		      process.page_table_pages);
	return status == STATUS_NOT_FOUND ? true : refuse(words->word[0], status);
}

bool inspect_threads(struct shell *shell, const struct words *words)
{
	struct inspector_thread thread;
	uint64_t process_id;
	enum status status;

	if (!find_process(shell, words, &process_id))
		return false;
	print("%6s %-8s %4s %8s %10s %10s %5s\n", "THREAD", "STATE", "CPU", "PRIORITY", "CPU ms", "SWITCHES", "OPEN");
	for (uint64_t i = 0; (status = inspector_client_thread(shell->inspector, process_id, i, &thread)) == STATUS_OK;
	     i++)
		print("%6lu %-8s %4u %8u %10lu %10lu %5u\n", thread.thread_id, inspect_thread_state(thread.state),
		      thread.cpu, thread.priority, thread.run_ns / 1000000, thread.switches, thread.open_operations);
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

static struct uaddr_range range_of(struct inspector_range range)
{
	return uaddr_range_make(range.start, range.end);
}

/* As lib/layout made it. */
static struct layout layout_of(const struct inspector_layout *found, const struct layout_profile *profile)
{
	return (struct layout){
		.kind = (enum layout_kind)(found->kind - PROCESS_LAYOUT_CLASSIC),
		.mmap_direction = found->maps_upward != 0 ? LAYOUT_UPWARD : LAYOUT_DOWNWARD,
		.page_size = profile->page_size,
		.task_size = profile->task_size,
		.gap = found->gap,
		.hole = range_of(found->hole),
		.window = range_of(found->window),
		.image = range_of(found->image),
		.heap = range_of(found->heap),
		.mmap = range_of(found->map),
		.guard = range_of(found->guard),
		.stack = range_of(found->stack),
	};
}

/* In the words of the host's capos-layout. */
static void show_layout(const struct layout_profile *profile, const struct layout *layout)
{
	struct layout_pieces pieces;

	layout_pieces_of(profile, layout, &pieces);
	print("%s, %s: mmap_base 0x%lx, mappings go %s\n", profile->name, layout_kind_name(layout->kind),
	      layout_mmap_base(layout), layout->mmap_direction == LAYOUT_UPWARD ? "up" : "down");
	for (uint32_t i = 0; i < pieces.count; i++) {
		const struct layout_piece *piece = &pieces.piece[i];

		print("0x%012lx - 0x%012lx %10s  %-16s%s\n", piece->start, piece->end,
		      size_text_of_bytes(piece->end - piece->start).text, layout_pieces_name(piece),
		      layout_pieces_remark(layout, piece));
	}
}

static void show_range(const char *name, struct uaddr_range range)
{
	print("%s 0x%lx 0x%lx\n", name, uaddr_to_u64(range.start), uaddr_to_u64(range.end));
}

/* As `capos-layout --values` says it, and its --from reads it. */
static void show_layout_values(const struct layout_profile *profile, const struct layout *layout)
{
	print("profile %s\nkind %s\n", profile->name, layout_kind_name(layout->kind));
	show_range("hole", layout->hole);
	show_range("window", layout->window);
	show_range("image", layout->image);
	show_range("heap", layout->heap);
	show_range("mmap", layout->mmap);
	show_range("guard", layout->guard);
	show_range("stack", layout->stack);
	print("mmap_base 0x%lx\ndirection %s\n", layout_mmap_base(layout),
	      layout->mmap_direction == LAYOUT_UPWARD ? "up" : "down");
	print("gap 0x%lx\npage_size 0x%lx\ntask_size 0x%lx\n", layout->gap, layout->page_size, layout->task_size);
}

bool inspect_layout(struct shell *shell, const struct words *words)
{
	const struct layout_profile *profile = layout_profile_of(LAYOUT_AMD64);
	struct inspector_layout found;
	uint64_t process_id;

	if (!find_process(shell, words, &process_id))
		return false;
	if (words->count > 2 && !string_equal(words->word[2], "values")) {
		print("layout: `values` or nothing behind the PID, not %s\n", words->word[2]);
		return false;
	}
	enum status status = inspector_client_layout(shell->inspector, process_id, &found);

	if (status != STATUS_OK)
		return refuse(words->word[0], status);
	const struct layout layout = layout_of(&found, profile);

	if (words->count > 2)
		show_layout_values(profile, &layout);
	else
		show_layout(profile, &layout);
	return true;
}

static void show_capability(const struct inspector_capability *capability, bool is_own)
{
	static const char *const mode[] = { "bound", "copy", "move" };

	print("%5u 0x%08x %-16s %-8s %10lu %7lu %6lu %5u %5lu %s%s%s\n", capability->slot, capability->capability,
	      interface_text_name(capability->interface),
	      capability->mode < COUNT_OF(mode) ? mode[capability->mode] : "unknown", capability->badge,
	      capability->pages, capability->object, capability->holds, capability->origin,
	      (capability->flags & INSPECTOR_CAPABILITY_READ_ONLY) != 0 ? "read-only " : "",
	      (capability->flags & INSPECTOR_CAPABILITY_PART) != 0 ? "part " : "",
	      is_own ? variable_name(capability->capability) : "");
}

bool inspect_caps(struct shell *shell, const struct words *words)
{
	struct inspector_capability capability;
	uint64_t process_id, slot = 0;
	enum status status;

	if (!find_process(shell, words, &process_id))
		return false;
	print("%5s %-10s %-16s %-8s %10s %7s %6s %5s %5s\n", "SLOT", "ID", "INTERFACE", "TRANSFER", "BADGE", "PAGES",
	      "OBJECT", "HOLDS", "FROM");
	while ((status = inspector_client_capability(shell->inspector, process_id, slot, &capability)) == STATUS_OK) {
		show_capability(&capability, process_id == program_process_id());
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
	uint64_t process_id, thread;
	enum status status;

	if (!find_process(shell, words, &process_id))
		return false;
	for (thread = 0; (status = inspector_client_ring(shell->inspector, process_id, thread, &ring)) == STATUS_OK;
	     thread++) {
		print("thread %lu of the live ones\n", thread);
		print("submissions: head %u tail %u, %u waiting; %lu taken\n", ring.sq_head, ring.sq_tail,
		      ring.sq_tail - ring.sq_head, ring.submissions);
		print("completions: head %u tail %u, %u waiting; %lu given, %lu of them refusals\n", ring.cq_head,
		      ring.cq_tail, ring.cq_tail - ring.cq_head, ring.completions, ring.refused);
	}
	return status == STATUS_NOT_FOUND ? true : refuse(words->word[0], status);
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
