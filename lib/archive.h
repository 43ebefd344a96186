/*
 * Boot package: a cpio archive in "newc" format (cpio(5)), read in place. Arbitrary bytes are safe. Directories and
 * other non-regular entries are skipped; each name of a file with several (hard links) has the file's data.
 */
#ifndef CAPOS_LIB_ARCHIVE_H
#define CAPOS_LIB_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"

#ifndef ARCHIVE_MAX_FILES /* a bounded proof has fewer, and shorter ones */
#define ARCHIVE_MAX_FILES 128u
#define ARCHIVE_NAME_MAX 63u /* characters, without the terminating 0 */
#endif

struct archive_file {
	const char *name; /* in the archive, 0-terminated, without a leading "./" */
	const uint8_t *data;
	uint64_t size;
};

struct archive {
	uint32_t count;
	struct archive_file file[ARCHIVE_MAX_FILES]; /* in archive order */
};

/* The whole archive checked once: STATUS_ARCHIVE_*; *failed_at is then the byte offset of the bad entry. */
enum status archive_parse(const void *bytes, size_t size, struct archive *archive, size_t *failed_at);

/* NOT_FOUND if there is none of that name (0-terminated). */
enum status archive_find(const struct archive *archive, const char *name, uint32_t *index);

bool archive_is_valid(const struct archive *archive, const void *bytes, size_t size);

#endif
