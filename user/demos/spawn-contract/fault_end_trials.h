/* Faults that end the process although it has a handler; who stands faulted and is killed. */
#ifndef CAPOS_USER_DEMOS_SPAWN_CONTRACT_FAULT_END_TRIALS_H
#define CAPOS_USER_DEMOS_SPAWN_CONTRACT_FAULT_END_TRIALS_H

void fault_end_trials_role_faulty(void);

void fault_end_trials_check(void);

#endif
