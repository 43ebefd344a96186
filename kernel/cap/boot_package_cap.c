/* BootPackage: abi/boot_package_abi.h. */
#include "abi/boot_package_abi.h"

#include "kernel/cap/call.h"
#include "kernel/mem/user_access.h"
#include "kernel/task/boot_package.h"
#include "lib/check.h"
#include "lib/string.h"

#define READ_MAX_BYTES (UINT64_C(1) << 16) /* of one call, a bounded step; less is fine, the answer says how much */

static enum status stat(struct call *call)
{
	const struct archive *archive = boot_package_archive();
	struct boot_package_entry entry = { 0 };

	GUARD(call->argument[0] < archive->count, STATUS_NOT_FOUND);
	(void)string_copy(entry.name, sizeof(entry.name), archive->file[call->argument[0]].name);
	entry.size = archive->file[call->argument[0]].size;
	return call_write_result(call, call->argument[1], call->argument[2], &entry, sizeof(entry));
}

static enum status find(struct call *call)
{
	char name[BOOT_PACKAGE_NAME_BYTES] = { 0 };
	uint32_t index;

	GUARD(call->argument[1] != 0, STATUS_ZERO_LENGTH);
	GUARD(call->argument[1] < sizeof(name), STATUS_TOO_LONG);
	TRY(user_access_read(&call->process->space, call->argument[0], call->argument[1], name));
	TRY(archive_find(boot_package_archive(), name, &index));
	call->value = index;
	return STATUS_OK;
}

static enum status read(struct call *call)
{
	const struct archive *archive = boot_package_archive();
	const struct archive_file *file;
	uint64_t offset = call->argument[1];
	uint64_t bytes = call->argument[3];

	GUARD(call->argument[0] < archive->count, STATUS_NOT_FOUND);
	file = &archive->file[call->argument[0]];
	if (offset > file->size)
		offset = file->size;
	if (bytes > file->size - offset)
		bytes = file->size - offset;
	if (bytes > READ_MAX_BYTES)
		bytes = READ_MAX_BYTES;
	TRY(user_access_write(&call->process->space, call->argument[2], bytes, file->data + offset));
	call->value = bytes;
	return STATUS_OK;
}

static call_handler_t *const handlers[] = {
	[BOOT_PACKAGE_STAT] = stat,
	[BOOT_PACKAGE_FIND] = find,
	[BOOT_PACKAGE_READ] = read,
};

_Static_assert(COUNT_OF(handlers) == BOOT_PACKAGE_OPERATION_COUNT, "a handler for each operation");

const struct call_table boot_package_calls = { handlers, COUNT_OF(handlers) };
