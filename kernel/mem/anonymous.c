#include "kernel/mem/anonymous.h"

#include "kernel/mem/anonymous_internal.h"
#include "kernel/mem/demand.h"
#include "kernel/mem/page_walk.h"
#include "lib/check.h"

/* The two kinds of a reservation as they stand in an entry: neighbours, so that one comparison tells them from others.
 */
#define KIND_RESERVED ((uint64_t)PAGE_RESERVED << PTE_KIND_SHIFT)
#define KIND_ANONYMOUS ((uint64_t)PAGE_ANONYMOUS << PTE_KIND_SHIFT)
_Static_assert(PAGE_ANONYMOUS == PAGE_RESERVED + 1, "leaf_must_be_own compares a range of kinds");

/* ---- plans: what the change may meet, and what it needs ---- */

/* AND and OR of the entries of a run: two instructions a page tell whether all agree. */
struct entry_summary {
	uint64_t all, some;
};

static inline struct entry_summary summarise(const struct page_run *run)
{
	struct entry_summary summary = { UINT64_MAX, 0 };
	const pte_t *entry = run->entry;
	const pte_t *whole = entry + page_run_strides(run);
	const pte_t *end = entry + run->count;

	for (; entry != whole; entry += PAGE_STRIDE) {
		UNROLLED
		for (unsigned k = 0; k < PAGE_STRIDE; k++) {
			summary.all &= pte_bits(entry[k]);
			summary.some |= pte_bits(entry[k]);
		}
	}
	for (; entry != end; entry++) {
		summary.all &= pte_bits(*entry);
		summary.some |= pte_bits(*entry);
	}
	return summary;
}

static bool all_are(struct entry_summary summary, uint64_t kind)
{
	return (summary.all & PTE_KIND_MASK) == kind && (summary.some & PTE_KIND_MASK) == kind;
}

/* Pages of all kinds of a reservation, or NOT_RESERVED. Counts in walk->pages those that are committed, in walk->lazy
 * those of them that have no frame. */
static enum status count_committed(struct page_walk *walk, const struct page_run *run)
{
	uint64_t kinds = 0;
	uint64_t lazy = 0;

	for (uint64_t i = 0; i < run->count; i++) {
		uint64_t kind = pte_bits(run->entry[i]) & PTE_KIND_MASK;

		if (UNLIKELY(kind - KIND_RESERVED > KIND_ANONYMOUS - KIND_RESERVED)) {
			GUARD(anonymous_is_own(run->entry[i]), STATUS_NOT_RESERVED);
			kind = KIND_ANONYMOUS;
			lazy++;
		}
		kinds += kind;
	}
	walk->pages += (kinds - run->count * KIND_RESERVED) / (KIND_ANONYMOUS - KIND_RESERVED);
	walk->lazy += lazy;
	return STATUS_OK;
}

/* The same for runs that are most often all of one kind. Notes in walk->common what all entries have. */
static inline enum status leaf_must_be_own(struct page_walk *walk, const struct page_run *run)
{
	struct entry_summary summary = summarise(run);

	walk->common &= summary.all;
	if (all_are(summary, KIND_ANONYMOUS)) {
		walk->pages += run->count;
		return STATUS_OK;
	}
	if (all_are(summary, KIND_RESERVED))
		return STATUS_OK;
	return count_committed(walk, run);
}

/* The same for a release, which most often meets a table in which no page has a frame any more. */
static inline enum status leaf_must_be_own_to_go(struct page_walk *walk, const struct page_run *run)
{
	if (page_table_used(run->table) != page_table_reserved(run->table))
		return leaf_must_be_own(walk, run);
	GUARD(page_walk_run_is_reserved(run), STATUS_NOT_RESERVED);
	walk->common = 0;
	return STATUS_OK;
}

static inline enum status span_must_be_reserved(struct page_walk *walk, const struct page_run *run,
						struct uaddr_range part)
{
	(void)part;
	walk->common = 0;
	GUARD(pte_kind(*run->entry) == PAGE_RESERVED, STATUS_NOT_RESERVED);
	return STATUS_OK;
}

/* Counts in walk->pages the pages that are not committed yet. */
static inline enum status leaf_count_uncommitted(struct page_walk *walk, const struct page_run *run)
{
	uint64_t before = walk->pages;

	TRY(leaf_must_be_own(walk, run));
	walk->pages = before + run->count - (walk->pages - before);
	return STATUS_OK;
}

