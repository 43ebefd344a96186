#include "kernel/mem/anonymous.h"

#include "kernel/mem/page_walk.h"
#include "lib/check.h"

/* Kind bits of entries that may be met, as a set. */
#define KIND_SET(kind) (1u << (kind))
#define OWN_RESERVATION (KIND_SET(PAGE_RESERVED) | KIND_SET(PAGE_ANONYMOUS))

/* The two kinds of a reservation as they stand in an entry: neighbours, so that one comparison tells them from others.
 */
#define KIND_RESERVED ((uint64_t)PAGE_RESERVED << PTE_KIND_SHIFT)
#define KIND_ANONYMOUS ((uint64_t)PAGE_ANONYMOUS << PTE_KIND_SHIFT)
_Static_assert(PAGE_ANONYMOUS == PAGE_RESERVED + 1, "leaf_must_be_own compares a range of kinds");

/* Entries that a loop takes at a time where an operation on a page costs only a few instructions. */
#define STRIDE 8u

/* ---- plans: what the change may meet, and what it needs ---- */

/* AND and OR of the entries of a run: two instructions a page tell whether all agree. */
struct entry_summary {
	uint64_t all, some;
};

static struct entry_summary summarise(const struct page_run *run)
{
	struct entry_summary summary = { UINT64_MAX, 0 };
	uint32_t i = 0;

	for (; i + STRIDE <= run->count; i += STRIDE) {
		UNROLLED
		for (uint32_t k = 0; k < STRIDE; k++) {
			summary.all &= pte_bits(run->entry[i + k]);
			summary.some |= pte_bits(run->entry[i + k]);
		}
	}
	for (; i < run->count; i++) {
		summary.all &= pte_bits(run->entry[i]);
		summary.some |= pte_bits(run->entry[i]);
	}
	return summary;
}

static bool all_are(struct entry_summary summary, uint64_t kind)
{
	return (summary.all & PTE_KIND_MASK) == kind && (summary.some & PTE_KIND_MASK) == kind;
}

/* Counts in walk->pages the pages that have a frame. */
static enum status leaf_must_be_own(struct page_walk *walk, const struct page_run *run)
{
	struct entry_summary summary;
	uint64_t kinds = 0;

	if (page_table_reserved(run->table) == PTE_ENTRIES)
		return STATUS_OK;
	summary = summarise(run);
	if (all_are(summary, KIND_RESERVED))
		return STATUS_OK;
	if (all_are(summary, KIND_ANONYMOUS)) {
		walk->pages += run->count;
		return STATUS_OK;
	}
	for (uint32_t i = 0; i < run->count; i++) {
		uint64_t kind = pte_bits(run->entry[i]) & PTE_KIND_MASK;

		GUARD(kind - KIND_RESERVED <= KIND_ANONYMOUS - KIND_RESERVED, STATUS_NOT_RESERVED);
		kinds += kind;
	}
	walk->pages += (kinds - run->count * KIND_RESERVED) / (KIND_ANONYMOUS - KIND_RESERVED);
	return STATUS_OK;
}

static enum status span_must_be_reserved(struct page_walk *walk, const struct page_run *run, struct uaddr_range part)
{
	(void)walk;
	(void)part;
	GUARD(pte_kind(*run->entry) == PAGE_RESERVED, STATUS_NOT_RESERVED);
	return STATUS_OK;
}

/* Counts in walk->pages the pages that have no frame yet. */
static enum status leaf_count_uncommitted(struct page_walk *walk, const struct page_run *run)
{
	uint64_t committed = walk->pages;

	TRY(leaf_must_be_own(walk, run));
	committed = walk->pages - committed;
	walk->pages += run->count - committed - committed;
	return STATUS_OK;
}

static enum status span_count_uncommitted(struct page_walk *walk, const struct page_run *run, struct uaddr_range part)
{
	walk->pages += uaddr_range_pages(part);
	return span_must_be_reserved(walk, run, part);
}

/* All pages must have a frame. */
static enum status leaf_must_be_committed(struct page_walk *walk, const struct page_run *run)
{
	struct entry_summary summary = summarise(run);

	walk->pages += run->count;
	walk->all_present = walk->all_present && (summary.all & PTE_PRESENT) != 0;
	if (LIKELY(all_are(summary, KIND_ANONYMOUS)))
		return STATUS_OK;
	for (uint32_t i = 0; i < run->count; i++)
		GUARD((KIND_SET(pte_kind(run->entry[i])) & OWN_RESERVATION) != 0, STATUS_NOT_RESERVED);
	return STATUS_NOT_COMMITTED;
}

