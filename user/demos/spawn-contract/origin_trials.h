/* Which process gave a capability, as the inspector tells it. */
#ifndef CAPOS_USER_DEMOS_SPAWN_CONTRACT_ORIGIN_TRIALS_H
#define CAPOS_USER_DEMOS_SPAWN_CONTRACT_ORIGIN_TRIALS_H

void origin_trials_check(void);

#endif
