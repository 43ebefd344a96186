/* Sleeping on words, and what the runtime builds on it; and how cap_enter waits. */
#ifndef CAPOS_USER_DEMOS_SPAWN_CONTRACT_PARK_TRIALS_H
#define CAPOS_USER_DEMOS_SPAWN_CONTRACT_PARK_TRIALS_H

void park_trials_check(void);

void park_trials_role_sleeper(void); /* parks for the milliseconds of its argument */

#endif
