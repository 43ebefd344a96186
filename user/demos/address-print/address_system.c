/*
 * Of address-print, what is capOS's own.
 */
#include <stddef.h>

#include "abi/memory_layout.h"
#include "lib/check.h"
#include "lib/status.h"
#include "user/protocol/address_system.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/inspector_client.h"
#include "user/runtime/print.h"
#include "user/runtime/program.h"
#include "user/runtime/virtual_memory_client.h"

#define READ_WRITE (PROTECTION_READ | PROTECTION_WRITE)
#define IN_THE_WAY (16 * PAGE_SIZE) /* from the heap's start to the page that it shall meet */

static struct virtual_memory_client memory;
static struct inspector_client inspector;
static struct inspector_layout layout;

void address_system_say(const char *line)
{
	print("%s\n", line);
}

bool address_system_begin(void)
{
	return capset_client_find("memory", INTERFACE_VIRTUAL_MEMORY, &memory.handle) == STATUS_OK &&
	       capset_client_find("inspector", INTERFACE_INSPECTOR, &inspector.handle) == STATUS_OK &&
	       inspector_client_layout(inspector, program_process_id(), &layout) == STATUS_OK;
}

static enum status move_break(uint64_t to, uint64_t *now)
{
	void *end;

	TRY(virtual_memory_client_break(memory, (const void *)to, &end));
	*now = (uint64_t)end;
	return STATUS_OK;
}

bool address_system_break(uint64_t to, uint64_t *now)
{
	return move_break(to, now) == STATUS_OK;
}

/* Nothing of the runtime moves the break, so it still is where the heap starts. */
bool address_system_heap(uint64_t *start)
{
	return address_system_break(0, start);
}

bool address_system_map(uint64_t *address)
{
	void *page;

	if (virtual_memory_client_map(memory, NULL, PAGE_SIZE, READ_WRITE, 0, &page) != STATUS_OK)
		return false;
	*address = (uint64_t)page;
	return true;
}

bool address_system_list(void)
{
	static const char *const name[PAGE_KIND_COUNT] = {
		[PAGE_EMPTY] = "empty",     [PAGE_RESERVED] = "reserved", [PAGE_ANONYMOUS] = "anonymous",
		[PAGE_BORROWED] = "object", [PAGE_IMAGE] = "image",       [PAGE_BOOTSTRAP] = "bootstrap",
		[PAGE_GUARD] = "guard",     [PAGE_LAZY] = "lazy",
	};
	struct virtual_memory_region region = { .end = 0 };
	enum status status;

	while ((status = inspector_client_region(inspector, program_process_id(), region.end, &region)) == STATUS_OK)
		print("map 0x%lx 0x%lx %s\n", region.start, region.end, name[region.kind]);
	return status == STATUS_NOT_FOUND;
}

/* ---- edges ---- */

static void say_edge(const char *name, enum status status)
{
	print("edge %s: %s\n", name, status_name(status));
}

/* A page exactly there, mapped and reserved; with a hint alone it may be anywhere else. */
static void try_place(const char *name, uint64_t address)
{
	const void *there = (const void *)address;
	void *page = NULL;
	enum status status;

	status = virtual_memory_client_map(memory, there, PAGE_SIZE, READ_WRITE, VIRTUAL_MEMORY_FIXED, &page);
	print("edge map %s: %s\n", name, status_name(status));
	status = virtual_memory_client_reserve(memory, there, PAGE_SIZE, VIRTUAL_MEMORY_FIXED, &page);
	print("edge reserve %s: %s\n", name, status_name(status));
	status = virtual_memory_client_map(memory, there, PAGE_SIZE, READ_WRITE, 0, &page);
	print("edge hint %s: %s\n", name,
	      status != STATUS_OK ? status_name(status)
	      : page == there     ? "there"
				  : "elsewhere");
	if (status == STATUS_OK)
		say_edge("unmap of it", virtual_memory_client_unmap(memory, page, PAGE_SIZE));
}

/* What is there must not be taken away either. */
static void try_guard(const char *name, uint64_t address)
{
	const void *there = (const void *)address;

	try_place(name, address);
	print("edge commit %s: %s\n", name,
	      status_name(virtual_memory_client_commit(memory, there, PAGE_SIZE, READ_WRITE)));
	print("edge protect %s: %s\n", name,
	      status_name(virtual_memory_client_protect(memory, there, PAGE_SIZE, READ_WRITE)));
	print("edge unmap %s: %s\n", name, status_name(virtual_memory_client_unmap(memory, there, PAGE_SIZE)));
}

/* The heap up to a mapping in its way, a byte further, and a byte past its area, which in a classic layout is where
 * mappings start. */
static void try_heap(void)
{
	uint64_t start = 0, now = 0;
	void *page;

	say_edge("heap: ask", move_break(0, &start));
	say_edge("heap: page in the way",
		 virtual_memory_client_map(memory, (const void *)(start + IN_THE_WAY), PAGE_SIZE, READ_WRITE,
					   VIRTUAL_MEMORY_FIXED, &page));
	say_edge("heap: up to it", move_break(start + IN_THE_WAY, &now));
	say_edge("heap: a byte further", move_break(start + IN_THE_WAY + 1, &now));
	say_edge("heap: past its area", move_break(layout.heap.end + 1, &now));
	say_edge("heap: ask again", move_break(0, &now));
	print("edge heap: after that: %s\n", now == start + IN_THE_WAY ? "as before" : "elsewhere");
	print("edge_number heap_end 0x%lx\n", layout.heap.end);
}

bool address_system_edges(void)
{
	try_place("at 0", 0);
	try_place("in the hole", PAGE_SIZE);
	try_place("at the end of the hole", USER_START - PAGE_SIZE);
	try_place("on the CapSet", BOOTSTRAP_START);
	try_guard("at the start of the guard", layout.guard.start);
	try_guard("at the end of the guard", layout.guard.end - PAGE_SIZE);
	try_guard("in the stack's room", layout.stack.start);
	try_place("above the stack", USER_LIMIT);
	try_heap();
	return true;
}
