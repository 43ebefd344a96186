/*
 * Layouts out of text, such as the log of a machine: blocks of lines as `capos-layout --values` and the shell's
 * `layout PID values` print them. Lines outside of a block are passed over.
 */
#ifndef CAPOS_TOOLS_LAYOUT_READER_H
#define CAPOS_TOOLS_LAYOUT_READER_H

#include <stdint.h>
#include <stdio.h>

#include "lib/layout.h"

enum layout_reader_answer {
	LAYOUT_READER_OK,
	LAYOUT_READER_END,  /* no further block */
	LAYOUT_READER_LINE, /* a line of a block is missing or is none */
	LAYOUT_READER_BAD,  /* the block is complete, but it is no layout of its profile */
};

struct layout_reader {
	FILE *in;
	uint64_t line; /* of the last one that was read; the first is 1 */
};

/* The next block. *profile and *layout are written only if all is well. */
enum layout_reader_answer layout_reader_next(struct layout_reader *reader, const struct layout_profile **profile,
					     struct layout *layout);

/* NULL if there is none of that name. */
const struct layout_profile *layout_reader_profile(const char *name);

/* Likewise false. */
bool layout_reader_kind(const char *name, enum layout_kind *kind);

#endif
