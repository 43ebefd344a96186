#include "kernel/debug/protection_pages.h"

#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/probe.h"
#include "kernel/arch/x86_64/probe_step.h"
#include "kernel/arch/x86_64/trap.h"
#include "kernel/debug/protection_report.h"
#include "kernel/mem/direct_map.h"
#include "lib/check.h"

#define CR0_WRITE_PROTECT (UINT64_C(1) << 16)
#define CR4_SMEP (UINT64_C(1) << 20)
#define CR4_SMAP (UINT64_C(1) << 21)

#define PAGE TEST_SPACE_ADDRESS
#define HOLE UINT64_C(0x0000800000000000) /* not canonical, with 48 bits */
#define UPPER_HOLE UINT64_C(0xffff7ffffffffff0)

#define NONE PTE_PRESENT /* supervisor, read only, executable */
#define DATA (PTE_PRESENT | PTE_WRITE | PTE_NO_EXECUTE)
#define USER_DATA (DATA | PTE_USER)
#define USER_TEXT (PTE_PRESENT | PTE_USER)
#define RESERVED (UINT64_C(1) << 51)       /* above the CPU's addresses: NEEDS_SPARE_ADDRESS_BITS */
#define LARGE_RESERVED (UINT64_C(1) << 13) /* in the entry of a large page (SDM vol. 3, table 4-16) */

struct page_case {
	struct expectation expected;
	void (*step)(uint64_t address);
	uint64_t address;
	uint64_t page;    /* flags of the page's entry */
	unsigned level;   /* of the other entry on the way that is changed, if any ... */
	uint64_t toggled; /* ... in these flags */
	uint64_t cr0_off, cr4_off;
};

#define PRESENT PAGE_FAULT_PRESENT
#define WRITE PAGE_FAULT_WRITE
#define BAD PAGE_FAULT_RESERVED
#define FETCH PAGE_FAULT_FETCH
#define ALLOWED                       \
	{                             \
		OUTCOME_ALLOWED, 0, 0 \
	}
#define FAULT(error) OUTCOME_PAGE_FAULT(error)
#define GENERAL OUTCOME_EXCEPTION(TRAP_GENERAL_PROTECTION)
#define STACK OUTCOME_EXCEPTION(TRAP_STACK)
#define ANY NEEDS_NOTHING
#define SPARE NEEDS_SPARE_ADDRESS_BITS

