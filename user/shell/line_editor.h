/*
 * One line of input, edited on a terminal that understands the usual escape sequences. Pure: bytes of the keyboard go
 * in one at a time, bytes for the screen come out through `write`.
 *
 *   left right ^B ^F   move                 backspace ^H   delete before the cursor
 *   home end ^A ^E     to start, to end     delete ^D      delete at the cursor
 *   up down ^P ^N      history              ^K ^U ^W       delete to the end, to the start, the word before
 *   tab                complete             ^L ^C          clear the screen, abandon the line
 *
 * The line stays on one row: what does not fit is scrolled sideways. A character typed at the end is echoed alone, so
 * that the transcript of a piped session reads as if it had been typed.
 */
#ifndef CAPOS_USER_SHELL_LINE_EDITOR_H
#define CAPOS_USER_SHELL_LINE_EDITOR_H

#include <stddef.h>
#include <stdint.h>

#include "user/shell/line_history.h"

#define LINE_COLUMNS 80u
#define LINE_CANDIDATES 64u
#define LINE_CANDIDATE_BYTES 64u

enum line_event {
	LINE_CONTINUES, /* give more bytes */
	LINE_ENTERED,
	LINE_ABANDONED, /* ^C: the line is empty now */
};

/* What the word that ends at the cursor might become. */
struct line_candidates {
	uint32_t start; /* where that word begins in the line */
	uint32_t count;
	char name[LINE_CANDIDATES][LINE_CANDIDATE_BYTES];
};

enum line_escape {
	LINE_ESCAPE_NONE,
	LINE_ESCAPE_BEGUN, /* ESC */
	LINE_ESCAPE_SHORT, /* ESC O */
	LINE_ESCAPE_LONG,  /* ESC [ digits */
};

struct line_editor {
	/* given by the owner */
	const char *prompt;
	void (*write)(const char *text, size_t bytes);
	void (*complete)(const char *line, uint32_t cursor, struct line_candidates *candidates);

	char line[LINE_BYTES]; /* terminated */
	uint32_t length, cursor;
	uint32_t scrolled; /* characters hidden on the left */
	enum line_escape escape;
	uint32_t escape_number;
	uint32_t back;            /* line of the history that is shown, 0: the one being written */
	char written[LINE_BYTES]; /* that one, while another is shown */
	struct line_history history;
	struct line_candidates candidates;
};

/* An empty line, and the prompt on the screen. */
void line_editor_begin(struct line_editor *editor);

/* After LINE_ENTERED `line` holds the line, and the history has it too; begin again then. */
enum line_event line_editor_feed(struct line_editor *editor, char byte);

#endif
