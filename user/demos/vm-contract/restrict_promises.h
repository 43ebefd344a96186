/* Narrower capabilities of a memory object: MEMORY_OBJECT_RESTRICT. */
#ifndef CAPOS_USER_DEMOS_VM_CONTRACT_RESTRICT_PROMISES_H
#define CAPOS_USER_DEMOS_VM_CONTRACT_RESTRICT_PROMISES_H

void restrict_promises_check(void);

#endif
