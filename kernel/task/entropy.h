/*
 * The machine's one source of random numbers: a stream (lib/random_stream.h) that begins with all that the machine has
 * that cannot be foretold, and takes in more at each use. Whoever reads the kernel's memory cannot compute what it gave
 * before.
 *
 * Each call takes the source's own lock, which is below all others.
 */
#ifndef CAPOS_KERNEL_TASK_ENTROPY_H
#define CAPOS_KERNEL_TASK_ENTROPY_H

#include <stddef.h>
#include <stdint.h>

#include "lib/layout.h"

/* Begin, once, at boot: `words` of the loader's, the CPU's generator, and the time that devices take to answer. */
void entropy_start(const uint64_t *loader, uint32_t words);

/*
 * Begin with a number that everything follows from: nothing else is ever taken in, so a machine that does the same
 * again gets the same. The log says so.
 */
void entropy_start_seeded(uint64_t seed);

void entropy_bytes(void *to, size_t count);

/* The random words of one layout. */
struct layout_offsets entropy_draw(void);

#endif
