/* What lazy pages and the break refuse. */
#ifndef CAPOS_USER_DEMOS_VM_CONTRACT_LAZY_REFUSALS_H
#define CAPOS_USER_DEMOS_VM_CONTRACT_LAZY_REFUSALS_H

void lazy_refusals_check(void);

#endif
