#include "kernel/mem/demand.h"

#include "kernel/mem/anonymous_internal.h"
#include "lib/check.h"

/* ---- lazy pages are made ---- */

static enum status leaf_set_lazy(struct page_walk *walk, const struct page_run *run)
{
	const pte_t lazy = pte_lazy(walk->protection, walk->kind == PAGE_IMAGE);

	page_run_fill(run, lazy);
	page_run_added(run, 0);
	return STATUS_OK;
}

static const struct page_visitor publish_lazy = { WALK_DEEP, leaf_set_lazy, anonymous_span_cannot_be };

enum status demand_create(struct page_walk *walk)
{
	struct charge charge = { .kinds = 0 };
	uint64_t pages = uaddr_range_pages(walk->range);

	if (walk->kind == PAGE_IMAGE) {
		charge_add(&charge, LEDGER_IMAGE, pages);
	} else {
		charge_add(&charge, LEDGER_VIRTUAL_RESERVATION, pages);
		charge_add(&charge, LEDGER_FRAME_GRANT, pages);
	}
	return anonymous_create(walk, &anonymous_plan_empty_deep, &publish_lazy, &charge, 0);
}

/* Counts in walk->pages the pages that are only reserved. */
static enum status leaf_count_reserved(struct page_walk *walk, const struct page_run *run)
{
	for (uint64_t i = 0; i < run->count; i++) {
		GUARD(anonymous_is_own(run->entry[i]), STATUS_NOT_RESERVED);
		walk->pages += pte_kind(run->entry[i]) == PAGE_RESERVED;
	}
	return STATUS_OK;
}

static enum status span_count_reserved(struct page_walk *walk, const struct page_run *run, struct uaddr_range part)
{
	GUARD(pte_kind(*run->entry) == PAGE_RESERVED, STATUS_NOT_RESERVED);
	walk->pages += uaddr_range_pages(part);
	return STATUS_OK;
}

static enum status leaf_reserved_to_lazy(struct page_walk *walk, const struct page_run *run)
{
	const pte_t lazy = pte_lazy(walk->protection, false);
	int32_t reserved = 0;

	for (uint64_t i = 0; i < run->count; i++) {
		if (pte_kind(run->entry[i]) != PAGE_RESERVED)
			continue;
		run->entry[i] = lazy;
		reserved++;
	}
	page_table_adjust(run->table, 0, -reserved);
	return STATUS_OK;
}

static const struct page_visitor plan_commit = { WALK_DEEP, leaf_count_reserved, span_count_reserved };
static const struct page_visitor publish_commit = { WALK_DEEP, leaf_reserved_to_lazy, anonymous_span_cannot_be };

enum status demand_commit(struct page_walk *walk)
{
	struct charge charge = { .kinds = 0 };

	TRY(page_walk_plan(walk, &plan_commit));
	charge_add(&charge, LEDGER_FRAME_GRANT, walk->pages);
	charge_add(&charge, LEDGER_PAGE_TABLE, walk->tables);
	TRY(account_charge_and_promise(walk->space->account, &charge, walk->tables));
	page_walk_publish(walk, &publish_commit);
	page_walk_finish(walk);
	return STATUS_OK;
}

/* ---- the stack's room becomes lazy ---- */

static enum status leaf_must_be_room(struct page_walk *walk, const struct page_run *run)
{
	(void)walk;
	for (uint64_t i = 0; i < run->count; i++)
		CHECK(pte_kind(run->entry[i]) == PAGE_GUARD);
	return STATUS_OK;
}

static enum status span_must_be_room(struct page_walk *walk, const struct page_run *run, struct uaddr_range part)
{
	(void)walk;
	(void)part;
	CHECK(pte_kind(*run->entry) == PAGE_GUARD);
	return STATUS_OK;
}

static enum status leaf_room_to_lazy(struct page_walk *walk, const struct page_run *run)
{
	(void)walk;
	page_run_fill(run, pte_lazy(PROTECTION_READ | PROTECTION_WRITE, true));
	page_table_adjust_guards(run->table, -(int32_t)run->count);
	page_table_note(run->table, run->entry, run->count);
	return STATUS_OK;
}

static const struct page_visitor plan_grow = { WALK_DEEP, leaf_must_be_room, span_must_be_room };
static const struct page_visitor publish_grow = { WALK_DEEP, leaf_room_to_lazy, anonymous_span_cannot_be };

/* ---- a touch ---- */

/* What a touch needs. */
struct supply {
	struct address_space *space;
	uint32_t needed; /* PROTECTION_* */
	uint64_t frames; /* pages of the range that have none yet */
	bool grows;      /* the stack does, by the range of `walk` */
	struct page_walk walk;
};

