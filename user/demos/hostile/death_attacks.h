/* Processes that end in the midst of calls; ids of what is dead. */
#ifndef CAPOS_USER_DEMOS_HOSTILE_DEATH_ATTACKS_H
#define CAPOS_USER_DEMOS_HOSTILE_DEATH_ATTACKS_H

void death_attacks_add(void);

void death_attacks_role_echo(void);   /* answers, in three threads; argument: when it ends, and how */
void death_attacks_role_link(void);   /* calls on, before it answers */
void death_attacks_role_client(void); /* calls, in two threads, until the server is gone */

#endif
