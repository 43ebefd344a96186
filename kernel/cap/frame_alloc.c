/* FrameAllocator: abi/frame_allocator_abi.h. Frames go out as memory objects, never as addresses. */
#include "abi/frame_allocator_abi.h"

#include "kernel/cap/call.h"
#include "kernel/mem/memory_object.h"
#include "lib/check.h"

/* Everything is charged: make the object, then its slot, then show it. */
static enum status allocate_charged(struct call *call)
{
	struct cap_hold hold = { .interface = INTERFACE_MEMORY_OBJECT, .mode = TRANSFER_COPY };
	struct memory_object *object;
	enum status status;

	TRY(memory_object_create(call->argument[0], call->argument[1], &object));
	status = process_reserve_capability(call->process, &call->capability);
	if (status != STATUS_OK) {
		call->capability = HANDLE_NONE;
		memory_object_drop_hold(object);
		return status;
	}
	hold.object = object;
	process_publish_capability(call->process, call->capability, &hold);
	call->value = 0; /* index of the result capability */
	call->interface = INTERFACE_MEMORY_OBJECT;
	return STATUS_OK;
}

static enum status allocate(struct call *call)
{
	uint64_t pages = call->argument[0];
	uint64_t flags = call->argument[1];
	struct charge charge = { .kinds = 0 };
	enum status status;

	GUARD((flags & ~(uint64_t)(FRAME_ALLOCATOR_CONTIGUOUS | FRAME_ALLOCATOR_ALIGN_2MIB)) == 0, STATUS_UNSUPPORTED);
	GUARD(pages != 0, STATUS_ZERO_LENGTH);
	GUARD(pages <= MEMORY_OBJECT_MAX_PAGES, STATUS_TOO_LONG);
	charge_add(&charge, LEDGER_FRAME_GRANT, pages);
	charge_add(&charge, LEDGER_CAP_SLOTS, 1);
	charge_add(&charge, LEDGER_KERNEL_OBJECT, memory_object_kernel_bytes(pages, flags));
	TRY(account_charge(&call->process->account, &charge));
	status = allocate_charged(call);
	if (status != STATUS_OK)
		account_cancel(&call->process->account, &charge);
	return status;
}

static call_handler_t *const handlers[] = { [FRAME_ALLOCATOR_ALLOCATE] = allocate };

_Static_assert(COUNT_OF(handlers) == FRAME_ALLOCATOR_OPERATION_COUNT, "a handler for each operation");

const struct call_table frame_alloc_calls = { handlers, COUNT_OF(handlers) };
