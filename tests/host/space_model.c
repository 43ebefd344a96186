#include "tests/host/space_model.h"

#include <string.h>

#include "abi/memory_layout.h"
#include "lib/check.h"
#include "lib/range.h"

#define LEVELS 3u /* spans of 2 MiB, 1 GiB and 512 GiB have tables; the root is always there */

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t span_of(uint32_t level)
{
	return UINT64_C(1) << (PAGE_SHIFT + 9 * (level + 1));
}

static uint32_t index_at(const struct space_model *model, uint64_t address)
{
	uint32_t low = 0;
	uint32_t high = model->count;

	while (high - low > 1) {
		uint32_t middle = (low + high) / 2;

		if (model->run[middle].start <= address)
			low = middle;
		else
			high = middle;
	}
	return low;
}

const struct model_run *space_model_at(const struct space_model *model, uint64_t address)
{
	return &model->run[index_at(model, address)];
}

/* Make a run begin at that address; returns its index. */
static uint32_t cut(struct space_model *model, uint64_t address)
{
	uint32_t i;

	if (address == SPACE_MODEL_END)
		return model->count;
	i = index_at(model, address);
	if (model->run[i].start == address)
		return i;
	CHECK(model->count < SPACE_MODEL_RUNS);
	memmove(&model->run[i + 1], &model->run[i], (model->count - i) * sizeof(model->run[0]));
	model->count++;
	model->run[i].end = address;
	model->run[i + 1].start = address;
	if (model->run[i].kind == PAGE_BORROWED)
		model->run[i + 1].page += (address - model->run[i].start) >> PAGE_SHIFT;
	return i + 1;
}

static bool same_content(const struct model_run *a, const struct model_run *b)
{
	return a->kind == b->kind && a->protection == b->protection && a->tag == b->tag && a->is_image == b->is_image &&
	       (a->kind != PAGE_BORROWED || a->page + ((a->end - a->start) >> PAGE_SHIFT) == b->page);
}

/* Join equal neighbours from run `first` to run `last`. */
static void join(struct space_model *model, uint32_t first, uint32_t last)
{
	uint32_t to = first;

	for (uint32_t i = first + 1; i <= last; i++) {
		if (same_content(&model->run[to], &model->run[i]))
			model->run[to].end = model->run[i].end;
		else
			model->run[++to] = model->run[i];
	}
	memmove(&model->run[to + 1], &model->run[last + 1], (model->count - last - 1) * sizeof(model->run[0]));
	model->count -= last - to;
}

static void join_around(struct space_model *model, uint64_t start, uint64_t end)
{
	uint32_t first = index_at(model, start);
	uint32_t last = index_at(model, end < SPACE_MODEL_END ? end : end - 1);

	join(model, first > 0 ? first - 1 : 0, last);
}

/* ---- tables ---- */

enum span_class {
	CLASS_EMPTY,
	CLASS_RESERVED,
	CLASS_MIXED,
};

static enum span_class class_of_run(const struct model_run *run)
{
	if (run->kind == PAGE_EMPTY)
		return CLASS_EMPTY;
	return run->kind == PAGE_RESERVED ? CLASS_RESERVED : CLASS_MIXED;
}

/* Numbers of the spans of one level that have a table: ascending ranges, first to last. */
struct span_set {
	uint32_t count;
	uint64_t first[SPACE_MODEL_RUNS], last[SPACE_MODEL_RUNS];
};

static void span_set_add(struct span_set *set, uint64_t first, uint64_t last)
{
	if (set->count > 0 && first <= set->last[set->count - 1] + 1) {
		if (last > set->last[set->count - 1])
			set->last[set->count - 1] = last;
		return;
	}
	CHECK(set->count < SPACE_MODEL_RUNS);
	set->first[set->count] = first;
	set->last[set->count++] = last;
}

static void span_set_collect(const struct space_model *model, uint64_t start, uint64_t end, uint32_t level,
			     struct span_set *set)
{
	uint64_t span = span_of(level);

