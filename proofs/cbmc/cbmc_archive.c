/*
 * lib/archive: any bytes. An entry's header is 110 of them, so that one entry and the trailer do not fit: what is
 * proved of archives this short is that no byte beyond them is read and no number wraps. Longer ones:
 * tests/fuzz/fuzz_archive.c.
 *
 * links: lib/archive.c lib/string.c
 * options archive_of_any_bytes: --unwind 17
 */
#include "lib/archive.h"
#include "proofs/cbmc/cbmc_support.h"

#define ARCHIVE_BYTES 124u /* a header, a name of up to 13 characters */

PROOF(archive_of_any_bytes)
{
	static uint8_t bytes[ARCHIVE_BYTES];
	static struct archive archive;
	const size_t size = nondet_u64();
	size_t failed_at = 0;

	ASSUME(size <= ARCHIVE_BYTES);
	for (size_t i = 0; i < ARCHIVE_BYTES; i++)
		bytes[i] = nondet_u8();

	const enum status status = archive_parse(bytes, size, &archive, &failed_at);

	PROVE(failed_at <= size || status == STATUS_ARCHIVE_NO_TRAILER);
	PROVE(status != STATUS_OK || archive.count == 0);
}
