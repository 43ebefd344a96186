#include "lib/archive_entry.h"

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

static enum status header_read(const struct archive_bytes *archive, uint64_t offset, uint32_t field[FIELD_COUNT])
{
	GUARD(offset < archive->size, STATUS_ARCHIVE_NO_TRAILER);
	GUARD(is_within(offset, HEADER_BYTES, archive->size), STATUS_ARCHIVE_TRUNCATED);
	for (uint32_t i = 0; i < MAGIC_BYTES; i++)
		GUARD(archive->at[offset + i] == (uint8_t)MAGIC[i], STATUS_ARCHIVE_BAD_MAGIC);
	for (uint32_t i = 0; i < FIELD_COUNT; i++)
		TRY(field_read(&archive->at[offset + MAGIC_BYTES + (uint64_t)i * DIGITS], &field[i]));
	return STATUS_OK;
}

static struct archive_entry entry_of_fields(const uint32_t field[FIELD_COUNT])
{
	return (struct archive_entry){
		.size = field[FIELD_FILE_SIZE],
		.is_regular = (field[FIELD_MODE] & MODE_TYPE) == MODE_REGULAR,
		.links = field[FIELD_LINKS],
		.inode = field[FIELD_INODE],
		.device_major = field[FIELD_DEVICE_MAJOR],
		.device_minor = field[FIELD_DEVICE_MINOR],
	};
}

/* Header, name and extent. Sums of 32-bit fields and an offset in memory do not wrap. */
enum status archive_entry_read(const struct archive_bytes *archive, uint64_t offset, struct archive_entry *entry)
{
	uint32_t field[FIELD_COUNT];

	TRY(header_read(archive, offset, field));
	*entry = entry_of_fields(field);

	const uint64_t name_bytes = field[FIELD_NAME_SIZE];

	entry->name = offset + HEADER_BYTES;
	GUARD(name_bytes != 0, STATUS_ARCHIVE_BAD_NAME);
	GUARD(is_within(entry->name, name_bytes, archive->size), STATUS_ARCHIVE_TRUNCATED);

	const char *name = (const char *)&archive->at[entry->name];

	entry->name_length = name_bytes - 1;
	GUARD(string_length(name, name_bytes) == entry->name_length, STATUS_ARCHIVE_BAD_NAME);
	entry->is_trailer = string_equal(name, TRAILER);
	entry->data = round_up_4(entry->name + name_bytes);
	entry->next = round_up_4(entry->data + entry->size);
	if (entry->is_trailer || entry->size == 0)
		return STATUS_OK;
	GUARD(is_within(entry->data, entry->size, archive->size), STATUS_ARCHIVE_TRUNCATED);
	return STATUS_OK;
}
