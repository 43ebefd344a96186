/* Threads that come, go, wait for each other and take all the time there is. */
#ifndef CAPOS_USER_DEMOS_HOSTILE_THREAD_ATTACKS_H
#define CAPOS_USER_DEMOS_HOSTILE_THREAD_ATTACKS_H

void thread_attacks_add(void);

#endif
