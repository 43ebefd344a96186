/*
 * Doing what may fault, for self-tests and backtraces.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_PROBE_H
#define CAPOS_KERNEL_ARCH_X86_64_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/arch/x86_64/trap.h"

/* Read 8 bytes; false if that faults. `user_access` opens the SMAP window for it. */
bool probe_read64(uint64_t address, uint64_t *value, bool user_access);

/* Write 8 bytes; false if that faults. */
bool probe_write64(uint64_t address, uint64_t value, bool user_access);

/* An exception, as the CPU told it. */
struct probe_fault {
	uint64_t vector, error;
	uint64_t address; /* CR2, if it is a page fault */
	uint64_t frame;   /* where on which stack its struct trap_frame began */
};

/*
 * Call function(argument), which may end in any exception, at any place, with any flags and stack: the call is then
 * over, and *fault is the exception. True if there was none. A function that faults leaves everything else as it was
 * at that moment: it holds no lock, and takes none. One call at a time in the system, interrupts off.
 */
bool probe_call(void (*function)(uint64_t argument), uint64_t argument, struct probe_fault *fault);

/* For trap.c: whether the exception, of ring 0, ends a probe_call of this CPU; the frame then leads out of that. */
bool probe_ends(struct trap_frame *frame);

#endif
