#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/archive.h"
#include "tests/host/host_support.h"

#define MODE_FILE 0100644u
#define MODE_DIRECTORY 0040755u
#define MODE_LINK 0120777u
#define HEADER_BYTES 110u
#define NAME_SIZE_AT (6u + 11 * 8) /* of the field in the header */
#define FILE_SIZE_AT (6u + 6 * 8)

/* A newc archive being written. */
struct writer {
	uint8_t bytes[65536];
	size_t size;
};

struct written {
	uint32_t mode, inode, links;
};

static void write_padding(struct writer *writer)
{
	while (writer->size % 4 != 0)
		writer->bytes[writer->size++] = 0;
}

static void write_entry(struct writer *writer, struct written how, const char *name, const void *data, size_t size)
{
	char header[HEADER_BYTES + 1];
	const size_t name_size = strlen(name) + 1;

	assert_true(writer->size + HEADER_BYTES + name_size + size + 16 < sizeof(writer->bytes));
	(void)snprintf(header, sizeof(header), "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", how.inode,
		       how.mode, 0u, 0u, how.links, 0x5f000000u, (unsigned int)size, 8u, 1u, 0u, 0u,
		       (unsigned int)name_size, 0u);
	memcpy(writer->bytes + writer->size, header, HEADER_BYTES);
	memcpy(writer->bytes + writer->size + HEADER_BYTES, name, name_size);
	writer->size += HEADER_BYTES + name_size;
	write_padding(writer);
	if (size != 0)
		memcpy(writer->bytes + writer->size, data, size);
	writer->size += size;
	write_padding(writer);
}

static void write_file(struct writer *writer, const char *name, const char *text)
{
	write_entry(writer, (struct written){ MODE_FILE, 1, 1 }, name, text, strlen(text));
}

static void write_trailer(struct writer *writer)
{
	write_entry(writer, (struct written){ 0, 0, 1 }, "TRAILER!!!", NULL, 0);
}

/* Parsed from a copy on the heap of the exact size, so that sanitizers see each read past the end. The copy lives on.
 */
static enum status parse(const uint8_t *bytes, size_t size, struct archive *archive, size_t *failed_at, uint8_t **copy)
{
	*copy = malloc(size == 0 ? 1 : size);
	assert_non_null(*copy);
	memcpy(*copy, bytes, size);

	const enum status status = archive_parse(*copy, size, archive, failed_at);

	if (status == STATUS_OK)
		assert_true(archive_is_valid(archive, *copy, size));
	else
		assert_true(*failed_at <= size + 3);
	return status;
}

static enum status answer(const struct writer *writer, size_t *failed_at)
{
	struct archive archive;
	uint8_t *copy = NULL;
	const enum status status = parse(writer->bytes, writer->size, &archive, failed_at, &copy);

	free(copy);
	return status;
}

static void expect_file(const struct archive *archive, const char *name, const char *text)
{
	uint32_t index = ARCHIVE_MAX_FILES;

	assert_int_equal(archive_find(archive, name, &index), STATUS_OK);
	assert_string_equal(archive->file[index].name, name);
	assert_int_equal(archive->file[index].size, strlen(text));
	assert_memory_equal(archive->file[index].data, text, strlen(text));
}

static void expect_absent(const struct archive *archive, const char *name)
{
	uint32_t index = 77;

	assert_int_equal(archive_find(archive, name, &index), STATUS_NOT_FOUND);
	assert_int_equal(index, 77);
}

static void write_good(struct writer *writer)
{
	writer->size = 0;
	write_entry(writer, (struct written){ MODE_DIRECTORY, 2, 3 }, ".", NULL, 0);
	write_file(writer, "manifest", "init shell\n");
	write_entry(writer, (struct written){ MODE_DIRECTORY, 3, 2 }, "text", NULL, 0);
	write_file(writer, "./text/words.txt", "one two three");
	write_entry(writer, (struct written){ MODE_LINK, 4, 1 }, "link", "manifest", 8);
	write_file(writer, "empty", "");
	write_file(writer, "a..b", "x");
	write_trailer(writer);
}

