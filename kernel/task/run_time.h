/*
 * How long something has been on a CPU, which anyone may read while it goes on. One word, so that no reader sees half
 * of a change. Times are of clock_now_ns.
 */
#ifndef CAPOS_KERNEL_TASK_RUN_TIME_H
#define CAPOS_KERNEL_TASK_RUN_TIME_H

#include <stdint.h>

#include "lib/check.h"

#define RUN_TIME_GOES_ON (UINT64_C(1) << 63)

struct run_time {
	uint64_t word; /* atomic; the sum; or GOES_ON and when it would have begun, had it never paused */
};

/* By its CPU alone. */
static inline void run_time_begin(struct run_time *time, uint64_t now)
{
	ASSERT((time->word & RUN_TIME_GOES_ON) == 0);
	__atomic_store_n(&time->word, RUN_TIME_GOES_ON | (now - time->word), __ATOMIC_RELAXED);
}

static inline void run_time_end(struct run_time *time, uint64_t now)
{
	ASSERT((time->word & RUN_TIME_GOES_ON) != 0);
	__atomic_store_n(&time->word, now - (time->word & ~RUN_TIME_GOES_ON), __ATOMIC_RELAXED);
}

/* `now` was read before. */
static inline uint64_t run_time_read(const struct run_time *time, uint64_t now)
{
	uint64_t word = __atomic_load_n(&time->word, __ATOMIC_RELAXED);
	uint64_t begin = word & ~RUN_TIME_GOES_ON;

	if ((word & RUN_TIME_GOES_ON) == 0)
		return word;
	return now > begin ? now - begin : 0;
}

#endif
