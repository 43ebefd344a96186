#include "user/demos/kv-client/kv_content.h"

#include "lib/string.h"
#include "user/protocol/random_sequence.h"

#define SHORT_BYTES 300u
#define ONE_IN 16u

static struct random_sequence sequence_of(const struct kv_content *content)
{
	struct random_sequence names = { .state = content->space << 32 | content->key };

	return (struct random_sequence){ .state = random_sequence_next(&names) ^ content->version };
}

/* The sequence's first number; its others are the bytes. */
static uint64_t length_of(struct random_sequence *sequence)
{
	uint64_t number = random_sequence_next(sequence);

	return 1 + (number >> 8) % (number % ONE_IN == 0 ? KV_CONTENT_MAX_BYTES : SHORT_BYTES);
}

static uint64_t part_of(uint64_t left)
{
	return left < sizeof(uint64_t) ? left : sizeof(uint64_t);
}

uint64_t kv_content_length(const struct kv_content *content)
{
	struct random_sequence sequence = sequence_of(content);

	return length_of(&sequence);
}

void kv_content_write(const struct kv_content *content, uint8_t *bytes)
{
	struct random_sequence sequence = sequence_of(content);
	uint64_t length = length_of(&sequence);

	for (uint64_t at = 0; at < length; at += sizeof(uint64_t)) {
		uint64_t word = random_sequence_next(&sequence);

		memcpy(bytes + at, &word, part_of(length - at));
	}
}

bool kv_content_is(const struct kv_content *content, const uint8_t *bytes, uint64_t length)
{
	struct random_sequence sequence = sequence_of(content);

	if (length_of(&sequence) != length)
		return false;
	for (uint64_t at = 0; at < length; at += sizeof(uint64_t)) {
		uint64_t word = random_sequence_next(&sequence);

		if (memcmp(bytes + at, &word, part_of(length - at)) != 0)
			return false;
	}
	return true;
}
