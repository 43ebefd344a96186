/*
 * kv [OPERATIONS [CLIENTS [SEED]]]: a key-value service and its clients, each a process (user/protocol/kv_protocol.h).
 * Clients are killed at random and followed by others, who must find every put that was acknowledged. In the end the
 * service must have given back all that it took, and so must everybody.
 *
 * Last line: "kv: N operations, N kills, N lost, N leaked". Exit code 0 if nothing was lost, nothing leaked, the
 * service refused what it must refuse, and no invariant of the kernel is broken.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/check.h"
#include "lib/status.h"
#include "user/demos/kv/kv_fleet.h"
#include "user/demos/kv/kv_master.h"
#include "user/demos/kv/kv_refusal.h"
#include "user/demos/kv/kv_world.h"
#include "user/protocol/number_text.h"
#include "user/runtime/print.h"

#define NS_PER_MS UINT64_C(1000000)

static struct kv_world world;
static struct kv_master master;
static struct kv_fleet fleet = { .world = &world, .master = &master };
static struct kv_fleet_sum sum;
static uint64_t leaked, broken, wrong;

struct plan {
	uint64_t operations, clients, seed;
};

static enum status read_arguments(int argc, char **argv, struct plan *plan)
{
	*plan = (struct plan){ .operations = 1000000, .clients = 6, .seed = 1 };
	GUARD(argc <= 4, STATUS_BAD_ARGUMENT);
	if (argc > 1)
		TRY(number_text_parse(argv[1], &plan->operations));
	if (argc > 2)
		TRY(number_text_parse(argv[2], &plan->clients));
	if (argc > 3)
		TRY(number_text_parse(argv[3], &plan->seed));
	GUARD(plan->operations > 0 && plan->clients > 0 && plan->clients <= KV_FLEET_MAX, STATUS_BAD_ARGUMENT);
	return STATUS_OK;
}

/* The clients' whole life, and how fast it went. */
static enum status run_clients(const struct plan *plan)
{
	struct kv_statistics statistics;
	uint64_t begun, ended;

	TRY(timer_client_now(world.timer, &begun));
	TRY(kv_fleet_start(&fleet, (uint32_t)plan->clients, plan->operations));
	TRY(kv_fleet_run(&fleet));
	TRY(timer_client_now(world.timer, &ended));
	TRY(kv_master_statistics(&master, &statistics));
	sum = kv_fleet_sum(&fleet);
	print("kv: %lu requests served in %lu ms: %lu a second; %lu answers verified\n", statistics.requests,
	      (ended - begun) / NS_PER_MS, statistics.requests * 1000 / ((ended - begun) / NS_PER_MS + 1),
	      sum.verified);
	leaked += statistics.sessions + statistics.keys;
	return kv_fleet_end(&fleet);
}

static enum status read_service(struct memory_statistics *memory)
{
	struct kv_statistics ignored; /* an answer means that it has started, and rests */
	struct process_statistics process;

	TRY(kv_master_statistics(&master, &ignored));
	TRY(process_client_statistics(master.service, &process));
	*memory = process.memory;
	return STATUS_OK;
}

static enum status run_service(const struct plan *plan)
{
	struct memory_statistics before, after;

	TRY(kv_master_start(&master, &world));
	TRY(read_service(&before));
	TRY(kv_refusal_check(&master, &world, &wrong));
	TRY(run_clients(plan));
	TRY(read_service(&after));
	leaked += kv_world_compare_ledgers(&before, &after, "the service's");
	return kv_master_stop(&master);
}

static enum status run(const struct plan *plan)
{
	struct memory_statistics before, after;
	struct inspector_memory machine_before, machine_after;

	TRY(kv_world_find(&world));
	TRY(inspector_client_memory(world.inspector, &machine_before));
	TRY(virtual_memory_client_statistics(world.memory, &before));
	TRY(run_service(plan));
	TRY(virtual_memory_client_statistics(world.memory, &after));
	TRY(inspector_client_memory(world.inspector, &machine_after));
	leaked += kv_world_compare_ledgers(&before, &after, "kv's");
	leaked += kv_world_compare_frames(&machine_before, &machine_after);
	return kv_world_check(&world, &broken);
}

int main(int argc, char **argv, char **envp)
{
	struct plan plan;
	enum status status;

	(void)envp;
	status = read_arguments(argc, argv, &plan);
	if (status != STATUS_OK) {
		print("kv: %s: kv [OPERATIONS [CLIENTS [SEED]]], at most %u clients\n", status_name(status),
		      KV_FLEET_MAX);
		return 1;
	}
	print("kv: %lu operations, %lu clients, seed %lu\n", plan.operations, plan.clients, plan.seed);
	fleet.choices.state = plan.seed;
	status = run(&plan);
	if (status != STATUS_OK) {
		print("FAILED kv: %s\n", status_name(status));
		kv_fleet_kill(&fleet);
		kv_master_kill(&master);
		return 1;
	}
	print("kv: %lu operations, %lu kills, %lu lost, %lu leaked\n", sum.done, fleet.kills, sum.lost, leaked);
	return sum.lost + leaked + broken + wrong == 0 ? 0 : 1;
}
