#include "kernel/mem/borrowed.h"

#include <stddef.h>

#include "kernel/mem/page_walk.h"
#include "lib/check.h"

/* "Backed by the same object" is one comparison with the frame's owner. */
static enum status leaf_must_be_borrowed(struct page_walk *walk, const struct page_run *run)
{
	uint64_t owner = frame_owner_word(FRAME_OBJECT, walk->object);

	for (uint64_t i = 0; i < run->count; i++) {
		const struct frame_info *info;

		GUARD(pte_kind(run->entry[i]) == PAGE_BORROWED, STATUS_NOT_BORROWED);
		info = frame_info_of(pte_frame(run->entry[i]));
		GUARD(info->owner == owner, STATUS_OTHER_OBJECT);
		GUARD(info->link - walk->object_page < walk->object_pages, STATUS_NOT_PERMITTED);
	}
	return STATUS_OK;
}

static enum status span_is_not_borrowed(struct page_walk *walk, const struct page_run *run, struct uaddr_range part)
{
	(void)walk;
	(void)run;
	(void)part;
	return STATUS_NOT_BORROWED;
}

static enum status span_cannot_be(struct page_walk *walk, const struct page_run *run, struct uaddr_range part)
{
	(void)walk;
	(void)run;
	(void)part;
	CHECK(false && "the plan allowed no span");
	return STATUS_OK;
}

static void map_row(pte_t *entry, uint64_t count, const uint64_t *number, frame_t first, pte_t pattern)
{
	struct frame_info *const infos = frame_table; /* read once: a store below might change it, for all C knows */
	pte_t *end = entry + count;

	if (number == NULL) {
		for (uint64_t frame = frame_to_u64(first); entry != end; entry++, frame++) {
			infos[frame].count++;
			*entry = pte_with_frame(pattern, frame_from_u64(frame));
		}
		return;
	}
	for (; entry != end; entry++, number++) {
		infos[*number].count++;
		*entry = pte_with_frame(pattern, frame_from_u64(*number));
	}
}

/* A leaf table at a time under the object's lock: others need it, too. */
static enum status leaf_map(struct page_walk *walk, const struct page_run *run)
{
	pte_t pattern = pte_page(frame_from_u64(0), PAGE_BORROWED, walk->protection);

	spinlock_acquire(&walk->object->lock);
	for (uint64_t done = 0; done < run->count;) {
		const uint64_t *number;
		frame_t first;
		uint64_t row = memory_object_row(walk->object, walk->object_page, &number, &first);

		if (row > run->count - done)
			row = run->count - done;
		map_row(run->entry + done, row, number, first, pattern);
		walk->object_page += row;
		done += row;
	}
	spinlock_release(&walk->object->lock);
	page_run_added(run, 0);
	return STATUS_OK;
}

static enum status leaf_unmap(struct page_walk *walk, const struct page_run *run)
{
	struct frame_info *const infos = frame_table; /* as in map_row */
	pte_t *end = run->entry + run->count;

	spinlock_acquire(&walk->object->lock);
	for (pte_t *entry = run->entry; entry != end; entry++) {
		infos[frame_to_u64(pte_frame(*entry))].count--;
		*entry = pte_uniform(PAGE_EMPTY);
	}
	spinlock_release(&walk->object->lock);
	page_table_adjust(run->table, -(int32_t)run->count, 0);
	walk->must_flush = true;
	return STATUS_OK;
}

static enum status leaf_protect(struct page_walk *walk, const struct page_run *run)
{
	for (uint64_t i = 0; i < run->count; i++)
		run->entry[i] = pte_page(pte_frame(run->entry[i]), PAGE_BORROWED, walk->protection);
	walk->must_flush = true;
	return STATUS_OK;
}

