/*
 * Numbers that look random and are the same for the same seed (splitmix64): for tests, not for secrets.
 */
#ifndef CAPOS_USER_PROTOCOL_RANDOM_SEQUENCE_H
#define CAPOS_USER_PROTOCOL_RANDOM_SEQUENCE_H

#include <stdint.h>

struct random_sequence {
	uint64_t state; /* begins as the seed, which may be any number */
};

static inline uint64_t random_sequence_next(struct random_sequence *sequence)
{
	uint64_t word = sequence->state += UINT64_C(0x9e3779b97f4a7c15);

	word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
	return word ^ word >> 31;
}

/* One of 0 ... limit - 1; limit at least 1. */
static inline uint64_t random_sequence_below(struct random_sequence *sequence, uint64_t limit)
{
	return random_sequence_next(sequence) % limit;
}

#endif
