/* Reserve, commit, decommit, protect, unmap: what becomes of the data and of the access. */
#ifndef CAPOS_USER_DEMOS_VM_CONTRACT_ANONYMOUS_PROMISES_H
#define CAPOS_USER_DEMOS_VM_CONTRACT_ANONYMOUS_PROMISES_H

void anonymous_promises_check(void);

#endif
