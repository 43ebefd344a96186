#include "user/demos/vm-contract/buffer_refusals.h"

#include "lib/check.h"
#include "lib/string.h"
#include "user/demos/vm-contract/contract.h"

#define TEXT_BYTES 16u
#define CANARY 0xc5
#define NOTHING_ADDRESS (USER_START + BYTES(16)) /* in the low part, where nothing is put without a fixed hint */

/*
 * Five pages in a row: 0 read-write, 1 read-only, 2 read-write, 3 no access, 4 reserved. A buffer that starts 8 bytes
 * before the end of page 0 or 2 straddles into what it may not touch.
 */
static uint64_t pages;

struct bad_buffer {
	const char *why;
	uint64_t address;
	enum status wanted;
};

static uint64_t page(uint32_t number)
{
	return pages + BYTES(number);
}

static enum status set_scene(void)
{
	void *start;

	TRY(contract_reserve(5, &start));
	pages = (uint64_t)start;
	TRY(contract_commit(start, 4, READ_WRITE));
	contract_fill(start, 4, CANARY);
	TRY(contract_protect(contract_page(start, 1), 1, READ_ONLY));
	return contract_protect(contract_page(start, 3), 1, PROTECTION_NONE);
}

/* Operations that write `bytes` to the buffer in argument number `argument`. */
struct writer {
	const char *name;
	handle_t capability;
	uint16_t operation;
	uint8_t argument;
	uint64_t first; /* argument 0, if that is not the buffer */
	uint64_t bytes;
};

static void refuse_writes(const struct writer *writer)
{
	const struct bad_buffer buffer[] = {
		{ "into read-only memory", page(1), STATUS_BUFFER_FAULT },
		{ "into memory without access", page(3), STATUS_BUFFER_FAULT },
		{ "into reserved memory", page(4), STATUS_BUFFER_FAULT },
		{ "into nothing", NOTHING_ADDRESS, STATUS_BUFFER_FAULT },
		{ "into null", 0, STATUS_BUFFER_FAULT },
		{ "into the CapSet", CAPSET_ADDRESS, STATUS_BUFFER_FAULT },
		{ "into program text", (uint64_t)refuse_writes, STATUS_BUFFER_FAULT },
		{ "across into read-only memory", page(1) - 8, STATUS_BUFFER_FAULT },
		{ "across into memory without access", page(3) - 8, STATUS_BUFFER_FAULT },
		{ "across out of the user half", USER_LIMIT - 8, STATUS_NOT_USER_ADDRESS },
		{ "into the last page of the canonical half", USER_LIMIT, STATUS_NOT_USER_ADDRESS },
		{ "to a non-canonical address", NON_CANONICAL_ADDRESS, STATUS_NOT_USER_ADDRESS },
		{ "into kernel memory", KERNEL_ADDRESS + BYTES(512), STATUS_NOT_USER_ADDRESS },
		{ "into the kernel image", UINT64_C(0xffffffff80100000), STATUS_NOT_USER_ADDRESS },
		{ "across the end of 2^64", UINT64_MAX - 7, STATUS_RANGE_WRAPS },
	};

	for (uint32_t i = 0; i < COUNT_OF(buffer); i++) {
		struct ring_submission request = { .opcode = RING_CALL,
						   .operation = writer->operation,
						   .capability = writer->capability,
						   .argument = { writer->first } };

		request.argument[writer->argument] = buffer[i].address;
		request.argument[writer->argument + 1] = writer->bytes;
		contract_refuse(writer->name, buffer[i].why, &request, buffer[i].wanted);
	}
}

static void refuse_all_writes(handle_t object)
{
	handle_t memory = contract.memory.handle, package = contract.package.handle;
	handle_t inspector = contract.inspector.handle;
	const struct writer writer[] = {
		{ "query", memory, VIRTUAL_MEMORY_QUERY, 1, pages, sizeof(struct virtual_memory_region) },
		{ "statistics", memory, VIRTUAL_MEMORY_STATISTICS, 0, 0, sizeof(struct memory_statistics) },
		{ "object info", object, MEMORY_OBJECT_INFO, 0, 0, sizeof(struct memory_object_info) },
		{ "package stat", package, BOOT_PACKAGE_STAT, 1, 0, sizeof(struct boot_package_entry) },
		{ "inspector memory", inspector, INSPECTOR_MEMORY, 0, 0, sizeof(struct inspector_memory) },
		{ "inspector check", inspector, INSPECTOR_CHECK, 0, 0, sizeof(struct inspector_check) },
		{ "console read", contract.console.handle, CONSOLE_READ, 0, 0, TEXT_BYTES },
	};

	for (uint32_t i = 0; i < COUNT_OF(writer); i++)
		refuse_writes(&writer[i]);
}

