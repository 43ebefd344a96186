#include "lib/cap_table.h"

#include <stddef.h>

#include "lib/check.h"

_Static_assert(sizeof(struct cap_slot) == 32, "128 slots a page");
_Static_assert(INTERFACE_COUNT <= UINT8_MAX, "an interface is one byte of an edge");
_Static_assert(CAP_TABLE_MAX_SLOTS <= UINT16_MAX, "next_free holds index + 1");

static handle_t handle_make(uint32_t index, uint16_t generation)
{
	return (handle_t)generation * (HANDLE_INDEX_MASK + 1) + index;
}

/* Field by field, in their order: three moves to a compiler and six facts to a prover. */
static void hold_copy(struct cap_hold *restrict to, const struct cap_hold *restrict from)
{
	to->object = from->object;
	to->badge = from->badge;
	to->interface = from->interface;
	to->mode = from->mode;
	to->origin_high = from->origin_high;
	to->origin_low = from->origin_low;
}

static void hold_clear(struct cap_hold *hold)
{
	hold->object = NULL;
	hold->badge = 0;
	hold->interface = INTERFACE_NONE;
	hold->mode = TRANSFER_NONE;
	hold->origin_high = 0;
	hold->origin_low = 0;
}

static uint32_t slots_of_pages(uint32_t pages)
{
	const uint32_t slots = pages * CAP_SLOTS_PER_PAGE;

	return slots < CAP_TABLE_MAX_SLOTS ? slots : CAP_TABLE_MAX_SLOTS;
}

/* index < table->slots */
static struct cap_slot *slot_at(const struct cap_table *table, uint32_t index)
{
	return &table->page[index / CAP_SLOTS_PER_PAGE][index % CAP_SLOTS_PER_PAGE];
}

/* Whether an id names a slot in that state and of its generation. */
static bool resolves(const struct cap_table *table, handle_t handle, enum cap_slot_state state)
{
	const uint32_t index = cap_table_index(handle);
	const struct cap_slot *slot;

	if (index >= table->slots)
		return false;
	slot = slot_at(table, index);
	return slot->state == state && slot->generation == cap_table_generation(handle);
}

static void push_free(struct cap_table *table, uint32_t index, struct cap_slot *slot)
{
	slot->state = CAP_SLOT_FREE;
	slot->next_free = (uint16_t)table->free_head;
	table->free_head = index + 1;
	/*@ assert same_pages{Pre, Here}(table) && others_same{Pre, Here}(table, index); */
	/*@ assert \forall integer n; is_link{Pre}(table, n) ==> is_link(table, n); */
}

/* The first free slot, of this index, under its next generation. */
static void pop_free(struct cap_table *table, uint32_t index)
{
	struct cap_slot *slot = slot_at(table, index);

	CHECK(slot->state == CAP_SLOT_FREE && slot->generation < UINT16_MAX);
	table->free_head = slot->next_free;
	slot->next_free = 0;
	slot->generation++;
	slot->state = CAP_SLOT_RESERVED;
	/*@ assert same_pages{Pre, Here}(table) && others_same{Pre, Here}(table, index); */
	/*@ assert is_link{Pre}(table, table->free_head) && table->free_head != index + 1; */
	/*@ assert \forall integer n; n != index + 1 && is_link{Pre}(table, n) ==> is_link(table, n); */
	/*@ assert still_free{Pre, Here}(table, index); */
	/*@ assert \forall integer i; 0 <= i < table->slots && slot_of(table, i)->state == CAP_SLOT_FREE ==>
	      is_link{Pre}(table, slot_of(table, i)->next_free) && slot_of(table, i)->next_free != index + 1; */
}

/* A slot whose generations are used up never names anything again. */
static void retire(struct cap_table *table, uint32_t index)
{
	slot_at(table, index)->state = CAP_SLOT_RETIRED;
	table->retired++;
	/*@ assert same_pages{Pre, Here}(table) && others_same{Pre, Here}(table, index); */
	/*@ assert \forall integer n; is_link{Pre}(table, n) ==> is_link(table, n); */
}

