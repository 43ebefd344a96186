#include "lib/archive.h"

#include "lib/archive_entry.h"
#include "lib/check.h"
#include "lib/string.h"

static bool is_within(uint64_t offset, uint64_t bytes, uint64_t size)
{
	return offset <= size && bytes <= size - offset;
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

	const uint64_t size = entry->size;

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
	return a->links > 1 && b->links > 1 && a->inode == b->inode && a->device_major == b->device_major &&
	       a->device_minor == b->device_minor;
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

	if (last->links <= 1 || last->size == 0)
		return STATUS_OK;
	while (entry.next < end) {
		TRY(archive_entry_read(bytes, entry.next, &entry));
		if (!entry.is_regular)
			continue;
		if (is_same_file(&entry, last) && entry.size == 0) {
			archive->file[index].data = &bytes->at[last->data];
			archive->file[index].size = last->size;
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
		TRY(archive_entry_read(&whole, *failed_at, &entry));
		if (entry.is_trailer || !entry.is_regular)
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
