#include "lib/layout.h"

#include "lib/bits.h"
#include "lib/check.h"

/* TASK_SIZE / 3, up to the next page. */
#define THIRD(task_size, page_size) (((task_size) / 3 + (page_size)-1) / (page_size) * (page_size))

#define IA32_TASK_SIZE UINT64_C(0xC0000000)
/* The lower half of a space with a hole in its middle; the last 4 GiB below the hole are left out. */
#define ULTRASPARC_TASK_SIZE (UINT64_C(0x80000000000) - (UINT64_C(1) << 32))
#define ULTRASPARC_PAGE UINT64_C(8192)

_Static_assert(THIRD(IA32_TASK_SIZE, PAGE_SIZE) == 0x40000000, "TASK_UNMAPPED_BASE of IA-32 is 1 GiB");
_Static_assert(BOOTSTRAP_END == 0x400000, "the text of AMD64 starts where the kernel's window ends");

/* Where each number is from: docs/layouts.md. */
static const struct layout_profile profiles[LAYOUT_ARCHITECTURES] = {
	[LAYOUT_AMD64] = {
		.name = "amd64",
		.page_size = PAGE_SIZE,
		.lowest = USER_START,
		.text = 0x400000,
		.task_size = USER_LIMIT,
		.stack_top = USER_LIMIT,
		.unmapped_base = THIRD(USER_LIMIT, PAGE_SIZE),
		.window = { { BOOTSTRAP_START }, { BOOTSTRAP_END } },
		.max_bits = { .stack = 22, .mmap = 28, .image = 28, .heap = 18 },
	},
	[LAYOUT_IA32] = {
		.name = "ia32",
		.page_size = PAGE_SIZE,
		.lowest = 0x10000,
		.text = 0x08048000,
		.task_size = IA32_TASK_SIZE,
		.stack_top = IA32_TASK_SIZE,
		.unmapped_base = THIRD(IA32_TASK_SIZE, PAGE_SIZE),
		.max_bits = { .stack = 11, .mmap = 8, .image = 8, .heap = 13 },
	},
	[LAYOUT_ULTRASPARC] = {
		.name = "ultrasparc",
		.page_size = ULTRASPARC_PAGE,
		.lowest = 0x10000,
		.text = 0x100000000,
		.task_size = ULTRASPARC_TASK_SIZE,
		.stack_top = ULTRASPARC_TASK_SIZE,
		.unmapped_base = THIRD(ULTRASPARC_TASK_SIZE, ULTRASPARC_PAGE),
		.max_bits = { .stack = 10, .mmap = 17, .image = 17, .heap = 12 },
	},
};

static const char *const kind_names[LAYOUT_KINDS] = {
	[LAYOUT_CLASSIC] = "classic",
	[LAYOUT_CLASSIC_RANDOM] = "classic-random",
	[LAYOUT_FLEXIBLE] = "flexible",
};

const struct layout_profile *layout_profile_of(enum layout_architecture architecture)
{
	CHECK((unsigned int)architecture < LAYOUT_ARCHITECTURES);
	return &profiles[architecture];
}

const char *layout_kind_name(enum layout_kind kind)
{
	CHECK((unsigned int)kind < LAYOUT_KINDS);
	return kind_names[kind];
}

static uint64_t start_of(struct uaddr_range range)
{
	return uaddr_to_u64(range.start);
}

static uint64_t end_of(struct uaddr_range range)
{
	return uaddr_to_u64(range.end);
}

