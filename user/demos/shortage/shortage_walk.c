/*
 * shortage SET STEP [FIRST [COUNT]]: memory that runs out everywhere. In a kernel built with FAULTS=1, as init. Each
 * scenario of the set (scenario.h) runs again and again, each time as a process of its own. For k = 1, 1 + STEP, ...
 * until it ends before the k-th comes (from 512 on by steps that grow): the k-th want of memory from its spawn on is
 * refused; the k-th and all after it are. Then each K-th, for K = 2, 4 ... 64. After each run every invariant of the
 * kernel must hold and as many frames be free as before. FIRST and COUNT choose scenarios, or numbers of the one
 * that is numbered; FIRST may also be the name of a trial of that one, which is then the only one.
 *
 * One line a run: "run NAME, K: asked N refused N told STATUS=N,... ended HOW", where K is "none" for the first, in
 * which nothing is refused and which must end well, "k", "from k on", or "every K"; and "WRONG NAME: what". A run whose
 * program leaves processes behind ends this program too: then the kernel ends them all, looks at the frames, and
 * starts it again, and it goes on from where it was, which it left with the kernel as a note.
 */
#include <stddef.h>

#include "lib/check.h"
#include "lib/fault_name.h"
#include "lib/format.h"
#include "lib/status.h"
#include "lib/string.h"
#include "user/demos/shortage/scenario.h"
#include "user/protocol/number_text.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/print.h"
#include "user/runtime/program.h"
#include "user/runtime/system_control_client.h"
#include "user/testing/trial.h"
#include "user/testing/trial_child.h"

#define DRIVER_PRIORITY 7u
#define PATIENCE TRIAL_MS(20000)
#define LOOK_NS TRIAL_MS(1)
#define LOOKS 200u      /* at processes that are left and may be about to end */
#define MOST_PERIOD 64u /* then the scenario is done */
#define MANY 512u       /* from there on k grows ... */
#define MANY_PART 8u    /* ... by that part of it */
#define TEXT_BYTES 400u
#define HALT_FAILED 1

/* What is refused. */
enum pattern {
	PATTERN_ONCE,  /* the k-th; for k 0 none */
	PATTERN_ON,    /* from the k-th on */
	PATTERN_EVERY, /* each k-th */
};

/* Which run: how the kernel's note has it. */
struct place {
	uint32_t scenario; /* of the set */
	uint32_t number;   /* of those that are numbered */
	uint32_t k;
	enum pattern pattern;
};

static struct {
	const struct scenario_set *set;
	uint64_t step, first, count;
	const char *name; /* of the only trial that is wanted; NULL: they go by number */
	struct system_control_client system;
	struct place place;
	uint64_t runs, failed;
} driver;

/* Of one run. */
static struct {
	struct shortage_report report;
	char name[TEXT_BYTES];
	char end[TEXT_BYTES];
	char wrong[TEXT_BYTES]; /* empty: nothing is */
	bool is_beyond;         /* there is no scenario of that number */
	bool is_well;           /* it exited with 0 */
	bool leaves_processes;
} run;

/* ---- the note ---- */

static uint64_t note_of_place(const struct place *place)
{
	return UINT64_C(1) << 63 | (uint64_t)place->pattern << 61 | (uint64_t)place->scenario << 52 |
	       (uint64_t)place->number << 32 | place->k;
}

static struct place place_of_note(uint64_t note)
{
	return (struct place){ .pattern = (enum pattern)(note >> 61 & 3),
			       .scenario = (uint32_t)(note >> 52 & 0x1ff),
			       .number = (uint32_t)(note >> 32 & 0xfffff),
			       .k = (uint32_t)note };
}

/* A new order, with the note that stands for `place`; the report is of the one before. */
static void order(uint64_t first, uint64_t period, const struct place *place)
{
	const struct system_control_shortage shortage = {
		.places = SHORTAGE_EVERYWHERE, .first = first, .period = period, .note = note_of_place(place)
	};

	CHECK(system_control_client_shortage(driver.system, &shortage, &run.report) == STATUS_OK);
}

