/*
 * Touching an address that may fault, for self-tests and backtraces.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_PROBE_H
#define CAPOS_KERNEL_ARCH_X86_64_PROBE_H

#include <stdbool.h>
#include <stdint.h>

/* Read 8 bytes; false if that faults. `user_access` opens the SMAP window for it. */
bool probe_read64(uint64_t address, uint64_t *value, bool user_access);

/* Write 8 bytes; false if that faults. */
bool probe_write64(uint64_t address, uint64_t value, bool user_access);

#endif
