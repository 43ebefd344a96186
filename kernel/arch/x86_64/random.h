/*
 * What the machine has that cannot be foretold. None of it is good enough alone: kernel/task/entropy.h puts it
 * together.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_RANDOM_H
#define CAPOS_KERNEL_ARCH_X86_64_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

/* A word of RDSEED; of RDRAND, where that is missing or has run dry; false: of neither. After features_detect. */
bool random_hardware(uint64_t *word);

/* A word made of the times that reads of a device take, to the cycle. At any time, on any CPU. */
uint64_t random_timer(void);

#endif