	start &= ~(span - 1);
	end = (end + span - 1) & ~(span - 1);
	set->count = 0;
	for (uint32_t i = index_at(model, start); i < model->count && model->run[i].start < end; i++) {
		const struct model_run *run = &model->run[i];
		uint64_t from = run->start > start ? run->start : start;
		uint64_t to = run->end < end ? run->end : end;

		if (class_of_run(run) == CLASS_MIXED)
			span_set_add(set, from / span, (to - 1) / span);
		else if (run->start > start && run->start % span != 0 && class_of_run(run) != class_of_run(run - 1))
			span_set_add(set, from / span, from / span);
	}
}

static uint64_t span_set_total(const struct span_set *set)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < set->count; i++)
		total += set->last[i] - set->first[i] + 1;
	return total;
}

static uint64_t span_set_common(const struct span_set *a, const struct span_set *b)
{
	uint64_t common = 0;
	uint32_t i = 0;
	uint32_t j = 0;

	while (i < a->count && j < b->count) {
		uint64_t first = a->first[i] > b->first[j] ? a->first[i] : b->first[j];
		uint64_t last = a->last[i] < b->last[j] ? a->last[i] : b->last[j];

		if (first <= last)
			common += last - first + 1;
		if (a->last[i] < b->last[j])
			i++;
		else
			j++;
	}
	return common;
}

/* ---- one change, all or nothing ---- */

struct model_change {
	uint64_t start, end;
	uint64_t charge[LEDGER_COUNT], refund[LEDGER_COUNT];
	uint64_t frames, frames_back;
};

static struct space_model before;
static struct span_set set_before[LEVELS], set_after;

static void change_begin(const struct space_model *model, const struct model_change *change)
{
	before.count = model->count;
	memcpy(before.run, model->run, model->count * sizeof(model->run[0]));
	for (uint32_t level = 0; level < LEVELS; level++)
		span_set_collect(model, change->start, change->end, level, &set_before[level]);
}

static enum status charge_all(struct space_model *model, const struct model_change *change, uint64_t tables)
{
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		GUARD(change->charge[kind] <= model->ledger[kind].limit - model->ledger[kind].used,
		      ledger_refusal((enum ledger_kind)kind));
	GUARD(change->frames + tables <= model->free_frames, STATUS_OUT_OF_MEMORY);
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++) {
		struct ledger *ledger = &model->ledger[kind];

		ledger->used += change->charge[kind];
		if (ledger->peak < ledger->used)
			ledger->peak = ledger->used;
	}
	return STATUS_OK;
}

/* The runs have changed: pay for that, or take it back. */
static enum status change_end(struct space_model *model, struct model_change *change)
{
	uint64_t created = 0;
	uint64_t given = 0;
	enum status status;

	join_around(model, change->start, change->end);
	for (uint32_t level = 0; level < LEVELS; level++) {
		uint64_t common;

		span_set_collect(model, change->start, change->end, level, &set_after);
		common = span_set_common(&set_before[level], &set_after);
		created += span_set_total(&set_after) - common;
		given += span_set_total(&set_before[level]) - common;
	}
	change->charge[LEDGER_PAGE_TABLE] += created;
	status = charge_all(model, change, created);
	if (status != STATUS_OK) {
		model->count = before.count;
		memcpy(model->run, before.run, before.count * sizeof(before.run[0]));
		return status;
	}
	change->refund[LEDGER_PAGE_TABLE] += given;
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		model->ledger[kind].used -= change->refund[kind];
	model->free_frames += change->frames_back + given - change->frames - created;
	return STATUS_OK;
}

void space_model_init(struct space_model *model, uint64_t limit, uint64_t free_frames)
{
	model->count = 1;
	model->run[0] = (struct model_run){ .start = 0, .end = SPACE_MODEL_END, .kind = PAGE_EMPTY };
	for (uint32_t kind = 0; kind < LEDGER_COUNT; kind++)
		model->ledger[kind] = (struct ledger){ .limit = limit };
	model->ledger[LEDGER_PAGE_TABLE].used = model->ledger[LEDGER_PAGE_TABLE].peak = 1;
	model->free_frames = free_frames;
	model->heap_break = 0;
	model->areas = (struct space_areas){ .map = uaddr_range_make(USER_START, ADDRESS_SPACE_MAP_TOP) };
}

void space_model_set_areas(struct space_model *model, const struct space_areas *areas)
{
	model->areas = *areas;
	model->heap_break = uaddr_to_u64(areas->heap.start);
}

/* ---- new ranges ---- */

