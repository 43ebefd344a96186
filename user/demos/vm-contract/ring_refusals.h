/* A ring full of garbage hurts only its owner, and heals. */
#ifndef CAPOS_USER_DEMOS_VM_CONTRACT_RING_REFUSALS_H
#define CAPOS_USER_DEMOS_VM_CONTRACT_RING_REFUSALS_H

void ring_refusals_check(void);

#endif
