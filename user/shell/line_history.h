/*
 * The lines that were entered, oldest dropped first. Lost when the shell ends: there is no storage to keep it in.
 */
#ifndef CAPOS_USER_SHELL_LINE_HISTORY_H
#define CAPOS_USER_SHELL_LINE_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#define LINE_BYTES 256u /* with the terminating 0 */
#define LINE_HISTORY_LINES 32u

struct line_history {
	uint32_t added; /* ever */
	char line[LINE_HISTORY_LINES][LINE_BYTES];
};

/* Empty lines and repetitions of the last line are not kept. */
void line_history_add(struct line_history *history, const char *line);

/* How many can be asked for. */
uint32_t line_history_count(const struct line_history *history);

/* The line entered `back` lines ago, 1 .. count. */
const char *line_history_get(const struct line_history *history, uint32_t back);

#endif