static uint64_t sum_of(const uint64_t *count, uint32_t places)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < places; i++)
		sum += count[i];
	return sum;
}

/* ---- one run ---- */

static void complain(const char *text, uint64_t first, uint64_t second)
{
	if (run.wrong[0] == 0)
		(void)format(run.wrong, sizeof(run.wrong), text, (unsigned long)first, (unsigned long)second);
}

/* Which trial of a scenario that is numbered. */
static const char *trial_word(char number[24])
{
	if (driver.name != NULL)
		return driver.name;
	(void)format(number, 24, "%u", driver.place.number);
	return number;
}

static void build(struct process_builder *builder, const struct scenario *scenario)
{
	char number[24];

	CHECK(process_builder_init(builder, scenario->program) == STATUS_OK);
	CHECK(process_builder_program(builder, scenario->program) == STATUS_OK);
	CHECK(process_builder_argument(builder, scenario->program) == STATUS_OK);
	for (uint32_t i = 0; i < SCENARIO_ARGUMENTS && scenario->argument[i] != NULL; i++)
		CHECK(process_builder_argument(builder, scenario->argument[i]) == STATUS_OK);
	if (scenario->is_numbered)
		CHECK(process_builder_argument(builder, trial_word(number)) == STATUS_OK);
	trial_child_copy(builder, "console", trial.console.handle);
	trial_child_copy(builder, "timer", trial.timer.handle);
	trial_child_copy(builder, "package", trial.package.handle);
	trial_child_copy(builder, "inspector", trial.inspector.handle);
	trial_child_copy(builder, "spawner", trial.spawner.handle);
	trial_child_copy(builder, "endpoints", trial.endpoints.handle);
	trial_child_copy(builder, "frames", trial.frames.handle);
	trial_child_copy(builder, "system", driver.system.handle);
	CHECK(process_builder_grant_usual(builder) == STATUS_OK);
	CHECK(process_builder_limit_share(builder, trial.memory, 9, 10) == STATUS_OK);
	process_builder_priority(builder, DRIVER_PRIORITY - 1);
}

static void name_end(const struct process_exit *exit, bool was_ended)
{
	run.is_well = exit->end == PROCESS_EXITED && exit->code == 0;
	run.is_beyond = exit->end == PROCESS_EXITED && exit->code == TRIAL_NONE;
	if (was_ended)
		(void)format(run.end, sizeof(run.end), "by us, after its time");
	else if (exit->end == PROCESS_FAULTED)
		(void)format(run.end, sizeof(run.end), "fault %s", fault_name((enum user_fault_kind)exit->fault_kind));
	else
		(void)format(run.end, sizeof(run.end), "exit %ld", (long)exit->code);
}

/* With the order given. What the driver itself asks for meanwhile needs no memory. */
static void start_and_wait(const struct process_builder *builder)
{
	bool was_ended = false;
	struct process_client process;
	struct process_wait wait;
	enum status status = trial_child_start(builder, &process);

	run.is_well = run.is_beyond = false;
	if (status != STATUS_OK) {
		(void)format(run.end, sizeof(run.end), "not started: %s", status_name(status));
		return;
	}
	CHECK(process_client_wait_begin(process, &wait) == STATUS_OK);
	if (process_client_wait_within(&wait, PATIENCE) != STATUS_OK) {
		was_ended = true;
		CHECK(process_client_kill(process) == STATUS_OK);
		CHECK(process_client_wait_within(&wait, CAP_ENTER_FOREVER) == STATUS_OK);
	}
	name_end(&wait.exit, was_ended);
	CHECK(ring_client_release(process.handle) == STATUS_OK);
}

static bool is_alone(void)
{
	struct inspector_process process;

	return inspector_client_process(trial.inspector, 1, &process) == STATUS_NOT_FOUND;
}

