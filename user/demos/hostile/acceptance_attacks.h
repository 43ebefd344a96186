/* Servers that send back what their callers did not ask for. */
#ifndef CAPOS_USER_DEMOS_HOSTILE_ACCEPTANCE_ATTACKS_H
#define CAPOS_USER_DEMOS_HOSTILE_ACCEPTANCE_ATTACKS_H

void acceptance_attacks_role_giver(void);

void acceptance_attacks_add(void);

#endif
