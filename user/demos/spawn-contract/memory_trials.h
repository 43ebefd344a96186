/* What a child does with memory, and what is left of it afterwards. */
#ifndef CAPOS_USER_DEMOS_SPAWN_CONTRACT_MEMORY_TRIALS_H
#define CAPOS_USER_DEMOS_SPAWN_CONTRACT_MEMORY_TRIALS_H

void memory_trials_check(void);

/* Roles; the first argument chooses. */
void memory_trials_role_life(void);
void memory_trials_role_frames(void);

#endif
