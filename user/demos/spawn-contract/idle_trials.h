/* A machine with nothing to do does nothing. */
#ifndef CAPOS_USER_DEMOS_SPAWN_CONTRACT_IDLE_TRIALS_H
#define CAPOS_USER_DEMOS_SPAWN_CONTRACT_IDLE_TRIALS_H

void idle_trials_check(void);

#endif
