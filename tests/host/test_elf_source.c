/* The plan of a file whose bytes change between reads, or cannot be read. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/elf_plan.h"
#include "tests/host/host_support.h"
#include "tests/host/program_file.h"

/* A file, what was answered of it, and how often each byte was. */
struct shifting_file {
	uint8_t bytes[PROGRAM_FILE_BYTES];
	uint8_t answered[PROGRAM_FILE_BYTES];
	uint32_t reads_of[PROGRAM_FILE_BYTES];
	struct host_random *random;
	uint32_t reads;
	uint32_t refused_read; /* this one fails; UINT32_MAX: none does */
};

#define HEADER_WORDS ((sizeof(Elf64_Ehdr) + PROGRAM_HEADERS * sizeof(Elf64_Phdr)) / 8)

/* Whoever else has the file writes: numbers that headers go wrong with, anywhere in the headers. */
static void shift(struct shifting_file *file)
{
	const uint64_t odd[] = {
		0, 1, 0x400000, 0x405e00, USER_LIMIT, BOOTSTRAP_START, PROGRAM_FILE_BYTES, UINT64_MAX
	};

	for (uint64_t changes = host_random_below(file->random, 4); changes > 0; changes--) {
		const uint64_t at = host_random_below(file->random, HEADER_WORDS) * 8;
		const uint64_t value = odd[host_random_below(file->random, sizeof(odd) / sizeof(odd[0]))] +
				       host_random_below(file->random, 3) - 1;

		if (host_random_once_in(file->random, 2))
			memcpy(file->bytes + at, &value, sizeof(value));
		else
			file->bytes[at + host_random_below(file->random, 8)] ^= (uint8_t)(1u << value % 8);
	}
}

/* `context` points to the pointer to the file, which may then be written. */
static enum status read_shifting(const void *context, uint64_t offset, uint64_t bytes, void *to)
{
	struct shifting_file *file = *(struct shifting_file *const *)context;

	assert_true(bytes > 0 && offset < PROGRAM_FILE_BYTES && bytes <= PROGRAM_FILE_BYTES - offset);
	if (file->reads++ == file->refused_read)
		return STATUS_OUT_OF_MEMORY;
	memcpy(to, file->bytes + offset, bytes);
	memcpy(file->answered + offset, to, bytes);
	for (uint64_t i = 0; i < bytes; i++)
		file->reads_of[offset + i]++;
	if (file->random != NULL)
		shift(file);
	return STATUS_OK;
}

static void file_start(struct shifting_file *file, struct host_random *random)
{
	const struct program_file good = program_file_good();

	memcpy(file->bytes, &good, sizeof(good));
	memcpy(file->answered, &good, sizeof(good));
	memset(file->reads_of, 0, sizeof(file->reads_of));
	file->random = random;
	file->reads = 0;
	file->refused_read = UINT32_MAX;
}

static enum status make(struct shifting_file *file, struct elf_plan *plan)
{
	const struct elf_source source = { .read = read_shifting, .context = &file, .size = PROGRAM_FILE_BYTES };

	return elf_plan_make_from(&source, plan);
}

static bool was_read_once(const struct shifting_file *file)
{
	for (uint32_t i = 0; i < PROGRAM_FILE_BYTES; i++) {
		if (file->reads_of[i] > 1)
			return false;
	}
	return true;
}

static void expect_equal(const struct elf_plan *a, const struct elf_plan *b)
{
	assert_int_equal(a->segments, b->segments);
	for (uint32_t i = 0; i < a->segments; i++) {
		assert_int_equal(uaddr_to_u64(a->segment[i].pages.start), uaddr_to_u64(b->segment[i].pages.start));
		assert_int_equal(uaddr_to_u64(a->segment[i].pages.end), uaddr_to_u64(b->segment[i].pages.end));
		assert_int_equal(a->segment[i].file_offset, b->segment[i].file_offset);
		assert_int_equal(a->segment[i].file_bytes, b->segment[i].file_bytes);
		assert_int_equal(a->segment[i].address, b->segment[i].address);
		assert_int_equal(a->segment[i].protection, b->segment[i].protection);
	}
	assert_int_equal(a->entry, b->entry);
	assert_int_equal(a->image_pages, b->image_pages);
	assert_int_equal(a->program_headers, b->program_headers);
	assert_int_equal(a->program_header_count, b->program_header_count);
	assert_int_equal(a->has_tls, b->has_tls);
	assert_int_equal(a->tls_file_offset, b->tls_file_offset);
	assert_int_equal(a->tls_file_bytes, b->tls_file_bytes);
	assert_int_equal(a->tls_memory_bytes, b->tls_memory_bytes);
	assert_int_equal(a->tls_alignment, b->tls_alignment);
}

/* A file that stands still: the same plan by either way, each header read once. */
static void test_still(void **state)
{
	struct shifting_file file;
	struct elf_plan piecewise, whole;

	(void)state;
	file_start(&file, NULL);
	assert_int_equal(make(&file, &piecewise), STATUS_OK);
	assert_int_equal(elf_plan_make(file.bytes, PROGRAM_FILE_BYTES, &whole), STATUS_OK);
	expect_equal(&piecewise, &whole);
	assert_int_equal(file.reads, 1 + PROGRAM_HEADERS);
	assert_true(was_read_once(&file));
}

/*
 * A file that changes after each read. What was accepted holds the promise of a plan. And where no byte was read twice
 * (the program headers do not lie in the file header), the answer is that of a still file with the bytes that were
 * answered: nothing was looked at a second time.
 */
static void test_shifting(void **state)
{
	struct host_random random;
	uint64_t accepted = 0, differed = 0;

	(void)state;
	host_random_init(&random, __func__, 1);
	for (uint64_t round = host_rounds(100000); round > 0; round--) {
		struct shifting_file file;
		struct elf_plan plan, still;
		enum status status;

		file_start(&file, &random);
		status = make(&file, &plan);
		if (status == STATUS_OK) {
			accepted++;
			assert_true(elf_plan_is_valid(&plan, PROGRAM_FILE_BYTES));
			differed += elf_plan_make(file.bytes, PROGRAM_FILE_BYTES, &still) != STATUS_OK;
		}
		assert_true(status == STATUS_OK ||
			    (status >= STATUS_ELF_TRUNCATED && status <= STATUS_ELF_EXECUTABLE_STACK));
		if (!was_read_once(&file))
			continue;
		assert_int_equal(elf_plan_make(file.answered, PROGRAM_FILE_BYTES, &still), status);
		if (status == STATUS_OK)
			expect_equal(&plan, &still);
	}
	assert_true(accepted > 0 && differed > 0); /* many a plan was made of a file that is bad by now */
}

/* A read that fails is the answer. */
static void test_refused(void **state)
{
	struct shifting_file file;
	struct elf_plan plan;

	(void)state;
	for (uint32_t read = 0; read < 1 + PROGRAM_HEADERS; read++) {
		file_start(&file, NULL);
		file.refused_read = read;
		assert_int_equal(make(&file, &plan), STATUS_OUT_OF_MEMORY);
		assert_int_equal(file.reads, read + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_still),
		cmocka_unit_test(test_shifting),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
