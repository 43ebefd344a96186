/* links: user/shell/line_editor.c user/shell/line_history.c */
/* The shell's line editor against a plain model of the line, and what it writes against a plain terminal. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "lib/check.h"
#include "tests/host/host_support.h"
#include "user/shell/line_editor.h"

#define PROMPT "test> "
#define PROMPT_COLUMNS 6u

static struct line_editor editor;

/* ---- the terminal: one row of it ---- */

static struct {
	char row[LINE_COLUMNS + 1];
	uint32_t column;
	uint32_t bells;
	uint32_t rows; /* left behind */
} terminal;

/* The bytes of ESC [ NUMBER LETTER behind ESC. */
static size_t escape_sequence(const char *text)
{
	char *letter;
	uint32_t number = (uint32_t)strtoul(text + 1, &letter, 10);

	assert_int_equal(text[0], '[');
	switch (*letter) {
	case 'K':
		memset(terminal.row + terminal.column, ' ', LINE_COLUMNS - terminal.column);
		break;
	case 'D':
		assert_in_range(number, 1, terminal.column);
		terminal.column -= number;
		break;
	case 'H':
		terminal.column = 0;
		break;
	case 'J':
		memset(terminal.row, ' ', LINE_COLUMNS);
		break;
	default:
		fail_msg("ESC [ ... %c", *letter);
	}
	return (size_t)(letter + 1 - text);
}

static void show(char byte)
{
	switch (byte) {
	case '\r':
		terminal.column = 0;
		break;
	case '\n':
		memset(terminal.row, ' ', LINE_COLUMNS);
		terminal.column = 0;
		terminal.rows++;
		break;
	case '\a':
		terminal.bells++;
		break;
	default:
		assert_in_range(byte, ' ', '~');
		assert_true(terminal.column < LINE_COLUMNS - 1); /* the last one stays empty */
		terminal.row[terminal.column++] = byte;
	}
}

static void write_out(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (text[i] == '\x1b')
			i += escape_sequence(text + i + 1);
		else
			show(text[i]);
}

/* ---- completion: of the word at the cursor, out of three ---- */

static void complete_word(const char *line, uint32_t cursor, struct line_candidates *candidates)
{
	static const char *const words[] = { "inspect", "insert", "zoom" };
	uint32_t start = cursor;

	while (start > 0 && line[start - 1] != ' ')
		start--;
	candidates->start = start;
	for (uint32_t i = 0; i < COUNT_OF(words); i++)
		if (strncmp(words[i], line + start, cursor - start) == 0)
			strcpy(candidates->name[candidates->count++], words[i]);
}

/* ---- the model ---- */

static struct {
	char line[LINE_BYTES];
	uint32_t length, cursor;
	uint32_t back;
	char written[LINE_BYTES];
	char history[LINE_HISTORY_LINES][LINE_BYTES]; /* the latest first */
	uint32_t lines;
} model;

static void begin(void)
{
	memset(&editor, 0, sizeof(editor));
	memset(&model, 0, sizeof(model));
	memset(&terminal, 0, sizeof(terminal));
	memset(terminal.row, ' ', LINE_COLUMNS);
	editor.prompt = PROMPT;
	editor.write = write_out;
	editor.complete = complete_word;
	line_editor_begin(&editor);
}

static void model_erase(uint32_t start, uint32_t end)
{
	memmove(model.line + start, model.line + end, model.length - end + 1);
	model.length -= end - start;
	model.cursor = start;
}

static void model_insert(char letter)
{
	if (model.length + 1 == LINE_BYTES)
		return;
	memmove(model.line + model.cursor + 1, model.line + model.cursor, model.length - model.cursor + 1);
	model.line[model.cursor++] = letter;
	model.length++;
}

static void model_show(uint32_t back)
{
	if (back > model.lines)
		return;
	if (model.back == 0)
		memcpy(model.written, model.line, LINE_BYTES);
	model.back = back;
	memcpy(model.line, back == 0 ? model.written : model.history[back - 1], LINE_BYTES);
	model.length = model.cursor = (uint32_t)strlen(model.line);
}

static void model_enter(void)
{
	if (model.length > 0 && (model.lines == 0 || strcmp(model.history[0], model.line) != 0)) {
		memmove(model.history[1], model.history[0], sizeof(model.history) - LINE_BYTES);
		memcpy(model.history[0], model.line, LINE_BYTES);
		model.lines += model.lines < LINE_HISTORY_LINES;
	}
	model.line[0] = '\0';
	model.length = model.cursor = model.back = 0;
}

static void model_move(uint32_t position)
{
	if (position <= model.length)
		model.cursor = position;
}

static void model_erase_word(void)
{
	uint32_t start = model.cursor;

	while (start > 0 && model.line[start - 1] == ' ')
		start--;
	while (start > 0 && model.line[start - 1] != ' ')
		start--;
	model_erase(start, model.cursor);
}

/* ---- keys ---- */

enum key {
	LEFT,
	RIGHT,
	HOME,
	END,
	OLDER,
	NEWER,
	BACKSPACE,
	DELETE,
	TO_END,
	TO_START,
	WORD,
	CLEAR,
	ENTER,
	KEY_COUNT
};

