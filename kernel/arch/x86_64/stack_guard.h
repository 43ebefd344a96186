/*
 * What -fstack-protector-strong asks of a kernel (debug builds): a word below the return address of each function with
 * a buffer, compared before it returns.
 */
#ifndef CAPOS_KERNEL_ARCH_X86_64_STACK_GUARD_H
#define CAPOS_KERNEL_ARCH_X86_64_STACK_GUARD_H

#include <stdint.h>

/* Choose the word. For boot_entry.S alone: no function that looks at it may be active. */
void stack_guard_init(void);

/* The names that compilers use. */
extern uint64_t __stack_chk_guard;
_Noreturn void __stack_chk_fail(void);

#endif
