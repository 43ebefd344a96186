#include "user/shell/keyboard.h"

#include <stdint.h>

#include "lib/check.h"
#include "lib/string.h"
#include "user/runtime/open_operation.h"
#include "user/shell/event.h"
#include "user/shell/line_history.h"

#define INTERRUPT '\x03'

static struct {
	struct console_client console;
	bool (*is_last)(const char *line);
	bool is_open; /* a read of one byte into `byte` */
	char byte;
	bool is_watching; /* a program runs: ^C is not for the editor */
	bool interrupted;
	bool is_sealed; /* the last line kept is the last that may be read ahead */
	enum status failed;
	uint32_t first, count; /* of the bytes kept */
	uint32_t line;         /* of these: since the last end of a line */
	char kept[KEYBOARD_AHEAD_BYTES];
} keyboard;

void keyboard_init(struct console_client console, bool (*is_last)(const char *line))
{
	keyboard.console = console;
	keyboard.is_last = is_last;
}

static enum status open_read(void)
{
	const struct open_operation_head head = { RING_CALL, CONSOLE_READ, keyboard.console.handle };
	struct ring_submission *slot;

	TRY(keyboard.failed);
	if (keyboard.is_open)
		return STATUS_OK;
	TRY(open_operation_begin(head, EVENT_KEY, &slot));
	slot->argument[0] = (uint64_t)&keyboard.byte;
	slot->argument[1] = 1;
	open_operation_finish();
	keyboard.is_open = true;
	return STATUS_OK;
}

static char *kept_at(uint32_t index)
{
	return &keyboard.kept[(keyboard.first + index) % KEYBOARD_AHEAD_BYTES];
}

/* A whole line is kept now: may more be read before it was entered? */
static void line_ended(void)
{
	char line[LINE_BYTES];
	uint32_t length = keyboard.line < LINE_BYTES ? keyboard.line : LINE_BYTES - 1;

	for (uint32_t i = 0; i < length; i++)
		line[i] = *kept_at(keyboard.count - keyboard.line + i);
	line[length] = '\0';
	keyboard.is_sealed |= keyboard.is_last(line);
	keyboard.line = 0;
}

static void keep(char byte)
{
	CHECK(keyboard.count < KEYBOARD_AHEAD_BYTES);
	if (byte == '\r' || byte == '\n')
		line_ended();
	else
		keyboard.line++;
	*kept_at(keyboard.count) = byte;
	keyboard.count++;
}

static void forget(void)
{
	keyboard.count = 0;
	keyboard.line = 0;
	keyboard.is_sealed = false;
}

static char take_first(void)
{
	char byte = *kept_at(0);

	keyboard.first = (keyboard.first + 1) % KEYBOARD_AHEAD_BYTES;
	keyboard.count--;
	if (keyboard.line > keyboard.count)
		keyboard.line = keyboard.count;
	if (keyboard.count == 0)
		forget();
	return byte;
}

enum status keyboard_read(char *byte)
{
	keyboard.is_watching = false;
	while (keyboard.count == 0) {
		TRY(open_read());
		TRY(event_handle(CAP_ENTER_FOREVER));
	}
	*byte = take_first();
	return STATUS_OK;
}

enum status keyboard_watch(void)
{
	keyboard.is_watching = true;
	if (keyboard.is_sealed || keyboard.count == KEYBOARD_AHEAD_BYTES)
		return STATUS_OK;
	return open_read();
}

void keyboard_take(const struct ring_completion *completion)
{
	keyboard.is_open = false;
	keyboard.failed = ring_client_status(completion);
	if (keyboard.failed != STATUS_OK)
		return;
	if (keyboard.is_watching && keyboard.byte == INTERRUPT) {
		keyboard.interrupted = true;
		forget();
		return;
	}
	keep(keyboard.byte);
}

bool keyboard_interrupted(void)
{
	bool interrupted = keyboard.interrupted;

	keyboard.interrupted = false;
	return interrupted;
}

bool keyboard_pressed(void)
{
	if (keyboard.count == 0)
		return false;
	(void)take_first();
	return true;
}
