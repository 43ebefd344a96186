/* Where the parts of a process lie: as its spawner asked for, or not at all. */
#ifndef CAPOS_USER_DEMOS_SPAWN_CONTRACT_LAYOUT_TRIALS_H
#define CAPOS_USER_DEMOS_SPAWN_CONTRACT_LAYOUT_TRIALS_H

/* Writes down in its object "report" where it finds itself. */
void layout_trials_role_report(void);

void layout_trials_check(void);

#endif
