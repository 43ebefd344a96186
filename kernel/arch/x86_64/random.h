/*
 * Random words: from RDRAND where the CPU has it, else from timer jitter, whitened. Not a generator for keys.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_RANDOM_H
#define CAPOS_KERNEL_ARCH_X86_64_RANDOM_H

#include <stdint.h>

uint64_t random_u64(void);

#endif
