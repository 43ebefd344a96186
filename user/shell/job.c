#include "user/shell/job.h"

#include <stddef.h>

#include "lib/check.h"
#include "lib/status.h"
#include "lib/string.h"
#include "user/runtime/print.h"
#include "user/runtime/ring_client.h"
#include "user/shell/event.h"
#include "user/shell/exit_report.h"
#include "user/shell/keyboard.h"

static struct job jobs[JOBS_MAX];

_Static_assert(JOBS_MAX + 3 <= RING_SQ_ENTRIES, "every job's end, a key, a ^C and a call are open at once");

enum status job_reserve(struct job **job)
{
	for (uint32_t i = 0; i < JOBS_MAX; i++) {
		if (jobs[i].is_used)
			continue;
		*job = &jobs[i];
		return STATUS_OK;
	}
	return STATUS_BUSY;
}

enum status job_begin(struct job *job, const char *name, struct process_client process)
{
	*job = (struct job){ .process = process };
	(void)string_copy(job->name, sizeof(job->name), name);
	TRY(process_client_wait_submit(process, &job->exit, EVENT_JOB + (uint64_t)(job - jobs)));
	job->is_used = true;
	return STATUS_OK;
}

uint32_t job_count(void)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < JOBS_MAX; i++)
		count += jobs[i].is_used;
	return count;
}

void job_take(const struct ring_completion *completion)
{
	uint64_t index = completion->user_data - EVENT_JOB;

	if (index >= JOBS_MAX || !jobs[index].is_used)
		return;
	jobs[index].status = ring_client_status(completion);
	jobs[index].has_ended = true;
}

void job_forget(struct job *job)
{
	/* The handle is the shell's own: a refusal would only say that it is gone already. */
	(void)ring_client_release(job->process.handle);
	job->is_used = false;
}

bool job_wait_for(struct job *job, bool kills, bool reads)
{
	(void)keyboard_interrupted();
	while (!job->has_ended) {
		/* A console that refuses is no reason not to wait. */
		if (!reads)
			(void)keyboard_watch();
		enum status status = event_handle(CAP_ENTER_FOREVER);

		if (status != STATUS_OK) {
			print("%s (process %lu): its end can't be waited for: %s\n", job->name, job->process.process_id,
			      status_name(status));
			return false;
		}
		if (!keyboard_interrupted())
			continue;
		print("^C\n");
		if (!kills)
			return false;
		status = process_client_kill(job->process);
		if (status != STATUS_OK)
			print("%s (process %lu) can't be ended: %s\n", job->name, job->process.process_id,
			      status_name(status));
	}
	return true;
}

static void report(struct job *job)
{
	exit_report_show(job);
	print("\n");
	job_forget(job);
}

void job_report(void)
{
	/* Only what is there already: nothing is waited for. */
	while (event_handle(0) == STATUS_OK)
		continue;
	for (uint32_t i = 0; i < JOBS_MAX; i++) {
		if (jobs[i].is_used && jobs[i].has_ended)
			report(&jobs[i]);
	}
}

bool job_show(struct shell *shell, const struct words *words)
{
	(void)shell;
	(void)words;
	for (uint32_t i = 0; i < JOBS_MAX; i++) {
		struct process_statistics statistics;

		if (!jobs[i].is_used)
			continue;
		enum status status = process_client_statistics(jobs[i].process, &statistics);

		if (status != STATUS_OK)
			print("%6lu %-20s %s\n", jobs[i].process.process_id, jobs[i].name, status_name(status));
		else
			print("%6lu %-20s %s, %u threads, %lu.%03lu s\n", jobs[i].process.process_id, jobs[i].name,
			      statistics.ended != 0 ? "ended" : "runs", statistics.threads,
			      statistics.run_ns / 1000000000, statistics.run_ns / 1000000 % 1000);
	}
	print("%u jobs\n", job_count());
	return true;
}

/* The job that the command names; says so if there is none. */
static bool find(const struct words *words, struct job **job)
{
	uint64_t process_id;

	if (!words_number(words->word[1], &process_id)) {
		print("%s: PID is a number, not %s\n", words->word[0], words->word[1]);
		return false;
	}
	for (uint32_t i = 0; i < JOBS_MAX; i++) {
		if (jobs[i].is_used && jobs[i].process.process_id == process_id) {
			*job = &jobs[i];
			return true;
		}
	}
	print("%s: process %lu is no job of this shell; `jobs` lists these\n", words->word[0], process_id);
	return false;
}

static bool wait_and_report(struct job *job)
{
	if (!job_wait_for(job, false, false)) {
		print("%s (process %lu) goes on\n", job->name, job->process.process_id);
		return false;
	}
	report(job);
	return true;
}

bool job_wait(struct shell *shell, const struct words *words)
{
	struct job *job;

	(void)shell;
	if (words->count > 1)
		return find(words, &job) && wait_and_report(job);
	for (uint32_t i = 0; i < JOBS_MAX; i++) {
		if (jobs[i].is_used && !wait_and_report(&jobs[i]))
			return false;
	}
	return true;
}

bool job_kill(struct shell *shell, const struct words *words)
{
	struct job *job;

	(void)shell;
	if (!find(words, &job))
		return false;
	enum status status = process_client_kill(job->process);

	if (status != STATUS_OK) {
		print("kill: %s\n", status_name(status));
		return false;
	}
	return wait_and_report(job);
}
