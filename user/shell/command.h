/*
 * The commands of the shell: one table of all of them, and finding one by name.
 *
 * A command says what went wrong itself and returns false; the shell goes on in either case. One that needs a
 * capability which the shell was not given is refused before it begins.
 */
#ifndef CAPOS_USER_SHELL_COMMAND_H
#define CAPOS_USER_SHELL_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "user/shell/line_editor.h"
#include "user/shell/shell.h"
#include "user/shell/words.h"

struct command {
	const char *name;
	const char *arguments; /* as help shows them */
	const char *summary;   /* one line */
	const char *more;      /* further lines for `help NAME`, or "" */
	uint32_t least, most;  /* arguments that it takes */
	uint32_t needs;        /* enum shell_need */
	bool (*run)(struct shell *shell, const struct words *words);
};

/* Run one line. Blank lines are fine. */
bool command_run(struct shell *shell, const char *line);

/* What the word that ends at the cursor might become: a command, or the name of a program or file. */
void command_complete(struct shell *shell, const char *line, uint32_t cursor, struct line_candidates *candidates);

#endif
