#include <stdint.h>

#include "lib/check.h"
#include "lib/manifest.h"
#include "lib/manifest_program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of any text: valid sections and then a typed answer. Gives how many. */
static uint32_t read_programs(const char *text, size_t bytes, enum status *status)
{
	struct manifest_text at = { .text = text, .bytes = bytes };
	struct manifest_program program;
	uint32_t count = 0;

	while ((*status = manifest_program_next(&at, &program)) == STATUS_OK) {
		CHECK(manifest_program_is_valid(&program));
		count++;
	}
	CHECK(at.line <= bytes);
	return count;
}

/* A typed answer, or a valid manifest of valid sections. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *const text = (const char *)data;
	struct manifest manifest;
	uint32_t failed_line = 0;
	enum status of_programs;
	const enum status status = manifest_parse(text, size, &manifest, &failed_line);
	const uint32_t programs = read_programs(text, size, &of_programs);

	if (status != STATUS_OK) {
		CHECK(status >= STATUS_MANIFEST_BAD_LINE && status <= STATUS_MANIFEST_WRONG_SECTION);
		CHECK(failed_line <= size);
		return 0;
	}
	CHECK(manifest_is_valid(&manifest));
	CHECK(failed_line == 0);
	CHECK(of_programs == STATUS_NOT_FOUND);
	CHECK(programs <= MANIFEST_PROGRAMS);
	return 0;
}
