/* Mutex, condition and semaphore of the runtime, with many threads at them. */
#ifndef CAPOS_USER_DEMOS_SPAWN_CONTRACT_LOCK_TRIALS_H
#define CAPOS_USER_DEMOS_SPAWN_CONTRACT_LOCK_TRIALS_H

void lock_trials_check(void);

#endif
