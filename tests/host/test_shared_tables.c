/* links: HOST_TASK_KERNEL */
/*
 * Capabilities and ledgers of two processes, changed by host threads at the same time: each id resolves as long as its
 * thread has it and never afterwards, and what was charged is what is held.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include "kernel/task/endpoint.h"
#include "kernel/task/transfer.h"
#include "lib/check.h"
#include "tests/host/actor.h"
#include "tests/host/host_support.h"

#define FRAMES 2048u
#define WORKERS MACHINE_CPUS
#define KEPT 40u
#define SLOTS 18u /* of each process: less than one worker alone would like */

struct kept {
	uint32_t side; /* whose table it is in */
	handle_t handle;
};

struct worker {
	uint32_t cpu;
	uint64_t rounds, refused, moved;
	struct host_random random;
	struct kept kept[KEPT];
	uint32_t count;
};

static struct actor side[2];
static handle_t facet[2]; /* of an endpoint, in each table */

static void keep(struct worker *worker, uint32_t where, handle_t handle)
{
	worker->kept[worker->count++] = (struct kept){ where, handle };
}

static void add(struct worker *worker)
{
	const uint32_t where = (uint32_t)host_random_below(&worker->random, 2);
	struct cap_hold hold = { .interface = INTERFACE_TIMER, .mode = TRANSFER_COPY };
	enum status status;
	handle_t handle;

	status = process_capability_add(side[where].process, &hold, 0, &handle);
	worker->refused += status != STATUS_OK;
	CHECK(status == STATUS_OK || status == STATUS_OVER_CAP_SLOTS);
	if (status == STATUS_OK)
		keep(worker, where, handle);
}

static void give_up(struct worker *worker, uint32_t index)
{
	const struct kept gone = worker->kept[index];
	struct cap_hold hold;

	worker->kept[index] = worker->kept[--worker->count];
	CHECK(process_capability_use(side[gone.side].process, gone.handle, &hold) == STATUS_OK);
	hold_end_use(&hold);
	CHECK(process_capability_release(side[gone.side].process, gone.handle) == STATUS_OK);
	CHECK(process_capability_use(side[gone.side].process, gone.handle, &hold) == STATUS_NO_SUCH_CAPABILITY);
}

/* One of its own moves, and the facet that all share is copied. */
static void send(struct worker *worker, uint32_t index)
{
	struct kept *one = &worker->kept[index];
	struct transfer_item item[2] = {
		{ .source = one->handle, .kind = TRANSFER_KIND_MOVE },
		{ .source = facet[one->side], .kind = TRANSFER_KIND_COPY },
	};
	struct transfer transfer = { side[one->side].process, side[1 - one->side].process, 2, item, STATUS_OK };
	const enum status status = transfer_prepare(&transfer);

	CHECK(status == STATUS_OK || status == STATUS_RECEIVER_LIMIT);
	worker->refused += status != STATUS_OK;
	if (status == STATUS_OK) {
		transfer_commit(&transfer);
		*one = (struct kept){ 1 - one->side, item[0].target };
		keep(worker, one->side, item[1].target);
		worker->moved++;
	}
	transfer_finish(&transfer);
}

static void *work(void *argument)
{
	struct worker *worker = argument;

	machine_run_on(worker->cpu);
	for (uint64_t i = 0; i < worker->rounds; i++) {
		const uint32_t index = (uint32_t)host_random_below(&worker->random, KEPT);

		if (index >= worker->count && worker->count < KEPT)
			add(worker);
		else if (worker->count == KEPT || host_random_once_in(&worker->random, 2))
			give_up(worker, index % worker->count);
		else
			send(worker, index);
	}
	while (worker->count != 0)
		give_up(worker, 0);
	return NULL;
}

static void begin(void)
{
	uint64_t limits[LEDGER_COUNT];
	handle_t owner;

	task_machine_start(FRAMES);
	task_machine_limits(limits, TASK_MACHINE_PLENTY);
	limits[LEDGER_CAP_SLOTS] = SLOTS;
	for (uint32_t i = 0; i < 2; i++)
		actor_begin_limited(&side[i], "shared", NULL, limits);
	owner = actor_make_endpoint(&side[0]);
	for (uint32_t i = 0; i < 2; i++)
		facet[i] = actor_make_client(&side[0], owner, i, &side[i]);
}

static void test_threads(void **state)
{
	static struct worker workers[WORKERS];
	uint64_t refused = 0, moved = 0;
	pthread_t threads[WORKERS];

	(void)state;
	begin();
	for (uint32_t i = 0; i < WORKERS; i++) {
		workers[i] = (struct worker){ .cpu = i, .rounds = host_rounds(40000), .random.state = i };
		assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
	}
	for (uint32_t i = 0; i < WORKERS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		refused += workers[i].refused;
		moved += workers[i].moved;
	}
	print_message("%u moved, %u refused\n", (unsigned)moved, (unsigned)refused);
	assert_true(moved > 0);
	assert_true(refused > 0);
	assert_int_equal(actor_used(&side[0], LEDGER_CAP_SLOTS), 2);
	assert_int_equal(actor_used(&side[1], LEDGER_CAP_SLOTS), 1);
	for (uint32_t i = 0; i < 2; i++)
		actor_end(&side[i]);
	task_machine_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_threads) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
