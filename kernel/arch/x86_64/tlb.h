/*
 * Making CPUs forget translations.
 *
 * The promise: when a call returns, no CPU it named uses a translation of that range from before the call. Several CPUs
 * may ask at once, with locks held and interrupts off: who waits also answers. Change the page table first, flush
 * second, reuse the frame third. Masks name CPUs of cpu_online_mask() only.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_TLB_H
#define CAPOS_KERNEL_ARCH_X86_64_TLB_H

#include <stdint.h>

#include "kernel/arch/x86_64/cpu_local.h"
#include "kernel/arch/x86_64/instructions.h"
#include "lib/address.h"
#include "lib/check.h"
#include "lib/range.h"

/* Above so many pages the whole of the user half goes: a CR3 load costs about as much as 16 to 32 INVLPG. */
#define TLB_FLUSH_MAX_PAGES 32u

/* Answer what other CPUs asked of this one. Any state of locks; interrupts off. */
void tlb_poll(void);

/* Kernel addresses [start, end), whole pages, global or not, on every CPU that runs. */
void tlb_flush_kernel(vaddr_t start, vaddr_t end);

/* tlb_flush for all cases but its inline one. Bits of the mask are CPU indices. */
void tlb_flush_range(uint64_t cpu_mask, struct uaddr_range range);

#ifdef CAPOS_HOST

/* Host tests watch the calls. */
void tlb_flush(uint64_t cpu_mask, struct uaddr_range range);

#else

/*
 * User pages of `range`, on every CPU of the mask, this one too if its bit is set. One page on this CPU alone is one
 * INVLPG: decommitting a page is cheap.
 */
static inline void tlb_flush(uint64_t cpu_mask, struct uaddr_range range)
{
	if (LIKELY(cpu_mask == cpu_current()->bit && uaddr_range_bytes(range) == PAGE_SIZE))
		invlpg(uaddr_to_u64(range.start));
	else
		tlb_flush_range(cpu_mask, range);
}

#endif

#endif
