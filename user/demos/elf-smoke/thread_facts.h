#ifndef CAPOS_USER_DEMOS_ELF_SMOKE_THREAD_FACTS_H
#define CAPOS_USER_DEMOS_ELF_SMOKE_THREAD_FACTS_H

/* Thread-local storage and the registers that a thread starts with. */
void thread_facts_check(void);

#endif
