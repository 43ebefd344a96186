/* Spawning when something runs out: a ledger of the child, one of the parent, the machine. */
#ifndef CAPOS_USER_DEMOS_SPAWN_CONTRACT_QUOTA_TRIALS_H
#define CAPOS_USER_DEMOS_SPAWN_CONTRACT_QUOTA_TRIALS_H

void quota_trials_check(void);

void quota_trials_role_poor(void); /* spawns with less and less left of the ledger of its argument */

#endif
