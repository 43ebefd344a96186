/* Ranges that are well-formed but not in the state that the operation needs. */
#ifndef CAPOS_USER_DEMOS_VM_CONTRACT_STATE_REFUSALS_H
#define CAPOS_USER_DEMOS_VM_CONTRACT_STATE_REFUSALS_H

void state_refusals_check(void);

#endif
