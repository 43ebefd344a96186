/*
 * lib/ledger: for every ledger, kind and amount, without bound: no sum or difference wraps, used <= limit is kept, a
 * charge adds exactly what a refund or a cancel takes away, a refusal changes nothing, shrink and grow move exactly the
 * named amounts of every kind or none. No CHECK of lib/ledger fires when the caller keeps the contract.
 */
#include "proofs/wp/wp_support.h"
#include "lib/ledger.h"

/*@ predicate fits{L}(struct ledger *one) = one->used <= one->limit;
    predicate all_fit{L}(struct resource_ledger *l) =
      \forall integer k; 0 <= k < LEDGER_COUNT ==> fits(&l->of[k]);
    predicate same_of{A, B}(struct resource_ledger *l, integer k) =
      \at(l->of[k].used, A) == \at(l->of[k].used, B) && \at(l->of[k].limit, A) == \at(l->of[k].limit, B) &&
      \at(l->of[k].peak, A) == \at(l->of[k].peak, B);
    predicate same_but{A, B}(struct resource_ledger *l, integer k) =
      \forall integer j; 0 <= j < LEDGER_COUNT && j != k ==> same_of{A, B}(l, j);
    predicate is_refusal(integer s) = STATUS_OVER_VIRTUAL_RESERVATION <= s <= STATUS_OVER_KERNEL_OBJECT; */

/*@ requires \valid_read(ledger);
    assigns \nothing;
    ensures \result == true <==> fits(ledger); */
static inline bool ledger_is_valid(const struct ledger *ledger);

/*@ requires \valid_read(ledger) && kind < LEDGER_COUNT && all_fit(ledger);
    assigns \nothing;
    ensures \result == true <==> ledger->of[kind].used + amount <= ledger->of[kind].limit; */
static inline bool resource_ledger_has_room(const struct resource_ledger *ledger, enum ledger_kind kind,
					    uint64_t amount);

/*@ requires kind < LEDGER_COUNT;
    assigns \nothing;
    ensures is_refusal(\result) && \result == STATUS_OVER_VIRTUAL_RESERVATION + kind; */
enum status ledger_refusal(enum ledger_kind kind);

/*@ requires \valid(ledger) && kind < LEDGER_COUNT && all_fit(ledger);
    assigns ledger->of[kind].used;
    ensures all_fit(ledger) && same_but{Pre, Post}(ledger, kind);
    behavior taken:
      assumes ledger->of[kind].used + amount <= ledger->of[kind].limit;
      ensures \result == STATUS_OK && ledger->of[kind].used == \old(ledger->of[kind].used) + amount;
    behavior refused:
      assumes ledger->of[kind].used + amount > ledger->of[kind].limit;
      assigns \nothing;
      ensures is_refusal(\result);
    complete behaviors; disjoint behaviors; */
static inline enum status resource_ledger_charge(struct resource_ledger *ledger, enum ledger_kind kind,
						 uint64_t amount);

/*@ requires \valid(ledger) && kind < LEDGER_COUNT && all_fit(ledger) && amount <= ledger->of[kind].used;
    assigns ledger->of[kind].used, ledger->of[kind].peak;
    ensures all_fit(ledger) && same_but{Pre, Post}(ledger, kind);
    ensures ledger->of[kind].used == \old(ledger->of[kind].used) - amount;
    ensures ledger->of[kind].peak >= \old(ledger->of[kind].used) && ledger->of[kind].peak >=
   \old(ledger->of[kind].peak); */
static inline void resource_ledger_refund(struct resource_ledger *ledger, enum ledger_kind kind, uint64_t amount);

/*@ requires \valid(ledger) && kind < LEDGER_COUNT && all_fit(ledger) && amount <= ledger->of[kind].used;
    assigns ledger->of[kind].used;
    ensures all_fit(ledger) && same_but{Pre, Post}(ledger, kind);
    ensures ledger->of[kind].used == \old(ledger->of[kind].used) - amount; */
static inline void resource_ledger_cancel(struct resource_ledger *ledger, enum ledger_kind kind, uint64_t amount);

/*@ requires \valid_read(ledger) && kind < LEDGER_COUNT;
    assigns \nothing;
    ensures \result >= ledger->of[kind].used && \result >= ledger->of[kind].peak;
    ensures \result == ledger->of[kind].used || \result == ledger->of[kind].peak; */
static inline uint64_t resource_ledger_peak(const struct resource_ledger *ledger, enum ledger_kind kind);

/*@ requires \valid(ledger) && \valid_read(limits + (0 .. LEDGER_COUNT - 1));
    requires \separated(ledger, limits + (0 .. LEDGER_COUNT - 1));
    assigns ledger->of[0 .. LEDGER_COUNT - 1];
    ensures all_fit(ledger);
    ensures \forall integer k; 0 <= k < LEDGER_COUNT ==>
      ledger->of[k].used == 0 && ledger->of[k].limit == limits[k] && ledger->of[k].peak == 0; */
void resource_ledger_init(struct resource_ledger *ledger, const uint64_t limits[LEDGER_COUNT]);

/*@ requires \valid(ledger) && \valid_read(amount + (0 .. LEDGER_COUNT - 1)) && all_fit(ledger);
    requires \separated(ledger, amount + (0 .. LEDGER_COUNT - 1));
    assigns ledger->of[0 .. LEDGER_COUNT - 1].limit;
    ensures all_fit(ledger);
    behavior taken:
      assumes \forall integer k; 0 <= k < LEDGER_COUNT ==> ledger->of[k].used + amount[k] <= ledger->of[k].limit;
      ensures \result == STATUS_OK;
      ensures \forall integer k; 0 <= k < LEDGER_COUNT ==>
	ledger->of[k].limit == \old(ledger->of[k].limit) - amount[k];
    behavior refused:
      assumes \exists integer k; 0 <= k < LEDGER_COUNT && ledger->of[k].used + amount[k] > ledger->of[k].limit;
      assigns \nothing;
      ensures is_refusal(\result);
    complete behaviors; disjoint behaviors; */
enum status resource_ledger_shrink(struct resource_ledger *ledger, const uint64_t amount[LEDGER_COUNT]);

/*@ requires \valid(ledger) && \valid_read(amount + (0 .. LEDGER_COUNT - 1)) && all_fit(ledger);
    requires \separated(ledger, amount + (0 .. LEDGER_COUNT - 1));
    requires \forall integer k; 0 <= k < LEDGER_COUNT ==> ledger->of[k].limit + amount[k] <= UINT64_MAX;
    assigns ledger->of[0 .. LEDGER_COUNT - 1].limit;
    ensures all_fit(ledger);
    ensures \forall integer k; 0 <= k < LEDGER_COUNT ==>
      ledger->of[k].limit == \old(ledger->of[k].limit) + amount[k]; */
void resource_ledger_grow(struct resource_ledger *ledger, const uint64_t amount[LEDGER_COUNT]);

/*@ requires kind < LEDGER_COUNT;
    assigns \nothing; */
const char *ledger_name(enum ledger_kind kind);

/*@ requires \valid_read(ledger);
    assigns \nothing;
    ensures \result == true <==> all_fit(ledger); */
bool resource_ledger_is_valid(const struct resource_ledger *ledger);

#include "lib/ledger.c"