static enum status span_is_not_committed(struct page_walk *walk, const struct page_run *run, struct uaddr_range part)
{
	TRY(span_must_be_reserved(walk, run, part));
	return STATUS_NOT_COMMITTED;
}

static const struct page_visitor plan_empty_shallow = { WALK_SHALLOW, page_walk_leaf_empty, page_walk_span_empty };
static const struct page_visitor plan_empty_deep = { WALK_DEEP, page_walk_leaf_empty, page_walk_span_empty };
static const struct page_visitor plan_commit = { WALK_DEEP, leaf_count_uncommitted, span_count_uncommitted };
static const struct page_visitor plan_decommit = { WALK_TOP, leaf_must_be_own, span_must_be_reserved };
static const struct page_visitor plan_unmap = { WALK_SHALLOW, leaf_must_be_own, span_must_be_reserved };
static const struct page_visitor plan_protect = { WALK_TOP, leaf_must_be_committed, span_is_not_committed };

/* ---- publishing ---- */

static void fill(const struct page_run *run, pte_t entry)
{
	pte_t *entries = run->entry; /* not through the pointer, which a store may change for all the compiler knows */
	uint32_t count = run->count;
	uint32_t i = 0;

	for (; i + STRIDE <= count; i += STRIDE) {
		UNROLLED
		for (uint32_t k = 0; k < STRIDE; k++)
			entries[i + k] = entry;
	}
	for (; i < count; i++)
		entries[i] = entry;
}

static enum status leaf_set_uniform(struct page_walk *walk, const struct page_run *run)
{
	fill(run, pte_uniform(walk->kind));
	page_table_adjust(run->table, (int32_t)run->count, walk->kind == PAGE_RESERVED ? (int32_t)run->count : 0);
	return STATUS_OK;
}

static enum status span_set_uniform(struct page_walk *walk, const struct page_run *run, struct uaddr_range part)
{
	(void)part;
	return leaf_set_uniform(walk, run);
}

static enum frame_use frame_use_for(enum page_kind kind)
{
	if (kind == PAGE_ANONYMOUS)
		return FRAME_ANONYMOUS;
	return kind == PAGE_IMAGE ? FRAME_IMAGE : FRAME_BOOTSTRAP;
}

/* Entries that were empty or reserved get frames; the plan made sure of that, and of the frames. */
static enum status leaf_fill(struct page_walk *walk, const struct page_run *run)
{
	pte_t *entries = run->entry;
	uint32_t count = run->count;
	enum frame_use use = frame_use_for(walk->kind);
	int32_t used = 0;
	int32_t reserved = 0;

	for (uint32_t i = 0; i < count; i++) {
		pte_t old = entries[i];

		if (pte_kind(old) == walk->kind)
			continue;
		entries[i] = pte_page(frame_take_zeroed(use, walk->space), walk->kind, walk->protection);
		used += pte_is_empty(old);
		reserved += !pte_is_empty(old);
	}
	page_table_adjust(run->table, used, -reserved);
	return STATUS_OK;
}

static enum status span_cannot_be(struct page_walk *walk, const struct page_run *run, struct uaddr_range part)
{
	(void)walk;
	(void)run;
	(void)part;
	CHECK(false && "a deep walk meets no span when it publishes");
	return STATUS_OK;
}

/* Take the frame of every committed page, leave `left` in all entries. Returns how many there were. */
static uint32_t take_frames_away(struct page_walk *walk, const struct page_run *run, pte_t left)
{
	pte_t *entries = run->entry;
	uint32_t count = run->count;
	struct frame_gather gather = walk->gather; /* in registers for the loop */
	uint32_t frames;

	if (walk->pages == 0) { /* the plan met no frame in the whole range */
		fill(run, left);
		return 0;
	}
	for (uint32_t i = 0; i < count; i++) {
		pte_t entry = entries[i];
		frame_t frame;

		entries[i] = left;
		if (pte_kind(entry) != PAGE_ANONYMOUS)
			continue;
		frame = pte_frame(entry);
		frame_gather_add(&gather, frame, frame_info_of(frame));
	}
	frames = (uint32_t)(gather.count - walk->gather.count);
	walk->gather = gather;
	walk->must_flush = walk->must_flush || frames != 0;
	return frames;
}

