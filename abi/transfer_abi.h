/*
 * Capabilities that travel: in an endpoint's CALL and RETURN, and as grants of a spawn.
 *
 * A transfer happens at one moment, when both sides are known: all of its capabilities arrive or none does, and what is
 * moved leaves the sender in the same step. Until then the sender holds them as before.
 */
#ifndef CAPOS_ABI_TRANSFER_ABI_H
#define CAPOS_ABI_TRANSFER_ABI_H

#include <stdint.h>

#include "abi/handle.h"

#define TRANSFER_MAX 4u /* capabilities of one message */

enum transfer_kind {
	TRANSFER_KIND_COPY = 1, /* both hold it afterwards */
	TRANSFER_KIND_MOVE = 2, /* the sender's id resolves no more */
};

/* What the sender names. */
struct transfer_descriptor {
	handle_t capability;
	uint32_t kind; /* enum transfer_kind */
};

/* What the receiver gets: the id in its own table. */
struct transfer_record {
	handle_t capability;
	uint32_t interface;
};

_Static_assert(sizeof(struct transfer_descriptor) == 8, "layout");
_Static_assert(sizeof(struct transfer_record) == 8, "layout");

#endif
