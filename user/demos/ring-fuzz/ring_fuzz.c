/*
 * ring-fuzz [SECONDS [SEED]]: processes that submit operations at random to the kernel, most of them likely to be
 * carried out, the rest spoilt; with limits of their own, threads that share all they have, and rings that others write
 * to. They end by faults of their own making, or are killed, and others follow. After each second every invariant of
 * the kernel must hold; in the end ledgers and frames must be as they were.
 *
 * It ends with a table: for each operation how often it was submitted, and what came of it; the statuses by name; and
 * "N submissions, hash H": of all that was submitted and answered, which on one CPU of a machine that repeats exactly
 * is the same for the same seed. The last line is "N passed, N failed": each look at the invariants, and the end.
 */
#include <stddef.h>

#include "lib/check.h"
#include "user/demos/ring-fuzz/fuzz_worker.h"
#include "user/protocol/number_text.h"
#include "user/protocol/random_sequence.h"
#include "user/runtime/print.h"
#include "user/testing/trial.h"
#include "user/testing/trial_child.h"

#define WORKERS 8u
#define DEFAULT_SECONDS 10u
#define DRIVER_PRIORITY 7u
#define SECOND TRIAL_MS(1000)
#define STEP_MS 40u     /* between two looks at who has ended */
#define LIVES_STEPS 25u /* at most */
#define TORN_ONE_IN 4u  /* workers whose ring is written to */

struct worker {
	struct process_client process;
	struct process_wait wait;
	struct fuzz_figures *figures;
	uint32_t steps; /* that it still has to live */
};

static struct {
	struct worker worker[WORKERS];
	struct memory_object_client figures;
	struct random_sequence random;
	uint64_t seed, seconds;
	uint64_t looks, started, ends[PROCESS_KILLED + 1];
} fuzz;

static const struct trial_role roles[] = { { "worker", fuzz_worker_role } };

/* ---- workers ---- */

static void start(uint32_t number)
{
	const struct memory_object_part part = { .offset = TRIAL_BYTES(number * FUZZ_FIGURE_PAGES),
						 .length = TRIAL_BYTES(FUZZ_FIGURE_PAGES) };
	struct worker *worker = &fuzz.worker[number];
	struct memory_object_client pages;
	struct process_builder builder;

	trial_child_build(&builder, "worker");
	trial_child_argument(&builder, random_sequence_next(&fuzz.random) >> 1);
	trial_child_argument(&builder, random_sequence_below(&fuzz.random, TORN_ONE_IN) == 0);
	trial_child_give_everything(&builder);
	builder.grant[0] = builder.grant[--builder.request.grant_count]; /* no console: it would write there */
	EXPECT_OK(memory_object_client_restrict(fuzz.figures, &part, &pages));
	trial_child_move(&builder, "figures", pages.handle);
	process_builder_limit(&builder, LEDGER_VIRTUAL_RESERVATION, 1 << 20);
	process_builder_limit(&builder, LEDGER_FRAME_GRANT, 800);
	process_builder_limit(&builder, LEDGER_IMAGE, 700);
	process_builder_limit(&builder, LEDGER_PAGE_TABLE, 200);
	process_builder_limit(&builder, LEDGER_CAP_SLOTS, 300);
	process_builder_limit(&builder, LEDGER_KERNEL_OBJECT, 200 * PAGE_SIZE);
	EXPECT_OK(trial_child_start(&builder, &worker->process));
	EXPECT_OK(process_client_wait_begin(worker->process, &worker->wait));
	worker->steps = 1 + (uint32_t)random_sequence_below(&fuzz.random, LIVES_STEPS);
	fuzz.started++;
}

static void finish(struct worker *worker)
{
	EXPECT(worker->wait.exit.end <= PROCESS_KILLED);
	fuzz.ends[worker->wait.exit.end]++;
	EXPECT_OK(ring_client_release(worker->process.handle));
}

static void end_worker(struct worker *worker)
{
	EXPECT_OK(process_client_kill(worker->process));
	EXPECT_OK(process_client_wait_within(&worker->wait, CAP_ENTER_FOREVER));
	finish(worker);
}

/* Those that have ended, or whose time has come, are followed by others. */
static void attend(uint32_t number)
{
	struct worker *worker = &fuzz.worker[number];

	if (process_client_wait_within(&worker->wait, 0) == STATUS_OK) {
		finish(worker);
	} else if (--worker->steps == 0) {
		end_worker(worker);
	} else {
		return;
	}
	start(number);
}

/* ---- all of it ---- */

static void look(void)
{
	struct inspector_check check;

	EXPECT_OK(inspector_client_check(trial.inspector, &check));
	fuzz.looks++;
	if (check.broken != 0)
		trial_break("%lu of %lu invariants broken after %lu seconds: %s", check.broken, check.checked,
			    fuzz.looks, check.first_broken);
}