static struct model_run run_of(uint64_t start, uint64_t end, enum page_kind kind, uint32_t protection, uint64_t tag)
{
	return (struct model_run){ .start = start, .end = end, .kind = kind, .protection = protection, .tag = tag };
}

/* Put one run into an empty range. */
static enum status create(struct space_model *model, const struct model_run *new, struct model_change *change)
{
	uint32_t i;

	GUARD(space_model_is_free(model, new->start, new->end), STATUS_OCCUPIED);
	change->start = new->start;
	change->end = new->end;
	change_begin(model, change);
	i = cut(model, new->start);
	(void)cut(model, new->end);
	model->run[i] = *new;
	return change_end(model, change);
}

enum status space_model_reserve(struct space_model *model, const struct placement *placement, uint64_t *start)
{
	struct model_change change = { .charge[LEDGER_VIRTUAL_RESERVATION] = placement->length >> PAGE_SHIFT };
	struct model_run new;

	TRY(space_model_place(model, placement, start));
	new = run_of(*start, *start + placement->length, PAGE_RESERVED, 0, 0);
	return create(model, &new, &change);
}

enum status space_model_map(struct space_model *model, const struct placement *placement, uint32_t protection,
			    uint64_t tag, uint64_t *start)
{
	uint64_t pages = placement->length >> PAGE_SHIFT;
	struct model_change change = { .frames = pages };
	struct model_run new;

	change.charge[LEDGER_VIRTUAL_RESERVATION] = change.charge[LEDGER_FRAME_GRANT] = pages;
	TRY(space_model_place(model, placement, start));
	new = run_of(*start, *start + placement->length, PAGE_ANONYMOUS, protection, tag);
	return create(model, &new, &change);
}

enum status space_model_map_lazy(struct space_model *model, const struct placement *placement, uint32_t protection,
				 uint64_t *start)
{
	struct model_change change = { .frames = 0 };
	struct model_run new;

	change.charge[LEDGER_VIRTUAL_RESERVATION] = placement->length >> PAGE_SHIFT;
	change.charge[LEDGER_FRAME_GRANT] = placement->length >> PAGE_SHIFT;
	TRY(space_model_place(model, placement, start));
	new = run_of(*start, *start + placement->length, PAGE_LAZY, protection, 0);
	return create(model, &new, &change);
}

enum status space_model_image(struct space_model *model, const struct model_run *new)
{
	uint64_t pages = (new->end - new->start) >> PAGE_SHIFT;
	struct model_change change = { .charge[LEDGER_IMAGE] = pages, .frames = new->kind == PAGE_LAZY ? 0 : pages };

	return create(model, new, &change);
}

enum status space_model_guard(struct space_model *model, uint64_t start, uint64_t end)
{
	struct model_change change = { .frames = 0 };
	struct model_run new;

	new = run_of(start, end, PAGE_GUARD, 0, 0);
	return create(model, &new, &change);
}

enum status space_model_borrow(struct space_model *model, const struct placement *placement, uint32_t protection,
			       const struct model_run *source, uint64_t *start)
{
	struct model_change change = { .charge[LEDGER_FRAME_GRANT] = placement->length >> PAGE_SHIFT };
	struct model_run new;

	TRY(space_model_place(model, placement, start));
	new = run_of(*start, *start + placement->length, PAGE_BORROWED, protection, source->tag);
	new.page = source->page;
	return create(model, &new, &change);
}

/* ---- ranges that exist ---- */

static bool is_own(const struct model_run *run)
{
	return run->kind == PAGE_RESERVED || run->kind == PAGE_ANONYMOUS || (run->kind == PAGE_LAZY && !run->is_image);
}

static uint64_t pages_in(const struct model_run *run, const struct model_range *range)
{
	uint64_t start = run->start > range->start ? run->start : range->start;
	uint64_t end = run->end < range->end ? run->end : range->end;

	return (end - start) >> PAGE_SHIFT;
}

/* Pages of each kind, if all are the program's own. */
static enum status count_own(const struct space_model *model, const struct model_range *range,
			     uint64_t pages[PAGE_KIND_COUNT])
{
	memset(pages, 0, PAGE_KIND_COUNT * sizeof(pages[0]));
	for (uint32_t i = index_at(model, range->start); i < model->count && model->run[i].start < range->end; i++) {
		GUARD(is_own(&model->run[i]), STATUS_NOT_RESERVED);
		pages[model->run[i].kind] += pages_in(&model->run[i], range);
	}
	return STATUS_OK;
}

