/*
 * A process's resource ledger: what it has taken of each kind, and how much it may take. Pure arithmetic; the owner
 * serialises. Invariant: used <= limit. Limits change through resource_ledger_shrink and resource_ledger_grow alone; a
 * peak from before may be above the limit of today.
 *
 * The peak is written down when something is refunded, not when it is charged: so a charge can be cancelled, in any
 * order with others, and leave no trace. Ask resource_ledger_peak.
 */
#ifndef CAPOS_LIB_LEDGER_H
#define CAPOS_LIB_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/virtual_memory_abi.h"
#include "lib/check.h"

struct ledger {
	uint64_t used, limit;
	uint64_t peak; /* the most that was used at any refund; `used` may be more now */
};

struct resource_ledger {
	struct ledger of[LEDGER_COUNT]; /* by enum ledger_kind */
};

/* Nothing used, these limits. */
void resource_ledger_init(struct resource_ledger *ledger, const uint64_t limits[LEDGER_COUNT]);

/* The OVER_ status that this kind refuses with. */
enum status ledger_refusal(enum ledger_kind kind);

static inline bool ledger_is_valid(const struct ledger *ledger)
{
	return ledger->used <= ledger->limit;
}

/* Whether `amount` can be charged. */
static inline bool resource_ledger_has_room(const struct resource_ledger *ledger, enum ledger_kind kind,
					    uint64_t amount)
{
	const struct ledger *one = &ledger->of[kind];

	ASSERT(ledger_is_valid(one));
	return amount <= one->limit - one->used;
}

/* Take `amount` (0 is fine), or change nothing: the OVER_ status of that kind. */
static inline enum status resource_ledger_charge(struct resource_ledger *ledger, enum ledger_kind kind, uint64_t amount)
{
	CHECK(kind < LEDGER_COUNT);
	GUARD(resource_ledger_has_room(ledger, kind, amount), ledger_refusal(kind));
	ledger->of[kind].used += amount;
	return STATUS_OK;
}

/* Give back what was charged. More than is used is the caller's broken promise: CHECK. */
static inline void resource_ledger_refund(struct resource_ledger *ledger, enum ledger_kind kind, uint64_t amount)
{
	struct ledger *one = &ledger->of[kind];

	CHECK(kind < LEDGER_COUNT && amount <= one->used);
	if (one->peak < one->used)
		one->peak = one->used;
	one->used -= amount;
	ASSERT(ledger_is_valid(one));
}

/* Take a charge back as if it had never been, for an operation that failed after it. The same CHECK. */
static inline void resource_ledger_cancel(struct resource_ledger *ledger, enum ledger_kind kind, uint64_t amount)
{
	struct ledger *one = &ledger->of[kind];

	CHECK(kind < LEDGER_COUNT && amount <= one->used);
	one->used -= amount;
	ASSERT(ledger_is_valid(one));
}

/* The most that was ever used of a kind. */
static inline uint64_t resource_ledger_peak(const struct resource_ledger *ledger, enum ledger_kind kind)
{
	const struct ledger *one = &ledger->of[kind];

	return one->peak > one->used ? one->peak : one->used;
}

/*
 * Take limit away, of every kind at once, or change nothing: the OVER_ status of the first kind whose unused limit is
 * smaller. A child's quota comes out of its parent's so; what was used before stays in the peak.
 */
enum status resource_ledger_shrink(struct resource_ledger *ledger, const uint64_t amount[LEDGER_COUNT]);

/* Give limit that was taken back: no limit passes 2^64 (CHECK). */
void resource_ledger_grow(struct resource_ledger *ledger, const uint64_t amount[LEDGER_COUNT]);

const char *ledger_name(enum ledger_kind kind); /* "virtual_reservation_pages" ... */

bool resource_ledger_is_valid(const struct resource_ledger *ledger);

#endif
