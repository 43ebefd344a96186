/* Result and argument buffers that the program could not use itself. */
#ifndef CAPOS_USER_DEMOS_VM_CONTRACT_BUFFER_REFUSALS_H
#define CAPOS_USER_DEMOS_VM_CONTRACT_BUFFER_REFUSALS_H

void buffer_refusals_check(void);

#endif
