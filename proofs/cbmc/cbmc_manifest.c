/*
 * lib/manifest_line: a number of any characters is exact or refused.
 *
 * links: lib/manifest_line.c lib/string.c lib/ledger.c
 * options manifest_number: --unwind 5
 */
#include "lib/manifest_line.h"
#include "proofs/cbmc/cbmc_support.h"

#define DIGITS 3u

/* Up to DIGITS characters of any kind: a number below 1000, perhaps with its suffix, or a refusal. */
PROOF(manifest_number)
{
	char text[DIGITS];
	const size_t length = nondet_u64();
	uint64_t value = 0, factor = 1;
	bool is_number;

	ASSUME(length <= DIGITS);
	for (size_t i = 0; i < DIGITS; i++)
		text[i] = (char)nondet_u8();

	size_t digits = length;

	if (length != 0 && (text[length - 1] == 'K' || text[length - 1] == 'M' || text[length - 1] == 'G')) {
		factor = text[length - 1] == 'K' ? 1024 : text[length - 1] == 'M' ? 1048576 : 1073741824;
		digits--;
	}
	is_number = digits != 0;
	for (size_t i = 0; i < digits; i++) {
		is_number = is_number && text[i] >= '0' && text[i] <= '9';
		value = value * 10 + (uint64_t)(uint8_t)(text[i] - '0');
	}

	uint64_t number = 0;
	const bool ok = manifest_line_number((struct manifest_word){ text, length }, &number) == STATUS_OK;

	PROVE(ok == is_number);
	PROVE(!ok || number == value * factor);
}
