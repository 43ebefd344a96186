#include "kernel/cap/supervisor.h"

#include <stddef.h>

#include "kernel/arch/x86_64/halt.h"
#include "kernel/arch/x86_64/log.h"
#include "kernel/mem/frame.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/paging.h"
#include "kernel/task/boot_package.h"
#include "kernel/task/spawn.h"
#include "kernel/task/user_stack.h"
#include "lib/check.h"
#include "lib/status.h"
#include "lib/string.h"

#define DEFAULT_CAP_SLOTS 4096u
#define DEFAULT_VIRTUAL_PAGES (UINT64_C(1) << 34) /* 64 TiB: half of what a 47-bit address space has */

/* A command line cut into words. */
struct command {
	char text[SYSTEM_CONTROL_COMMAND_BYTES];
	const char *word[USER_STACK_MAX_ARGUMENTS];
	uint32_t words;
};

/* Boot CPU only: programs and the supervisor never run at the same time. */
static struct command next_command; /* words == 0: init */
static struct last_exit last_exit;
static bool has_last_exit;

static enum status command_parse(struct command *command, const char *text)
{
	char *at = command->text;

	command->words = 0;
	GUARD(string_copy(command->text, sizeof(command->text), text), STATUS_TOO_LONG);
	for (;;) {
		while (*at == ' ')
			*at++ = 0;
		if (*at == 0)
			break;
		GUARD(command->words < USER_STACK_MAX_ARGUMENTS, STATUS_TOO_LONG);
		command->word[command->words++] = at;
		while (*at != 0 && *at != ' ')
			at++;
	}
	GUARD(command->words > 0, STATUS_BAD_ARGUMENT);
	return STATUS_OK;
}

/* Words point into the text they were cut from, so a copy has its own. */
static void command_copy(struct command *to, const struct command *from)
{
	*to = *from;
	for (uint32_t i = 0; i < to->words; i++)
		if (from->word[i] >= from->text && from->word[i] < from->text + sizeof(from->text))
			to->word[i] = to->text + (from->word[i] - from->text);
}

enum status supervisor_set_next(const char *command)
{
	struct command parsed;
	uint32_t index;

	TRY(command_parse(&parsed, command));
	TRY(archive_find(boot_package_archive(), parsed.word[0], &index));
	command_copy(&next_command, &parsed);
	return STATUS_OK;
}

enum status supervisor_last_exit(struct last_exit *result)
{
	GUARD(has_last_exit, STATUS_NOT_FOUND);
	*result = last_exit;
	return STATUS_OK;
}

/* Limits of a program's ledgers: what the manifest says, else a share of what is free now. */
static void choose_limits(uint64_t limits[LEDGER_COUNT])
{
	const struct manifest *manifest = boot_package_manifest();
	uint64_t free_frames = frame_free_count();
	const uint64_t share[LEDGER_COUNT] = {
		[LEDGER_VIRTUAL_RESERVATION] = DEFAULT_VIRTUAL_PAGES,
		[LEDGER_FRAME_GRANT] = free_frames,
		[LEDGER_IMAGE] = free_frames,
		[LEDGER_PAGE_TABLE] = free_frames / 4,
		[LEDGER_CAP_SLOTS] = DEFAULT_CAP_SLOTS,
		[LEDGER_KERNEL_OBJECT] = free_frames / 4 << PAGE_SHIFT,
	};

	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		limits[kind] = manifest->has_limit[kind] ? manifest->limit[kind] : share[kind];
}

/* The capabilities of every program of the boot package, until spawning by manifest comes. */
static enum status grant_initial(struct process *process, struct capset_page *capset)
{
	const struct {
		const char *name;
		struct cap_hold hold;
	} grant[] = {
		{ "console", { .interface = INTERFACE_CONSOLE, .mode = TRANSFER_COPY } },
		{ "timer", { .interface = INTERFACE_TIMER, .mode = TRANSFER_COPY } },
		{ "memory",
		  { .interface = INTERFACE_VIRTUAL_MEMORY, .mode = TRANSFER_NONE, .object = &process->space } },
		{ "frames", { .interface = INTERFACE_FRAME_ALLOCATOR, .mode = TRANSFER_COPY } },
		{ "package", { .interface = INTERFACE_BOOT_PACKAGE, .mode = TRANSFER_COPY } },
		{ "inspector", { .interface = INTERFACE_INSPECTOR, .mode = TRANSFER_COPY } },
		{ "system", { .interface = INTERFACE_SYSTEM_CONTROL, .mode = TRANSFER_COPY } },
	};

