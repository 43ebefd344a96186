/*
 * From a submission to its handler: opcode, capability, interface, operation number. One table.
 */
#ifndef CAPOS_KERNEL_CAP_DISPATCH_H
#define CAPOS_KERNEL_CAP_DISPATCH_H

#include <stdint.h>

#include "kernel/task/thread.h"

/*
 * Carry out `pending` submissions of the thread's queue, in order, each word of them read once, as long as their
 * completions have room beside the `waiting` ones and the places that open operations have set aside; publish what was
 * done. Between two of them the CPU takes interrupts. Returns how many completions wait now. Precondition: the two
 * counts are of a look that is possible (lib/ring.h).
 */
uint64_t dispatch_queue(struct thread *thread, uint64_t pending, uint64_t waiting);

#endif
