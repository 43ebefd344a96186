/* The plain model's break: a lazy range that grows and shrinks at its end. */
#include "abi/memory_layout.h"
#include "lib/check.h"
#include "lib/range.h"
#include "tests/host/space_model.h"

enum status space_model_break(struct space_model *model, uint64_t address)
{
	struct model_range range = { .start = (model->heap_break + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1) };
	const struct uaddr_range heap = model->areas.heap;
	struct placement grown = { range.start, 0, true };
	enum status status = STATUS_OK;

	GUARD(uaddr_range_bytes(heap) != 0, STATUS_UNSUPPORTED);
	GUARD(address == 0 || address >= uaddr_to_u64(heap.start), STATUS_BAD_ARGUMENT);
	GUARD(address <= uaddr_to_u64(heap.end), STATUS_HEAP_MEETS_MAPPING);
	GUARD(address != 0, STATUS_OK);
	range.end = (address + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	if (range.end > range.start) {
		uint64_t start;

		grown.length = range.end - range.start;
		status = space_model_map_lazy(model, &grown, PROTECTION_READ | PROTECTION_WRITE, &start);
	} else if (range.end < range.start) {
		range = (struct model_range){ .start = range.end, .end = range.start };
		status = space_model_unmap(model, &range);
	}
	GUARD(status != STATUS_OCCUPIED, STATUS_HEAP_MEETS_MAPPING);
	TRY(status);
	model->heap_break = address;
	return STATUS_OK;
}
