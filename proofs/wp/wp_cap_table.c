/*
 * lib/cap_table: for every table, of any number of slots, and every id, without bound.
 *
 * - An id resolves exactly if its slot is LIVE and of its generation: one that was forged or released does not.
 * - Generations never go down; an id is `spent` once it was released or passed over, and a spent id stays spent through
 *   every operation, so it never resolves again and is never handed out again.
 * - Each operation changes one slot and no other; `used` and `retired` count the slots exactly, so publish, move and
 *   abort keep exactly one slot per hold and remove, cancel and commit give exactly one back.
 * - What the free list hands out is FREE: no CHECK of the table fires.
 */
#include "proofs/wp/wp_support.h"
#include "lib/cap_table.h"

/*@ logic struct cap_slot *slot_of{L}(struct cap_table *t, integer i) = \at(t->page[i / 128], L) + i % 128;
    predicate is_used(integer state) = CAP_SLOT_RESERVED <= state <= CAP_SLOT_MOVING;
    predicate state_is{L}(struct cap_table *t, integer i, integer state) = \at(slot_of{L}(t, i)->state, L) == state;

    predicate shape{L}(struct cap_table *t) =
      \valid(t) && t->slots <= CAP_TABLE_MAX_SLOTS && t->slots <= t->pages * 128 && t->pages <= CAP_TABLE_PAGES &&
      \valid(t->page + (0 .. CAP_TABLE_PAGES - 1)) && \separated(t, t->page + (0 .. CAP_TABLE_PAGES - 1)) &&
      (\forall integer p; 0 <= p < t->pages ==> \valid(t->page[p] + (0 .. 127)) &&
	\separated(t, t->page[p] + (0 .. 127)) &&
	\separated(t->page + (0 .. CAP_TABLE_PAGES - 1), t->page[p] + (0 .. 127))) &&
      (\forall integer p, q; 0 <= p < q < t->pages ==> \separated(t->page[p] + (0 .. 127), t->page[q] + (0 .. 127)));

    predicate slot_fits{L}(struct cap_slot *s) =
      s->state <= CAP_SLOT_RETIRED && (s->state == CAP_SLOT_FREE ==> s->generation < 65535) &&
      (s->state == CAP_SLOT_RETIRED ==> s->generation == 65535) && (is_used(s->state) ==> s->generation >= 1);
    predicate slots_fit{L}(struct cap_table *t) = \forall integer i; 0 <= i < t->slots ==> slot_fits(slot_of(t, i));

    predicate is_link{L}(struct cap_table *t, integer n) =
      n == 0 || (1 <= n <= t->slots && slot_of(t, n - 1)->state == CAP_SLOT_FREE);
    predicate list_head{L}(struct cap_table *t) = is_link(t, t->free_head);
    predicate list_next{L}(struct cap_table *t) =
      \forall integer i; 0 <= i < t->slots && slot_of(t, i)->state == CAP_SLOT_FREE ==>
	is_link(t, slot_of(t, i)->next_free);
    predicate list_first{L}(struct cap_table *t) =
      \forall integer i; 0 <= i < t->slots && slot_of(t, i)->state == CAP_SLOT_FREE ==>
	slot_of(t, i)->next_free == 0 || slot_of(t, i)->next_free != t->free_head;
    predicate list_once{L}(struct cap_table *t) =
      \forall integer i, j; 0 <= i < j < t->slots && slot_of(t, i)->state == CAP_SLOT_FREE &&
	slot_of(t, j)->state == CAP_SLOT_FREE && slot_of(t, i)->next_free != 0 ==>
	slot_of(t, i)->next_free != slot_of(t, j)->next_free;
    predicate list_fits{L}(struct cap_table *t) = list_head(t) && list_next(t) && list_first(t) && list_once(t);

    predicate table_fits{L}(struct cap_table *t) = shape(t) && slots_fit(t) && list_fits(t);

    predicate is_in{L}(struct cap_table *t, integer h, integer state) =
      0 <= h % 65536 < t->slots && slot_of(t, h % 65536)->state == state &&
      slot_of(t, h % 65536)->generation == h / 65536;
    predicate spent{L}(struct cap_table *t, integer h) =
      0 <= h % 65536 < t->slots && (slot_of(t, h % 65536)->generation > h / 65536 ||
      (slot_of(t, h % 65536)->generation == h / 65536 && !is_used(slot_of(t, h % 65536)->state)));

    predicate same_pages{A, B}(struct cap_table *t) =
      \at(t->slots, A) == \at(t->slots, B) && \at(t->pages, A) == \at(t->pages, B) &&
      \at(t->page, A) == \at(t->page, B) &&
      \forall integer p; 0 <= p < CAP_TABLE_PAGES ==> \at(t->page[p], A) == \at(t->page[p], B);
    predicate same_hold{A, B}(struct cap_slot *s) =
      \at(s->hold.object, A) == \at(s->hold.object, B) && \at(s->hold.badge, A) == \at(s->hold.badge, B) &&
      \at(s->hold.origin_low, A) == \at(s->hold.origin_low, B) &&
      \at(s->hold.origin_high, A) == \at(s->hold.origin_high, B) &&
      \at(s->hold.interface, A) == \at(s->hold.interface, B) && \at(s->hold.mode, A) == \at(s->hold.mode, B);
    predicate same_slot{A, B}(struct cap_slot *s) =
      same_hold{A, B}(s) && \at(s->generation, A) == \at(s->generation, B) && \at(s->state, A) == \at(s->state, B) &&
      \at(s->next_free, A) == \at(s->next_free, B);
    predicate others_same{A, B}(struct cap_table *t, integer i) =
      \forall integer j; 0 <= j < \at(t->slots, A) && j != i ==> same_slot{A, B}(slot_of{A}(t, j));
    predicate still_free{A, B}(struct cap_table *t, integer but) =
      \forall integer i; 0 <= i < \at(t->slots, B) && \at(slot_of(t, i)->state, B) == CAP_SLOT_FREE ==>
	i != but && \at(slot_of(t, i)->state, A) == CAP_SLOT_FREE &&
	\at(slot_of(t, i)->next_free, A) == \at(slot_of(t, i)->next_free, B);
    predicate old_slots_same{A, B}(struct cap_table *t) =
      \forall integer j; 0 <= j < \at(t->slots, A) ==>
	slot_of{A}(t, j) == slot_of{B}(t, j) && same_slot{A, B}(slot_of{A}(t, j));
    predicate same_states{A, B}(struct cap_table *t) =
      \forall integer j; 0 <= j < \at(t->slots, A) ==>
	\at(slot_of{A}(t, j)->state, A) == \at(slot_of{A}(t, j)->state, B);
    predicate is_fresh{L}(struct cap_slot *s) = s->state == CAP_SLOT_FREE && s->generation == 0 && s->next_free == 0;
    predicate is_unlinked{L}(struct cap_table *t, integer i) =
      t->free_head != i + 1 && \forall integer j; 0 <= j < t->slots && slot_of(t, j)->state == CAP_SLOT_FREE ==>
	slot_of(t, j)->next_free != i + 1;
    predicate whole{L}(struct cap_table *t) =
      t->slots == (t->pages * 128 < CAP_TABLE_MAX_SLOTS ? t->pages * 128 : CAP_TABLE_MAX_SLOTS);
    predicate is_new_page{L}(struct cap_table *t, struct cap_slot *p) =
      \valid(p + (0 .. 127)) && \separated(p + (0 .. 127), t) &&
      \separated(p + (0 .. 127), t->page + (0 .. CAP_TABLE_PAGES - 1)) &&
      (\forall integer q; 0 <= q < t->pages ==> \separated(p + (0 .. 127), t->page[q] + (0 .. 127))) &&
      \forall integer i; 0 <= i < 128 ==> is_fresh(p + i);
    predicate spent_stay{A, B}(struct cap_table *t) =
      \forall integer h; 0 <= h <= 0xffffffff && spent{A}(t, h) ==> spent{B}(t, h);
    predicate is_hold{L}(struct cap_hold *a, struct cap_hold *b) =
      a->object == b->object && a->badge == b->badge && a->origin_low == b->origin_low &&
      a->origin_high == b->origin_high && a->interface == b->interface && a->mode == b->mode;
    predicate apart{L}(struct cap_table *t, struct cap_hold *h) =
      \separated(h, t) && \separated(h, t->page + (0 .. CAP_TABLE_PAGES - 1)) &&
      \forall integer p; 0 <= p < t->pages ==> \separated(h, t->page[p] + (0 .. 127)); */

