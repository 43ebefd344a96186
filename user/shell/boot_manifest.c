#include "user/shell/boot_manifest.h"

#include "lib/check.h"
#include "lib/manifest.h"
#include "lib/status.h"
#include "user/runtime/print.h"

static char text[MANIFEST_MAX_BYTES];
static size_t text_bytes;

/* TOO_LONG: more than a manifest may have. */
static enum status read_file(struct boot_package_client package, uint64_t *bytes)
{
	struct boot_package_span span = { .offset = 0 };
	struct boot_package_entry entry;
	uint64_t count;

	TRY(boot_package_client_find(package, "manifest", &span.index));
	TRY(boot_package_client_stat(package, span.index, &entry));
	GUARD(entry.size <= sizeof(text), STATUS_TOO_LONG);
	while (span.offset < entry.size) {
		span.buffer = text + span.offset;
		span.bytes = entry.size - span.offset;
		TRY(boot_package_client_read(package, &span, &count));
		GUARD(count > 0, STATUS_GONE);
		span.offset += count;
	}
	*bytes = entry.size;
	return STATUS_OK;
}

void boot_manifest_read(struct boot_package_client package)
{
	struct manifest first_part;
	uint32_t line = 0;
	uint64_t bytes = 0;
	enum status status = read_file(package, &bytes);

	if (status == STATUS_OK)
		status = manifest_parse(text, bytes, &first_part, &line);
	if (status == STATUS_OK)
		text_bytes = bytes;
	else
		print("shell: manifest, line %u: %s; no program is given anything\n", line, status_name(status));
}

enum status boot_manifest_find(const char *name, struct manifest_program *program)
{
	return manifest_program_find(text, text_bytes, name, program);
}

enum status boot_manifest_next(struct manifest_text *at, struct manifest_program *program)
{
	at->text = text;
	at->bytes = text_bytes;
	return manifest_program_next(at, program);
}
