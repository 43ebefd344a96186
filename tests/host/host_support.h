/*
 * What all host tests share: random numbers that a failure can be repeated with, and round counts that slow tools
 * (valgrind, sanitizers) can divide.
 */
#ifndef CAPOS_TESTS_HOST_HOST_SUPPORT_H
#define CAPOS_TESTS_HOST_HOST_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host_random {
	uint64_t state;
	const uint8_t *bytes; /* not NULL: every choice is taken from these */
	size_t left;
};

/* Seed from CAPOS_TEST_SEED, else `otherwise`; printed, so that a failure can be repeated. No number ends the test. */
void host_random_init(struct host_random *random, const char *test, uint64_t otherwise);

/*
 * Choices from given bytes, as a fuzzer has them: each takes as many bytes as its limit needs, so that what a byte of
 * the input decides stays the same when another is changed. Behind the end all are 0. Nothing is printed.
 */
void host_random_from_bytes(struct host_random *random, const uint8_t *bytes, size_t count);

/* Whether the bytes are used up. */
bool host_random_is_spent(const struct host_random *random);

uint64_t host_random_u64(struct host_random *random);

/* 0 .. limit - 1; limit is not 0. */
uint64_t host_random_below(struct host_random *random, uint64_t limit);

/* True once in `times`. */
bool host_random_once_in(struct host_random *random, uint64_t times);

/* `rounds` divided by CAPOS_TEST_SCALE (default 1; 0 is as 1), at least 1. */
uint64_t host_rounds(uint64_t rounds);

#endif
