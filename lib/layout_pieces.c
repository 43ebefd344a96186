#include "lib/layout_pieces.h"

#include "lib/check.h"

static uint64_t start_of(struct uaddr_range range)
{
	return uaddr_to_u64(range.start);
}

static uint64_t end_of(struct uaddr_range range)
{
	return uaddr_to_u64(range.end);
}

/* The next piece down to `start`; nothing if it is empty. Returns where the next one ends. */
static uint64_t add(struct layout_pieces *pieces, uint64_t end, uint64_t start, struct layout_piece piece)
{
	if (start == end)
		return end;
	CHECK(start < end && pieces->count < LAYOUT_PIECES_MAX);
	piece.start = start;
	piece.end = end;
	pieces->piece[pieces->count++] = piece;
	return start;
}

static uint64_t add_stack(const struct layout_profile *profile, const struct layout *layout,
			  struct layout_pieces *pieces)
{
	const bool is_at_top = end_of(layout->stack) == profile->stack_top;
	uint64_t at = profile->task_size;

	at = add(pieces, at, end_of(layout->stack),
		 (struct layout_piece){
			 .kind = PIECE_OFFSET, .name = "random offset", .edge = "TASK_SIZE", .edge_is_end = true });
	at = add(pieces, at, start_of(layout->stack),
		 (struct layout_piece){ .kind = PIECE_STACK,
					.name = "Stack",
					.edge = is_at_top ? "TASK_SIZE = STACK_TOP" : "STACK_TOP - random offset",
					.edge_is_end = true });
	return add(pieces, at, start_of(layout->guard),
		   (struct layout_piece){
			   .kind = PIECE_GUARD, .name = "Guard", .edge = "stack limit", .edge_is_end = true });
}

static uint64_t add_mmap(const struct layout_profile *profile, const struct layout *layout,
			 struct layout_pieces *pieces, uint64_t at)
{
	uint64_t still = profile->stack_top - layout->gap;

	if (layout->kind != LAYOUT_FLEXIBLE) {
		const bool is_third = layout_mmap_base(layout) == profile->unmapped_base;

		at = add(pieces, at, start_of(layout->mmap),
			 (struct layout_piece){ .kind = PIECE_MMAP,
						.name = "MMAP",
						.edge = is_third ? "mmap_base = TASK_SIZE / 3"
								 : "mmap_base = TASK_SIZE / 3 + random" });
		return add(pieces, at, start_of(layout->heap),
			   (struct layout_piece){ .kind = PIECE_HEAP, .name = "Heap", .edge = "start of the heap" });
	}
	still = still < at ? still : at;
	at = add(pieces, at, still, (struct layout_piece){ .kind = PIECE_GAP, .name = "Gap", .edge = "" });
	at = add(pieces, at, end_of(layout->mmap),
		 (struct layout_piece){ .kind = PIECE_OFFSET, .name = "random offset", .edge = "" });
	at = add(pieces, at, start_of(layout->heap),
		 (struct layout_piece){
			 .kind = PIECE_SHARED, .name = "MMAP", .edge = "mmap_base", .edge_is_end = true });
	return at;
}

void layout_pieces_of(const struct layout_profile *profile, const struct layout *layout, struct layout_pieces *pieces)
{
	const uint64_t window_start = start_of(layout->window), window_end = end_of(layout->window);
	const bool has_window = window_start < window_end && window_end <= end_of(layout->hole);
	uint64_t at;

	pieces->count = 0;
	at = add_stack(profile, layout, pieces);
	at = add_mmap(profile, layout, pieces, at);
	at = add(pieces, at, end_of(layout->image),
		 (struct layout_piece){ .kind = end_of(layout->image) < window_end ? PIECE_FREE : PIECE_OFFSET,
					.name = "random offset",
					.edge = "" });
	at = add(pieces, at, start_of(layout->image),
		 (struct layout_piece){ .kind = PIECE_IMAGE, .name = "Text, data, bss", .edge = "start of the text" });
	at = add(pieces, at, end_of(layout->hole),
		 (struct layout_piece){ .kind = PIECE_OFFSET, .name = "random offset", .edge = "" });
	if (has_window) {
		at = add(pieces, at, window_end,
			 (struct layout_piece){ .kind = PIECE_HOLE, .name = "Hole", .edge = "" });
		at = add(pieces, at, window_start,
			 (struct layout_piece){ .kind = PIECE_WINDOW, .name = "CapSet, rings", .edge = "" });
	}
	(void)add(pieces, at, 0, (struct layout_piece){ .kind = PIECE_HOLE, .name = "Hole", .edge = "" });
}

const char *layout_pieces_name(const struct layout_piece *piece)
{
	if (piece->kind == PIECE_FREE)
		return "free";
	return piece->kind == PIECE_SHARED ? "MMAP, Heap" : piece->name;
}

const char *layout_pieces_remark(const struct layout *layout, const struct layout_piece *piece)
{
	switch (piece->kind) {
	case PIECE_STACK:
		return "grows down";
	case PIECE_GUARD:
		return "nothing, ever";
	case PIECE_MMAP:
		return "grows up";
	case PIECE_SHARED:
		return "mappings grow down, heap grows up";
	case PIECE_HEAP:
		return "grows up";
	case PIECE_HOLE:
		return uaddr_to_u64(layout->hole.end) == piece->end || piece->start == 0 ? "null pointers" : "";
	case PIECE_OFFSET:
	case PIECE_GAP:
	case PIECE_IMAGE:
	case PIECE_FREE:
	case PIECE_WINDOW:
	case PIECE_KINDS:
		return "";
	}
	return "";
}
