/*
 * From a submission to its handler: opcode, capability, interface, operation number. One table.
 */
#ifndef CAPOS_KERNEL_CAP_DISPATCH_H
#define CAPOS_KERNEL_CAP_DISPATCH_H

#include "abi/ring_abi.h"
#include "kernel/task/thread.h"

/* What the program's indices say, read once: submissions that wait, and completions that it has not taken. */
struct ring_work {
	uint32_t pending, waiting;
};

/*
 * Carry out the submissions of the queue, in order, each word of them read once, as long as their completions have room
 * beside the places that open operations have set aside; publish what was done.
 */
void dispatch_queue(struct thread *thread, struct ring_work *work);

#endif
