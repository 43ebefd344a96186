#include "kernel/cap/supervisor.h"

#include <stddef.h>

#include "kernel/arch/x86_64/halt.h"
#include "kernel/arch/x86_64/log.h"
#include "kernel/mem/frame.h"
#include "kernel/mem/heap.h"
#include "kernel/mem/kernel_stack.h"
#include "kernel/mem/paging.h"
#include "kernel/task/boot_package.h"
#include "kernel/task/process_end.h"
#include "kernel/task/process_tree.h"
#include "kernel/task/program_image.h"
#include "kernel/task/scheduler.h"
#include "kernel/task/spawn.h"
#include "lib/check.h"
#include "lib/fault_name.h"
#include "lib/format.h"
#include "lib/status.h"
#include "lib/string.h"

#define DEFAULT_CAP_SLOTS 65535u
#define DEFAULT_VIRTUAL_PAGES (UINT64_C(1) << 34) /* 64 TiB: half of what a 47-bit address space has */
#define KILLED_CODE 137

/* Words as a program gets them: each 0-terminated, one behind the other. */
struct command {
	char text[512];
	struct string_list words;
	char program[PROCESS_NAME_BYTES]; /* the first */
};

static struct command command;
static bool ends_with_init;

static enum status add_word(const char *word, size_t length)
{
	GUARD(command.words.bytes + length + 1 <= sizeof(command.text), STATUS_TOO_LONG);
	memcpy(command.text + command.words.bytes, word, length);
	command.text[command.words.bytes + length] = 0;
	command.words.bytes += (uint32_t)length + 1;
	command.words.count++;
	return STATUS_OK;
}

static enum status add_words(const char *line)
{
	while (*line != 0) {
		size_t length = 0;

		while (line[length] != 0 && line[length] != ' ')
			length++;
		if (length != 0)
			TRY(add_word(line, length));
		line += length;
		while (*line == ' ')
			line++;
	}
	return STATUS_OK;
}

/* From the kernel's command line; or the manifest, with its arguments. */
static enum status choose_command(const char *init)
{
	const struct manifest *manifest = boot_package_manifest();

	command.words.text = command.text;
	TRY(add_words(init != NULL ? init : manifest->init));
	for (uint32_t i = 0; init == NULL && i < manifest->arguments; i++)
		TRY(add_word(manifest->argument[i], string_length(manifest->argument[i], MANIFEST_NAME_BYTES)));
	GUARD(command.words.count != 0, STATUS_BAD_ARGUMENT);
	GUARD(string_copy(command.program, sizeof(command.program), command.text), STATUS_TOO_LONG);
	return STATUS_OK;
}

/* A quarter of what is free, and never enough for more threads than there can be stacks for. */
static uint64_t kernel_object_bytes(uint64_t free_frames)
{
	uint64_t stacks = kernel_stack_limit() * THREAD_KERNEL_BYTES;

	return free_frames / 4 << PAGE_SHIFT < stacks ? free_frames / 4 << PAGE_SHIFT : stacks;
}

/* What the manifest says, else what is free now. */
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
		[LEDGER_KERNEL_OBJECT] = kernel_object_bytes(free_frames),
	};

	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		limits[kind] = manifest->has_limit[kind] ? manifest->limit[kind] : share[kind];
}

/* Init's authority. All others have what is granted to them. */
static enum status start_init(struct process **process)
{
	static const struct spawn_extra everything[] = {
		{ "console", { .interface = INTERFACE_CONSOLE, .mode = TRANSFER_COPY } },
		{ "timer", { .interface = INTERFACE_TIMER, .mode = TRANSFER_COPY } },
		{ "frames", { .interface = INTERFACE_FRAME_ALLOCATOR, .mode = TRANSFER_COPY } },
		{ "package", { .interface = INTERFACE_BOOT_PACKAGE, .mode = TRANSFER_COPY } },
		{ "inspector", { .interface = INTERFACE_INSPECTOR, .mode = TRANSFER_COPY } },
		{ "system", { .interface = INTERFACE_SYSTEM_CONTROL, .mode = TRANSFER_COPY } },
		{ "spawner", { .interface = INTERFACE_PROCESS_SPAWNER, .mode = TRANSFER_COPY } },
		{ "endpoints", { .interface = INTERFACE_ENDPOINT_FACTORY, .mode = TRANSFER_COPY } },
	};
	static const struct process_grant own[] = {
		{ .name = "memory", .kind = PROCESS_GRANT_OWN, .interface = INTERFACE_VIRTUAL_MEMORY },
		{ .name = "threads", .kind = PROCESS_GRANT_OWN, .interface = INTERFACE_THREAD_CONTROL },
		{ .name = "park", .kind = PROCESS_GRANT_OWN, .interface = INTERFACE_PARK_SPACE },
	};
	const struct archive *archive = boot_package_archive();
	struct memory_file file;
	struct elf_source source;
	uint64_t limits[LEDGER_COUNT];
	struct spawn_request request = {
		.name = command.program,
		.source = &source,
		.strings = { command.words, { NULL, 0, 0 } },
		.limits = limits,
		.priority = THREAD_PRIORITIES - 1,
		.grant = own,
		.grants = COUNT_OF(own),
		.extra = everything,
		.extras = COUNT_OF(everything),
	};
	uint64_t process_id;
	uint32_t index;

