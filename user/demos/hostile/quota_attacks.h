/* Getting more than one was given, and using all of it up. */
#ifndef CAPOS_USER_DEMOS_HOSTILE_QUOTA_ATTACKS_H
#define CAPOS_USER_DEMOS_HOSTILE_QUOTA_ATTACKS_H

void quota_attacks_add(void);

void quota_attacks_role_bomb(void); /* spawns two of itself with what it has, and so on */
void quota_attacks_role_nothing(void);

#endif
