/* Page tables: large reservations cost few, and all of them come back. */
#ifndef CAPOS_USER_DEMOS_VM_CONTRACT_TABLE_PROMISES_H
#define CAPOS_USER_DEMOS_VM_CONTRACT_TABLE_PROMISES_H

void table_promises_check(void);

#endif