/* Cut the range out; [*first, *end) are its runs. */
static void isolate(struct space_model *model, const struct model_range *range, uint32_t *first, uint32_t *end)
{
	*first = cut(model, range->start);
	*end = cut(model, range->end);
}

enum status space_model_commit(struct space_model *model, const struct model_range *range)
{
	struct model_change change = { .start = range->start, .end = range->end };
	uint64_t pages[PAGE_KIND_COUNT];
	uint32_t i;
	uint32_t end;

	TRY(count_own(model, range, pages));
	change.frames = pages[PAGE_RESERVED] + pages[PAGE_LAZY];
	change.charge[LEDGER_FRAME_GRANT] = pages[PAGE_RESERVED];
	change_begin(model, &change);
	for (isolate(model, range, &i, &end); i < end; i++) {
		struct model_run *run = &model->run[i];
		uint32_t protection = run->kind == PAGE_LAZY ? run->protection : range->protection;

		if (run->kind != PAGE_ANONYMOUS)
			*run = run_of(run->start, run->end, PAGE_ANONYMOUS, protection, range->tag);
	}
	return change_end(model, &change);
}

enum status space_model_commit_lazy(struct space_model *model, const struct model_range *range)
{
	struct model_change change = { .start = range->start, .end = range->end };
	uint64_t pages[PAGE_KIND_COUNT];
	uint32_t i;
	uint32_t end;

	TRY(count_own(model, range, pages));
	change.charge[LEDGER_FRAME_GRANT] = pages[PAGE_RESERVED];
	change_begin(model, &change);
	for (isolate(model, range, &i, &end); i < end; i++) {
		struct model_run *run = &model->run[i];

		if (run->kind == PAGE_RESERVED)
			*run = run_of(run->start, run->end, PAGE_LAZY, range->protection, 0);
	}
	return change_end(model, &change);
}

static enum status replace(struct space_model *model, const struct model_range *range, enum page_kind kind,
			   struct model_change *change)
{
	uint32_t i;
	uint32_t end;

	change->start = range->start;
	change->end = range->end;
	change_begin(model, change);
	for (isolate(model, range, &i, &end); i < end; i++)
		model->run[i] = run_of(model->run[i].start, model->run[i].end, kind, 0, 0);
	return change_end(model, change);
}

enum status space_model_decommit(struct space_model *model, const struct model_range *range)
{
	struct model_change change = { .frames = 0 };
	uint64_t pages[PAGE_KIND_COUNT];

	TRY(count_own(model, range, pages));
	change.frames_back = pages[PAGE_ANONYMOUS];
	change.refund[LEDGER_FRAME_GRANT] = pages[PAGE_ANONYMOUS] + pages[PAGE_LAZY];
	return replace(model, range, PAGE_RESERVED, &change);
}

enum status space_model_unmap(struct space_model *model, const struct model_range *range)
{
	struct model_change change = { .frames = 0 };
	uint64_t pages[PAGE_KIND_COUNT];

	TRY(count_own(model, range, pages));
	change.frames_back = pages[PAGE_ANONYMOUS];
	change.refund[LEDGER_FRAME_GRANT] = pages[PAGE_ANONYMOUS] + pages[PAGE_LAZY];
	change.refund[LEDGER_VIRTUAL_RESERVATION] = (range->end - range->start) >> PAGE_SHIFT;
	return replace(model, range, PAGE_EMPTY, &change);
}

static void set_protection(struct space_model *model, const struct model_range *range)
{
	uint32_t i;
	uint32_t end;

	for (isolate(model, range, &i, &end); i < end; i++)
		model->run[i].protection = range->protection;
	join_around(model, range->start, range->end);
}

enum status space_model_protect(struct space_model *model, const struct model_range *range)
{
	uint64_t pages[PAGE_KIND_COUNT];

	TRY(count_own(model, range, pages));
	GUARD(pages[PAGE_RESERVED] == 0, STATUS_NOT_COMMITTED);
	set_protection(model, range);
	return STATUS_OK;
}