static inline enum status span_count_uncommitted(struct page_walk *walk, const struct page_run *run,
						 struct uaddr_range part)
{
	walk->pages += uaddr_range_pages(part);
	return span_must_be_reserved(walk, run, part);
}

/* Runs whose pages do not all have a frame. */
static __attribute__((noinline)) enum status all_are_lazy_or_not(const struct page_run *run)
{
	enum status status = STATUS_OK;

	for (uint64_t i = 0; i < run->count; i++) {
		GUARD(anonymous_is_own(run->entry[i]), STATUS_NOT_RESERVED);
		if (pte_kind(run->entry[i]) == PAGE_RESERVED)
			status = STATUS_NOT_COMMITTED;
	}
	return status;
}

/* All pages must be committed. */
static inline enum status leaf_must_be_committed(struct page_walk *walk, const struct page_run *run)
{
	struct entry_summary summary = summarise(run);

	walk->common &= summary.all;
	walk->some |= summary.some;
	if (LIKELY(all_are(summary, KIND_ANONYMOUS)))
		return STATUS_OK;
	return all_are_lazy_or_not(run);
}

static inline enum status span_is_not_committed(struct page_walk *walk, const struct page_run *run,
						struct uaddr_range part)
{
	TRY(span_must_be_reserved(walk, run, part));
	return STATUS_NOT_COMMITTED;
}

const struct page_visitor anonymous_plan_empty_shallow = { WALK_SHALLOW, page_walk_leaf_empty, page_walk_span_empty };
const struct page_visitor anonymous_plan_empty_deep = { WALK_DEEP, page_walk_leaf_empty, page_walk_span_empty };
static const struct page_visitor plan_commit = { WALK_DEEP, leaf_count_uncommitted, span_count_uncommitted };
static const struct page_visitor plan_decommit = { WALK_TOP, leaf_must_be_own, span_must_be_reserved };
static const struct page_visitor plan_unmap = { WALK_SHALLOW, leaf_must_be_own_to_go, span_must_be_reserved };
static const struct page_visitor plan_protect = { WALK_TOP, leaf_must_be_committed, span_is_not_committed };

/* ---- publishing ---- */

static inline enum status leaf_set_reserved(struct page_walk *walk, const struct page_run *run)
{
	(void)walk;
	page_run_fill(run, pte_uniform(PAGE_RESERVED));
	page_run_added(run, run->count);
	return STATUS_OK;
}

static inline enum status span_set_reserved(struct page_walk *walk, const struct page_run *run, struct uaddr_range part)
{
	(void)part;
	return leaf_set_reserved(walk, run);
}

static enum frame_use frame_use_for(enum page_kind kind)
{
	if (kind == PAGE_ANONYMOUS)
		return FRAME_ANONYMOUS;
	return kind == PAGE_IMAGE ? FRAME_IMAGE : FRAME_BOOTSTRAP;
}

/* Take the next frames that the walk needs, as many as it can hold. */
static inline uint32_t take_some(struct page_walk *walk)
{
	uint32_t count = walk->pages < FRAME_BATCH ? (uint32_t)walk->pages : FRAME_BATCH;

	CHECK(count != 0);
	walk->pages -= count;
	frame_take_batch(count, frame_use_for(walk->kind), walk->space, walk->frame);
	return count;
}

/* Entries that were empty or reserved get frames; the plan made sure of that, and of the frames. */
static inline __attribute__((always_inline)) enum status leaf_fill(struct page_walk *walk, const struct page_run *run)
{
	const pte_t pattern = pte_page(frame_from_u64(0), walk->kind, walk->protection);
	const uint64_t kind = (uint64_t)walk->kind << PTE_KIND_SHIFT;
	pte_t *end = run->entry + run->count;
	const uint64_t missing = walk->pages + walk->held;
	uint32_t held = walk->held;
	uint64_t replaced = 0; /* sum of the entries that got frames */
	int32_t reserved;

	for (pte_t *entry = run->entry; entry != end; entry++) {
		if ((pte_bits(*entry) & PTE_KIND_MASK) == kind)
			continue;
		if (held == 0)
			held = take_some(walk);
		replaced += pte_bits(*entry);
		*entry = pte_with_frame(pattern, frame_from_u64(walk->frame[--held]));
	}
	walk->held = held;
	reserved = (int32_t)(replaced / KIND_RESERVED);
	page_table_adjust(run->table, (int32_t)(missing - walk->pages - held) - reserved, -reserved);
	if (replaced == 0) /* they were empty */
		page_table_note(run->table, run->entry, run->count);
	return STATUS_OK;
}

