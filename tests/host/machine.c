#define _GNU_SOURCE /* memfd_create */
#include "tests/host/machine.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/arch/x86_64/features.h"
#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/interrupt_window.h"
#include "kernel/arch/x86_64/page_zero.h"
#include "kernel/arch/x86_64/tlb.h"
#include "kernel/mem/frame.h"
#include "kernel/mem/page_walk.h"
#include "kernel/mem/shortage.h"
#include "lib/check.h"
#include "lib/memory_map.h"

#define JUNK_FRAMES_MAX UINT64_C(16384)
#define JUNK 0x5a
#define TLB_SLOTS 64u

/* What a CPU remembers of one page: the leaf entry, and the tables on the way to it. */
struct translation {
	uint64_t page;
	bool has_leaf, has_tables;
	pte_t leaf;
	unsigned tables;               /* of levels 3, 2, 1 that are there */
	frame_t table[PTE_LEVELS - 1]; /* by level - 1 */
};

struct simulated_cpu {
	struct cpu cpu;
	struct address_space *space;
	const struct address_space *last; /* whose translations `slot` has while none is loaded */
	struct translation slot[TLB_SLOTS];
};

static struct simulated_cpu cpus[MACHINE_CPUS];
static pte_t kernel_root[PTE_ENTRIES] __attribute__((aligned(4096)));
static char *arena;
static uint64_t arena_bytes;
static uint64_t frames_at_start;
static uint64_t flushes;

/* ---- what the kernel asks of a CPU ---- */

void tlb_poll(void)
{
}

/* Threads of a test that meet at a lock. Whose turn it is may be waiting for one of the host's CPUs. */
void spinlock_wait(const struct spinlock *lock, uint16_t ticket)
{
	while (__atomic_load_n(&lock->serving, __ATOMIC_ACQUIRE) != ticket)
		(void)sched_yield();
}

static void (*window_act)(void);
uint64_t machine_windows;

void machine_on_window(void (*act)(void))
{
	window_act = act;
}

void interrupt_window_open(void)
{
	(void)__atomic_add_fetch(&machine_windows, 1, __ATOMIC_RELAXED);
	if (window_act != NULL)
		window_act();
}

static void check_page(const void *page)
{
	uintptr_t offset = (uintptr_t)page - (uintptr_t)arena;

	CHECK(offset < arena_bytes && offset % PAGE_SIZE == 0);
}

/* Memory that nobody wrote to is zero and stays unallocated: so large machines are cheap. */
void page_zero(void *page)
{
	static const uint64_t zeros[PAGE_SIZE / sizeof(uint64_t)];

	check_page(page);
	if (memcmp(page, zeros, PAGE_SIZE) != 0)
		memset(page, 0, PAGE_SIZE);
}

void page_fill64(void *page, uint64_t word)
{
	char *bytes = page;

	check_page(page);
	for (uint32_t i = 0; i < PAGE_SIZE; i += sizeof(word))
		memcpy(bytes + i, &word, sizeof(word));
}

/*
 * What the promise in tlb.h says, and no more: pages of the range are forgotten, and so is all that INVLPG forgets
 * besides, the tables on the way to any page.
 */
static void forget(struct translation *slot, struct uaddr_range range)
{
	if (slot->has_tables)
		for (unsigned i = 0; i < slot->tables; i++)
			CHECK(frame_use_of(frame_info_of(slot->table[PTE_LEVELS - 2 - i])) == FRAME_TABLE);
	slot->has_tables = false;
	if (!uaddr_range_contains(range, uaddr_from_u64(slot->page)))
		return;
	if (slot->has_leaf)
		CHECK(frame_use_of(frame_info_of(pte_frame(slot->leaf))) > FRAME_FREE);
	slot->has_leaf = false;
}

void tlb_flush(uint64_t cpu_mask, struct uaddr_range range)
{
	CHECK(uaddr_range_bytes(range) > 0);
	__atomic_add_fetch(&flushes, 1, __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < MACHINE_CPUS; i++) {
		if ((cpu_mask & cpus[i].cpu.bit) == 0)
			continue;
		for (uint32_t slot = 0; slot < TLB_SLOTS; slot++)
			forget(&cpus[i].slot[slot], range);
	}
}