static enum status leaf_decommit(struct page_walk *walk, const struct page_run *run)
{
	int32_t frames = (int32_t)take_frames_away(walk, run, pte_uniform(PAGE_RESERVED));

	page_table_adjust(run->table, 0, frames);
	return STATUS_OK;
}

static enum status leaf_unmap(struct page_walk *walk, const struct page_run *run)
{
	int32_t frames = (int32_t)take_frames_away(walk, run, pte_uniform(PAGE_EMPTY));

	page_table_adjust(run->table, -(int32_t)run->count, frames - (int32_t)run->count);
	return STATUS_OK;
}

static enum status span_keep(struct page_walk *walk, const struct page_run *run, struct uaddr_range part)
{
	(void)walk;
	(void)run;
	(void)part;
	return STATUS_OK;
}

static enum status span_unmap(struct page_walk *walk, const struct page_run *run, struct uaddr_range part)
{
	(void)walk;
	(void)part;
	*run->entry = pte_uniform(PAGE_EMPTY);
	page_table_adjust(run->table, -1, -1);
	return STATUS_OK;
}

/* The same frames with another protection; entries that are all present take the short way. */
static enum status leaf_protect(struct page_walk *walk, const struct page_run *run)
{
	pte_t *entries = run->entry;
	uint32_t count = run->count;
	uint64_t remove = PTE_WRITE | PTE_NO_EXECUTE;
	uint64_t add = pte_protection_bits(walk->protection);
	uint32_t i = 0;

	walk->must_flush = true;
	if (walk->protection == PROTECTION_NONE || !walk->all_present) {
		for (; i < count; i++)
			entries[i] = pte_page(pte_frame(entries[i]), PAGE_ANONYMOUS, walk->protection);
		return STATUS_OK;
	}
	for (; i + STRIDE <= count; i += STRIDE) {
		UNROLLED
		for (uint32_t k = 0; k < STRIDE; k++)
			entries[i + k] = pte_change(entries[i + k], remove, add);
	}
	for (; i < count; i++)
		entries[i] = pte_change(entries[i], remove, add);
	return STATUS_OK;
}

static const struct page_visitor publish_reserve = { WALK_SHALLOW, leaf_set_uniform, span_set_uniform };
static const struct page_visitor publish_fill = { WALK_DEEP, leaf_fill, span_cannot_be };
static const struct page_visitor publish_decommit = { WALK_TOP, leaf_decommit, span_keep };
static const struct page_visitor publish_unmap = { WALK_SHALLOW, leaf_unmap, span_unmap };
static const struct page_visitor publish_protect = { WALK_TOP, leaf_protect, span_cannot_be };

/* ---- the operations; charge, take, publish ---- */

/* Everything that can fail between plan and publish: ledgers, then frames. */
static enum status charge_and_promise(struct page_walk *walk, struct charge *charge, uint64_t frames)
{
	charge_add(charge, LEDGER_PAGE_TABLE, walk->tables);
	if (charge->kinds == 0 && frames + walk->tables == 0)
		return STATUS_OK;
	return account_charge_and_promise(walk->space->account, charge, frames + walk->tables);
}

/* A new range: plan it empty, pay, fill it. Locked. */
static enum status create_pages(struct page_walk *walk, const struct page_visitor *plan,
				const struct page_visitor *publish, struct charge *charge, bool with_frames)
{
	TRY(page_walk_plan(walk, plan));
	TRY(charge_and_promise(walk, charge, with_frames ? walk->pages : 0));
	page_walk_publish(walk, publish);
	page_walk_finish(walk);
	return STATUS_OK;
}

enum status anonymous_reserve(struct address_space *space, const struct placement *placement, struct uaddr_range *range)
{
	struct charge charge = { .kinds = 0 };
	struct page_walk walk;
	enum status status;

	TRY(page_placement_lock(space, placement, range));
	page_walk_begin(&walk, space, *range);
	walk.kind = PAGE_RESERVED;
	charge_add(&charge, LEDGER_VIRTUAL_RESERVATION, uaddr_range_pages(*range));
	status = create_pages(&walk, &plan_empty_shallow, &publish_reserve, &charge, false);
	page_placement_unlock(space, placement, *range);
	return status;
}

enum status anonymous_map(struct address_space *space, const struct placement *placement, uint32_t protection,
			  struct uaddr_range *range)
{
	struct charge charge = { .kinds = 0 };
	struct page_walk walk;
	enum status status;

