#include "user/runtime/print.h"

#include <stdarg.h>
#include <stdbool.h>

#include "lib/format.h"
#include "lib/string.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/console_client.h"
#include "user/runtime/mutex.h"

static struct {
	struct mutex lock; /* of all below */
	struct console_client console;
	bool has_console;
	size_t held;
	char buffer[PRINT_MAX_BYTES];
} writer;

void print_init(void)
{
	writer.has_console = capset_client_find("console", INTERFACE_CONSOLE, &writer.console.handle) == STATUS_OK;
}

/* The caller holds the lock. */
static void flush(void)
{
	size_t bytes = writer.held;

	/* A console that refuses is gone for good: there is nowhere to say so. */
	writer.held = 0;
	if (bytes > 0 && writer.has_console)
		writer.has_console = console_client_write(writer.console, writer.buffer, bytes) == STATUS_OK;
}

void print_flush(void)
{
	mutex_lock(&writer.lock);
	flush();
	mutex_unlock(&writer.lock);
}

/* The caller holds the lock. */
static void put(const char *text, size_t bytes)
{
	bool line_ended = false;

	while (bytes > 0) {
		size_t room = sizeof(writer.buffer) - writer.held;
		size_t chunk = bytes < room ? bytes : room;

		memcpy(writer.buffer + writer.held, text, chunk);
		for (size_t i = 0; i < chunk; i++)
			line_ended |= text[i] == '\n';
		writer.held += chunk;
		text += chunk;
		bytes -= chunk;
		if (writer.held == sizeof(writer.buffer))
			flush();
	}
	if (line_ended)
		flush();
}

void print_text(const char *text, size_t bytes)
{
	mutex_lock(&writer.lock);
	put(text, bytes);
	mutex_unlock(&writer.lock);
}

void print(const char *text, ...)
{
	char line[PRINT_MAX_BYTES];
	va_list arguments;

	va_start(arguments, text);
	size_t length = format_v(line, sizeof(line), text, arguments);
	va_end(arguments);
	print_text(line, length < sizeof(line) ? length : sizeof(line) - 1);
}
