/* A thread's ring that another thread writes to while the kernel takes from it. */
#ifndef CAPOS_USER_DEMOS_HOSTILE_RING_ATTACKS_H
#define CAPOS_USER_DEMOS_HOSTILE_RING_ATTACKS_H

void ring_attacks_add(void);

#endif
