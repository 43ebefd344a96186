/*
 * How long interrupts are off, and locks held, at most (debug kernels; nothing of it in others). The longest times are
 * kept for each CPU and class of lock, and said when the machine halts. With a limit, whatever takes longer is a panic
 * that names both ends.
 *
 * A limit is for machines whose clock counts what the CPU did (QEMU with icount, one CPU): anywhere else a busy host
 * takes a CPU away in the middle, and the time says nothing of the kernel.
 *
 * Left out, with the reason:
 *   boot, self-tests       before time_limit_begin: nobody waits yet, and there are no programs
 *   panic                  interrupts do not come on again
 *   a stopped world        world_stop to world_start, world_park: one CPU looks at all that there is, the others wait
 *                          for it; programs ask for it by Inspector alone
 *   looks of the kernel    address_space_audit_operation: only debug kernels do it
 *   locks over windows     lock_order_spans_windows: held as long as what is asked for is large; no limit, but told
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_TIME_LIMIT_H
#define CAPOS_KERNEL_ARCH_X86_64_TIME_LIMIT_H

#include <stdint.h>

#include "kernel/arch/x86_64/kernel_watch.h"
#include "kernel/arch/x86_64/lock_watch.h"

#ifdef KERNEL_WATCH

/* From here on times count, on every CPU. `limit_ns` 0: none. On the boot CPU, after clock_init. */
void time_limit_begin(uint64_t limit_ns);

/* Interrupts have just gone off on this CPU; they are about to come on again. */
void time_limit_interrupts_off(void);
void time_limit_interrupts_on(void);

/* What this CPU does between the two does not count. They nest. */
void time_limit_exempt_begin(void);
void time_limit_exempt_end(void);

/* A lock is given back, at `where`. */
void time_limit_lock(const struct lock_held *taken, uint64_t where);

/* A few lines for the log, if times count. */
void time_limit_report(void);

#else

static inline void time_limit_begin(uint64_t limit_ns)
{
	(void)limit_ns;
}

static inline void time_limit_interrupts_off(void)
{
}

static inline void time_limit_interrupts_on(void)
{
}

static inline void time_limit_exempt_begin(void)
{
}

static inline void time_limit_exempt_end(void)
{
}

static inline void time_limit_report(void)
{
}

#endif

#endif
