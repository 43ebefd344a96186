#include "tools/layout/layout_svg.h"

#include <inttypes.h>

#include "lib/layout_pieces.h"
#include "tools/layout/layout_size.h"

/* All of these are pixels. */
#define MARGIN 20.0
#define TITLE 64.0 /* height of what is above the columns */
#define FOOT 56.0
#define COLUMN 210.0
#define ADDRESSES 140.0 /* room left of a column */
#define EDGES 218.0     /* room right of it, for the names of addresses */
#define LEAST 30.0      /* height of a piece, so that a line of text fits */
#define LEAST_GROWING 74.0
#define MOST 170.0

#define SMALL_SPACE (UINT64_C(4) << 30)
#define MIB (UINT64_C(1) << 20)
#define SMALL_SCALE (512.0 / 100 * (double)MIB) /* bytes a pixel: 3 GiB are 600 pixels */
#define ZIGZAGS 14

struct figure {
	FILE *out;
	double bytes_per_pixel;
	bool cuts;    /* a piece that would be taller than MOST is cut */
	double extra; /* added to the largest growing piece, so that all columns are of one height */
};

struct style {
	const char *fill;
	const char *text;
};

static const struct style styles[PIECE_KINDS] = {
	[PIECE_OFFSET] = { "url(#dots)", "#5b6572" },   [PIECE_STACK] = { "#f6c98f", "#4a2f0b" },
	[PIECE_GUARD] = { "url(#stripes)", "#7d1f1f" }, [PIECE_GAP] = { "#ffffff", "#5b6572" },
	[PIECE_MMAP] = { "#a9cdec", "#12344f" },        [PIECE_SHARED] = { "#a9cdec", "#12344f" },
	[PIECE_HEAP] = { "#b7dfb0", "#1c4217" },        [PIECE_IMAGE] = { "#d5c3ea", "#36205a" },
	[PIECE_FREE] = { "#ffffff", "#5b6572" },        [PIECE_WINDOW] = { "#f3e59a", "#4d4406" },
	[PIECE_HOLE] = { "#e7eaee", "#5b6572" },
};

static bool is_growing(enum layout_piece_kind kind)
{
	return kind == PIECE_MMAP || kind == PIECE_SHARED || kind == PIECE_HEAP;
}

static double true_height(const struct figure *figure, const struct layout_piece *piece)
{
	return (double)(piece->end - piece->start) / figure->bytes_per_pixel;
}

static bool is_cut(const struct figure *figure, const struct layout_piece *piece)
{
	return figure->cuts && true_height(figure, piece) > MOST;
}

/* Which of the growing pieces stands for the rest of the space: the mappings. */
static bool takes_extra(enum layout_piece_kind kind)
{
	return kind == PIECE_MMAP || kind == PIECE_SHARED;
}

static double height_of(const struct figure *figure, const struct layout_piece *piece)
{
	const double least = is_growing(piece->kind) ? LEAST_GROWING : LEAST;
	double height = true_height(figure, piece);

	if (is_cut(figure, piece))
		height = piece->kind == PIECE_SHARED ? MOST + LEAST_GROWING : MOST - 60 + 60 * is_growing(piece->kind);
	else if (height < least)
		height = least;
	return height + (takes_extra(piece->kind) ? figure->extra : 0);
}

static double height_of_all(const struct figure *figure, const struct layout_pieces *pieces)
{
	double height = 0;

	for (uint32_t i = 0; i < pieces->count; i++)
		height += height_of(figure, &pieces->piece[i]);
	return height;
}

static void print_text(const struct figure *figure, double x, double y, const char *attributes, const char *text)
{
	(void)fprintf(figure->out, "<text x=\"%.1f\" y=\"%.1f\" %s>%s</text>\n", x, y, attributes, text);
}

static void print_box(const struct figure *figure, double x, double y, double height, const char *fill)
{
	(void)fprintf(figure->out, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n", x, y,
		      COLUMN, height, fill);
}

static void print_line(const struct figure *figure, double x, double y, double width, const char *attributes)
{
	(void)fprintf(figure->out, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" %s/>\n", x, y, x + width, y,
		      attributes);
}

