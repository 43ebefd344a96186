#include "user/shell/launch.h"

#include "lib/check.h"
#include "lib/status.h"
#include "lib/string.h"
#include "user/runtime/print.h"
#include "user/runtime/ring_client.h"
#include "user/shell/boot_manifest.h"
#include "user/shell/exit_report.h"
#include "user/shell/job.h"
#include "user/shell/launch_plan.h"
#include "user/shell/size_text.h"

#define HALT_CODE_MAX 63u
#define NEAR 2u

static bool say_no_program(struct shell *shell, const char *name)
{
	struct boot_package_entry entry, nearest = { 0 };
	uint32_t best = NEAR + 1;

	for (uint64_t i = 0; boot_package_client_stat(shell->package, i, &entry) == STATUS_OK; i++) {
		uint32_t distance = words_distance(name, entry.name);

		if (distance < best && distance < strlen(name)) {
			best = distance;
			nearest = entry;
		}
	}
	if (nearest.name[0] != '\0')
		print("run: no program %s; did you mean `%s`?\n", name, nearest.name);
	else
		print("run: no program %s; `ls` lists what there is\n", name);
	return false;
}

static uint64_t free_frames(struct shell *shell)
{
	struct memory_statistics statistics;

	return virtual_memory_client_statistics(shell->memory, &statistics) == STATUS_OK ? statistics.system_free_frames
											 : 0;
}

/* Begin the process and its job, or say why not. */
static bool begin(struct shell *shell, const struct launch_plan *plan, struct job **job)
{
	static struct process_builder builder;
	struct process_client process;
	enum status status;

	if (job_reserve(job) != STATUS_OK) {
		print("%s: %u jobs are enough; `wait` for one\n", plan->program, JOBS_MAX);
		return false;
	}
	if (!launch_plan_build(plan, shell, &builder))
		return false;
	status = process_client_spawn(shell->spawner, &builder, &process);
	launch_plan_settle(&builder, status == STATUS_OK);
	if (status == STATUS_NOT_FOUND)
		return say_no_program(shell, plan->program);
	if (status != STATUS_OK) {
		print("%s could not be started: %s\n", plan->program, status_name(status));
		return false;
	}
	status = job_begin(*job, plan->program, process);
	if (status == STATUS_OK)
		return true;
	print("%s: its end can't be waited for: %s\n", plan->program, status_name(status));
	(void)process_client_kill(process); /* or it would run without anyone to end it */
	(void)ring_client_release(process.handle);
	return false;
}

static bool run_in_background(struct shell *shell, const struct launch_plan *plan)
{
	struct job *job;

	if (!begin(shell, plan, &job))
		return false;
	print("%s runs as process %lu\n", job->name, job->process.process_id);
	return true;
}

/* What the program took must have come back; that can be seen if nothing else ran, and if it took all of it itself. */
static void show_frames(struct shell *shell, const struct launch_plan *plan, uint64_t before)
{
	if (job_count() != 0)
		print("; other jobs run\n");
	else if (launch_plan_moves(plan))
		print("; what was moved to it is gone\n");
	else
		exit_report_frames(before, free_frames(shell));
}

static bool run_in_foreground(struct shell *shell, const struct launch_plan *plan)
{
	uint64_t before = free_frames(shell);
	struct job *job;

	print_flush();
	if (!begin(shell, plan, &job))
		return false;
	if (!job_wait_for(job, true, launch_plan_reads(plan)))
		return false;
	bool is_well = job->status == STATUS_OK && job->exit.end == PROCESS_EXITED && job->exit.code == 0;

	exit_report_show(job);
	job_forget(job); /* the handle, too, takes memory */
	show_frames(shell, plan, before);
	return is_well;
}

bool launch_run(struct shell *shell, const struct words *words)
{
	struct launch_plan plan;

	if (!launch_plan_read(&plan, words))
		return false;
	return plan.is_background ? run_in_background(shell, &plan) : run_in_foreground(shell, &plan);
}

bool launch_spawn(struct shell *shell, const struct words *words)
{
	struct launch_plan plan;

	return launch_plan_read(&plan, words) && run_in_background(shell, &plan);
}

void launch_at_boot(struct shell *shell)
{
	struct manifest_text at = { .next = 0 };
	struct manifest_program section;
	struct launch_plan plan;

	while (boot_manifest_next(&at, &section) == STATUS_OK) {
		if (!section.starts)
			continue;
		launch_plan_of_section(&plan, &section);
		(void)run_in_background(shell, &plan);
	}
}

bool launch_list(struct shell *shell, const struct words *words)
{
	struct boot_package_entry entry;
	uint64_t count = 0;
	enum status status;

	(void)words;
	while ((status = boot_package_client_stat(shell->package, count, &entry)) == STATUS_OK) {
		print("%10lu  %-24s (%s)\n", entry.size, entry.name, size_text_of_bytes(entry.size).text);
		count++;
	}
	if (status != STATUS_NOT_FOUND) {
		print("ls: %s\n", status_name(status));
		return false;
	}
	print("%lu files\n", count);
	return true;
}

bool launch_halt(struct shell *shell, const struct words *words)
{
	uint64_t code = 0;

	if (words->count > 1 && (!words_number(words->word[1], &code) || code > HALT_CODE_MAX)) {
		print("halt: CODE is a number from 0 to %u, not %s\n", HALT_CODE_MAX, words->word[1]);
		return false;
	}
	print_flush();
	print("halt: %s\n", status_name(system_control_client_halt(shell->system, code)));
	return false;
}
