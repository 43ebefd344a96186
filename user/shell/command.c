#include "user/shell/command.h"

#include <stddef.h>

#include "lib/check.h"
#include "lib/string.h"
#include "user/runtime/print.h"
#include "user/shell/inspect.h"
#include "user/shell/launch.h"
#include "user/shell/memory_report.h"

#define NEAR 2u /* a mistyped word is taken for one at most this far away */

static bool help(struct shell *shell, const struct words *words);
static bool echo(struct shell *shell, const struct words *words);
static bool time(struct shell *shell, const struct words *words);

static const struct command command[] = {
	{ "help", "[COMMAND]", "list the commands, or explain one", "", 0, 1, help },
	{ "mem", "", "frames of the machine, its memory map, its CPUs",
	  "free counts the frames in the bitmap and on the per-CPU stacks; stacked are those on the stacks.\n", 0, 0,
	  memory_report_show },
	{ "ps", "", "processes and the pages they hold", "", 0, 0, inspect_ps },
	{ "maps", "[PID]", "ranges of an address space with kind and protection",
	  "Without PID: of the shell. Protections: r read, w write, x execute.\n", 0, 1, inspect_maps },
	{ "caps", "[PID]", "capabilities that a process holds",
	  "Without PID: of the shell. The id is what the process itself uses.\n", 0, 1, inspect_caps },
	{ "ledger", "[PID]", "what a process has taken of each resource, and may take", "", 0, 1, inspect_ledger },
	{ "ring", "[PID]", "state of a process's capability ring", "", 0, 1, inspect_ring },
	{ "check", "", "run every invariant of the kernel over every object", "", 0, 0, inspect_check },
	{ "run", "PROGRAM [ARGUMENT...]", "run a program of the boot package",
	  "The program takes the shell's place: the shell ends, the program runs by itself, and when it has\n"
	  "ended a new shell starts and says how. Input typed meanwhile is kept for whoever reads next.\n"
	  "The history of lines starts empty in the new shell. `ls` lists what there is.\n",
	  1, WORDS_MAX - 1, launch_run },
	{ "ls", "", "files of the boot package", "", 0, 0, launch_list },
	{ "echo", "[WORD...]", "write the words", "", 0, WORDS_MAX - 1, echo },
	{ "time", "[COMMAND...]", "time since boot, or how long a command takes", "", 0, WORDS_MAX - 1, time },
	{ "halt", "[CODE]", "end the machine with an exit code, 0 to 63", "Without CODE: 0.\n", 0, 1, launch_halt },
};

static bool find(const char *name, const struct command **found)
{
	for (uint32_t i = 0; i < COUNT_OF(command); i++) {
		if (string_equal(command[i].name, name)) {
			*found = &command[i];
			return true;
		}
	}
	return false;
}

static bool is_program(struct shell *shell, const char *name)
{
	uint64_t index;

	return boot_package_client_find(shell->package, name, &index) == STATUS_OK;
}

static bool say_unknown(struct shell *shell, const char *name)
{
	uint32_t best = NEAR + 1;
	const char *nearest = NULL;

	for (uint32_t i = 0; i < COUNT_OF(command); i++) {
		uint32_t distance = words_distance(name, command[i].name);

		if (distance < best && distance < strlen(name)) {
			best = distance;
			nearest = command[i].name;
		}
	}
	print("%s: unknown command", name);
	if (nearest != NULL)
		print("; did you mean `%s`?\n", nearest);
	else if (is_program(shell, name))
		print("; it is a program: `run %s`\n", name);
	else
		print("; `help` lists the commands\n");
	return false;
}

static bool help(struct shell *shell, const struct words *words)
{
	const struct command *one;

	if (words->count > 1) {
		if (!find(words->word[1], &one))
			return say_unknown(shell, words->word[1]);
		print("%s %s\n%s\n%s", one->name, one->arguments, one->summary, one->more);
		return true;
	}
	for (uint32_t i = 0; i < COUNT_OF(command); i++)
		print("  %-6s %-22s %s\n", command[i].name, command[i].arguments, command[i].summary);
	print("Keys: arrows, home, end, ^A ^E ^K ^U ^W ^L ^C; up and down for earlier lines; tab completes.\n");
	return true;
}

static bool echo(struct shell *shell, const struct words *words)
{
	(void)shell;
	print("%s\n", words_rest(words, 1));
	return true;
}

static bool time(struct shell *shell, const struct words *words)
{
	uint64_t start, end;
	enum status status = timer_client_now(shell->timer, &start);

	if (words->count == 1 && status == STATUS_OK) {
		print("%lu.%03lu s since boot\n", start / 1000000000, start / 1000000 % 1000);
		return true;
	}
	bool done = command_run(shell, words_rest(words, 1));

	if (status == STATUS_OK)
		status = timer_client_now(shell->timer, &end);
	if (status != STATUS_OK) {
		print("time: the timer does not answer\n");
		return false;
	}
	print("time: %lu.%03lu ms\n", (end - start) / 1000000, (end - start) / 1000 % 1000);
	return done;
}

bool command_run(struct shell *shell, const char *line)
{
	const struct command *one;
	struct words words;

	if (!words_split(&words, line)) {
		print("more than %u words\n", WORDS_MAX);
		return false;
	}
	if (words.count == 0)
		return true;
	if (!find(words.word[0], &one))
		return say_unknown(shell, words.word[0]);
	if (words.count - 1 < one->least || words.count - 1 > one->most) {
		print("usage: %s%s%s\n", one->name, one->arguments[0] != 0 ? " " : "", one->arguments);
		return false;
	}
	return one->run(shell, &words);
}

/* The word that ends at the cursor could be `name`. */
static void offer(const char *line, uint32_t cursor, const char *name, struct line_candidates *candidates)
{
	uint32_t typed = cursor - candidates->start;

	if (candidates->count == LINE_CANDIDATES || strlen(name) < typed ||
	    memcmp(name, line + candidates->start, typed) != 0)
		return;
	(void)string_copy(candidates->name[candidates->count++], LINE_CANDIDATE_BYTES, name);
}

void command_complete(struct shell *shell, const char *line, uint32_t cursor, struct line_candidates *candidates)
{
	uint32_t first = 0;
	struct boot_package_entry entry;

	candidates->count = 0;
	candidates->start = cursor;
	while (candidates->start > 0 && line[candidates->start - 1] != ' ')
		candidates->start--;
	while (line[first] == ' ')
		first++;
	const char *before = line + first;

	if (candidates->start <= first || string_has_prefix(before, "help ") || string_has_prefix(before, "time ")) {
		for (uint32_t i = 0; i < COUNT_OF(command); i++)
			offer(line, cursor, command[i].name, candidates);
	} else if (string_has_prefix(before, "run ")) {
		for (uint64_t i = 0; boot_package_client_stat(shell->package, i, &entry) == STATUS_OK; i++)
			offer(line, cursor, entry.name, candidates);
	}
}