static void look_at_everything(const struct trial_reading *before)
{
	struct inspector_check check;

	for (uint32_t i = 0; i < LOOKS && !is_alone(); i++)
		trial_sleep(LOOK_NS);
	run.leaves_processes = !is_alone();
	CHECK(inspector_client_check(trial.inspector, &check) == STATUS_OK);
	if (check.broken != 0) {
		print("broken: %s\n", check.first_broken);
		complain("%lu of %lu invariants are broken", check.broken, check.checked);
	}
	if (run.leaves_processes)
		return; /* the kernel looks at the frames when it has ended them */
	struct trial_reading after = trial_read();

	if (before->machine.free_frames != after.machine.free_frames)
		complain("%lu frames were free before, %lu are after", before->machine.free_frames,
			 after.machine.free_frames);
	for (uint32_t i = 0; i < LEDGER_COUNT; i++)
		if (before->statistics.ledger[i].used != after.statistics.ledger[i].used ||
		    before->statistics.ledger[i].limit != after.statistics.ledger[i].limit)
			complain("ledger %lu is not as before, but %lu", i, after.statistics.ledger[i].used);
}

/* ---- what is said of it ---- */

static void name_run(const struct scenario *scenario)
{
	char number[24];

	(void)format(run.name, sizeof(run.name), "%s%s%s%s%s", scenario->program,
		     scenario->argument[0] != NULL ? " " : "",
		     scenario->argument[0] != NULL ? scenario->argument[0] : "", scenario->is_numbered ? " " : "",
		     scenario->is_numbered ? trial_word(number) : "");
}

static void print_order(void)
{
	static const char *const before[] = { [PATTERN_ONCE] = "", [PATTERN_ON] = "from ", [PATTERN_EVERY] = "every " };

	if (driver.place.k == 0)
		print(", none");
	else
		print(", %s%u%s", before[driver.place.pattern], driver.place.k,
		      driver.place.pattern == PATTERN_ON ? " on" : "");
}

static void print_told(void)
{
	const char *separator = " ";

	for (uint32_t status = 0; status < SHORTAGE_STATUSES; status++) {
		if (run.report.told[status] == 0)
			continue;
		print("%s%s=%lu", separator, status_name((enum status)status), run.report.told[status]);
		separator = ",";
	}
}

static void report(void)
{
	driver.runs++;
	driver.failed += run.wrong[0] != 0;
	print("run %s", run.name);
	print_order();
	print(": asked %lu refused %lu told", sum_of(run.report.asked, SHORTAGE_PLACES),
	      sum_of(run.report.refused, SHORTAGE_PLACES));
	print_told();
	print(" ended %s%s\n", run.end, run.leaves_processes ? ", processes left" : "");
	if (run.wrong[0] != 0)
		print("WRONG %s: %s\n", run.name, run.wrong);
}

/* ---- all of them ---- */

static bool set_is_numbered(void)
{
	return driver.set->count != 0 && driver.set->scenario[0].is_numbered;
}

static struct place next_scenario(struct place place)
{
	if (!run.is_beyond && set_is_numbered() && place.number + 1 < driver.first + driver.count)
		return (struct place){ .scenario = place.scenario, .number = place.number + 1 };
	return (struct place){ .scenario = place.scenario + 1 };
}

/* The place after this one, which was run; `was_reached`: something was refused. */
static struct place next_place(struct place place, bool was_reached)
{
	if (place.k == 0) {
		place.k = 1;
		return place;
	}
	switch (place.pattern) {
	case PATTERN_ONCE:
		place.pattern = was_reached ? PATTERN_ON : PATTERN_EVERY;
		place.k = was_reached ? place.k : 2;
		return place;
	case PATTERN_ON:
		place.pattern = PATTERN_ONCE;
		place.k += (uint32_t)driver.step + (place.k >= MANY ? place.k / MANY_PART : 0);
		return place;
	case PATTERN_EVERY:
		break;
	}
	place.k *= 2;
	return place.k <= MOST_PERIOD ? place : next_scenario(place);
}

