/*
 * What memoryobject-shared-parent and memoryobject-shared-child say to each other: in each page of one memory object,
 * questions that the parent writes and answers that the child writes. Who finds the right words in its own mapping
 * reads the frames that the other one wrote to.
 */
#ifndef CAPOS_USER_PROTOCOL_SHARED_PAGE_H
#define CAPOS_USER_PROTOCOL_SHARED_PAGE_H

#include <stdint.h>

#include "abi/memory_layout.h"

/* Names in the child's CapSet: it is given the object itself, or an endpoint by which the object will come. */
#define SHARED_PAGE_OBJECT "shared"
#define SHARED_PAGE_REQUESTS "requests"

#define SHARED_PAGE_WORDS (PAGE_SIZE / (2 * sizeof(uint64_t)))

struct shared_page {
	uint64_t question[SHARED_PAGE_WORDS];
	uint64_t answer[SHARED_PAGE_WORDS];
};

/* Methods of the endpoint. Its answer is 0, or the status of what the child could not do. */
enum shared_page_method {
	SHARED_PAGE_TAKE = 0,   /* with the object: map it */
	SHARED_PAGE_ANSWER = 1, /* answer all questions; value: how many */
	SHARED_PAGE_DROP = 2,   /* unmap it and give it up; the child's last call */
};

/* No word answers itself, and no two have one answer: the factor is odd. */
static inline uint64_t shared_page_answer(uint64_t question)
{
	return ~question * UINT64_C(0x9e3779b97f4a7c15);
}

_Static_assert(sizeof(struct shared_page) == PAGE_SIZE, "one page");

#endif
