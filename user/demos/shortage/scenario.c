#include "user/demos/shortage/scenario.h"

#include <stddef.h>

#include "lib/check.h"
#include "lib/string.h"

static const struct scenario programs[] = {
	{ .program = "elf-smoke", .argument = { "alpha", "17" } },
	{ .program = "elf-smoke-pie" },
	{ .program = "wordcount" },
	{ .program = "memoryobject-shared-parent" },
	{ .program = "ipc-zerocopy-producer" },
	{ .program = "kv", .argument = { "20", "2", "1" } },
};

static const struct scenario stress[] = {
	{ .program = "stress", .argument = { "1", "1" } },
};

static const struct scenario memory[] = {
	{ .program = "vm-contract", .argument = { "ring-promises" } },
	{ .program = "vm-contract", .argument = { "anonymous-promises" } },
	{ .program = "vm-contract", .argument = { "lazy-promises" } },
	{ .program = "vm-contract", .argument = { "area-promises" } },
	{ .program = "vm-contract", .argument = { "placement-promises" } },
	{ .program = "vm-contract", .argument = { "ledger-promises" } },
	{ .program = "vm-contract", .argument = { "object-promises" } },
	{ .program = "vm-contract", .argument = { "restrict-promises" } },
	{ .program = "vm-contract", .argument = { "table-promises" } },
	{ .program = "vm-contract", .argument = { "query-promises" } },
	{ .program = "vm-contract", .argument = { "state-refusals" } },
	{ .program = "vm-contract", .argument = { "lazy-refusals" } },
	{ .program = "vm-contract", .argument = { "buffer-refusals" } },
	{ .program = "vm-contract", .argument = { "ring-refusals" } },
	{ .program = "vm-contract", .argument = { "quota-refusals" } },
};

static const struct scenario processes[] = {
	{ .program = "spawn-contract", .argument = { "trial" }, .is_numbered = true },
};

static const struct scenario_set sets[] = {
	{ "nothing", NULL, 0 }, /* what boot asks for */
	{ "programs", programs, COUNT_OF(programs) },
	{ "memory", memory, COUNT_OF(memory) },
	{ "processes", processes, COUNT_OF(processes) },
	{ "stress", stress, COUNT_OF(stress) },
};

const struct scenario_set *scenario_find_set(const char *name)
{
	for (uint32_t i = 0; i < COUNT_OF(sets); i++)
		if (string_equal(sets[i].name, name))
			return &sets[i];
	return NULL;
}
