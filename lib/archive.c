#include "lib/archive.h"

#include "lib/check.h"
#include "lib/string.h"

/*
 * An entry: 110 bytes of header in ASCII (a magic of six characters, then fields of eight hexadecimal digits), the name
 * with its terminating 0, the data; name and data are each followed by zeros up to a multiple of 4 from the start of
 * the archive. The entry named TRAILER!!! is the last.
 */
#define HEADER_BYTES 110u
#define MAGIC "070701"
#define MAGIC_BYTES 6u
#define DIGITS 8u
#define TRAILER "TRAILER!!!"

enum field {
	FIELD_INODE,
	FIELD_MODE,
	FIELD_UID,
	FIELD_GID,
	FIELD_LINKS,
	FIELD_MTIME,
	FIELD_FILE_SIZE,
	FIELD_DEVICE_MAJOR,
	FIELD_DEVICE_MINOR,
	FIELD_RDEVICE_MAJOR,
	FIELD_RDEVICE_MINOR,
	FIELD_NAME_SIZE,
	FIELD_CHECK,
	FIELD_COUNT
};

_Static_assert(MAGIC_BYTES + FIELD_COUNT * DIGITS == HEADER_BYTES, "cpio(5), new ASCII format");

#define MODE_TYPE 0170000u
#define MODE_REGULAR 0100000u

struct archive_bytes {
	const uint8_t *at;
	uint64_t size;
};

struct archive_entry {
	uint32_t field[FIELD_COUNT];
	uint64_t name;        /* offset of its first character */
	uint64_t name_length; /* without the terminating 0 */
	uint64_t data;        /* offset */
	uint64_t next;        /* offset of the next entry; past the end if the archive ends here */
	bool is_trailer;
};

static bool is_within(uint64_t offset, uint64_t bytes, uint64_t size)
{
	return offset <= size && bytes <= size - offset;
}

static uint64_t round_up_4(uint64_t offset)
{
	return (offset + 3) & ~UINT64_C(3);
}

static bool digit_value(uint8_t character, uint32_t *value)
{
	if (character >= '0' && character <= '9')
		*value = (uint32_t)character - '0';
	else if (character >= 'a' && character <= 'f')
		*value = (uint32_t)character - 'a' + 10;
	else if (character >= 'A' && character <= 'F')
		*value = (uint32_t)character - 'A' + 10;
	else
		return false;
	return true;
}

/* Eight hexadecimal digits. */
static enum status field_read(const uint8_t *digits, uint32_t *value)
{
	*value = 0;
	for (uint32_t i = 0; i < DIGITS; i++) {
		uint32_t digit = 0;

		GUARD(digit_value(digits[i], &digit), STATUS_ARCHIVE_BAD_NUMBER);
		*value = *value << 4 | digit;
	}
	return STATUS_OK;
}

static enum status header_read(const struct archive_bytes *archive, uint64_t offset, struct archive_entry *entry)
{
	GUARD(offset < archive->size, STATUS_ARCHIVE_NO_TRAILER);
	GUARD(is_within(offset, HEADER_BYTES, archive->size), STATUS_ARCHIVE_TRUNCATED);
	for (uint32_t i = 0; i < MAGIC_BYTES; i++)
		GUARD(archive->at[offset + i] == (uint8_t)MAGIC[i], STATUS_ARCHIVE_BAD_MAGIC);
	for (uint32_t i = 0; i < FIELD_COUNT; i++)
		TRY(field_read(&archive->at[offset + MAGIC_BYTES + (uint64_t)i * DIGITS], &entry->field[i]));
	return STATUS_OK;
}

/* Header, name and extent of the entry at `offset`. Sums of 32-bit fields and an offset in memory do not wrap. */
static enum status entry_read(const struct archive_bytes *archive, uint64_t offset, struct archive_entry *entry)
{
	TRY(header_read(archive, offset, entry));

	const uint64_t name_bytes = entry->field[FIELD_NAME_SIZE];

	entry->name = offset + HEADER_BYTES;
	GUARD(name_bytes != 0, STATUS_ARCHIVE_BAD_NAME);
	GUARD(is_within(entry->name, name_bytes, archive->size), STATUS_ARCHIVE_TRUNCATED);

	const char *name = (const char *)&archive->at[entry->name];

	entry->name_length = name_bytes - 1;
	GUARD(string_length(name, name_bytes) == entry->name_length, STATUS_ARCHIVE_BAD_NAME);
	entry->is_trailer = string_equal(name, TRAILER);
	entry->data = round_up_4(entry->name + name_bytes);
	entry->next = round_up_4(entry->data + entry->field[FIELD_FILE_SIZE]);
	if (entry->is_trailer || entry->field[FIELD_FILE_SIZE] == 0)
		return STATUS_OK;
	GUARD(is_within(entry->data, entry->field[FIELD_FILE_SIZE], archive->size), STATUS_ARCHIVE_TRUNCATED);
	return STATUS_OK;
}