/*@ logic integer weight(integer state) = CAP_SLOT_RESERVED <= state && state <= CAP_SLOT_MOVING ? 1 : 0;
    axiomatic Counts {
      logic integer used_below{L}(struct cap_table *t, integer n)
	reads t->page[0 .. 511], t->page[0 .. 511][0 .. 127].state;
      axiom used_none{L}: \forall struct cap_table *t, integer n; n <= 0 ==> used_below{L}(t, n) == 0;
      axiom used_next{L}: \forall struct cap_table *t, integer n; n > 0 ==>
	used_below{L}(t, n) == used_below{L}(t, n - 1) + weight(slot_of{L}(t, n - 1)->state);
      logic integer retired_below{L}(struct cap_table *t, integer n)
	reads t->page[0 .. 511], t->page[0 .. 511][0 .. 127].state;
      axiom retired_none{L}: \forall struct cap_table *t, integer n; n <= 0 ==> retired_below{L}(t, n) == 0;
      axiom retired_next{L}: \forall struct cap_table *t, integer n; n > 0 ==>
	retired_below{L}(t, n) ==
	retired_below{L}(t, n - 1) + (slot_of{L}(t, n - 1)->state == CAP_SLOT_RETIRED ? 1 : 0);
    }
    predicate counted{L}(struct cap_table *t) =
      t->used == used_below(t, t->slots) && t->retired == retired_below(t, t->slots) &&
      t->used + t->retired <= t->slots; */

