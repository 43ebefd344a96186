#include "user/runtime/console_client.h"

#include "user/runtime/ring_client.h"

enum status console_client_write(struct console_client client, const void *buffer, uint64_t bytes)
{
	const char *next = buffer;

	while (bytes > 0) {
		uint64_t chunk = bytes < CONSOLE_MAX_BYTES ? bytes : CONSOLE_MAX_BYTES;
		uint64_t written;
		struct ring_submission *slot;

		TRY(ring_client_begin(client.handle, CONSOLE_WRITE, &slot));
		slot->argument[0] = (uint64_t)next;
		slot->argument[1] = chunk;
		TRY(ring_client_finish(&written));
		GUARD(written > 0 && written <= chunk, STATUS_GONE); /* the promise is "all": no endless loop on less */
		next += written;
		bytes -= written;
	}
	return STATUS_OK;
}

enum status console_client_read(struct console_client client, void *buffer, uint64_t bytes, uint64_t *count)
{
	struct ring_submission *slot;

	TRY(ring_client_begin(client.handle, CONSOLE_READ, &slot));
	slot->argument[0] = (uint64_t)buffer;
	slot->argument[1] = bytes;
	return ring_client_finish(count);
}
