/*
 * One page-table entry, as SDM vol. 3A section 4.5 (4-level paging) and this kernel read it. The entry is the only
 * record of what a user page is; the bits that the hardware leaves to software say so, present or not.
 *
 *   63  62      52 51                    12 11   9  8  7  6  5  4   3   2 1 0
 *   NX  0          frame number             kind    G  PS D  A  PCD PWT U W P      P = 1
 *   0   0          frame number, inverted   kind    0  0  0  0  0   0   0 0 0      P = 0, kind with a frame (no access)
 *   NX  0          0                        lazy    I  0  0  0  0   0   U W 0      P = 0, frame at the first touch
 *   0   0          0                        kind    0  0  0  0  0   0   0 0 0      P = 0, kind without a frame
 *
 * A lazy page has the protection that it will have when it is present (no access: neither U, W nor NX), and says by I
 * whether it will be the image's or anonymous.
 *
 * With P = 0 the frame number is inverted, so that no speculative read follows it (L1 terminal fault). Entries above
 * level 1 in the user half are tables (P = 1), or P = 0 with kind empty, reserved or guard for their whole span.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_PTE_H
#define CAPOS_KERNEL_ARCH_X86_64_PTE_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/virtual_memory_abi.h"
#include "kernel/arch/x86_64/pte_shape.h"
#include "lib/address.h"

typedef struct {
	uint64_t raw;
} pte_t;

#define PTE_PRESENT (UINT64_C(1) << 0)
#define PTE_WRITE (UINT64_C(1) << 1)
#define PTE_USER (UINT64_C(1) << 2)
#define PTE_WRITE_THROUGH (UINT64_C(1) << 3)
#define PTE_CACHE_DISABLE (UINT64_C(1) << 4)
#define PTE_ACCESSED (UINT64_C(1) << 5)
#define PTE_DIRTY (UINT64_C(1) << 6)
#define PTE_LARGE (UINT64_C(1) << 7)
#define PTE_GLOBAL (UINT64_C(1) << 8)
#define PTE_LAZY_IMAGE (UINT64_C(1) << 8) /* of a lazy page, which is not present */
#define PTE_KIND_SHIFT 9
#define PTE_KIND_MASK (UINT64_C(7) << PTE_KIND_SHIFT)
#define PTE_FRAME_MASK UINT64_C(0x000ffffffffff000)
#define PTE_NO_EXECUTE (UINT64_C(1) << 63)

/* In CR3 with a PCID: keep the translations that carry it (SDM vol. 3A, 4.10.4.1). */
#define PTE_ROOT_NO_FLUSH (UINT64_C(1) << 63)

#define PTE_ENTRIES (1u << PTE_INDEX_BITS)

_Static_assert(PAGE_KIND_COUNT <= 8, "the kind has three bits");

/* Bytes that one entry of a level covers: 4 KiB at level 1, 512 GiB at level 4. */
static inline uint64_t pte_span(unsigned level)
{
	return UINT64_C(1) << (PAGE_SHIFT + PTE_INDEX_BITS * (level - 1));
}

static inline unsigned pte_index(uint64_t address, unsigned level)
{
	return (unsigned)(address >> (PAGE_SHIFT + PTE_INDEX_BITS * (level - 1))) & (PTE_ENTRIES - 1);
}

/* The word itself, for loops that compare many entries at once. */
static inline uint64_t pte_bits(pte_t entry)
{
	return entry.raw;
}

/* Whether the entry has all of these PTE_* flags. */
static inline bool pte_has(pte_t entry, uint64_t flags)
{
	return (entry.raw & flags) == flags;
}

/* The entry with some of its PTE_* flags the other way round. */
static inline pte_t pte_toggle(pte_t entry, uint64_t flags)
{
	return (pte_t){ entry.raw ^ flags };
}

static inline bool pte_is_present(pte_t entry)
{
	return (entry.raw & PTE_PRESENT) != 0;
}

static inline enum page_kind pte_kind(pte_t entry)
{
	return (enum page_kind)((entry.raw & PTE_KIND_MASK) >> PTE_KIND_SHIFT);
}

