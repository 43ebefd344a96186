/*
 * What stands behind a capability, by interface: who counts it, what it costs, when it ends. The only place that knows
 * this of each kind; tables and transfers go through here.
 *
 * A hold is one capability in one table; a use keeps the object's memory for an operation.
 */
#ifndef CAPOS_KERNEL_TASK_HOLD_H
#define CAPOS_KERNEL_TASK_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/mem/account.h"
#include "lib/cap_table.h"

#define HOLD_COUNTED                                                                                 \
	(1u << INTERFACE_MEMORY_OBJECT | 1u << INTERFACE_PROCESS_HANDLE | 1u << INTERFACE_ENDPOINT | \
	 1u << INTERFACE_ENDPOINT_CLIENT)

/* Whether its object is counted at all. The others stand for the kernel itself, or for the holder's own parts. */
static inline bool hold_is_counted(const struct cap_hold *hold)
{
	return (HOLD_COUNTED >> hold->interface & 1) != 0;
}

/* What its holder is charged for it, its slot included. */
void hold_charge(const struct cap_hold *hold, struct charge *charge);

/* One more capability, one less. The last one of an owner ends the object. */
void hold_add(const struct cap_hold *hold);
void hold_drop(const struct cap_hold *hold);

void hold_use(const struct cap_hold *hold);
void hold_end_use_counted(const struct cap_hold *hold);

static inline void hold_end_use(const struct cap_hold *hold)
{
	if (hold_is_counted(hold))
		hold_end_use_counted(hold);
}

/* For the inspector: a number that is the same for all holds of one object, and how many there are. 0: none. */
uint64_t hold_object_number(const struct cap_hold *hold);
uint32_t hold_count(const struct cap_hold *hold);

#endif
