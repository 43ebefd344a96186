#include <stdint.h>

#include "lib/archive.h"
#include "lib/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A typed answer with an offset in the archive, or a valid list in which each file is found. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct archive archive;
	size_t failed_at = 0;
	const enum status status = archive_parse(data, size, &archive, &failed_at);

	if (status != STATUS_OK) {
		CHECK(status >= STATUS_ARCHIVE_TRUNCATED && status <= STATUS_ARCHIVE_TOO_MANY);
		CHECK(failed_at <= size + 3); /* padding of the last entry may be missing */
		return 0;
	}
	CHECK(archive_is_valid(&archive, data, size));
	for (uint32_t i = 0; i < archive.count; i++) {
		uint32_t index = ARCHIVE_MAX_FILES;

		CHECK(archive_find(&archive, archive.file[i].name, &index) == STATUS_OK && index == i);
	}
	return 0;
}
