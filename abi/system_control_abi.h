/* SystemControl: end the system; and, in a kernel built for it, let memory run out on purpose. */
#ifndef CAPOS_ABI_SYSTEM_CONTROL_ABI_H
#define CAPOS_ABI_SYSTEM_CONTROL_ABI_H

#include <stdint.h>

enum system_control_operation {
	SYSTEM_CONTROL_HALT = 0, /* (exit code 0..63): ends the machine; does not complete */
	/*
	 * (places, first, period, note, buffer, bytes): a struct shortage_report about the order until now is written
	 * to the buffer, and a new one begins: of all that is asked for at these places from now on the first-th (from
	 * 1; 0: none) is refused, and each period-th after it (0: no other; 1: all). The note is kept for whoever gives
	 * the next order, perhaps another init. UNSUPPORTED: a kernel that is not built with FAULTS=1. BAD_ARGUMENT: a
	 * place that there is not.
	 */
	SYSTEM_CONTROL_SHORTAGE = 1,
	SYSTEM_CONTROL_OPERATION_COUNT
};

/* Where the kernel can fail for want of memory. A set of them has bit 1 << place. */
enum shortage_place {
	SHORTAGE_FRAMES = 0, /* a promise of frames, for whatever purpose */
	SHORTAGE_RUN,        /* frames side by side */
	SHORTAGE_HEAP,       /* a block of the kernel's heap */
	SHORTAGE_STACK,      /* a slot for a kernel stack */
	SHORTAGE_BOOT,       /* memory before there is a frame allocator */
	SHORTAGE_PLACES
};

#define SHORTAGE_EVERYWHERE ((1u << SHORTAGE_PLACES) - 1)
#define SHORTAGE_STATUSES 160u /* more than the highest number of enum status */

struct shortage_report {
	uint64_t asked[SHORTAGE_PLACES];
	uint64_t refused[SHORTAGE_PLACES];
	/* Refusals by the status of the call, or of the touched page, that met them; OK: it found another way. */
	uint64_t told[SHORTAGE_STATUSES];
	uint64_t note; /* of the order */
};

_Static_assert(sizeof(struct shortage_report) == 16 * SHORTAGE_PLACES + 8 * SHORTAGE_STATUSES + 8, "no padding");

#endif
