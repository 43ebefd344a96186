/*
 * Every operation that a program can submit, with what its arguments are: so that one can be made that is likely to
 * be carried out, and then be spoilt.
 */
#ifndef CAPOS_USER_DEMOS_RING_FUZZ_FUZZ_OPERATION_H
#define CAPOS_USER_DEMOS_RING_FUZZ_FUZZ_OPERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/interface.h"
#include "abi/ring_abi.h"

#define FUZZ_ARGUMENTS 6u

/* What an argument stands for. */
enum fuzz_argument {
	FUZZ_ZERO = 0,
	FUZZ_HINT,       /* where to map: 0, or a place that was given before */
	FUZZ_ADDRESS,    /* in a range that was given before */
	FUZZ_MAPPED,     /* where the object that is called is mapped */
	FUZZ_LENGTH,     /* bytes, whole pages */
	FUZZ_PROTECTION, /* of a page */
	FUZZ_FLAGS,      /* small bits */
	FUZZ_BUFFER,     /* of FUZZ_BYTES */
	FUZZ_BYTES,
	FUZZ_PAGES,
	FUZZ_SMALL,   /* an index, a count, a badge */
	FUZZ_OBJECT,  /* process id */
	FUZZ_TIME,    /* nanoseconds, not many */
	FUZZ_WORD,    /* to park on */
	FUZZ_CALL,    /* id of a call that was received */
	FUZZ_TICKET,  /* user_data of something that may be open */
	FUZZ_NAME,    /* of a file */
	FUZZ_REQUEST, /* to spawn */
	FUZZ_REQUEST_BYTES,
	FUZZ_TRANSFERS, /* descriptors, and how many */
	FUZZ_TRANSFER_COUNT,
	FUZZ_ENTRY, /* where a thread begins, and its stack */
	FUZZ_STACK,
	FUZZ_THREADS, /* ThreadControl's capability, for that thread */
	FUZZ_BREAK,   /* near the heap's end */
	FUZZ_ANY,
};

struct fuzz_operation {
	const char *name;
	uint8_t opcode;                   /* enum ring_opcode */
	uint8_t interface;                /* enum interface_id of the capability; NONE: any, or no capability at all */
	uint16_t operation;               /* CALL */
	uint8_t seldom;                   /* one in so many is made, of those that are drawn; 0: all */
	bool stays_open;                  /* it may complete later */
	uint8_t argument[FUZZ_ARGUMENTS]; /* enum fuzz_argument */
};

#define FUZZ_OPERATIONS_MAX 80u

extern const struct fuzz_operation fuzz_operation[];
extern const uint32_t fuzz_operation_count;

#endif