/* The ways to type each. */
static const char *const bytes_of_key[KEY_COUNT][3] = {
	[LEFT] = { "\x1b[D", "\x02", "\x1b[1;2D" }, [RIGHT] = { "\x1b[C", "\x06", "\x1bOC" },
	[HOME] = { "\x1b[H", "\x01", "\x1b[1~" },   [END] = { "\x1b[F", "\x05", "\x1b[4~" },
	[OLDER] = { "\x1b[A", "\x10", "\x1bOA" },   [NEWER] = { "\x1b[B", "\x0e", "\x1bOB" },
	[BACKSPACE] = { "\x7f", "\x08", "\x7f" },   [DELETE] = { "\x1b[3~", "\x04", "\x1b[3~" },
	[TO_END] = { "\x0b", "\x0b", "\x0b" },      [TO_START] = { "\x15", "\x15", "\x15" },
	[WORD] = { "\x17", "\x17", "\x17" },        [CLEAR] = { "\x0c", "\x0c", "\x0c" },
	[ENTER] = { "\r", "\n", "\x1b[1\r" }, /* even in the middle of a sequence */
};

static void model_key(enum key key)
{
	switch (key) {
	case LEFT:
		model_move(model.cursor - 1); /* from 0: far away */
		break;
	case RIGHT:
		model_move(model.cursor + 1);
		break;
	case HOME:
		model_move(0);
		break;
	case END:
		model_move(model.length);
		break;
	case OLDER:
		model_show(model.back + 1);
		break;
	case NEWER:
		if (model.back > 0)
			model_show(model.back - 1);
		break;
	case BACKSPACE:
		model_erase(model.cursor - (model.cursor > 0), model.cursor);
		break;
	case DELETE:
		model_erase(model.cursor, model.cursor + (model.cursor < model.length));
		break;
	case TO_END:
		model_erase(model.cursor, model.length);
		break;
	case TO_START:
		model_erase(0, model.cursor);
		break;
	case WORD:
		model_erase_word();
		break;
	case ENTER:
		model_enter();
		break;
	case CLEAR:
	case KEY_COUNT:
		break;
	}
}

static void type(const char *bytes)
{
	for (; *bytes != '\0'; bytes++)
		if (line_editor_feed(&editor, *bytes) != LINE_CONTINUES)
			line_editor_begin(&editor);
}

/* The line is the model's, and the row shows the part of it around the cursor. */
static void assert_as_model(void)
{
	char expected[LINE_COLUMNS + LINE_BYTES + 1] = PROMPT;
	size_t shown;

	assert_string_equal(editor.line, model.line);
	assert_int_equal(editor.length, model.length);
	assert_int_equal(editor.cursor, model.cursor);
	assert_true(editor.scrolled <= editor.cursor);
	strcat(expected, model.line + editor.scrolled);
	shown = strlen(expected) < LINE_COLUMNS - 1 ? strlen(expected) : LINE_COLUMNS - 1;
	assert_memory_equal(terminal.row, expected, shown);
	for (size_t i = shown; i < LINE_COLUMNS; i++)
		assert_int_equal(terminal.row[i], ' ');
	assert_int_equal(terminal.column, PROMPT_COLUMNS + model.cursor - editor.scrolled);
}

static void test_random(void **state)
{
	struct host_random random;

	(void)state;
	host_random_init(&random, "line editor", 5);
	begin();
	for (uint64_t round = host_rounds(300000); round > 0; round--) {
		enum key key = (enum key)host_random_below(&random, KEY_COUNT);

		/* Most are letters, or the line never gets long; few take much of it away. */
		if (!host_random_once_in(&random, 4) || (key >= TO_END && !host_random_once_in(&random, 16))) {
			char letter[2] = { "ab c"[host_random_below(&random, 4)], '\0' };

			model_insert(letter[0]);
			type(letter);
		} else {
			model_key(key);
			type(bytes_of_key[key][host_random_below(&random, 3)]);
		}
		assert_as_model();
	}
	assert_int_equal(line_history_count(&editor.history), model.lines);
}

static void test_full_line(void **state)
{
	(void)state;
	begin();
	for (uint32_t i = 0; i < LINE_BYTES - 1; i++)
		type("x");
	assert_int_equal(terminal.bells, 0);
	type("y");
	assert_int_equal(terminal.bells, 1);
	assert_int_equal(editor.length, LINE_BYTES - 1);
	assert_null(strchr(editor.line, 'y'));
}

static void test_completion(void **state)
{
	(void)state;
	begin();
	type("run z\t");
	assert_string_equal(editor.line, "run zoom "); /* the only one: whole, and a blank */
	type("i\t");
	assert_string_equal(editor.line, "run zoom ins"); /* as far as all agree */
	assert_int_equal(terminal.rows, 0);
	type("\t");
	assert_string_equal(editor.line, "run zoom ins");
	assert_int_equal(terminal.rows, 2); /* the list */
	assert_memory_equal(terminal.row, PROMPT "run zoom ins ", PROMPT_COLUMNS + 13);
	assert_int_equal(terminal.bells, 0);
	type("q\t");
	assert_int_equal(terminal.bells, 1);
	assert_string_equal(editor.line, "run zoom insq");
}

static void test_nothing_bound(void **state)
{
	static const char *const nothing[] = { "\x1b[24~", "\x1b[99999999999~", "\x1bx", "\x1b[Z", "\x1bOP", "\x07",
					       "\x1a" };

	(void)state;
	begin();
	type("abc");
	for (uint32_t i = 0; i < COUNT_OF(nothing); i++)
		type(nothing[i]);
	for (uint32_t byte = 0x80; byte < 0x100; byte++)
		assert_int_equal(line_editor_feed(&editor, (char)byte), LINE_CONTINUES);
	assert_int_equal(line_editor_feed(&editor, '\0'), LINE_CONTINUES);
	assert_string_equal(editor.line, "abc");
	assert_int_equal(line_editor_feed(&editor, 'C' & 0x1f), LINE_ABANDONED);
	assert_string_equal(editor.line, "");
	assert_int_equal(line_history_count(&editor.history), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_full_line),
		cmocka_unit_test(test_completion),
		cmocka_unit_test(test_nothing_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
