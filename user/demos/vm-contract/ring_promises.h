/* The capability ring: order, batches, full queues, time. */
#ifndef CAPOS_USER_DEMOS_VM_CONTRACT_RING_PROMISES_H
#define CAPOS_USER_DEMOS_VM_CONTRACT_RING_PROMISES_H

void ring_promises_check(void);

#endif
