/*
 * The manifest as lines of words: what lib/manifest.c and lib/manifest_program.c read. Words point into the text, which
 * must outlive them.
 *
 * A line is words between blanks; '#' starts a comment; lines without a word are passed over. Only printable ASCII
 * characters stand in words.
 */
#ifndef CAPOS_LIB_MANIFEST_LINE_H
#define CAPOS_LIB_MANIFEST_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/virtual_memory_abi.h"

#define MANIFEST_NAME_BYTES 64u /* of a program or argument, with a terminating 0 */
#ifndef MANIFEST_LINE_WORDS     /* a bounded proof has fewer */
#define MANIFEST_LINE_WORDS 5u  /* the longest: grant CAPABILITY KIND as NAME */
#endif

/* Not terminated. */
struct manifest_word {
	const char *text;
	size_t length;
};

struct manifest_line {
	uint32_t words; /* at least 1 */
	struct manifest_word word[MANIFEST_LINE_WORDS];
};

/* A text and how far it has been read. A copy is a place to come back to. */
struct manifest_text {
	const char *text;
	size_t bytes;
	size_t next;   /* where the next line begins */
	uint32_t line; /* number of the last line read, from 1 */
};

/* The next line that has a word. NOT_FOUND: there is none. BAD_LINE: too many words, or a byte that is no text. */
enum status manifest_line_next(struct manifest_text *text, struct manifest_line *line);

bool manifest_line_word_is(struct manifest_word word, const char *text);
bool manifest_line_words_equal(struct manifest_word a, struct manifest_word b);

/* Whether it could stand in a manifest: not empty, printable, no '#'. */
bool manifest_line_is_word(struct manifest_word word);

/* NUMBER[K|M|G]. BAD_NUMBER: no number, or above 2^64 - 1. */
enum status manifest_line_number(struct manifest_word word, uint64_t *number);

/* By its name in ledger_name(). BAD_NAME: there is none of that name. */
enum status manifest_line_ledger(struct manifest_word name, enum ledger_kind *ledger);

#endif
