#include "user/demos/vm-contract/range_refusals.h"

#include "lib/check.h"
#include "user/demos/vm-contract/contract.h"

/* One operation that takes a range, and where its range and the rest of its arguments stand. */
struct range_operation {
	const char *name;
	uint16_t operation;
	uint8_t address, length; /* argument numbers */
	uint64_t argument[6];
};

static const struct range_operation anonymous[] = {
	{ "map", VIRTUAL_MEMORY_MAP, 0, 1, { [2] = READ_WRITE, [3] = VIRTUAL_MEMORY_FIXED } },
	{ "reserve", VIRTUAL_MEMORY_RESERVE, 0, 1, { [2] = VIRTUAL_MEMORY_FIXED } },
	{ "commit", VIRTUAL_MEMORY_COMMIT, 0, 1, { [2] = READ_WRITE } },
	{ "decommit", VIRTUAL_MEMORY_DECOMMIT, 0, 1, { 0 } },
	{ "protect", VIRTUAL_MEMORY_PROTECT, 0, 1, { [2] = READ_ONLY } },
	{ "unmap", VIRTUAL_MEMORY_UNMAP, 0, 1, { 0 } },
};

static const struct range_operation borrowed[] = {
	{ "object map", MEMORY_OBJECT_MAP, 0, 2, { [3] = READ_WRITE, [4] = MEMORY_OBJECT_FIXED } },
	{ "object unmap", MEMORY_OBJECT_UNMAP, 0, 1, { 0 } },
	{ "object protect", MEMORY_OBJECT_PROTECT, 0, 1, { [2] = READ_ONLY } },
};

static const struct {
	const char *why;
	uint64_t address, length;
	enum status wanted;
} bad_range[] = {
	{ "no length", 0x10000000, 0, STATUS_ZERO_LENGTH },
	{ "address inside a page", 0x10000008, PAGE_SIZE, STATUS_MISALIGNED },
	{ "length inside a page", 0x10000000, PAGE_SIZE + 1, STATUS_MISALIGNED },
	{ "length below a page", 0x10000000, 1, STATUS_MISALIGNED },
	{ "range wraps", UINT64_MAX - PAGE_SIZE + 1, BYTES(2), STATUS_RANGE_WRAPS },
	{ "range wraps to null", UINT64_MAX - PAGE_SIZE + 1, PAGE_SIZE, STATUS_RANGE_WRAPS },
	{ "null page", 0, PAGE_SIZE, STATUS_NOT_USER_ADDRESS },
	{ "last page of the low hole", USER_START - PAGE_SIZE, PAGE_SIZE, STATUS_NOT_USER_ADDRESS },
	{ "into the user half from below", USER_START - PAGE_SIZE, BYTES(2), STATUS_NOT_USER_ADDRESS },
	{ "last page of the canonical half", USER_LIMIT, PAGE_SIZE, STATUS_NOT_USER_ADDRESS },
	{ "out of the user half", USER_LIMIT - PAGE_SIZE, BYTES(2), STATUS_NOT_USER_ADDRESS },
	{ "non-canonical", NON_CANONICAL_ADDRESS, PAGE_SIZE, STATUS_NOT_USER_ADDRESS },
	{ "kernel half", KERNEL_ADDRESS, PAGE_SIZE, STATUS_NOT_USER_ADDRESS },
	{ "kernel image", UINT64_C(0xffffffff80100000), PAGE_SIZE, STATUS_NOT_USER_ADDRESS },
	{ "ring", RING_ADDRESS, PAGE_SIZE, STATUS_BOOTSTRAP_RANGE },
	{ "CapSet", CAPSET_ADDRESS, PAGE_SIZE, STATUS_BOOTSTRAP_RANGE },
	{ "empty page of the bootstrap window", BOOTSTRAP_END - PAGE_SIZE, PAGE_SIZE, STATUS_BOOTSTRAP_RANGE },
	{ "into the bootstrap window", BOOTSTRAP_START - PAGE_SIZE, BYTES(2), STATUS_BOOTSTRAP_RANGE },
};

static void refuse_all(handle_t capability, const struct range_operation *operation)
{
	for (uint32_t i = 0; i < COUNT_OF(bad_range); i++) {
		struct ring_submission request = { .opcode = RING_CALL,
						   .operation = operation->operation,
						   .capability = capability };

		for (uint32_t j = 0; j < COUNT_OF(operation->argument); j++)
			request.argument[j] = operation->argument[j];
		request.argument[operation->address] = bad_range[i].address;
		request.argument[operation->length] = bad_range[i].length;
		contract_refuse(operation->name, bad_range[i].why, &request, bad_range[i].wanted);
	}
}

/* Lengths without an address. */
static void refuse_lengths(handle_t object)
{
	handle_t memory = contract.memory.handle;

	contract_refuse("map", "no length, anywhere", REQUEST(memory, VIRTUAL_MEMORY_MAP, 0, 0, READ_WRITE, 0),
			STATUS_ZERO_LENGTH);
	contract_refuse("map", "length inside a page, anywhere",
			REQUEST(memory, VIRTUAL_MEMORY_MAP, 0, 4097, READ_WRITE, 0), STATUS_MISALIGNED);
	contract_refuse("reserve", "no length, anywhere", REQUEST(memory, VIRTUAL_MEMORY_RESERVE, 0, 0, 0),
			STATUS_ZERO_LENGTH);
	contract_refuse("reserve", "longer than the user half",
			REQUEST(memory, VIRTUAL_MEMORY_RESERVE, 0, USER_LIMIT, 0), STATUS_NOT_USER_ADDRESS);
	contract_refuse("reserve", "all of 2^64",
			REQUEST(memory, VIRTUAL_MEMORY_RESERVE, 0, UINT64_MAX - PAGE_SIZE + 1, 0),
			STATUS_NOT_USER_ADDRESS);
	contract_refuse("object map", "no length, anywhere", REQUEST(object, MEMORY_OBJECT_MAP, 0, 0, 0, READ_ONLY),
			STATUS_ZERO_LENGTH);
	contract_refuse("object map", "offset inside a page",
			REQUEST(object, MEMORY_OBJECT_MAP, 0, 12, PAGE_SIZE, READ_ONLY), STATUS_MISALIGNED);
	contract_refuse("query", "null", REQUEST(memory, VIRTUAL_MEMORY_QUERY, 0, (uint64_t)&object, 4096),
			STATUS_NOT_USER_ADDRESS);
	contract_refuse("query", "last page of the canonical half",
			REQUEST(memory, VIRTUAL_MEMORY_QUERY, USER_LIMIT, (uint64_t)&object, 4096),
			STATUS_NOT_USER_ADDRESS);
	contract_refuse("query", "kernel half",
			REQUEST(memory, VIRTUAL_MEMORY_QUERY, KERNEL_ADDRESS, (uint64_t)&object, 4096),
			STATUS_NOT_USER_ADDRESS);
}

void range_refusals_check(void)
{
	struct memory_object_client object;

	for (uint32_t i = 0; i < COUNT_OF(anonymous); i++)
		refuse_all(contract.memory.handle, &anonymous[i]);
	CHECK(contract_allocate(4, &object) == STATUS_OK);
	for (uint32_t i = 0; i < COUNT_OF(borrowed); i++)
		refuse_all(object.handle, &borrowed[i]);
	refuse_lengths(object.handle);
	CHECK(ring_client_release(object.handle) == STATUS_OK);
}
