/* Programs that are none: each bad header has its own answer, and nothing is left of the attempt. */
#ifndef CAPOS_USER_DEMOS_SPAWN_CONTRACT_ELF_TRIALS_H
#define CAPOS_USER_DEMOS_SPAWN_CONTRACT_ELF_TRIALS_H

void elf_trials_check(void);

#endif
