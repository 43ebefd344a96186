#include "kernel/mem/paging_check.h"

#include <stddef.h>

#include "kernel/arch/x86_64/image_bounds.h"
#include "kernel/arch/x86_64/panic.h"
#include "kernel/arch/x86_64/pte.h"
#include "kernel/mem/cpu_memory.h"
#include "kernel/mem/direct_map.h"
#include "kernel/mem/kernel_stack.h"
#include "kernel/mem/paging.h"
#include "lib/check.h"

/* Physical bytes of text and rodata, which nothing may map writable. */
struct fixed_bytes {
	uint64_t start, end;
};

static uint64_t address_of(const char *symbol)
{
	return (uint64_t)(uintptr_t)symbol;
}

static bool in_text(uint64_t address, uint64_t bytes)
{
	return address >= address_of(kernel_text_start) && address + (bytes - 1) < address_of(kernel_text_end);
}

static bool in_rodata(uint64_t address)
{
	return address >= address_of(kernel_rodata_start) && address < address_of(kernel_rodata_end);
}

/* What is wrong with one page of the kernel's half; NULL if nothing is. */
static const char *page_fault(pte_t entry, uint64_t address, uint64_t span, struct fixed_bytes fixed)
{
	uint64_t physical = pte_bits(entry) & PTE_FRAME_MASK & ~(span - 1);
	bool writable = pte_has(entry, PTE_WRITE);
	bool executable = !pte_has(entry, PTE_NO_EXECUTE);

	if (writable && executable)
		return "writable and executable";
	if (executable != in_text(address, span))
		return executable ? "executable outside text" : "text is not executable";
	if (writable && in_rodata(address))
		return "rodata is writable";
	if (writable && physical < fixed.end && physical + span > fixed.start)
		return "writable alias of text or rodata";
	if (!pte_has(entry, PTE_GLOBAL))
		return "not global";
	if (cpu_memory_guards(address) || kernel_stack_is_guard(address))
		return "the guard of a stack is mapped";
	return NULL;
}

static void check_table(const pte_t *table, unsigned level, uint64_t base, struct fixed_bytes fixed,
			struct paging_report *report)
{
	for (unsigned i = level == PTE_LEVELS ? PTE_ENTRIES / 2 : 0; i < PTE_ENTRIES; i++) {
		uint64_t address = base + i * pte_span(level);
		pte_t entry = table[i];
		const char *broken = NULL;

		if (!pte_is_present(entry))
			continue;
		if (pte_has(entry, PTE_USER))
			broken = "user access";
		if (level > 1 && !pte_is_large(entry)) {
			check_table(direct_map_of_frame(pte_frame(entry)), level - 1, address, fixed, report);
		} else {
			report->entries++;
			report->executable_pages += !pte_has(entry, PTE_NO_EXECUTE);
			report->writable_bytes += pte_has(entry, PTE_WRITE) ? pte_span(level) : 0;
			if (broken == NULL)
				broken = page_fault(entry, address, pte_span(level), fixed);
		}
		if (broken != NULL && report->broken == NULL) {
			report->broken = broken;
			report->bad_address = address;
		}
	}
}

/* Where a page of the image lies, from the table itself. */
static uint64_t physical_of(const char *symbol)
{
	const pte_t *table = paging_root_table();

	for (unsigned level = PTE_LEVELS; level > 1; level--)
		table = direct_map_of_frame(pte_frame(table[pte_index(address_of(symbol), level)]));
	return frame_to_u64(pte_frame(table[pte_index(address_of(symbol), 1)])) << PAGE_SHIFT;
}

static struct fixed_bytes find_fixed(void)
{
	const uint64_t start = physical_of(kernel_text_start);

	return (struct fixed_bytes){ start, start + (address_of(kernel_rodata_end) - address_of(kernel_text_start)) };
}

bool paging_check_run(struct paging_report *report)
{
	const struct fixed_bytes fixed = find_fixed();

	*report = (struct paging_report){ 0 };
	/* the sign-extended address of entry 256 is ffff8000_00000000 */
	check_table(paging_root_table(), PTE_LEVELS, UINT64_C(0xffff000000000000), fixed, report);
	return report->broken == NULL;
}

#ifdef KERNEL_WATCH

static const char *mapped_fault(uint64_t address)
{
	const pte_t *table = paging_root_table();

	for (unsigned level = PTE_LEVELS;; level--) {
		const pte_t entry = table[pte_index(address, level)];

		if (!pte_is_present(entry))
			return "not mapped";
		if (pte_has(entry, PTE_USER))
			return "user access";
		if (level == 1 || pte_is_large(entry))
			return page_fault(entry, address, pte_span(level), find_fixed());
		table = direct_map_of_frame(pte_frame(entry));
	}
}

void paging_check_mapped(uint64_t address)
{
	const char *broken = mapped_fault(address);

	if (broken != NULL)
		panic("kernel page table, after a page was mapped: %s, address 0x%lx", broken, address);
}

#endif
