/*
 * From a submission to its handler: opcode, capability, interface, operation number. One table.
 */
#ifndef CAPOS_KERNEL_CAP_DISPATCH_H
#define CAPOS_KERNEL_CAP_DISPATCH_H

#include "abi/ring_abi.h"
#include "kernel/task/thread.h"

/*
 * Carry out one submission and fill in its completion; false if it completes later. The submission is the kernel's
 * copy.
 */
bool dispatch_submission(struct thread *thread, const struct ring_submission *submission,
			 struct ring_completion *completion);

#endif