/* The same for reserved pages among which there are lazy ones, which keep their protection. */
static enum status leaf_fill_over_lazy(struct page_walk *walk, const struct page_run *run)
{
	int32_t reserved = 0;

	for (uint64_t i = 0; i < run->count; i++) {
		enum page_kind kind = pte_kind(run->entry[i]);
		uint32_t protection = kind == PAGE_LAZY ? pte_protection(run->entry[i]) : walk->protection;

		if (kind == PAGE_ANONYMOUS)
			continue;
		if (walk->held == 0)
			walk->held = take_some(walk);
		reserved += kind == PAGE_RESERVED;
		run->entry[i] = pte_page(frame_from_u64(walk->frame[--walk->held]), PAGE_ANONYMOUS, protection);
	}
	page_table_adjust(run->table, 0, -reserved);
	return STATUS_OK;
}

/* Gather the frames of a run whose pages are all committed and present; leave `left` in all entries. */
static inline void gather_present(struct frame_gather *gather, const struct page_run *run, pte_t left)
{
	struct frame_info *const infos = frame_table; /* read once: a store below might change it, for all C knows */
	pte_t *end = run->entry + run->count;
	uint32_t head = gather->head;

	UNROLLED
	for (pte_t *entry = run->entry; entry != end; entry++) {
		uint64_t number = frame_to_u64(pte_present_frame(*entry));

		*entry = left;
		infos[number].link = head;
		head = (uint32_t)number;
	}
	gather->head = head;
	gather->count += run->count;
}

/* The same whatever the pages are, as long as they are a reservation's. Returns how many were committed. */
static uint64_t gather_committed(struct frame_gather *gather, const struct page_run *run, pte_t left)
{
	uint64_t committed = 0;

	for (uint64_t i = 0; i < run->count; i++) {
		pte_t entry = run->entry[i];

		run->entry[i] = left;
		committed += pte_kind(entry) != PAGE_RESERVED;
		if (pte_kind(entry) == PAGE_ANONYMOUS)
			frame_gather_add(gather, pte_frame(entry), frame_info_of(pte_frame(entry)));
	}
	return committed;
}

/* Take the frame of every page that has one, leave `left` in all entries. Returns how many were committed. */
static inline uint64_t take_frames_away(struct page_walk *walk, const struct page_run *run, pte_t left)
{
	if (walk->pages == 0) { /* the plan met no committed page in the whole range */
		walk->must_flush = false;
		page_run_fill(run, left);
		return 0;
	}
	walk->must_flush = true;
	if (UNLIKELY((walk->common & PTE_PRESENT) == 0))
		return gather_committed(&walk->gather, run, left);
	gather_present(&walk->gather, run, left);
	return run->count;
}

static inline enum status leaf_decommit(struct page_walk *walk, const struct page_run *run)
{
	int32_t committed = (int32_t)take_frames_away(walk, run, pte_uniform(PAGE_RESERVED));

	page_table_adjust(run->table, 0, committed);
	return STATUS_OK;
}

static inline enum status leaf_unmap(struct page_walk *walk, const struct page_run *run)
{
	int32_t committed = (int32_t)take_frames_away(walk, run, pte_uniform(PAGE_EMPTY));

	page_table_adjust(run->table, -(int32_t)run->count, committed - (int32_t)run->count);
	return STATUS_OK;
}

static inline enum status span_keep(struct page_walk *walk, const struct page_run *run, struct uaddr_range part)
{
	(void)walk;
	(void)run;
	(void)part;
	return STATUS_OK;
}

static inline enum status span_unmap(struct page_walk *walk, const struct page_run *run, struct uaddr_range part)
{
	(void)walk;
	(void)part;
	*run->entry = pte_uniform(PAGE_EMPTY);
	page_table_adjust(run->table, -1, -1);
	return STATUS_OK;
}

/* Present pages that all have one protection get another: the same bits change in each entry. */
static inline void change_all(const struct page_run *run, uint64_t changed)
{
	pte_t *entry = run->entry;
	const pte_t *whole = entry + page_run_strides(run);
	pte_t *end = entry + run->count;

	for (; entry != whole; entry += PAGE_STRIDE) {
		UNROLLED
		for (unsigned k = 0; k < PAGE_STRIDE; k++)
			entry[k] = pte_toggle(entry[k], changed);
	}
	for (; entry != end; entry++)
		*entry = pte_toggle(*entry, changed);
}