static inline bool pte_is_empty(pte_t entry)
{
	return entry.raw == 0;
}

/* An entry without a frame, for its whole span: empty, reserved or guard. */
static inline pte_t pte_uniform(enum page_kind kind)
{
	return (pte_t){ (uint64_t)kind << PTE_KIND_SHIFT };
}

static inline bool pte_equal(pte_t a, pte_t b)
{
	return a.raw == b.raw;
}

/* A frame of the entry, whether present or not. Only for kinds with a frame, and for tables. */
static inline frame_t pte_frame(pte_t entry)
{
	uint64_t bits = pte_is_present(entry) ? entry.raw : ~entry.raw;

	return (frame_t){ (bits & PTE_FRAME_MASK) >> PAGE_SHIFT };
}

/* The same of an entry that is known to be present. */
static inline frame_t pte_present_frame(pte_t entry)
{
	return (frame_t){ (entry.raw & PTE_FRAME_MASK) >> PAGE_SHIFT };
}

/* Permission bits of a present user page; NONE has no such bits. */
static inline uint64_t pte_protection_bits(uint32_t protection)
{
	uint64_t bits = PTE_PRESENT | PTE_USER;

	if ((protection & PROTECTION_WRITE) != 0)
		bits |= PTE_WRITE;
	if ((protection & PROTECTION_EXECUTE) == 0)
		bits |= PTE_NO_EXECUTE;
	return bits;
}

/* A user page at level 1. */
static inline pte_t pte_page(frame_t frame, enum page_kind kind, uint32_t protection)
{
	uint64_t address = frame.raw << PAGE_SHIFT;
	uint64_t kind_bits = (uint64_t)kind << PTE_KIND_SHIFT;

	if (protection == PROTECTION_NONE)
		return (pte_t){ (~address & PTE_FRAME_MASK) | kind_bits };
	return (pte_t){ address | kind_bits | pte_protection_bits(protection) };
}

/* A page at level 1 that gets its frame at the first touch, and is the image's or anonymous from then on. */
static inline pte_t pte_lazy(uint32_t protection, bool is_image)
{
	uint64_t bits = (uint64_t)PAGE_LAZY << PTE_KIND_SHIFT;

	if (is_image)
		bits |= PTE_LAZY_IMAGE;
	if (protection != PROTECTION_NONE)
		bits |= pte_protection_bits(protection) & ~PTE_PRESENT;
	return (pte_t){ bits };
}

/* What a lazy page becomes. */
static inline enum page_kind pte_kind_when_touched(pte_t lazy)
{
	return (lazy.raw & PTE_LAZY_IMAGE) != 0 ? PAGE_IMAGE : PAGE_ANONYMOUS;
}

/* The same page entry with another frame; `pattern` was made with frame 0. */
static inline pte_t pte_with_frame(pte_t pattern, frame_t frame)
{
	return (pte_t){ pattern.raw ^ frame.raw << PAGE_SHIFT };
}

/* Of a user page, present, lazy or none at all. */
static inline uint32_t pte_protection(pte_t entry)
{
	if ((entry.raw & PTE_USER) == 0)
		return PROTECTION_NONE;
	return PROTECTION_READ | ((entry.raw & PTE_WRITE) != 0 ? PROTECTION_WRITE : 0) |
	       ((entry.raw & PTE_NO_EXECUTE) == 0 ? PROTECTION_EXECUTE : 0);
}

/* A table of the user half: all permissions; the leaf decides. */
static inline pte_t pte_user_table(frame_t frame)
{
	return (pte_t){ frame.raw << PAGE_SHIFT | PTE_PRESENT | PTE_WRITE | PTE_USER };
}

/* Kernel half: table, and page of any level with the given PTE_* flags. */
static inline pte_t pte_kernel_table(paddr_t table)
{
	return (pte_t){ table.raw | PTE_PRESENT | PTE_WRITE };
}

static inline pte_t pte_kernel_page(paddr_t address, uint64_t flags)
{
	return (pte_t){ address.raw | PTE_PRESENT | flags };
}

static inline bool pte_is_large(pte_t entry)
{
	return (entry.raw & PTE_LARGE) != 0;
}

#endif
