#include "kernel/mem/shortage.h"

#ifdef CAPOS_FAULTS

#include "kernel/arch/x86_64/cpu_local.h"
#include "lib/check.h"
#include "lib/string.h"

/* All of it is read and written by atomic steps; an order begins when nothing is refused by the one before. */
static struct shortage_order order;
static uint64_t counted; /* at the places of the order, since it began */
static struct shortage_report report;
static uint64_t untold[CPU_MAX]; /* refusals on this CPU that no status has told of */

static uint64_t add(uint64_t *counter, uint64_t count)
{
	return __atomic_add_fetch(counter, count, __ATOMIC_RELAXED);
}

static bool is_hit(uint64_t number)
{
	if (order.first == 0 || number < order.first)
		return false;
	return number == order.first || (order.period != 0 && (number - order.first) % order.period == 0);
}

bool shortage_strikes(enum shortage_place place)
{
	(void)add(&report.asked[place], 1);
	if ((order.places & 1u << place) == 0 || !is_hit(add(&counted, 1)))
		return false;
	(void)add(&report.refused[place], 1);
	(void)add(&untold[cpu_index()], 1);
	return true;
}

void shortage_tell(enum status status)
{
	const uint64_t refusals = untold[cpu_index()];

	if (LIKELY(refusals == 0))
		return;
	untold[cpu_index()] = 0;
	CHECK((uint64_t)status < SHORTAGE_STATUSES);
	(void)add(&report.told[status], refusals);
}

void shortage_begin(const struct shortage_order *next, struct shortage_report *result)
{
	order.first = 0;
	*result = report;
	report = (struct shortage_report){ .note = next->note };
	memset(untold, 0, sizeof(untold));
	counted = 0;
	order.places = next->places;
	order.period = next->period;
	order.first = next->first;
}

void shortage_begin_boot(uint64_t first)
{
	order = (struct shortage_order){ .places = SHORTAGE_EVERYWHERE, .first = first };
}

#endif
