#include "tools/layout/layout_text.h"

#include <inttypes.h>

#include "lib/layout_pieces.h"
#include "tools/layout/layout_size.h"

#define SIZE_TEXT 24u

void layout_text_print(FILE *out, const struct layout_profile *profile, const struct layout *layout)
{
	struct layout_pieces pieces;
	char size[SIZE_TEXT];

	layout_pieces_of(profile, layout, &pieces);
	(void)fprintf(out, "%s, %s: mmap_base 0x%" PRIx64 ", mappings go %s\n", profile->name,
		      layout_kind_name(layout->kind), layout_mmap_base(layout),
		      layout->mmap_direction == LAYOUT_UPWARD ? "up" : "down");
	for (uint32_t i = 0; i < pieces.count; i++) {
		const struct layout_piece *piece = &pieces.piece[i];

		layout_size_text(piece->end - piece->start, size, sizeof(size));
		(void)fprintf(out, "0x%012" PRIx64 " - 0x%012" PRIx64 " %10s  %-16s%s\n", piece->start, piece->end,
			      size, layout_pieces_name(piece), layout_pieces_remark(layout, piece));
	}
}

static void print_range(FILE *out, const char *name, struct uaddr_range range)
{
	(void)fprintf(out, "%s 0x%" PRIx64 " 0x%" PRIx64 "\n", name, uaddr_to_u64(range.start),
		      uaddr_to_u64(range.end));
}

void layout_text_values(FILE *out, const struct layout_profile *profile, const struct layout *layout)
{
	(void)fprintf(out, "profile %s\nkind %s\n", profile->name, layout_kind_name(layout->kind));
	print_range(out, "hole", layout->hole);
	print_range(out, "window", layout->window);
	print_range(out, "image", layout->image);
	print_range(out, "heap", layout->heap);
	print_range(out, "mmap", layout->mmap);
	print_range(out, "guard", layout->guard);
	print_range(out, "stack", layout->stack);
	(void)fprintf(out, "mmap_base 0x%" PRIx64 "\n", layout_mmap_base(layout));
	(void)fprintf(out, "direction %s\n", layout->mmap_direction == LAYOUT_UPWARD ? "up" : "down");
	(void)fprintf(out, "gap 0x%" PRIx64 "\n", layout->gap);
	(void)fprintf(out, "page_size 0x%" PRIx64 "\n", layout->page_size);
	(void)fprintf(out, "task_size 0x%" PRIx64 "\n", layout->task_size);
}

void layout_text_profiles(FILE *out)
{
	for (unsigned int i = 0; i < LAYOUT_ARCHITECTURES; i++) {
		const struct layout_profile *profile = layout_profile_of((enum layout_architecture)i);
		const struct layout_offsets *bits = &profile->max_bits;

		(void)fprintf(out,
			      "%s\n"
			      "  page size           %" PRIu64 "\n"
			      "  lowest address      0x%" PRIx64 "\n"
			      "  text                0x%" PRIx64 "\n"
			      "  TASK_SIZE           0x%" PRIx64 "\n"
			      "  STACK_TOP           0x%" PRIx64 "\n"
			      "  TASK_UNMAPPED_BASE  0x%" PRIx64 "\n",
			      profile->name, profile->page_size, profile->lowest, profile->text, profile->task_size,
			      profile->stack_top, profile->unmapped_base);
		(void)fprintf(out,
			      "  random bits         stack %" PRIu64 ", mmap %" PRIu64 ", image %" PRIu64
			      ", heap %" PRIu64 "\n",
			      bits->stack, bits->mmap, bits->image, bits->heap);
	}
}
