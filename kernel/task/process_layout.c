#include "kernel/task/process_layout.h"

#include "abi/process_abi.h"
#include "kernel/task/entropy.h"
#include "kernel/task/program_image.h"

#define RANDOM_FLAGS (PROCESS_LAYOUT_SEEDED | PROCESS_LAYOUT_HEAP_OFFSET)
#define KNOWN_FLAGS (PROCESS_LAYOUT_FIXED | RANDOM_FLAGS)

_Static_assert(PROCESS_LAYOUT_CLASSIC - 1 == (int)LAYOUT_CLASSIC, "one number apart");
_Static_assert(PROCESS_LAYOUT_CLASSIC_RANDOM - 1 == (int)LAYOUT_CLASSIC_RANDOM, "one number apart");
_Static_assert(PROCESS_LAYOUT_FLEXIBLE - 1 == (int)LAYOUT_FLEXIBLE, "one number apart");
_Static_assert(ELF_PLAN_MAX_ALIGNMENT == LAYOUT_MAX_ALIGNMENT, "a plan that is made has a place");

static enum status check(const struct process_layout_wish *wish)
{
	GUARD(wish->kind < PROCESS_LAYOUT_COUNT, STATUS_BAD_ARGUMENT);
	GUARD((wish->flags & ~KNOWN_FLAGS) == 0, STATUS_BAD_ARGUMENT);
	GUARD((wish->flags & PROCESS_LAYOUT_FIXED) == 0 || wish->flags == PROCESS_LAYOUT_FIXED, STATUS_BAD_ARGUMENT);
	GUARD((wish->flags & PROCESS_LAYOUT_SEEDED) != 0 || wish->seed == 0, STATUS_BAD_ARGUMENT);
	return STATUS_OK;
}

static struct layout_offsets draw(const struct process_layout_wish *wish)
{
	if ((wish->flags & PROCESS_LAYOUT_FIXED) != 0)
		return (struct layout_offsets){ .stack = 0 };
	return (wish->flags & PROCESS_LAYOUT_SEEDED) != 0 ? layout_draw_seeded(wish->seed) : entropy_draw();
}

enum status process_layout_make(const struct process_layout_wish *wish, struct elf_plan *plan, struct layout *layout)
{
	const struct layout_profile *profile = layout_profile_of(LAYOUT_AMD64);
	const struct uaddr_range image = elf_plan_range(plan);
	struct layout_request request = layout_request_of(profile);

	TRY(check(wish));
	if (wish->kind != PROCESS_LAYOUT_DEFAULT)
		request.kind = (enum layout_kind)(wish->kind - 1);
	request.is_random = (wish->flags & PROCESS_LAYOUT_FIXED) == 0;
	request.has_heap_offset = (wish->flags & PROCESS_LAYOUT_HEAP_OFFSET) != 0;
	request.image_is_movable = plan->is_movable;
	request.image_start = uaddr_to_u64(image.start);
	request.image_bytes = uaddr_range_bytes(image) + program_image_tls_bytes(plan);
	request.image_align = plan->is_movable ? plan->alignment : PAGE_SIZE;
	if (wish->stack_limit != 0)
		request.stack_limit = wish->stack_limit;
	request.random = draw(wish);
	TRY(layout_make(profile, &request, layout));
	return plan->is_movable ? elf_plan_place(plan, uaddr_to_u64(layout->image.start)) : STATUS_OK;
}

struct space_areas process_layout_areas(const struct layout *layout)
{
	return (struct space_areas){
		.map = layout->mmap,
		.map_upward = layout->mmap_direction == LAYOUT_UPWARD,
		.heap = layout->heap,
		.stack = layout->stack,
		.guard = layout->guard,
	};
}

uint32_t process_layout_kind(const struct layout *layout)
{
	return (uint32_t)layout->kind + 1;
}