static void test_good(void **state)
{
	struct writer writer;
	struct archive archive;
	size_t failed_at = 0;
	uint8_t *copy = NULL;

	(void)state;
	write_good(&writer);
	assert_int_equal(parse(writer.bytes, writer.size, &archive, &failed_at, &copy), STATUS_OK);
	assert_int_equal(archive.count, 4);
	assert_string_equal(archive.file[0].name, "manifest");
	assert_string_equal(archive.file[1].name, "text/words.txt");
	expect_file(&archive, "manifest", "init shell\n");
	expect_file(&archive, "text/words.txt", "one two three");
	expect_file(&archive, "empty", "");
	expect_file(&archive, "a..b", "x");
	expect_absent(&archive, "link");
	expect_absent(&archive, "text");
	expect_absent(&archive, "");
	expect_absent(&archive, "manifes");
	expect_absent(&archive, "manifest2");
	free(copy);
}

static void test_bytes_after_trailer(void **state)
{
	struct writer writer;
	size_t failed_at = 0;

	(void)state;
	write_good(&writer);
	memset(writer.bytes + writer.size, 0xa5, 300);
	writer.size += 300;
	assert_int_equal(answer(&writer, &failed_at), STATUS_OK);
}

static void test_hard_links(void **state)
{
	struct writer writer = { .size = 0 };
	struct archive archive;
	size_t failed_at = 0;
	uint8_t *copy = NULL;

	(void)state;
	write_entry(&writer, (struct written){ MODE_FILE, 7, 3 }, "first", NULL, 0);
	write_entry(&writer, (struct written){ MODE_FILE, 8, 3 }, "other", NULL, 0);
	write_entry(&writer, (struct written){ MODE_DIRECTORY, 7, 3 }, "directory", NULL, 0);
	write_entry(&writer, (struct written){ MODE_FILE, 7, 1 }, "single", NULL, 0);
	write_entry(&writer, (struct written){ MODE_FILE, 7, 3 }, "second", NULL, 0);
	write_entry(&writer, (struct written){ MODE_FILE, 7, 3 }, "third", "data", 4);
	write_trailer(&writer);
	assert_int_equal(parse(writer.bytes, writer.size, &archive, &failed_at, &copy), STATUS_OK);
	expect_file(&archive, "first", "data");
	expect_file(&archive, "second", "data");
	expect_file(&archive, "third", "data");
	expect_file(&archive, "other", "");
	expect_file(&archive, "single", "");
	free(copy);
}

/* Cut anywhere before the end of the trailer, the archive is refused, as truncated or without a trailer. */
static void test_truncated(void **state)
{
	struct writer writer;
	size_t failed_at = 0;

	(void)state;
	write_good(&writer);

	const size_t needed = writer.size - 3; /* the rest is padding of the trailer */

	for (writer.size = 0; writer.size < needed; writer.size++) {
		const enum status status = answer(&writer, &failed_at);

		assert_true(status == STATUS_ARCHIVE_TRUNCATED || status == STATUS_ARCHIVE_NO_TRAILER);
	}
	assert_int_equal(answer(&writer, &failed_at), STATUS_OK);
}

static void test_no_trailer(void **state)
{
	struct writer writer = { .size = 0 };
	size_t failed_at = 77;

	(void)state;
	assert_int_equal(answer(&writer, &failed_at), STATUS_ARCHIVE_NO_TRAILER);
	assert_int_equal(failed_at, 0);
	write_file(&writer, "a", "12345");
	assert_int_equal(answer(&writer, &failed_at), STATUS_ARCHIVE_NO_TRAILER);
	assert_int_equal(failed_at, writer.size);
	writer.size -= 3; /* without the padding of the data */
	assert_int_equal(answer(&writer, &failed_at), STATUS_ARCHIVE_NO_TRAILER);
	writer.size--;
	assert_int_equal(answer(&writer, &failed_at), STATUS_ARCHIVE_TRUNCATED);
	assert_int_equal(failed_at, 0);
}