uint64_t machine_flushes(void)
{
	return __atomic_load_n(&flushes, __ATOMIC_RELAXED);
}

/* ---- the machine ---- */

static void lay_out_memory(uint64_t frames)
{
	uint64_t storage_pages = (frame_storage_bytes(frames) + PAGE_SIZE - 1) / PAGE_SIZE;
	static struct memory_map map;

	memory_map_init(&map);
	CHECK(memory_map_add(&map, 0, frames * PAGE_SIZE, MEMORY_USABLE) == STATUS_OK);
	CHECK(memory_map_add(&map, MACHINE_HOLE_START * PAGE_SIZE, (MACHINE_HOLE_END - MACHINE_HOLE_START) * PAGE_SIZE,
			     MEMORY_RESERVED) == STATUS_OK);
	CHECK(memory_map_add(&map, MACHINE_HOLE_END * PAGE_SIZE, storage_pages * PAGE_SIZE, MEMORY_KERNEL_IMAGE) ==
	      STATUS_OK);
	CHECK(frame_init(&map, arena + MACHINE_HOLE_END * PAGE_SIZE) == STATUS_OK);
}

/* A file of junk, of which each machine has a copy on write: only pages that are touched cost anything. */
static int junk_file(uint64_t frames)
{
	static int file = -1;
	static uint64_t written;
	static char page[PAGE_SIZE];

	if (file < 0)
		file = memfd_create("junk", MFD_CLOEXEC);
	CHECK(file >= 0);
	memset(page, JUNK, sizeof(page));
	for (; written < frames; written++)
		CHECK(write(file, page, sizeof(page)) == (ssize_t)sizeof(page));
	return file;
}

void machine_start(uint64_t frames)
{
	const bool is_junk = frames <= JUNK_FRAMES_MAX;

	if (arena != NULL) /* left behind by a test that failed */
		CHECK(munmap(arena, arena_bytes) == 0);
	arena_bytes = frames * PAGE_SIZE;
	arena = mmap(NULL, arena_bytes, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_NORESERVE | (is_junk ? 0 : MAP_ANONYMOUS), is_junk ? junk_file(frames) : -1, 0);
	CHECK(arena != MAP_FAILED);
	direct_map_base = (uint64_t)(uintptr_t)arena;
	memset(cpus, 0, sizeof(cpus));
	for (uint32_t i = 0; i < MACHINE_CPUS; i++) {
		cpus[i].cpu.self = &cpus[i].cpu;
		cpus[i].cpu.index = i;
		cpus[i].cpu.bit = UINT64_C(1) << i;
	}
	machine_run_on(0);
	for (uint32_t i = PTE_ENTRIES / 2; i < PTE_ENTRIES; i++)
		kernel_root[i] = pte_kernel_table(paddr_from_u64((uint64_t)(i + 1) * PAGE_SIZE));
	lay_out_memory(frames);
	frames_at_start = frame_free_count();
	CHECK(frame_is_valid());
}

void machine_stop(void)
{
	CHECK(frame_free_count() == frames_at_start);
	CHECK(frame_is_valid());
	CHECK(munmap(arena, arena_bytes) == 0);
	arena = NULL;
}

uint64_t machine_frames(void)
{
	return frames_at_start;
}

void machine_run_on(uint32_t cpu)
{
	CHECK(cpu < MACHINE_CPUS);
	cpu_host_current = &cpus[cpu].cpu;
}

bool machine_refuse_promise(uint64_t k)
{
	const struct shortage_order order = { .places = 1u << SHORTAGE_FRAMES, .first = k + 1 };
	struct shortage_report report;

	shortage_begin(&order, &report);
	return report.refused[SHORTAGE_FRAMES] != 0;
}

const pte_t *machine_kernel_root(void)
{
	return kernel_root;
}

void machine_account(struct account *account, uint64_t limit)
{
	uint64_t limits[LEDGER_COUNT];

	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		limits[kind] = limit;
	account->lock = (struct spinlock)SPINLOCK_INIT(LOCK_ACCOUNT);
	resource_ledger_init(&account->ledger, limits);
}