/* A used slot keeps nothing of what it held. */
static void forget(struct cap_table *table, uint32_t index)
{
	hold_clear(&slot_at(table, index)->hold);
	/*@ assert same_pages{Pre, Here}(table) && others_same{Pre, Here}(table, index); */
	/*@ assert \forall integer n; is_link{Pre}(table, n) ==> is_link(table, n); */
	/*@ ghost
	    /@ loop invariant 0 <= n <= table->slots && 0 <= retired_below(table, n) && 0 <= used_below(table, n);
	       loop invariant used_below(table, n) + retired_below(table, n) <= n;
	       loop invariant used_below(table, n) == used_below{Pre}(table, n);
	       loop invariant retired_below(table, n) == retired_below{Pre}(table, n);
	       loop assigns n;
	       loop variant table->slots - n; @/
	    for (uint32_t n = 0; n < table->slots; n++)
		    ;
	*/
}

/* A used slot goes back to the free list, or never comes back. It is still counted as used. */
static void put_back(struct cap_table *table, uint32_t index, struct cap_slot *slot)
{
	if (slot->generation == UINT16_MAX)
		retire(table, index);
	else
		push_free(table, index, slot);
	/*@ assert others_same{Pre, Here}(table, index) && slot == slot_of(table, index) && !is_used(slot->state); */
	/*@ assert spent_stay{Pre, Here}(table); */
	/*@ ghost
	    /@ loop invariant 0 <= n <= table->slots && 0 <= retired_below(table, n) && 0 <= used_below(table, n);
	       loop invariant used_below(table, n) + retired_below(table, n) <= n;
	       loop invariant used_below(table, n) == used_below{Pre}(table, n) - (index < n ? 1 : 0);
	       loop invariant retired_below(table, n) == retired_below{Pre}(table, n) +
		 (index < n && slot->state == CAP_SLOT_RETIRED ? 1 : 0);
	       loop assigns n;
	       loop variant table->slots - n; @/
	    for (uint32_t n = 0; n < table->slots; n++)
		    ;
	*/
}

static void count_down(struct cap_table *table)
{
	table->used--;
	/*@ assert same_pages{Pre, Here}(table) && others_same{Pre, Here}(table, -1); */
	/*@ assert \forall integer n; is_link{Pre}(table, n) ==> is_link(table, n); */
	/*@ ghost
	    /@ loop invariant 0 <= n <= table->slots && 0 <= retired_below(table, n) && 0 <= used_below(table, n);
	       loop invariant used_below(table, n) + retired_below(table, n) <= n;
	       loop invariant used_below(table, n) == used_below{Pre}(table, n);
	       loop invariant retired_below(table, n) == retired_below{Pre}(table, n);
	       loop assigns n;
	       loop variant table->slots - n; @/
	    for (uint32_t n = 0; n < table->slots; n++)
		    ;
	*/
}

static void release(struct cap_table *table, handle_t handle, struct cap_slot *slot)
{
	forget(table, cap_table_index(handle));
	/*@ assert same_pages{Pre, Here}(table) && others_same{Pre, Here}(table, handle % 65536); */
	put_back(table, cap_table_index(handle), slot);
	/*@ assert same_pages{Pre, Here}(table); */
	/*@ assert others_same{Pre, Here}(table, handle % 65536); */
	count_down(table);
	/*@ assert same_pages{Pre, Here}(table); */
}

void cap_table_init(struct cap_table *table, struct cap_slot **directory)
{
	*table = (struct cap_table){ .page = directory };
}

/* One page of slots more; they are FREE, and in no list yet. */
static void attach_page(struct cap_table *table, struct cap_slot *page)
{
	table->page[table->pages] = page;
	table->pages++;
	table->slots = slots_of_pages(table->pages);
	/*@ assert shape(table); */
	/*@ assert old_slots_same{Pre, Here}(table); */
	/*@ assert \forall integer i; \at(table->slots, Pre) <= i < table->slots ==> is_fresh(slot_of(table, i)); */
	/*@ assert \forall integer n; is_link{Pre}(table, n) ==> is_link(table, n); */
	/*@ ghost
	    /@ loop invariant 0 <= n <= table->slots && 0 <= retired_below(table, n) && 0 <= used_below(table, n);
	       loop invariant used_below(table, n) == used_below{Pre}(table, \min(n, \at(table->slots, Pre)));
	       loop invariant retired_below(table, n) == retired_below{Pre}(table, \min(n, \at(table->slots, Pre)));
	       loop assigns n;
	       loop variant table->slots - n; @/
	    for (uint32_t n = 0; n < table->slots; n++)
		    ;
	*/
}

