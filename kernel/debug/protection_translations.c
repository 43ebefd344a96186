#include "kernel/debug/protection_translations.h"

#include <stdbool.h>

#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/probe.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/debug/protection_report.h"
#include "kernel/mem/direct_map.h"
#include "kernel/mem/paging.h"
#include "lib/check.h"

#define CR4_GLOBAL_PAGES (UINT64_C(1) << 7)
#define CR4_PCID (UINT64_C(1) << 17)
#define PCID_MASK UINT64_C(0xfff)
#define OTHER_PCID UINT64_C(0xffe) /* no space has it while no program runs */

#define PAGE TEST_SPACE_ADDRESS
#define OLD_WORD UINT64_C(0x01d01d01d01d01d0)
#define NEW_WORD UINT64_C(0x4e34e34e34e34e34)

/* The page, and the entries that it has by turns: to the old frame, to the new one. */
static struct {
	pte_t *entry;
	pte_t old, changed;
	uint64_t root; /* CR3 */
} scene;

static void set_entry(pte_t entry)
{
	*(volatile pte_t *)scene.entry = entry;
}

static bool reads(uint64_t word)
{
	uint64_t value;

	return probe_read64(PAGE, &value, false) && value == word;
}

/* The old translation is in use, and the entry then becomes another. */
static void cache_and_change(uint64_t flags, pte_t to)
{
	set_entry(pte_toggle(scene.old, flags));
	invlpg(PAGE);
	CHECK(reads(OLD_WORD) && probe_write64(PAGE, OLD_WORD, false));
	set_entry(to);
}

static bool still_reads_old(void)
{
	return reads(OLD_WORD);
}

static void forget_by_cr4(void)
{
	cr4_write(cr4_read() & ~CR4_GLOBAL_PAGES);
	cr4_write(cr4_read() | CR4_GLOBAL_PAGES);
}

static bool change_alone(void)
{
	cache_and_change(0, scene.changed);
	return still_reads_old();
}

static bool change_and_invlpg(void)
{
	cache_and_change(0, scene.changed);
	invlpg(PAGE);
	return still_reads_old();
}

static bool change_and_cr3(void)
{
	cache_and_change(0, scene.changed);
	cr3_write(scene.root);
	return still_reads_old();
}

static bool removal_alone(void)
{
	cache_and_change(0, pte_toggle(scene.old, PTE_PRESENT));
	return still_reads_old();
}

static bool removal_and_invlpg(void)
{
	cache_and_change(0, pte_toggle(scene.old, PTE_PRESENT));
	invlpg(PAGE);
	return still_reads_old();
}

static bool read_only_alone(void)
{
	cache_and_change(0, pte_toggle(scene.old, PTE_WRITE));
	return probe_write64(PAGE, OLD_WORD, false);
}

static bool read_only_and_invlpg(void)
{
	cache_and_change(0, pte_toggle(scene.old, PTE_WRITE));
	invlpg(PAGE);
	return probe_write64(PAGE, OLD_WORD, false);
}

/* That nothing is there is never kept (SDM vol. 3, 4.10.2.3): no flush after a page is committed. */
static bool absence(void)
{
	cache_and_change(0, pte_toggle(scene.old, PTE_PRESENT));
	invlpg(PAGE);
	CHECK(!still_reads_old());
	set_entry(scene.old);
	return !still_reads_old();
}

static bool global_and_cr3(void)
{
	cache_and_change(PTE_GLOBAL, scene.changed);
	cr3_write(scene.root);
	return still_reads_old();
}

static bool global_and_invlpg(void)
{
	cache_and_change(PTE_GLOBAL, scene.changed);
	invlpg(PAGE);
	return still_reads_old();
}

static bool global_and_cr4(void)
{
	cache_and_change(PTE_GLOBAL, scene.changed);
	forget_by_cr4();
	return still_reads_old();
}

/* In the kernel's root there is nothing at the address: whoever reads it has it from another space. */
static bool global_in_another_space(void)
{
	bool still;

	cache_and_change(PTE_GLOBAL, scene.changed);
	paging_load_kernel_root();
	still = still_reads_old();
	cr3_write(scene.root);
	return still;
}

static bool local_in_another_space(void)
{
	bool still;

	cache_and_change(0, scene.changed);
	paging_load_kernel_root();
	still = still_reads_old();
	cr3_write(scene.root);
	return still;
}

static bool pcid_comes_back(void)
{
	cache_and_change(0, scene.changed);
	paging_load_kernel_root();
	cr3_write(scene.root | PTE_ROOT_NO_FLUSH);
	return still_reads_old();
}

static bool pcid_comes_back_flushed(void)
{
	cache_and_change(0, scene.changed);
	paging_load_kernel_root();
	cr3_write(scene.root);
	return still_reads_old();
}

/* The same tables under another PCID, which nothing is kept of. */
static bool pcid_of_another(void)
{
	bool still;

	cr3_write((scene.root & ~PCID_MASK) | OTHER_PCID);
	cr3_write(scene.root);
	cache_and_change(0, scene.changed);
	cr3_write((scene.root & ~PCID_MASK) | OTHER_PCID | PTE_ROOT_NO_FLUSH);
	still = still_reads_old();
	cr3_write(scene.root);
	return still;
}

