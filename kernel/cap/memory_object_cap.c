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

static enum status info(struct call *call)
{
	struct memory_object *object = object_of(call);
	struct memory_object_info result = {
		.page_count = object->pages,
		.size = object->pages << PAGE_SHIFT,
		.flags = object->flags != 0 ? FRAME_ALLOCATOR_CONTIGUOUS : 0,
	};

	spinlock_acquire(&object->lock);
	result.mapped_pages = object->mappings;
	result.holds = object->holds;
	spinlock_release(&object->lock);
	call->value = result.page_count;
	return call_write_result(call, call->argument[0], call->argument[1], &result, sizeof(result));
}

static enum status map(struct call *call)
{
	uint64_t offset = call->argument[1];
	uint64_t flags = call->argument[4];
	struct placement placement = { call->argument[0], call->argument[2], flags == MEMORY_OBJECT_FIXED };
	struct uaddr_range range;

	GUARD((flags & ~(uint64_t)MEMORY_OBJECT_FIXED) == 0, STATUS_UNSUPPORTED);
	TRY(protection_check(call->argument[3]));
	GUARD(u64_is_page_aligned(offset), STATUS_MISALIGNED);
	TRY(borrowed_map(&call->process->space, object_of(call), &placement, offset >> PAGE_SHIFT,
			 (uint32_t)call->argument[3], &range));
	call->value = uaddr_to_u64(range.start);
	return STATUS_OK;
}

static enum status unmap(struct call *call)
{
	struct uaddr_range range;

	TRY(uaddr_range_of_pages(call->argument[0], call->argument[1], &range));
	return borrowed_unmap(&call->process->space, object_of(call), range);
}

static enum status protect(struct call *call)
{
	struct uaddr_range range;

	TRY(protection_check(call->argument[2]));
	TRY(uaddr_range_of_pages(call->argument[0], call->argument[1], &range));
	return borrowed_protect(&call->process->space, object_of(call), range, (uint32_t)call->argument[2]);
}

static call_handler_t *const handlers[] = {
	[MEMORY_OBJECT_INFO] = info,
	[MEMORY_OBJECT_MAP] = map,
	[MEMORY_OBJECT_UNMAP] = unmap,
	[MEMORY_OBJECT_PROTECT] = protect,
};

_Static_assert(COUNT_OF(handlers) == MEMORY_OBJECT_OPERATION_COUNT, "a handler for each operation");

const struct call_table memory_object_calls = { handlers, COUNT_OF(handlers) };
