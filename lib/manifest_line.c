#include "lib/manifest_line.h"

#include "lib/check.h"
#include "lib/ledger.h"
#include "lib/string.h"

static bool is_blank(char character)
{
	return character == ' ' || character == '\t' || character == '\r';
}

static bool is_printable(char character)
{
	return character > ' ' && character <= '~';
}

/* The words of `bytes` characters before any '#'. BAD_LINE: too many of them, or a character that is no text. */
static enum status split(const char *text, size_t bytes, struct manifest_line *line)
{
	size_t i = 0;

	line->words = 0;
	while (i < bytes && text[i] != '#') {
		const size_t start = i;

		if (is_blank(text[i])) {
			i++;
			continue;
		}
		while (i < bytes && is_printable(text[i]) && text[i] != '#')
			i++;
		GUARD(i > start, STATUS_MANIFEST_BAD_LINE);
		GUARD(line->words < MANIFEST_LINE_WORDS, STATUS_MANIFEST_BAD_LINE);
		line->word[line->words++] = (struct manifest_word){ &text[start], i - start };
	}
	return STATUS_OK;
}

enum status manifest_line_next(struct manifest_text *text, struct manifest_line *line)
{
	while (text->next < text->bytes) {
		const size_t start = text->next;
		size_t end = start;

		while (end < text->bytes && text->text[end] != '\n')
			end++;
		text->next = end + 1;
		text->line++;
		TRY(split(&text->text[start], end - start, line));
		if (line->words != 0)
			return STATUS_OK;
	}
	return STATUS_NOT_FOUND;
}

bool manifest_line_word_is(struct manifest_word word, const char *text)
{
	return string_equal_part(text, word.text, word.length);
}

bool manifest_line_words_equal(struct manifest_word a, struct manifest_word b)
{
	return a.length == b.length && memcmp(a.text, b.text, a.length) == 0;
}

bool manifest_line_is_word(struct manifest_word word)
{
	for (size_t i = 0; i < word.length; i++) {
		if (!is_printable(word.text[i]) || word.text[i] == '#')
			return false;
	}
	return word.length != 0;
}

/* The factor of a suffix K, M or G, which is taken off the word; 1 without one. */
static uint64_t take_suffix(struct manifest_word *number)
{
	uint64_t factor = 1;

	if (number->length == 0)
		return factor;
	if (number->text[number->length - 1] == 'K')
		factor = UINT64_C(1) << 10;
	else if (number->text[number->length - 1] == 'M')
		factor = UINT64_C(1) << 20;
	else if (number->text[number->length - 1] == 'G')
		factor = UINT64_C(1) << 30;
	if (factor != 1)
		number->length--;
	return factor;
}

enum status manifest_line_number(struct manifest_word word, uint64_t *number)
{
	const uint64_t factor = take_suffix(&word);
	uint64_t value = 0;

	GUARD(word.length != 0, STATUS_MANIFEST_BAD_NUMBER);
	for (size_t i = 0; i < word.length; i++) {
		GUARD(word.text[i] >= '0' && word.text[i] <= '9', STATUS_MANIFEST_BAD_NUMBER);

		const uint64_t digit = (uint64_t)(word.text[i] - '0');

		GUARD(value <= (UINT64_MAX - digit) / 10, STATUS_MANIFEST_BAD_NUMBER);
		value = value * 10 + digit;
	}
	GUARD(value <= UINT64_MAX / factor, STATUS_MANIFEST_BAD_NUMBER);
	*number = value * factor;
	return STATUS_OK;
}

enum status manifest_line_ledger(struct manifest_word name, enum ledger_kind *ledger)
{
	for (uint32_t i = 0; i < LEDGER_COUNT; i++) {
		if (manifest_line_word_is(name, ledger_name((enum ledger_kind)i))) {
			*ledger = (enum ledger_kind)i;
			return STATUS_OK;
		}
	}
	return STATUS_MANIFEST_BAD_NAME;
}
