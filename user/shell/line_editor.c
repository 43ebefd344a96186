#include "user/shell/line_editor.h"

#include <stdbool.h>

#include "lib/format.h"
#include "lib/string.h"

#define CONTROL(letter) ((letter)&0x1f)
#define ESCAPE 0x1b
#define DELETE 0x7f

static void write_text(const struct line_editor *editor, const char *text)
{
	editor->write(text, strlen(text));
}

static void bell(const struct line_editor *editor)
{
	write_text(editor, "\a");
}

/* The last column stays empty: writing into it would make some terminals wrap. */
static uint32_t visible_columns(const struct line_editor *editor)
{
	return LINE_COLUMNS - 1 - (uint32_t)strlen(editor->prompt);
}

/* Write prompt and line anew and put the cursor where it belongs, as one piece. */
static void redraw(struct line_editor *editor)
{
	uint32_t columns = visible_columns(editor);
	char screen[2 * LINE_COLUMNS];

	if (editor->cursor < editor->scrolled)
		editor->scrolled = editor->cursor;
	if (editor->cursor - editor->scrolled > columns)
		editor->scrolled = editor->cursor - columns;
	uint32_t shown = editor->length - editor->scrolled;

	if (shown > columns)
		shown = columns;
	uint32_t behind = editor->scrolled + shown - editor->cursor; /* columns from the end back to the cursor */

	(void)format(screen, sizeof(screen), "\r%s%.*s\x1b[K", editor->prompt, (int)shown,
		     editor->line + editor->scrolled);
	write_text(editor, screen);
	if (behind > 0) {
		(void)format(screen, sizeof(screen), "\x1b[%uD", behind);
		write_text(editor, screen);
	}
}

void line_editor_begin(struct line_editor *editor)
{
	editor->line[0] = '\0';
	editor->length = 0;
	editor->cursor = 0;
	editor->scrolled = 0;
	editor->back = 0;
	editor->escape = LINE_ESCAPE_NONE;
	write_text(editor, editor->prompt);
}

static void insert(struct line_editor *editor, const char *text, uint32_t bytes)
{
	if (bytes >= LINE_BYTES - editor->length) {
		bell(editor);
		return;
	}
	bool at_end = editor->cursor == editor->length;
	bool fits = editor->scrolled == 0 && editor->length + bytes <= visible_columns(editor);

	memmove(editor->line + editor->cursor + bytes, editor->line + editor->cursor,
		editor->length - editor->cursor + 1);
	memcpy(editor->line + editor->cursor, text, bytes);
	editor->length += bytes;
	editor->cursor += bytes;
	if (at_end && fits)
		editor->write(text, bytes);
	else
		redraw(editor);
}

/* Take the characters of [start, end) out; the cursor is in or at the edge of them. */
static void erase(struct line_editor *editor, uint32_t start, uint32_t end)
{
	if (start == end) {
		bell(editor);
		return;
	}
	memmove(editor->line + start, editor->line + end, editor->length - end + 1);
	editor->length -= end - start;
	editor->cursor = start;
	redraw(editor);
}

static void erase_word(struct line_editor *editor)
{
	uint32_t start = editor->cursor;

	while (start > 0 && editor->line[start - 1] == ' ')
		start--;
	while (start > 0 && editor->line[start - 1] != ' ')
		start--;
	erase(editor, start, editor->cursor);
}

static void move_to(struct line_editor *editor, uint32_t position)
{
	if (position > editor->length) {
		bell(editor);
		return;
	}
	editor->cursor = position;
	redraw(editor);
}

/* Show the line entered `back` lines ago, or the one being written. */
static void show_history(struct line_editor *editor, uint32_t back)
{
	if (back > line_history_count(&editor->history)) {
		bell(editor);
		return;
	}
	if (editor->back == 0)
		memcpy(editor->written, editor->line, LINE_BYTES);
	editor->back = back;
	(void)string_copy(editor->line, LINE_BYTES,
			  back == 0 ? editor->written : line_history_get(&editor->history, back));
	editor->length = (uint32_t)strlen(editor->line);
	editor->cursor = editor->length;
	editor->scrolled = 0;
	redraw(editor);
}

/* Characters that all candidates begin with. */
static uint32_t common_prefix(const struct line_candidates *candidates)
{
	uint32_t length = (uint32_t)strlen(candidates->name[0]);

	for (uint32_t i = 1; i < candidates->count; i++) {
		uint32_t same = 0;

		while (same < length && candidates->name[i][same] == candidates->name[0][same])
			same++;
		length = same;
	}
	return length;
}

static void list_candidates(struct line_editor *editor)
{
	write_text(editor, "\n");
	for (uint32_t i = 0; i < editor->candidates.count; i++) {
		write_text(editor, editor->candidates.name[i]);
		write_text(editor, i + 1 < editor->candidates.count ? "  " : "\n");
	}
	redraw(editor);
}

