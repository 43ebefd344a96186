/*
 * A layout cut into pieces that follow one another from the top of the address space to 0: what both the text and the
 * figure show.
 */
#ifndef CAPOS_TOOLS_LAYOUT_PIECES_H
#define CAPOS_TOOLS_LAYOUT_PIECES_H

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

/* "8 MiB", "127.9 TiB", "4 KiB". */
void layout_pieces_size(uint64_t bytes, char *text, uint32_t size);

#endif