void machine_set_limit(struct account *account, enum ledger_kind kind, uint64_t limit)
{
	struct ledger *ledger = &account->ledger.of[kind];

	CHECK(ledger->used <= limit);
	ledger->limit = limit;
	ledger->peak = ledger->used;
}

/* ---- translations ---- */

void machine_load(uint32_t cpu, struct address_space *space)
{
	struct simulated_cpu *one = &cpus[cpu];
	bool kept = false;

	if (one->space != NULL) {
		address_space_leave_cpu(one->space, cpu);
		one->last = one->space; /* its translations stay, under its PCID */
	}
	one->space = space;
	if (space == NULL)
		return;
	kept = (address_space_enter_cpu(space, cpu) & PTE_ROOT_NO_FLUSH) != 0;
	if (!kept || one->last != space) /* one space's translations are all that the simulation keeps */
		memset(one->slot, 0, sizeof(one->slot));
}

const struct cpu_features *features_get(void)
{
	static const struct cpu_features features = { .nx = true, .pcid = true, .hwcap = MACHINE_HWCAP };

	return &features;
}

static struct translation translate(const struct address_space *space, uint64_t page)
{
	struct translation found = { .page = page, .has_tables = true };
	const pte_t *table = space->root_table;

	for (unsigned level = PTE_LEVELS; level > 1; level--) {
		pte_t entry = table[pte_index(page, level)];

		if (!pte_is_present(entry))
			return found;
		found.table[level - 2] = pte_frame(entry);
		found.tables++;
		table = page_table_of(entry);
	}
	found.leaf = table[pte_index(page, 1)];
	found.has_leaf = pte_is_present(found.leaf);
	return found;
}

void machine_touch(const struct address_space *space, uint64_t address)
{
	uint64_t page = address & ~(uint64_t)(PAGE_SIZE - 1);

	for (uint32_t i = 0; i < MACHINE_CPUS; i++)
		if (cpus[i].space == space)
			cpus[i].slot[(page >> PAGE_SHIFT) % TLB_SLOTS] = translate(space, page);
}

/* A right that was added may be missing in the TLB: the CPU looks again before it faults. */
static bool leaf_holds(pte_t remembered, const struct translation *now)
{
	return now->has_leaf && frame_equal(pte_frame(remembered), pte_frame(now->leaf)) &&
	       (pte_protection(remembered) & ~pte_protection(now->leaf)) == 0;
}

static bool translation_holds(const struct address_space *space, const struct translation *slot)
{
	struct translation now = translate(space, slot->page);

	if (slot->has_leaf && !leaf_holds(slot->leaf, &now))
		return false;
	if (!slot->has_tables)
		return true;
	for (unsigned i = 0; i < slot->tables; i++)
		if (i >= now.tables || !frame_equal(slot->table[PTE_LEVELS - 2 - i], now.table[PTE_LEVELS - 2 - i]))
			return false;
	return true;
}

bool machine_translations_hold(void)
{
	for (uint32_t i = 0; i < MACHINE_CPUS; i++)
		for (uint32_t slot = 0; slot < TLB_SLOTS && cpus[i].space != NULL; slot++)
			if (!translation_holds(cpus[i].space, &cpus[i].slot[slot]))
				return false;
	return true;
}

/* ---- broken promises ---- */

bool machine_check_fails(void (*act)(void *argument), void *argument, const char *expression)
{
	char said[1024];
	size_t length = 0;
	int outcome;
	int ends[2];
	ssize_t got;
	pid_t child;

	CHECK(pipe(ends) == 0);
	(void)fflush(NULL);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		(void)signal(SIGABRT, SIG_DFL);
		(void)dup2(ends[1], STDERR_FILENO);
		act(argument);
		_exit(0);
	}
	(void)close(ends[1]);
	while (length < sizeof(said) - 1 && (got = read(ends[0], said + length, sizeof(said) - 1 - length)) > 0)
		length += (size_t)got;
	said[length] = '\0';
	(void)close(ends[0]);
	CHECK(waitpid(child, &outcome, 0) == child);
	return WIFSIGNALED(outcome) && WTERMSIG(outcome) == SIGABRT && strstr(said, expression) != NULL;
}
