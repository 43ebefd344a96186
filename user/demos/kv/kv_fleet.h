/*
 * The clients of a run: each a process on a journal of its own, killed now and then and followed by another one.
 */
#ifndef CAPOS_USER_DEMOS_KV_KV_FLEET_H
#define CAPOS_USER_DEMOS_KV_KV_FLEET_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "user/demos/kv/kv_master.h"
#include "user/demos/kv/kv_world.h"
#include "user/protocol/kv_journal.h"
#include "user/protocol/random_sequence.h"
#include "user/runtime/memory_object_client.h"
#include "user/runtime/process_client.h"

#define KV_FLEET_MAX 12u /* each has a wait open, and a thread may have 16 operations open */

struct kv_member {
	struct process_client process; /* while it runs */
	struct process_exit exit;
	uint64_t badge; /* of its session */
	bool is_running;
	struct memory_object_client object;
	struct kv_journal *journal; /* our mapping */
};

struct kv_fleet {
	const struct kv_world *world;
	const struct kv_master *master;
	struct random_sequence choices;
	struct kv_member member[KV_FLEET_MAX];
	uint32_t members;
	uint32_t running;
	uint64_t operations; /* of all journals' quotas */
	uint64_t kills;
	uint64_t next_kill; /* when so many operations are done */
};

/* What all journals say. */
struct kv_fleet_sum {
	uint64_t done, verified, lost;
};

/*
 * Start `members` clients, 1 to KV_FLEET_MAX, who have `operations` to do together. world, master, choices are set
 * before. Refusals of what it takes; then kv_fleet_kill ends what was started.
 */
enum status kv_fleet_start(struct kv_fleet *fleet, uint32_t members, uint64_t operations);

/*
 * Until all have done their part: kill one now and then, start another one on its journal. GONE: a client ended with
 * another code than 0, or by a fault, which is said on the console.
 */
enum status kv_fleet_run(struct kv_fleet *fleet);

struct kv_fleet_sum kv_fleet_sum(const struct kv_fleet *fleet);

/* Give the journals up. All clients have ended. */
enum status kv_fleet_end(const struct kv_fleet *fleet);

/* For a run that has failed: nobody goes on. */
void kv_fleet_kill(const struct kv_fleet *fleet);

#endif
