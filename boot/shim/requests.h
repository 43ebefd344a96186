/*
 * The Limine requests of a loaded kernel image: the base revision tag and every request, known or not, between the last
 * start marker and the first end marker.
 */
#ifndef CAPOS_SHIM_REQUESTS_H
#define CAPOS_SHIM_REQUESTS_H

#include <stdbool.h>
#include <stdint.h>

#define REQUESTS_MAX 128u
#define REQUESTS_COMMON_0 UINT64_C(0xc7b1dd30df4c8b88)
#define REQUESTS_COMMON_1 UINT64_C(0x0a82e883a194f07b)

/* Words of a request. */
enum request_word {
	REQUEST_ID = 0, /* four of them, the first two common to all */
	REQUEST_REVISION = 4,
	REQUEST_RESPONSE = 5,
	REQUEST_EXTRA = 6,
};

struct requests {
	uint64_t *base_revision; /* the tag's three words */
	const uint64_t *end;     /* the end marker */
	uint32_t count;
	uint64_t *request[REQUESTS_MAX];
};

/* `image` is the loaded image, `words` its length. Refuses to boot what breaks a rule of the protocol. */
void requests_scan(uint64_t *image, uint64_t words, struct requests *requests);

/* The request whose third and fourth id words are those of `id`; false if the kernel has not made it. */
bool requests_find(const struct requests *requests, const uint64_t id[2], uint64_t **request);

/* Word `index` of a request's fields after the response; refuses to boot if it lies beyond the end marker. */
uint64_t requests_extra(const struct requests *requests, const uint64_t *request, uint32_t index);

#endif
