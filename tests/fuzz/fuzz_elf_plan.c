#include <stdint.h>

#include "lib/check.h"
#include "lib/elf_plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A typed answer or a valid plan. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_plan plan;
	const enum status status = elf_plan_make(data, size, &plan);

	if (status == STATUS_OK)
		CHECK(elf_plan_is_valid(&plan, size));
	else
		CHECK(status >= STATUS_ELF_TRUNCATED && status <= STATUS_ELF_EXECUTABLE_STACK);
	return 0;
}
