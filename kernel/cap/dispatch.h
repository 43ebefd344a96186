/*
 * From a submission to its handler: opcode, capability, interface, operation number. One table.
 */
#ifndef CAPOS_KERNEL_CAP_DISPATCH_H
#define CAPOS_KERNEL_CAP_DISPATCH_H

#include "abi/ring_abi.h"
#include "kernel/task/thread.h"

/*
 * Carry out the submission in `slot`, whose words are read once, and fill in its completion in `answer`; false if it
 * completes later. Both lie in the ring, where the program may write at any time.
 */
bool dispatch_submission(struct thread *thread, const struct ring_submission *slot, struct ring_completion *answer);

#endif
