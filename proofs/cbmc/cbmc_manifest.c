/*
 * lib/manifest_line and lib/manifest: texts of any bytes. A number is exact or refused; whatever is read stays within
 * the text.
 *
 * links: lib/manifest_line.c lib/string.c lib/ledger.c
 * options manifest_number: --unwind 23
 * options manifest_line_of_any_text: --unwind 12
 */
#include "lib/manifest_line.h"
#include "proofs/cbmc/cbmc_support.h"

#define TEXT_BYTES 8u
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

/* Words lie in the text, one after the other, and are words. */
PROOF(manifest_line_of_any_text)
{
	char bytes[TEXT_BYTES];
	struct manifest_text text = { .text = bytes, .bytes = nondet_u64() };
	struct manifest_line line;
	const uint32_t i = nondet_u32();

	ASSUME(text.bytes <= TEXT_BYTES);
	for (size_t k = 0; k < TEXT_BYTES; k++)
		bytes[k] = (char)nondet_u8();
	if (manifest_line_next(&text, &line) != STATUS_OK)
		return;
	PROVE(line.words >= 1 && line.words <= MANIFEST_LINE_WORDS && text.next <= text.bytes + 1 && text.line >= 1);
	ASSUME(i < line.words);
	PROVE(manifest_line_is_word(line.word[i]));
	PROVE(line.word[i].text >= bytes && line.word[i].text + line.word[i].length <= bytes + text.bytes);
	PROVE(i == 0 || line.word[i - 1].text + line.word[i - 1].length < line.word[i].text);
}
