/*
 * lib/archive over entries of which nothing is known but what cbmc_archive_entry.c proves of each. Two files that are
 * arbitrary stand for all.
 *
 * links: lib/archive.c lib/string.c
 * options archive_any_entries: --unwind 6 -DARCHIVE_NAME_MAX=3u -DARCHIVE_MAX_FILES=2u --external-sat-solver cadical
 */
#include "lib/archive.h"
#include "lib/archive_entry.h"
#include "proofs/cbmc/cbmc_support.h"

#define ARCHIVE_BYTES 24u
#define ENTRIES 3u
#define NAME_BYTES 5u /* with the 0 */

struct archive_entry nondet_entry(void);

static uint8_t bytes[ARCHIVE_BYTES];
static struct archive_entry entries[ENTRIES]; /* what reading the archive gives, in order */

static bool is_entry(const struct archive_entry *entry, uint64_t offset)
{
	bool is_in = entry->name > offset && entry->name < ARCHIVE_BYTES && entry->name_length < NAME_BYTES &&
		     entry->name_length < ARCHIVE_BYTES - entry->name &&
		     bytes[entry->name + entry->name_length] == '\0';

	for (uint32_t i = 0; i < NAME_BYTES && is_in; i++)
		is_in = i >= entry->name_length || bytes[entry->name + i] != '\0';
	return is_in && entry->data > entry->name + entry->name_length && entry->size <= UINT32_MAX &&
	       entry->data <= ARCHIVE_BYTES + 4 && entry->next >= entry->data + entry->size &&
	       entry->next <= UINT64_MAX / 2 &&
	       (entry->is_trailer || entry->size == 0 ||
		(entry->data <= ARCHIVE_BYTES && entry->size <= ARCHIVE_BYTES - entry->data));
}

/* The same for the same place, as the archive does not change; behind the last, none. */
enum status archive_entry_read(const struct archive_bytes *archive, uint64_t offset, struct archive_entry *entry)
{
	uint64_t next = 0;

	PROVE(archive->at == bytes && archive->size == ARCHIVE_BYTES);
	for (uint32_t i = 0; i < ENTRIES; i++) {
		if (next == offset && offset < ARCHIVE_BYTES) {
			*entry = entries[i];
			return STATUS_OK;
		}
		next = entries[i].next;
	}
	return STATUS_ARCHIVE_NO_TRAILER;
}

static bool is_same_text(const char *a, const char *b)
{
	for (uint32_t i = 0; i < NAME_BYTES; i++) {
		if (a[i] != b[i])
			return false;
		if (a[i] == '\0')
			return true;
	}
	return true;
}

PROOF(archive_any_entries)
{
	struct archive archive;
	size_t failed_at = 0;
	uint64_t offset = 0;
	const uint32_t one = nondet_u32(), other = nondet_u32();

	__CPROVER_havoc_object(bytes);
	for (uint32_t i = 0; i < ENTRIES; i++) {
		entries[i] = nondet_entry();
		ASSUME(is_entry(&entries[i], offset));
		offset = entries[i].next;
	}
	if (archive_parse(bytes, ARCHIVE_BYTES, &archive, &failed_at) != STATUS_OK)
		return;
	PROVE(archive.count < ENTRIES);
	ASSUME(one < archive.count && other < archive.count);

	const struct archive_file *file = &archive.file[one];
	const uint64_t name = (uint64_t)(file->name - (const char *)bytes), data = (uint64_t)(file->data - bytes);

	PROVE(name < ARCHIVE_BYTES && data <= ARCHIVE_BYTES && file->size <= ARCHIVE_BYTES - data);
	PROVE(file->name[0] != '/' && file->name[0] != '\0');
	PROVE(!is_same_text(file->name, "..") && !is_same_text(file->name, "../"));
	PROVE(one == other || !is_same_text(file->name, archive.file[other].name));
}
