/*
 * The interactive shell on the console: init of the system, or a program like any other. It echoes and edits itself.
 *
 * shell [boot]     boot: first start the programs whose section in the manifest says so
 */
#include "user/shell/shell.h"

#include <stddef.h>

#include "lib/check.h"
#include "lib/status.h"
#include "lib/string.h"
#include "user/runtime/capset_client.h"
#include "user/runtime/print.h"
#include "user/runtime/resident.h"
#include "user/shell/boot_manifest.h"
#include "user/shell/command.h"
#include "user/shell/job.h"
#include "user/shell/keyboard.h"
#include "user/shell/launch.h"
#include "user/shell/line_editor.h"

static struct shell shell;

/* What the CapSet may have, and where its handle goes. */
static const struct {
	const char *name;
	handle_t *handle;
	enum shell_need need;
	enum interface_id interface;
} given[] = {
	{ "timer", &shell.timer.handle, SHELL_TIMER, INTERFACE_TIMER },
	{ "package", &shell.package.handle, SHELL_PACKAGE, INTERFACE_BOOT_PACKAGE },
	{ "inspector", &shell.inspector.handle, SHELL_INSPECTOR, INTERFACE_INSPECTOR },
	{ "system", &shell.system.handle, SHELL_SYSTEM, INTERFACE_SYSTEM_CONTROL },
	{ "spawner", &shell.spawner.handle, SHELL_SPAWNER, INTERFACE_PROCESS_SPAWNER },
	{ "memory", &shell.memory.handle, SHELL_MEMORY, INTERFACE_VIRTUAL_MEMORY },
	{ "frames", &shell.frames.handle, SHELL_FRAMES, INTERFACE_FRAME_ALLOCATOR },
	{ "endpoints", &shell.endpoints.handle, SHELL_ENDPOINTS, INTERFACE_ENDPOINT_FACTORY },
};

static void write_screen(const char *text, size_t bytes)
{
	print_text(text, bytes);
}

static void complete_line(const char *line, uint32_t cursor, struct line_candidates *candidates)
{
	command_complete(&shell, line, cursor, candidates);
}

static struct line_editor editor = { .prompt = "capos> ", .write = write_screen, .complete = complete_line };

const char *shell_need_name(uint32_t needs)
{
	for (uint32_t i = 0; i < COUNT_OF(given); i++) {
		if ((needs & given[i].need) != 0)
			return given[i].name;
	}
	return "";
}

/* Without a console nothing can be said. */
static enum status find_capabilities(void)
{
	TRY(capset_client_find("console", INTERFACE_CONSOLE, &shell.console.handle));
	for (uint32_t i = 0; i < COUNT_OF(given); i++) {
		if (capset_client_find(given[i].name, given[i].interface, given[i].handle) == STATUS_OK)
			shell.held |= given[i].need;
	}
	return STATUS_OK;
}

/* Bytes up to the end of a line; only ENTERED and ABANDONED come back. */
static enum status read_line(enum line_event *event)
{
	char byte;

	line_editor_begin(&editor);
	do {
		print_flush();
		TRY(keyboard_read(&byte));
		*event = line_editor_feed(&editor, byte);
	} while (*event == LINE_CONTINUES);
	return STATUS_OK;
}

/* The last line before the first prompt: how long the machine took to get there. */
static void greet(void)
{
	uint64_t now;

	print("capOS shell");
	if ((shell.held & SHELL_TIMER) != 0 && timer_client_now(shell.timer, &now) == STATUS_OK)
		print(", %lu ms after boot", now / 1000000);
	print(". `help` lists commands, `ls` programs; `halt` ends the machine.\n");
}

static void begin(bool at_boot)
{
	const uint32_t needs = SHELL_SPAWNER | SHELL_PACKAGE | SHELL_MEMORY;

	shell.history = &editor.history;
	keyboard_init(shell.console);
	if ((shell.held & SHELL_PACKAGE) != 0)
		boot_manifest_read(shell.package);
	if (at_boot && (shell.held & needs) == needs)
		launch_at_boot(&shell);
	greet();
}

int main(int argc, char **argv, char **envp)
{
	enum line_event event;
	enum status status;

	(void)envp;
	resident_make(RESIDENT_STACK_BYTES); /* what programs take and give back is compared */
	if (find_capabilities() != STATUS_OK)
		return 1;
	begin(argc > 1 && string_equal(argv[1], "boot"));
	while (!shell.leaving) {
		job_report();
		status = read_line(&event);
		if (status != STATUS_OK) {
			print("shell: no more input: %s\n", status_name(status));
			return 1;
		}
		if (event == LINE_ENTERED)
			(void)command_run(&shell, editor.line);
	}
	return shell.code;
}