/* Downwards, so that the lowest index is handed out first. */
static void list_from(struct cap_table *table, uint32_t first)
{
	/*@ loop invariant first <= index <= table->slots && shape(table) && same_pages{Pre, Here}(table);
	    loop invariant slots_fit(table) && list_fits(table);
	    loop invariant \forall integer i; first <= i < table->slots ==>
	      slot_of(table, i)->state == CAP_SLOT_FREE && slot_of(table, i)->generation == 0;
	    loop invariant !(first < table->free_head <= index);
	    loop invariant \forall integer i; 0 <= i < table->slots && slot_of(table, i)->state == CAP_SLOT_FREE ==>
	      !(first < slot_of(table, i)->next_free <= index);
	    loop invariant index < table->slots ==> table->free_head == index + 1;
	    loop invariant \forall integer i; 0 <= i < first ==> same_slot{Pre, Here}(slot_of(table, i));
	    loop invariant same_states{Pre, Here}(table);
	    loop assigns index, table->free_head, table->page[table->pages - 1][0 .. 127].state,
	      table->page[table->pages - 1][0 .. 127].next_free;
	    loop variant index; */
	for (uint32_t index = table->slots; index > first; index--) {
		/*@ assert (index - 1) / 128 == table->pages - 1; */
		/*@ assert slot_of(table, index - 1) == table->page[table->pages - 1] + (index - 1) % 128; */
		push_free(table, index - 1, slot_at(table, index - 1));
	}
	/*@ ghost
	    /@ loop invariant 0 <= n <= table->slots;
	       loop invariant used_below(table, n) == used_below{Pre}(table, n);
	       loop invariant retired_below(table, n) == retired_below{Pre}(table, n);
	       loop assigns n;
	       loop variant table->slots - n; @/
	    for (uint32_t n = 0; n < table->slots; n++)
		    ;
	*/
}

enum status cap_table_add_page(struct cap_table *table, struct cap_slot *page)
{
	const uint32_t first = table->slots;

	GUARD(table->pages < CAP_TABLE_PAGES, STATUS_OVER_CAP_SLOTS);
	attach_page(table, page);
	list_from(table, first);
	return STATUS_OK;
}

bool cap_table_has_free(const struct cap_table *table)
{
	return table->free_head != 0;
}

enum status cap_table_reserve(struct cap_table *table, handle_t *handle)
{
	uint32_t index;

	GUARD(cap_table_has_free(table), STATUS_OVER_CAP_SLOTS);
	index = table->free_head - 1;
	*handle = handle_make(index, (uint16_t)(slot_at(table, index)->generation + 1));
	table->used++;
	/*@ assert same_pages{Pre, Here}(table) && others_same{Pre, Here}(table, -1); */
	/*@ assert table_fits(table); */
	pop_free(table, index);
	/*@ assert others_same{Pre, Here}(table, index); */
	/*@ assert state_is{Pre}(table, index, CAP_SLOT_FREE) && state_is(table, index, CAP_SLOT_RESERVED); */
	/*@ assert slot_of{Pre}(table, index) == slot_of(table, index); */
	/*@ ghost
	    /@ loop invariant 0 <= n <= table->slots && 0 <= retired_below(table, n) && 0 <= used_below(table, n);
	       loop invariant used_below(table, n) + retired_below(table, n) <= n;
	       loop invariant used_below(table, n) == used_below{Pre}(table, n) + (index < n ? 1 : 0);
	       loop invariant retired_below(table, n) == retired_below{Pre}(table, n);
	       loop assigns n;
	       loop variant table->slots - n; @/
	    for (uint32_t n = 0; n < table->slots; n++)
		    ;
	*/
	return STATUS_OK;
}