static void test_bad_magic(void **state)
{
	struct writer writer = { .size = 0 };
	size_t failed_at = 0;

	(void)state;
	write_file(&writer, "good", "data");

	const size_t second = writer.size;

	write_file(&writer, "bad", "data");
	write_trailer(&writer);
	writer.bytes[second + 5] = '2'; /* the variant with checksums */
	assert_int_equal(answer(&writer, &failed_at), STATUS_ARCHIVE_BAD_MAGIC);
	assert_int_equal(failed_at, second);
	memset(writer.bytes, 0, sizeof(writer.bytes));
	assert_int_equal(answer(&writer, &failed_at), STATUS_ARCHIVE_BAD_MAGIC);
}

static void test_bad_number(void **state)
{
	const char bad[] = { 'g', 'G', ' ', '/', ':', '@', '`', '\0', '-', 'x', (char)0xff };
	size_t failed_at = 0;

	(void)state;
	for (size_t at = 6; at < HEADER_BYTES; at++) {
		for (size_t i = 0; i < sizeof(bad); i++) {
			struct writer writer;

			write_good(&writer);
			writer.bytes[at] = (uint8_t)bad[i];
			assert_int_equal(answer(&writer, &failed_at), STATUS_ARCHIVE_BAD_NUMBER);
			assert_int_equal(failed_at, 0);
		}
	}
}

/* Hexadecimal digits of both cases mean the same. */
static void test_lower_case_digits(void **state)
{
	struct writer writer = { .size = 0 };
	size_t failed_at = 0;

	(void)state;
	write_file(&writer, "ten chars", "0123456789"); /* sizes 0000000A */
	write_trailer(&writer);
	assert_int_equal(writer.bytes[FILE_SIZE_AT + 7], 'A');
	assert_int_equal(writer.bytes[NAME_SIZE_AT + 7], 'A');
	writer.bytes[FILE_SIZE_AT + 7] = 'a';
	writer.bytes[NAME_SIZE_AT + 7] = 'a';
	assert_int_equal(answer(&writer, &failed_at), STATUS_OK);
}

static enum status answer_to_name(const char *name)
{
	struct writer writer = { .size = 0 };
	size_t failed_at = 0;

	write_file(&writer, name, "data");
	write_trailer(&writer);
	return answer(&writer, &failed_at);
}

static void test_names(void **state)
{
	char name[ARCHIVE_NAME_MAX + 4] = { 0 };

	(void)state;
	assert_int_equal(answer_to_name(""), STATUS_ARCHIVE_BAD_NAME);
	assert_int_equal(answer_to_name("./"), STATUS_ARCHIVE_BAD_NAME);
	assert_int_equal(answer_to_name("/absolute"), STATUS_ARCHIVE_BAD_NAME);
	assert_int_equal(answer_to_name(".//absolute"), STATUS_ARCHIVE_BAD_NAME);
	assert_int_equal(answer_to_name(".."), STATUS_ARCHIVE_BAD_NAME);
	assert_int_equal(answer_to_name("../up"), STATUS_ARCHIVE_BAD_NAME);
	assert_int_equal(answer_to_name("./../up"), STATUS_ARCHIVE_BAD_NAME);
	assert_int_equal(answer_to_name("a/../b"), STATUS_ARCHIVE_BAD_NAME);
	assert_int_equal(answer_to_name("a/.."), STATUS_ARCHIVE_BAD_NAME);
	assert_int_equal(answer_to_name("a/...b"), STATUS_OK);
	assert_int_equal(answer_to_name("..."), STATUS_OK);
	assert_int_equal(answer_to_name("././a"), STATUS_OK);
	memset(name, 'n', ARCHIVE_NAME_MAX);
	assert_int_equal(answer_to_name(name), STATUS_OK);
	name[ARCHIVE_NAME_MAX] = 'n';
	assert_int_equal(answer_to_name(name), STATUS_ARCHIVE_BAD_NAME);
	name[0] = '.'; /* "./" is taken off and does not count */
	name[1] = '/';
	assert_int_equal(answer_to_name(name), STATUS_OK);
}

