/* Lazy pages: charged at once, a zeroed frame at the first touch. */
#ifndef CAPOS_USER_DEMOS_VM_CONTRACT_LAZY_PROMISES_H
#define CAPOS_USER_DEMOS_VM_CONTRACT_LAZY_PROMISES_H

void lazy_promises_check(void);

#endif
