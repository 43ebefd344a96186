#include "user/runtime/boot_package_client.h"

#include "lib/string.h"
#include "user/runtime/ring_client.h"

enum status boot_package_client_stat(struct boot_package_client client, uint64_t index,
				     struct boot_package_entry *entry)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, BOOT_PACKAGE_STAT, &slot));
	slot->argument[0] = index;
	slot->argument[1] = (uint64_t)entry;
	slot->argument[2] = sizeof(*entry);
	return ring_client_finish_plain();
}

enum status boot_package_client_find(struct boot_package_client client, const char *name, uint64_t *index)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, BOOT_PACKAGE_FIND, &slot));
	slot->argument[0] = (uint64_t)name;
	slot->argument[1] = strlen(name);
	return ring_client_finish(index);
}

enum status boot_package_client_read(struct boot_package_client client, const struct boot_package_span *span,
				     uint64_t *count)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, BOOT_PACKAGE_READ, &slot));
	slot->argument[0] = span->index;
	slot->argument[1] = span->offset;
	slot->argument[2] = (uint64_t)span->buffer;
	slot->argument[3] = span->bytes;
	return ring_client_finish(count);
}
