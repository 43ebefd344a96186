/*
 * What is run while memory runs out: programs of the boot package with their arguments, in sets. A scenario that is
 * numbered is many: its program gets a number as the last argument, from 0 on, until it says that there is none of that
 * number (TRIAL_NONE).
 */
#ifndef CAPOS_USER_DEMOS_SHORTAGE_SCENARIO_H
#define CAPOS_USER_DEMOS_SHORTAGE_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#define SCENARIO_ARGUMENTS 4u

struct scenario {
	const char *program;
	const char *argument[SCENARIO_ARGUMENTS]; /* NULL behind the last */
	bool is_numbered;
};

struct scenario_set {
	const char *name;
	const struct scenario *scenario;
	uint32_t count;
};

/* The set of that name, or NULL. */
const struct scenario_set *scenario_find_set(const char *name);

#endif
