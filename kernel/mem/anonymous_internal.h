/*
 * Pieces of anonymous.c that demand.c, anonymous_image.c and heap_break.c are made of too. All with the space locked.
 */
#ifndef CAPOS_KERNEL_MEM_ANONYMOUS_INTERNAL_H
#define CAPOS_KERNEL_MEM_ANONYMOUS_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "kernel/mem/account.h"
#include "kernel/mem/page_walk.h"
#include "lib/check.h"

/* A range that was found to be empty: down to whole spans, or to pages. */
extern const struct page_visitor anonymous_plan_empty_shallow, anonymous_plan_empty_deep;

/* Then all of it has frames, of walk->kind with walk->protection. */
extern const struct page_visitor anonymous_publish_fill;

/* For visitors of walks that meet only pages. */
static inline enum status anonymous_span_cannot_be(struct page_walk *walk, const struct page_run *run,
						   struct uaddr_range part)
{
	(void)walk;
	(void)run;
	(void)part;
	CHECK(false && "a deep walk meets no span when it publishes");
	return STATUS_OK;
}

/* Whether a page is of the program's reservations, committed or not. */
static inline bool anonymous_is_own(pte_t entry)
{
	enum page_kind kind = pte_kind(entry);

	if (kind == PAGE_LAZY)
		return pte_kind_when_touched(entry) == PAGE_ANONYMOUS;
	return kind == PAGE_RESERVED || kind == PAGE_ANONYMOUS;
}

/* Fill a range that was found to be empty: pay `charge` and the tables, take `frames` for its pages, publish. */
static inline enum status anonymous_create(struct page_walk *walk, const struct page_visitor *plan,
					   const struct page_visitor *publish, struct charge *charge, uint64_t frames)
{
	walk->pages = frames;
	TRY(page_walk_plan(walk, plan));
	charge_add(charge, LEDGER_PAGE_TABLE, walk->tables);
	TRY(account_charge_and_promise(walk->space->account, charge, frames + walk->tables));
	page_walk_publish(walk, publish);
	page_walk_finish(walk);
	return STATUS_OK;
}

/* anonymous_unmap of the walk's range. */
enum status anonymous_unmap_locked(struct page_walk *walk);

#endif
