#include "lib/manifest_layout.h"

#include "abi/process_abi.h"
#include "lib/check.h"
#include "lib/layout.h"

#define RANDOM_FLAGS (PROCESS_LAYOUT_SEEDED | PROCESS_LAYOUT_HEAP_OFFSET)

_Static_assert(PROCESS_LAYOUT_FLEXIBLE == (int)LAYOUT_KINDS, "a name for each");

static enum status parse_kind(struct manifest_word word, struct manifest_layout *layout)
{
	GUARD(layout->kind == PROCESS_LAYOUT_DEFAULT, STATUS_MANIFEST_DUPLICATE);
	for (uint32_t i = 0; i < LAYOUT_KINDS; i++) {
		if (manifest_line_word_is(word, layout_kind_name((enum layout_kind)i))) {
			layout->kind = i + 1;
			return STATUS_OK;
		}
	}
	return STATUS_MANIFEST_BAD_NAME;
}

static enum status add_flag(uint32_t flag, uint32_t excluded, struct manifest_layout *layout)
{
	GUARD((layout->flags & (flag | excluded)) == 0, STATUS_MANIFEST_DUPLICATE);
	layout->flags |= flag;
	return STATUS_OK;
}

static enum status parse_fixed(struct manifest_word word, struct manifest_layout *layout)
{
	(void)word;
	return add_flag(PROCESS_LAYOUT_FIXED, RANDOM_FLAGS, layout);
}

static enum status parse_heap_offset(struct manifest_word word, struct manifest_layout *layout)
{
	(void)word;
	return add_flag(PROCESS_LAYOUT_HEAP_OFFSET, PROCESS_LAYOUT_FIXED, layout);
}

static enum status parse_seed(struct manifest_word word, struct manifest_layout *layout)
{
	uint64_t seed;

	TRY(manifest_line_number(word, &seed));
	TRY(add_flag(PROCESS_LAYOUT_SEEDED, PROCESS_LAYOUT_FIXED, layout));
	layout->seed = seed;
	return STATUS_OK;
}

static enum status parse_stack_limit(struct manifest_word word, struct manifest_layout *layout)
{
	uint64_t bytes;

	TRY(manifest_line_number(word, &bytes));
	GUARD(bytes != 0, STATUS_MANIFEST_BAD_NUMBER);
	GUARD(layout->stack_limit == 0, STATUS_MANIFEST_DUPLICATE);
	layout->stack_limit = bytes;
	return STATUS_OK;
}

static const struct key {
	const char *name;
	uint32_t words;
	enum status (*parse)(struct manifest_word word, struct manifest_layout *layout); /* the last of them */
} keys[] = {
	{ "layout", 2, parse_kind },
	{ "layout_fixed", 1, parse_fixed },
	{ "layout_seed", 2, parse_seed },
	{ "layout_heap_offset", 1, parse_heap_offset },
	{ "stack_limit", 2, parse_stack_limit },
};

bool manifest_layout_is_key(struct manifest_word word)
{
	for (uint32_t i = 0; i < COUNT_OF(keys); i++) {
		if (manifest_line_word_is(word, keys[i].name))
			return true;
	}
	return false;
}

enum status manifest_layout_parse(const struct manifest_word *word, uint32_t words, struct manifest_layout *layout)
{
	uint32_t key = 0;

	CHECK(words != 0 && manifest_layout_is_key(word[0]));
	while (!manifest_line_word_is(word[0], keys[key].name))
		key++;
	GUARD(words == keys[key].words, STATUS_MANIFEST_BAD_LINE);
	return keys[key].parse(word[words - 1], layout);
}

bool manifest_layout_is_given(const struct manifest_layout *layout)
{
	return layout->kind != PROCESS_LAYOUT_DEFAULT || layout->flags != 0 || layout->stack_limit != 0;
}

bool manifest_layout_is_valid(const struct manifest_layout *layout)
{
	return layout->kind < PROCESS_LAYOUT_COUNT && (layout->flags & ~(PROCESS_LAYOUT_FIXED | RANDOM_FLAGS)) == 0 &&
	       ((layout->flags & PROCESS_LAYOUT_FIXED) == 0 || layout->flags == PROCESS_LAYOUT_FIXED) &&
	       ((layout->flags & PROCESS_LAYOUT_SEEDED) != 0 || layout->seed == 0);
}
