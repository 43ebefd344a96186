#include "lib/random_stream.h"

#include "lib/check.h"
#include "lib/string.h"

#define STATE_WORDS 16u
#define DOUBLE_ROUNDS 10u

static uint32_t rotate_left(uint32_t word, uint32_t bits)
{
	return word << bits | word >> (32 - bits);
}

/* RFC 8439, section 2.1. Inlined, so that most of the state stays in registers. */
static inline __attribute__((always_inline)) void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
	*a += *b;
	*d = rotate_left(*d ^ *a, 16);
	*c += *d;
	*b = rotate_left(*b ^ *c, 12);
	*a += *b;
	*d = rotate_left(*d ^ *a, 8);
	*c += *d;
	*b = rotate_left(*b ^ *c, 7);
}

/* Each column, then each diagonal (section 2.3). */
static void double_round(uint32_t *state)
{
	quarter_round(&state[0], &state[4], &state[8], &state[12]);
	quarter_round(&state[1], &state[5], &state[9], &state[13]);
	quarter_round(&state[2], &state[6], &state[10], &state[14]);
	quarter_round(&state[3], &state[7], &state[11], &state[15]);
	quarter_round(&state[0], &state[5], &state[10], &state[15]);
	quarter_round(&state[1], &state[6], &state[11], &state[12]);
	quarter_round(&state[2], &state[7], &state[8], &state[13]);
	quarter_round(&state[3], &state[4], &state[9], &state[14]);
}

static void store_word(uint8_t *bytes, uint32_t word)
{
	bytes[0] = (uint8_t)word;
	bytes[1] = (uint8_t)(word >> 8);
	bytes[2] = (uint8_t)(word >> 16);
	bytes[3] = (uint8_t)(word >> 24);
}

static uint32_t load_word(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/* A compiler may leave out a plain store to what is not read again. */
static void wipe(uint32_t *word, size_t count)
{
	volatile uint32_t *at = word;

	UNROLLED
	for (size_t i = 0; i < count; i++)
		at[i] = 0;
}

/* The block as words. */
static void make_block(const uint32_t *key, uint32_t counter, const uint32_t *nonce, uint32_t *words)
{
	/* "expand 32-byte k" */
	uint32_t start[STATE_WORDS] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };

	for (uint32_t i = 0; i < RANDOM_STREAM_KEY_WORDS; i++)
		start[4 + i] = key[i];
	start[12] = counter;
	for (uint32_t i = 0; i < RANDOM_STREAM_NONCE_WORDS; i++)
		start[13 + i] = nonce[i];
	for (uint32_t i = 0; i < STATE_WORDS; i++)
		words[i] = start[i];
	for (uint32_t i = 0; i < DOUBLE_ROUNDS; i++)
		double_round(words);
	for (uint32_t i = 0; i < STATE_WORDS; i++)
		words[i] += start[i];
	wipe(start, STATE_WORDS);
}

void random_stream_block(const uint32_t *key, uint32_t counter, const uint32_t *nonce, uint8_t *block)
{
	uint32_t words[STATE_WORDS];

	make_block(key, counter, nonce, words);
	for (uint32_t i = 0; i < STATE_WORDS; i++)
		store_word(block + (size_t)4 * i, words[i]);
	wipe(words, STATE_WORDS);
}

/* One block: the next key, and output. */
static void refill(struct random_stream *stream)
{
	const uint32_t nonce[RANDOM_STREAM_NONCE_WORDS] = { 0 };
	uint32_t words[STATE_WORDS];

	make_block(stream->key, 0, nonce, words);
	for (uint32_t i = 0; i < RANDOM_STREAM_KEY_WORDS; i++)
		stream->key[i] = words[i];
	for (uint32_t i = 0; i < RANDOM_STREAM_OUTPUT_BYTES / 4; i++)
		store_word(stream->output + (size_t)4 * i, words[STATE_WORDS - RANDOM_STREAM_OUTPUT_BYTES / 4 + i]);
	stream->used = 0;
	wipe(words, STATE_WORDS);
}

void random_stream_init(struct random_stream *stream, const uint8_t *seed)
{
	for (uint32_t i = 0; i < RANDOM_STREAM_KEY_WORDS; i++)
		stream->key[i] = load_word(seed + (size_t)4 * i);
	refill(stream);
}

void random_stream_init_number(struct random_stream *stream, uint64_t number)
{
	uint8_t seed[RANDOM_STREAM_SEED_BYTES] = { 0 };

	for (uint32_t i = 0; i < sizeof(number); i++)
		seed[i] = (uint8_t)(number >> (8 * i));
	random_stream_init(stream, seed);
}

void random_stream_mix(struct random_stream *stream, const void *bytes, size_t count)
{
	const uint8_t *from = bytes;
	uint32_t byte = 0;

	for (size_t i = 0; i < count; i++) {
		stream->key[byte / 4] ^= (uint32_t)from[i] << (8 * (byte % 4));
		byte = (byte + 1) % RANDOM_STREAM_SEED_BYTES;
		if (byte == 0)
			refill(stream);
	}
	/* The count as well, so that trailing zeros are something. */
	stream->key[0] ^= (uint32_t)count;
	refill(stream);
}

void random_stream_bytes(struct random_stream *stream, void *to, size_t count)
{
	uint8_t *out = to;

	ASSERT(random_stream_is_valid(stream));
	while (count != 0) {
		size_t part;

		if (stream->used == RANDOM_STREAM_OUTPUT_BYTES)
			refill(stream);
		part = RANDOM_STREAM_OUTPUT_BYTES - stream->used;
		if (part > count)
			part = count;
		memcpy(out, stream->output + stream->used, part);
		memset(stream->output + stream->used, 0, part);
		stream->used += (uint32_t)part;
		out += part;
		count -= part;
	}
}

uint64_t random_stream_u64(struct random_stream *stream)
{
	uint32_t words[2];
	uint8_t *bytes = (uint8_t *)words;
	uint64_t value;

	random_stream_bytes(stream, bytes, sizeof(words));
	value = (uint64_t)load_word(bytes + 4) << 32 | load_word(bytes);
	wipe(words, 2);
	return value;
}

bool random_stream_is_valid(const struct random_stream *stream)
{
	uint8_t given = 0;

	if (stream->used > RANDOM_STREAM_OUTPUT_BYTES)
		return false;
	for (uint32_t i = 0; i < stream->used; i++)
		given |= stream->output[i];
	return given == 0;
}
