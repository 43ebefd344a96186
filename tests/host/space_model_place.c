/* Where the plain model puts new ranges: space_model.h. */
#include "abi/memory_layout.h"
#include "kernel/mem/page_placement.h"
#include "lib/check.h"
#include "lib/range.h"
#include "tests/host/space_model.h"

#define SPAN_2MIB (UINT64_C(2) << 20)
#define SPAN_1GIB (UINT64_C(1) << 30)

bool space_model_is_free(const struct space_model *model, uint64_t start, uint64_t end)
{
	const struct model_run *run = space_model_at(model, start);

	return run->kind == PAGE_EMPTY && run->end >= end;
}

static uint64_t align_of(uint64_t length)
{
	return length >= SPAN_1GIB ? SPAN_1GIB : length >= SPAN_2MIB ? SPAN_2MIB : PAGE_SIZE;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The highest (or lowest) place for a length in the empty range [low, high). */
static bool fits(uint64_t low, uint64_t high, const struct placement *wish, bool upward, uint64_t *start)
{
	const uint64_t align = wish->hint;

	if (high <= low || high - low < wish->length)
		return false;
	*start = upward ? (low + align - 1) & ~(align - 1) : (high - wish->length) & ~(align - 1);
	return *start >= low && *start <= high - wish->length;
}

/* The same in the part of a run that is in the map area, beside the window. */
static bool fits_run(const struct space_model *model, const struct model_run *run, const struct placement *wish,
		     uint64_t *start)
{
	const bool upward = model->areas.map_upward;
	uint64_t low = larger(run->start, uaddr_to_u64(model->areas.map.start));
	uint64_t high = smaller(run->end, uaddr_to_u64(model->areas.map.end));
	uint64_t above = larger(low, BOOTSTRAP_END);
	uint64_t below = smaller(high, BOOTSTRAP_START);

	if (run->kind != PAGE_EMPTY)
		return false;
	if (upward)
		return fits(low, below, wish, upward, start) || fits(above, high, wish, upward, start);
	return fits(above, high, wish, upward, start) || fits(low, below, wish, upward, start);
}

/* The first place of all, seen from where mappings begin. */
static bool find(const struct space_model *model, uint64_t length, uint64_t align, uint64_t *start)
{
	const struct placement wish = { align, length, false };

	for (uint32_t i = 0; i < model->count; i++) {
		uint32_t next = model->areas.map_upward ? i : model->count - 1 - i;

		if (fits_run(model, &model->run[next], &wish, start))
			return true;
	}
	return false;
}

enum status space_model_place(const struct space_model *model, const struct placement *placement, uint64_t *start)
{
	uint64_t hint = placement->hint & ~(uint64_t)(PAGE_SIZE - 1);
	struct uaddr_range range;
	uint64_t pages;

	*start = hint;
	if (placement->fixed) {
		TRY(uaddr_range_of_pages(placement->hint, placement->length, &range));
		return space_model_is_free(model, hint, hint + placement->length) ? STATUS_OK : STATUS_OCCUPIED;
	}
	TRY(page_count_of_length(placement->length, &pages));
	if (hint != 0 && uaddr_range_of_pages(hint, placement->length, &range) == STATUS_OK &&
	    space_model_is_free(model, hint, hint + placement->length))
		return STATUS_OK;
	for (uint64_t align = align_of(placement->length); align >= PAGE_SIZE; align >>= 9)
		if (find(model, placement->length, align, start))
			return STATUS_OK;
	return STATUS_NO_SPACE;
}

/* The alignment that the best place has of those that its length may ask for. */
static uint64_t largest_align(uint64_t start, uint64_t length)
{
	uint64_t align = align_of(length);

	while (start % align != 0)
		align >>= 9;
	return align;
}

struct placement space_model_settle(const struct space_model *model, struct address_space *space,
				    const struct placement *placement)
{
	uint64_t length = placement->length;
	struct uaddr_range range;
	struct page_walk walk;
	enum status expected;
	enum status status;
	uint64_t start;
	uint64_t best;

	if (placement->fixed)
		return *placement;
	expected = space_model_place(model, placement, &best);
	status = page_placement_lock(space, placement, &walk);
	CHECK(status == expected);
	if (status != STATUS_OK)
		return *placement;
	page_placement_unlock(&walk, placement);
	range = walk.range;
	start = uaddr_to_u64(range.start);
	CHECK(uaddr_range_bytes(range) == length);
	CHECK(uaddr_range_of_pages(start, length, &range) == STATUS_OK &&
	      space_model_is_free(model, start, start + length));
	if (placement->hint != 0 && best == (placement->hint & ~(uint64_t)(PAGE_SIZE - 1))) {
		CHECK(start == best);
	} else {
		CHECK(start >= uaddr_to_u64(model->areas.map.start) &&
		      start + length <= uaddr_to_u64(model->areas.map.end));
		CHECK(model->areas.map_upward ? start >= best : start <= best);
		CHECK(start % largest_align(best, length) == 0);
	}
	return (struct placement){ start, length, true };
}
