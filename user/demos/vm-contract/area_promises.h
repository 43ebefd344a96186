/* Where mappings go, the heap's break, the stack that grows. */
#ifndef CAPOS_USER_DEMOS_VM_CONTRACT_AREA_PROMISES_H
#define CAPOS_USER_DEMOS_VM_CONTRACT_AREA_PROMISES_H

void area_promises_check(void);

#endif
