#include "user/demos/kv/kv_world.h"

#include "lib/check.h"
#include "lib/ledger.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/print.h"

enum status kv_world_find(struct kv_world *world)
{
	TRY(capset_client_find("console", INTERFACE_CONSOLE, &world->console));
	TRY(capset_client_find("timer", INTERFACE_TIMER, &world->timer.handle));
	TRY(capset_client_find("inspector", INTERFACE_INSPECTOR, &world->inspector.handle));
	TRY(capset_client_find("spawner", INTERFACE_PROCESS_SPAWNER, &world->spawner.handle));
	TRY(capset_client_find("endpoints", INTERFACE_ENDPOINT_FACTORY, &world->endpoints.handle));
	TRY(capset_client_find("frames", INTERFACE_FRAME_ALLOCATOR, &world->frames.handle));
	return capset_client_find("memory", INTERFACE_VIRTUAL_MEMORY, &world->memory.handle);
}

static uint64_t compare(uint64_t before, uint64_t after, const char *whose, const char *what)
{
	if (before == after)
		return 0;
	print("LEAKED kv: %s %s: %lu before, %lu after\n", whose, what, before, after);
	return before > after ? before - after : after - before;
}

uint64_t kv_world_compare_ledgers(const struct memory_statistics *before, const struct memory_statistics *after,
				  const char *whose)
{
	uint64_t leaked = 0;

	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		leaked += compare(before->ledger[kind].used, after->ledger[kind].used, whose,
				  ledger_name((enum ledger_kind)kind));
	return leaked;
}

uint64_t kv_world_compare_frames(const struct inspector_memory *before, const struct inspector_memory *after)
{
	return compare(before->user_frames, after->user_frames, "the machine's", "frames of programs") +
	       compare(before->table_frames, after->table_frames, "the machine's", "frames of page tables");
}

enum status kv_world_check(const struct kv_world *world, uint64_t *broken)
{
	struct inspector_check check;

	TRY(inspector_client_check(world->inspector, &check));
	print("kv: %lu invariants of the kernel, %lu broken %s\n", check.checked, check.broken, check.first_broken);
	*broken = check.broken;
	return STATUS_OK;
}