void cap_table_publish(struct cap_table *table, handle_t handle, const struct cap_hold *hold)
{
	struct cap_slot *slot;

	CHECK(resolves(table, handle, CAP_SLOT_RESERVED));
	slot = slot_at(table, cap_table_index(handle));
	hold_copy(&slot->hold, hold);
	slot->state = CAP_SLOT_LIVE;
	/*@ assert same_pages{Pre, Here}(table) && others_same{Pre, Here}(table, handle % 65536); */
	/*@ assert \forall integer n; is_link{Pre}(table, n) ==> is_link(table, n); */
	/*@ ghost
	    /@ loop invariant 0 <= n <= table->slots && 0 <= retired_below(table, n) && 0 <= used_below(table, n);
	       loop invariant used_below(table, n) + retired_below(table, n) <= n;
	       loop invariant used_below(table, n) == used_below{Pre}(table, n);
	       loop invariant retired_below(table, n) == retired_below{Pre}(table, n);
	       loop assigns n;
	       loop variant table->slots - n; @/
	    for (uint32_t n = 0; n < table->slots; n++)
		    ;
	*/
}

void cap_table_cancel(struct cap_table *table, handle_t handle)
{
	struct cap_slot *slot;

	CHECK(resolves(table, handle, CAP_SLOT_RESERVED));
	slot = slot_at(table, cap_table_index(handle));
	release(table, handle, slot);
}

enum status cap_table_find_interface(const struct cap_table *table, handle_t handle, enum interface_id interface,
				     const struct cap_hold **hold)
{
	const struct cap_hold *found;

	TRY(cap_table_find(table, handle, &found));
	GUARD(found->interface == interface, STATUS_WRONG_INTERFACE);
	*hold = found;
	return STATUS_OK;
}

/* What a slot holds, to somewhere outside of the table. */
static void copy_out(const struct cap_table *table, uint32_t index, struct cap_hold *hold)
{
	/*@ assert \forall integer i; 0 <= i < table->slots ==> \separated(hold, slot_of(table, i)); */
	hold_copy(hold, &slot_at(table, index)->hold);
	/*@ assert same_pages{Pre, Here}(table); */
	/*@ assert others_same{Pre, Here}(table, -1); */
	/*@ assert \forall integer n; is_link{Pre}(table, n) ==> is_link(table, n); */
	/*@ ghost
	    /@ loop invariant 0 <= n <= table->slots && 0 <= retired_below(table, n) && 0 <= used_below(table, n);
	       loop invariant used_below(table, n) + retired_below(table, n) <= n;
	       loop invariant used_below(table, n) == used_below{Pre}(table, n);
	       loop invariant retired_below(table, n) == retired_below{Pre}(table, n);
	       loop assigns n;
	       loop variant table->slots - n; @/
	    for (uint32_t n = 0; n < table->slots; n++)
		    ;
	*/
}

enum status cap_table_remove(struct cap_table *table, handle_t handle, struct cap_hold *hold)
{
	struct cap_slot *slot;

	GUARD(resolves(table, handle, CAP_SLOT_LIVE), STATUS_NO_SUCH_CAPABILITY);
	slot = slot_at(table, cap_table_index(handle));
	copy_out(table, cap_table_index(handle), hold);
	/*@ assert same_pages{Pre, Here}(table) && others_same{Pre, Here}(table, -1); */
	/*@ assert \separated(hold, slot); */
	release(table, handle, slot);
	/*@ assert same_pages{Pre, Here}(table); */
	return STATUS_OK;
}

enum status cap_table_move_begin(struct cap_table *table, handle_t handle, struct cap_hold *hold)
{
	struct cap_slot *slot;

	GUARD(resolves(table, handle, CAP_SLOT_LIVE), STATUS_NO_SUCH_CAPABILITY);
	slot = slot_at(table, cap_table_index(handle));
	GUARD(slot->hold.mode != TRANSFER_NONE, STATUS_NOT_TRANSFERABLE);
	hold_copy(hold, &slot->hold);
	slot->state = CAP_SLOT_MOVING;
	/*@ assert same_pages{Pre, Here}(table) && others_same{Pre, Here}(table, handle % 65536); */
	/*@ assert \forall integer n; is_link{Pre}(table, n) ==> is_link(table, n); */
	/*@ ghost
	    /@ loop invariant 0 <= n <= table->slots && 0 <= retired_below(table, n) && 0 <= used_below(table, n);
	       loop invariant used_below(table, n) + retired_below(table, n) <= n;
	       loop invariant used_below(table, n) == used_below{Pre}(table, n);
	       loop invariant retired_below(table, n) == retired_below{Pre}(table, n);
	       loop assigns n;
	       loop variant table->slots - n; @/
	    for (uint32_t n = 0; n < table->slots; n++)
		    ;
	*/
	return STATUS_OK;
}

