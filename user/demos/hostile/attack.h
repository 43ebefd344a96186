/*
 * The list of attacks. Driver and attacker are the same program and make the same list, so a number names an attack.
 * Each runs in a process of its own with limits of its own (hostile.c). It is over when it exits with 0, or ends as it
 * must; what it may have left is the driver's affair to find.
 */
#ifndef CAPOS_USER_DEMOS_HOSTILE_ATTACK_H
#define CAPOS_USER_DEMOS_HOSTILE_ATTACK_H

#include <stdbool.h>
#include <stdint.h>

#include "user/testing/trial.h"
#include "user/testing/trial_child.h"

/* How an attacker may end; a set. */
#define ATTACK_EXITS 1u
#define ATTACK_FAULTS 2u
#define ATTACK_KILLED 4u /* by the driver, after `kill_ms` */

#define ATTACK_NAME_BYTES 80u
#define ATTACK_MAX 320u
#define ATTACK_THREADS 4u

struct attack {
	char name[ATTACK_NAME_BYTES];
	void (*run)(const struct attack *attack);
	uint32_t first, second; /* what distinguishes attacks of one function */
	uint32_t ends;
	uint32_t kill_ms; /* 0: it ends by itself */
};

extern struct attack attack_list[ATTACK_MAX];
extern uint32_t attack_count;

/* One more; `name` is "SUBJECT OBJECT". */
struct attack *attack_add(const char *subject, const char *object, void (*run)(const struct attack *attack),
			  uint32_t ends);

/* Numbers that look random, the same in each run. */
uint64_t attack_random(uint64_t *state);

/* Whether an attack that goes on round after round has had its time: some tenths of a second after the first round. */
bool attack_is_long_enough(uint32_t round);

/* Run `function` in that many threads and join them; each must return 0. */
void attack_in_threads(uint32_t count, int64_t (*function)(void *));

/* `function` in a thread that is never joined. */
void attack_beside(int64_t (*function)(void *), void *argument);

/* A child of the attacker with everything but limits of a small program. */
void attack_build(struct process_builder *builder, const char *role, uint64_t argument);

/* The endpoint, or facet, that a child was granted under that name; the trial is broken if there is none. */
handle_t attack_granted(const char *name, enum interface_id interface);

#endif
