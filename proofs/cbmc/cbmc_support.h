/*
 * What a bounded proof is made of: functions PROOF(name) that take any value, assume what the caller must keep, call
 * the real function of lib/ once, and assert what it promises. tools/prove.py runs each by its name; the line
 * "options NAME: ..." in its file's comments has the bounds.
 */
#ifndef CAPOS_PROOFS_CBMC_CBMC_SUPPORT_H
#define CAPOS_PROOFS_CBMC_CBMC_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/check.h"

#define PROOF(name)      \
	void name(void); \
	void name(void)

/* The prover's own, for the compilers that only look at these files. */
#ifndef __CPROVER__
void __CPROVER_assume(bool condition);
void __CPROVER_assert(bool condition, const char *what);
void __CPROVER_havoc_object(void *object);
#endif

#define ASSUME(condition) __CPROVER_assume(condition)
#define PROVE(condition) __CPROVER_assert(condition, #condition)

/* Any value. */
uint8_t nondet_u8(void);
uint16_t nondet_u16(void);
uint32_t nondet_u32(void);
uint64_t nondet_u64(void);
bool nondet_bool(void);

#endif
