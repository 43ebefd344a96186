/* A line as words between blanks. */
#ifndef CAPOS_USER_SHELL_WORDS_H
#define CAPOS_USER_SHELL_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "user/shell/line_history.h"

#define WORDS_MAX 32u

struct words {
	uint32_t count;
	const char *word[WORDS_MAX];
	const char *rest[WORDS_MAX]; /* the line from word i on, as it was typed, without blanks at its end */
	char text[LINE_BYTES];       /* the words, each terminated */
	char line[LINE_BYTES];
};

/* False: more than WORDS_MAX words. */
bool words_split(struct words *words, const char *line);

/* The line from word `index` on; "" past the end. */
const char *words_rest(const struct words *words, uint32_t index);

/* A whole word as a decimal number; false if it is none, or too large. */
bool words_number(const char *word, uint64_t *number);

/* Letters to insert, delete, replace or swap with a neighbour to make one of the other. */
uint32_t words_distance(const char *a, const char *b);

#endif
