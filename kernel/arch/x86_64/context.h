/*
 * Switching between kernel stacks. A context is the stack pointer of a stack that was left by context_switch.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_CONTEXT_H
#define CAPOS_KERNEL_ARCH_X86_64_CONTEXT_H

#include <stdint.h>

/* Leave the current stack, with its context in *save_stack, and go on where `load_stack` was left. Interrupts off. */
void context_switch(uint64_t *save_stack, uint64_t load_stack);

/*
 * The context of a stack on which nothing ran yet: switching to it calls entry(argument), which must not return.
 * `stack_top` is 16-byte aligned.
 */
uint64_t context_prepare(uint64_t stack_top, void (*entry)(void *argument), void *argument);

#endif
