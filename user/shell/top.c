#include "user/shell/top.h"

#include <stdarg.h>
#include <stddef.h>

#include "lib/format.h"
#include "lib/status.h"
#include "lib/string.h"
#include "user/runtime/print.h"
#include "user/runtime/ring_client.h"
#include "user/shell/event.h"
#include "user/shell/inspect.h"
#include "user/shell/keyboard.h"
#include "user/shell/size_text.h"

#define PROCESSES_MAX 48u
#define THREADS_MAX 256u
#define CPUS_MAX 64u
#define ROUND_NS UINT64_C(1000000000)
#define SCREEN_LINES 23u
#define SCREEN_COLUMNS 80u
#define LINE_MAX_BYTES 160u

struct thread_row {
	uint64_t process_id;
	struct inspector_thread thread;
};

/* All of the machine at one time. */
struct sample {
	uint64_t time; /* ns since boot */
	uint32_t cpus, processes, threads;
	uint64_t busy_ns[CPUS_MAX];
	struct inspector_process process[PROCESSES_MAX];
	struct thread_row thread[THREADS_MAX];
};

static struct sample samples[2];

/* How it is written. */
static struct {
	bool is_live;  /* over what was there before, and no more than fits on a screen */
	uint32_t left; /* lines of the screen */
} screen;

static void show_line(const char *text, ...) __attribute__((format(printf, 1, 2)));

static void show_line(const char *text, ...)
{
	char line[LINE_MAX_BYTES];
	va_list arguments;

	if (screen.is_live && screen.left == 0)
		return;
	va_start(arguments, text);
	(void)format_v(line, screen.is_live ? SCREEN_COLUMNS : sizeof(line), text, arguments);
	va_end(arguments);
	screen.left -= screen.is_live;
	print("%s%s\n", line, screen.is_live ? "\x1b[K" : "");
}

static void read_threads(struct shell *shell, struct sample *sample, uint64_t process_id)
{
	struct thread_row row = { .process_id = process_id };

	for (uint64_t i = 0; sample->threads < THREADS_MAX; i++) {
		if (inspector_client_thread(shell->inspector, process_id, i, &row.thread) != STATUS_OK)
			return;
		sample->thread[sample->threads++] = row;
	}
}

/* What ends while it is read is missing or stays in; the next round tells. */
static enum status read_sample(struct shell *shell, struct sample *sample)
{
	enum status status = timer_client_now(shell->timer, &sample->time);
	struct inspector_cpu cpu;

