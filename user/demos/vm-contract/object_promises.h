/* MemoryObjects: holds, mappings, and what they cost. */
#ifndef CAPOS_USER_DEMOS_VM_CONTRACT_OBJECT_PROMISES_H
#define CAPOS_USER_DEMOS_VM_CONTRACT_OBJECT_PROMISES_H

void object_promises_check(void);

#endif
