/*
 * lib/manifest_line and lib/manifest_layout: a text of any characters. The array ends where the text ends, so that what
 * is read beyond it is seen. A word and a character that are arbitrary stand for all. The file is included for its
 * steps.
 *
 * links: lib/manifest_layout.c lib/layout.c lib/layout_pieces.c lib/random_stream.c lib/string.c lib/ledger.c
 * options manifest_number: --unwind 5
 * options manifest_words: --unwind 7 -DMANIFEST_LINE_WORDS=2u --external-sat-solver cadical
 * options manifest_lines: --unwind 5 -DMANIFEST_LINE_WORDS=2u --external-sat-solver cadical
 * options manifest_layout_any: --unwind 20 --external-sat-solver cadical
 */
#include "lib/manifest_line.c"

#include "lib/manifest_layout.h"
#include "proofs/cbmc/cbmc_support.h"

#define DIGITS 3u
#define LINE_BYTES 5u
#define TEXT_BYTES 3u
#define KEY_BYTES 18u  /* the longest */
#define VALUE_BYTES 8u /* flexible */

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

/* The words of a line are whole, printable, in order, no more than there is room for, and none of a comment. */
PROOF(manifest_words)
{
	static char bytes[LINE_BYTES];
	const size_t size = nondet_u64(), at = nondet_u64();
	const uint32_t one = nondet_u32();
	struct manifest_line line;

	ASSUME(size <= LINE_BYTES);
	__CPROVER_havoc_object(bytes);

	const char *text = &bytes[LINE_BYTES - size];

	ASSUME(split(text, size, &line) == STATUS_OK);
	PROVE(line.words <= MANIFEST_LINE_WORDS);
	ASSUME(one < line.words);

	const struct manifest_word word = line.word[one];
	const size_t start = (size_t)(word.text - text);

	PROVE(start < size && word.length != 0 && word.length <= size - start);
	PROVE(one == 0 || line.word[one - 1].text + line.word[one - 1].length < word.text);
	PROVE(start + word.length == size || !is_printable(text[start + word.length]) ||
	      text[start + word.length] == '#');
	ASSUME(at < word.length);
	PROVE(text[start + at] > ' ' && text[start + at] <= '~' && text[start + at] != '#');
}

/* Each step goes on in the text, so that reading it ends; what it gives has a word. */
PROOF(manifest_lines)
{
	static char bytes[TEXT_BYTES];
	const size_t size = nondet_u64(), next = nondet_u64();
	struct manifest_line line;

	ASSUME(size <= TEXT_BYTES && next <= size + 1);
	__CPROVER_havoc_object(bytes);

	struct manifest_text text = { .text = &bytes[TEXT_BYTES - size], .bytes = size, .next = next };
	const enum status status = manifest_line_next(&text, &line);

	PROVE(status == STATUS_OK || status == STATUS_MANIFEST_BAD_LINE || status == STATUS_NOT_FOUND);
	PROVE(text.next <= size + 1 && text.next >= next && text.line <= size);
	PROVE(status != STATUS_NOT_FOUND || text.next >= size);
	PROVE(status != STATUS_OK || (text.next > next && line.words >= 1 && line.words <= MANIFEST_LINE_WORDS));
}

/* Any line whose first word is a key, over any valid layout: it is valid again. */
PROOF(manifest_layout_any)
{
	static char key[KEY_BYTES], value[VALUE_BYTES];
	struct manifest_layout layout = { nondet_u32(), nondet_u32(), nondet_u64(), nondet_u64() };
	const struct manifest_word word[2] = { { key, nondet_u64() }, { value, nondet_u64() } };
	const uint32_t words = nondet_u32();

	ASSUME(word[0].length <= KEY_BYTES && word[1].length <= VALUE_BYTES && words >= 1 && words <= 2);
	__CPROVER_havoc_object(key);
	__CPROVER_havoc_object(value);
	ASSUME(manifest_layout_is_key(word[0]) && manifest_layout_is_valid(&layout));
	if (manifest_layout_parse(word, words, &layout) == STATUS_OK)
		PROVE(manifest_layout_is_valid(&layout) && manifest_layout_is_given(&layout));
}
