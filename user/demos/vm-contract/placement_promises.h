/* Where new ranges go, and that ranges may span and split reservations. */
#ifndef CAPOS_USER_DEMOS_VM_CONTRACT_PLACEMENT_PROMISES_H
#define CAPOS_USER_DEMOS_VM_CONTRACT_PLACEMENT_PROMISES_H

void placement_promises_check(void);

#endif