/*@ lemma page_of_slot{L}: \forall struct cap_table *t, integer i;
      shape(t) && 0 <= i < t->slots ==> 0 <= i / 128 < t->pages && 0 <= i % 128 < 128;
    lemma one_page: \forall integer i, j; 0 <= i && 0 <= j && i / 128 == j / 128 && i % 128 == j % 128 ==> i == j;
    lemma other_pages{L}: \forall struct cap_table *t, integer p, q, a, b;
      shape(t) && 0 <= p < t->pages && 0 <= q < t->pages && p != q && 0 <= a < 128 && 0 <= b < 128 ==>
      \separated(t->page[p] + a, t->page[q] + b); */
/*@ lemma slots_apart{L}: \forall struct cap_table *t, integer i, j;
      shape(t) && 0 <= i < t->slots && 0 <= j < t->slots && i != j ==>
      \separated(slot_of(t, i), slot_of(t, j));
    lemma slot_is_valid{L}: \forall struct cap_table *t, integer i;
      shape(t) && 0 <= i < t->slots ==> \valid(slot_of(t, i)) && \separated(t, slot_of(t, i)) &&
	\separated(t->page + (0 .. CAP_TABLE_PAGES - 1), slot_of(t, i)); */

/*@ lemma apart_from_slots{L}: \forall struct cap_table *t, struct cap_hold *h, integer i;
      shape(t) && apart(t, h) && 0 <= i < t->slots ==> \separated(h, slot_of(t, i));
    lemma same_places{A, B}: \forall struct cap_table *t, integer i;
      same_pages{A, B}(t) && 0 <= i < 65536 ==> slot_of{A}(t, i) == slot_of{B}(t, i);
    lemma pages_then{A, B, C}: \forall struct cap_table *t;
      same_pages{A, B}(t) && same_pages{B, C}(t) ==> same_pages{A, C}(t);
    lemma others_then{A, B, C}: \forall struct cap_table *t, integer i, j, k;
      \at(t->slots, A) <= CAP_TABLE_MAX_SLOTS && same_pages{A, B}(t) && others_same{A, B}(t, i) && others_same{B, C}(t,
   j) && (i == k || i == -1) && (j == k || j == -1) ==> others_same{A, C}(t, k); */

/*@ assigns \nothing; ensures \result == handle % 65536; */
static inline uint32_t cap_table_index(handle_t handle);

/*@ assigns \nothing; ensures \result == handle / 65536; */
static inline uint32_t cap_table_generation(handle_t handle);

/*@ requires index <= 65535;
    assigns \nothing;
    ensures \result == generation * 65536 + index;
    ensures \result % 65536 == index && \result / 65536 == generation; */
static handle_t handle_make(uint32_t index, uint16_t generation);

/*@ requires shape(table) && index < table->slots;
    assigns \nothing;
    ensures \result == slot_of(table, index) && \valid(\result); */
