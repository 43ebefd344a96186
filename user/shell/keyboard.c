#include "user/shell/keyboard.h"

#include <stdint.h>

#include "lib/check.h"
#include "user/runtime/open_operation.h"
#include "user/shell/event.h"

static struct {
	struct console_client console;
	bool is_reading;  /* one byte, into `byte` */
	bool is_watching; /* a wait for ^C is open */
	bool has_byte;
	bool interrupted;
	char byte;
	enum status failed;
} keyboard;

void keyboard_init(struct console_client console)
{
	keyboard.console = console;
}

static struct open_operation_head head_of(enum console_operation operation)
{
	return (struct open_operation_head){ RING_CALL, (uint16_t)operation, keyboard.console.handle };
}

enum status keyboard_listen(void)
{
	struct ring_submission *slot;

	TRY(keyboard.failed);
	if (keyboard.is_reading || keyboard.has_byte)
		return STATUS_OK;
	TRY(open_operation_begin(head_of(CONSOLE_READ), EVENT_KEY, &slot));
	slot->argument[0] = (uint64_t)&keyboard.byte;
	slot->argument[1] = sizeof(keyboard.byte);
	open_operation_finish();
	keyboard.is_reading = true;
	return STATUS_OK;
}

bool keyboard_pressed(char *byte)
{
	if (!keyboard.has_byte)
		return false;
	keyboard.has_byte = false;
	*byte = keyboard.byte;
	return true;
}

enum status keyboard_read(char *byte)
{
	while (!keyboard_pressed(byte)) {
		TRY(keyboard_listen());
		TRY(event_handle(CAP_ENTER_FOREVER));
	}
	return STATUS_OK;
}

enum status keyboard_watch(void)
{
	struct ring_submission *slot;

	TRY(keyboard.failed);
	if (keyboard.is_reading || keyboard.is_watching)
		return STATUS_OK;
	TRY(open_operation_begin(head_of(CONSOLE_WAIT_INTERRUPT), EVENT_INTERRUPT, &slot));
	open_operation_finish();
	keyboard.is_watching = true;
	return STATUS_OK;
}

void keyboard_take(const struct ring_completion *completion)
{
	enum status status = ring_client_status(completion);

	if (status != STATUS_OK)
		keyboard.failed = status;
	if (completion->user_data == EVENT_KEY) {
		keyboard.is_reading = false;
		keyboard.has_byte = status == STATUS_OK;
	} else {
		keyboard.is_watching = false;
		keyboard.interrupted |= status == STATUS_OK && completion->value != 0;
	}
}

bool keyboard_interrupted(void)
{
	bool interrupted = keyboard.interrupted;

	keyboard.interrupted = false;
	return interrupted;
}
