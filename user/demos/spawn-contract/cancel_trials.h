/* What a thread has open and wants no longer: RING_CANCEL, by open_operation_cancel. */
#ifndef CAPOS_USER_DEMOS_SPAWN_CONTRACT_CANCEL_TRIALS_H
#define CAPOS_USER_DEMOS_SPAWN_CONTRACT_CANCEL_TRIALS_H

void cancel_trials_check(void);

#endif