static struct cap_slot *slot_at(const struct cap_table *table, uint32_t index);

/*@ requires \valid(to) && \valid_read(from) && \separated(to, from);
    assigns to->object, to->badge, to->origin_low, to->origin_high, to->interface, to->mode;
    ensures is_hold(to, from); */
static void hold_copy(struct cap_hold *restrict to, const struct cap_hold *restrict from);

/*@ requires shape(table);
    assigns \nothing;
    ensures \result == true <==> is_in(table, handle, state); */
static bool resolves(const struct cap_table *table, handle_t handle, enum cap_slot_state state);

/*@ requires shape(table) && \valid(hold) && \separated(hold, table);
    requires \separated(hold, table->page + (0 .. CAP_TABLE_PAGES - 1));
    requires \forall integer p; 0 <= p < table->pages ==> \separated(hold, table->page[p] + (0 .. 127));
    assigns *hold;
    ensures \result == STATUS_OK <==> is_in{Pre}(table, handle, CAP_SLOT_LIVE);
    ensures \result == STATUS_OK ==> *hold == &slot_of{Pre}(table, handle % 65536)->hold;
    ensures \result != STATUS_OK ==> \result == STATUS_NO_SUCH_CAPABILITY && *hold == \old(*hold); */
static inline enum status cap_table_find(const struct cap_table *table, handle_t handle, const struct cap_hold **hold);

/*@ requires table_fits(table) && index < table->slots && slot == slot_of(table, index);
    requires slot->generation < 65535 && is_unlinked(table, index);
    assigns slot->state, slot->next_free, table->free_head;
    ensures pages: same_pages{Pre, Post}(table);
    ensures shape: shape(table);
    ensures slots: slots_fit(table);
    ensures others: others_same{Pre, Post}(table, index);
    ensures head: list_head(table);
    ensures next: list_next(table);
    ensures first: list_first(table);
    ensures once: list_once(table);
    ensures slot->state == CAP_SLOT_FREE;
    ensures slot->next_free == \old(table->free_head) && table->free_head == index + 1; */
static void push_free(struct cap_table *table, uint32_t index, struct cap_slot *slot);

/*@ requires table_fits(table) && 1 <= table->free_head == index + 1;
    assigns slot_of(table, index)->state, slot_of(table, index)->next_free, slot_of(table, index)->generation,
      table->free_head;
    ensures pages: same_pages{Pre, Post}(table);
    ensures others: others_same{Pre, Post}(table, index);
    ensures slot_of(table, index)->state == CAP_SLOT_RESERVED && slot_of(table, index)->generation ==
   \old(slot_of(table, index)->generation) + 1; ensures shape: shape(table); ensures slots: slots_fit(table); ensures
   head: list_head(table); ensures next: list_next(table); ensures first: list_first(table); ensures once:
   list_once(table);
*/
static void pop_free(struct cap_table *table, uint32_t index);

/*@ requires \valid(hold);
    assigns hold->object, hold->badge, hold->origin_low, hold->origin_high, hold->interface, hold->mode;
    ensures hold->object == \null && hold->badge == 0 && hold->origin_low == 0 && hold->origin_high == 0;
    ensures hold->interface == INTERFACE_NONE && hold->mode == TRANSFER_NONE; */
static void hold_clear(struct cap_hold *hold);

/*@ requires table_fits(table) && index < table->slots;
    requires is_used(slot_of(table, index)->state) && slot_of(table, index)->generation == 65535;
    requires table->retired <= 65535;
    assigns slot_of(table, index)->state, table->retired;
    ensures pages: same_pages{Pre, Post}(table);
    ensures shape: shape(table);
    ensures slots: slots_fit(table);
    ensures others: others_same{Pre, Post}(table, index);
    ensures head: list_head(table);
    ensures next: list_next(table);
    ensures first: list_first(table);
    ensures once: list_once(table);
    ensures slot_of(table, index)->state == CAP_SLOT_RETIRED && table->retired == \old(table->retired) + 1; */
static void retire(struct cap_table *table, uint32_t index);

