/* Requests to spawn that are refused, each for its own reason, and change nothing on any side. */
#ifndef CAPOS_USER_DEMOS_SPAWN_CONTRACT_SPAWN_REFUSALS_H
#define CAPOS_USER_DEMOS_SPAWN_CONTRACT_SPAWN_REFUSALS_H

void spawn_refusals_check(void);

#endif
