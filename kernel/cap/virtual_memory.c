/* VirtualMemory: abi/virtual_memory_abi.h. The space is the caller's own: the capability is bound to it. */
#include "abi/virtual_memory_abi.h"

#include "kernel/cap/call.h"
#include "kernel/mem/anonymous.h"
#include "kernel/mem/frame.h"
#include "lib/check.h"

/* The space that the capability names. */
static struct address_space *space_of(const struct call *call)
{
	return call->hold.object;
}

static enum status placement_decode(const struct call *call, uint64_t flags, struct placement *placement)
{
	GUARD((flags & ~(uint64_t)VIRTUAL_MEMORY_FIXED) == 0, STATUS_UNSUPPORTED);
	*placement = (struct placement){ call->argument[0], call->argument[1], flags == VIRTUAL_MEMORY_FIXED };
	return STATUS_OK;
}

static enum status map(struct call *call)
{
	struct placement placement;
	struct uaddr_range range;

	TRY(placement_decode(call, call->argument[3], &placement));
	TRY(protection_check(call->argument[2]));
	TRY(anonymous_map(space_of(call), &placement, (uint32_t)call->argument[2], &range));
	call->value = uaddr_to_u64(range.start);
	return STATUS_OK;
}

static enum status reserve(struct call *call)
{
	struct placement placement;
	struct uaddr_range range;

	TRY(placement_decode(call, call->argument[2], &placement));
	TRY(anonymous_reserve(space_of(call), &placement, &range));
	call->value = uaddr_to_u64(range.start);
	return STATUS_OK;
}

static enum status commit(struct call *call)
{
	struct uaddr_range range;

	TRY(protection_check(call->argument[2]));
	TRY(uaddr_range_of_pages(call->argument[0], call->argument[1], &range));
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

static call_handler_t *const handlers[] = {
	[VIRTUAL_MEMORY_MAP] = map,         [VIRTUAL_MEMORY_RESERVE] = reserve,
	[VIRTUAL_MEMORY_COMMIT] = commit,   [VIRTUAL_MEMORY_DECOMMIT] = decommit,
	[VIRTUAL_MEMORY_PROTECT] = protect, [VIRTUAL_MEMORY_UNMAP] = unmap,
	[VIRTUAL_MEMORY_QUERY] = query,     [VIRTUAL_MEMORY_STATISTICS] = statistics,
};

_Static_assert(COUNT_OF(handlers) == VIRTUAL_MEMORY_OPERATION_COUNT, "a handler for each operation");

const struct call_table virtual_memory_calls = { handlers, COUNT_OF(handlers) };