/*@ requires table_fits(table) && counted(table) && index < table->slots;
    requires is_used(slot_of(table, index)->state);
    assigns slot_of(table, index)->hold;
    ensures pages: same_pages{Pre, Post}(table);
    ensures shape: shape(table);
    ensures slots: slots_fit(table);
    ensures others: others_same{Pre, Post}(table, index);
    ensures head: list_head(table);
    ensures next: list_next(table);
    ensures first: list_first(table);
    ensures once: list_once(table);
    ensures count: counted(table);
    ensures slot_of(table, index)->generation == \old(slot_of(table, index)->generation);
    ensures slot_of(table, index)->state == \old(slot_of(table, index)->state);
    ensures spent: spent_stay{Pre, Post}(table); */
static void forget(struct cap_table *table, uint32_t index);

/*@ requires table_fits(table) && counted(table) && index < table->slots && slot == slot_of(table, index);
    requires is_used(slot->state);
    assigns slot->state, slot->next_free, table->free_head, table->retired;
    ensures pages: same_pages{Pre, Post}(table);
    ensures shape: shape(table);
    ensures slots: slots_fit(table);
    ensures others: others_same{Pre, Post}(table, index);
    ensures head: list_head(table);
    ensures next: list_next(table);
    ensures first: list_first(table);
    ensures once: list_once(table);
    ensures generation: slot->generation == \old(slot->generation) && !is_used(slot->state);
    ensures count: table->used == used_below(table, table->slots) + 1;
    ensures retired: table->retired == retired_below(table, table->slots);
    ensures used: table->used >= 1;
    ensures together: table->used + table->retired <= table->slots + 1;
    ensures spent: spent_stay{Pre, Post}(table); */
static void put_back(struct cap_table *table, uint32_t index, struct cap_slot *slot);

/*@ requires table_fits(table) && table->used == used_below(table, table->slots) + 1;
    requires table->retired == retired_below(table, table->slots) && table->used + table->retired <= table->slots + 1;
    requires table->used >= 1;
    assigns table->used;
    ensures pages: same_pages{Pre, Post}(table);
    ensures shape: shape(table);
    ensures slots: slots_fit(table);
    ensures others: others_same{Pre, Post}(table, -1);
    ensures head: list_head(table);
    ensures next: list_next(table);
    ensures first: list_first(table);
    ensures once: list_once(table);
    ensures count: counted(table) && table->used == \old(table->used) - 1;
    ensures spent: spent_stay{Pre, Post}(table); */
static void count_down(struct cap_table *table);

/*@ requires table_fits(table) && counted(table) && is_in(table, handle, slot->state) && is_used(slot->state);
    requires slot == slot_of(table, handle % 65536);
    assigns slot->hold, slot->state, slot->next_free, table->free_head, table->used, table->retired;
    ensures pages: same_pages{Pre, Post}(table);
    ensures shape: shape(table);
    ensures slots: slots_fit(table);
    ensures others: others_same{Pre, Post}(table, handle % 65536);
    ensures head: list_head(table);
    ensures next: list_next(table);
    ensures first: list_first(table);
    ensures once: list_once(table);
    ensures generation: slot->generation == \old(slot->generation) && !is_used(slot->state);
    ensures count: counted(table) && table->used == \old(table->used) - 1;
    ensures spent: spent(table, handle) && spent_stay{Pre, Post}(table); */
static void release(struct cap_table *table, handle_t handle, struct cap_slot *slot);

/*@ requires table_fits(table) && counted(table) && \valid(hold) && apart(table, hold);
    requires index < table->slots;
    assigns *hold;
    ensures pages: same_pages{Pre, Post}(table);
    ensures shape: shape(table);
    ensures slots: slots_fit(table);
    ensures others: others_same{Pre, Post}(table, -1);
    ensures head: list_head(table);
    ensures next: list_next(table);
    ensures first: list_first(table);
    ensures once: list_once(table);
    ensures count: counted(table);
    ensures hold: is_hold(hold, &slot_of(table, index)->hold);
    ensures object: hold->object == \old(slot_of(table, index)->hold.object);
    ensures badge: hold->badge == \old(slot_of(table, index)->hold.badge);
    ensures spent: spent_stay{Pre, Post}(table); */
static void copy_out(const struct cap_table *table, uint32_t index, struct cap_hold *hold);

/*@ requires pages <= CAP_TABLE_PAGES;
    assigns \nothing;
    ensures \result == (pages * 128 < CAP_TABLE_MAX_SLOTS ? pages * 128 : CAP_TABLE_MAX_SLOTS); */
static uint32_t slots_of_pages(uint32_t pages);