/* clang-format off */
static const struct page_case cases[] = {
	{ { "wp-read", ANY, ALLOWED, {}, {} }, probe_step_read, PAGE, NONE, 0, 0, 0, 0 },
	{ { "wp-write", ANY, FAULT(PRESENT | WRITE), {}, {} }, probe_step_write, PAGE, NONE, 0, 0, 0, 0 },
	{ { "wp-off-write", ANY, ALLOWED, {}, {} }, probe_step_write, PAGE, NONE, 0, 0, CR0_WRITE_PROTECT, 0 },
	{ { "wp-write-to-program-text", NEEDS_SMAP, FAULT(PRESENT | WRITE), {}, {} },
		probe_step_write_open, PAGE, USER_TEXT, 0, 0, 0, 0 },
	{ { "wp-write-under-read-only-table", ANY, FAULT(PRESENT | WRITE), {}, {} },
		probe_step_write, PAGE, DATA, 2, PTE_WRITE, 0, 0 },
	{ { "wp-write-to-data", ANY, ALLOWED, {}, {} }, probe_step_write, PAGE, DATA, 0, 0, 0, 0 },

	{ { "nx-execute-data", ANY, FAULT(PRESENT | FETCH), {}, {} }, probe_step_execute, PAGE, DATA, 0, 0, 0, 0 },
	{ { "nx-execute-text", ANY, ALLOWED, {}, {} }, probe_step_execute, PAGE, NONE, 0, 0, 0, 0 },
	{ { "nx-execute-under-nx-table", ANY, FAULT(PRESENT | FETCH), {}, {} },
		probe_step_execute, PAGE, NONE, 2, PTE_NO_EXECUTE, 0, 0 },
	{ { "nx-execute-under-nx-root", ANY, FAULT(PRESENT | FETCH), {}, {} },
		probe_step_execute, PAGE, NONE, 4, PTE_NO_EXECUTE, 0, 0 },

	{ { "absent-read", ANY, FAULT(0), {}, {} }, probe_step_read, PAGE, 0, 0, 0, 0, 0 },
	{ { "absent-write", ANY, FAULT(WRITE), {}, {} }, probe_step_write, PAGE, 0, 0, 0, 0, 0 },
	{ { "absent-execute", ANY, FAULT(FETCH), {}, {} }, probe_step_execute, PAGE, 0, 0, 0, 0, 0 },
	{ { "absent-table-read", ANY, FAULT(0), {}, {} }, probe_step_read, PAGE, DATA, 3, PTE_PRESENT, 0, 0 },

	{ { "reserved-bit-read", SPARE, FAULT(PRESENT | BAD), FAULT(BAD), {} },
		probe_step_read, PAGE, DATA | RESERVED, 0, 0, 0, 0 },
	{ { "reserved-bit-write", SPARE, FAULT(PRESENT | WRITE | BAD), FAULT(WRITE | BAD), {} },
		probe_step_write, PAGE, DATA | RESERVED, 0, 0, 0, 0 },
	{ { "reserved-bit-execute", SPARE, FAULT(PRESENT | BAD | FETCH), FAULT(BAD | FETCH), {} },
		probe_step_execute, PAGE, NONE | RESERVED, 0, 0, 0, 0 },
	{ { "reserved-bit-in-table", SPARE, FAULT(PRESENT | BAD), FAULT(BAD), {} },
		probe_step_read, PAGE, DATA, 2, RESERVED, 0, 0 },
	{ { "reserved-bit-in-root", SPARE, FAULT(PRESENT | BAD), FAULT(BAD), {} },
		probe_step_read, PAGE, DATA, 4, RESERVED, 0, 0 },
	{ { "reserved-size-in-root", ANY, FAULT(PRESENT | BAD), FAULT(BAD), {} },
		probe_step_read, PAGE, DATA, 4, PTE_LARGE, 0, 0 },
	{ { "reserved-bit-of-absent-page", SPARE, FAULT(0), {}, {} },
		probe_step_read, PAGE, RESERVED, 0, 0, 0, 0 },

	{ { "hole-read", ANY, GENERAL, {}, {} }, probe_step_read, HOLE, DATA, 0, 0, 0, 0 },
	{ { "hole-write", ANY, GENERAL, {}, {} }, probe_step_write, HOLE, DATA, 0, 0, 0, 0 },
	{ { "hole-execute", ANY, GENERAL, {}, {} }, probe_step_execute, HOLE, DATA, 0, 0, 0, 0 },
	{ { "hole-read-at-its-end", ANY, GENERAL, {}, {} }, probe_step_read, UPPER_HOLE, DATA, 0, 0, 0, 0 },
	{ { "hole-read-stack", ANY, STACK, GENERAL, {} }, probe_step_read_stack, HOLE, DATA, 0, 0, 0, 0 },

	{ { "smep-execute", NEEDS_SMEP, FAULT(PRESENT | FETCH), {}, {} },
		probe_step_execute, PAGE, USER_TEXT, 0, 0, 0, 0 },
	{ { "smep-off-execute", NEEDS_SMEP, ALLOWED, {}, {} },
		probe_step_execute, PAGE, USER_TEXT, 0, 0, 0, CR4_SMEP },
	{ { "smep-execute-under-kernel-table", NEEDS_SMEP, ALLOWED, {}, {} },
		probe_step_execute, PAGE, USER_TEXT, 2, PTE_USER, 0, 0 },

	{ { "smap-read", NEEDS_SMAP, FAULT(PRESENT), {}, {} }, probe_step_read, PAGE, USER_DATA, 0, 0, 0, 0 },
	{ { "smap-write", NEEDS_SMAP, FAULT(PRESENT | WRITE), {}, {} }, probe_step_write, PAGE, USER_DATA, 0, 0, 0, 0 },
	{ { "smap-read-stack", NEEDS_SMAP, FAULT(PRESENT), {}, {} },
		probe_step_read_stack, PAGE, USER_DATA, 0, 0, 0, 0 },
	{ { "smap-off-read", NEEDS_SMAP, ALLOWED, {}, {} }, probe_step_read, PAGE, USER_DATA, 0, 0, 0, CR4_SMAP },
	{ { "smap-stac-read", NEEDS_SMAP, ALLOWED, {}, {} }, probe_step_read_open, PAGE, USER_DATA, 0, 0, 0, 0 },
	{ { "smap-stac-write", NEEDS_SMAP, ALLOWED, {}, {} }, probe_step_write_open, PAGE, USER_DATA, 0, 0, 0, 0 },
	{ { "smap-clac-read", NEEDS_SMAP, FAULT(PRESENT), {}, {} },
		probe_step_read_shut, PAGE, USER_DATA, 0, 0, 0, 0 },
	{ { "smap-popf-read", NEEDS_SMAP, ALLOWED, {}, {} },
		probe_step_read_by_flag, PAGE, USER_DATA, 0, 0, 0, 0 },
	{ { "smap-read-under-kernel-table", NEEDS_SMAP, ALLOWED, {}, {} },
		probe_step_read, PAGE, USER_DATA, 2, PTE_USER, 0, 0 },
};
/* clang-format on */

/* All that the way to the page has cached goes with it: its own entry is one of 512 (SDM vol. 3, 4.10.4.1). */
static void publish(pte_t *entry, pte_t value)
{
	*(volatile pte_t *)entry = value;
	invlpg(PAGE);
}

static void run(struct test_space *space, const struct page_case *at)
{
	pte_t *page = test_space_entry(space, PAGE, 1),
	      *way = at->level ? test_space_entry(space, PAGE, at->level) : page;
	const pte_t page_before = *page, way_before = *way;
	const uint64_t cr0 = cr0_read(), cr4 = cr4_read();
	struct outcome seen = { OUTCOME_ALLOWED, 0, 0 };
	struct probe_fault fault;

	if (!protection_report_can_ask(&at->expected))
		return;
	publish(page, pte_toggle(pte_kernel_page(paddr_from_frame(pte_frame(page_before)), at->page),
				 (at->page & PTE_PRESENT) == 0 ? PTE_PRESENT : 0));
	if (at->level)
		publish(way, pte_toggle(way_before, at->toggled));
	cr0_write(cr0 & ~at->cr0_off);
	cr4_write(cr4 & ~at->cr4_off);
	if (!probe_call(at->step, at->address, &fault))
		seen = (struct outcome){ OUTCOME_FAULT, (uint32_t)fault.vector, (uint32_t)fault.error };
	cr4_write(cr4);
	cr0_write(cr0);
	if (at->level)
		publish(way, way_before);
	publish(page, page_before);
	protection_report_seen(&at->expected, seen);
}

void protection_pages_run(struct test_space *space)
{
	/* A RET, so that what may be executed comes back. */
	*(volatile uint8_t *)direct_map_of_frame(pte_frame(*test_space_entry(space, PAGE, 1))) = 0xc3;
	for (uint32_t i = 0; i < COUNT_OF(cases); i++)
		run(space, &cases[i]);
}