/* Pages that are present or not, and of any protection, get another. */
static __attribute__((noinline)) void change_each(const struct page_run *run, uint32_t protection)
{
	for (uint64_t i = 0; i < run->count; i++) {
		if (pte_kind(run->entry[i]) == PAGE_LAZY)
			run->entry[i] = pte_lazy(protection, false);
		else
			run->entry[i] = pte_page(pte_frame(run->entry[i]), PAGE_ANONYMOUS, protection);
	}
}

/* The same frames with another protection. */
static inline enum status leaf_protect(struct page_walk *walk, const struct page_run *run)
{
	const uint64_t bits = PTE_PRESENT | PTE_USER | PTE_WRITE | PTE_NO_EXECUTE;

	walk->must_flush = true;
	if (LIKELY(walk->protection != PROTECTION_NONE && (walk->common & PTE_PRESENT) != 0 &&
		   ((walk->common ^ walk->some) & bits) == 0))
		change_all(run, (walk->common & bits) ^ pte_protection_bits(walk->protection));
	else
		change_each(run, walk->protection);
	return STATUS_OK;
}

static const struct page_visitor publish_reserved = { WALK_SHALLOW, leaf_set_reserved, span_set_reserved };
const struct page_visitor anonymous_publish_fill = { WALK_DEEP, leaf_fill, anonymous_span_cannot_be };
static const struct page_visitor publish_fill_over_lazy = { WALK_DEEP, leaf_fill_over_lazy, anonymous_span_cannot_be };
static const struct page_visitor publish_decommit = { WALK_TOP, leaf_decommit, span_keep };
static const struct page_visitor publish_unmap = { WALK_SHALLOW, leaf_unmap, span_unmap };
static const struct page_visitor publish_protect = { WALK_TOP, leaf_protect, anonymous_span_cannot_be };

/* ---- the operations; charge, take, publish ---- */

enum status anonymous_reserve(struct address_space *space, const struct placement *placement, struct uaddr_range *range)
{
	struct charge charge = { .kinds = 0 };
	struct page_walk walk;
	enum status status;

	TRY(page_placement_lock(space, placement, &walk));
	*range = walk.range;
	charge_add(&charge, LEDGER_VIRTUAL_RESERVATION, uaddr_range_pages(walk.range));
	status = anonymous_create(&walk, &anonymous_plan_empty_shallow, &publish_reserved, &charge, 0);
	page_placement_unlock(&walk, placement);
	return status;
}

enum status anonymous_map(struct address_space *space, const struct placement *placement, uint32_t protection,
			  struct uaddr_range *range)
{
	struct charge charge = { .kinds = 0 };
	struct page_walk walk;
	enum status status;
	uint64_t pages;

	TRY(page_placement_lock(space, placement, &walk));
	*range = walk.range;
	pages = uaddr_range_pages(walk.range);
	walk.kind = PAGE_ANONYMOUS;
	walk.protection = protection;
	charge_add(&charge, LEDGER_VIRTUAL_RESERVATION, pages);
	charge_add(&charge, LEDGER_FRAME_GRANT, pages);
	status = anonymous_create(&walk, &anonymous_plan_empty_deep, &anonymous_publish_fill, &charge, pages);
	page_placement_unlock(&walk, placement);
	return status;
}

enum status anonymous_map_lazy(struct address_space *space, const struct placement *placement, uint32_t protection,
			       struct uaddr_range *range)
{
	struct page_walk walk;
	enum status status;

	TRY(page_placement_lock(space, placement, &walk));
	*range = walk.range;
	walk.kind = PAGE_ANONYMOUS;
	walk.protection = protection;
	status = demand_create(&walk);
	page_placement_unlock(&walk, placement);
	return status;
}

/* What is left of a commit, where some pages are lazy: these are charged already. */
static __attribute__((noinline)) enum status commit_over_lazy(struct page_walk *walk)
{
	struct charge charge = { .kinds = 0 };

	charge_add(&charge, LEDGER_FRAME_GRANT, walk->pages);
	charge_add(&charge, LEDGER_PAGE_TABLE, walk->tables);
	walk->pages += walk->lazy;
	TRY(account_charge_and_promise(walk->space->account, &charge, walk->pages + walk->tables));
	page_walk_publish(walk, &publish_fill_over_lazy);
	page_walk_finish(walk);
	return STATUS_OK;
}

