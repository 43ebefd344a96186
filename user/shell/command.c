#include "user/shell/command.h"

#include <stddef.h>

#include "lib/check.h"
#include "lib/string.h"
#include "user/runtime/print.h"
#include "user/shell/inspect.h"
#include "user/shell/job.h"
#include "user/shell/launch.h"
#include "user/shell/memory_report.h"
#include "user/shell/top.h"
#include "user/shell/tree_report.h"
#include "user/shell/variable.h"

#define NEAR 2u /* a mistyped word is taken for one at most this far away */

#define NEEDS_TO_RUN (SHELL_SPAWNER | SHELL_PACKAGE | SHELL_MEMORY)
#define ANY_WORDS (WORDS_MAX - 1)

static bool help(struct shell *shell, const struct words *words);
static bool history(struct shell *shell, const struct words *words);
static bool echo(struct shell *shell, const struct words *words);
static bool time(struct shell *shell, const struct words *words);
static bool leave(struct shell *shell, const struct words *words);

static const char run_more[] =
	"The program is given what its section of the manifest says and what stands behind `with`, and nothing else:\n"
	"  run PROGRAM [ARGUMENT...] with [NAME:] SOURCE [copy|move|own] [read-only] [@KIND], ...\n"
	"SOURCE is a name of `caps`, NAME what the program finds it by (SOURCE itself if left out). copy: both hold "
	"it;\n"
	"move: the shell no more; own: a new memory, threads or park of the program's own; read-only: of a memory "
	"object,\n"
	"one that is never mapped writable; @memory, @console, @endpoint, ...: refuse if SOURCE is anything else.\n"
	"layout classic|classic-random|flexible, layout_fixed, layout_seed N, layout_heap_offset and stack_limit N, in "
	"the\n"
	"same list, say where its parts lie (`layout` shows it).\n"
	"  alloc buf 4\n"
	"  run child with shared: buf @memory, console\n"
	"With & at the end it runs in the background. In the foreground ^C kills it, and what is typed meanwhile is "
	"for\n"
	"the shell; but a program that is given the console as \"input\" gets all that is typed, ^C too.\n";

