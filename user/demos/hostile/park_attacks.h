/* Words to sleep on that change, go, come back and are woken from everywhere. */
#ifndef CAPOS_USER_DEMOS_HOSTILE_PARK_ATTACKS_H
#define CAPOS_USER_DEMOS_HOSTILE_PARK_ATTACKS_H

void park_attacks_add(void);

#endif
