/* Capabilities that travel: who holds them afterwards, and who pays. */
#ifndef CAPOS_USER_DEMOS_SPAWN_CONTRACT_TRANSFER_TRIALS_H
#define CAPOS_USER_DEMOS_SPAWN_CONTRACT_TRANSFER_TRIALS_H

void transfer_trials_check(void);

#endif
