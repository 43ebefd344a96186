/* The other side of a call ends: in each state that a call can be in, and in each way that a process can end. */
#ifndef CAPOS_USER_DEMOS_SPAWN_CONTRACT_GONE_TRIALS_H
#define CAPOS_USER_DEMOS_SPAWN_CONTRACT_GONE_TRIALS_H

void gone_trials_check(void);

void gone_trials_role_server(void); /* state, end */
void gone_trials_role_caller(void); /* end */
void gone_trials_role_echo(void);   /* answers, with two threads, until it is killed */

#endif