static void test_name_terminator(void **state)
{
	struct writer writer;
	size_t failed_at = 0;

	(void)state;
	writer.size = 0;
	write_file(&writer, "name", "data");
	write_trailer(&writer);
	writer.bytes[HEADER_BYTES + 4] = 'x'; /* no terminator where the header says */
	assert_int_equal(answer(&writer, &failed_at), STATUS_ARCHIVE_BAD_NAME);
	writer.bytes[HEADER_BYTES + 4] = 0;
	writer.bytes[HEADER_BYTES + 2] = 0; /* one more before it */
	assert_int_equal(answer(&writer, &failed_at), STATUS_ARCHIVE_BAD_NAME);
	writer.bytes[HEADER_BYTES + 2] = 'm';
	assert_int_equal(answer(&writer, &failed_at), STATUS_OK);
	memcpy(writer.bytes + NAME_SIZE_AT, "00000000", 8);
	assert_int_equal(answer(&writer, &failed_at), STATUS_ARCHIVE_BAD_NAME);
	memcpy(writer.bytes + NAME_SIZE_AT, "FFFFFFFF", 8);
	assert_int_equal(answer(&writer, &failed_at), STATUS_ARCHIVE_TRUNCATED);
}

static void test_huge_file(void **state)
{
	struct writer writer;
	size_t failed_at = 0;

	(void)state;
	write_good(&writer);
	for (size_t at = 0; at + HEADER_BYTES < writer.size; at += 4) {
		if (memcmp(writer.bytes + at, "070701", 6) != 0 || writer.bytes[at + HEADER_BYTES] != 'm')
			continue;
		memcpy(writer.bytes + at + FILE_SIZE_AT, "FFFFFFFF", 8);
		assert_int_equal(answer(&writer, &failed_at), STATUS_ARCHIVE_TRUNCATED);
		assert_int_equal(failed_at, at);
		return;
	}
	fail();
}

static void test_duplicate(void **state)
{
	struct writer writer = { .size = 0 };
	size_t failed_at = 0;

	(void)state;
	write_file(&writer, "same", "1");

	const size_t second = writer.size;

	write_file(&writer, "./same", "2");
	write_trailer(&writer);
	assert_int_equal(answer(&writer, &failed_at), STATUS_ARCHIVE_DUPLICATE);
	assert_int_equal(failed_at, second);
}

static void test_too_many(void **state)
{
	struct writer writer = { .size = 0 };
	size_t failed_at = 0, last = 0;

	(void)state;
	for (unsigned int i = 0; i <= ARCHIVE_MAX_FILES; i++) {
		char name[16];

		if (i == ARCHIVE_MAX_FILES) {
			struct writer full = writer;

			write_trailer(&full);
			assert_int_equal(answer(&full, &failed_at), STATUS_OK);
			last = writer.size;
		}
		(void)snprintf(name, sizeof(name), "file%u", i);
		write_file(&writer, name, "");
	}
	write_trailer(&writer);
	assert_int_equal(answer(&writer, &failed_at), STATUS_ARCHIVE_TOO_MANY);
	assert_int_equal(failed_at, last);
}

static void test_is_valid_refuses(void **state)
{
	struct writer writer;
	struct archive good, archive;
	size_t failed_at = 0;

	(void)state;
	write_good(&writer);
	assert_int_equal(archive_parse(writer.bytes, writer.size, &good, &failed_at), STATUS_OK);
	assert_true(archive_is_valid(&good, writer.bytes, writer.size));
	archive = good;
	archive.count = ARCHIVE_MAX_FILES + 1;
	assert_false(archive_is_valid(&archive, writer.bytes, writer.size));
	archive = good;
	archive.file[0].size = writer.size;
	assert_false(archive_is_valid(&archive, writer.bytes, writer.size));
	archive = good;
	archive.file[0].name = "manifest"; /* not in the archive */
	assert_false(archive_is_valid(&archive, writer.bytes, writer.size));
	archive = good;
	archive.file[1].name = good.file[0].name;
	assert_false(archive_is_valid(&archive, writer.bytes, writer.size));
	archive = good;
	archive.file[0].data = writer.bytes + writer.size + 1;
	assert_false(archive_is_valid(&archive, writer.bytes, writer.size));
}

