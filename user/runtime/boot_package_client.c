#include "user/runtime/boot_package_client.h"

#include "lib/string.h"
#include "user/runtime/ring_client.h"

enum status boot_package_client_stat(struct boot_package_client client, uint64_t index,
				     struct boot_package_entry *entry)
{
	struct ring_submission request = { .opcode = RING_CALL,
					   .operation = BOOT_PACKAGE_STAT,
					   .capability = client.handle,
					   .argument = { index, (uint64_t)entry, sizeof(*entry) } };

	return ring_client_call_plain(&request);
}

enum status boot_package_client_find(struct boot_package_client client, const char *name, uint64_t *index)
{
	struct ring_submission request = { .opcode = RING_CALL,
					   .operation = BOOT_PACKAGE_FIND,
					   .capability = client.handle,
					   .argument = { (uint64_t)name, strlen(name) } };

	return ring_client_call_value(&request, index);
}

enum status boot_package_client_read(struct boot_package_client client, const struct boot_package_span *span,
				     uint64_t *count)
{
	struct ring_submission request = { .opcode = RING_CALL,
					   .operation = BOOT_PACKAGE_READ,
					   .capability = client.handle,
					   .argument = { span->index, span->offset, (uint64_t)span->buffer,
							 span->bytes } };

	return ring_client_call_value(&request, count);
}
