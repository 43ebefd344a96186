/*
 * The interactive shell on the console. It echoes and edits itself, and reads one byte at a time: a program that it
 * starts with `run` takes its place, and input beyond the command must still be there for that program, or for the
 * shell after it.
 */
#include "user/shell/shell.h"

#include "lib/check.h"
#include "lib/status.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/print.h"
#include "user/shell/command.h"
#include "user/shell/exit_report.h"
#include "user/shell/line_editor.h"

static struct shell shell;

static void write_screen(const char *text, size_t bytes)
{
	print_text(text, bytes);
}

static void complete_line(const char *line, uint32_t cursor, struct line_candidates *candidates)
{
	command_complete(&shell, line, cursor, candidates);
}

static struct line_editor editor = { .prompt = "capos> ", .write = write_screen, .complete = complete_line };

static bool find_capability(const char *name, enum interface_id interface, handle_t *capability)
{
	enum status status = capset_client_find(name, interface, capability);

	if (status != STATUS_OK)
		print("shell: capability \"%s\": %s\n", name, status_name(status));
	return status == STATUS_OK;
}

static bool find_capabilities(void)
{
	return find_capability("console", INTERFACE_CONSOLE, &shell.console.handle) &&
	       find_capability("timer", INTERFACE_TIMER, &shell.timer.handle) &&
	       find_capability("package", INTERFACE_BOOT_PACKAGE, &shell.package.handle) &&
	       find_capability("inspector", INTERFACE_INSPECTOR, &shell.inspector.handle) &&
	       find_capability("system", INTERFACE_SYSTEM_CONTROL, &shell.system.handle);
}

/* Bytes up to the end of a line; only ENTERED and ABANDONED come back. */
static enum status read_line(enum line_event *event)
{
	char byte;
	uint64_t count;

	line_editor_begin(&editor);
	do {
		print_flush();
		TRY(console_client_read(shell.console, &byte, 1, &count));
		*event = line_editor_feed(&editor, byte);
	} while (*event == LINE_CONTINUES);
	return STATUS_OK;
}

int main(int argc, char **argv, char **envp)
{
	enum line_event event;
	enum status status;

	(void)argc;
	(void)argv;
	(void)envp;
	if (!find_capabilities())
		return 1;
	if (!exit_report_show(&shell))
		print("capOS shell. `help` lists the commands, `ls` the programs, `halt` ends the machine.\n");
	while (!shell.leaving) {
		status = read_line(&event);
		if (status != STATUS_OK) {
			print("shell: no more input: %s\n", status_name(status));
			return 1;
		}
		if (event == LINE_ENTERED)
			(void)command_run(&shell, editor.line);
	}
	return 0;
}
