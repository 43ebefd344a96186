/* MemoryObject: abi/memory_object_abi.h. The dispatcher holds a use of the object during each call. */
#include "abi/memory_object_abi.h"

#include "abi/frame_allocator_abi.h"
#include "kernel/cap/call.h"
#include "kernel/mem/borrowed.h"
#include "kernel/mem/memory_object.h"
#include "lib/check.h"

static struct memory_object *object_of(const struct call *call)
{
	return call->hold.object;
}

/*
 * A narrower capability says in its badge what it sees: read-only or not, the first page, and how many pages. 0 is the
 * whole object.
 */
#define VIEW_READ_ONLY (UINT64_C(1) << 63)
#define VIEW_PART (UINT64_C(1) << 62)
#define VIEW_PAGES_SHIFT 28
#define VIEW_MASK ((UINT64_C(1) << VIEW_PAGES_SHIFT) - 1)

_Static_assert(MEMORY_OBJECT_MAX_PAGES <= VIEW_MASK, "a count of pages fits");

struct memory_window memory_object_window(const struct cap_hold *hold)
{
	const struct memory_object *object = hold->object;
	uint64_t badge = hold->badge;
	struct memory_window window = { 0, object->pages, (badge & VIEW_READ_ONLY) != 0 };

	if ((badge & VIEW_PART) != 0) {
		window.first = badge & VIEW_MASK;
		window.pages = badge >> VIEW_PAGES_SHIFT & VIEW_MASK;
	}
	return window;
}

static uint64_t badge_of(const struct memory_window *window)
{
	return (window->is_read_only ? VIEW_READ_ONLY : 0) | VIEW_PART | window->pages << VIEW_PAGES_SHIFT |
	       window->first;
}

static enum status info(struct call *call)
{
	struct memory_object *object = object_of(call);
	struct memory_window window = memory_object_window(&call->hold);
	struct memory_object_info result = {
		.page_count = window.pages,
		.size = window.pages << PAGE_SHIFT,
		.flags = object->flags != 0 ? FRAME_ALLOCATOR_CONTIGUOUS : 0,
	};

	if (window.is_read_only)
		result.flags |= MEMORY_OBJECT_INFO_READ_ONLY;
	spinlock_acquire(&object->lock);
	result.mapped_pages = object->mappings;
	result.holds = object->holds;
	spinlock_release(&object->lock);
	call->value = result.page_count;
	return call_write_result(call, call->argument[0], call->argument[1], &result, sizeof(result));
}

/* Pages [offset, offset + length) of what the capability sees, in pages of the object. */
static enum status check_part(const struct memory_window *window, uint64_t offset, uint64_t length, uint64_t *first,
			      uint64_t *pages)
{
	GUARD(u64_is_page_aligned(offset), STATUS_MISALIGNED);
	TRY(page_count_of_length(length, pages));
	GUARD(offset >> PAGE_SHIFT <= window->pages, STATUS_BEYOND_OBJECT);
	GUARD(*pages <= window->pages - (offset >> PAGE_SHIFT), STATUS_BEYOND_OBJECT);
	*first = window->first + (offset >> PAGE_SHIFT);
	return STATUS_OK;
}

static enum status map(struct call *call)
{
	uint64_t flags = call->argument[4];
	struct placement placement = { call->argument[0], call->argument[2], flags == MEMORY_OBJECT_FIXED };
	struct memory_window window = memory_object_window(&call->hold);
	struct uaddr_range range;
	uint64_t first, pages;

	GUARD((flags & ~(uint64_t)MEMORY_OBJECT_FIXED) == 0, STATUS_UNSUPPORTED);
	TRY(protection_check(call->argument[3]));
	GUARD((call->argument[3] & PROTECTION_WRITE) == 0 || !window.is_read_only, STATUS_NOT_PERMITTED);
	TRY(check_part(&window, call->argument[1], call->argument[2], &first, &pages));
	TRY(borrowed_map(&call->process->space, object_of(call), &placement, first, (uint32_t)call->argument[3],
			 &range));
	call->value = uaddr_to_u64(range.start);
	return STATUS_OK;
}

static enum status unmap(struct call *call)
{
	struct memory_window window = memory_object_window(&call->hold);
	struct uaddr_range range;

	TRY(uaddr_range_of_pages(call->argument[0], call->argument[1], &range));
	return borrowed_unmap(&call->process->space, object_of(call), &window, range);
}

static enum status protect(struct call *call)
{
	struct memory_window window = memory_object_window(&call->hold);
	struct uaddr_range range;

	TRY(protection_check(call->argument[2]));
	TRY(uaddr_range_of_pages(call->argument[0], call->argument[1], &range));
	return borrowed_protect(&call->process->space, object_of(call), &window, range, (uint32_t)call->argument[2]);
}

static enum status restrict_view(struct call *call)
{
	const struct memory_window window = memory_object_window(&call->hold);
	struct memory_window part = { .is_read_only = window.is_read_only };
	struct cap_hold hold = call->hold;

	GUARD((call->argument[2] & ~(uint64_t)MEMORY_OBJECT_READ_ONLY) == 0, STATUS_UNSUPPORTED);
	TRY(check_part(&window, call->argument[0], call->argument[1], &part.first, &part.pages));
	part.is_read_only = part.is_read_only || call->argument[2] == MEMORY_OBJECT_READ_ONLY;
	hold.badge = badge_of(&part);
	return call_add_result(call, &hold);
}

static call_handler_t *const handlers[] = {
	[MEMORY_OBJECT_INFO] = info,
	[MEMORY_OBJECT_MAP] = map,
	[MEMORY_OBJECT_UNMAP] = unmap,
	[MEMORY_OBJECT_PROTECT] = protect,
	[MEMORY_OBJECT_RESTRICT] = restrict_view,
};

_Static_assert(COUNT_OF(handlers) == MEMORY_OBJECT_OPERATION_COUNT, "a handler for each operation");

const struct call_table memory_object_calls = { handlers, COUNT_OF(handlers) };