/* From y to y + length; a negative length points up. */
static void print_arrow(const struct figure *figure, double x, double y, double length, const char *colour)
{
	(void)fprintf(figure->out,
		      "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" stroke-width=\"2\" "
		      "marker-end=\"url(#head)\"/>\n",
		      x, y, x, y + length, colour);
}

static void print_zigzag(const struct figure *figure, double x, double y, const char *colour)
{
	const double step = (COLUMN + 12) / ZIGZAGS;

	(void)fprintf(figure->out, "<path d=\"M%.1f %.1f", x - 6, y);
	for (int i = 0; i < ZIGZAGS; i++)
		(void)fprintf(figure->out, " l%.2f %s", step, i % 2 == 0 ? "-5" : "5");
	(void)fprintf(figure->out, "\" fill=\"none\" stroke=\"%s\" stroke-width=\"%s\"/>\n", colour,
		      *colour == '#' ? "1.2" : "9");
}

/* A white band between two zigzags across the column: something was left out here. Drawn over the column's frame. */
static void print_cut(const struct figure *figure, double x, double y)
{
	print_zigzag(figure, x, y, "white");
	print_zigzag(figure, x, y - 4.5, "#39424e");
	print_zigzag(figure, x, y + 4.5, "#39424e");
}

static void print_room(const struct figure *figure, double x, double y, const char *text)
{
	print_text(figure, x + COLUMN / 2, y, "class=\"note\" text-anchor=\"middle\"", text);
}

static void print_label(const struct figure *figure, double x, double y, const struct layout_piece *piece,
			const char *name, bool has_size)
{
	char attributes[96], size[24];

	(void)snprintf(attributes, sizeof(attributes), "fill=\"%s\" font-weight=\"%s\"", styles[piece->kind].text,
		       piece->kind == PIECE_OFFSET || piece->kind == PIECE_FREE ? "normal" : "bold");
	print_text(figure, x + 12, y, attributes, name);
	if (!has_size)
		return;
	layout_size_text(piece->end - piece->start, size, sizeof(size));
	(void)snprintf(attributes, sizeof(attributes), "fill=\"%s\" text-anchor=\"end\" font-size=\"12\"",
		       styles[piece->kind].text);
	print_text(figure, x + COLUMN - 12, y, attributes, size);
}

/* Mappings above, heap below, between them what either may grow into. */
static void print_shared(const struct figure *figure, double x, double y, double height,
			 const struct layout_piece *piece)
{
	const double part = height < 240 ? height * 0.3 : 90;
	struct layout_piece heap = *piece;
	char size[24], text[64];

	heap.kind = PIECE_HEAP;
	print_box(figure, x, y, height, "#ffffff");
	print_box(figure, x, y, part, styles[PIECE_MMAP].fill);
	print_box(figure, x, y + height - part, part, styles[PIECE_HEAP].fill);
	print_line(figure, x, y + part, COLUMN, "stroke=\"#39424e\" stroke-dasharray=\"5 4\"");
	print_line(figure, x, y + height - part, COLUMN, "stroke=\"#39424e\" stroke-dasharray=\"5 4\"");
	print_label(figure, x, y + 20, piece, "MMAP", false);
	print_label(figure, x, y + height - 10, &heap, "Heap", false);
	print_arrow(figure, x + COLUMN / 2, y + part - 16, 30, styles[PIECE_MMAP].text);
	print_arrow(figure, x + COLUMN / 2, y + height - part + 16, -30, styles[PIECE_HEAP].text);
	layout_size_text(piece->end - piece->start, size, sizeof(size));
	(void)snprintf(text, sizeof(text), "%s for both", size);
	print_text(figure, x + COLUMN - 12, y + 20, "fill=\"#12344f\" text-anchor=\"end\" font-size=\"12\"", text);
	if (!is_cut(figure, piece))
		print_room(figure, x, y + height / 2 + 4, "room for both to grow");
}

/* How much of a growing piece is drawn as used. */
static double part_of(double height)
{
	return height < 200 ? height * 0.45 : 90;
}