/* INVLPG is of the PCID that is loaded (SDM vol. 3, 4.10.4.1). */
static bool pcid_and_invlpg_of_another(void)
{
	cache_and_change(0, scene.changed);
	cr3_write((scene.root & ~PCID_MASK) | OTHER_PCID);
	invlpg(PAGE);
	cr3_write(scene.root | PTE_ROOT_NO_FLUSH);
	return still_reads_old();
}

struct translation_case {
	struct expectation expected;
	bool (*is_kept)(void);
};

#define KEPT                       \
	{                          \
		OUTCOME_KEPT, 0, 0 \
	}
#define FORGOTTEN                       \
	{                               \
		OUTCOME_FORGOTTEN, 0, 0 \
	}
#define ANY NEEDS_NOTHING
#define GLOBAL NEEDS_GLOBAL_PAGES

/* clang-format off */
static const struct translation_case cases[] = {
	{ { "tlb-change-alone", ANY, KEPT, {}, {} }, change_alone },
	{ { "tlb-change-and-invlpg", ANY, FORGOTTEN, {}, {} }, change_and_invlpg },
	{ { "tlb-change-and-cr3", ANY, FORGOTTEN, {}, {} }, change_and_cr3 },
	{ { "tlb-removal-alone", ANY, KEPT, {}, {} }, removal_alone },
	{ { "tlb-removal-and-invlpg", ANY, FORGOTTEN, {}, {} }, removal_and_invlpg },
	{ { "tlb-read-only-alone", ANY, KEPT, {}, {} }, read_only_alone },
	{ { "tlb-read-only-and-invlpg", ANY, FORGOTTEN, {}, {} }, read_only_and_invlpg },
	{ { "tlb-absence", ANY, FORGOTTEN, {}, {} }, absence },
	{ { "tlb-local-in-another-space", ANY, FORGOTTEN, {}, {} }, local_in_another_space },
	{ { "global-and-cr3", GLOBAL, KEPT, FORGOTTEN, {} }, global_and_cr3 },
	{ { "global-and-invlpg", GLOBAL, FORGOTTEN, {}, {} }, global_and_invlpg },
	{ { "global-and-cr4", GLOBAL, FORGOTTEN, {}, {} }, global_and_cr4 },
	{ { "global-in-another-space", GLOBAL, KEPT, FORGOTTEN, {} }, global_in_another_space },
	{ { "pcid-comes-back", NEEDS_PCID, KEPT, {}, FORGOTTEN }, pcid_comes_back },
	{ { "pcid-comes-back-flushed", NEEDS_PCID, FORGOTTEN, {}, {} }, pcid_comes_back_flushed },
	{ { "pcid-of-another", NEEDS_PCID, FORGOTTEN, {}, {} }, pcid_of_another },
	{ { "pcid-and-invlpg-of-another", NEEDS_PCID, KEPT, {}, FORGOTTEN }, pcid_and_invlpg_of_another },
};
/* clang-format on */

static void enable_pcid(uint64_t unused)
{
	(void)unused;
	cr4_write(cr4_read() | CR4_PCID);
}

/* PCIDs are switched on only while CR3 names PCID 0 (SDM vol. 3, 4.10.1). */
static void check_pcid_switch(void)
{
	static const struct expectation expected = {
		"pcid-switched-on-with-one-loaded", NEEDS_PCID, OUTCOME_EXCEPTION(TRAP_GENERAL_PROTECTION), {}, {}
	};
	struct outcome seen = { OUTCOME_ALLOWED, 0, 0 };
	struct probe_fault fault;

	if (!protection_report_can_ask(&expected))
		return;
	cr4_write(cr4_read() & ~CR4_PCID);
	if (!probe_call(enable_pcid, 0, &fault))
		seen = (struct outcome){ OUTCOME_FAULT, (uint32_t)fault.vector, (uint32_t)fault.error };
	cr3_write(scene.root & ~PCID_MASK);
	enable_pcid(0);
	cr3_write(scene.root);
	protection_report_seen(&expected, seen);
}

static void write_word(pte_t entry, uint64_t word)
{
	*(volatile uint64_t *)direct_map_of_frame(pte_frame(entry)) = word;
}

void protection_translations_run(struct test_space *space)
{
	pte_t before = *test_space_entry(space, PAGE, 1);

	scene.entry = test_space_entry(space, PAGE, 1);
	/* Pages of the kernel: Bochs keeps nothing of those that SMAP is asked about at each access. */
	scene.old = pte_toggle(before, PTE_USER);
	scene.changed = pte_toggle(*test_space_entry(space, PAGE + PAGE_SIZE, 1), PTE_USER);
	scene.root = cpu_current()->active_root;
	write_word(scene.old, OLD_WORD);
	write_word(scene.changed, NEW_WORD);
	for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
		bool is_kept;

		if (!protection_report_can_ask(&cases[i].expected))
			continue;
		is_kept = cases[i].is_kept();
		set_entry(scene.old);
		invlpg(PAGE);
		protection_report_seen(&cases[i].expected,
				       (struct outcome){ is_kept ? OUTCOME_KEPT : OUTCOME_FORGOTTEN, 0, 0 });
	}
	check_pcid_switch();
	set_entry(before);
	invlpg(PAGE);
	cpu_current()->active_root = scene.root;
}
