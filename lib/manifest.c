#include "lib/manifest.h"

#include "lib/check.h"
#include "lib/ledger.h"
#include "lib/string.h"

#define LINE_WORDS 3u /* the longest line: limit LEDGER NUMBER */

struct word {
	const char *text;
	size_t length;
};

struct line {
	uint32_t words;
	struct word word[LINE_WORDS];
};

static bool is_blank(char character)
{
	return character == ' ' || character == '\t' || character == '\r';
}

static bool is_printable(char character)
{
	return character > ' ' && character <= '~';
}

/* The words of `bytes` characters before any '#'. BAD_LINE: too many of them, or a character that is no text. */
static enum status line_split(const char *text, size_t bytes, struct line *line)
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
		GUARD(line->words < LINE_WORDS, STATUS_MANIFEST_BAD_LINE);
		line->word[line->words++] = (struct word){ &text[start], i - start };
	}
	return STATUS_OK;
}

static bool word_is(struct word word, const char *text)
{
	return string_equal_part(text, word.text, word.length);
}

/* The factor of a suffix K, M or G, which is taken off the word; 1 without one. */
static uint64_t take_suffix(struct word *number)
{
	uint64_t factor = 1;

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

static enum status number_parse(struct word word, uint64_t *number)
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

static enum status parse_init(const struct line *line, struct manifest *manifest)
{
	GUARD(line->words == 2, STATUS_MANIFEST_BAD_LINE);
	GUARD(manifest->init[0] == '\0', STATUS_MANIFEST_DUPLICATE);
	GUARD(line->word[1].length < MANIFEST_NAME_BYTES, STATUS_MANIFEST_BAD_NAME);
	(void)string_copy_part(manifest->init, sizeof(manifest->init), line->word[1].text, line->word[1].length);
	return STATUS_OK;
}

static enum status ledger_find(struct word name, uint32_t *ledger)
{
	for (uint32_t i = 0; i < LEDGER_COUNT; i++) {
		if (word_is(name, ledger_name((enum ledger_kind)i))) {
			*ledger = i;
			return STATUS_OK;
		}
	}
	return STATUS_MANIFEST_BAD_NAME;
}

static enum status parse_limit(const struct line *line, struct manifest *manifest)
{
	uint32_t ledger = 0;
	uint64_t limit = 0;

	GUARD(line->words == 3, STATUS_MANIFEST_BAD_LINE);
	TRY(ledger_find(line->word[1], &ledger));
	TRY(number_parse(line->word[2], &limit));
	GUARD(!manifest->has_limit[ledger], STATUS_MANIFEST_DUPLICATE);
	manifest->has_limit[ledger] = true;
	manifest->limit[ledger] = limit;
	return STATUS_OK;
}

static enum status parse_argument(const struct line *line, struct manifest *manifest)
{
	GUARD(line->words == 2, STATUS_MANIFEST_BAD_LINE);
	GUARD(line->word[1].length < MANIFEST_NAME_BYTES, STATUS_MANIFEST_TOO_LONG);
	GUARD(manifest->arguments < MANIFEST_ARGUMENTS, STATUS_MANIFEST_TOO_LONG);
	(void)string_copy_part(manifest->argument[manifest->arguments++], MANIFEST_NAME_BYTES, line->word[1].text,
			       line->word[1].length);
	return STATUS_OK;
}

static enum status parse_line(const char *text, size_t bytes, struct manifest *manifest)
{
	struct line line = { .words = 0 };

	TRY(line_split(text, bytes, &line));
	if (line.words == 0)
		return STATUS_OK;
	if (word_is(line.word[0], "init"))
		return parse_init(&line, manifest);
	if (word_is(line.word[0], "limit"))
		return parse_limit(&line, manifest);
	if (word_is(line.word[0], "argument"))
		return parse_argument(&line, manifest);
	return STATUS_MANIFEST_UNKNOWN_KEY;
}

enum status manifest_parse(const char *text, size_t bytes, struct manifest *manifest, uint32_t *failed_line)
{
	uint32_t number = 0;

	*manifest = (struct manifest){ .arguments = 0 };
	*failed_line = 0;
	GUARD(bytes <= MANIFEST_MAX_BYTES, STATUS_MANIFEST_TOO_LONG);
	for (size_t start = 0, end = 0; start < bytes; start = end + 1) {
		end = start;
		while (end < bytes && text[end] != '\n')
			end++;
		*failed_line = ++number;
		TRY(parse_line(&text[start], end - start, manifest));
	}
	*failed_line = 0;
	GUARD(manifest->init[0] != '\0', STATUS_MANIFEST_NO_INIT);
	ASSERT(manifest_is_valid(manifest));
	return STATUS_OK;
}

/* A word that could stand in the text: printable, terminated, not empty. */
static bool is_word(const char text[MANIFEST_NAME_BYTES])
{
	const size_t length = string_length(text, MANIFEST_NAME_BYTES);

	for (size_t i = 0; i < length; i++) {
		if (!is_printable(text[i]) || text[i] == '#')
			return false;
	}
	return length != 0 && length < MANIFEST_NAME_BYTES;
}

bool manifest_is_valid(const struct manifest *manifest)
{
	if (!is_word(manifest->init) || manifest->arguments > MANIFEST_ARGUMENTS)
		return false;
	for (uint32_t i = 0; i < manifest->arguments; i++) {
		if (!is_word(manifest->argument[i]))
			return false;
	}
	for (uint32_t i = 0; i < LEDGER_COUNT; i++) {
		if (!manifest->has_limit[i] && manifest->limit[i] != 0)
			return false;
	}
	return true;
}
