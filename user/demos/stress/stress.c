/*
 * stress [SECONDS [SEED]]: sixteen processes of four threads each do at random all that processes may do: memory,
 * objects, calls and transfers among each other, children, sleeps, parks, and bad requests. The driver kills one of
 * them now and then and starts another in its place; after every second all invariants of the kernel must hold. It ends
 * with the look at them after the last second, which on a busy machine may come late. In the end everything must be as
 * it was. The seed is printed; the order of events is that of the machine.
 *
 * Last lines: "operations N, faults injected N, kills N ...", "frames at start N, at end N", and "N passed, N failed",
 * where each second's look at the invariants counts as one.
 */
#include "user/demos/stress/stress.h"

#include <stddef.h>

#include "lib/check.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/print.h"
#include "user/testing/trial.h"
#include "user/testing/trial_child.h"

#define DEFAULT_SECONDS 10u
#define DRIVER_PRIORITY 7u
#define SECOND TRIAL_MS(1000)

struct worker {
	struct process_client process;
	struct endpoint_client endpoint; /* a copy: calls of the others wait while it is started again */
	struct endpoint_facet facet;
};

static struct {
	struct worker worker[STRESS_WORKERS];
	struct memory_object_client figures;
	const struct stress_figures *figure[STRESS_WORKERS]; /* mapped */
	uint64_t seed;
	uint64_t kills, looks;
} stress;

static const struct trial_role roles[] = { { "worker", stress_worker_role }, { "leaf", stress_leaf_role } };

/* xorshift64 */
static uint64_t next_random(void)
{
	stress.seed ^= stress.seed << 13;
	stress.seed ^= stress.seed >> 7;
	stress.seed ^= stress.seed << 17;
	return stress.seed;
}

static void grant_endpoints(struct process_builder *builder, uint32_t own)
{
	trial_child_copy(builder, "endpoint", stress.worker[own].endpoint.handle);
	for (uint32_t i = 1; i < 4; i++) {
		char name[] = "facet-?";

		name[sizeof(name) - 2] = (char)('0' + i);
		trial_child_copy(builder, name, stress.worker[(own + i * i) % STRESS_WORKERS].facet.handle);
	}
}

static void start_worker(uint32_t number)
{
	const struct memory_object_part part = { .offset = TRIAL_BYTES(number), .length = PAGE_SIZE };
	struct memory_object_client page;
	struct process_builder builder;

	trial_child_build(&builder, "worker");
	trial_child_argument(&builder, next_random() >> 1);
	trial_child_argument(&builder, number);
	trial_child_copy(&builder, "frames", trial.frames.handle);
	trial_child_copy(&builder, "spawner", trial.spawner.handle);
	trial_child_copy(&builder, "endpoints", trial.endpoints.handle);
	grant_endpoints(&builder, number);
	EXPECT_OK(memory_object_client_restrict(stress.figures, &part, &page));
	trial_child_move(&builder, "figures", page.handle);
	process_builder_limit(&builder, LEDGER_FRAME_GRANT, 700);
	process_builder_limit(&builder, LEDGER_IMAGE, 600);
	process_builder_limit(&builder, LEDGER_PAGE_TABLE, 150);
	process_builder_limit(&builder, LEDGER_CAP_SLOTS, 300);
	process_builder_limit(&builder, LEDGER_KERNEL_OBJECT, 150 * PAGE_SIZE);
	EXPECT_OK(trial_child_start(&builder, &stress.worker[number].process));
}

static void kill_worker(uint32_t number)
{
	struct process_client *process = &stress.worker[number].process;

	if (process->handle == HANDLE_NONE)
		return; /* it could not be started */
	trial_child_finish(*process);
	process->handle = HANDLE_NONE;
}

static void look(void)
{
	struct inspector_check check;

	EXPECT_OK(inspector_client_check(trial.inspector, &check));
	stress.looks++;
	if (check.broken != 0)
		trial_break("%lu of %lu invariants broken after %lu seconds: %s", check.broken, check.checked,
			    stress.looks, check.first_broken);
}

