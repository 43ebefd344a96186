/*
 * lib/archive_entry: any bytes, of any number up to ARCHIVE_BYTES, from any place on. The array ends where the archive
 * ends, so that what is read beyond it is seen.
 *
 * links: lib/archive_entry.c lib/string.c
 * options archive_entry_any: --unwind 21 --external-sat-solver cadical
 */
#include "lib/archive_entry.h"
#include "proofs/cbmc/cbmc_support.h"

#define HEADER_BYTES 110u
#define ARCHIVE_BYTES (HEADER_BYTES + 18u)

/* What is accepted lies in the archive, and the next entry behind it: so reading on comes to an end. */
PROOF(archive_entry_any)
{
	static uint8_t bytes[ARCHIVE_BYTES];
	const uint64_t size = nondet_u64(), offset = nondet_u64();
	struct archive_entry entry;

	ASSUME(size <= ARCHIVE_BYTES && offset <= UINT64_MAX / 2);
	__CPROVER_havoc_object(bytes);

	const struct archive_bytes archive = { &bytes[ARCHIVE_BYTES - size], size };

	if (archive_entry_read(&archive, offset, &entry) != STATUS_OK)
		return;
	PROVE(entry.name >= offset + HEADER_BYTES && entry.name < size);
	PROVE(entry.name_length < size - entry.name && archive.at[entry.name + entry.name_length] == '\0');
	PROVE(entry.is_trailer || entry.size == 0 || (entry.data <= size && entry.size <= size - entry.data));
	PROVE(entry.data > entry.name + entry.name_length && entry.data % 4 == 0);
	PROVE(entry.next >= entry.data + entry.size && entry.next % 4 == 0);
}
