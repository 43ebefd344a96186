/* Ranges that wrap, are misaligned, empty, not the user's, or on ring and CapSet, for each operation. */
#ifndef CAPOS_USER_DEMOS_VM_CONTRACT_RANGE_REFUSALS_H
#define CAPOS_USER_DEMOS_VM_CONTRACT_RANGE_REFUSALS_H

void range_refusals_check(void);

#endif
