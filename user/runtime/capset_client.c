#include "user/runtime/capset_client.h"

#include <stddef.h>

#include "lib/check.h"
#include "lib/string.h"

static const struct capset_page *capset;

enum status capset_client_init(const struct capset_page *page)
{
	GUARD(page->magic == CAPSET_MAGIC, STATUS_UNSUPPORTED);
	GUARD(page->version == CAPSET_VERSION, STATUS_UNSUPPORTED);
	GUARD(page->entry_bytes == sizeof(struct capset_entry), STATUS_UNSUPPORTED);
	GUARD(page->count <= CAPSET_MAX, STATUS_UNSUPPORTED);
	capset = page;
	return STATUS_OK;
}

enum status capset_client_find(const char *name, enum interface_id interface, handle_t *capability)
{
	uint32_t count = capset == NULL ? 0 : capset->count;

	for (uint32_t i = 0; i < count; i++) {
		const struct capset_entry *entry = &capset->entry[i];

		if (!string_equal_part(name, entry->name, string_length(entry->name, CAPSET_NAME_BYTES)))
			continue;
		GUARD(entry->interface == (uint32_t)interface, STATUS_WRONG_INTERFACE);
		*capability = entry->capability;
		return STATUS_OK;
	}
	return STATUS_NOT_FOUND;
}

uint64_t capset_client_process_id(void)
{
	return capset == NULL ? 0 : capset->process_id;
}
