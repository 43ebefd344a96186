#include "user/demos/vm-contract/capability_refusals.h"

#include "abi/handle.h"
#include "lib/check.h"
#include "user/demos/vm-contract/contract.h"

/* An id that names nothing must do nothing, whatever is asked of it. */
static void refuse_id(const char *why, handle_t id)
{
	struct ring_submission release = { .opcode = RING_RELEASE, .capability = id };

	contract_refuse("call", why, REQUEST(id, VIRTUAL_MEMORY_RESERVE, 0, BYTES(1), 0), STATUS_NO_SUCH_CAPABILITY);
	contract_refuse("release", why, &release, STATUS_NO_SUCH_CAPABILITY);
}

static void refuse_forged(void)
{
	handle_t memory = contract.memory.handle;
	handle_t generation = (handle_t)1 << HANDLE_GENERATION_SHIFT;

	refuse_id("id 0", HANDLE_NONE);
	refuse_id("all bits set", UINT32_MAX);
	refuse_id("generation 0", memory & HANDLE_INDEX_MASK);
	refuse_id("generation too new", memory + generation);
	refuse_id("last generation", memory | ~HANDLE_INDEX_MASK);
	refuse_id("index past the table", memory | HANDLE_INDEX_MASK);
	refuse_id("index of a free slot", generation | 100);
}

static void refuse_stale(void)
{
	struct memory_object_client object, next;

	CHECK(contract_allocate(1, &object) == STATUS_OK);
	CHECK(ring_client_release(object.handle) == STATUS_OK);
	refuse_id("released", object.handle);
	CHECK(contract_allocate(1, &next) == STATUS_OK);
	refuse_id("released, slot in use again", object.handle);
	contract_refuse("object info", "released, slot in use again", REQUEST(object.handle, MEMORY_OBJECT_INFO, 0, 0),
			STATUS_NO_SUCH_CAPABILITY);
	CHECK(ring_client_release(next.handle) == STATUS_OK);
	refuse_id("released twice", next.handle);
}

/* The interface is the permission: an operation that another interface has does not exist on this one. */
static void refuse_operations(handle_t object)
{
	const struct {
		const char *name;
		handle_t capability;
		uint16_t operations;
	} interface[] = {
		{ "VirtualMemory", contract.memory.handle, VIRTUAL_MEMORY_OPERATION_COUNT },
		{ "FrameAllocator", contract.frames.handle, FRAME_ALLOCATOR_OPERATION_COUNT },
		{ "MemoryObject", object, MEMORY_OBJECT_OPERATION_COUNT },
		{ "Console", contract.console.handle, CONSOLE_OPERATION_COUNT },
		{ "Timer", contract.timer.handle, TIMER_OPERATION_COUNT },
		{ "BootPackage", contract.package.handle, BOOT_PACKAGE_OPERATION_COUNT },
		{ "Inspector", contract.inspector.handle, INSPECTOR_OPERATION_COUNT },
		{ "SystemControl", contract.system.handle, SYSTEM_CONTROL_OPERATION_COUNT },
	};

	for (uint32_t i = 0; i < COUNT_OF(interface); i++) {
		contract_refuse(interface[i].name, "first operation past the last",
				REQUEST(interface[i].capability, interface[i].operations, 0, BYTES(1), READ_WRITE),
				STATUS_UNSUPPORTED);
		contract_refuse(interface[i].name, "operation 255",
				REQUEST(interface[i].capability, UINT8_MAX, 0, BYTES(1), READ_WRITE),
				STATUS_UNSUPPORTED);
		contract_refuse(interface[i].name, "operation 65535",
				REQUEST(interface[i].capability, UINT16_MAX, 0, BYTES(1), READ_WRITE),
				STATUS_UNSUPPORTED);
	}
}

static void refuse_flags(handle_t object)
{
	static const uint64_t flags[] = { 4, 6, UINT64_C(1) << 31, UINT64_C(1) << 32, UINT64_MAX };
	handle_t memory = contract.memory.handle;

	for (uint32_t i = 0; i < COUNT_OF(flags); i++) {
		contract_refuse("map", "unknown flag",
				REQUEST(memory, VIRTUAL_MEMORY_MAP, 0, BYTES(1), READ_WRITE, flags[i]),
				STATUS_UNSUPPORTED);
		contract_refuse("reserve", "unknown flag",
				REQUEST(memory, VIRTUAL_MEMORY_RESERVE, 0, BYTES(1), flags[i]), STATUS_UNSUPPORTED);
		contract_refuse("commit", "unknown flag",
				REQUEST(memory, VIRTUAL_MEMORY_COMMIT, BOOTSTRAP_END, BYTES(1), READ_WRITE, flags[i]),
				STATUS_UNSUPPORTED);
		contract_refuse("object map", "unknown flag",
				REQUEST(object, MEMORY_OBJECT_MAP, 0, 0, BYTES(1), READ_WRITE, flags[i]),
				STATUS_UNSUPPORTED);
		contract_refuse(
			"allocate", "unknown flag",
			REQUEST(contract.frames.handle, FRAME_ALLOCATOR_ALLOCATE, 1, flags[i] << 1 & ~UINT64_C(3)),
			STATUS_UNSUPPORTED);
	}
	contract_refuse(
		"commit", "fixed is no flag of it",
		REQUEST(memory, VIRTUAL_MEMORY_COMMIT, BOOTSTRAP_END, BYTES(1), READ_WRITE, VIRTUAL_MEMORY_FIXED),
		STATUS_UNSUPPORTED);
	contract_refuse("reserve", "lazy is no flag of it",
			REQUEST(memory, VIRTUAL_MEMORY_RESERVE, 0, BYTES(1), VIRTUAL_MEMORY_LAZY), STATUS_UNSUPPORTED);
	contract_refuse("object map", "lazy is no flag of it",
			REQUEST(object, MEMORY_OBJECT_MAP, 0, 0, BYTES(1), READ_WRITE, VIRTUAL_MEMORY_LAZY),
			STATUS_UNSUPPORTED);
}

static void refuse_odd_arguments(void)
{
	handle_t system = contract.system.handle;

	contract_refuse("allocate", "no pages", REQUEST(contract.frames.handle, FRAME_ALLOCATOR_ALLOCATE, 0, 0),
			STATUS_ZERO_LENGTH);
	contract_refuse("allocate", "more pages than addresses",
			REQUEST(contract.frames.handle, FRAME_ALLOCATOR_ALLOCATE, UINT64_MAX, 0), STATUS_TOO_LONG);
	contract_refuse("shortage", "a kernel that is not built for it",
			REQUEST(system, SYSTEM_CONTROL_SHORTAGE, SHORTAGE_EVERYWHERE, 1), STATUS_UNSUPPORTED);
	contract_refuse("halt", "code above 63", REQUEST(system, SYSTEM_CONTROL_HALT, 64), STATUS_BAD_ARGUMENT);
	contract_refuse("halt", "code of 64 bits", REQUEST(system, SYSTEM_CONTROL_HALT, UINT64_C(1) << 32),
			STATUS_BAD_ARGUMENT);
}

void capability_refusals_check(void)
{
	struct memory_object_client object;

	refuse_forged();
	refuse_stale();
	refuse_odd_arguments();
	CHECK(contract_allocate(1, &object) == STATUS_OK);
	refuse_operations(object.handle);
	refuse_flags(object.handle);
	CHECK(ring_client_release(object.handle) == STATUS_OK);
}
