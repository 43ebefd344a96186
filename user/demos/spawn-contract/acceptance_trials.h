/* Capabilities arrive only where they were asked for: a RECEIVE says how many it takes, and so does a CALL. */
#ifndef CAPOS_USER_DEMOS_SPAWN_CONTRACT_ACCEPTANCE_TRIALS_H
#define CAPOS_USER_DEMOS_SPAWN_CONTRACT_ACCEPTANCE_TRIALS_H

void acceptance_trials_check(void);

#endif