	TRY(page_placement_lock(space, placement, range));
	page_walk_begin(&walk, space, *range);
	walk.kind = PAGE_ANONYMOUS;
	walk.protection = protection;
	charge_add(&charge, LEDGER_VIRTUAL_RESERVATION, uaddr_range_pages(*range));
	charge_add(&charge, LEDGER_FRAME_GRANT, uaddr_range_pages(*range));
	status = create_pages(&walk, &plan_empty_deep, &publish_fill, &charge, true);
	page_placement_unlock(space, placement, *range);
	return status;
}

enum status anonymous_map_image(struct address_space *space, struct uaddr_range range, enum page_kind kind,
				uint32_t protection)
{
	struct page_walk walk;
	struct charge charge = { .kinds = 0 };
	enum status status;

	page_walk_begin(&walk, space, range);
	walk.kind = kind;
	walk.protection = protection;
	charge_add(&charge, LEDGER_IMAGE, uaddr_range_pages(range));
	address_space_lock(space, range);
	status = create_pages(&walk, &plan_empty_deep, &publish_fill, &charge, true);
	address_space_unlock(space, range);
	return status;
}

enum status anonymous_map_guard(struct address_space *space, struct uaddr_range range)
{
	struct page_walk walk;
	struct charge charge = { .kinds = 0 };
	enum status status;

	page_walk_begin(&walk, space, range);
	walk.kind = PAGE_GUARD;
	address_space_lock(space, range);
	status = create_pages(&walk, &plan_empty_shallow, &publish_reserve, &charge, false);
	address_space_unlock(space, range);
	return status;
}

static enum status commit_locked(struct page_walk *walk)
{
	struct charge charge = { .kinds = 0 };

	TRY(page_walk_plan(walk, &plan_commit));
	charge_add(&charge, LEDGER_FRAME_GRANT, walk->pages);
	TRY(charge_and_promise(walk, &charge, walk->pages));
	page_walk_publish(walk, &publish_fill);
	page_walk_finish(walk);
	return STATUS_OK;
}

enum status anonymous_commit(struct address_space *space, struct uaddr_range range, uint32_t protection)
{
	struct page_walk walk;
	enum status status;

	page_walk_begin(&walk, space, range);
	walk.kind = PAGE_ANONYMOUS;
	walk.protection = protection;
	address_space_lock(space, range);
	status = commit_locked(&walk);
	address_space_unlock(space, range);
	return status;
}

static enum status decommit_locked(struct page_walk *walk)
{
	TRY(page_walk_plan(walk, &plan_decommit));
	if (walk->pages == 0)
		return STATUS_OK;
	page_walk_publish(walk, &publish_decommit);
	page_walk_finish(walk);
	address_space_pages_gone(walk->space, walk->range);
	account_refund_one(walk->space->account, LEDGER_FRAME_GRANT, walk->pages);
	return STATUS_OK;
}

enum status anonymous_decommit(struct address_space *space, struct uaddr_range range)
{
	struct page_walk walk;
	enum status status;

	page_walk_begin(&walk, space, range);
	address_space_lock(space, range);
	status = decommit_locked(&walk);
	address_space_unlock(space, range);
	return status;
}

static enum status protect_locked(struct page_walk *walk)
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

	page_walk_begin(&walk, space, range);
	walk.protection = protection;
	walk.all_present = true;
	address_space_lock(space, range);
	status = protect_locked(&walk);
	address_space_unlock(space, range);
	return status;
}

static enum status unmap_locked(struct page_walk *walk)
{
	struct charge charge = { .kinds = 0 };
	struct charge refund = { .kinds = 0 };

	TRY(page_walk_plan(walk, &plan_unmap)); /* a hole in a large reservation needs tables */
	TRY(charge_and_promise(walk, &charge, 0));
	page_walk_publish(walk, &publish_unmap);
	page_walk_finish(walk);
	address_space_pages_gone(walk->space, walk->range);
	page_gap_opened(walk->space, walk->range);
	charge_add(&refund, LEDGER_VIRTUAL_RESERVATION, uaddr_range_pages(walk->range));
	charge_add(&refund, LEDGER_FRAME_GRANT, walk->pages);
	account_refund(walk->space->account, &refund);
	return STATUS_OK;
}

enum status anonymous_unmap(struct address_space *space, struct uaddr_range range)
{
	struct page_walk walk;
	enum status status;

	page_walk_begin(&walk, space, range);
	address_space_lock(space, range);
	status = unmap_locked(&walk);
	address_space_unlock(space, range);
	return status;
}
