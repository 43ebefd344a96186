/*
 * The processes that the shell started and whose handle it still holds. Their ends are noticed by event_handle.
 */
#ifndef CAPOS_USER_SHELL_JOB_H
#define CAPOS_USER_SHELL_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/ring_abi.h"
#include "user/runtime/process_client.h"
#include "user/shell/shell.h"
#include "user/shell/words.h"

/* A thread has RING_SQ_ENTRIES places for open operations: the console takes two, a call another. */
#define JOBS_MAX 12u

struct job {
	struct process_client process;
	struct process_exit exit; /* the kernel writes it */
	enum status status;
	bool is_used;
	bool has_ended; /* `exit` is good, if `status` is OK */
	char name[PROCESS_NAME_BYTES];
};

/* BUSY: there are JOBS_MAX. */
enum status job_reserve(struct job **job);

/* Of a job reserved: it has begun. WOULD_BLOCK: nothing tells its end, for want of room in the ring. */
enum status job_begin(struct job *job, const char *name, struct process_client process);

/* How many there are, ended ones that were not reported included. */
uint32_t job_count(void);

/* For event_handle. */
void job_take(const struct ring_completion *completion);

/* Wait for its end. ^C ends it if `kills`; else the wait is over, and false. A program that reads itself (`reads`)
 * gets ^C like any other byte. */
bool job_wait_for(struct job *job, bool kills, bool reads);

/* Give up the handle; the process, if it still runs, goes on. */
void job_forget(struct job *job);

/* Say how background jobs ended, and forget these. */
void job_report(void);

/* The commands `jobs`, `wait`, `kill`. */
bool job_show(struct shell *shell, const struct words *words);
bool job_wait(struct shell *shell, const struct words *words);
bool job_kill(struct shell *shell, const struct words *words);

#endif