static void drive(void)
{
	uint64_t next_look = trial_now() + SECOND;

	while (fuzz.looks < fuzz.seconds && !trial.broken) {
		trial_sleep(TRIAL_MS(STEP_MS));
		for (uint32_t i = 0; i < WORKERS && !trial.broken; i++)
			attend(i);
		if (trial_now() < next_look)
			continue;
		look();
		next_look += SECOND;
	}
}

static void print_operations(const struct fuzz_figures *sum)
{
	print("%-24s %9s %9s %9s %9s %9s %9s %9s\n", "operation", "submitted", "ok", "request", "capability", "space",
	      "ran-out", "other");
	for (uint32_t i = 0; i < fuzz_operation_count; i++) {
		print("%-24s", fuzz_operation[i].name);
		for (uint32_t class = 0; class < FUZZ_CLASSES; class ++)
			print(" %9u", sum->count[i][class]);
		print("\n");
	}
}

static void print_statuses(const struct fuzz_figures *sum)
{
	for (uint32_t status = 0; status < FUZZ_STATUSES; status++)
		if (sum->status[status] != 0)
			print("status %u: %s\n", sum->status[status], status_name((enum status)status));
}

static void add(struct fuzz_figures *sum, const struct fuzz_figures *one)
{
	for (uint32_t i = 0; i < fuzz_operation_count; i++)
		for (uint32_t class = 0; class < FUZZ_CLASSES; class ++)
			sum->count[i][class] += one->count[i][class];
	for (uint32_t status = 0; status < FUZZ_STATUSES; status++)
		sum->status[status] += one->status[status];
	sum->enters += one->enters;
	sum->refused_enters += one->refused_enters;
	sum->surprises += one->surprises;
	sum->hash = sum->hash * UINT64_C(0x100000001b3) + one->hash;
}

static void report(void)
{
	static struct fuzz_figures sum;
	uint64_t submissions = 0;

	for (uint32_t i = 0; i < WORKERS; i++)
		add(&sum, fuzz.worker[i].figures);
	for (uint32_t i = 0; i < fuzz_operation_count; i++)
		submissions += sum.count[i][FUZZ_SUBMITTED];
	print_operations(&sum);
	print_statuses(&sum);
	print("workers %lu: exited %lu, faulted %lu, killed %lu; enters %lu, refused %lu\n", fuzz.started,
	      fuzz.ends[PROCESS_EXITED], fuzz.ends[PROCESS_FAULTED], fuzz.ends[PROCESS_KILLED], sum.enters,
	      sum.refused_enters);
	print("%lu submissions, hash %lx\n", submissions, sum.hash);
	if (sum.surprises != 0)
		trial_break("%lu answers that there should not be", sum.surprises);
}

static void run(void)
{
	void *address;

	EXPECT_OK(trial_object(WORKERS * FUZZ_FIGURE_PAGES, &fuzz.figures));
	EXPECT_OK(trial_map_object(fuzz.figures, WORKERS * FUZZ_FIGURE_PAGES, TRIAL_READ_WRITE, &address));
	for (uint32_t i = 0; i < WORKERS; i++)
		fuzz.worker[i].figures = (void *)((uint64_t)address + TRIAL_BYTES(i * FUZZ_FIGURE_PAGES));
	for (uint32_t i = 0; i < WORKERS && !trial.broken; i++)
		start(i);
	drive();
	for (uint32_t i = 0; i < WORKERS && !trial.broken; i++)
		end_worker(&fuzz.worker[i]);
	report();
	EXPECT_OK(memory_object_client_unmap(fuzz.figures, address, TRIAL_BYTES(WORKERS * FUZZ_FIGURE_PAGES)));
	EXPECT_OK(ring_client_release(fuzz.figures.handle));
}

int main(int argc, char **argv, char **envp)
{
	(void)envp;
	trial_begin("ring-fuzz", argc, argv);
	if (trial_is_role())
		return trial_role_run(roles, COUNT_OF(roles));
	if (!trial_has_everything())
		return 1;
	fuzz.seconds = DEFAULT_SECONDS;
	fuzz.seed = trial_now();
	if ((argc > 1 && number_text_parse(argv[1], &fuzz.seconds) != STATUS_OK) ||
	    (argc > 2 && number_text_parse(argv[2], &fuzz.seed) != STATUS_OK)) {
		print("ring-fuzz [SECONDS [SEED]]\n");
		return 1;
	}
	fuzz.random.state = fuzz.seed;
	print("ring-fuzz: seed %lu, %lu seconds\n", fuzz.seed, fuzz.seconds);
	if (thread_client_set_priority(trial.threads, 0, DRIVER_PRIORITY) != STATUS_OK)
		print("ring-fuzz: no priority above the workers'\n");
	trial_check_one("ring-fuzz", "", run);
	print("%lu passed, %u failed\n", fuzz.looks + trial.passed, trial.failed);
	return trial.failed == 0 ? 0 : 1;
}