/* What is in use at first is at the bottom; above it, lighter, what it may grow into. */
static void print_upward(const struct figure *figure, double x, double y, double height,
			 const struct layout_piece *piece)
{
	const double part = part_of(height);

	print_box(figure, x, y, height, "#ffffff");
	print_box(figure, x, y + height - part, part, styles[piece->kind].fill);
	print_line(figure, x, y + height - part, COLUMN, "stroke=\"#39424e\" stroke-dasharray=\"5 4\"");
	print_label(figure, x, y + height - 10, piece, piece->name, true);
	print_arrow(figure, x + COLUMN / 2, y + height - part + 16, -30, styles[piece->kind].text);
	if (!is_cut(figure, piece) && height - part > 40)
		print_room(figure, x, y + (height - part) / 2, "room to grow");
}

static void print_piece(const struct figure *figure, double x, double y, const struct layout_piece *piece)
{
	const double height = height_of(figure, piece);

	if (piece->kind == PIECE_SHARED) {
		print_shared(figure, x, y, height, piece);
	} else if (is_growing(piece->kind)) {
		print_upward(figure, x, y, height, piece);
	} else {
		print_box(figure, x, y, height, styles[piece->kind].fill);
		print_label(figure, x, y + (is_cut(figure, piece) ? 24 : height / 2 + 5), piece,
			    piece->kind == PIECE_FREE ? "free" : piece->name, true);
		if (piece->kind == PIECE_STACK)
			print_arrow(figure, x + COLUMN / 2, y + height / 2 - 10, 16, styles[PIECE_STACK].text);
	}
}

/* Where in a piece the cut is: in what is empty. */
static double cut_of(const struct figure *figure, const struct layout_piece *piece)
{
	const double height = height_of(figure, piece);

	if (piece->kind == PIECE_SHARED)
		return height / 2;
	return is_growing(piece->kind) ? (height - part_of(height)) / 2 - 4 : height * 0.62;
}

static void print_address(const struct figure *figure, double x, double y, uint64_t address)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "0x%" PRIx64, address);
	print_line(figure, x - 8, y, COLUMN + 16, "stroke=\"#39424e\" stroke-width=\"1.2\"");
	print_text(figure, x - 14, y + 4, "class=\"address\" text-anchor=\"end\"", text);
}

static void print_edge(const struct figure *figure, double x, double y, const char *name)
{
	print_text(figure, x + COLUMN + 14, y + 4, "class=\"edge\"", name);
}

/* Addresses and their names, and the cuts, which lie over the frame. */
static void print_edges(const struct figure *figure, double x, double y, const struct layout_pieces *pieces)
{
	double at = y;

	for (uint32_t i = 0; i < pieces->count; i++) {
		const struct layout_piece *piece = &pieces->piece[i];
		const double end = at, start = at + height_of(figure, piece);

		print_address(figure, x, end, piece->end);
		print_edge(figure, x, piece->edge_is_end ? end : start, piece->edge);
		if (piece->kind == PIECE_SHARED)
			print_edge(figure, x, start, "start of the heap");
		if (is_cut(figure, piece))
			print_cut(figure, x, end + cut_of(figure, piece));
		at = start;
	}
	print_address(figure, x, at, 0);
}

/* x, y: the left upper corner of the column. */
static void print_column(const struct figure *figure, double x, double y, const struct layout_pieces *pieces)
{
	double at = y;

	for (uint32_t i = 0; i < pieces->count; i++) {
		print_piece(figure, x, at, &pieces->piece[i]);
		at += height_of(figure, &pieces->piece[i]);
	}
	(void)fprintf(figure->out,
		      "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"none\" stroke=\"#39424e\" "
		      "stroke-width=\"1.4\"/>\n",
		      x, y, COLUMN, at - y);
	print_edges(figure, x, y, pieces);
}

