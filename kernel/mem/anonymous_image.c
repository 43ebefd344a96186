/* Pages of the program loader: image, guards, the first thread's stack. They are declared in anonymous.h. */
#include "kernel/mem/anonymous.h"
#include "kernel/mem/anonymous_internal.h"
#include "kernel/mem/demand.h"
#include "kernel/mem/page_walk.h"
#include "lib/check.h"

#define READ_WRITE (PROTECTION_READ | PROTECTION_WRITE)

static enum status map_image_locked(struct page_walk *walk)
{
	struct charge charge = { .kinds = 0 };
	uint64_t pages = uaddr_range_pages(walk->range);

	GUARD(!page_gap_is_used(walk), STATUS_OCCUPIED);
	charge_add(&charge, LEDGER_IMAGE, pages);
	return anonymous_create(walk, &anonymous_plan_empty_deep, &anonymous_publish_fill, &charge, pages);
}

enum status anonymous_map_image(struct address_space *space, struct uaddr_range range, enum page_kind kind,
				uint32_t protection)
{
	struct page_walk walk;
	enum status status;

	address_space_lock(space, range);
	page_walk_begin(&walk, space, range);
	walk.kind = kind;
	walk.protection = protection;
	status = map_image_locked(&walk);
	address_space_unlock(space, range);
	return status;
}

static enum status map_image_lazy_locked(struct page_walk *walk)
{
	GUARD(!page_gap_is_used(walk), STATUS_OCCUPIED);
	return demand_create(walk);
}

enum status anonymous_map_image_lazy(struct address_space *space, struct uaddr_range range, uint32_t protection)
{
	struct page_walk walk;
	enum status status;

	address_space_lock(space, range);
	page_walk_begin(&walk, space, range);
	walk.kind = PAGE_IMAGE;
	walk.protection = protection;
	status = map_image_lazy_locked(&walk);
	address_space_unlock(space, range);
	return status;
}

static enum status leaf_set_guard(struct page_walk *walk, const struct page_run *run)
{
	(void)walk;
	page_run_fill(run, pte_uniform(PAGE_GUARD));
	page_table_adjust(run->table, (int32_t)run->count, 0);
	page_table_adjust_guards(run->table, (int32_t)run->count);
	return STATUS_OK;
}

static enum status span_set_guard(struct page_walk *walk, const struct page_run *run, struct uaddr_range part)
{
	(void)part;
	return leaf_set_guard(walk, run);
}

static const struct page_visitor publish_guard = { WALK_SHALLOW, leaf_set_guard, span_set_guard };

static enum status map_guard_locked(struct page_walk *walk)
{
	struct charge charge = { .kinds = 0 };

	GUARD(!page_gap_is_used(walk), STATUS_OCCUPIED);
	return anonymous_create(walk, &anonymous_plan_empty_shallow, &publish_guard, &charge, 0);
}

enum status anonymous_map_guard(struct address_space *space, struct uaddr_range range)
{
	struct page_walk walk;
	enum status status;

	address_space_lock(space, range);
	page_walk_begin(&walk, space, range);
	status = map_guard_locked(&walk);
	address_space_unlock(space, range);
	return status;
}

/* ---- a stack: two walks that meet at `middle`, paid at once ---- */

/* Tables that both walks count, because `middle` lies inside of what they will cover. */
static uint64_t shared_tables(const struct address_space *space, uint64_t middle)
{
	uint64_t shared = 0;
	unsigned missing; /* the level of the entry that is no table yet; 1: none is missing */

	(void)address_space_entry(space, middle, &missing);
	for (unsigned level = 2; level <= missing; level++)
		shared += (middle & (pte_span(level) - 1)) != 0;
	return shared;
}

static enum status plan_part(struct page_walk *walk, struct address_space *space, struct uaddr_range range,
			     const struct page_visitor *plan)
{
	page_walk_begin(walk, space, range);
	GUARD(!page_gap_is_used(walk), STATUS_OCCUPIED);
	return page_walk_plan(walk, plan);
}

static enum status map_stack_locked(struct address_space *space, struct uaddr_range room, struct uaddr_range top)
{
	struct charge charge = { .kinds = 0 };
	uint64_t pages = uaddr_range_pages(top);
	struct page_walk low;
	struct page_walk high;
	uint64_t tables;

	TRY(plan_part(&low, space, room, &anonymous_plan_empty_shallow));
	TRY(plan_part(&high, space, top, &anonymous_plan_empty_deep));
	tables = low.tables + high.tables - shared_tables(space, uaddr_to_u64(top.start));
	charge_add(&charge, LEDGER_IMAGE, pages);
	charge_add(&charge, LEDGER_PAGE_TABLE, tables);
	TRY(account_charge_and_promise(space->account, &charge, pages + tables));
	page_walk_publish(&low, &publish_guard);
	page_walk_finish(&low);
	CHECK(plan_part(&high, space, top, &anonymous_plan_empty_deep) == STATUS_OK);
	CHECK(low.tables + high.tables == tables); /* it met those that both walks had counted */
	high.kind = PAGE_IMAGE;
	high.protection = READ_WRITE;
	high.pages = pages;
	page_walk_publish(&high, &anonymous_publish_fill);
	page_walk_finish(&high);
	return STATUS_OK;
}

enum status anonymous_map_stack(struct address_space *space, const struct space_areas *areas, uint64_t committed_pages)
{
	struct uaddr_range whole = { areas->guard.start, areas->stack.end };
	uint64_t middle = uaddr_to_u64(areas->stack.end) - committed_pages * PAGE_SIZE;
	enum status status;

	CHECK(address_space_areas_are_valid(areas) && committed_pages != 0 &&
	      committed_pages <= uaddr_range_pages(areas->stack));
	address_space_lock(space, whole);
	status = map_stack_locked(space, (struct uaddr_range){ areas->guard.start, uaddr_from_u64(middle) },
				  (struct uaddr_range){ uaddr_from_u64(middle), areas->stack.end });
	address_space_unlock(space, whole);
	return status;
}
