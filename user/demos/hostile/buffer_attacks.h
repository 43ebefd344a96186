/* Memory that changes while the kernel reads or writes it for another thread. */
#ifndef CAPOS_USER_DEMOS_HOSTILE_BUFFER_ATTACKS_H
#define CAPOS_USER_DEMOS_HOSTILE_BUFFER_ATTACKS_H

void buffer_attacks_add(void);

#endif