/*@ requires \valid(table) && \valid(directory + (0 .. CAP_TABLE_PAGES - 1));
    requires \separated(table, directory + (0 .. CAP_TABLE_PAGES - 1));
    assigns *table;
    ensures table->page == directory && table->slots == 0 && table->used == 0;
    ensures table_fits(table) && counted(table) && whole(table); */
void cap_table_init(struct cap_table *table, struct cap_slot **directory);

/*@ requires table_fits(table) && counted(table) && whole(table) && table->pages < CAP_TABLE_PAGES;
    requires is_new_page(table, page);
    assigns table->page[table->pages], table->pages, table->slots;
    ensures more: table->pages == \old(table->pages) + 1 && table->page == \old(table->page) && whole(table);
    ensures shape: shape(table);
    ensures slots: slots_fit(table);
    ensures old: old_slots_same{Pre, Post}(table);
    ensures fresh: \forall integer i; \old(table->slots) <= i < table->slots ==> is_fresh(slot_of(table, i));
    ensures head: list_head(table);
    ensures next: list_next(table);
    ensures first: list_first(table);
    ensures once: list_once(table);
    ensures unlinked: \forall integer i; \old(table->slots) <= i < table->slots ==> is_unlinked(table, i);
    ensures count: counted(table); */
static void attach_page(struct cap_table *table, struct cap_slot *page);

/*@ requires table_fits(table) && counted(table) && whole(table) && table->pages >= 1;
    requires first == (table->pages - 1) * 128;
    requires \forall integer i; first <= i < table->slots ==> is_fresh(slot_of(table, i)) && is_unlinked(table, i);
    assigns table->free_head, table->page[table->pages - 1][0 .. 127].state,
      table->page[table->pages - 1][0 .. 127].next_free;
    ensures pages: same_pages{Pre, Post}(table);
    ensures shape: shape(table);
    ensures slots: slots_fit(table);
    ensures old: \forall integer i; 0 <= i < first ==> same_slot{Pre, Post}(slot_of(table, i));
    ensures fresh: \forall integer i; first <= i < table->slots ==>
      slot_of(table, i)->state == CAP_SLOT_FREE && slot_of(table, i)->generation == 0;
    ensures head: list_head(table);
    ensures next: list_next(table);
    ensures first: list_first(table);
    ensures once: list_once(table);
    ensures lowest: table->free_head == first + 1;
    ensures count: counted(table); */
static void list_from(struct cap_table *table, uint32_t first);

/*@ requires table_fits(table) && counted(table) && whole(table);
    requires is_new_page(table, page);
    behavior more:
      assumes table->pages < CAP_TABLE_PAGES;
      ensures \result == STATUS_OK && table->pages == \old(table->pages) + 1 && table->used == \old(table->used);
      ensures shape: shape(table) && whole(table);
      ensures slots: slots_fit(table);
      ensures old: old_slots_same{Pre, Post}(table);
      ensures new: \forall integer i; \old(table->slots) <= i < table->slots ==>
	slot_of(table, i)->state == CAP_SLOT_FREE && slot_of(table, i)->generation == 0;
      ensures head: list_head(table) && table->free_head == \old(table->slots) + 1;
      ensures next: list_next(table);
      ensures first: list_first(table);
      ensures once: list_once(table);
      ensures count: counted(table);
      ensures spent: spent_stay{Pre, Post}(table);
    behavior full:
      assumes table->pages == CAP_TABLE_PAGES;
      assigns \nothing;
      ensures \result == STATUS_OVER_CAP_SLOTS;
    complete behaviors; disjoint behaviors; */
enum status cap_table_add_page(struct cap_table *table, struct cap_slot *page);

/*@ requires \valid_read(table);
    assigns \nothing;
    ensures \result == true <==> table->free_head != 0; */
bool cap_table_has_free(const struct cap_table *table);