static size_t read_command(const char *command, uint8_t *bytes, size_t size)
{
	FILE *pipe = popen(command, "r");

	assert_non_null(pipe);

	const size_t got = fread(bytes, 1, size, pipe);

	assert_int_equal(pclose(pipe), 0);
	return got;
}

/* What the ordinary cpio writes is what we read: directories, a symbolic link, hard links, padding to whole blocks. */
static void test_real_cpio(void **state)
{
	static const char command[] = "set -e; d=$(mktemp -d); trap 'rm -rf \"$d\"' EXIT; cd \"$d\"; mkdir text; "
				      "printf 'init shell\\n' >manifest; printf 'one two' >text/words.txt; "
				      "printf data >first; ln first second; ln first third; ln -s manifest link; "
				      ": >empty; find . | sort | cpio -o -H newc --quiet";
	static uint8_t bytes[65536];
	struct archive archive;
	size_t failed_at = 0;
	uint8_t *copy = NULL;

	(void)state;
	if (system("command -v cpio >/dev/null 2>&1") != 0)
		skip();

	const size_t size = read_command(command, bytes, sizeof(bytes));

	assert_true(size > 0 && size % 512 == 0);
	assert_int_equal(parse(bytes, size, &archive, &failed_at, &copy), STATUS_OK);
	assert_int_equal(archive.count, 6);
	expect_file(&archive, "manifest", "init shell\n");
	expect_file(&archive, "text/words.txt", "one two");
	expect_file(&archive, "first", "data");
	expect_file(&archive, "second", "data");
	expect_file(&archive, "third", "data");
	expect_file(&archive, "empty", "");
	expect_absent(&archive, "link");
	free(copy);
}

static void mutate(struct host_random *random, uint8_t *bytes, size_t size)
{
	static const char digits[] = "0123456789ABCDEFabcdef./\0";

	for (uint64_t changes = host_random_below(random, 4) + 1; changes > 0; changes--) {
		uint8_t *at = bytes + host_random_below(random, size);

		*at = host_random_once_in(random, 2) ? (uint8_t)host_random_u64(random)
						     : (uint8_t)digits[host_random_below(random, sizeof(digits))];
	}
}

static void test_mutations(void **state)
{
	struct writer good, writer;
	struct host_random random;
	uint64_t accepted = 0;

	(void)state;
	host_random_init(&random, "archive", 5);
	write_good(&good);
	write_entry(&good, (struct written){ MODE_FILE, 7, 2 }, "TRAILER!!", NULL, 0);
	for (uint64_t round = host_rounds(100000); round > 0; round--) {
		struct archive archive;
		size_t failed_at = 0;
		uint8_t *copy = NULL;

		memcpy(writer.bytes, good.bytes, good.size);
		mutate(&random, writer.bytes, good.size);
		writer.size = host_random_once_in(&random, 8) ? host_random_below(&random, good.size + 1) : good.size;

		const enum status status = parse(writer.bytes, writer.size, &archive, &failed_at, &copy);

		assert_true(status == STATUS_OK ||
			    (status >= STATUS_ARCHIVE_TRUNCATED && status <= STATUS_ARCHIVE_TOO_MANY));
		accepted += status == STATUS_OK;
		free(copy);
	}
	assert_true(accepted > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),       cmocka_unit_test(test_bytes_after_trailer),
		cmocka_unit_test(test_hard_links), cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_no_trailer), cmocka_unit_test(test_bad_magic),
		cmocka_unit_test(test_bad_number), cmocka_unit_test(test_lower_case_digits),
		cmocka_unit_test(test_names),      cmocka_unit_test(test_name_terminator),
		cmocka_unit_test(test_huge_file),  cmocka_unit_test(test_duplicate),
		cmocka_unit_test(test_too_many),   cmocka_unit_test(test_is_valid_refuses),
		cmocka_unit_test(test_real_cpio),  cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
