/* A thread that supplies pages to the others: a collector's write barrier, a region that grows, memory that is found.
 */
#ifndef CAPOS_USER_DEMOS_SPAWN_CONTRACT_PAGER_TRIALS_H
#define CAPOS_USER_DEMOS_SPAWN_CONTRACT_PAGER_TRIALS_H

void pager_trials_check(void);

#endif
