/* Threads: how they begin, take turns and end. */
#ifndef CAPOS_USER_DEMOS_SPAWN_CONTRACT_THREAD_TRIALS_H
#define CAPOS_USER_DEMOS_SPAWN_CONTRACT_THREAD_TRIALS_H

void thread_trials_check(void);

void thread_trials_role_first_leaves(void); /* its first thread ends before the others */
void thread_trials_role_come_and_go(void);  /* starts and joins threads until it is killed */

#endif
