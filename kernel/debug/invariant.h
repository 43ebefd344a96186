/*
 * Every promise that can be looked at from outside, over every object of the system. The smokes end with it, the
 * shell's `check` runs it, debug builds run it after each program. Nothing may change meanwhile: no program runs on
 * another CPU.
 */
#ifndef CAPOS_KERNEL_DEBUG_INVARIANT_H
#define CAPOS_KERNEL_DEBUG_INVARIANT_H

#include <stdint.h>

#include "abi/inspector_abi.h"

/* Counts what was checked and what is broken, and names the first broken one. */
void invariant_check_all(struct inspector_check *result);

#endif
