#ifndef CAPOS_USER_DEMOS_ELF_SMOKE_SPACE_FACTS_H
#define CAPOS_USER_DEMOS_ELF_SMOKE_SPACE_FACTS_H

/* The start-up stack, and everything that is mapped and is not. */
void space_facts_check(void);

#endif
