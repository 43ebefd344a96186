/*
 * A process that fuzzes: two threads submit operations at random, most of them likely to be carried out, the rest
 * spoilt, and a third one may write into the ring of the first. How it ends is its own affair; what it counts lies in
 * a page of the supervisor's.
 */
#ifndef CAPOS_USER_DEMOS_RING_FUZZ_FUZZ_WORKER_H
#define CAPOS_USER_DEMOS_RING_FUZZ_FUZZ_WORKER_H

#include <stdint.h>

#include "user/demos/ring-fuzz/fuzz_operation.h"

/* What became of a submission. The statuses are in blocks (abi/status.h). */
enum fuzz_class {
	FUZZ_SUBMITTED = 0,
	FUZZ_OK,
	FUZZ_BAD_REQUEST,    /* 1 to 15 */
	FUZZ_BAD_CAPABILITY, /* 16 to 31 */
	FUZZ_BAD_SPACE,      /* 32 to 47: the address space refuses */
	FUZZ_RAN_OUT,        /* 48 to 63 */
	FUZZ_OTHER,          /* 64 and above: images */
	FUZZ_CLASSES
};

#define FUZZ_STATUSES 160u
#define FUZZ_FIGURE_PAGES UINT64_C(2)

/* Counters by operation and class, and by status; atomic. They outlive the worker. */
struct fuzz_figures {
	uint32_t count[FUZZ_OPERATIONS_MAX][FUZZ_CLASSES];
	uint32_t status[FUZZ_STATUSES];
	uint64_t enters, refused_enters;
	uint64_t surprises; /* answers that there should not be */
	uint64_t hash;      /* of all that was submitted and answered, in its order */
};

_Static_assert(sizeof(struct fuzz_figures) <= FUZZ_FIGURE_PAGES * UINT64_C(4096), "a worker's own pages");

/* Role of a child: (seed, whether its ring is written to). */
void fuzz_worker_role(void);

#endif