/* BOOT_PACKAGE_READ (index, offset, buffer, bytes): data of a file, not a result struct. */
static void refuse_file_reads(void)
{
	const struct bad_buffer buffer[] = {
		{ "into read-only memory", page(1), STATUS_BUFFER_FAULT },
		{ "across into read-only memory", page(1) - 8, STATUS_BUFFER_FAULT },
		{ "into reserved memory", page(4), STATUS_BUFFER_FAULT },
		{ "into kernel memory", KERNEL_ADDRESS, STATUS_NOT_USER_ADDRESS },
		{ "across the end of 2^64", UINT64_MAX - 7, STATUS_RANGE_WRAPS },
	};

	for (uint32_t i = 0; i < COUNT_OF(buffer); i++)
		contract_refuse(
			"package read", buffer[i].why,
			REQUEST(contract.package.handle, BOOT_PACKAGE_READ, 0, 0, buffer[i].address, TEXT_BYTES),
			buffer[i].wanted);
	contract_refuse("package read", "no such file",
			REQUEST(contract.package.handle, BOOT_PACKAGE_READ, UINT64_MAX, 0, page(0), TEXT_BYTES),
			STATUS_NOT_FOUND);
	contract_refuse("package stat", "no such file",
			REQUEST(contract.package.handle, BOOT_PACKAGE_STAT, UINT64_MAX, page(0), BYTES(1)),
			STATUS_NOT_FOUND);
}

static void refuse_texts(const char *name, handle_t capability, uint16_t operation)
{
	const struct bad_buffer buffer[] = {
		{ "from memory without access", page(3), STATUS_BUFFER_FAULT },
		{ "from reserved memory", page(4), STATUS_BUFFER_FAULT },
		{ "from null", 0, STATUS_BUFFER_FAULT },
		{ "across into memory without access", page(3) - 8, STATUS_BUFFER_FAULT },
		{ "across out of the user half", USER_LIMIT - 8, STATUS_NOT_USER_ADDRESS },
		{ "from a non-canonical address", NON_CANONICAL_ADDRESS, STATUS_NOT_USER_ADDRESS },
		{ "from kernel memory", KERNEL_ADDRESS, STATUS_NOT_USER_ADDRESS },
		{ "across the end of 2^64", UINT64_MAX - 7, STATUS_RANGE_WRAPS },
	};

	for (uint32_t i = 0; i < COUNT_OF(buffer); i++)
		contract_refuse(name, buffer[i].why, REQUEST(capability, operation, buffer[i].address, TEXT_BYTES),
				buffer[i].wanted);
}

static void refuse_sizes(handle_t object)
{
	handle_t memory = contract.memory.handle;

	contract_refuse("query", "buffer a byte too small",
			REQUEST(memory, VIRTUAL_MEMORY_QUERY, pages, page(0), sizeof(struct virtual_memory_region) - 1),
			STATUS_TOO_LONG);
	contract_refuse("statistics", "buffer of no size", REQUEST(memory, VIRTUAL_MEMORY_STATISTICS, page(0), 0),
			STATUS_TOO_LONG);
	contract_refuse("object info", "buffer a byte too small",
			REQUEST(object, MEMORY_OBJECT_INFO, page(0), sizeof(struct memory_object_info) - 1),
			STATUS_TOO_LONG);
	contract_refuse("console write", "more than one call takes",
			REQUEST(contract.console.handle, CONSOLE_WRITE, page(0), CONSOLE_MAX_BYTES + 1),
			STATUS_TOO_LONG);
	contract_refuse("console read", "more than one call takes",
			REQUEST(contract.console.handle, CONSOLE_READ, page(0), CONSOLE_MAX_BYTES + 1),
			STATUS_TOO_LONG);
	contract_refuse("console read", "no bytes", REQUEST(contract.console.handle, CONSOLE_READ, page(0), 0),
			STATUS_ZERO_LENGTH);
	contract_refuse("package find", "name too long",
			REQUEST(contract.package.handle, BOOT_PACKAGE_FIND, page(0), BOOT_PACKAGE_NAME_BYTES),
			STATUS_TOO_LONG);
	contract_refuse("package find", "empty name", REQUEST(contract.package.handle, BOOT_PACKAGE_FIND, page(0), 0),
			STATUS_ZERO_LENGTH);
}

/* Results go out whole or not at all: not a byte was written up to where a refused buffer became bad. */
static void buffers_are_untouched(void)
{
	EXPECT(contract_is_filled((const void *)page(0), 3, CANARY));
	EXPECT_OK(contract_protect((const void *)page(3), 1, READ_ONLY));
	EXPECT(contract_is_filled((const void *)page(3), 1, CANARY));
}

/* The largest buffer that fits: it ends where the bad page begins. */
static void buffer_may_end_at_the_edge(void)
{
	struct memory_statistics *edge = (struct memory_statistics *)(page(1) - sizeof(struct memory_statistics));

	EXPECT_OK(virtual_memory_client_statistics(contract.memory, edge));
	EXPECT(edge->system_frames > 0);
}

void buffer_refusals_check(void)
{
	static const struct promise promise[] = {
		{ "refused-results-write-nothing", buffers_are_untouched },
		{ "buffer-may-end-at-the-edge", buffer_may_end_at_the_edge },
	};
	struct memory_object_client object;

	CHECK(set_scene() == STATUS_OK);
	CHECK(contract_allocate(1, &object) == STATUS_OK);
	refuse_all_writes(object.handle);
	refuse_file_reads();
	refuse_texts("console write", contract.console.handle, CONSOLE_WRITE);
	refuse_texts("package find", contract.package.handle, BOOT_PACKAGE_FIND);
	refuse_sizes(object.handle);
	contract_check(promise, COUNT_OF(promise));
	CHECK(ring_client_release(object.handle) == STATUS_OK);
	CHECK(contract_unmap((const void *)pages, 5) == STATUS_OK);
}
