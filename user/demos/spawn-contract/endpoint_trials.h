/* Calls: what arrives, in which order, and what is refused. Both sides are threads of this program. */
#ifndef CAPOS_USER_DEMOS_SPAWN_CONTRACT_ENDPOINT_TRIALS_H
#define CAPOS_USER_DEMOS_SPAWN_CONTRACT_ENDPOINT_TRIALS_H

void endpoint_trials_check(void);

#endif
