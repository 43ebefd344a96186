/*
 * Random bytes that nobody can foretell who does not know the seed, and that are the same for the same seed: ChaCha20
 * (RFC 8439, section 2.3) that gives up its own key after each block.
 *
 * A block of 64 bytes is made of the key, a zero counter and a zero nonce; its first 32 bytes are the next key and
 * its last 32 are output. So who reads the state of a stream cannot compute what it gave before ("fast key erasure"),
 * and no key makes two blocks.
 *
 * No locks: a stream belongs to one caller at a time. `used` is at most 32; output before it has been given out and
 * is zero.
 */
#ifndef CAPOS_LIB_RANDOM_STREAM_H
#define CAPOS_LIB_RANDOM_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RANDOM_STREAM_SEED_BYTES 32u
#define RANDOM_STREAM_BLOCK_BYTES 64u
#define RANDOM_STREAM_KEY_WORDS 8u
#define RANDOM_STREAM_NONCE_WORDS 3u
#define RANDOM_STREAM_OUTPUT_BYTES 32u

struct random_stream {
	uint32_t key[RANDOM_STREAM_KEY_WORDS];
	uint8_t output[RANDOM_STREAM_OUTPUT_BYTES];
	uint32_t used; /* bytes of `output` that are gone */
};

/* The block function of RFC 8439, section 2.3: key and nonce as little-endian words, the block as bytes. */
void random_stream_block(const uint32_t *key, uint32_t counter, const uint32_t *nonce, uint8_t *block);

/* Begin. The seed is a secret, as good as the entropy in it; it is read once and not kept. */
void random_stream_init(struct random_stream *stream, const uint8_t *seed);

/* The same with a number as the seed's first eight bytes, the lowest first, and 0 behind it: for what is to repeat. */
void random_stream_init_number(struct random_stream *stream, uint64_t number);

/*
 * Stir in what else is known, any number of bytes (0 too), good or bad: the stream is not worse for it, and what
 * follows depends on each of them. Output that was waiting is thrown away.
 */
void random_stream_mix(struct random_stream *stream, const void *bytes, size_t count);

void random_stream_bytes(struct random_stream *stream, void *to, size_t count);

/* The next eight bytes, the first of them the lowest. */
uint64_t random_stream_u64(struct random_stream *stream);

bool random_stream_is_valid(const struct random_stream *stream);

#endif
