/* Capabilities that are moved, copied, released and used at the same moment. */
#ifndef CAPOS_USER_DEMOS_HOSTILE_TRANSFER_ATTACKS_H
#define CAPOS_USER_DEMOS_HOSTILE_TRANSFER_ATTACKS_H

void transfer_attacks_add(void);

void transfer_attacks_role_keeper(void); /* takes what comes; argument: what it does with it */
void transfer_attacks_role_sender(void); /* moves new objects to its facet, in two threads, until that is gone */

#endif
