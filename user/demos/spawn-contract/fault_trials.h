/* Faults that a thread of the program mends: who is told of what, write barriers, pages supplied as they are touched.
 */
#ifndef CAPOS_USER_DEMOS_SPAWN_CONTRACT_FAULT_TRIALS_H
#define CAPOS_USER_DEMOS_SPAWN_CONTRACT_FAULT_TRIALS_H

void fault_trials_check(void);

#endif
