#include <string.h>

#include "lib/check.h"
#include "lib/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WORDS 24u

/* The words of an input, zeros behind its end. */
struct words {
	uint64_t word[WORDS];
	uint32_t next;
};

static uint64_t take(struct words *words)
{
	CHECK(words->next < WORDS);
	return words->word[words->next++];
}

static struct layout_offsets take_offsets(struct words *words)
{
	struct layout_offsets offsets;

	offsets.stack = take(words);
	offsets.mmap = take(words);
	offsets.image = take(words);
	offsets.heap = take(words);
	return offsets;
}

static struct layout_request take_request(struct words *words)
{
	const uint64_t flags = take(words);
	struct layout_request request = {
		.kind = (enum layout_kind)(flags >> 8 & 3),
		.is_random = (flags & 1) != 0,
		.has_heap_offset = (flags & 2) != 0,
		.image_is_movable = (flags & 4) != 0,
	};

	request.image_start = take(words);
	request.image_bytes = take(words);
	request.image_align = take(words);
	request.stack_limit = take(words);
	request.guard_bytes = take(words);
	request.random = take_offsets(words);
	return request;
}

static struct layout_profile take_profile(struct words *words)
{
	struct layout_profile profile = { .name = "fuzz" };

	profile.page_size = take(words);
	profile.lowest = take(words);
	profile.text = take(words);
	profile.task_size = take(words);
	profile.stack_top = take(words);
	profile.unmapped_base = take(words);
	profile.window.start = uaddr_from_u64(take(words));
	profile.window.end = uaddr_from_u64(take(words));
	profile.max_bits = take_offsets(words);
	return profile;
}

/* A valid layout or a typed answer, the same answer for other random words, and nothing written by a refusal. */
static void try_request(const struct layout_profile *profile, struct layout_request request)
{
	static const struct layout untouched;
	struct layout layout = untouched, other;
	const enum status status = layout_make(profile, &request, &layout);

	request.random.stack = ~request.random.stack;
	request.random.mmap = ~request.random.mmap;
	request.random.image = ~request.random.image;
	request.random.heap = ~request.random.heap;
	CHECK(layout_make(profile, &request, &other) == status);
	if (status == STATUS_OK)
		CHECK(layout_is_valid(&layout) && layout_is_valid(&other));
	else
		CHECK(memcmp(&layout, &untouched, sizeof(layout)) == 0);
}

/* A request of each architecture, and of a profile of the input's own if that is valid. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct words words = { .next = 0 };
	struct layout_request request;
	struct layout_profile profile;

	memcpy(words.word, data, size < sizeof(words.word) ? size : sizeof(words.word));
	request = take_request(&words);
	for (unsigned int i = 0; i < LAYOUT_ARCHITECTURES; i++)
		try_request(layout_profile_of((enum layout_architecture)i), request);
	profile = take_profile(&words);
	if (layout_profile_is_valid(&profile))
		try_request(&profile, request);
	return 0;
}
