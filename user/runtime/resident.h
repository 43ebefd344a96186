/*
 * All frames at once. A program's zeroed data and the lower pages of its stack get their frames when they are touched
 * (abi/startup.h). One that compares ledgers or free frames before and after something, or that must not fail later for
 * want of a frame, has them all from the start.
 */
#ifndef CAPOS_USER_RUNTIME_RESIDENT_H
#define CAPOS_USER_RUNTIME_RESIDENT_H

#include <stdint.h>

#define RESIDENT_STACK_BYTES UINT64_C(0x10000) /* enough for what has no deep recursion and no large arrays */

/* Touch all data, and so many bytes of the first thread's stack, which must be the caller's and have as much limit. */
void resident_make(uint64_t stack_bytes);

#endif
