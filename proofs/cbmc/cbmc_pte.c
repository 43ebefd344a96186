/*
 * kernel/arch/x86_64/pte: what a page-table entry says is what it was made to say, for every frame, kind and protection
 * (no loops, so no bound).
 */
#include "kernel/arch/x86_64/pte.h"
#include "lib/range.h"
#include "proofs/cbmc/cbmc_support.h"

static uint32_t any_protection(void)
{
	const uint32_t protection = nondet_u32();

	ASSUME(protection_check(protection) == STATUS_OK);
	return protection;
}

static frame_t any_frame(void)
{
	const uint64_t number = nondet_u64();

	ASSUME(number <= PTE_FRAME_MASK >> PAGE_SHIFT);
	return frame_from_u64(number);
}

static enum page_kind any_kind(void)
{
	const uint32_t kind = nondet_u32();

	ASSUME(kind < PAGE_KIND_COUNT);
	return (enum page_kind)kind;
}

/* A page with a frame: present exactly if the program may touch it, and never both writable and executable. */
PROOF(pte_of_page)
{
	const frame_t frame = any_frame(), other = any_frame();
	const enum page_kind kind = any_kind();
	const uint32_t protection = any_protection();
	const pte_t entry = pte_page(frame, kind, protection);

	PROVE(frame_equal(pte_frame(entry), frame) && pte_kind(entry) == kind && pte_protection(entry) == protection);
	PROVE(pte_is_present(entry) == (protection != PROTECTION_NONE));
	PROVE(pte_has(entry, PTE_USER) == pte_is_present(entry));
	PROVE(pte_has(entry, PTE_WRITE) == ((protection & PROTECTION_WRITE) != 0));
	PROVE(!pte_is_present(entry) || pte_has(entry, PTE_NO_EXECUTE) == ((protection & PROTECTION_EXECUTE) == 0));
	PROVE(!pte_has(entry, PTE_WRITE) || pte_has(entry, PTE_NO_EXECUTE));
	PROVE(!pte_is_large(entry) || protection == PROTECTION_NONE);
	PROVE(pte_equal(pte_with_frame(pte_page(frame_from_u64(0), kind, protection), frame), entry));
	PROVE(frame_equal(frame, other) || !pte_equal(entry, pte_page(other, kind, protection)));
}

/* A page that gets its frame later: not present, and it says what it will be. */
PROOF(pte_of_lazy_page)
{
	const bool is_image = nondet_bool();
	const uint32_t protection = any_protection();
	const pte_t entry = pte_lazy(protection, is_image);

	PROVE(!pte_is_present(entry) && pte_kind(entry) == PAGE_LAZY && pte_protection(entry) == protection);
	PROVE(pte_kind_when_touched(entry) == (is_image ? PAGE_IMAGE : PAGE_ANONYMOUS));
}

/* A whole span: not present, of its kind, and empty exactly if the kind is. Tables leave everything to the page. */
PROOF(pte_of_span)
{
	const enum page_kind kind = any_kind();
	const frame_t frame = any_frame();
	const pte_t entry = pte_uniform(kind), table = pte_user_table(frame);

	PROVE(!pte_is_present(entry) && pte_kind(entry) == kind && pte_is_empty(entry) == (kind == PAGE_EMPTY));
	PROVE(pte_protection(entry) == PROTECTION_NONE);
	PROVE(pte_has(table, PTE_PRESENT | PTE_USER | PTE_WRITE) && !pte_has(table, PTE_NO_EXECUTE));
	PROVE(frame_equal(pte_present_frame(table), frame) && !pte_is_large(table));
}

/* The way down: the indices of the four levels are the address, and no two pages share all of them. */
PROOF(pte_way_down)
{
	const uint64_t address = nondet_u64();
	uint64_t sum = 0;

	ASSUME(address < USER_LIMIT);
	sum += pte_index(address, 4) * pte_span(4);
	sum += pte_index(address, 3) * pte_span(3);
	sum += pte_index(address, 2) * pte_span(2);
	sum += pte_index(address, 1) * pte_span(1);
	PROVE(sum == (address & ~(uint64_t)(PAGE_SIZE - 1)));
	PROVE(pte_index(address, 4) < PTE_ENTRIES / 2 && pte_index(address, 1) < PTE_ENTRIES);
}
