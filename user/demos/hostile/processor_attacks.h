/* Instructions that ring 3 may not execute, and states that it may bring the kernel into. */
#ifndef CAPOS_USER_DEMOS_HOSTILE_PROCESSOR_ATTACKS_H
#define CAPOS_USER_DEMOS_HOSTILE_PROCESSOR_ATTACKS_H

void processor_attacks_add(void);

#endif
