/*
 * Want of memory on purpose. Each place in the kernel that can fail for want of memory asks shortage_strikes() before
 * anything else. In a kernel built with FAULTS=1, and in the host tests, that refuses what the last order says
 * (SYSTEM_CONTROL_SHORTAGE, or the word `shortage=K` at boot); in every other kernel it is the constant `false`, and
 * nothing of all this is there.
 *
 * Locks: none; counters are atomic. Any CPU, any lock held.
 */
#ifndef CAPOS_KERNEL_MEM_SHORTAGE_H
#define CAPOS_KERNEL_MEM_SHORTAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/system_control_abi.h"

/* What is to be refused: the arguments of SYSTEM_CONTROL_SHORTAGE. */
struct shortage_order {
	uint32_t places;
	uint64_t first;
	uint64_t period;
	uint64_t note;
};

#ifdef CAPOS_FAULTS
/* Whether this one is refused. Counts it. */
bool shortage_strikes(enum shortage_place place);

/* A call, or the touch of a page, ends with that status on this CPU: what was refused meanwhile is counted under it. */
void shortage_tell(enum status status);

/* Begin a new order; *result gets what came of the one before. */
void shortage_begin(const struct shortage_order *next, struct shortage_report *result);

/* From here on the first-th is refused, once, wherever it is; 0: none. For the time of boot. */
void shortage_begin_boot(uint64_t first);
#else
static inline bool shortage_strikes(enum shortage_place place)
{
	(void)place;
	return false;
}

static inline void shortage_tell(enum status status)
{
	(void)(status == STATUS_OK);
}

static inline void shortage_begin_boot(uint64_t first)
{
	(void)first;
}
#endif

#endif