static void begin(void)
{
	void *address;

	EXPECT_OK(trial_object(STRESS_WORKERS, &stress.figures));
	EXPECT_OK(trial_map_object(stress.figures, STRESS_WORKERS, TRIAL_READ_WRITE, &address));
	for (uint32_t i = 0; i < STRESS_WORKERS; i++) {
		stress.figure[i] = (const struct stress_figures *)((uint64_t)address + TRIAL_BYTES(i));
		EXPECT_OK(endpoint_client_create(trial.endpoints, &stress.worker[i].endpoint));
		EXPECT_OK(endpoint_client_make_client(stress.worker[i].endpoint, i, true, &stress.worker[i].facet));
	}
	for (uint32_t i = 0; i < STRESS_WORKERS && !trial.broken; i++)
		start_worker(i);
}

/* Kills come at any time; a look for each second, one that is late all the same. */
static void drive(uint64_t seconds)
{
	uint64_t next_look = trial_now() + SECOND;

	while (stress.looks < seconds && !trial.broken) {
		const uint32_t victim = (uint32_t)(next_random() % STRESS_WORKERS);

		trial_sleep(TRIAL_MS(20 + next_random() % 200));
		kill_worker(victim);
		stress.kills++;
		start_worker(victim);
		if (trial_now() < next_look)
			continue;
		look();
		next_look += SECOND;
	}
}

/* All at once, before any is waited for; those that are there. */
static void end(void)
{
	for (uint32_t i = 0; i < STRESS_WORKERS; i++)
		if (stress.worker[i].process.handle != HANDLE_NONE)
			EXPECT_OK(process_client_kill(stress.worker[i].process));
	for (uint32_t i = 0; i < STRESS_WORKERS; i++)
		kill_worker(i);
	for (uint32_t i = 0; i < STRESS_WORKERS; i++) {
		EXPECT_OK(ring_client_release(stress.worker[i].facet.handle));
		EXPECT_OK(ring_client_release(stress.worker[i].endpoint.handle));
	}
}

static void report(void)
{
	struct stress_figures sum = { 0 };

	for (uint32_t i = 0; i < STRESS_WORKERS; i++) {
		sum.operations += stress.figure[i]->operations;
		sum.faults += stress.figure[i]->faults;
		sum.surprises += stress.figure[i]->surprises;
		sum.calls += stress.figure[i]->calls;
		sum.children += stress.figure[i]->children;
	}
	EXPECT_OK(memory_object_client_unmap(stress.figures, stress.figure[0], TRIAL_BYTES(STRESS_WORKERS)));
	EXPECT_OK(ring_client_release(stress.figures.handle));
	print("operations %lu, faults injected %lu, kills %lu, calls answered %lu, children %lu\n", sum.operations,
	      sum.faults, stress.kills, sum.calls, sum.children);
	if (sum.surprises != 0)
		trial_break("%lu answers that there should not be", sum.surprises);
	EXPECT(sum.operations > 0 && sum.faults > 0 && sum.calls > 0 && sum.children > 0);
}

static uint64_t seconds_to_run;

static void run(void)
{
	begin();
	if (!trial.broken)
		drive(seconds_to_run);
	end();
	if (stress.figure[STRESS_WORKERS - 1] != NULL) /* else it has not begun */
		report();
}

static uint64_t number_of(const char *text)
{
	uint64_t number = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		number = number * 10 + (uint64_t)(*text - '0');
	return number;
}

int main(int argc, char **argv, char **envp)
{
	struct inspector_memory before, after;

	(void)envp;
	trial_begin("stress", argc, argv);
	if (trial_is_role())
		return trial_role_run(roles, COUNT_OF(roles));
	if (!trial_has_everything())
		return 1;
	trial.is_single = true; /* nothing follows */
	seconds_to_run = argc > 1 ? number_of(argv[1]) : DEFAULT_SECONDS;
	stress.seed = argc > 2 ? number_of(argv[2]) : trial_now() | 1;
	print("stress: seed %lu, %lu seconds\n", stress.seed, seconds_to_run);
	if (thread_client_set_priority(trial.threads, 0, DRIVER_PRIORITY) != STATUS_OK)
		print("stress: no priority above the workers'\n");
	CHECK(inspector_client_memory(trial.inspector, &before) == STATUS_OK);
	trial_check_one("stress", "", run);
	CHECK(inspector_client_memory(trial.inspector, &after) == STATUS_OK);
	print("frames at start %lu, at end %lu\n", before.free_frames, after.free_frames);
	print("%lu passed, %u failed\n", stress.looks + trial.passed, trial.failed);
	return trial.failed == 0 ? 0 : 1;
}
