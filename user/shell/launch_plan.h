/*
 * What a line `run PROGRAM ...` asks for, and the spawn request made of it and of the program's section in the
 * manifest.
 */
#ifndef CAPOS_USER_SHELL_LAUNCH_PLAN_H
#define CAPOS_USER_SHELL_LAUNCH_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/manifest_program.h"
#include "user/runtime/process_builder.h"
#include "user/shell/grant_list.h"
#include "user/shell/shell.h"
#include "user/shell/words.h"

struct launch_plan {
	const char *program;
	const char *const *argument; /* the line's */
	uint32_t arguments;
	bool is_background;
	struct grant_list with;
	bool has_section;
	struct manifest_program section;
};

/* Take the line apart: PROGRAM [ARGUMENT...] [with GRANTS] [&]. Says what is wrong with it. */
bool launch_plan_read(struct launch_plan *plan, const struct words *words);

/* The same of a section alone. */
void launch_plan_of_section(struct launch_plan *plan, const struct manifest_program *section);

/* Whether the program is given the console as "input". */
bool launch_plan_reads(const struct launch_plan *plan);

/* Whether the program gets something that the shell then has no more, and that ends with the program. */
bool launch_plan_moves(const struct launch_plan *plan);

/* The request. Says what can't be given. */
bool launch_plan_build(const struct launch_plan *plan, struct shell *shell, struct process_builder *builder);

/* After the spawn: names of what was moved are forgotten; or nothing was, and narrower objects are given up. */
void launch_plan_settle(const struct process_builder *builder, bool has_begun);

#endif
