/*
 * What the self-checking programs of several processes are made of. A trial is a function that returns when all is
 * well, or at the first EXPECT that does not hold; its line is "ok NAME" or "FAILED NAME: what". After each trial the
 * ledgers of the program and the frames of the machine must be what they were, and every invariant of the kernel must
 * hold: that is checked by itself.
 *
 * With the arguments "trial N" the program runs its N-th trial alone, from 0, with "trial NAME" that of the name, and
 * does not wait for what a broken one has left behind: for tests that break trials on purpose. The exit code is 2 if
 * there is no such trial.
 *
 * The program is also its own children: one that is started with the arguments "role NAME ..." runs the role of that
 * name and nothing else (trial_role_run), with the EXPECTs of its own.
 */
#ifndef CAPOS_USER_TESTING_TRIAL_H
#define CAPOS_USER_TESTING_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/memory_layout.h"
#include "lib/status.h"
#include "user/runtime/boot_package_client.h"
#include "user/runtime/console_client.h"
#include "user/runtime/endpoint_client.h"
#include "user/runtime/frame_allocator_client.h"
#include "user/runtime/inspector_client.h"
#include "user/runtime/park_client.h"
#include "user/runtime/process_client.h"
#include "user/runtime/ring_client.h"
#include "user/runtime/thread_client.h"
#include "user/runtime/timer_client.h"
#include "user/runtime/virtual_memory_client.h"

#define TRIAL_READ_WRITE (PROTECTION_READ | PROTECTION_WRITE)
#define TRIAL_BYTES(pages) ((uint64_t)(pages)*PAGE_SIZE)
#define TRIAL_MS(milliseconds) ((uint64_t)(milliseconds)*UINT64_C(1000000))

/* What the CapSet has under the usual names; HANDLE_NONE where it has nothing. */
struct trial {
	struct virtual_memory_client memory;
	struct frame_allocator_client frames;
	struct console_client console;
	struct timer_client timer;
	struct boot_package_client package;
	struct inspector_client inspector;
	struct process_spawner_client spawner;
	struct endpoint_factory_client endpoints;
	struct thread_client threads;
	struct park_client park;
	const char *program; /* file name in the boot package */
	int argc;
	char **argv;             /* as main got them; the environment follows */
	bool is_single;          /* only one trial is wanted ... */
	uint64_t wanted, seen;   /* ... that one, by number; trials so far */
	const char *wanted_name; /* or by name, unless NULL */
	uint32_t passed, failed;
	bool broken; /* the trial under way has failed; atomic */
};

extern struct trial trial;

struct trial_case {
	const char *name;
	void (*run)(void);
};

struct trial_role {
	const char *name;
	void (*run)(void); /* its arguments: trial_argument */
};

/* All that a trial may not leave changed. */
struct trial_reading {
	struct memory_statistics statistics;
	struct inspector_memory machine;
};

/* Find the capabilities. */
void trial_begin(const char *program, int argc, char **argv);

/* Whether nothing of the usual names is missing; a line for each that is. */
bool trial_has_everything(void);

/* Whether this process was started as a role. */
bool trial_is_role(void);

/* Run it: the exit code, 0 if it was not broken. */
int trial_role_run(const struct trial_role *role, uint32_t count);

/* A number that the role was started with, from 0 on; 0 if there are fewer. */
uint64_t trial_argument(uint32_t index);

void trial_check(const struct trial_case *cases, uint32_t count);

/* One trial whose name is "FIRST SECOND". */
void trial_check_one(const char *first, const char *second, void (*run)(void));

#define TRIAL_NONE 2 /* exit code: there is no trial of that number */

/* "N passed, N failed"; the exit code. */
int trial_end(void);

/* The trial under way is broken. Any thread; the first reason counts. */
void trial_break(const char *text, ...) __attribute__((format(printf, 1, 2)));

struct trial_reading trial_read(void);
struct memory_statistics trial_statistics(void);
uint64_t trial_used(enum ledger_kind kind);

/* Break the trial if anything is not as it was; what ends at this moment is waited for. */
void trial_settle(const struct trial_reading *before);

/* Nanoseconds since boot. */
uint64_t trial_now(void);
void trial_sleep(uint64_t nanoseconds);

/* Whether *word gets to be `wanted` or more within a minute. */
bool trial_reaches(const uint32_t *word, uint32_t wanted);

/* Start a thread with the usual stack and the program's default priority. */
struct user_thread;
void trial_thread(struct user_thread *thread, int64_t (*function)(void *), void *argument);

/* Join it; the trial is broken if its code is another. */
void trial_join(struct user_thread *thread, int64_t code);

enum status trial_map(uint64_t pages, void **address);
enum status trial_unmap(const void *address, uint64_t pages);

/* Of `count` pages. */
enum status trial_object(uint64_t pages, struct memory_object_client *object);
enum status trial_map_object(struct memory_object_client object, uint64_t pages, uint32_t protection, void **address);

/* In a function without result only: they return from it. */
#define EXPECT(condition)                                                 \
	do {                                                              \
		if (!(condition)) {                                       \
			trial_break("%s, line %d", #condition, __LINE__); \
			return;                                           \
		}                                                         \
	} while (0)

#define EXPECT_STATUS(expression, wanted)                                                              \
	do {                                                                                           \
		enum status got_ = (expression);                                                       \
		if (got_ != (wanted)) {                                                                \
			trial_break("%s gives %s, line %d", #expression, status_name(got_), __LINE__); \
			return;                                                                        \
		}                                                                                      \
	} while (0)

#define EXPECT_OK(expression) EXPECT_STATUS(expression, STATUS_OK)

#define EXPECT_EQUAL(number, wanted)                                                             \
	do {                                                                                     \
		uint64_t got_ = (uint64_t)(number);                                              \
		uint64_t wanted_ = (uint64_t)(wanted);                                           \
		if (got_ != wanted_) {                                                           \
			trial_break("%s is %lu, not %lu, line %d", #number, (unsigned long)got_, \
				    (unsigned long)wanted_, __LINE__);                           \
			return;                                                                  \
		}                                                                                \
	} while (0)

#endif