	TRY(archive_find(archive, command.program, &index));
	file = (struct memory_file){ archive->file[index].data, archive->file[index].size };
	source = program_image_of_file(&file);
	choose_limits(limits);
	TRY(spawn_process(&request, process, NULL, &process_id));
	process_start(*process);
	return STATUS_OK;
}

static void wait_for_end(const struct process *process)
{
	while (!__atomic_load_n(&process->ended, __ATOMIC_ACQUIRE))
		scheduler_block(SCHEDULER_FOREVER);
}

static void kill_each(void)
{
	struct process_exit exit = { .code = KILLED_CODE, .end = PROCESS_KILLED };
	struct process *process;

	for (uint64_t index = 0; process_tree_at(index, &process) == STATUS_OK; index++) {
		process_end_begin(process, &exit);
		process_end_use(process);
	}
}

/* One look may miss a process, when others begin or end meanwhile; each end of one is another look. */
static void kill_all(void)
{
	for (;;) {
		kill_each();
		if (process_tree_count() == 0) /* the last use may have been ours */
			return;
		scheduler_block(SCHEDULER_FOREVER);
	}
}

static void log_end(const struct process_exit *exit, uint64_t before, uint64_t after)
{
	char how[64];

	if (exit->end == PROCESS_FAULTED)
		(void)format(how, sizeof(how), "fault %s", fault_name((enum user_fault_kind)exit->fault_kind));
	else
		(void)format(how, sizeof(how), "exit %lld", (long long)exit->code);
	log_line("process %llu %s ended: %s; free frames %llu before, %llu after", (unsigned long long)exit->process_id,
		 command.program, how, (unsigned long long)before, (unsigned long long)after);
}

static uint64_t settled_free_frames(void)
{
	(void)kernel_stack_trim();
	return frame_free_count();
}

/* From nothing to a running program, and all that it starts, and back to nothing. */
static void run_init(struct process_exit *exit)
{
	uint64_t before = settled_free_frames();
	struct process *process;
	enum status status = start_init(&process);
	uint64_t after;

	if (status != STATUS_OK) {
		log_line("cannot start %s: %s", command.program, status_name(status));
		CHECK(settled_free_frames() == before);
		machine_halt(1);
	}
	wait_for_end(process);
	process_end_read(process, exit);
	process_end_use(process);
	kill_all();
	after = settled_free_frames();
	ASSERT(frame_is_valid() && heap_is_valid());
	log_end(exit, before, after);
	CHECK(before == after); /* nothing leaks, whatever a program did */
}

static void supervise(void)
{
	struct process_exit exit;

	process_tree_watch(thread_current());
	do {
		run_init(&exit);
	} while (!ends_with_init);
	machine_halt(exit.end != PROCESS_EXITED ? 1 : (uint32_t)exit.code & 63);
}

_Noreturn void supervisor_run(const char *init, bool once)
{
	struct thread *thread;

	ends_with_init = once;
	if (choose_command(init) != STATUS_OK) {
		log_line("cannot boot: init has no name, or more words than a program may have");
		machine_halt(1);
	}
	if (thread_create(NULL, &thread) != STATUS_OK) {
		log_line("cannot boot: no memory for the first thread");
		machine_halt(1);
	}
	thread->kernel_main = supervise;
	thread->priority = THREAD_PRIORITIES - 1;
	scheduler_add(thread);
	scheduler_idle();
}
