/*
 * Children of a trial: the same program in a role, with limits of its own and what it is granted.
 */
#ifndef CAPOS_USER_TESTING_TRIAL_CHILD_H
#define CAPOS_USER_TESTING_TRIAL_CHILD_H

#include <stdint.h>

#include "abi/process_abi.h"
#include "user/runtime/process_client.h"

/*
 * A request for the role: console, timer, and memory, threads and park of its own; limits for a small program with a
 * few threads. Texts that do not fit end the program.
 */
void trial_child_build(struct process_builder *builder, const char *role);

/* One more number for trial_argument. */
void trial_child_argument(struct process_builder *builder, uint64_t number);

void trial_child_copy(struct process_builder *builder, const char *name, handle_t capability);
void trial_child_move(struct process_builder *builder, const char *name, handle_t capability);

/* All that the program itself has, and limits for a program with a child of its own: a machine of 16 MiB has them. */
void trial_child_give_everything(struct process_builder *builder);

enum status trial_child_start(const struct process_builder *builder, struct process_client *process);

/* Wait for it, give its handle up, and break the trial if it ended in another way. */
void trial_child_expect(struct process_client process, enum process_end end, int64_t code);

/* The same for the report; the handle stays. */
struct process_exit trial_child_wait(struct process_client process);

/* Kill it, wait for it and give its handle up. It may have ended before. */
void trial_child_finish(struct process_client process);

/* Build, start and expect it to exit with 0. */
void trial_child_run(const char *role, uint64_t argument);

#endif
