/* Registers that must stay what they are while other threads run: register_hold.S. */
#ifndef CAPOS_USER_DEMOS_SPAWN_CONTRACT_REGISTER_HOLD_H
#define CAPOS_USER_DEMOS_SPAWN_CONTRACT_REGISTER_HOLD_H

#include <stdint.h>

/*
 * Fill vector registers, the x87 stack, rounding control and saved general registers from `pattern`, and look at them
 * `rounds` times. 0, or the rounds that were left when something was lost. `enters` 1: a system call each round; more:
 * an address, and each round writes to the next page from there on.
 */
uint64_t register_hold(uint64_t pattern, uint64_t rounds, uint64_t enters);

/* 1 if the upper halves are there, too. */
uint64_t register_has_avx(void);

#endif