/* Begin what stands for the driver's place. */
static void order_run(void)
{
	const uint32_t k = driver.place.k;
	const uint64_t period[] = { [PATTERN_ONCE] = 0, [PATTERN_ON] = 1, [PATTERN_EVERY] = k };

	order(k, period[driver.place.pattern], &driver.place);
}

static void run_here(void)
{
	const struct scenario *scenario = &driver.set->scenario[driver.place.scenario];
	const struct trial_reading before = trial_read();
	static struct process_builder builder;

	run.wrong[0] = 0;
	name_run(scenario);
	build(&builder, scenario);
	order_run();
	start_and_wait(&builder);
	order(0, 0, &driver.place);
	if (run.is_beyond && driver.place.k == 0 && driver.name == NULL) {
		driver.place = next_scenario(driver.place);
		return;
	}
	if (driver.place.k == 0 && !run.is_well)
		complain("it does not end well by itself", 0, 0);
	look_at_everything(&before);
	report();
	driver.place = next_place(driver.place, sum_of(run.report.refused, SHORTAGE_PLACES) != 0);
	order(0, 0, &driver.place); /* the note */
	if (run.leaves_processes)
		program_exit(driver.failed == 0 ? 0 : HALT_FAILED); /* and is started again */
}

static enum status read_arguments(int argc, char **argv)
{
	driver.step = 1;
	driver.count = UINT32_MAX;
	GUARD(argc >= 3 && argc <= 5, STATUS_BAD_ARGUMENT);
	driver.set = scenario_find_set(argv[1]);
	GUARD(driver.set != NULL, STATUS_NOT_FOUND);
	TRY(number_text_parse(argv[2], &driver.step));
	GUARD(driver.step != 0, STATUS_BAD_ARGUMENT);
	if (argc == 4 && set_is_numbered() && number_text_parse(argv[3], &driver.first) != STATUS_OK) {
		driver.name = argv[3];
		driver.first = 0;
		driver.count = 1;
		return STATUS_OK;
	}
	if (argc > 3)
		TRY(number_text_parse(argv[3], &driver.first));
	if (argc > 4)
		TRY(number_text_parse(argv[4], &driver.count));
	if (set_is_numbered())
		driver.place.number = (uint32_t)driver.first;
	else
		driver.place.scenario = (uint32_t)driver.first;
	return STATUS_OK;
}

/* What an order takes that is none. */
static void try_bad_order(void)
{
	const struct system_control_shortage nowhere = { .places = SHORTAGE_EVERYWHERE + 1 };

	if (system_control_client_shortage(driver.system, &nowhere, &run.report) != STATUS_BAD_ARGUMENT)
		print("WRONG an order at a place that there is not is taken\n");
}

/* Where the init before this one was, if there was one. */
static void go_on(void)
{
	const struct system_control_shortage none = { 0 };

	CHECK(system_control_client_shortage(driver.system, &none, &run.report) == STATUS_OK);
	if (run.report.note != 0)
		driver.place = place_of_note(run.report.note);
	else
		print("boot: asked %lu\n", sum_of(run.report.asked, SHORTAGE_PLACES));
}

int main(int argc, char **argv, char **envp)
{
	enum status status = read_arguments(argc, argv);

	(void)envp;
	trial_begin("shortage", argc, argv);
	if (status == STATUS_OK)
		status = capset_client_find("system", INTERFACE_SYSTEM_CONTROL, &driver.system.handle);
	if (status != STATUS_OK || !trial_has_everything()) {
		print("shortage: %s\n", status_name(status));
		return 1;
	}
	CHECK(thread_client_set_priority(trial.threads, 0, DRIVER_PRIORITY) == STATUS_OK);
	try_bad_order();
	go_on();
	while (driver.place.scenario < driver.set->count &&
	       (set_is_numbered() || driver.place.scenario < driver.first + driver.count))
		run_here();
	print("%lu runs in the end, %lu failed\n", driver.runs, driver.failed);
	print_flush();
	return (int)system_control_client_halt(driver.system, driver.failed == 0 ? 0 : HALT_FAILED);
}
