#include "user/demos/kv/kv_fleet.h"

#include <stddef.h>

#include "lib/check.h"
#include "lib/format.h"
#include "user/runtime/frame_allocator_client.h"
#include "user/runtime/open_operation.h"
#include "user/runtime/print.h"
#include "user/runtime/ring_client.h"

#define CLIENT "kv-client"
#define CLIENT_PAGES 16u /* journal and buffer, each as a hold and mapped */
#define LOOK_NS UINT64_C(500000)
#define OPERATIONS_PER_KILL UINT64_C(500) /* on average, over all clients */
#define PROGRESS_LINES 10u

#define JOURNAL_BYTES (KV_JOURNAL_PAGES * PAGE_SIZE)

/* ---- one client ---- */

static enum status make_journal(const struct kv_fleet *fleet, struct kv_member *member, uint64_t quota)
{
	const struct memory_object_window window = { .length = JOURNAL_BYTES,
						     .protection = PROTECTION_READ | PROTECTION_WRITE };
	void *address;

	TRY(frame_allocator_client_allocate(fleet->world->frames, KV_JOURNAL_PAGES, 0, &member->object));
	TRY(memory_object_client_map(member->object, &window, &address));
	member->journal = address;
	member->journal->quota = quota;
	return STATUS_OK;
}

static enum status add_number(struct process_builder *builder, uint64_t number)
{
	char text[24];

	(void)format(text, sizeof(text), "%lu", number);
	return process_builder_argument(builder, text);
}

/* All that a client has: a console, memory within its limits, its journal, its session. */
static enum status describe_client(struct kv_fleet *fleet, uint32_t index, struct endpoint_facet session,
				   struct process_builder *builder)
{
	TRY(process_builder_init(builder, CLIENT));
	TRY(process_builder_program(builder, CLIENT));
	TRY(process_builder_argument(builder, CLIENT));
	TRY(add_number(builder, index));
	TRY(add_number(builder, random_sequence_next(&fleet->choices)));
	TRY(process_builder_grant_copy(builder, "console", fleet->world->console));
	TRY(process_builder_grant_copy(builder, "frames", fleet->world->frames.handle));
	TRY(process_builder_grant_copy(builder, KV_JOURNAL, fleet->member[index].object.handle));
	TRY(process_builder_grant_move(builder, KV_SESSION, session.handle));
	process_builder_priority(builder, KV_WORLD_PRIORITY);
	process_builder_limit(builder, LEDGER_FRAME_GRANT, CLIENT_PAGES);
	process_builder_limit(builder, LEDGER_IMAGE, 64);
	process_builder_limit(builder, LEDGER_PAGE_TABLE, 16);
	process_builder_limit(builder, LEDGER_CAP_SLOTS, 8);
	process_builder_limit(builder, LEDGER_KERNEL_OBJECT, 65536);
	return STATUS_OK;
}

static enum status start_client(struct kv_fleet *fleet, uint32_t index)
{
	struct kv_member *member = &fleet->member[index];
	struct process_builder builder;
	struct endpoint_facet session;

	TRY(kv_master_open(fleet->master, index, &session, &member->badge));
	TRY(describe_client(fleet, index, session, &builder));
	TRY(process_client_spawn(fleet->world->spawner, &builder, &member->process));
	member->is_running = true;
	fleet->running++;
	return process_client_wait_submit(member->process, &member->exit, index);
}

/* Its process is over, so none of its calls is on its way: now its session can be closed. */
static enum status end_client(struct kv_fleet *fleet, uint32_t index)
{
	struct kv_member *member = &fleet->member[index];

	member->is_running = false;
	fleet->running--;
	TRY(ring_client_release(member->process.handle));
	TRY(kv_master_close(fleet->master, member->badge));
	if (member->exit.end == PROCESS_KILLED)
		return start_client(fleet, index);
	if (member->exit.end == PROCESS_EXITED && member->exit.code == 0)
		return STATUS_OK;
	print("FAILED kv: client %u ended with code %ld\n", index, member->exit.code);
	return STATUS_GONE;
}

/* ---- all of them ---- */

enum status kv_fleet_start(struct kv_fleet *fleet, uint32_t members, uint64_t operations)
{
	fleet->operations = operations;
	for (uint32_t i = 0; i < members; i++) {
		TRY(make_journal(fleet, &fleet->member[i], (operations + i) / members));
		fleet->members++;
		TRY(start_client(fleet, i));
	}
	return STATUS_OK;
}

struct kv_fleet_sum kv_fleet_sum(const struct kv_fleet *fleet)
{
	struct kv_fleet_sum sum = { 0 };

	for (uint32_t i = 0; i < fleet->members; i++) {
		const struct kv_journal *journal = fleet->member[i].journal;

		sum.done += __atomic_load_n(&journal->done, __ATOMIC_ACQUIRE);
		sum.verified += __atomic_load_n(&journal->verified, __ATOMIC_ACQUIRE);
		sum.lost += __atomic_load_n(&journal->lost, __ATOMIC_ACQUIRE);
	}
	return sum;
}

/* Any of those that run, wherever it is: starting, looking for its keys, in a call, at its end. */
static enum status kill_one(struct kv_fleet *fleet)
{
	uint64_t nth = random_sequence_below(&fleet->choices, fleet->running);
	uint32_t index = 0;

	while (!fleet->member[index].is_running || nth-- > 0)
		index++;
	return process_client_kill(fleet->member[index].process);
}

/* Kills come by work done, not by time: however slow the machine, the clients get on. */
static enum status look(struct kv_fleet *fleet, uint64_t *shown)
{
	const uint64_t done = kv_fleet_sum(fleet).done;

	if (done * PROGRESS_LINES / fleet->operations > *shown) {
		*shown = done * PROGRESS_LINES / fleet->operations;
		print("kv: %lu of %lu operations done, %lu clients killed\n", done, fleet->operations, fleet->kills);
	}
	if (done < fleet->next_kill)
		return STATUS_OK;
	fleet->next_kill = done + 1 + random_sequence_below(&fleet->choices, 2 * OPERATIONS_PER_KILL);
	return kill_one(fleet);
}

enum status kv_fleet_run(struct kv_fleet *fleet)
{
	uint64_t shown = 0;

	while (fleet->running > 0) {
		const uint64_t pause = LOOK_NS + random_sequence_below(&fleet->choices, LOOK_NS);
		struct ring_completion completion;
		enum status status = open_operation_next(pause, &completion);

		if (status == STATUS_TIMED_OUT) {
			TRY(look(fleet, &shown));
			continue;
		}
		TRY(status);
		TRY(ring_client_status(&completion));
		fleet->kills += fleet->member[completion.user_data].exit.end == PROCESS_KILLED;
		TRY(end_client(fleet, (uint32_t)completion.user_data));
	}
	return STATUS_OK;
}

enum status kv_fleet_end(const struct kv_fleet *fleet)
{
	for (uint32_t i = 0; i < fleet->members; i++) {
		TRY(memory_object_client_unmap(fleet->member[i].object, fleet->member[i].journal, JOURNAL_BYTES));
		TRY(ring_client_release(fleet->member[i].object.handle));
	}
	return STATUS_OK;
}

void kv_fleet_kill(const struct kv_fleet *fleet)
{
	for (uint32_t i = 0; i < fleet->members; i++)
		if (fleet->member[i].is_running && process_client_kill(fleet->member[i].process) != STATUS_OK)
			print("kv: client %u can't be killed\n", i);
}