static void print_head(const struct figure *figure, double width, double height, const char *name)
{
	(void)fprintf(figure->out,
		      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" "
		      "height=\"%.0f\" font-family=\"DejaVu Sans, Verdana, Helvetica, sans-serif\" "
		      "font-size=\"13\">\n"
		      "<title>Layout of the address space of a process, %s</title>\n",
		      width, height, width, height, name);
	(void)fputs("<style>.address{font-family:'DejaVu Sans Mono',Menlo,Consolas,monospace;font-size:12px;"
		    "fill:#1d2530}.edge{font-size:12px;fill:#1d2530}.kind{font-size:16px;font-weight:bold;"
		    "fill:#1d2530}.note{font-size:11.5px;fill:#5b6572}</style>\n"
		    "<defs>\n"
		    "<pattern id=\"stripes\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\" "
		    "patternTransform=\"rotate(45)\"><rect width=\"8\" height=\"8\" fill=\"#fbe3e0\"/>"
		    "<rect width=\"3\" height=\"8\" fill=\"#f0b5ae\"/></pattern>\n"
		    "<pattern id=\"dots\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">"
		    "<rect width=\"8\" height=\"8\" fill=\"#ffffff\"/>"
		    "<circle cx=\"4\" cy=\"4\" r=\"1\" fill=\"#cbd2da\"/></pattern>\n"
		    "<marker id=\"head\" viewBox=\"0 0 10 10\" refX=\"6\" refY=\"5\" markerWidth=\"5\" "
		    "markerHeight=\"5\" orient=\"auto\"><path d=\"M0 0 L10 5 L0 10 z\" fill=\"#39424e\"/></marker>\n"
		    "</defs>\n",
		    figure->out);
	(void)fprintf(figure->out, "<rect width=\"%.0f\" height=\"%.0f\" rx=\"8\" fill=\"#ffffff\"/>\n", width, height);
}

static void print_title(const struct figure *figure, const struct layout_profile *profile, double x,
			const struct layout *layout)
{
	char text[96], gap[24];

	(void)snprintf(text, sizeof(text), "%s, %s", profile->name, layout_kind_name(layout->kind));
	print_text(figure, x, MARGIN + 16, "class=\"kind\"", text);
	if (layout->kind == LAYOUT_FLEXIBLE) {
		layout_size_text(layout->gap, gap, sizeof(gap));
		(void)snprintf(text, sizeof(text), "mappings go down from %s below STACK_TOP", gap);
	} else {
		(void)snprintf(text, sizeof(text), "mappings go up from %sa third of the space",
			       layout->kind == LAYOUT_CLASSIC ? "" : "a random offset above ");
	}
	print_text(figure, x, MARGIN + 34, "class=\"note\"", text);
}

static void print_foot(const struct figure *figure, double y)
{
	char size[24], text[160];

	layout_size_text((uint64_t)(figure->bytes_per_pixel * 100 + 0.5), size, sizeof(size));
	(void)snprintf(text, sizeof(text), "100 pixels are %s. What would be too small for its name is drawn taller%s.",
		       size, figure->cuts ? ", what would be too tall is cut (zigzag)" : "");
	print_text(figure, MARGIN, y, "class=\"note\"", text);
}

void layout_svg_print(FILE *out, const struct layout_profile *profile, const struct layout *layouts, uint32_t count)
{
	const bool is_small = profile->task_size <= SMALL_SPACE;
	const double panel = ADDRESSES + COLUMN + EDGES;
	struct figure figure = { .out = out, .cuts = !is_small };
	struct layout_pieces pieces;
	double tallest = 0;

	figure.bytes_per_pixel = is_small ? SMALL_SCALE : (double)MIB;
	for (uint32_t i = 0; i < count; i++) {
		layout_pieces_of(profile, &layouts[i], &pieces);
		if (height_of_all(&figure, &pieces) > tallest)
			tallest = height_of_all(&figure, &pieces);
	}
	print_head(&figure, 2 * MARGIN + panel * count, 2 * MARGIN + TITLE + tallest + FOOT, profile->name);
	for (uint32_t i = 0; i < count; i++) {
		const double x = MARGIN + panel * i + ADDRESSES;

		layout_pieces_of(profile, &layouts[i], &pieces);
		figure.extra = 0;
		figure.extra = tallest - height_of_all(&figure, &pieces);
		print_title(&figure, profile, x, &layouts[i]);
		print_column(&figure, x, MARGIN + TITLE, &pieces);
	}
	print_foot(&figure, MARGIN + TITLE + tallest + FOOT - 12);
	(void)fputs("</svg>\n", out);
}
