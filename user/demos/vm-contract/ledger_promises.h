/* What each operation costs in which ledger, and in frames of the machine. */
#ifndef CAPOS_USER_DEMOS_VM_CONTRACT_LEDGER_PROMISES_H
#define CAPOS_USER_DEMOS_VM_CONTRACT_LEDGER_PROMISES_H

void ledger_promises_check(void);

#endif
