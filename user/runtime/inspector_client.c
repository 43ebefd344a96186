#include "user/runtime/inspector_client.h"

#include "user/runtime/ring_client.h"

enum status inspector_client_memory(struct inspector_client client, struct inspector_memory *memory)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, INSPECTOR_MEMORY, &slot));
	slot->argument[0] = (uint64_t)memory;
	slot->argument[1] = sizeof(*memory);
	return ring_client_finish_plain();
}

enum status inspector_client_process(struct inspector_client client, uint64_t index, struct inspector_process *process)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, INSPECTOR_PROCESS, &slot));
	slot->argument[0] = index;
	slot->argument[1] = (uint64_t)process;
	slot->argument[2] = sizeof(*process);
	return ring_client_finish_plain();
}

enum status inspector_client_region(struct inspector_client client, uint64_t process_id, uint64_t address,
				    struct virtual_memory_region *region)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, INSPECTOR_REGION, &slot));
	slot->argument[0] = process_id;
	slot->argument[1] = address;
	slot->argument[2] = (uint64_t)region;
	slot->argument[3] = sizeof(*region);
	return ring_client_finish_plain();
}

enum status inspector_client_capability(struct inspector_client client, uint64_t process_id, uint64_t from_slot,
					struct inspector_capability *capability)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, INSPECTOR_CAPABILITY, &slot));
	slot->argument[0] = process_id;
	slot->argument[1] = from_slot;
	slot->argument[2] = (uint64_t)capability;
	slot->argument[3] = sizeof(*capability);
	return ring_client_finish_plain();
}

enum status inspector_client_layout(struct inspector_client client, uint64_t process_id,
				    struct inspector_layout *layout)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, INSPECTOR_LAYOUT, &slot));
	slot->argument[0] = process_id;
	slot->argument[1] = (uint64_t)layout;
	slot->argument[2] = sizeof(*layout);
	return ring_client_finish_plain();
}

enum status inspector_client_ledger(struct inspector_client client, uint64_t process_id,
				    struct memory_statistics *statistics)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, INSPECTOR_LEDGER, &slot));
	slot->argument[0] = process_id;
	slot->argument[1] = (uint64_t)statistics;
	slot->argument[2] = sizeof(*statistics);
	return ring_client_finish_plain();
}

enum status inspector_client_ring(struct inspector_client client, uint64_t process_id, uint64_t thread,
				  struct inspector_ring *ring)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, INSPECTOR_RING, &slot));
	slot->argument[0] = process_id;
	slot->argument[1] = thread;
	slot->argument[2] = (uint64_t)ring;
	slot->argument[3] = sizeof(*ring);
	return ring_client_finish_plain();
}

enum status inspector_client_thread(struct inspector_client client, uint64_t process_id, uint64_t thread,
				    struct inspector_thread *state)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, INSPECTOR_THREAD, &slot));
	slot->argument[0] = process_id;
	slot->argument[1] = thread;
	slot->argument[2] = (uint64_t)state;
	slot->argument[3] = sizeof(*state);
	return ring_client_finish_plain();
}

enum status inspector_client_check(struct inspector_client client, struct inspector_check *check)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, INSPECTOR_CHECK, &slot));
	slot->argument[0] = (uint64_t)check;
	slot->argument[1] = sizeof(*check);
	return ring_client_finish_plain();
}

enum status inspector_client_zone(struct inspector_client client, uint64_t index, struct inspector_zone *zone)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, INSPECTOR_ZONE, &slot));
	slot->argument[0] = index;
	slot->argument[1] = (uint64_t)zone;
	slot->argument[2] = sizeof(*zone);
	return ring_client_finish_plain();
}

enum status inspector_client_cpu(struct inspector_client client, uint64_t index, struct inspector_cpu *cpu)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, INSPECTOR_CPU, &slot));
	slot->argument[0] = index;
	slot->argument[1] = (uint64_t)cpu;
	slot->argument[2] = sizeof(*cpu);
	return ring_client_finish_plain();
}