void cap_table_move_commit(struct cap_table *table, handle_t handle)
{
	struct cap_slot *slot;

	CHECK(resolves(table, handle, CAP_SLOT_MOVING));
	slot = slot_at(table, cap_table_index(handle));
	release(table, handle, slot);
}

void cap_table_move_abort(struct cap_table *table, handle_t handle)
{
	struct cap_slot *slot;

	CHECK(resolves(table, handle, CAP_SLOT_MOVING));
	slot = slot_at(table, cap_table_index(handle));
	slot->state = CAP_SLOT_LIVE;
	/*@ assert same_pages{Pre, Here}(table) && others_same{Pre, Here}(table, handle % 65536); */
	/*@ assert \forall integer n; is_link{Pre}(table, n) ==> is_link(table, n); */
	/*@ ghost
	    /@ loop invariant 0 <= n <= table->slots && 0 <= retired_below(table, n) && 0 <= used_below(table, n);
	       loop invariant used_below(table, n) + retired_below(table, n) <= n;
	       loop invariant used_below(table, n) == used_below{Pre}(table, n);
	       loop invariant retired_below(table, n) == retired_below{Pre}(table, n);
	       loop assigns n;
	       loop variant table->slots - n; @/
	    for (uint32_t n = 0; n < table->slots; n++)
		    ;
	*/
}

enum status cap_table_next(const struct cap_table *table, uint32_t index, handle_t *handle,
			   const struct cap_hold **hold)
{
	/*@ loop invariant \forall integer i; \at(index, Pre) <= i < index && i < table->slots ==>
	      !state_is(table, i, CAP_SLOT_LIVE);
	    loop invariant index >= \at(index, Pre);
	    loop assigns index;
	    loop variant table->slots - index; */
	for (; index < table->slots; index++) {
		const struct cap_slot *slot = slot_at(table, index);

		if (slot->state == CAP_SLOT_LIVE) {
			*handle = handle_make(index, slot->generation);
			*hold = &slot->hold;
			return STATUS_OK;
		}
	}
	return STATUS_NOT_FOUND;
}

static bool slot_is_used(const struct cap_slot *slot)
{
	return slot->state == CAP_SLOT_RESERVED || slot->state == CAP_SLOT_LIVE || slot->state == CAP_SLOT_MOVING;
}

static bool slot_is_valid(const struct cap_slot *slot)
{
	if (slot->state == CAP_SLOT_FREE)
		return slot->generation < UINT16_MAX;
	if (slot->state == CAP_SLOT_RETIRED)
		return slot->generation == UINT16_MAX;
	return slot_is_used(slot) && slot->generation >= 1;
}

/* Each slot by itself, and the totals. */
static bool slots_are_valid(const struct cap_table *table, uint32_t *free)
{
	uint32_t used = 0, retired = 0;

	for (uint32_t index = 0; index < table->slots; index++) {
		const struct cap_slot *slot = slot_at(table, index);

		if (!slot_is_valid(slot))
			return false;
		used += slot_is_used(slot);
		retired += slot->state == CAP_SLOT_RETIRED;
	}
	*free = table->slots - used - retired;
	return used == table->used && retired == table->retired;
}

/* The free list has exactly `free` links, to FREE slots only: with as many such slots each is in it once. */
static bool free_list_is_valid(const struct cap_table *table, uint32_t free)
{
	uint32_t next = table->free_head;

	for (; free > 0; free--) {
		if (next == 0 || next > table->slots || slot_at(table, next - 1)->state != CAP_SLOT_FREE)
			return false;
		next = slot_at(table, next - 1)->next_free;
	}
	return next == 0;
}

bool cap_table_is_valid(const struct cap_table *table)
{
	uint32_t free;

	if (table->pages > CAP_TABLE_PAGES || table->slots != slots_of_pages(table->pages) ||
	    !slots_are_valid(table, &free))
		return false;
	return free_list_is_valid(table, free);
}