static inline enum status commit_locked(struct page_walk *walk)
{
	struct charge charge = { .kinds = 0 };

	TRY(page_walk_plan(walk, &plan_commit));
	if (UNLIKELY(walk->lazy != 0))
		return commit_over_lazy(walk);
	charge_add(&charge, LEDGER_FRAME_GRANT, walk->pages);
	charge_add(&charge, LEDGER_PAGE_TABLE, walk->tables);
	TRY(account_charge_and_promise(walk->space->account, &charge, walk->pages + walk->tables));
	page_walk_publish(walk, &anonymous_publish_fill);
	page_walk_finish(walk);
	return STATUS_OK;
}

enum status anonymous_commit(struct address_space *space, struct uaddr_range range, uint32_t protection)
{
	struct page_walk walk;
	enum status status;

	address_space_lock(space, range);
	page_walk_begin(&walk, space, range);
	walk.kind = PAGE_ANONYMOUS;
	walk.protection = protection;
	status = commit_locked(&walk);
	address_space_unlock(space, range);
	return status;
}

enum status anonymous_commit_lazy(struct address_space *space, struct uaddr_range range, uint32_t protection)
{
	struct page_walk walk;
	enum status status;

	address_space_lock(space, range);
	page_walk_begin(&walk, space, range);
	walk.protection = protection;
	status = demand_commit(&walk);
	address_space_unlock(space, range);
	return status;
}

static inline enum status decommit_locked(struct page_walk *walk)
{
	struct charge refund = { .kinds = 0 };

	TRY(page_walk_plan(walk, &plan_decommit));
	if (walk->pages == 0)
		return STATUS_OK;
	page_walk_publish(walk, &publish_decommit);
	address_space_pages_gone(walk->space, walk->range);
	charge_add(&refund, LEDGER_FRAME_GRANT, walk->pages);
	page_walk_finish_refund(walk, &refund);
	return STATUS_OK;
}

enum status anonymous_decommit(struct address_space *space, struct uaddr_range range)
{
	struct page_walk walk;
	enum status status;

	address_space_lock(space, range);
	page_walk_begin(&walk, space, range);
	status = decommit_locked(&walk);
	address_space_unlock(space, range);
	return status;
}

static inline enum status protect_locked(struct page_walk *walk)
{
	TRY(page_walk_plan(walk, &plan_protect));
	page_walk_publish(walk, &publish_protect);
	page_walk_finish(walk);
	return STATUS_OK;
}

enum status anonymous_protect(struct address_space *space, struct uaddr_range range, uint32_t protection)
{
	struct page_walk walk;
	enum status status;

	address_space_lock(space, range);
	page_walk_begin(&walk, space, range);
	walk.protection = protection;
	walk.some = 0;
	status = protect_locked(&walk);
	address_space_unlock(space, range);
	return status;
}

static inline enum status unmap_locked(struct page_walk *walk)
{
	struct charge charge = { .kinds = 0 };
	struct charge refund = { .kinds = 0 };

	TRY(page_walk_plan(walk, &plan_unmap));
	if (UNLIKELY(walk->tables != 0)) { /* a hole in a large reservation */
		charge_add(&charge, LEDGER_PAGE_TABLE, walk->tables);
		TRY(account_charge_and_promise(walk->space->account, &charge, walk->tables));
	}
	page_walk_publish(walk, &publish_unmap);
	address_space_pages_gone(walk->space, walk->range);
	page_gap_opened(walk->space, walk->range);
	charge_add(&refund, LEDGER_VIRTUAL_RESERVATION, uaddr_range_pages(walk->range));
	charge_add(&refund, LEDGER_FRAME_GRANT, walk->pages);
	page_walk_finish_refund(walk, &refund);
	return STATUS_OK;
}

enum status anonymous_unmap(struct address_space *space, struct uaddr_range range)
{
	struct page_walk walk;
	enum status status;

	address_space_lock(space, range);
	page_walk_begin(&walk, space, range);
	status = unmap_locked(&walk);
	address_space_unlock(space, range);
	return status;
}

enum status anonymous_unmap_locked(struct page_walk *walk)
{
	return unmap_locked(walk);
}