	for (uint32_t i = 0; i < COUNT_OF(grant); i++)
		TRY(spawn_grant_capability(process, capset, grant[i].name, &grant[i].hold));
	return STATUS_OK;
}

static enum status start_program(const struct command *command, struct process **process)
{
	const struct archive *archive = boot_package_archive();
	struct spawn_request request;
	uint64_t limits[LEDGER_COUNT];
	uint32_t index;

	TRY(archive_find(archive, command->word[0], &index));
	choose_limits(limits);
	request = (struct spawn_request){
		.name = command->word[0],
		.image = archive->file[index].data,
		.image_bytes = archive->file[index].size,
		.argument = command->word,
		.arguments = command->words,
		.limits = limits,
	};
	return spawn_process(&request, grant_initial, process);
}

static void log_end(const struct last_exit *end)
{
	if (end->fault_kind != USER_FAULT_NONE)
		log_line("process %llu %s ended: fault %s; free frames %llu before, %llu after",
			 (unsigned long long)end->process_id, end->name,
			 user_fault_name((enum user_fault_kind)end->fault_kind), (unsigned long long)end->frames_before,
			 (unsigned long long)end->frames_after);
	else
		log_line("process %llu %s ended: exit %lld; free frames %llu before, %llu after",
			 (unsigned long long)end->process_id, end->name, (long long)end->code,
			 (unsigned long long)end->frames_before, (unsigned long long)end->frames_after);
}

/* From nothing to a running program and back to nothing. */
static void run_program(const struct command *command)
{
	struct last_exit end = { .frames_before = frame_free_count() };
	struct process *process;
	enum status status = start_program(command, &process);

	(void)string_copy(end.name, sizeof(end.name), command->word[0]);
	if (status == STATUS_OK) {
		end.process_id = process->id;
		thread_run(&process->thread);
		end.code = process->exit_code;
		end.fault_kind = process->fault.kind;
		end.fault_address = process->fault.address;
		ASSERT(process_is_valid(process) && address_space_is_valid(&process->space, paging_root_table()));
		process_destroy(process);
	}
	ASSERT(frame_is_valid() && heap_is_valid());
	end.load_status = (uint32_t)status;
	end.frames_after = frame_free_count();
	last_exit = end;
	has_last_exit = true;
	if (status != STATUS_OK)
		log_line("cannot start %s: %s", end.name, status_name(status));
	else
		log_end(&end);
	CHECK(end.frames_before == end.frames_after); /* nothing leaks, whatever a program did */
}

/* The command that init is: from the kernel's command line or the manifest, with the manifest's arguments. */
static enum status init_command(const char *init, struct command *command)
{
	const struct manifest *manifest = boot_package_manifest();

	TRY(command_parse(command, init != NULL ? init : manifest->init));
	for (uint32_t i = 0; init == NULL && i < manifest->arguments; i++)
		command->word[command->words++] = manifest->argument[i];
	return STATUS_OK;
}

_Noreturn void supervisor_run(const char *init, bool once)
{
	static struct command first;
	static struct command now;

	if (init_command(init, &first) != STATUS_OK) {
		log_line("cannot boot: init has no name, or more words than a program may have");
		machine_halt(1);
	}
	for (;;) {
		bool is_init = next_command.words == 0;

		command_copy(&now, is_init ? &first : &next_command);
		next_command.words = 0;
		run_program(&now);
		if (is_init && last_exit.load_status != STATUS_OK)
			machine_halt(1);
		if (is_init && once && next_command.words == 0)
			machine_halt(last_exit.fault_kind != USER_FAULT_NONE ? 1 : (uint32_t)last_exit.code & 63);
	}
}