static bool is_regular(const struct archive_entry *entry)
{
	return (entry->field[FIELD_MODE] & MODE_TYPE) == MODE_REGULAR;
}

/* A relative path with no ".." in it, of 1 .. ARCHIVE_NAME_MAX characters; `name` is terminated. */
static bool is_good_name(const char *name)
{
	const size_t length = string_length(name, ARCHIVE_NAME_MAX + 1);
	size_t part = 0; /* where the current component starts */

	if (length == 0 || length > ARCHIVE_NAME_MAX || name[0] == '/')
		return false;
	for (size_t i = 0; i <= length; i++) {
		if (i < length && name[i] != '/')
			continue;
		if (i - part == 2 && name[part] == '.' && name[part + 1] == '.')
			return false;
		part = i + 1;
	}
	return true;
}

static enum status archive_add(struct archive *archive, const struct archive_bytes *bytes,
			       const struct archive_entry *entry)
{
	const char *name = (const char *)&bytes->at[entry->name];
	uint32_t same = 0;

	while (name[0] == '.' && name[1] == '/')
		name += 2;
	GUARD(is_good_name(name), STATUS_ARCHIVE_BAD_NAME);
	GUARD(archive_find(archive, name, &same) == STATUS_NOT_FOUND, STATUS_ARCHIVE_DUPLICATE);
	GUARD(archive->count < ARCHIVE_MAX_FILES, STATUS_ARCHIVE_TOO_MANY);

	const uint64_t size = entry->field[FIELD_FILE_SIZE];

	/* The padding of the name may be cut off when no data follows; the pointer still stays in the archive. */
	archive->file[archive->count++] = (struct archive_file){
		.name = name,
		.data = &bytes->at[size == 0 ? entry->name : entry->data],
		.size = size,
	};
	return STATUS_OK;
}

static bool is_same_file(const struct archive_entry *a, const struct archive_entry *b)
{
	return a->field[FIELD_LINKS] > 1 && b->field[FIELD_LINKS] > 1 &&
	       a->field[FIELD_INODE] == b->field[FIELD_INODE] &&
	       a->field[FIELD_DEVICE_MAJOR] == b->field[FIELD_DEVICE_MAJOR] &&
	       a->field[FIELD_DEVICE_MINOR] == b->field[FIELD_DEVICE_MINOR];
}

/*
 * Of a file with several names, cpio writes the data with the last name only and none with the others. All entries
 * before `end` have been read once; here those that are names of `last` get its data.
 */
static enum status archive_share_data(struct archive *archive, const struct archive_bytes *bytes, uint64_t end,
				      const struct archive_entry *last)
{
	struct archive_entry entry = { .next = 0 };
	uint32_t index = 0;

	if (last->field[FIELD_LINKS] <= 1 || last->field[FIELD_FILE_SIZE] == 0)
		return STATUS_OK;
	while (entry.next < end) {
		TRY(entry_read(bytes, entry.next, &entry));
		if (!is_regular(&entry))
			continue;
		if (is_same_file(&entry, last) && entry.field[FIELD_FILE_SIZE] == 0) {
			archive->file[index].data = &bytes->at[last->data];
			archive->file[index].size = last->field[FIELD_FILE_SIZE];
		}
		index++;
	}
	return STATUS_OK;
}

enum status archive_parse(const void *bytes, size_t size, struct archive *archive, size_t *failed_at)
{
	const struct archive_bytes whole = { .at = bytes, .size = size };
	struct archive_entry entry = { .next = 0 };

	archive->count = 0;
	do {
		*failed_at = entry.next;
		TRY(entry_read(&whole, *failed_at, &entry));
		if (entry.is_trailer || !is_regular(&entry))
			continue;
		TRY(archive_add(archive, &whole, &entry));
		TRY(archive_share_data(archive, &whole, *failed_at, &entry));
	} while (!entry.is_trailer);
	ASSERT(archive_is_valid(archive, bytes, size));
	return STATUS_OK;
}

enum status archive_find(const struct archive *archive, const char *name, uint32_t *index)
{
	for (uint32_t i = 0; i < archive->count; i++) {
		if (string_equal(archive->file[i].name, name)) {
			*index = i;
			return STATUS_OK;
		}
	}
	return STATUS_NOT_FOUND;
}

bool archive_is_valid(const struct archive *archive, const void *bytes, size_t size)
{
	const uintptr_t start = (uintptr_t)bytes;

	if (archive->count > ARCHIVE_MAX_FILES)
		return false;
	for (uint32_t i = 0; i < archive->count; i++) {
		const struct archive_file *file = &archive->file[i];
		const uint64_t name = (uintptr_t)file->name - start;
		const uint64_t data = (uintptr_t)file->data - start;
		uint32_t first = 0;

		if (name >= size || string_length(file->name, size - name) == size - name)
			return false;
		if (!is_within(data, file->size, size) || !is_good_name(file->name))
			return false;
		if (archive_find(archive, file->name, &first) != STATUS_OK || first != i)
			return false;
	}
	return true;
}
