/* FrameAllocator: abi/frame_allocator_abi.h. Frames go out as memory objects, never as addresses. */
#include "abi/frame_allocator_abi.h"

#include "kernel/cap/call.h"
#include "kernel/mem/memory_object.h"
#include "kernel/task/process_capability.h"
#include "lib/check.h"

/* All is charged; what may still fail is making the object, which takes the longest. */
static enum status create_object(struct call *call, const struct charge *charge, const struct capability_plan *plan,
				 struct memory_object **object)
{
	enum status status = account_charge_and_promise(&call->process->account, charge, plan->frames);

	if (status != STATUS_OK) {
		process_capability_cancel(call->process, plan);
		return status;
	}
	status = memory_object_create(call->argument[0], call->argument[1], object);
	if (status != STATUS_OK) {
		frame_promise_return(plan->frames);
		account_cancel(&call->process->account, charge);
		process_capability_cancel(call->process, plan);
	}
	return status;
}

static enum status allocate(struct call *call)
{
	struct cap_hold hold = { .interface = INTERFACE_MEMORY_OBJECT, .mode = TRANSFER_COPY };
	uint64_t pages = call->argument[0];
	uint64_t flags = call->argument[1];
	struct charge charge = { .kinds = 0 };
	struct capability_plan plan;
	struct memory_object *object;

	GUARD((flags & ~(uint64_t)(FRAME_ALLOCATOR_CONTIGUOUS | FRAME_ALLOCATOR_ALIGN_2MIB)) == 0, STATUS_UNSUPPORTED);
	GUARD(pages != 0, STATUS_ZERO_LENGTH);
	GUARD(pages <= MEMORY_OBJECT_MAX_PAGES, STATUS_TOO_LONG);
	charge_add(&charge, LEDGER_FRAME_GRANT, pages);
	charge_add(&charge, LEDGER_KERNEL_OBJECT, memory_object_kernel_bytes(pages, flags));
	TRY(process_capability_plan(call->process, 1, &charge, &plan));
	TRY(create_object(call, &charge, &plan, &object));
	hold.object = object;
	call->value = 0; /* index of the result capability */
	call->interface = INTERFACE_MEMORY_OBJECT;
	process_capability_reserve(call->process, &plan, 1, &call->capability);
	process_capability_publish(call->process, call->capability, &hold, call->process->id);
	return STATUS_OK;
}

static call_handler_t *const handlers[] = { [FRAME_ALLOCATOR_ALLOCATE] = allocate };

_Static_assert(COUNT_OF(handlers) == FRAME_ALLOCATOR_OPERATION_COUNT, "a handler for each operation");

const struct call_table frame_alloc_calls = { handlers, COUNT_OF(handlers) };
