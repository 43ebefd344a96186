/*
 * Steps of a program and its loader in one address space, each chosen at random and made twice: by kernel/mem and by
 * the plain model. What the two answer, and what they are afterwards, is compared (tests/host/space_twin.h).
 */
#ifndef CAPOS_TESTS_HOST_SPACE_STEPS_H
#define CAPOS_TESTS_HOST_SPACE_STEPS_H

#include <stdint.h>

#include "tests/host/host_support.h"

#define SPACE_STEPS_FRAMES 1100u /* the smallest machine: what the memory objects of the scene take, and some more */

/* How often each status was the answer. */
extern uint64_t space_steps_met[256];

/* A machine of so many frames, memory objects, and an empty space with wide limits. `random` makes every choice. */
void space_steps_begin(struct host_random *random, uint64_t frames);

/* All is given up, and everything has come back. */
void space_steps_end(void);

/* One operation on one of the CPUs. Answers, ledgers, free frames, translations and one query are compared. */
void space_steps_take(void);

/* Other limits of each ledger, tight or wide. */
void space_steps_set_limits(void);

/* Every entry, page, table and count; every region that a listing tells. Slow. */
void space_steps_compare(void);
void space_steps_compare_listing(void);

#endif
