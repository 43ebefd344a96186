/* The stack of the first thread: it grows to its limit and no further, which a handler is told. */
#ifndef CAPOS_USER_DEMOS_SPAWN_CONTRACT_STACK_TRIALS_H
#define CAPOS_USER_DEMOS_SPAWN_CONTRACT_STACK_TRIALS_H

#include <stdint.h>

/* Calls itself until so many bytes of stack are used. Each call has a page of its own, which the next one reads. */
uint64_t stack_trials_recurse(uint64_t bytes, const volatile uint8_t *above);

/* Uses so many bytes of its stack as the argument says. */
void stack_trials_role_recurse(void);

/* The same, with a handler of its faults; arguments: which one it is told of, and whether it ends the process itself.
 */
void stack_trials_role_watched(void);

/* Uses so many bytes of the stack of a second thread. */
void stack_trials_role_thread(void);

void stack_trials_check(void);

#endif