static enum status all_borrowed(const struct space_model *model, const struct model_range *range)
{
	for (uint32_t i = index_at(model, range->start); i < model->count && model->run[i].start < range->end; i++) {
		GUARD(model->run[i].kind == PAGE_BORROWED, STATUS_NOT_BORROWED);
		GUARD(model->run[i].tag == range->tag, STATUS_OTHER_OBJECT);
	}
	return STATUS_OK;
}

enum status space_model_return(struct space_model *model, const struct model_range *range)
{
	struct model_change change = { .frames = 0 };

	TRY(all_borrowed(model, range));
	change.refund[LEDGER_FRAME_GRANT] = (range->end - range->start) >> PAGE_SHIFT;
	return replace(model, range, PAGE_EMPTY, &change);
}

enum status space_model_protect_borrowed(struct space_model *model, const struct model_range *range)
{
	TRY(all_borrowed(model, range));
	set_protection(model, range);
	return STATUS_OK;
}

/* ---- on demand ---- */

/* The stack's room from `start` up becomes lazy, in the change under way. */
static void grow_stack(struct space_model *model, uint64_t start, struct model_change *change)
{
	uint64_t end = smaller(space_model_at(model, start)->end, uaddr_to_u64(model->areas.stack.end));
	uint32_t i = cut(model, start);

	(void)cut(model, end);
	model->run[i] = run_of(start, end, PAGE_LAZY, PROTECTION_READ | PROTECTION_WRITE, 0);
	model->run[i].is_image = true;
	change->charge[LEDGER_IMAGE] += (end - start) >> PAGE_SHIFT;
	change->end = larger(change->end, end);
}

static enum status touch_run(struct space_model *model, const struct model_range *range, struct model_change *change)
{
	const struct model_run *run = space_model_at(model, range->start);
	uint32_t end;
	uint32_t i;

	if (run->kind == PAGE_GUARD) {
		GUARD(uaddr_range_contains(model->areas.stack, uaddr_from_u64(range->start)), STATUS_BUFFER_FAULT);
		GUARD((range->protection & PROTECTION_EXECUTE) == 0, STATUS_BUFFER_FAULT);
		grow_stack(model, range->start, change);
	}
	run = space_model_at(model, range->start);
	GUARD((run->protection & range->protection) == range->protection, STATUS_BUFFER_FAULT);
	if (run->kind != PAGE_LAZY)
		return STATUS_OK;
	change->frames += pages_in(run, range);
	isolate(model, &(struct model_range){ .start = range->start, .end = smaller(run->end, range->end) }, &i, &end);
	model->run[i].kind = model->run[i].is_image ? PAGE_IMAGE : PAGE_ANONYMOUS;
	model->run[i].is_image = false;
	model->run[i].tag = range->tag;
	return STATUS_OK;
}

enum status space_model_touch(struct space_model *model, const struct model_range *range)
{
	struct model_change change = { .start = range->start, .end = range->end };
	enum status status = STATUS_OK;
	struct model_range left = *range;

	if (uaddr_range_overlaps(model->areas.stack, uaddr_range_make(range->start, range->end)))
		change.end = larger(range->end, uaddr_to_u64(model->areas.stack.end));
	change_begin(model, &change);
	while (left.start < range->end && status == STATUS_OK) {
		status = touch_run(model, &left, &change);
		left.start = space_model_at(model, left.start)->end;
	}
	if (status == STATUS_OK)
		return change_end(model, &change);
	model->count = before.count;
	memcpy(model->run, before.run, before.count * sizeof(before.run[0]));
	return status;
}

static bool same_region(const struct model_run *a, const struct model_run *b)
{
	return a->kind == b->kind && a->protection == b->protection && a->is_image == b->is_image;
}

struct virtual_memory_region space_model_region(const struct space_model *model, uint64_t address)
{
	uint32_t first = index_at(model, address);
	uint32_t last = first;
	const struct model_run *here = &model->run[first];
	struct virtual_memory_region region;

	while (first > 0 && same_region(&model->run[first - 1], here))
		first--;
	while (last + 1 < model->count && same_region(&model->run[last + 1], here))
		last++;
	region.start = model->run[first].start > USER_START ? model->run[first].start : USER_START;
	region.end = model->run[last].end < USER_LIMIT ? model->run[last].end : USER_LIMIT;
	region.kind = here->kind;
	region.protection = here->protection;
	return region;
}
