/* Operations that are cancelled while somebody else completes them. */
#ifndef CAPOS_USER_DEMOS_HOSTILE_CANCEL_ATTACKS_H
#define CAPOS_USER_DEMOS_HOSTILE_CANCEL_ATTACKS_H

void cancel_attacks_add(void);

#endif
