/* Threads that fault and threads that handle it: storms, wrong resumes, handlers that go, buffers that go. */
#ifndef CAPOS_USER_DEMOS_HOSTILE_FAULT_ATTACKS_H
#define CAPOS_USER_DEMOS_HOSTILE_FAULT_ATTACKS_H

void fault_attacks_add(void);

#endif
