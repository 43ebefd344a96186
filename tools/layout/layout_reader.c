#include "tools/layout/layout_reader.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/check.h"

#define LINE_BYTES 256u
#define WORD_BYTES 32u

const struct layout_profile *layout_reader_profile(const char *name)
{
	for (unsigned int i = 0; i < LAYOUT_ARCHITECTURES; i++) {
		const struct layout_profile *profile = layout_profile_of((enum layout_architecture)i);

		if (strcmp(profile->name, name) == 0)
			return profile;
	}
	return NULL;
}

bool layout_reader_kind(const char *name, enum layout_kind *kind)
{
	for (unsigned int i = 0; i < LAYOUT_KINDS; i++) {
		if (strcmp(layout_kind_name((enum layout_kind)i), name) == 0) {
			*kind = (enum layout_kind)i;
			return true;
		}
	}
	return false;
}

/* Without its end, which on a serial line may be two characters. False at the end of the file. */
static bool read_line(struct layout_reader *reader, char *line)
{
	if (fgets(line, LINE_BYTES, reader->in) == NULL)
		return false;
	reader->line++;
	line[strcspn(line, "\r\n")] = '\0';
	return true;
}

/* The next line is the name and `count` words behind it. */
static bool read_words(struct layout_reader *reader, const char *name, char words[][WORD_BYTES], uint32_t count)
{
	char line[LINE_BYTES];
	const char *at = line;
	size_t length = strlen(name);

	if (!read_line(reader, line) || strncmp(at, name, length) != 0)
		return false;
	at += length;
	for (uint32_t i = 0; i < count; i++) {
		if (*at++ != ' ')
			return false;
		length = strcspn(at, " ");
		if (length == 0 || length >= WORD_BYTES)
			return false;
		memcpy(words[i], at, length);
		words[i][length] = '\0';
		at += length;
	}
	return *at == '\0';
}

static bool parse_number(const char *word, uint64_t *number)
{
	char *end;

	*number = strtoull(word, &end, 16);
	return strncmp(word, "0x", 2) == 0 && word[2] != '\0' && *end == '\0';
}

static bool read_number(struct layout_reader *reader, const char *name, uint64_t *number)
{
	char word[1][WORD_BYTES];

	return read_words(reader, name, word, 1) && parse_number(word[0], number);
}

static bool read_range(struct layout_reader *reader, const char *name, struct uaddr_range *range)
{
	char word[2][WORD_BYTES];
	uint64_t start, end;

	if (!read_words(reader, name, word, 2) || !parse_number(word[0], &start) || !parse_number(word[1], &end))
		return false;
	*range = uaddr_range_make(start, end);
	return true;
}

static bool read_parts(struct layout_reader *reader, struct layout *layout)
{
	return read_range(reader, "hole", &layout->hole) && read_range(reader, "window", &layout->window) &&
	       read_range(reader, "image", &layout->image) && read_range(reader, "heap", &layout->heap) &&
	       read_range(reader, "mmap", &layout->mmap) && read_range(reader, "guard", &layout->guard) &&
	       read_range(reader, "stack", &layout->stack);
}

/* What the lines have besides the parts; the base says again what parts and direction say. */
static bool read_rest(struct layout_reader *reader, struct layout *layout, uint64_t *base)
{
	char word[1][WORD_BYTES];

	if (!read_number(reader, "mmap_base", base) || !read_words(reader, "direction", word, 1))
		return false;
	layout->mmap_direction = strcmp(word[0], "up") == 0 ? LAYOUT_UPWARD : LAYOUT_DOWNWARD;
	return (layout->mmap_direction == LAYOUT_UPWARD || strcmp(word[0], "down") == 0) &&
	       read_number(reader, "gap", &layout->gap) && read_number(reader, "page_size", &layout->page_size) &&
	       read_number(reader, "task_size", &layout->task_size);
}

static bool is_same(struct uaddr_range a, struct uaddr_range b)
{
	return uaddr_to_u64(a.start) == uaddr_to_u64(b.start) && uaddr_to_u64(a.end) == uaddr_to_u64(b.end);
}

static bool is_of_profile(const struct layout_profile *profile, const struct layout *layout)
{
	return layout->page_size == profile->page_size && layout->task_size == profile->task_size &&
	       is_same(layout->window, profile->window) && layout->gap < profile->stack_top &&
	       (layout->kind != LAYOUT_FLEXIBLE || uaddr_to_u64(layout->mmap.end) <= profile->stack_top - layout->gap);
}

/* Up to the first line of a block: *profile NULL if the profile has no such name. */
static bool find_block(struct layout_reader *reader, const struct layout_profile **profile)
{
	static const char first[] = "profile ";
	char line[LINE_BYTES];

	while (read_line(reader, line)) {
		if (strncmp(line, first, sizeof(first) - 1) != 0)
			continue;
		*profile = layout_reader_profile(line + sizeof(first) - 1);
		return true;
	}
	return false;
}

enum layout_reader_answer layout_reader_next(struct layout_reader *reader, const struct layout_profile **profile,
					     struct layout *layout)
{
	const struct layout_profile *found = NULL;
	struct layout read = { .gap = 0 };
	char kind[1][WORD_BYTES];
	uint64_t base;

	if (!find_block(reader, &found))
		return LAYOUT_READER_END;
	if (found == NULL || !read_words(reader, "kind", kind, 1) || !layout_reader_kind(kind[0], &read.kind) ||
	    !read_parts(reader, &read) || !read_rest(reader, &read, &base))
		return LAYOUT_READER_LINE;
	if (!layout_is_valid(&read) || !is_of_profile(found, &read) || base != layout_mmap_base(&read))
		return LAYOUT_READER_BAD;
	*profile = found;
	*layout = read;
	return LAYOUT_READER_OK;
}
