#include "tests/host/task_machine.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "kernel/arch/x86_64/clock.h"
#include "kernel/arch/x86_64/context.h"
#include "kernel/arch/x86_64/fpu.h"
#include "kernel/arch/x86_64/halt.h"
#include "kernel/arch/x86_64/log.h"
#include "kernel/arch/x86_64/random.h"
#include "kernel/arch/x86_64/serial.h"
#include "kernel/arch/x86_64/tlb.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/arch/x86_64/user_mode.h"
#include "kernel/cap/call.h"
#include "kernel/mem/kernel_stack.h"
#include "kernel/mem/paging.h"
#include "kernel/task/boot_package.h"
#include "kernel/task/console_wait.h"
#include "kernel/task/entropy.h"
#include "kernel/task/process_tree.h"
#include "lib/check.h"
#include "tests/host/task_scheduler.h"

#define STACK_WINDOW_PAGES (KERNEL_STACK_SLOTS * (KERNEL_STACK_PAGES + 1))
#define PRINTED_BYTES 8192u

static frame_t stack_frame[STACK_WINDOW_PAGES]; /* 0: not mapped */
static uint64_t stack_pages;
static uint64_t clock_ns;
static uint64_t random_words;
static const char *typed;
static bool is_polled;
static void (*read_act)(void *argument);
static void *read_argument;
static char printed[PRINTED_BYTES];
static uint32_t printed_bytes;
static const struct archive *package;

/* ---- windows ---- */

static frame_t *stack_entry(uint64_t address)
{
	uint64_t page = (address - STACK_WINDOW_START) >> PAGE_SHIFT;

	CHECK(page < STACK_WINDOW_PAGES && page % (KERNEL_STACK_PAGES + 1) != 0);
	return &stack_frame[page];
}

/* A table may be missing on the way: so this can fail. The kernel keeps such tables; here they are never needed. */
enum status paging_map_page(uint64_t address, frame_t frame)
{
	frame_t *entry = stack_entry(address);

	TRY(frame_promise(1));
	frame_promise_return(1);
	CHECK(frame_to_u64(*entry) == 0);
	*entry = frame;
	stack_pages++;
	return STATUS_OK;
}

frame_t paging_unmap_page(uint64_t address)
{
	frame_t *entry = stack_entry(address);
	frame_t frame = *entry;

	CHECK(frame_to_u64(frame) != 0);
	*entry = frame_from_u64(0);
	stack_pages--;
	return frame;
}

void tlb_flush_kernel(vaddr_t start, vaddr_t end)
{
	CHECK(vaddr_to_u64(start) < vaddr_to_u64(end));
}

const pte_t *paging_root_table(void)
{
	return machine_kernel_root();
}

uint64_t task_machine_stack_pages(void)
{
	return stack_pages;
}

/* ---- CPU ---- */

bool random_hardware(uint64_t *word)
{
	*word = UINT64_C(0x9e3779b97f4a7c15) * ++random_words;
	return true;
}

uint64_t random_timer(void)
{
	return ++random_words;
}

uint64_t clock_now_ns(void)
{
	return clock_ns;
}

void task_machine_set_clock(uint64_t nanoseconds)
{
	clock_ns = nanoseconds;
}

uint64_t context_prepare(uint64_t stack_top, void (*entry)(void *argument), void *argument)
{
	CHECK(stack_top % 16 == 0 && entry != NULL && argument != NULL);
	return stack_top;
}

void fpu_state_init(struct fpu_state *state)
{
	memset(state, 0, sizeof(*state));
}

_Noreturn void user_mode_enter(uint64_t rip, uint64_t rsp, uint64_t rdi, uint64_t rsi)
{
	(void)rip;
	(void)rsp;
	(void)rdi;
	(void)rsi;
	CHECK(false && "no program runs here");
	__builtin_unreachable();
}

_Noreturn void machine_halt(uint32_t code)
{
	(void)code;
	CHECK(false && "the machine is halted");
	__builtin_unreachable();
}

const char *trap_name(uint64_t vector)
{
	(void)vector;
	return "exception";
}

/* ---- devices ---- */

void log_line(const char *format, ...)
{
	CHECK(format != NULL);
}

void log_bytes(const uint8_t *bytes, uint64_t count)
{
	if (count > sizeof(printed) - 1 - printed_bytes)
		count = sizeof(printed) - 1 - printed_bytes;
	memcpy(printed + printed_bytes, bytes, count);
	printed_bytes += (uint32_t)count;
}

bool serial_read_byte(uint8_t *byte)
{
	if (*typed == 0)
		return false;
	*byte = (uint8_t)*typed++;
	if (read_act != NULL)
		read_act(read_argument);
	return true;
}

void task_machine_on_read(void (*act)(void *argument), void *argument)
{
	read_act = act;
	read_argument = argument;
}

bool serial_is_polled(void)
{
	return is_polled;
}

void task_machine_poll_input(void)
{
	is_polled = true;
}

void task_machine_type(const char *text)
{
	typed = text;
	if (!is_polled)
		console_wait_call();
}

const char *task_machine_printed(void)
{
	return printed;
}

const struct archive *boot_package_archive(void)
{
	return package;
}

void task_machine_set_package(const struct archive *archive)
{
	package = archive;
}

/* On a floor above the tests' kernel. */
const struct call_table inspector_calls = { NULL, 0 };

/* ---- the machine ---- */

void task_machine_start(uint64_t frames)
{
	static const struct archive empty;

	machine_start(frames);
	memset(stack_frame, 0, sizeof(stack_frame));
	memset(printed, 0, sizeof(printed));
	printed_bytes = 0;
	stack_pages = 0;
	clock_ns = 0;
	typed = "";
	is_polled = false;
	read_act = NULL;
	package = &empty;
	entropy_start_seeded(0);
	task_scheduler_start();
	(void)machine_refuse_promise(UINT64_MAX);
}

void task_machine_stop(void)
{
	struct memory_object_census objects;
	struct heap_statistics heap;

	(void)kernel_stack_trim();
	memory_object_count(&objects);
	heap_statistics_read(&heap);
	assert_int_equal(process_tree_count(), 0);
	assert_true(process_tree_is_valid());
	assert_int_equal(objects.objects, 0);
	assert_int_equal(heap.blocks, 0);
	assert_int_equal(stack_pages, 0);
	assert_int_equal(frame_free_count(), machine_frames());
	assert_true(heap_is_valid());
	assert_true(kernel_stack_is_valid());
	assert_true(console_wait_is_valid());
	machine_stop();
}

void task_machine_limits(uint64_t limits[LEDGER_COUNT], uint64_t limit)
{
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		limits[kind] = limit;
}
