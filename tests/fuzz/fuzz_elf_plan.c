#include <string.h>

#include "lib/check.h"
#include "lib/elf_plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Where a movable plan is put, by two numbers that the input has anyway. */
static void expect_place(struct elf_plan *plan, uint64_t size)
{
	const uint64_t start = (plan->entry << PAGE_SHIFT) + plan->tls_memory_bytes * plan->alignment;

	if (elf_plan_place(plan, start) == STATUS_OK)
		CHECK(!plan->is_movable);
	CHECK(elf_plan_is_valid(plan, size));
}

static void expect_safe(enum status status, struct elf_plan *plan, uint64_t size)
{
	if (status == STATUS_OK) {
		CHECK(elf_plan_is_valid(plan, size));
		if (plan->is_movable)
			expect_place(plan, size);
	} else {
		CHECK(status >= STATUS_ELF_TRUNCATED && status <= STATUS_ELF_EXECUTABLE_STACK);
	}
}

/* Two files of one size, one behind the other; they take turns to answer. */
struct two_files {
	const uint8_t *bytes;
	uint64_t size;
	uint64_t *reads;
};

static enum status read_in_turns(const void *context, uint64_t offset, uint64_t bytes, void *to)
{
	const struct two_files *files = context;

	memcpy(to, files->bytes + (*files->reads)++ % 2 * files->size + offset, bytes);
	return STATUS_OK;
}

/* A typed answer or a valid plan, of a file that stands still and of one that does not. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t reads = 0;
	const struct two_files files = { .bytes = data, .size = size / 2, .reads = &reads };
	const struct elf_source source = { .read = read_in_turns, .context = &files, .size = files.size };
	struct elf_plan plan;

	expect_safe(elf_plan_make(data, size, &plan), &plan, size);
	expect_safe(elf_plan_make_from(&source, &plan), &plan, files.size);
	return 0;
}
