#include "user/shell/tree_report.h"

#include "abi/interface.h"
#include "lib/status.h"
#include "user/runtime/print.h"
#include "user/shell/interface_text.h"
#include "user/shell/size_text.h"

#define PROCESSES_MAX 64u
#define EDGES_MAX 512u

/* A hold of an object that others may hold, too. */
struct edge {
	uint32_t process; /* index */
	bool is_shown;
	struct inspector_capability capability;
};

/* Read once, printed then: while it is read, the system goes on. */
static struct {
	uint32_t processes, edges;
	bool is_cut; /* there was more than fits */
	struct inspector_process process[PROCESSES_MAX];
	struct edge edge[EDGES_MAX];
} tree;

static enum status read_processes(struct shell *shell)
{
	struct inspector_process process;
	enum status status;

	tree.processes = 0;
	tree.edges = 0;
	tree.is_cut = false;
	for (uint64_t i = 0; (status = inspector_client_process(shell->inspector, i, &process)) == STATUS_OK; i++) {
		if (tree.processes == PROCESSES_MAX) {
			tree.is_cut = true;
			return STATUS_OK;
		}
		tree.process[tree.processes++] = process;
	}
	return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static void add_edge(uint32_t process, const struct inspector_capability *capability)
{
	if (tree.edges == EDGES_MAX) {
		tree.is_cut = true;
		return;
	}
	tree.edge[tree.edges++] = (struct edge){ .process = process, .capability = *capability };
}

static bool is_root(uint32_t index)
{
	for (uint32_t i = 0; i < tree.processes; i++) {
		if (i != index && tree.process[i].process_id == tree.process[index].parent_id)
			return false;
	}
	return true;
}

/* One line, and in it the interfaces without objects; the others become edges. */
static void show_holds(struct shell *shell, uint32_t index, uint32_t depth)
{
	struct inspector_capability capability;
	uint64_t slot = 0;

	print("%*s  holds", (int)(2 * depth), "");
	while (inspector_client_capability(shell->inspector, tree.process[index].process_id, slot, &capability) ==
	       STATUS_OK) {
		if (capability.object != 0) {
			print(" %s#%lu", interface_text_name(capability.interface), capability.object);
			add_edge(index, &capability);
		} else {
			print(" %s", interface_text_name(capability.interface));
		}
		slot = (uint64_t)capability.slot + 1;
	}
	print("\n");
}

static void show_reading(const char *name, const struct ledger_reading *reading)
{
	print(" %s %lu/%lu", name, reading->used, reading->limit);
}

static void show_process(struct shell *shell, uint32_t index, uint32_t depth)
{
	const struct inspector_process *process = &tree.process[index];
	struct memory_statistics statistics;

	print("%*s%lu %.*s", (int)(2 * depth), "", process->process_id, (int)sizeof(process->name), process->name);
	if (process->ended != 0) {
		print(" (ended)\n");
		return;
	}
	if (inspector_client_ledger(shell->inspector, process->process_id, &statistics) != STATUS_OK) {
		print(" (gone)\n");
		return;
	}
	print(":");
	show_reading("frames", &statistics.ledger[LEDGER_FRAME_GRANT]);
	show_reading("image", &statistics.ledger[LEDGER_IMAGE]);
	show_reading("tables", &statistics.ledger[LEDGER_PAGE_TABLE]);
	show_reading("reserved", &statistics.ledger[LEDGER_VIRTUAL_RESERVATION]);
	show_reading("slots", &statistics.ledger[LEDGER_CAP_SLOTS]);
	show_reading("kernel bytes", &statistics.ledger[LEDGER_KERNEL_OBJECT]);
	print("\n");
	show_holds(shell, index, depth);
}

/* Depth first; a process is put on the stack once, by its parent or as a root. */
static void show_processes(struct shell *shell)
{
	struct {
		uint32_t index, depth;
	} stack[PROCESSES_MAX];
	uint32_t waiting = 0;

	for (uint32_t i = tree.processes; i-- > 0;) {
		if (!is_root(i))
			continue;
		stack[waiting].index = i;
		stack[waiting++].depth = 0;
	}
	while (waiting > 0) {
		const uint32_t index = stack[--waiting].index, depth = stack[waiting].depth;

		show_process(shell, index, depth);
		for (uint32_t i = tree.processes; i-- > 0;) {
			if (i == index || tree.process[i].parent_id != tree.process[index].process_id)
				continue;
			stack[waiting].index = i;
			stack[waiting++].depth = depth + 1;
		}
	}
}

static void show_holder(const struct edge *edge)
{
	const struct inspector_process *process = &tree.process[edge->process];

	print(" %.*s(%lu)", (int)sizeof(process->name), process->name, process->process_id);
	if (edge->capability.origin != process->process_id)
		print(" from %lu", edge->capability.origin);
	if (edge->capability.interface == INTERFACE_ENDPOINT_CLIENT)
		print(" client");
	if ((edge->capability.flags & INSPECTOR_CAPABILITY_READ_ONLY) != 0)
		print(" read-only");
	if ((edge->capability.flags & INSPECTOR_CAPABILITY_PART) != 0)
		print(" part");
	if (edge->capability.badge != 0)
		print(" badge %lu", edge->capability.badge);
}

/* Each kind counts its objects by itself; an endpoint has two kinds of holds. */
static bool is_same_object(const struct inspector_capability *one, const struct inspector_capability *other)
{
	const bool are_endpoints =
		(one->interface == INTERFACE_ENDPOINT || one->interface == INTERFACE_ENDPOINT_CLIENT) &&
		(other->interface == INTERFACE_ENDPOINT || other->interface == INTERFACE_ENDPOINT_CLIENT);

	return one->object == other->object && (one->interface == other->interface || are_endpoints);
}

/* The object of the first edge that was not shown, with all that hold it. */
static void show_object(uint32_t first)
{
	const struct inspector_capability *object = &tree.edge[first].capability;
	const char *separator = "";

	print("%s#%lu", interface_text_name(object->interface), object->object);
	if (object->pages != 0)
		print(", %s", size_text_of_pages(object->pages).text);
	print(", %u holds:", object->holds);
	for (uint32_t i = first; i < tree.edges; i++) {
		if (!is_same_object(&tree.edge[i].capability, object))
			continue;
		print("%s", separator);
		show_holder(&tree.edge[i]);
		separator = ",";
		tree.edge[i].is_shown = true;
	}
	print("\n");
}

bool tree_report_show(struct shell *shell, const struct words *words)
{
	enum status status = read_processes(shell);

	(void)words;
	if (status != STATUS_OK) {
		print("tree: %s\n", status_name(status));
		return false;
	}
	show_processes(shell);
	for (uint32_t i = 0; i < tree.edges; i++) {
		if (!tree.edge[i].is_shown)
			show_object(i);
	}
	if (tree.is_cut)
		print("tree: there is more than %u processes or %u holds; the rest is left out\n", PROCESSES_MAX,
		      EDGES_MAX);
	return true;
}
