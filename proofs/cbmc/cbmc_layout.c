/*
 * lib/layout: every request by each profile (no loops, so no bound). No sum of the profile's numbers and the request's
 * wraps.
 *
 * links: lib/layout.c lib/random_stream.c
 * options each: --unsigned-overflow-check --external-sat-solver cadical
 */
#include "lib/layout.h"
#include "proofs/cbmc/cbmc_support.h"

static struct layout_request any_request(void)
{
	return (struct layout_request){
		.kind = (enum layout_kind)nondet_u32(),
		.is_random = nondet_bool(),
		.has_heap_offset = nondet_bool(),
		.image_is_movable = nondet_bool(),
		.image_start = nondet_u64(),
		.image_bytes = nondet_u64(),
		.image_align = nondet_u64(),
		.stack_limit = nondet_u64(),
		.guard_bytes = nondet_u64(),
		.random = { nondet_u64(), nondet_u64(), nondet_u64(), nondet_u64() },
	};
}

static bool is_in(struct uaddr_range range, uint64_t byte)
{
	return byte >= uaddr_to_u64(range.start) && byte < uaddr_to_u64(range.end);
}

/* Any byte is of one part at most; heap and mappings are one in the flexible kind. */
static void prove_apart(const struct layout *layout, const struct layout_profile *profile)
{
	const uint64_t byte = nondet_u64();
	const bool in_heap = is_in(layout->heap, byte), in_map = is_in(layout->mmap, byte);
	const int parts = is_in(layout->image, byte) + (in_heap || in_map) + is_in(layout->guard, byte) +
			  is_in(layout->stack, byte) + is_in(profile->window, byte);

	PROVE(parts <= 1 && !(parts == 1 && byte >= profile->task_size));
	PROVE(!is_in(layout->hole, byte) || parts == 0 || is_in(profile->window, byte));
	PROVE(layout->kind == LAYOUT_FLEXIBLE ? in_heap == in_map : !(in_heap && in_map));
	PROVE(parts == 0 || byte >= profile->lowest);
}

/* What was asked for is there. */
static void prove_as_asked(const struct layout *layout, const struct layout_request *request,
			   const struct layout_profile *profile)
{
	const uint64_t stack = uaddr_range_bytes(layout->stack),
		       gap = profile->stack_top - uaddr_to_u64(layout->mmap.end);

	PROVE(layout->kind == request->kind);
	PROVE(stack >= request->stack_limit ||
	      stack / profile->page_size == profile->task_size / 6 * 5 / profile->page_size);
	PROVE(uaddr_range_bytes(layout->guard) == request->guard_bytes);
	PROVE(uaddr_range_bytes(layout->image) - request->image_bytes < profile->page_size);
	PROVE(request->image_is_movable || uaddr_to_u64(layout->image.start) == request->image_start);
	PROVE(!request->image_is_movable || uaddr_to_u64(layout->image.start) % request->image_align == 0);
	PROVE(request->is_random || uaddr_to_u64(layout->stack.end) == profile->stack_top);
	PROVE((request->kind != LAYOUT_CLASSIC && request->is_random) || request->kind == LAYOUT_FLEXIBLE ||
	      layout_mmap_base(layout) == profile->unmapped_base);
	PROVE(request->kind != LAYOUT_FLEXIBLE || gap >= layout->gap);
	PROVE(request->kind != LAYOUT_FLEXIBLE || layout->gap >= LAYOUT_MIN_GAP);
}

static void prove_profile(enum layout_architecture architecture)
{
	const struct layout_profile *profile = layout_profile_of(architecture);
	const struct layout_request request = any_request();
	struct layout layout;

	PROVE(layout_profile_is_valid(profile));
	if (layout_make(profile, &request, &layout) != STATUS_OK)
		return;
	PROVE(layout_is_valid(&layout));
	prove_apart(&layout, profile);
	prove_as_asked(&layout, &request, profile);
}

PROOF(layout_amd64)
{
	prove_profile(LAYOUT_AMD64);
}

PROOF(layout_ia32)
{
	prove_profile(LAYOUT_IA32);
}

PROOF(layout_ultrasparc)
{
	prove_profile(LAYOUT_ULTRASPARC);
}
