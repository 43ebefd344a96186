#include <stdint.h>

#include "lib/check.h"
#include "lib/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A typed answer, or a valid manifest. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct manifest manifest;
	uint32_t failed_line = 0;
	const enum status status = manifest_parse((const char *)data, size, &manifest, &failed_line);

	if (status != STATUS_OK) {
		CHECK(status >= STATUS_MANIFEST_BAD_LINE && status <= STATUS_MANIFEST_TOO_LONG);
		CHECK(failed_line <= size);
		return 0;
	}
	CHECK(manifest_is_valid(&manifest));
	CHECK(failed_line == 0);
	return 0;
}
