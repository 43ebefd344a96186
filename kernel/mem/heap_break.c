#include "kernel/mem/heap_break.h"

#include "kernel/mem/anonymous_internal.h"
#include "kernel/mem/demand.h"
#include "kernel/mem/page_walk.h"
#include "lib/check.h"

/* The end of the page that the byte before `address` lies in. */
static uint64_t page_up(uint64_t address)
{
	return (address + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

static enum status grow(struct address_space *space, struct uaddr_range pages)
{
	struct page_walk walk;

	page_walk_begin(&walk, space, pages);
	GUARD(!page_gap_is_used(&walk), STATUS_HEAP_MEETS_MAPPING);
	walk.kind = PAGE_ANONYMOUS;
	walk.protection = PROTECTION_READ | PROTECTION_WRITE;
	return demand_create(&walk);
}

static enum status shrink(struct address_space *space, struct uaddr_range pages)
{
	struct page_walk walk;

	page_walk_begin(&walk, space, pages);
	return anonymous_unmap_locked(&walk);
}

static enum status move_locked(struct address_space *space, uint64_t address)
{
	uint64_t old_end = page_up(space->heap_break);
	uint64_t new_end = page_up(address);

	if (new_end > old_end)
		TRY(grow(space, uaddr_range_make(old_end, new_end)));
	else if (new_end < old_end)
		TRY(shrink(space, uaddr_range_make(new_end, old_end)));
	space->heap_break = address;
	return STATUS_OK;
}

enum status heap_break_move(struct address_space *space, uint64_t address, uint64_t *heap_break)
{
	const struct uaddr_range heap = space->areas.heap;
	enum status status = STATUS_OK;

	GUARD(uaddr_range_bytes(heap) != 0, STATUS_UNSUPPORTED);
	GUARD(address == 0 || address >= uaddr_to_u64(heap.start), STATUS_BAD_ARGUMENT);
	GUARD(address <= uaddr_to_u64(heap.end), STATUS_HEAP_MEETS_MAPPING);
	address_space_lock(space, heap);
	if (address != 0)
		status = move_locked(space, address);
	*heap_break = space->heap_break;
	address_space_unlock(space, heap);
	return status;
}
