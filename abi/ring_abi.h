/*
 * The capability ring: one page shared by a thread and the kernel, at RING_ADDRESS.
 *
 * The thread fills submissions and moves sq_tail; cap_enter lets the kernel take them in order and move sq_head. The
 * kernel fills completions and moves cq_tail; the thread takes them and moves cq_head. Indices are free-running; the
 * slot is index % entries. The kernel never reads back a word that it wrote, and reads each word of the thread once: a
 * torn, stale or hostile ring hurts only its owner. When the completion queue is full the kernel takes no further
 * submission, so no completion is ever lost.
 */
#ifndef CAPOS_ABI_RING_ABI_H
#define CAPOS_ABI_RING_ABI_H

#include <stdint.h>

#include "abi/handle.h"

#define RING_VERSION 1u
#define RING_SQ_ENTRIES 16u
#define RING_CQ_ENTRIES 32u

enum ring_opcode {
	RING_NOP = 0,
	RING_CALL = 1,    /* operation on a kernel object or an endpoint */
	RING_RECEIVE = 2, /* endpoint owner: take a call */
	RING_RETURN = 3,  /* endpoint owner: answer a call */
	RING_RELEASE = 4, /* give up a capability */
	RING_PARK = 5,
	RING_UNPARK = 6,
	/*
	 * (user_data): end an open operation of this ring that was submitted with that user_data; it completes with
	 * CANCELLED, before this does. Of several, one. A call that is being served ends too: its owner's RETURN is
	 * GONE. NOT_FOUND: none is open, or it has just completed, with what came of it. The capability is not looked
	 * at.
	 */
	RING_CANCEL = 7,
	RING_OPCODE_COUNT
};

struct ring_submission {
	uint8_t opcode;      /* enum ring_opcode */
	uint8_t accepts;     /* CALL of a client facet: capabilities that its answer may bring; all else: must be 0 */
	uint16_t operation;  /* CALL: operation number of the interface */
	handle_t capability; /* CALL, RELEASE: on what */
	uint64_t user_data;  /* comes back in the completion, untouched */
	uint64_t argument[6];
};

#define COMPLETION_HAS_CAPABILITY 1u /* the transfer record (capability, interface) is valid */

struct ring_completion {
	uint64_t user_data;
	int32_t result;      /* 0, or the negated enum status; > 0 is an endpoint server's own answer */
	uint32_t flags;      /* COMPLETION_* */
	uint64_t value;      /* the operation's one result word */
	handle_t capability; /* transfer record: the new local capability id ... */
	uint32_t interface;  /* ... and its interface */
};

/* The header says where everything is, so that larger rings can come without a new layout. */
struct ring_header {
	uint32_t version;
	uint32_t size; /* bytes of the whole ring */
	uint32_t sq_offset, sq_entries;
	uint32_t cq_offset, cq_entries;
	uint32_t unused0[10];
	/* written by the thread (one cache line) */
	uint32_t sq_tail, cq_head;
	uint32_t unused1[14];
	/* written by the kernel (one cache line) */
	uint32_t sq_head, cq_tail;
	uint32_t unused2[14];
	uint32_t unused3[16];
};

struct ring_page {
	struct ring_header header;
	struct ring_submission submission[RING_SQ_ENTRIES];
	struct ring_completion completion[RING_CQ_ENTRIES];
	uint8_t unused[4096 - 256 - 64 * RING_SQ_ENTRIES - 32 * RING_CQ_ENTRIES];
};

_Static_assert(sizeof(struct ring_submission) == 64, "a submission is one cache line");
_Static_assert(sizeof(struct ring_completion) == 32, "two completions share a cache line");
_Static_assert(sizeof(struct ring_header) == 256, "header layout");
_Static_assert(__builtin_offsetof(struct ring_header, sq_tail) == 64, "header layout");
_Static_assert(__builtin_offsetof(struct ring_header, sq_head) == 128, "header layout");
_Static_assert(sizeof(struct ring_page) == 4096, "the ring is one page");

#endif
