/* VirtualMemory: abi/virtual_memory_abi.h. The space is the caller's own: the capability is bound to it. */
#include "abi/virtual_memory_abi.h"

#include "kernel/cap/call.h"
#include "kernel/mem/anonymous.h"
#include "kernel/mem/heap_break.h"
#include "lib/check.h"

/* The space that the capability names. */
static struct address_space *space_of(const struct call *call)
{
	return call->hold.object;
}

/* Where, and how, with those of the flags that the operation knows. */
static enum status placement_decode(const struct call *call, uint64_t flags, uint64_t known,
				    struct placement *placement)
{
	GUARD((flags & ~known) == 0, STATUS_UNSUPPORTED);
	*placement = (struct placement){ call->argument[0], call->argument[1], (flags & VIRTUAL_MEMORY_FIXED) != 0 };
	return STATUS_OK;
}

static enum status map(struct call *call)
{
	struct placement placement;
	struct uaddr_range range;

	TRY(placement_decode(call, call->argument[3], VIRTUAL_MEMORY_FIXED | VIRTUAL_MEMORY_LAZY, &placement));
	TRY(protection_check(call->argument[2]));
	if ((call->argument[3] & VIRTUAL_MEMORY_LAZY) != 0)
		TRY(anonymous_map_lazy(space_of(call), &placement, (uint32_t)call->argument[2], &range));
	else
		TRY(anonymous_map(space_of(call), &placement, (uint32_t)call->argument[2], &range));
	call->value = uaddr_to_u64(range.start);
	return STATUS_OK;
}

static enum status reserve(struct call *call)
{
	struct placement placement;
	struct uaddr_range range;

	TRY(placement_decode(call, call->argument[2], VIRTUAL_MEMORY_FIXED, &placement));
	TRY(anonymous_reserve(space_of(call), &placement, &range));
	call->value = uaddr_to_u64(range.start);
	return STATUS_OK;
}

static enum status commit(struct call *call)
{
	struct uaddr_range range;

	GUARD((call->argument[3] & ~(uint64_t)VIRTUAL_MEMORY_LAZY) == 0, STATUS_UNSUPPORTED);
	TRY(protection_check(call->argument[2]));
	TRY(uaddr_range_of_pages(call->argument[0], call->argument[1], &range));
	if ((call->argument[3] & VIRTUAL_MEMORY_LAZY) != 0)
		return anonymous_commit_lazy(space_of(call), range, (uint32_t)call->argument[2]);
	return anonymous_commit(space_of(call), range, (uint32_t)call->argument[2]);
}

static enum status decommit(struct call *call)
{
	struct uaddr_range range;

	TRY(uaddr_range_of_pages(call->argument[0], call->argument[1], &range));
	return anonymous_decommit(space_of(call), range);
}

static enum status protect(struct call *call)
{
	struct uaddr_range range;

	TRY(protection_check(call->argument[2]));
	TRY(uaddr_range_of_pages(call->argument[0], call->argument[1], &range));
	return anonymous_protect(space_of(call), range, (uint32_t)call->argument[2]);
}

static enum status unmap(struct call *call)
{
	struct uaddr_range range;

	TRY(uaddr_range_of_pages(call->argument[0], call->argument[1], &range));
	return anonymous_unmap(space_of(call), range);
}

static enum status query(struct call *call)
{
	struct virtual_memory_region region;

	TRY(address_space_query(space_of(call), call->argument[0], &region));
	return call_write_result(call, call->argument[1], call->argument[2], &region, sizeof(region));
}

static enum status statistics(struct call *call)
{
	struct memory_statistics result;

	process_read_statistics(call->process, &result);
	return call_write_result(call, call->argument[0], call->argument[1], &result, sizeof(result));
}

static enum status move_break(struct call *call)
{
	return heap_break_move(space_of(call), call->argument[0], &call->value);
}

static call_handler_t *const handlers[] = {
	[VIRTUAL_MEMORY_MAP] = map,          [VIRTUAL_MEMORY_RESERVE] = reserve,
	[VIRTUAL_MEMORY_COMMIT] = commit,    [VIRTUAL_MEMORY_DECOMMIT] = decommit,
	[VIRTUAL_MEMORY_PROTECT] = protect,  [VIRTUAL_MEMORY_UNMAP] = unmap,
	[VIRTUAL_MEMORY_QUERY] = query,      [VIRTUAL_MEMORY_STATISTICS] = statistics,
	[VIRTUAL_MEMORY_BREAK] = move_break,
};

_Static_assert(COUNT_OF(handlers) == VIRTUAL_MEMORY_OPERATION_COUNT, "a handler for each operation");

const struct call_table virtual_memory_calls = { handlers, COUNT_OF(handlers) };
