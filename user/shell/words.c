#include "user/shell/words.h"

#include "lib/string.h"

#define DISTANCE_LETTERS 31u /* of longer words the rest is not looked at */

static bool is_blank(char character)
{
	return character == ' ' || character == '\t';
}

bool words_split(struct words *words, const char *line)
{
	uint32_t length;

	(void)string_copy(words->line, LINE_BYTES, line);
	length = (uint32_t)strlen(words->line);
	while (length > 0 && is_blank(words->line[length - 1]))
		words->line[--length] = '\0';
	memcpy(words->text, words->line, LINE_BYTES);
	words->count = 0;
	for (uint32_t i = 0; i < length; i++) {
		bool begins = !is_blank(words->line[i]) && (i == 0 || is_blank(words->line[i - 1]));

		if (is_blank(words->line[i]))
			words->text[i] = '\0';
		if (!begins)
			continue;
		if (words->count == WORDS_MAX)
			return false;
		words->rest[words->count] = words->line + i;
		words->word[words->count++] = words->text + i;
	}
	return true;
}

const char *words_rest(const struct words *words, uint32_t index)
{
	return index < words->count ? words->rest[index] : "";
}

bool words_number(const char *word, uint64_t *number)
{
	uint64_t value = 0;

	if (*word == '\0')
		return false;
	for (; *word != '\0'; word++) {
		if (*word < '0' || *word > '9')
			return false;
		uint64_t digit = (uint64_t)(*word - '0');

		if (value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*number = value;
	return true;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: row i holds the distance of the first i letters of `a` to each beginning of `b`. */
uint32_t words_distance(const char *a, const char *b)
{
	uint32_t rows = (uint32_t)string_length(a, DISTANCE_LETTERS);
	uint32_t columns = (uint32_t)string_length(b, DISTANCE_LETTERS);
	uint32_t row[3][DISTANCE_LETTERS + 1];

	for (uint32_t j = 0; j <= columns; j++)
		row[0][j] = j;
	for (uint32_t i = 1; i <= rows; i++) {
		uint32_t *now = row[i % 3];
		const uint32_t *before = row[(i + 2) % 3], *two_before = row[(i + 1) % 3];

		now[0] = i;
		for (uint32_t j = 1; j <= columns; j++) {
			now[j] = least(before[j], now[j - 1]) + 1;
			now[j] = least(now[j], before[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], two_before[j - 2] + 1);
		}
	}
	return row[rows % 3][columns];
}
