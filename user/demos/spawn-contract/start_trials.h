/* What a new process is given: what its spawner names, and nothing else. */
#ifndef CAPOS_USER_DEMOS_SPAWN_CONTRACT_START_TRIALS_H
#define CAPOS_USER_DEMOS_SPAWN_CONTRACT_START_TRIALS_H

void start_trials_check(void);

void start_trials_role_strings(void);
void start_trials_role_granted(void);
void start_trials_role_bare(void); /* nothing at all was granted */
void start_trials_role_limits(void);
void start_trials_role_priority(void);

#endif
