/*
 * Things that a kernel must not do, done on purpose, to show that a debug kernel finds each of them out: the word
 * `fault=NAME`. Every one ends in a panic that says what was done and where (tools/smoke.py mutant).
 */
#ifndef CAPOS_KERNEL_DEBUG_FAULT_H
#define CAPOS_KERNEL_DEBUG_FAULT_H

#include "kernel/arch/x86_64/kernel_watch.h"

/* Do it, or halt with code 1 and a line that says why: none has that name, or nobody found it out. */
#ifdef KERNEL_WATCH
_Noreturn void fault_commit(const char *name);
#else
static inline void fault_commit(const char *name)
{
	(void)name;
}
#endif

#endif