static const struct page_visitor plan_map = { WALK_DEEP, page_walk_leaf_empty, page_walk_span_empty };
static const struct page_visitor plan_change = { WALK_TOP, leaf_must_be_borrowed, span_is_not_borrowed };
static const struct page_visitor publish_map = { WALK_DEEP, leaf_map, span_cannot_be };
static const struct page_visitor publish_unmap = { WALK_TOP, leaf_unmap, span_cannot_be };
static const struct page_visitor publish_protect = { WALK_TOP, leaf_protect, span_cannot_be };

static enum status map_locked(struct page_walk *walk)
{
	uint64_t pages = uaddr_range_pages(walk->range);
	struct charge charge = { .kinds = 0 };
	enum status status;

	TRY(page_walk_plan(walk, &plan_map));
	TRY(memory_object_add_mappings(walk->object, pages));
	charge_add(&charge, LEDGER_FRAME_GRANT, pages);
	charge_add(&charge, LEDGER_PAGE_TABLE, walk->tables);
	status = account_charge_and_promise(walk->space->account, &charge, walk->tables);
	if (status != STATUS_OK) {
		memory_object_drop_mappings(walk->object, pages);
		return status;
	}
	page_walk_publish(walk, &publish_map);
	page_walk_finish(walk);
	return STATUS_OK;
}

enum status borrowed_map(struct address_space *space, struct memory_object *object, const struct placement *placement,
			 uint64_t first_page, uint32_t protection, struct uaddr_range *range)
{
	struct page_walk walk;
	enum status status;
	uint64_t pages;

	TRY(page_count_of_length(placement->length, &pages));
	GUARD(first_page <= object->pages && pages <= object->pages - first_page, STATUS_BEYOND_OBJECT);
	TRY(page_placement_lock(space, placement, &walk));
	*range = walk.range;
	walk.object = object;
	walk.object_page = first_page;
	walk.kind = PAGE_BORROWED;
	walk.protection = protection;
	status = map_locked(&walk);
	page_placement_unlock(&walk, placement);
	return status;
}

/* Frames live on while the caller's use of the object does, which is longer than the flush. */
static enum status unmap_locked(struct page_walk *walk)
{
	uint64_t pages = uaddr_range_pages(walk->range);
	struct charge refund = { .kinds = 0 };

	TRY(page_walk_plan(walk, &plan_change));
	page_walk_publish(walk, &publish_unmap);
	memory_object_drop_mappings(walk->object, pages);
	address_space_pages_gone(walk->space, walk->range);
	page_gap_opened(walk->space, walk->range);
	charge_add(&refund, LEDGER_FRAME_GRANT, pages);
	page_walk_finish_refund(walk, &refund);
	return STATUS_OK;
}

static void set_window(struct page_walk *walk, struct memory_object *object, const struct memory_window *window)
{
	walk->object = object;
	walk->object_page = window->first;
	walk->object_pages = window->pages;
}

enum status borrowed_unmap(struct address_space *space, struct memory_object *object,
			   const struct memory_window *window, struct uaddr_range range)
{
	struct page_walk walk;
	enum status status;

	address_space_lock(space, range);
	page_walk_begin(&walk, space, range);
	set_window(&walk, object, window);
	status = unmap_locked(&walk);
	address_space_unlock(space, range);
	return status;
}

static enum status protect_locked(struct page_walk *walk)
{
	TRY(page_walk_plan(walk, &plan_change));
	page_walk_publish(walk, &publish_protect);
	page_walk_finish(walk);
	return STATUS_OK;
}

enum status borrowed_protect(struct address_space *space, struct memory_object *object,
			     const struct memory_window *window, struct uaddr_range range, uint32_t protection)
{
	struct page_walk walk;
	enum status status;

	GUARD((protection & PROTECTION_WRITE) == 0 || !window->is_read_only, STATUS_NOT_PERMITTED);
	address_space_lock(space, range);
	page_walk_begin(&walk, space, range);
	set_window(&walk, object, window);
	walk.protection = protection;
	status = protect_locked(&walk);
	address_space_unlock(space, range);
	return status;
}