	sample->cpus = 0;
	sample->processes = 0;
	sample->threads = 0;
	while (status == STATUS_OK && sample->cpus < CPUS_MAX) {
		status = inspector_client_cpu(shell->inspector, sample->cpus, &cpu);
		if (status == STATUS_OK)
			sample->busy_ns[sample->cpus++] = cpu.busy_ns;
	}
	if (status == STATUS_NOT_FOUND)
		status = STATUS_OK;
	while (status == STATUS_OK && sample->processes < PROCESSES_MAX) {
		struct inspector_process *process = &sample->process[sample->processes];

		status = inspector_client_process(shell->inspector, sample->processes, process);
		if (status != STATUS_OK)
			break;
		sample->processes++;
		read_threads(shell, sample, process->process_id);
	}
	return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* Tenths of a percent of one CPU. */
static uint64_t share(uint64_t before_ns, uint64_t now_ns, uint64_t elapsed_ns)
{
	return elapsed_ns == 0 || now_ns < before_ns ? 0 : (now_ns - before_ns) * 1000 / elapsed_ns;
}

/* What it had run when the sample was taken; 0 for one that is new. */
static uint64_t process_run_ns(const struct sample *sample, uint64_t process_id)
{
	for (uint32_t i = 0; i < sample->processes; i++) {
		if (sample->process[i].process_id == process_id)
			return sample->process[i].run_ns;
	}
	return 0;
}

static uint64_t thread_run_ns(const struct sample *sample, const struct thread_row *row)
{
	for (uint32_t i = 0; i < sample->threads; i++) {
		if (sample->thread[i].process_id == row->process_id &&
		    sample->thread[i].thread.thread_id == row->thread.thread_id)
			return sample->thread[i].thread.run_ns;
	}
	return 0;
}

static void show_machine(struct shell *shell, const struct sample *before, const struct sample *now)
{
	const uint64_t elapsed = now->time - before->time;
	struct inspector_memory memory;
	char line[LINE_MAX_BYTES];
	size_t length;

	length = format(line, sizeof(line), "up %lu.%lu s, CPUs", now->time / 1000000000, now->time / 100000000 % 10);
	for (uint32_t i = 0; i < now->cpus && length < sizeof(line); i++) {
		uint64_t busy = share(before->busy_ns[i], now->busy_ns[i], elapsed);

		length += format(line + length, sizeof(line) - length, " %lu.%lu%%", busy / 10, busy % 10);
	}
	show_line("%s", line);
	if (inspector_client_memory(shell->inspector, &memory) == STATUS_OK)
		show_line("frames %lu, free %lu (%s), tables %lu, heap %lu, user %lu", memory.total_frames,
			  memory.free_frames, size_text_of_pages(memory.free_frames).text, memory.table_frames,
			  memory.heap_frames, memory.user_frames);
}

static void show_threads(const struct sample *before, const struct sample *now, uint64_t process_id)
{
	for (uint32_t i = 0; i < now->threads; i++) {
		const struct thread_row *row = &now->thread[i];

		if (row->process_id != process_id)
			continue;
		uint64_t cpu = share(thread_run_ns(before, row), row->thread.run_ns, now->time - before->time);

		show_line("%6s %3lu.%lu   thread %lu %s, cpu %u, priority %u", "", cpu / 10, cpu % 10,
			  row->thread.thread_id, inspect_thread_state(row->thread.state), row->thread.cpu,
			  row->thread.priority);
	}
}

static void show_process(struct shell *shell, const struct inspector_process *process, uint64_t cpu)
{
	struct memory_statistics statistics;
	const struct ledger_reading *ledger = statistics.ledger;

	if (process->ended != 0 ||
	    inspector_client_ledger(shell->inspector, process->process_id, &statistics) != STATUS_OK) {
		show_line("%6lu %3lu.%lu %-14.14s ended", process->process_id, cpu / 10, cpu % 10, process->name);
		return;
	}
	show_line("%6lu %3lu.%lu %-14.14s %7lu/%-8lu %6lu %6lu %5lu %9lu", process->process_id, cpu / 10, cpu % 10,
		  process->name, ledger[LEDGER_FRAME_GRANT].used, ledger[LEDGER_FRAME_GRANT].limit,
		  ledger[LEDGER_IMAGE].used, ledger[LEDGER_PAGE_TABLE].used, ledger[LEDGER_CAP_SLOTS].used,
		  ledger[LEDGER_KERNEL_OBJECT].used);
}

/* The busiest process first. */
static void show_processes(struct shell *shell, const struct sample *before, const struct sample *now)
{
	const uint64_t elapsed = now->time - before->time;
	uint64_t cpu[PROCESSES_MAX] = { 0 };
	bool is_shown[PROCESSES_MAX] = { false };

	for (uint32_t i = 0; i < now->processes; i++)
		cpu[i] = share(process_run_ns(before, now->process[i].process_id), now->process[i].run_ns, elapsed);
	show_line("%6s %5s %-14s %7s/%-8s %6s %6s %5s %9s", "PID", "CPU%", "NAME", "FRAMES", "LIMIT", "IMAGE", "TABLES",
		  "SLOTS", "KERNEL");
	for (uint32_t round = 0; round < now->processes; round++) {
		uint32_t next = now->processes;

		for (uint32_t i = 0; i < now->processes; i++) {
			if (!is_shown[i] && (next == now->processes || cpu[i] > cpu[next]))
				next = i;
		}
		is_shown[next] = true;
		show_process(shell, &now->process[next], cpu[next]);
		show_threads(before, now, now->process[next].process_id);
	}
}

/* Until a second after `from`. False: a key was pressed. */
static bool wait_round(struct shell *shell, uint64_t from)
{
	uint64_t now = from;
	char key;

	while (now - from < ROUND_NS) {
		if (screen.is_live && keyboard_listen() != STATUS_OK)
			return false;
		enum status status = event_handle(ROUND_NS - (now - from));

		if (status != STATUS_OK && status != STATUS_TIMED_OUT)
			return false;
		if (screen.is_live && keyboard_pressed(&key))
			return false;
		if (timer_client_now(shell->timer, &now) != STATUS_OK)
			return false;
	}
	return true;
}

static void show_round(struct shell *shell, const struct sample *before, const struct sample *now)
{
	screen.left = SCREEN_LINES;
	if (screen.is_live)
		print("\x1b[H");
	show_machine(shell, before, now);
	show_processes(shell, before, now);
	if (screen.is_live) {
		print("\x1b[J");
		print_flush();
	}
}

bool top_show(struct shell *shell, const struct words *words)
{
	uint64_t rounds = UINT64_MAX;
	uint32_t now = 0;
	enum status status;

	if (words->count > 1 && (!words_number(words->word[1], &rounds) || rounds == 0)) {
		print("top: N is a number above 0, not %s\n", words->word[1]);
		return false;
	}
	screen.is_live = words->count == 1;
	if (screen.is_live)
		print("\x1b[2J");
	status = read_sample(shell, &samples[now]);
	while (status == STATUS_OK && rounds > 0 && wait_round(shell, samples[now].time)) {
		now ^= 1;
		rounds--;
		status = read_sample(shell, &samples[now]);
		if (status == STATUS_OK)
			show_round(shell, &samples[now ^ 1], &samples[now]);
	}
	if (status == STATUS_OK)
		return true;
	print("top: %s\n", status_name(status));
	return false;
}
