/* How processes end, and what is told of it. */
#ifndef CAPOS_USER_DEMOS_SPAWN_CONTRACT_END_TRIALS_H
#define CAPOS_USER_DEMOS_SPAWN_CONTRACT_END_TRIALS_H

void end_trials_check(void);

void end_trials_role_exit(void);  /* with the code of its argument, by exit or (second argument 1) by its last thread */
void end_trials_role_fault(void); /* the fault of its argument; in a second thread if there is a second argument */
void end_trials_role_busy(void);  /* until it is killed, with as many threads as its argument says */
void end_trials_role_sleep(void); /* for as many milliseconds as its argument says */
void end_trials_role_parent(void); /* starts a child that sleeps so long, and ends before it */

#endif
