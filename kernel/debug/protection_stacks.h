/* Exceptions of the kernel itself: which stack each of them begins on. */
#ifndef CAPOS_KERNEL_DEBUG_PROTECTION_STACKS_H
#define CAPOS_KERNEL_DEBUG_PROTECTION_STACKS_H

void protection_stacks_run(void);

#endif
