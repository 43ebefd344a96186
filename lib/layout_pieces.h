/*
 * A layout cut into pieces that follow one another from the top of the address space to 0: what text and figure show,
 * on the host and in the shell.
 */
#ifndef CAPOS_LIB_LAYOUT_PIECES_H
#define CAPOS_LIB_LAYOUT_PIECES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/layout.h"

#define LAYOUT_PIECES_MAX 16u

enum layout_piece_kind {
	PIECE_OFFSET, /* a random amount of nothing */
	PIECE_STACK,
	PIECE_GUARD,
	PIECE_GAP,
	PIECE_MMAP,
	PIECE_SHARED, /* heap and mappings, growing towards each other */
	PIECE_HEAP,
	PIECE_IMAGE,
	PIECE_FREE,
	PIECE_WINDOW,
	PIECE_HOLE,
	PIECE_KINDS,
};

struct layout_piece {
	enum layout_piece_kind kind;
	uint64_t start, end;
	const char *name;
	const char *edge; /* what the kernel calls the address that matters here, or "" */
	bool edge_is_end; /* that is the piece's end, else its start */
};

struct layout_pieces {
	uint32_t count;
	struct layout_piece piece[LAYOUT_PIECES_MAX]; /* from the top; each ends where the one before starts */
};

void layout_pieces_of(const struct layout_profile *profile, const struct layout *layout, struct layout_pieces *pieces);

/* What a list calls it, and what it says of it; "" if nothing. */
const char *layout_pieces_name(const struct layout_piece *piece);
const char *layout_pieces_remark(const struct layout *layout, const struct layout_piece *piece);

#endif
