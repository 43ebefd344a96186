/* Ids that name nothing, operations and flags that do not exist. */
#ifndef CAPOS_USER_DEMOS_VM_CONTRACT_CAPABILITY_REFUSALS_H
#define CAPOS_USER_DEMOS_VM_CONTRACT_CAPABILITY_REFUSALS_H

void capability_refusals_check(void);

#endif
