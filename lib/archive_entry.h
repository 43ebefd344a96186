/*
 * One entry of a cpio archive (lib/archive.h reads the whole). Arbitrary bytes are safe.
 *
 * The promise of an entry that was read from `offset`: its name and the 0 behind it lie in the archive, behind
 * `offset`, and its data too, if it has any and is not the trailer; the next one begins behind all of it.
 */
#ifndef CAPOS_LIB_ARCHIVE_ENTRY_H
#define CAPOS_LIB_ARCHIVE_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"

struct archive_bytes {
	const uint8_t *at;
	uint64_t size;
};

struct archive_entry {
	uint64_t name;        /* offset of its first character */
	uint64_t name_length; /* without the terminating 0 */
	uint64_t data;        /* offset */
	uint64_t size;        /* of the data */
	uint64_t next;        /* offset of the next entry; past the end if the archive ends here */
	bool is_trailer;
	bool is_regular;
	uint32_t links; /* names that the file has */
	uint32_t inode, device_major, device_minor;
};

/* The one at `offset`, which is 0 or the `next` of another: ARCHIVE_NO_TRAILER, _TRUNCATED, _BAD_MAGIC, _BAD_NUMBER,
 * _BAD_NAME. */
enum status archive_entry_read(const struct archive_bytes *archive, uint64_t offset, struct archive_entry *entry);

#endif