/* Add what is certain of the word before the cursor; if nothing is, show what it might be. */
static void complete(struct line_editor *editor)
{
	struct line_candidates *candidates = &editor->candidates;

	candidates->count = 0;
	editor->complete(editor->line, editor->cursor, candidates);
	if (candidates->count == 0) {
		bell(editor);
		return;
	}
	uint32_t typed = editor->cursor - candidates->start;
	uint32_t certain = common_prefix(candidates);

	if (certain > typed)
		insert(editor, candidates->name[0] + typed, certain - typed);
	else if (candidates->count > 1)
		list_candidates(editor);
	if (candidates->count == 1 && editor->line[editor->cursor] != ' ')
		insert(editor, " ", 1);
}

static void older(struct line_editor *editor)
{
	show_history(editor, editor->back + 1);
}

static void newer(struct line_editor *editor)
{
	if (editor->back == 0)
		bell(editor);
	else
		show_history(editor, editor->back - 1);
}

static void left(struct line_editor *editor)
{
	if (editor->cursor == 0)
		bell(editor);
	else
		move_to(editor, editor->cursor - 1);
}

static void delete_at_cursor(struct line_editor *editor)
{
	erase(editor, editor->cursor, editor->cursor < editor->length ? editor->cursor + 1 : editor->cursor);
}

/* ESC [ NUMBER ~ */
static void numbered_key(struct line_editor *editor, uint32_t number)
{
	switch (number) {
	case 1:
	case 7:
		move_to(editor, 0);
		break;
	case 3:
		delete_at_cursor(editor);
		break;
	case 4:
	case 8:
		move_to(editor, editor->length);
		break;
	default: /* another key: nothing is bound to it */
		break;
	}
}

/* The final byte of an escape sequence. */
static void escape_key(struct line_editor *editor, char byte)
{
	switch (byte) {
	case 'A':
		older(editor);
		break;
	case 'B':
		newer(editor);
		break;
	case 'C':
		move_to(editor, editor->cursor + 1);
		break;
	case 'D':
		left(editor);
		break;
	case 'H':
		move_to(editor, 0);
		break;
	case 'F':
		move_to(editor, editor->length);
		break;
	case '~':
		numbered_key(editor, editor->escape_number);
		break;
	default: /* as above */
		break;
	}
}

static void feed_escape(struct line_editor *editor, char byte)
{
	enum line_escape state = editor->escape;

	editor->escape = LINE_ESCAPE_NONE;
	if (state == LINE_ESCAPE_BEGUN) {
		if (byte == '[')
			editor->escape = LINE_ESCAPE_LONG;
		else if (byte == 'O')
			editor->escape = LINE_ESCAPE_SHORT;
		editor->escape_number = 0;
		return;
	}
	if (state == LINE_ESCAPE_LONG && byte >= '0' && byte <= '9') {
		editor->escape = LINE_ESCAPE_LONG;
		editor->escape_number = (editor->escape_number * 10 + (uint32_t)(byte - '0')) % 1000;
		return;
	}
	if (state == LINE_ESCAPE_LONG && byte == ';') {
		editor->escape = LINE_ESCAPE_LONG; /* a modifier follows; shift-left is left */
		editor->escape_number = 0;
		return;
	}
	escape_key(editor, byte);
}

static void control_key(struct line_editor *editor, char byte)
{
	switch (byte) {
	case CONTROL('A'):
		move_to(editor, 0);
		break;
	case CONTROL('B'):
		left(editor);
		break;
	case CONTROL('D'):
		delete_at_cursor(editor);
		break;
	case CONTROL('E'):
		move_to(editor, editor->length);
		break;
	case CONTROL('F'):
		move_to(editor, editor->cursor + 1);
		break;
	case CONTROL('H'):
	case DELETE:
		erase(editor, editor->cursor > 0 ? editor->cursor - 1 : 0, editor->cursor);
		break;
	case CONTROL('K'):
		erase(editor, editor->cursor, editor->length);
		break;
	case CONTROL('L'):
		write_text(editor, "\x1b[H\x1b[2J");
		redraw(editor);
		break;
	case CONTROL('N'):
		newer(editor);
		break;
	case CONTROL('P'):
		older(editor);
		break;
	case CONTROL('U'):
		erase(editor, 0, editor->cursor);
		break;
	case CONTROL('W'):
		erase_word(editor);
		break;
	case '\t':
		complete(editor);
		break;
	case ESCAPE:
		editor->escape = LINE_ESCAPE_BEGUN;
		break;
	default: /* another control character: nothing is bound to it */
		break;
	}
}

enum line_event line_editor_feed(struct line_editor *editor, char byte)
{
	/* Enter and ^C end a line even in the middle of a broken escape sequence. */
	if (byte == '\r' || byte == '\n') {
		write_text(editor, "\n");
		line_history_add(&editor->history, editor->line);
		return LINE_ENTERED;
	}
	if (byte == CONTROL('C')) {
		write_text(editor, "^C\n");
		editor->line[0] = '\0';
		return LINE_ABANDONED;
	}
	if (editor->escape != LINE_ESCAPE_NONE)
		feed_escape(editor, byte);
	else if (byte >= ' ' && byte < DELETE)
		insert(editor, &byte, 1);
	else if ((byte > 0 && byte < ' ') || byte == DELETE)
		control_key(editor, byte);
	return LINE_CONTINUES;
}