static const struct command command[] = {
	{ "help", "[COMMAND]", "list the commands, or explain one", "", 0, 1, 0, help },
	{ "mem", "", "frames of the machine, its memory map, its CPUs",
	  "free counts the frames in the bitmap and on the per-CPU stacks; stacked are those on the stacks.\n", 0, 0,
	  SHELL_INSPECTOR, memory_report_show },
	{ "ps", "", "processes, their CPU time and the pages they hold",
	  "CPU ms is the time of all threads on a CPU. FRAMES, IMAGE and TABLES are pages.\n", 0, 0, SHELL_INSPECTOR,
	  inspect_ps },
	{ "top", "[N]", "who uses the CPUs, once a second until a key",
	  "With N: so many rounds, one below the other, and no key is read.\n", 0, 1, SHELL_INSPECTOR | SHELL_TIMER,
	  top_show },
	{ "tree", "", "processes by parent, their limits, and who holds what",
	  "Readings are used/limit. An object that can be shared has a number; behind it stand all of its holders,\n"
	  "and which process gave it to them if they have not made it.\n",
	  0, 0, SHELL_INSPECTOR, tree_report_show },
	{ "threads", "[PID]", "threads of a process", "Without PID: of the shell. OPEN: operations not complete.\n", 0,
	  1, SHELL_INSPECTOR, inspect_threads },
	{ "maps", "[PID]", "ranges of an address space with kind and protection",
	  "Without PID: of the shell. Protections: r read, w write, x execute.\n", 0, 1, SHELL_INSPECTOR,
	  inspect_maps },
	{ "layout", "[PID [values]]", "where the parts of an address space lie",
	  "Without PID: of the shell. `values`: as numbers, from which capos-layout --from draws a figure.\n", 0, 2,
	  SHELL_INSPECTOR, inspect_layout },
	{ "caps", "[PID]", "capabilities that a process holds",
	  "Without PID: of the shell, with the names that `with` takes. The id is what the process itself uses.\n"
	  "OBJECT is the same number for all holds of one object, HOLDS how many there are,\n"
	  "FROM which process gave it; 0 is the kernel.\n",
	  0, 1, SHELL_INSPECTOR, inspect_caps },
	{ "ledger", "[PID]", "what a process has taken of each resource, and may take", "", 0, 1, SHELL_INSPECTOR,
	  inspect_ledger },
	{ "ring", "[PID]", "state of the capability rings of a process, one a thread", "", 0, 1, SHELL_INSPECTOR,
	  inspect_ring },
	{ "check", "", "run every invariant of the kernel over every object", "", 0, 0, SHELL_INSPECTOR,
	  inspect_check },
	{ "run", "PROGRAM [ARGUMENT...]", "run a program, wait, say how it ended", run_more, 1, ANY_WORDS, NEEDS_TO_RUN,
	  launch_run },
	{ "spawn", "PROGRAM [ARGUMENT...]", "run it in the background", "As `run` with & at the end.\n", 1, ANY_WORDS,
	  NEEDS_TO_RUN, launch_spawn },
	{ "jobs", "", "what the shell started and runs in the background", "", 0, 0, 0, job_show },
	{ "wait", "[PID]", "wait for a job, or all, and say how it ended", "^C ends the wait, not the job.\n", 0, 1, 0,
	  job_wait },
	{ "kill", "PID", "end a job", "Only processes of this shell: `jobs` lists them.\n", 1, 1, 0, job_kill },
	{ "alloc", "NAME PAGES", "a memory object of zeroed pages, under a name",
	  "The shell pays for it until it is dropped or moved. `caps` lists names.\n", 2, 2, SHELL_FRAMES,
	  variable_alloc },
	{ "endpoint", "NAME", "an endpoint, under a name", "Give it to a server; make clients of it first.\n", 1, 1,
	  SHELL_ENDPOINTS, variable_endpoint },
	{ "client", "NAME ENDPOINT [BADGE]", "a client of an endpoint, under a name",
	  "The server sees BADGE (0 if left out) with each call.\n", 2, 3, 0, variable_client },
	{ "drop", "NAME", "give up what alloc, endpoint or client made", "", 1, 1, 0, variable_drop },
	{ "ls", "", "files of the boot package", "", 0, 0, SHELL_PACKAGE, launch_list },
	{ "history", "", "the lines that were entered", "", 0, 0, 0, history },
	{ "echo", "[WORD...]", "write the words", "", 0, ANY_WORDS, 0, echo },
	{ "time", "[COMMAND...]", "time since boot, or how long a command takes", "", 0, ANY_WORDS, SHELL_TIMER, time },
	{ "exit", "[CODE]", "end the shell; its jobs go on", "Without CODE: 0.\n", 0, 1, 0, leave },
	{ "halt", "[CODE]", "end the machine with an exit code, 0 to 63", "Without CODE: 0.\n", 0, 1, SHELL_SYSTEM,
	  launch_halt },
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

	return (shell->held & SHELL_PACKAGE) != 0 &&
	       boot_package_client_find(shell->package, name, &index) == STATUS_OK;
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
		print("  %-8s %-22s %s\n", command[i].name, command[i].arguments, command[i].summary);
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

static bool history(struct shell *shell, const struct words *words)
{
	(void)words;
	for (uint32_t back = line_history_count(shell->history); back > 0; back--)
		print("%4u  %s\n", shell->history->added - back + 1, line_history_get(shell->history, back));
	return true;
}

static bool leave(struct shell *shell, const struct words *words)
{
	uint64_t code = 0;

	if (words->count > 1 && (!words_number(words->word[1], &code) || code > INT32_MAX)) {
		print("exit: CODE is a number, not %s\n", words->word[1]);
		return false;
	}
	shell->code = (int)code;
	shell->leaving = true;
	return true;
}

/* Names the first capability that the command lacks. */
static bool has_needs(struct shell *shell, const struct command *one)
{
	uint32_t missing = one->needs & ~shell->held;

	if (missing == 0)
		return true;
	print("%s: the shell was not given the capability \"%s\"\n", one->name, shell_need_name(missing));
	return false;
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
	return has_needs(shell, one) && one->run(shell, &words);
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
	} else if ((string_has_prefix(before, "run ") || string_has_prefix(before, "spawn ")) &&
		   (shell->held & SHELL_PACKAGE) != 0) {
		for (uint64_t i = 0; boot_package_client_stat(shell->package, i, &entry) == STATUS_OK; i++)
			offer(line, cursor, entry.name, candidates);
	}
}