/*@ requires table_fits(table) && counted(table) && \valid(handle) && \separated(handle, table);
    requires \separated(handle, table->page + (0 .. CAP_TABLE_PAGES - 1));
    requires \forall integer p; 0 <= p < table->pages ==> \separated(handle, table->page[p] + (0 .. 127));
    assigns *handle, table->free_head, table->used, *slot_of(table, table->free_head - 1);
    behavior none:
      assumes table->free_head == 0;
      assigns \nothing;
      ensures \result == STATUS_OVER_CAP_SLOTS;
    behavior some:
      assumes table->free_head != 0;
      ensures \result == STATUS_OK;
      ensures pages: same_pages{Pre, Post}(table);
      ensures shape: shape(table);
      ensures slots: slots_fit(table);
      ensures new: is_in(table, *handle, CAP_SLOT_RESERVED) && !spent{Pre}(table, *handle);
      ensures others: others_same{Pre, Post}(table, *handle % 65536);
      ensures head: list_head(table);
      ensures next: list_next(table);
      ensures first: list_first(table);
      ensures once: list_once(table);
      ensures count: counted(table) && table->used == \old(table->used) + 1;
      ensures spent: spent_stay{Pre, Post}(table);
    complete behaviors; disjoint behaviors; */
enum status cap_table_reserve(struct cap_table *table, handle_t *handle);

/*@ requires table_fits(table) && counted(table) && is_in(table, handle, CAP_SLOT_RESERVED);
    requires \valid_read(hold) && apart(table, (struct cap_hold *)hold);
    assigns *slot_of(table, handle % 65536);
    ensures pages: same_pages{Pre, Post}(table);
    ensures shape: shape(table);
    ensures slots: slots_fit(table);
    ensures head: list_head(table);
    ensures next: list_next(table);
    ensures first: list_first(table);
    ensures once: list_once(table);
    ensures count: counted(table);
    ensures live: is_in(table, handle, CAP_SLOT_LIVE);
    ensures hold: is_hold(&slot_of(table, handle % 65536)->hold, (struct cap_hold *)hold);
    ensures others: others_same{Pre, Post}(table, handle % 65536);
    ensures spent: spent_stay{Pre, Post}(table); */
void cap_table_publish(struct cap_table *table, handle_t handle, const struct cap_hold *hold);

/*@ requires table_fits(table) && counted(table) && is_in(table, handle, CAP_SLOT_RESERVED);
    ensures pages: same_pages{Pre, Post}(table);
    ensures shape: shape(table);
    ensures slots: slots_fit(table);
    ensures head: list_head(table);
    ensures next: list_next(table);
    ensures first: list_first(table);
    ensures once: list_once(table);
    ensures count: counted(table) && table->used == \old(table->used) - 1;
    ensures others: others_same{Pre, Post}(table, handle % 65536);
    ensures spent: spent(table, handle) && spent_stay{Pre, Post}(table); */
void cap_table_cancel(struct cap_table *table, handle_t handle);

/*@ requires table_fits(table) && counted(table) && \valid(hold) && apart(table, hold);
    ensures pages: same_pages{Pre, Post}(table);
    ensures shape: shape(table);
    ensures slots: slots_fit(table);
    ensures head: list_head(table);
    ensures next: list_next(table);
    ensures first: list_first(table);
    ensures once: list_once(table);
    ensures count: counted(table);
    ensures spent: spent_stay{Pre, Post}(table);
    behavior taken:
      assumes is_in(table, handle, CAP_SLOT_LIVE);
      ensures \result == STATUS_OK && spent(table, handle) && table->used == \old(table->used) - 1;
      ensures hold->object == \old(slot_of(table, handle % 65536)->hold.object);
      ensures hold->badge == \old(slot_of(table, handle % 65536)->hold.badge);
      ensures others: others_same{Pre, Post}(table, handle % 65536);
    behavior refused:
      assumes !is_in(table, handle, CAP_SLOT_LIVE);
      assigns \nothing;
      ensures \result == STATUS_NO_SUCH_CAPABILITY;
    complete behaviors; disjoint behaviors; */
enum status cap_table_remove(struct cap_table *table, handle_t handle, struct cap_hold *hold);

