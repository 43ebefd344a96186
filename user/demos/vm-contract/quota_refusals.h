/* Each ledger refuses what passes its limit. */
#ifndef CAPOS_USER_DEMOS_VM_CONTRACT_QUOTA_REFUSALS_H
#define CAPOS_USER_DEMOS_VM_CONTRACT_QUOTA_REFUSALS_H

void quota_refusals_check(void);

#endif