static uint64_t minimum(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t maximum(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static bool is_whole_pages(uint64_t bytes, uint64_t page_size)
{
	return bytes % page_size == 0;
}

/* The largest gap: 5/6 of the space, in whole pages. */
static uint64_t max_gap(const struct layout_profile *profile)
{
	const uint64_t bytes = profile->task_size / 6 * 5;

	return bytes - bytes % profile->page_size;
}

/* The largest offset of so many random bits, as bytes. */
static uint64_t max_offset(const struct layout_profile *profile, uint64_t bits)
{
	return (bits_one((uint32_t)bits) - 1) * profile->page_size;
}

static bool bits_are_valid(const struct layout_profile *profile, uint64_t bits)
{
	return bits < 32 && max_offset(profile, bits) <= profile->task_size / 16;
}

static bool window_is_valid(const struct layout_profile *profile)
{
	const uint64_t start = start_of(profile->window), end = end_of(profile->window);

	return is_whole_pages(start | end, profile->page_size) &&
	       (start < end ? start >= profile->lowest && end <= profile->text : start == 0 && end == 0);
}

bool layout_profile_is_valid(const struct layout_profile *profile)
{
	const uint64_t page = profile->page_size;

	if (!bits_is_power_of_two(page) || page > LAYOUT_MAX_ALIGNMENT || profile->task_size > LAYOUT_MAX_TASK_SIZE)
		return false;
	if (!is_whole_pages(profile->lowest, page) || !is_whole_pages(profile->text, page) ||
	    !is_whole_pages(profile->task_size, page) || !is_whole_pages(profile->stack_top, page))
		return false;
	if (profile->lowest == 0 || profile->lowest > profile->text || profile->stack_top > profile->task_size)
		return false;
	if (profile->task_size < 6 * page || profile->unmapped_base != THIRD(profile->task_size, page))
		return false;
	if (!bits_are_valid(profile, profile->max_bits.stack) || !bits_are_valid(profile, profile->max_bits.mmap) ||
	    !bits_are_valid(profile, profile->max_bits.image) || !bits_are_valid(profile, profile->max_bits.heap))
		return false;
	/* The clamp of the gap has a lower end below its upper one, and pages between them are whole. */
	return is_whole_pages(LAYOUT_MIN_GAP, page) &&
	       LAYOUT_MIN_GAP + max_offset(profile, profile->max_bits.stack) <= max_gap(profile) &&
	       max_gap(profile) < profile->stack_top && profile->unmapped_base < profile->stack_top &&
	       profile->text < profile->unmapped_base && window_is_valid(profile);
}

struct layout_request layout_request_of(const struct layout_profile *profile)
{
	return (struct layout_request){
		.kind = LAYOUT_FLEXIBLE,
		.is_random = true,
		.image_start = profile->text,
		.image_bytes = profile->page_size,
		.image_align = profile->page_size,
		.stack_limit = LAYOUT_DEFAULT_STACK,
		.guard_bytes = LAYOUT_DEFAULT_GUARD,
	};
}

struct layout_offsets layout_draw(struct random_stream *stream)
{
	struct layout_offsets words;

	words.stack = random_stream_u64(stream);
	words.mmap = random_stream_u64(stream);
	words.image = random_stream_u64(stream);
	words.heap = random_stream_u64(stream);
	return words;
}

struct layout_offsets layout_draw_seeded(uint64_t seed)
{
	struct random_stream stream;

	random_stream_init_number(&stream, seed);
	return layout_draw(&stream);
}

/* The offsets of a request in bytes: those that it has, and the largest that it could have. */
struct plan {
	struct layout_offsets offset, largest;
	uint64_t mmap_end_least; /* flexible: where the mmap region ends at the largest offsets */
};

static void plan_offset(const struct layout_profile *profile, bool is_wanted, uint64_t bits, uint64_t *largest,
			uint64_t *offset)
{
	const uint64_t word = *offset;

	*largest = is_wanted ? max_offset(profile, bits) : 0;
	*offset = is_wanted ? word % bits_one((uint32_t)bits) * profile->page_size : 0;
}

static void plan_offsets(const struct layout_profile *profile, const struct layout_request *request, struct plan *plan)
{
	const struct layout_offsets *bits = &profile->max_bits;
	const bool is_random = request->is_random;

	plan->offset = request->random;
	plan_offset(profile, is_random, bits->stack, &plan->largest.stack, &plan->offset.stack);
	plan_offset(profile, is_random && request->kind != LAYOUT_CLASSIC, bits->mmap, &plan->largest.mmap,
		    &plan->offset.mmap);
	plan_offset(profile, is_random && request->image_is_movable, bits->image, &plan->largest.image,
		    &plan->offset.image);
	plan_offset(profile, is_random && request->has_heap_offset, bits->heap, &plan->largest.heap,
		    &plan->offset.heap);
}

static enum status check_request(const struct layout_profile *profile, const struct layout_request *request)
{
	const uint64_t page = profile->page_size;

	GUARD((unsigned int)request->kind < LAYOUT_KINDS, STATUS_BAD_ARGUMENT);
	GUARD(bits_is_power_of_two(request->image_align), STATUS_BAD_ARGUMENT);
	GUARD(request->image_align >= page && request->image_align <= LAYOUT_MAX_ALIGNMENT, STATUS_BAD_ARGUMENT);
	GUARD(request->image_bytes != 0, STATUS_ZERO_LENGTH);
	GUARD(request->stack_limit != 0, STATUS_ZERO_LENGTH);
	GUARD(request->guard_bytes != 0, STATUS_ZERO_LENGTH);
	GUARD(is_whole_pages(request->guard_bytes, page), STATUS_MISALIGNED);
	GUARD(request->image_is_movable || is_whole_pages(request->image_start, page), STATUS_MISALIGNED);
	return STATUS_OK;
}

/* The stack's limit in whole pages; what cannot be is 5/6 of the space. */
static uint64_t stack_bytes(const struct layout_profile *profile, const struct layout_request *request)
{
	return bits_align_up(minimum(request->stack_limit, max_gap(profile)), profile->page_size);
}

/* Stack and guard; they reach `depth` below STACK_TOP at the most. */
static enum status place_stack(const struct layout_profile *profile, const struct layout_request *request,
			       const struct plan *plan, struct layout *layout, uint64_t *depth)
{
	const uint64_t bytes = stack_bytes(profile, request);
	const uint64_t end = profile->stack_top - plan->offset.stack;

	GUARD(request->guard_bytes < profile->stack_top, STATUS_LAYOUT_STACK_TOO_LARGE);
	*depth = plan->largest.stack + bytes + request->guard_bytes;
	GUARD(*depth < profile->stack_top, STATUS_LAYOUT_STACK_TOO_LARGE);
	layout->stack = uaddr_range_make(end - bytes, end);
	layout->guard = uaddr_range_make(end - bytes - request->guard_bytes, end - bytes);
	return STATUS_OK;
}

/* From TASK_UNMAPPED_BASE up to the guard. */
static enum status place_mmap_classic(const struct layout_profile *profile, const struct plan *plan, uint64_t depth,
				      struct layout *layout)
{
	const uint64_t start = profile->unmapped_base + plan->offset.mmap;
	const uint64_t highest_start = profile->unmapped_base + plan->largest.mmap;

	GUARD(highest_start < profile->stack_top - depth, STATUS_LAYOUT_STACK_TOO_LARGE);
	layout->mmap_direction = LAYOUT_UPWARD;
	layout->gap = 0;
	layout->mmap = uaddr_range_make(start, start_of(layout->guard));
	return STATUS_OK;
}

/* From a gap below STACK_TOP down; where it starts is for the image to say. */
static enum status place_mmap_flexible(const struct layout_profile *profile, struct plan *plan, uint64_t depth,
				       struct layout *layout)
{
	const uint64_t least_gap = LAYOUT_MIN_GAP + plan->largest.stack;
	const uint64_t gap = maximum(uaddr_range_bytes(layout->stack), least_gap); /* at most max_gap already */
	const uint64_t below = maximum(gap, profile->stack_top - start_of(layout->guard));
	const uint64_t most_below = maximum(gap, depth) + plan->largest.mmap;

	GUARD(most_below < profile->stack_top, STATUS_LAYOUT_STACK_TOO_LARGE);
	plan->mmap_end_least = profile->stack_top - most_below;
	GUARD(plan->mmap_end_least > profile->text, STATUS_LAYOUT_STACK_TOO_LARGE);
	layout->mmap_direction = LAYOUT_DOWNWARD;
	layout->gap = gap;
	layout->mmap = uaddr_range_make(profile->text, profile->stack_top - below - plan->offset.mmap);
	return STATUS_OK;
}

/* The image; `slack` is how much higher the largest offset would put its end. */
static enum status place_image(const struct layout_profile *profile, const struct layout_request *request,
			       const struct plan *plan, struct layout *layout, uint64_t *slack)
{
	const uint64_t align = request->image_align;
	uint64_t start = request->image_start, highest = start, bytes;

	if (request->image_is_movable) {
		start = bits_align_up(profile->text + plan->offset.image, align);
		highest = bits_align_up(profile->text + plan->largest.image, align);
	}
	GUARD(start >= profile->lowest, STATUS_LAYOUT_IMAGE_TOO_LOW);
	GUARD(highest < profile->task_size, STATUS_LAYOUT_IMAGE_TOO_HIGH);
	GUARD(request->image_bytes <= profile->task_size - highest, STATUS_LAYOUT_IMAGE_TOO_HIGH);
	bytes = bits_align_up(request->image_bytes, profile->page_size);
	layout->image = uaddr_range_make(start, start + bytes);
	GUARD(!uaddr_range_overlaps(layout->image, profile->window), STATUS_BOOTSTRAP_RANGE);
	layout->hole = uaddr_range_make(0, minimum(start, profile->text));
	*slack = highest - start;
	return STATUS_OK;
}

/* Above the image, and above the window if the image is below it, up to the mappings. */
static enum status place_heap(const struct layout_profile *profile, const struct plan *plan, uint64_t slack,
			      struct layout *layout)
{
	const uint64_t base = maximum(end_of(layout->image), end_of(profile->window));
	const uint64_t highest = base + slack + plan->largest.heap;
	const uint64_t start = base + plan->offset.heap;

	if (layout->kind == LAYOUT_FLEXIBLE) {
		GUARD(highest < plan->mmap_end_least, STATUS_LAYOUT_IMAGE_TOO_HIGH);
		layout->heap = uaddr_range_make(start, end_of(layout->mmap));
		layout->mmap = layout->heap;
	} else {
		GUARD(highest < profile->unmapped_base, STATUS_LAYOUT_IMAGE_TOO_HIGH);
		layout->heap = uaddr_range_make(start, start_of(layout->mmap));
	}
	return STATUS_OK;
}

enum status layout_make(const struct layout_profile *profile, const struct layout_request *request,
			struct layout *layout)
{
	struct layout made = { .kind = request->kind, .page_size = profile->page_size };
	struct plan plan = { .mmap_end_least = 0 };
	uint64_t depth, slack;

	ASSERT(layout_profile_is_valid(profile));
	TRY(check_request(profile, request));
	plan_offsets(profile, request, &plan);
	made.task_size = profile->task_size;
	made.window = profile->window;
	TRY(place_stack(profile, request, &plan, &made, &depth));
	if (request->kind == LAYOUT_FLEXIBLE)
		TRY(place_mmap_flexible(profile, &plan, depth, &made));
	else
		TRY(place_mmap_classic(profile, &plan, depth, &made));
	TRY(place_image(profile, request, &plan, &made, &slack));
	TRY(place_heap(profile, &plan, slack, &made));
	ASSERT(layout_is_valid(&made));
	*layout = made;
	return STATUS_OK;
}

uint64_t layout_mmap_base(const struct layout *layout)
{
	return layout->mmap_direction == LAYOUT_UPWARD ? start_of(layout->mmap) : end_of(layout->mmap);
}

/* Not empty, whole pages. */
static bool part_is_valid(const struct layout *layout, struct uaddr_range part)
{
	return start_of(part) < end_of(part) && is_whole_pages(start_of(part), layout->page_size) &&
	       is_whole_pages(end_of(part), layout->page_size);
}

static bool window_is_clear(const struct layout *layout)
{
	return !uaddr_range_overlaps(layout->window, layout->image) &&
	       !uaddr_range_overlaps(layout->window, layout->heap) &&
	       !uaddr_range_overlaps(layout->window, layout->mmap) &&
	       !uaddr_range_overlaps(layout->window, layout->guard) &&
	       !uaddr_range_overlaps(layout->window, layout->stack);
}

static bool mmap_is_valid(const struct layout *layout)
{
	if (layout->kind == LAYOUT_FLEXIBLE)
		return layout->mmap_direction == LAYOUT_DOWNWARD && layout->gap >= LAYOUT_MIN_GAP &&
		       start_of(layout->mmap) == start_of(layout->heap) && end_of(layout->mmap) == end_of(layout->heap);
	return layout->mmap_direction == LAYOUT_UPWARD && layout->gap == 0 &&
	       start_of(layout->mmap) == end_of(layout->heap);
}

bool layout_is_valid(const struct layout *layout)
{
	if ((unsigned int)layout->kind >= LAYOUT_KINDS || !bits_is_power_of_two(layout->page_size))
		return false;
	if (!part_is_valid(layout, layout->hole) || !part_is_valid(layout, layout->image) ||
	    !part_is_valid(layout, layout->heap) || !part_is_valid(layout, layout->mmap) ||
	    !part_is_valid(layout, layout->guard) || !part_is_valid(layout, layout->stack))
		return false;
	return start_of(layout->hole) == 0 && end_of(layout->hole) <= start_of(layout->image) &&
	       end_of(layout->image) <= start_of(layout->heap) && mmap_is_valid(layout) &&
	       end_of(layout->mmap) <= start_of(layout->guard) && end_of(layout->guard) == start_of(layout->stack) &&
	       end_of(layout->stack) <= layout->task_size && window_is_clear(layout);
}
