/* Query and statistics say what is there; nothing is writable and executable. */
#ifndef CAPOS_USER_DEMOS_VM_CONTRACT_QUERY_PROMISES_H
#define CAPOS_USER_DEMOS_VM_CONTRACT_QUERY_PROMISES_H

void query_promises_check(void);

#endif