/*@ requires table_fits(table) && counted(table) && \valid(hold) && apart(table, hold);
    ensures pages: same_pages{Pre, Post}(table);
    ensures shape: shape(table);
    ensures slots: slots_fit(table);
    ensures head: list_head(table);
    ensures next: list_next(table);
    ensures first: list_first(table);
    ensures once: list_once(table);
    ensures count: counted(table) && table->used == \old(table->used);
    ensures spent: spent_stay{Pre, Post}(table);
    ensures others: others_same{Pre, Post}(table, handle % 65536);
    behavior taken:
      assumes is_in(table, handle, CAP_SLOT_LIVE) &&
	slot_of(table, handle % 65536)->hold.mode != TRANSFER_NONE;
      ensures \result == STATUS_OK && is_in(table, handle, CAP_SLOT_MOVING);
      ensures is_hold(hold, &slot_of(table, handle % 65536)->hold);
      ensures same_hold{Pre, Post}(slot_of(table, handle % 65536));
    behavior refused:
      assumes !(is_in(table, handle, CAP_SLOT_LIVE) &&
	slot_of(table, handle % 65536)->hold.mode != TRANSFER_NONE);
      assigns \nothing;
      ensures \result == STATUS_NO_SUCH_CAPABILITY || \result == STATUS_NOT_TRANSFERABLE;
    complete behaviors; disjoint behaviors; */
enum status cap_table_move_begin(struct cap_table *table, handle_t handle, struct cap_hold *hold);

/*@ requires table_fits(table) && counted(table) && is_in(table, handle, CAP_SLOT_MOVING);
    ensures pages: same_pages{Pre, Post}(table);
    ensures shape: shape(table);
    ensures slots: slots_fit(table);
    ensures head: list_head(table);
    ensures next: list_next(table);
    ensures first: list_first(table);
    ensures once: list_once(table);
    ensures count: counted(table) && table->used == \old(table->used) - 1;
    ensures others: others_same{Pre, Post}(table, handle % 65536);
    ensures spent: spent(table, handle) && spent_stay{Pre, Post}(table); */
void cap_table_move_commit(struct cap_table *table, handle_t handle);

/*@ requires table_fits(table) && counted(table) && is_in(table, handle, CAP_SLOT_MOVING);
    assigns slot_of(table, handle % 65536)->state;
    ensures pages: same_pages{Pre, Post}(table);
    ensures shape: shape(table);
    ensures slots: slots_fit(table);
    ensures head: list_head(table);
    ensures next: list_next(table);
    ensures first: list_first(table);
    ensures once: list_once(table);
    ensures count: counted(table) && table->used == \old(table->used);
    ensures live: is_in(table, handle, CAP_SLOT_LIVE);
    ensures others: others_same{Pre, Post}(table, handle % 65536);
    ensures spent: spent_stay{Pre, Post}(table); */
void cap_table_move_abort(struct cap_table *table, handle_t handle);

/*@ requires shape(table) && \valid(hold);
    assigns *hold;
    behavior found:
      assumes is_in(table, handle, CAP_SLOT_LIVE) && slot_of(table, handle % 65536)->hold.interface == interface;
      ensures \result == STATUS_OK && *hold == &slot_of{Pre}(table, handle % 65536)->hold;
    behavior other:
      assumes is_in(table, handle, CAP_SLOT_LIVE) && slot_of(table, handle % 65536)->hold.interface != interface;
      assigns \nothing;
      ensures \result == STATUS_WRONG_INTERFACE;
    behavior none:
      assumes !is_in(table, handle, CAP_SLOT_LIVE);
      assigns \nothing;
      ensures \result == STATUS_NO_SUCH_CAPABILITY;
    complete behaviors; disjoint behaviors; */
enum status cap_table_find_interface(const struct cap_table *table, handle_t handle, enum interface_id interface,
				     const struct cap_hold **hold);

/*@ requires shape(table) && \valid(handle) && \valid(hold) && \separated(handle, hold);
    assigns *handle, *hold;
    behavior one:
      assumes \exists integer i; index <= i < table->slots && state_is(table, i, CAP_SLOT_LIVE);
      ensures \result == STATUS_OK && index <= *handle % 65536;
      ensures live: is_in{Pre}(table, *handle, CAP_SLOT_LIVE);
      ensures hold: *hold == &slot_of{Pre}(table, *handle % 65536)->hold;
      ensures lowest: \forall integer i; index <= i < *handle % 65536 ==> !state_is{Pre}(table, i, CAP_SLOT_LIVE);
    behavior none:
      assumes \forall integer i; index <= i < table->slots ==> !state_is(table, i, CAP_SLOT_LIVE);
      assigns \nothing;
      ensures \result == STATUS_NOT_FOUND;
    complete behaviors; disjoint behaviors; */
enum status cap_table_next(const struct cap_table *table, uint32_t index, handle_t *handle,
			   const struct cap_hold **hold);

#include "lib/cap_table.c"