/* The end of the stack's room, which covers `address`. */
static uint64_t end_of_room(const struct address_space *space, uint64_t address)
{
	uint64_t end = uaddr_to_u64(space->areas.stack.end);

	while (address < end) {
		unsigned level;

		if (pte_kind(address_space_entry(space, address, &level)) != PAGE_GUARD)
			return address;
		address = (address & ~(pte_span(level) - 1)) + pte_span(level);
	}
	return end;
}

/* A guard page: good if the stack may grow to it. */
static enum status plan_growth(struct supply *supply, uint64_t address)
{
	struct uaddr_range room = { uaddr_from_u64(address), uaddr_from_u64(address) };

	GUARD(uaddr_range_contains(supply->space->areas.stack, room.start), STATUS_BUFFER_FAULT);
	GUARD((supply->needed & PROTECTION_EXECUTE) == 0, STATUS_BUFFER_FAULT);
	supply->frames++;
	if (supply->grows)
		return STATUS_OK; /* the walk begins at the lowest page of the range, and goes up to the stack's */
	supply->grows = true;
	room.end = uaddr_from_u64(end_of_room(supply->space, address));
	page_walk_begin(&supply->walk, supply->space, room);
	return page_walk_plan(&supply->walk, &plan_grow);
}

static enum status plan_page(struct supply *supply, uint64_t address)
{
	unsigned level;
	pte_t entry = address_space_entry(supply->space, address, &level);

	if (pte_kind(entry) == PAGE_GUARD)
		return plan_growth(supply, address);
	GUARD((pte_protection(entry) & supply->needed) == supply->needed, STATUS_BUFFER_FAULT);
	supply->frames += pte_kind(entry) == PAGE_LAZY;
	return STATUS_OK;
}

static enum status pay(struct supply *supply)
{
	struct charge charge = { .kinds = 0 };

	if (LIKELY(!supply->grows))
		return frame_promise(supply->frames);
	charge_add(&charge, LEDGER_IMAGE, uaddr_range_pages(supply->walk.range));
	charge_add(&charge, LEDGER_PAGE_TABLE, supply->walk.tables);
	return account_charge_and_promise(supply->space->account, &charge, supply->frames + supply->walk.tables);
}

/* Give a page its frame, if it is lazy. */
static void materialise(struct address_space *space, uint64_t address)
{
	pte_t *table = space->root_table;
	enum page_kind kind;
	frame_t frame;
	pte_t *entry;

	for (unsigned level = PTE_LEVELS; level > 1; level--)
		table = page_table_of(table[pte_index(address, level)]);
	entry = &table[pte_index(address, 1)];
	if (pte_kind(*entry) != PAGE_LAZY)
		return;
	kind = pte_kind_when_touched(*entry);
	frame = frame_take_zeroed(kind == PAGE_IMAGE ? FRAME_IMAGE : FRAME_ANONYMOUS, space);
	*entry = pte_page(frame, kind, pte_protection(*entry));
}

enum status demand_supply(struct address_space *space, struct uaddr_range range, uint32_t needed)
{
	struct supply supply = { .space = space, .needed = needed };
	const uint64_t end = uaddr_to_u64(range.end);

	for (uint64_t address = uaddr_to_u64(range.start); address < end; address += PAGE_SIZE)
		TRY(plan_page(&supply, address));
	TRY(pay(&supply));
	if (supply.grows) {
		page_walk_publish(&supply.walk, &publish_grow);
		page_walk_finish(&supply.walk);
	}
	for (uint64_t address = uaddr_to_u64(range.start); address < end; address += PAGE_SIZE)
		materialise(space, address);
	address_space_audit_operation(space, range);
	return STATUS_OK;
}

enum status address_space_touch(struct address_space *space, uint64_t address, uint32_t needed)
{
	struct uaddr_range page;
	enum status status;

	CHECK(needed != PROTECTION_NONE);
	GUARD(address >= USER_START && address < USER_LIMIT, STATUS_BUFFER_FAULT);
	page.start = uaddr_from_u64(address & ~(PAGE_SIZE - 1));
	page.end = uaddr_from_u64(uaddr_to_u64(page.start) + PAGE_SIZE);
	address_space_lock(space, page);
	status = demand_supply(space, page, needed);
	address_space_unlock(space, page);
	if (status == STATUS_BUFFER_FAULT && uaddr_range_contains(space->areas.guard, page.start))
		return STATUS_STACK_OVERFLOW;
	return status;
}
